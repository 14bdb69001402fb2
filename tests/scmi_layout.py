# SPDX-License-Identifier: MIT
"""SCMI messages as C structures, written down from DEN0056F, 3.2 on, independently of the firmware's tables.

`SOURCE` is C. Under CPython the layout tests parse it with dissect.cstruct; `sizes()` reads the same text with a few
lines of Python, so that the fuzzer has it under MicroPython too, and the layout tests hold the two readings against
each other.

`<protocol>_<message id>_request` and `_reply` follow the header, and header and status. What repeats at the end of
either is not in it: it has a structure of its own, `<protocol>_<message id>_item`.

`<protocol>_<message id>_v<major version>_request` and `_reply` are of a form that a newer version has replaced.
`<protocol>_<message id>_delayed` and `<protocol>_<notification id>_event` follow the header of what they are named for.
"""

SOURCE = """
struct base_0_request { };
struct base_0_reply { uint32 version; };
struct base_1_request { };
struct base_1_reply { uint8 num_protocols; uint8 num_agents; uint16 reserved; };
struct base_2_request { uint32 message_id; };
struct base_2_reply { uint32 attributes; };
struct base_3_request { };
struct base_3_reply { char vendor_identifier[16]; };
struct base_4_request { };
struct base_4_reply { char vendor_identifier[16]; };
struct base_5_request { };
struct base_5_reply { uint32 implementation_version; };
struct base_6_request { uint32 skip; };
struct base_6_reply { uint32 num_protocols; };
struct base_6_item { uint8 protocols[4]; };
struct base_7_request { uint32 agent_id; };
struct base_7_reply { uint32 agent_id; char name[16]; };
struct base_8_request { uint32 notify_enable; };
struct base_8_reply { };
struct base_9_request { uint32 agent_id; uint32 device_id; uint32 flags; };
struct base_9_reply { };
struct base_10_request { uint32 agent_id; uint32 device_id; uint32 command_id; uint32 flags; };
struct base_10_reply { };
struct base_11_request { uint32 agent_id; uint32 flags; };
struct base_11_reply { };
struct base_16_request { uint32 version; };
struct base_16_reply { };
struct base_0_event { uint32 agent_id; uint32 error_status; };
struct base_0_event_item { uint32 message_header; int32 status; };

struct power_0_request { };
struct power_0_reply { uint32 version; };
struct power_1_request { };
struct power_1_reply { uint16 num_domains; uint16 reserved; int64 statistics_address; uint32 statistics_length; };
struct power_2_request { uint32 message_id; };
struct power_2_reply { uint32 attributes; };
struct power_3_request { uint32 domain_id; };
struct power_3_reply { uint32 attributes; char name[16]; };
struct power_4_request { uint32 flags; uint32 domain_id; uint32 power_state; };
struct power_4_reply { };
struct power_5_request { uint32 domain_id; };
struct power_5_reply { uint32 power_state; };
struct power_6_request { uint32 domain_id; uint32 notify_enable; };
struct power_6_reply { };
struct power_7_request { uint32 domain_id; uint32 notify_enable; };
struct power_7_reply { };
struct power_8_request { uint32 domain_id; };
struct power_8_reply { uint32 flags; char name[64]; };
struct power_16_request { uint32 version; };
struct power_16_reply { };

struct system_0_request { };
struct system_0_reply { uint32 version; };
struct system_1_request { };
struct system_1_reply { uint32 attributes; };
struct system_2_request { uint32 message_id; };
struct system_2_reply { uint32 attributes; };
struct system_3_request { uint32 flags; uint32 system_state; };
struct system_3_reply { };
struct system_4_request { };
struct system_4_reply { uint32 system_state; };
struct system_5_request { uint32 notify_enable; };
struct system_5_reply { };
struct system_16_request { uint32 version; };
struct system_16_reply { };

struct performance_0_request { };
struct performance_0_reply { uint32 version; };
struct performance_1_request { };
struct performance_1_reply { uint16 num_domains; uint16 flags; int64 statistics_address; uint32 statistics_length; };
struct performance_2_request { uint32 message_id; };
struct performance_2_reply { uint32 attributes; };
struct performance_3_request { uint32 domain_id; };
struct performance_3_reply { uint32 attributes; uint32 rate_limit; uint32 freq; uint32 level; char name[16]; };
struct performance_4_request { uint32 domain_id; uint32 skip_index; };
struct performance_4_reply { uint16 num_returned; uint16 num_remaining; };
struct performance_4_item { uint32 level; uint32 power; uint16 latency; uint16 reserved; uint32 freq; uint32 index; };
struct performance_4_item_3 { uint32 level; uint32 power; uint16 latency; uint16 reserved; };
struct performance_5_request { uint32 domain_id; uint32 range_max; uint32 range_min; };
struct performance_5_reply { };
struct performance_6_request { uint32 domain_id; };
struct performance_6_reply { uint32 range_max; uint32 range_min; };
struct performance_7_request { uint32 domain_id; uint32 performance_level; };
struct performance_7_reply { };
struct performance_8_request { uint32 domain_id; };
struct performance_8_reply { uint32 performance_level; };
struct performance_9_request { uint32 domain_id; uint32 notify_enable; };
struct performance_9_reply { };
struct performance_10_request { uint32 domain_id; uint32 notify_enable; };
struct performance_10_reply { };
struct performance_11_request { uint32 domain_id; uint32 message_id; };
struct performance_11_reply { uint32 attributes; uint32 rate_limit; uint64 chan; uint32 size; uint64 doorbell[3]; };
struct performance_12_request { uint32 domain_id; };
struct performance_12_reply { uint32 flags; char name[64]; };
struct performance_0_event { uint32 agent_id; uint32 domain_id; uint32 range_max; uint32 range_min; };
struct performance_1_event { uint32 agent_id; uint32 domain_id; uint32 performance_level; };
struct performance_16_request { uint32 version; };
struct performance_16_reply { };

struct clock_0_request { };
struct clock_0_reply { uint32 version; };
struct clock_1_request { };
struct clock_1_reply { uint16 num_clocks; uint8 max_async_req; uint8 reserved; };
struct clock_2_request { uint32 message_id; };
struct clock_2_reply { uint32 attributes; };
struct clock_3_request { uint32 clock_id; };
struct clock_3_reply { uint32 attributes; char clock_name[16]; uint32 clock_enable_delay; };
struct clock_4_request { uint32 clock_id; uint32 rate_index; };
struct clock_4_reply { uint32 num_rates_flags; };
struct clock_4_item { uint32 low; uint32 high; };
struct clock_5_request { uint32 flags; uint32 clock_id; uint32 rate_low; uint32 rate_high; };
struct clock_5_reply { };
struct clock_6_request { uint32 clock_id; };
struct clock_6_reply { uint32 rate_low; uint32 rate_high; };
struct clock_7_request { uint32 clock_id; uint32 attributes; uint32 extended_config_val; };
struct clock_7_reply { };
struct clock_8_request { uint32 clock_id; };
struct clock_8_reply { uint32 flags; char name[64]; };
struct clock_9_request { uint32 clock_id; uint32 notify_enable; };
struct clock_9_reply { };
struct clock_10_request { uint32 clock_id; uint32 notify_enable; };
struct clock_10_reply { };
struct clock_11_request { uint32 clock_id; uint32 flags; };
struct clock_11_reply { uint32 attributes; uint32 config; uint32 extended_config_val; };
struct clock_12_request { uint32 clock_id; uint32 skip_parents; };
struct clock_12_reply { uint32 num_parents_flags; };
struct clock_12_item { uint32 parent_id; };
struct clock_13_request { uint32 clock_id; uint32 parent_id; };
struct clock_13_reply { };
struct clock_14_request { uint32 clock_id; };
struct clock_14_reply { uint32 parent_id; };
struct clock_15_request { uint32 clock_id; };
struct clock_15_reply { uint32 permissions; };
struct clock_16_request { uint32 version; };
struct clock_16_reply { };
struct clock_3_v1_request { uint32 clock_id; };
struct clock_3_v1_reply { uint32 attributes; char clock_name[16]; };
struct clock_7_v1_request { uint32 clock_id; uint32 attributes; };
struct clock_7_v1_reply { };
struct clock_5_delayed { int32 status; uint32 clock_id; uint64 rate; };
struct clock_0_event { uint32 agent_id; uint32 clock_id; uint64 rate; };
struct clock_1_event { uint32 agent_id; uint32 clock_id; uint64 rate; };

struct sensor_0_request { };
struct sensor_0_reply { uint32 version; };
struct sensor_1_request { };
struct sensor_1_reply { uint16 num_sensors; uint8 max_requests; uint8 reserved; int64 address; uint32 length; };
struct sensor_2_request { uint32 message_id; };
struct sensor_2_reply { uint32 attributes; };
struct sensor_3_request { uint32 desc_index; };
struct sensor_3_reply { uint16 num_returned; uint16 num_remaining; };
struct sensor_3_item { uint32 sensor_id; uint32 attributes_low; uint32 attributes_high; char sensor_name[16]; };
struct sensor_3_extended { uint32 power; uint32 resolution; int64 min_range; int64 max_range; };
struct sensor_4_request { uint32 sensor_id; uint32 sensor_event_control; };
struct sensor_4_reply { };
struct sensor_5_request { uint32 sensor_id; uint32 trip_point_ev_ctrl; uint32 value_low; uint32 value_high; };
struct sensor_5_reply { };
struct sensor_6_request { uint32 sensor_id; uint32 flags; };
struct sensor_6_reply { };
struct sensor_6_v1_request { uint32 sensor_id; uint32 flags; };
struct sensor_6_v1_reply { int64 value; };
struct sensor_6_item { int64 value; uint64 timestamp; };
struct sensor_7_request { uint32 sensor_id; uint32 axis_desc_index; };
struct sensor_7_reply { uint32 num_axis_flags; };
struct sensor_7_item { uint32 axis_id; uint32 attributes_low; uint32 attributes_high; char name[16]; };
struct sensor_7_extended { uint32 resolution; int64 min_range; int64 max_range; };
struct sensor_8_request { uint32 sensor_id; uint32 index; };
struct sensor_8_reply { uint32 num_intervals_flags; };
struct sensor_8_item { uint32 interval; };
struct sensor_9_request { uint32 sensor_id; };
struct sensor_9_reply { uint32 sensor_config; };
struct sensor_10_request { uint32 sensor_id; uint32 sensor_config; };
struct sensor_10_reply { };
struct sensor_11_request { uint32 sensor_id; uint32 sensor_event_control; };
struct sensor_11_reply { };
struct sensor_12_request { uint32 sensor_id; };
struct sensor_12_reply { uint32 flags; char name[64]; };
struct sensor_13_request { uint32 sensor_id; uint32 axis_index; };
struct sensor_13_reply { uint32 num_axis_flags; };
struct sensor_13_item { uint32 axis_id; char name[64]; };
struct sensor_16_request { uint32 version; };
struct sensor_16_reply { };

struct reset_0_request { };
struct reset_0_reply { uint32 version; };
struct reset_1_request { };
struct reset_1_reply { uint16 num_domains; uint16 reserved; };
struct reset_2_request { uint32 message_id; };
struct reset_2_reply { uint32 attributes; };
struct reset_3_request { uint32 domain_id; };
struct reset_3_reply { uint32 attributes; uint32 latency; char name[16]; };
struct reset_4_request { uint32 domain_id; uint32 flags; uint32 reset_state; };
struct reset_4_reply { };
struct reset_5_request { uint32 domain_id; uint32 notify_enable; };
struct reset_5_reply { };
struct reset_6_request { uint32 domain_id; };
struct reset_6_reply { uint32 flags; char name[64]; };
struct reset_16_request { uint32 version; };
struct reset_16_reply { };

struct voltage_0_request { };
struct voltage_0_reply { uint32 version; };
struct voltage_1_request { };
struct voltage_1_reply { uint16 num_domains; uint16 reserved; };
struct voltage_2_request { uint32 message_id; };
struct voltage_2_reply { uint32 attributes; };
struct voltage_3_request { uint32 domain_id; };
struct voltage_3_reply { uint32 attributes; char name[16]; };
struct voltage_4_request { uint32 domain_id; uint32 level_index; };
struct voltage_4_reply { uint32 num_levels_flags; };
struct voltage_4_item { int32 level; };
struct voltage_5_request { uint32 domain_id; uint32 config; };
struct voltage_5_reply { };
struct voltage_6_request { uint32 domain_id; };
struct voltage_6_reply { uint32 config; };
struct voltage_7_request { uint32 domain_id; uint32 flags; int32 voltage_level; };
struct voltage_7_reply { };
struct voltage_8_request { uint32 domain_id; };
struct voltage_8_reply { int32 voltage_level; };
struct voltage_9_request { uint32 domain_id; };
struct voltage_9_reply { uint32 flags; char name[64]; };
struct voltage_16_request { uint32 version; };
struct voltage_16_reply { };

struct powercap_0_request { };
struct powercap_0_reply { uint32 version; };
struct powercap_1_request { };
struct powercap_1_reply { uint16 num_domains; uint16 reserved; };
struct powercap_2_request { uint32 message_id; };
struct powercap_2_reply { uint32 attributes; };
struct powercap_3_request { uint32 domain_id; };
struct powercap_3_reply { uint32 attributes; char name[16]; uint32 min_pai; uint32 max_pai; uint32 pai_step; \
uint32 min_power_cap; uint32 max_power_cap; uint32 power_cap_step; uint32 sustainable_power; uint32 accuracy; \
uint32 parent_id; };
struct powercap_4_request { uint32 domain_id; };
struct powercap_4_reply { uint32 power_cap; };
struct powercap_5_request { uint32 domain_id; uint32 flags; uint32 power_cap; };
struct powercap_5_reply { };
struct powercap_5_delayed { int32 status; uint32 domain_id; uint32 power_cap; };
struct powercap_6_request { uint32 domain_id; };
struct powercap_6_reply { uint32 pai; };
struct powercap_7_request { uint32 domain_id; uint32 flags; uint32 pai; };
struct powercap_7_reply { };
struct powercap_8_request { uint32 domain_id; };
struct powercap_8_reply { uint32 flags; char name[64]; };
struct powercap_9_request { uint32 domain_id; };
struct powercap_9_reply { uint32 power; uint32 pai; };
struct powercap_10_request { uint32 domain_id; uint32 notify_enable; };
struct powercap_10_reply { };
struct powercap_11_request { uint32 domain_id; uint32 notify_enable; uint32 power_thresh_low; \
uint32 power_thresh_high; };
struct powercap_11_reply { };
struct powercap_12_request { uint32 domain_id; uint32 message_id; };
struct powercap_12_reply { uint32 attributes; uint32 rate_limit; uint32 chan_addr_low; uint32 chan_addr_high; \
uint32 chan_size; uint32 doorbell_addr_low; uint32 doorbell_addr_high; uint32 doorbell_set_mask_low; \
uint32 doorbell_set_mask_high; uint32 doorbell_preserve_mask_low; uint32 doorbell_preserve_mask_high; };
struct powercap_16_request { uint32 version; };
struct powercap_16_reply { };
struct powercap_0_event { uint32 agent_id; uint32 domain_id; uint32 power_cap; uint32 pai; };
struct powercap_1_event { uint32 agent_id; uint32 domain_id; uint32 power; };

struct pinctrl_0_request { };
struct pinctrl_0_reply { uint32 version; };
struct pinctrl_1_request { };
struct pinctrl_1_reply { uint16 num_pins; uint16 num_groups; uint16 num_functions; uint16 reserved; };
struct pinctrl_2_request { uint32 message_id; };
struct pinctrl_2_reply { uint32 attributes; };
struct pinctrl_3_request { uint32 identifier; uint32 flags; };
struct pinctrl_3_reply { uint32 attributes; char name[16]; };
struct pinctrl_4_request { uint32 identifier; uint32 flags; uint32 index; };
struct pinctrl_4_reply { uint32 flags; };
struct pinctrl_4_item { uint16 array[2]; };
struct pinctrl_5_request { uint32 identifier; uint32 attributes; };
struct pinctrl_5_reply { uint32 function_selected; uint8 num_configs; uint16 reserved; uint8 num_remaining; };
struct pinctrl_5_item { uint32 config_type; uint32 config_value; };
struct pinctrl_6_request { uint32 identifier; uint32 function_id; uint32 attributes; };
struct pinctrl_6_item { uint32 config_type; uint32 config_value; };
struct pinctrl_6_reply { };
struct pinctrl_7_request { uint32 identifier; uint32 flags; };
struct pinctrl_7_reply { };
struct pinctrl_8_request { uint32 identifier; uint32 flags; };
struct pinctrl_8_reply { };
struct pinctrl_9_request { uint32 identifier; uint32 flags; };
struct pinctrl_9_reply { uint32 flags; char name[64]; };
struct pinctrl_10_request { uint32 agent_id; uint32 identifier; uint32 flags; };
struct pinctrl_10_reply { };
struct pinctrl_16_request { uint32 version; };
struct pinctrl_16_reply { };
"""

_BYTES = {"uint8": 1, "char": 1, "uint16": 2, "uint32": 4, "int32": 4, "uint64": 8, "int64": 8}


def _field_bytes(field):
    kind, _, name = field.partition(" ")
    count = int(name.split("[")[1].rstrip("]")) if "[" in name else 1
    return _BYTES[kind] * count


def sizes():
    """Return {structure name: bytes}, without any padding: every field is naturally aligned as it stands."""
    found = {}
    for line in SOURCE.split("\n"):
        if line.startswith("struct "):
            name, _, body = line[len("struct ") :].partition(" { ")
            fields = [field.strip() for field in body.split(";")]
            found[name] = sum(_field_bytes(field) for field in fields if field and field != "}")
    return found
