# SPDX-License-Identifier: MIT
"""Wire layouts against the C structures of `scmi_layout`, read by dissect.cstruct: tables, then whole replies."""

import struct

import pytest
from dissect.cstruct import cstruct

import scmi_layout
from scmi.message import payload_words
from scmi_example import (
    AXES,
    BASE,
    BELOW_ZERO,
    BOX,
    CAP_DELAY_MS,
    CLOCK,
    CORE,
    CPU,
    DEEP,
    FULL,
    INDEXED,
    LED,
    LIST,
    LONG,
    LONG_CAP,
    LONG_CAP_NAME,
    LONG_CLOCK,
    LONG_CLOCK_NAME,
    LONG_DOMAIN,
    LONG_DOMAIN_NAME,
    LONG_GROUP,
    LONG_PERFORMANCE,
    LONG_PERFORMANCE_NAME,
    LONG_PIN,
    LONG_PIN_NAME,
    LONG_RESET,
    LONG_RESET_NAME,
    LONG_SENSOR_NAME,
    LONG_VOLTAGE,
    LONG_VOLTAGE_NAME,
    PERFORMANCE,
    PINCTRL,
    POWER,
    POWER_UP,
    POWERCAP,
    RANGE,
    RESET,
    SENSOR,
    SLEEP,
    SLOW,
    SYSTEM,
    VOLTAGE,
    client,
)

C = cstruct(endian="<")
C.load(scmi_layout.SOURCE)

NAMES = {
    BASE: "base",
    POWER: "power",
    SYSTEM: "system",
    PERFORMANCE: "performance",
    CLOCK: "clock",
    SENSOR: "sensor",
    RESET: "reset",
    VOLTAGE: "voltage",
    POWERCAP: "powercap",
    PINCTRL: "pinctrl",
}
ROWS = [
    pytest.param(NAMES[protocol.ID], row, id=row[1])
    for protocol in client().platform.protocols.values()
    for row in protocol.MESSAGES
]


def reply(protocol, message, *words, versions=None):
    """The payload of a successful reply as bytes."""
    return struct.pack("<{}I".format(len(found := client(versions=versions).ok(protocol, message, *words))), *found)


def text(field):
    """The text in a field of characters."""
    return field.split(b"\0")[0].decode()


def test_both_readings_of_the_structures_agree():
    for name, size in scmi_layout.sizes().items():
        assert len(getattr(C, name)) == size, name


def structure(protocol, row, which):
    """The structure of a row: an older form has a name of its own, such as sensor_6_v1_reply."""
    name = "{}_{}".format(protocol, row[0])
    older = "{}_v{}_{}".format(name, row[2] >> 16, which)
    return getattr(C, older) if hasattr(C, older) else getattr(C, "{}_{}".format(name, which))


@pytest.mark.parametrize(("protocol", "row"), ROWS)
def test_table_has_the_size_of_the_structures(protocol, row):
    request, answer = (structure(protocol, row, which) for which in ("request", "reply"))
    assert 4 * payload_words(row[3]) == len(request)
    # The table counts the first reading in, as there always is one.
    first = len(C.sensor_6_item) if row[1] == "SENSOR_READING_GET" and row[2] > 0x10000 else 0
    assert 4 * payload_words(row[4]) == len(answer) + first


@pytest.mark.parametrize(("protocol", "row"), ROWS)
def test_table_names_the_fields_of_the_request(protocol, row):
    fields = list(structure(protocol, row, "request").fields)
    named = []
    for field in (field for field in row[3] if not field.endswith("]")):
        named += [field[:-2] + "_low", field[:-2] + "_high"] if field.endswith("*2") else [field]
    assert named == fields


def test_base_attributes():
    found = C.base_1_reply(reply(BASE, 1))
    assert (found.num_protocols, found.num_agents, found.reserved) == (9, 2, 0)


def test_base_names():
    assert text(C.base_3_reply(reply(BASE, 3)).vendor_identifier) == "Vendor"
    assert text(C.base_4_reply(reply(BASE, 4)).vendor_identifier) == "Sub"
    found = C.base_7_reply(reply(BASE, 7, 2))
    assert (found.agent_id, text(found.name)) == (2, "guest")


def test_base_protocol_list():
    data = reply(BASE, 6, 0)
    count = C.base_6_reply(data).num_protocols
    listed = [number for at in range(4, len(data), 4) for number in C.base_6_item(data[at:]).protocols]
    assert listed[:count] == [POWER, SYSTEM, PERFORMANCE, CLOCK, SENSOR, RESET, VOLTAGE, POWERCAP, PINCTRL]
    assert len(data) == 16 and not any(listed[count:])


def test_power_attributes():
    found = C.power_1_reply(reply(POWER, 1))
    assert (found.num_domains, found.reserved, found.statistics_address, found.statistics_length) == (4, 0, 0, 0)


def test_power_domain_attributes():
    found = C.power_3_reply(reply(POWER, 3, LONG_DOMAIN))
    assert (found.attributes, text(found.name)) == (1 << 31 | 1 << 29 | 1 << 28 | 1 << 27, LONG_DOMAIN_NAME[:15])


def test_power_state():
    assert C.power_5_reply(reply(POWER, 5, DEEP)).power_state == SLEEP


def test_power_domain_name():
    found = C.power_8_reply(reply(POWER, 8, LONG_DOMAIN))
    assert (found.flags, text(found.name)) == (0, LONG_DOMAIN_NAME)


def test_system_state():
    assert C.system_1_reply(reply(SYSTEM, 1)).attributes == 0
    assert C.system_4_reply(reply(SYSTEM, 4)).system_state == POWER_UP


def test_clock_attributes():
    found = C.clock_3_reply(reply(CLOCK, 3, RANGE))
    assert (found.attributes, text(found.clock_name), found.clock_enable_delay) == (3 << 30 | 1, "range", 77)


def test_clock_rates():
    data = reply(CLOCK, 4, RANGE, 0)
    assert C.clock_4_reply(data).num_rates_flags == 1 << 12 | 3
    rates = [C.clock_4_item(data[at : at + 8]) for at in range(4, len(data), 8)]
    assert [rate.high << 32 | rate.low for rate in rates] == [1_000_000_000, 9_000_000_050, 100]


def test_clock_rate():
    found = C.clock_6_reply(reply(CLOCK, 6, RANGE))
    assert found.rate_high << 32 | found.rate_low == 5_000_000_000


def test_clock_name():
    found = C.clock_8_reply(reply(CLOCK, 8, LONG_CLOCK))
    assert (found.flags, text(found.name)) == (0, LONG_CLOCK_NAME)


def test_clock_config():
    found = C.clock_11_reply(reply(CLOCK, 11, LIST, 0))
    assert (found.attributes, found.config, found.extended_config_val) == (0, 1, 0)


def test_clock_events():
    scmi = client()
    for message in (9, 10):
        scmi.ok(CLOCK, message, RANGE, 1)
    scmi.ok(CLOCK, 5, 0, RANGE, 5_000_000_101 & 0xFFFFFFFF, 5_000_000_101 >> 32)
    told = [struct.pack("<{}I".format(len(words)), *words) for _, words in scmi.events()]
    for data, kind, rate in zip(told, (C.clock_0_event, C.clock_1_event), (5_000_000_100, 5_000_000_101), strict=True):
        found = kind(data)
        assert (found.agent_id, found.clock_id, found.rate, len(data)) == (1, RANGE, rate, len(kind))


def test_base_error_event():
    scmi = client()
    scmi.ok(BASE, 8, 1)
    scmi.platform.report_error(2, fatal=True, commands=((0x5014, -9),))
    ((_, words),) = scmi.events()
    data = struct.pack("<{}I".format(len(words)), *words)
    found, report = C.base_0_event(data), C.base_0_event_item(data[len(C.base_0_event) :])
    assert (found.agent_id, found.error_status) == (2, 1 << 31 | 1)
    assert (report.message_header, report.status, len(data)) == (0x5014, -9, 16)


def test_sensor_attributes():
    found = C.sensor_1_reply(reply(SENSOR, 1))
    assert (found.num_sensors, found.max_requests, found.address, found.length) == (9, 0, 0, 0)


def test_sensor_descriptor():
    data = reply(SENSOR, 3, FULL)
    assert (C.sensor_3_reply(data).num_returned, C.sensor_3_reply(data).num_remaining) == (3, 4)
    found, extended = C.sensor_3_item(data[4:]), C.sensor_3_extended(data[4 + len(C.sensor_3_item) :])
    assert (found.sensor_id, text(found.sensor_name), found.attributes_high & 0xFF) == (FULL, "full", 7)
    assert (extended.power, extended.min_range, extended.max_range) == (250, -7, 1 << 40)
    assert (extended.resolution & 0x7FFFFFF, extended.resolution >> 27) == (3, 30)


def test_sensor_reading_of_all_axes():
    data = reply(SENSOR, 6, AXES, 0)
    found = [C.sensor_6_item(data[at : at + 16]) for at in range(0, len(data), 16)]
    assert [(item.value, item.timestamp) for item in found] == [(1, 0), (-2, 0), (9, 0)]


def test_sensor_axis_descriptor():
    data = reply(SENSOR, 7, AXES, 0)
    found, extended = C.sensor_7_item(data[4:]), C.sensor_7_extended(data[4 + len(C.sensor_7_item) :])
    assert (found.axis_id, text(found.name), found.attributes_low) == (0, "x", 1 << 8)
    assert (extended.resolution, extended.min_range, extended.max_range) == (0x1D << 27 | 1, -10, 10)


def test_sensor_name():
    found = C.sensor_12_reply(reply(SENSOR, 12, LONG))
    assert (found.flags, text(found.name)) == (0, LONG_SENSOR_NAME)


def test_sensor_axis_name():
    data = reply(SENSOR, 13, AXES, 2)
    found = C.sensor_13_item(data[4:])
    assert (C.sensor_13_reply(data).num_axis_flags, found.axis_id) == (1, 2)
    assert text(found.name) == "z-axis-with-a-name-of-more-than-sixteen-bytes"


def test_reset_attributes():
    found = C.reset_1_reply(reply(RESET, 1))
    assert (found.num_domains, found.reserved) == (4, 0)
    found = C.reset_3_reply(reply(RESET, 3, CORE))
    assert (found.attributes, found.latency, text(found.name)) == (1 << 30, 250, "core")


def test_reset_name():
    found = C.reset_6_reply(reply(RESET, 6, LONG_RESET))
    assert (found.flags, text(found.name)) == (0, LONG_RESET_NAME)


def test_voltage_attributes():
    found = C.voltage_1_reply(reply(VOLTAGE, 1))
    assert (found.num_domains, found.reserved) == (7, 0)
    found = C.voltage_3_reply(reply(VOLTAGE, 3, BELOW_ZERO))
    assert (found.attributes, text(found.name)) == (0, "below-zero")


def test_voltage_levels():
    data = reply(VOLTAGE, 4, BELOW_ZERO, 0)
    assert C.voltage_4_reply(data).num_levels_flags == 2
    levels = [C.voltage_4_item(data[at : at + 4]).level for at in range(4, len(data), 4)]
    assert levels == [-5_000_000, -3_300_000]
    assert C.voltage_8_reply(reply(VOLTAGE, 8, BELOW_ZERO)).voltage_level == -5_000_000


def test_voltage_config():
    assert C.voltage_6_reply(reply(VOLTAGE, 6, BELOW_ZERO)).config == 7


def test_voltage_name():
    found = C.voltage_9_reply(reply(VOLTAGE, 9, LONG_VOLTAGE))
    assert (found.flags, text(found.name)) == (0, LONG_VOLTAGE_NAME)


def test_powercap_attributes():
    found = C.powercap_1_reply(reply(POWERCAP, 1))
    assert (found.num_domains, found.reserved) == (7, 0)
    found = C.powercap_3_reply(reply(POWERCAP, 3, BOX))
    assert (found.attributes, text(found.name)) == (0x19D << 23, "box")
    assert (found.min_pai, found.max_pai, found.pai_step) == (1_000, 10_000, 500)
    assert (found.min_power_cap, found.max_power_cap, found.power_cap_step) == (1_000_000, 15_100_000, 250_000)
    assert (found.sustainable_power, found.accuracy, found.parent_id) == (9_000_000, 1_500, 0xFFFFFFFF)


def test_powercap_cap_and_measurements():
    assert C.powercap_4_reply(reply(POWERCAP, 4, BOX)).power_cap == 15_000_000
    assert C.powercap_6_reply(reply(POWERCAP, 6, BOX)).pai == 1_000
    found = C.powercap_9_reply(reply(POWERCAP, 9, BOX))
    assert (found.power, found.pai) == (4_000_000, 1_000)


def test_powercap_name():
    found = C.powercap_8_reply(reply(POWERCAP, 8, LONG_CAP))
    assert (found.flags, text(found.name)) == (0, LONG_CAP_NAME)


def test_powercap_events():
    scmi = client()
    scmi.ok(POWERCAP, 0xA, BOX, 1)
    scmi.ok(POWERCAP, 0xB, BOX, 1, 5_000_000, 6_000_000)
    scmi.ok(POWERCAP, 5, SLOW, 2, 30)
    scmi.ok(POWERCAP, 5, BOX, 0, 1_000_000)
    scmi.time.advance(CAP_DELAY_MS)
    events = {head & 0x3FF: struct.pack("<{}I".format(len(words)), *words) for head, words in scmi.events()}
    delayed, changed, measured = (events[head] for head in (0x205, 0x300, 0x301))
    found = C.powercap_5_delayed(delayed)
    assert (found.status, found.domain_id, found.power_cap, len(delayed)) == (0, SLOW, 30, 12)
    found = C.powercap_1_event(measured)
    assert (found.agent_id, found.domain_id, found.power, len(measured)) == (0, BOX, 4_000_000, 12)
    found = C.powercap_0_event(changed)
    assert (found.agent_id, found.domain_id, found.power_cap, found.pai, len(changed)) == (1, BOX, 1_000_000, 1_000, 16)


def test_pinctrl_attributes():
    found = C.pinctrl_1_reply(reply(PINCTRL, 1))
    assert (found.num_pins, found.num_groups, found.num_functions, found.reserved) == (7, 4, 4, 0)
    found = C.pinctrl_3_reply(reply(PINCTRL, 3, LONG_PIN, 0))
    assert (found.attributes, text(found.name)) == (1 << 31 | 1, LONG_PIN_NAME[:15])


def test_pinctrl_associations():
    data = reply(PINCTRL, 4, LONG_GROUP, 1, 0)
    assert C.pinctrl_4_reply(data).flags == 3
    members = [member for at in range(4, len(data), 4) for member in C.pinctrl_4_item(data[at:]).array]
    assert members == [0, 2, 3, 0]


def test_pinctrl_settings():
    scmi = client()
    data = struct.pack("<5I", LED, 2, 1 << 10 | 1 << 2, 10, 20)
    request = C.pinctrl_6_request(data)
    assert (request.identifier, request.function_id, request.attributes) == (LED, 2, 1 << 10 | 1 << 2)
    item = C.pinctrl_6_item(data[len(C.pinctrl_6_request) :])
    assert (item.config_type, item.config_value) == (10, 20)
    scmi.ok(PINCTRL, 6, *struct.unpack("<5I", data))
    words = scmi.ok(PINCTRL, 5, LED, 1 << 18, room=32)
    data = struct.pack("<{}I".format(len(words)), *words)
    found = C.pinctrl_5_reply(data)
    assert (found.function_selected, found.num_configs, found.num_remaining, found.reserved) == (2, 2, 5, 0)
    item = C.pinctrl_5_item(data[len(C.pinctrl_5_reply) :])
    assert (item.config_type, item.config_value) == (6, 1)


def test_pinctrl_name():
    found = C.pinctrl_9_reply(reply(PINCTRL, 9, LONG_PIN, 0))
    assert (found.flags, text(found.name)) == (0, LONG_PIN_NAME)


def test_performance_attributes():
    found = C.performance_1_reply(reply(PERFORMANCE, 1))
    assert (found.num_domains, found.flags, found.statistics_address, found.statistics_length) == (5, 1, 0, 0)
    found = C.performance_3_reply(reply(PERFORMANCE, 3, CPU))
    assert (found.attributes, found.rate_limit, text(found.name)) == (0xF << 28, 1000, "cpu")
    assert (found.freq, found.level) == (1_200_000, 1200)


def test_performance_levels():
    data = reply(PERFORMANCE, 4, INDEXED, 1)
    assert (C.performance_4_reply(data).num_returned, C.performance_4_reply(data).num_remaining) == (2, 0)
    found = C.performance_4_item(data[4:])
    assert (found.level, found.power, found.latency, found.reserved) == (35, 800, 500, 0)
    assert (found.freq, found.index) == (450_000, 2) and len(data) == 4 + 2 * len(C.performance_4_item)


def test_performance_levels_of_older_versions():
    for version in (0x30000, 0x20000, 0x10000):
        data = reply(PERFORMANCE, 4, INDEXED, 1, versions={"performance": version})
        found = C.performance_4_item_3(data[4:])
        assert (found.level, found.power, found.latency, found.reserved) == (35, 800, 500, 0)
        assert len(data) == 4 + 2 * len(C.performance_4_item_3)


def test_performance_limits_and_level():
    found = C.performance_6_reply(reply(PERFORMANCE, 6, CPU))
    assert (found.range_max, found.range_min) == (1600, 400)
    assert C.performance_8_reply(reply(PERFORMANCE, 8, CPU)).performance_level == 800


def test_performance_name():
    found = C.performance_12_reply(reply(PERFORMANCE, 12, LONG_PERFORMANCE))
    assert (found.flags, text(found.name)) == (0, LONG_PERFORMANCE_NAME)


def test_performance_events():
    scmi = client()
    for message in (9, 10):
        scmi.ok(PERFORMANCE, message, CPU, 1)
    scmi.ok(PERFORMANCE, 5, CPU, 1600, 1200)
    limits, level = [struct.pack("<{}I".format(len(words)), *words) for _, words in scmi.events()]
    found = C.performance_0_event(limits)
    assert (found.agent_id, found.domain_id, found.range_max, found.range_min) == (1, CPU, 1600, 1200)
    found = C.performance_1_event(level)
    assert (found.agent_id, found.domain_id, found.performance_level) == (1, CPU, 1200)
    assert (len(limits), len(level)) == (len(C.performance_0_event), len(C.performance_1_event))
