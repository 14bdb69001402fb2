# SPDX-License-Identifier: MIT
"""Sensor protocol 3.1, one test per message and status. Source: DEN0056F, 3.7.2."""

from scmi.platform import Platform, Sensor
from scmi.status import (
    HARDWARE_ERROR,
    INVALID_PARAMETERS,
    NOT_FOUND,
    NOT_SUPPORTED,
    OUT_OF_RANGE,
    PROTOCOL_ERROR,
    Refusal,
)
from scmi_client import Client, text
from scmi_example import (
    AXES,
    DISABLED,
    FULL,
    HUGE,
    LONG,
    LONG_SENSOR_NAME,
    MOVING,
    NEGATIVE,
    PLAIN,
    SEGMENT,
    SENSOR,
    client,
)

DESCRIPTION, TRIP_NOTIFY, TRIP_CONFIG, READING, AXIS_DESCRIPTION = 0x3, 0x4, 0x5, 0x6, 0x7
INTERVALS, CONFIG_GET, CONFIG_SET, UPDATE_NOTIFY, NAME_GET, AXIS_NAME_GET = 0x8, 0x9, 0xA, 0xB, 0xC, 0xD

NOBODY = (9, 0x10000, 0xFFFFFFFF)
COUNT = 9
AXIS_NAME = "z-axis-with-a-name-of-more-than-sixteen-bytes"

UPDATES = 1 << 30
ENABLED, TIMESTAMPS, ROUND_UP, ROUND_NEAREST = 1, 2, 1 << 9, 1 << 10


def interval(value, exponent):
    """An interval as the wire has it: 16 bits of value above five bits of power of ten."""
    return value << 5 | exponent & 0x1F


def descriptors(scmi):
    """All descriptors as word lists, by sensor id, collected over as many messages as it takes."""
    found = {}
    while len(found) < COUNT:
        payload = scmi.ok(SENSOR, DESCRIPTION, len(found))
        count, left = payload[0] & 0xFFF, payload[0] >> 16
        assert payload[0] & 0xF000 == 0 and count > 0
        assert left == COUNT - len(found) - count
        at = 1
        for _ in range(count):
            length = 7
            if payload[at + 1] & 1 << 8:
                length = 8 if payload[at + 2] & 1 << 8 else 13
            found[payload[at]] = payload[at : at + length]
            at += length
        assert at == len(payload)
    return found


def test_3_7_2_3_attributes_count_sensors_and_show_no_shared_memory():
    assert client().ok(SENSOR, 0x1) == [COUNT, 0, 0, 0]


def test_3_7_2_5_plain_descriptor():
    found = descriptors(client())[PLAIN]
    assert found[:3] == [PLAIN, UPDATES, 0x1D << 11 | 2] and text(found[3:7]) == "plain" and len(found) == 7


def test_3_7_2_5_extended_descriptor():
    found = descriptors(client())[FULL]
    assert found[1] == UPDATES | 0x1A << 10 | 1 << 9 | 1 << 8 | 2
    assert found[2] == 0x1A << 11 | 7
    assert found[7:] == [250, 0x1E << 27 | 3, 0xFFFFFFF9, 0xFFFFFFFF, 0, 1 << 8]


def test_3_7_2_5_sensor_without_limits_has_the_whole_range():
    scmi = Client(Platform([Sensor("s", "volt", resolution=(1, 0))]).agents[0])
    assert scmi.ok(SENSOR, DESCRIPTION, 0)[8:] == [0, 1, 0, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFF]


def test_3_7_2_5_long_name_is_cut_and_announced():
    found = descriptors(client())[LONG]
    assert found[1] == UPDATES | 1 << 29 and text(found[3:7]) == LONG_SENSOR_NAME[:15]


def test_3_7_2_5_sensor_with_axes():
    found = descriptors(client())[AXES]
    assert found[1] == UPDATES | 0x1A << 10 | 1 << 9
    assert found[2] == 3 << 16 | 1 << 8 | 0x59


def test_3_7_2_5_index_past_the_end():
    for index in (COUNT, 0xFFFFFFFF):
        assert client().call(SENSOR, DESCRIPTION, index) == (INVALID_PARAMETERS, [])


def test_3_7_2_5_room_for_one_descriptor_and_for_none():
    scmi = client()
    assert len(scmi.ok(SENSOR, DESCRIPTION, 0, room=40)) == 8
    assert scmi.call(SENSOR, DESCRIPTION, 0, room=36) == (PROTOCOL_ERROR, [])
    assert scmi.call(SENSOR, DESCRIPTION, FULL, room=60) == (PROTOCOL_ERROR, [])
    assert len(scmi.ok(SENSOR, DESCRIPTION, FULL, room=64)) == 14


def test_3_7_2_6_axis_descriptors():
    payload = client().ok(SENSOR, AXIS_DESCRIPTION, AXES, 0)
    assert payload[0] == 3
    x, y, z = payload[1:13], payload[13:20], payload[20:]
    assert x[:3] == [0, 1 << 8, 0x59] and text(x[3:7]) == "x"
    assert x[7:] == [0x1D << 27 | 1, 0xFFFFFFF6, 0xFFFFFFFF, 10, 0]
    assert y[:3] == [1, 0, 0x59] and text(y[3:7]) == "y"
    assert z[:3] == [2, 1 << 9, 0x59] and text(z[3:7]) == AXIS_NAME[:15]


def test_3_7_2_6_axis_descriptors_in_pieces():
    scmi = client()
    assert scmi.ok(SENSOR, AXIS_DESCRIPTION, AXES, 0, room=60)[0] == 2 << 26 | 1
    assert scmi.ok(SENSOR, AXIS_DESCRIPTION, AXES, 2, room=60)[0] == 1


def test_3_7_2_6_index_past_the_end():
    for index in (3, 0xFFFFFFFF):
        assert client().call(SENSOR, AXIS_DESCRIPTION, AXES, index) == (INVALID_PARAMETERS, [])


def test_3_7_2_6_sensor_without_axes():
    assert client().call(SENSOR, AXIS_DESCRIPTION, PLAIN, 0) == (NOT_SUPPORTED, [])


def test_3_7_2_6_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, AXIS_DESCRIPTION, sensor, 0) == (NOT_FOUND, [])


def test_3_7_2_7_list_of_intervals():
    expected = [4, interval(10, -3), interval(100, -3), interval(1000, -3), interval(12_000, -2)]
    assert client().ok(SENSOR, INTERVALS, FULL, 0) == expected


def test_3_7_2_7_intervals_in_pieces():
    scmi = client()
    assert scmi.ok(SENSOR, INTERVALS, FULL, 1, room=20) == [1 << 16 | 2, interval(100, -3), interval(1000, -3)]
    assert scmi.call(SENSOR, INTERVALS, FULL, 0, room=12) == (PROTOCOL_ERROR, [])


def test_3_7_2_7_range_of_intervals_comes_in_one_piece():
    expected = [1 << 12 | 3, interval(10, -3), interval(1000, -3), interval(10, -3)]
    assert client().ok(SENSOR, INTERVALS, SEGMENT, 0) == expected


def test_3_7_2_7_index_past_the_end():
    for sensor, index in ((FULL, 4), (FULL, 0xFFFFFFFF), (SEGMENT, 1)):
        assert client().call(SENSOR, INTERVALS, sensor, index) == (OUT_OF_RANGE, [])


def test_3_7_2_7_sensor_without_intervals():
    assert client().call(SENSOR, INTERVALS, PLAIN, 0) == (NOT_SUPPORTED, [])


def test_3_7_2_7_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, INTERVALS, sensor, 0) == (NOT_FOUND, [])


def test_3_7_2_8_and_13_bad_event_control():
    for message in (TRIP_NOTIFY, UPDATE_NOTIFY):
        assert client().call(SENSOR, message, FULL, 2) == (INVALID_PARAMETERS, [])


def test_3_7_2_8_and_13_unknown_sensor():
    for message in (TRIP_NOTIFY, UPDATE_NOTIFY):
        assert client().call(SENSOR, message, NOBODY[0], 1) == (NOT_FOUND, [])


def test_3_7_2_9_trip_point_is_set():
    scmi = client()
    assert scmi.ok(SENSOR, TRIP_CONFIG, FULL, 1 << 4 | 3, 0xFFFFFFF0, 0xFFFFFFFF) == []
    trip_points = scmi.platform.sensors["full"].trip_points
    assert (trip_points[1].control, trip_points[1].value) == (3, -16)
    assert (trip_points[0].control, trip_points[0].value) == (0, 0)


def test_3_7_2_9_unknown_trip_point_or_reserved_bits():
    scmi = client()
    for control in (2 << 4, 0xFF << 4, 4, 0x1000, 0x80000000):
        assert scmi.call(SENSOR, TRIP_CONFIG, FULL, control, 0, 0) == (INVALID_PARAMETERS, [])


def test_3_7_2_9_sensor_without_trip_points():
    assert client().call(SENSOR, TRIP_CONFIG, PLAIN, 1, 0, 0) == (NOT_SUPPORTED, [])


def test_3_7_2_9_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, TRIP_CONFIG, sensor, 0, 0, 0) == (NOT_FOUND, [])


def test_3_7_2_10_config():
    scmi = client()
    assert scmi.ok(SENSOR, CONFIG_GET, PLAIN) == [ENABLED]
    assert scmi.ok(SENSOR, CONFIG_GET, FULL) == [interval(10, -3) << 11 | ENABLED]
    assert scmi.ok(SENSOR, CONFIG_GET, DISABLED) == [0]


def test_3_7_2_10_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, CONFIG_GET, sensor) == (NOT_FOUND, [])


def test_3_7_2_11_state_and_timestamps():
    scmi = client()
    for config in (ENABLED | TIMESTAMPS, 0, ENABLED, TIMESTAMPS):
        assert scmi.ok(SENSOR, CONFIG_SET, FULL, config) == []
        assert scmi.ok(SENSOR, CONFIG_GET, FULL) == [interval(10, -3) << 11 | config]


def test_3_7_2_11_interval_is_rounded_in_a_list():
    for rounding, wanted, expected in (
        (0, interval(99, -3), interval(10, -3)),
        (ROUND_UP, interval(11, -3), interval(100, -3)),
        (ROUND_NEAREST, interval(90, -3), interval(100, -3)),
        (0, interval(10, -1), interval(1000, -3)),
        (ROUND_UP, interval(2, 0), interval(12_000, -2)),
        (ROUND_NEAREST, interval(0xFFFF, 15), interval(12_000, -2)),
    ):
        scmi = client()
        assert scmi.ok(SENSOR, CONFIG_SET, FULL, wanted << 11 | rounding | ENABLED) == []
        assert scmi.ok(SENSOR, CONFIG_GET, FULL) == [expected << 11 | ENABLED]


def test_3_7_2_11_interval_is_rounded_in_a_range():
    for rounding, wanted, expected in (
        (0, interval(29, -3), interval(20, -3)),
        (ROUND_UP, interval(21, -3), interval(30, -3)),
        (ROUND_NEAREST, interval(1, -9), interval(10, -3)),
    ):
        scmi = client()
        assert scmi.ok(SENSOR, CONFIG_SET, SEGMENT, wanted << 11 | rounding | ENABLED) == []
        assert scmi.ok(SENSOR, CONFIG_GET, SEGMENT) == [expected << 11 | ENABLED]


def test_3_7_2_11_interval_that_is_not_supported():
    scmi = client()
    for sensor, wanted, rounding in (
        (FULL, interval(9, -3), 0),
        (FULL, interval(121, 0), ROUND_UP),
        (SEGMENT, interval(2, 0), ROUND_UP),
    ):
        assert scmi.call(SENSOR, CONFIG_SET, sensor, wanted << 11 | rounding) == (INVALID_PARAMETERS, [])
    assert scmi.ok(SENSOR, CONFIG_GET, FULL) == [interval(10, -3) << 11 | ENABLED]


def test_3_7_2_11_reserved_bits():
    for config in (4, 0x100, 0x1FC):
        assert client().call(SENSOR, CONFIG_SET, FULL, config) == (INVALID_PARAMETERS, [])


def test_3_7_2_11_what_the_sensor_has_not():
    scmi = client()
    assert scmi.call(SENSOR, CONFIG_SET, PLAIN, TIMESTAMPS | ENABLED) == (NOT_SUPPORTED, [])
    assert scmi.call(SENSOR, CONFIG_SET, PLAIN, interval(10, -3) << 11 | ENABLED) == (NOT_SUPPORTED, [])


def test_3_7_2_11_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, CONFIG_SET, sensor, 0) == (NOT_FOUND, [])


def test_3_7_2_12_reading():
    scmi = client()
    for sensor, value in ((PLAIN, 45_000), (NEGATIVE, -5), (HUGE, (1 << 62) + 1), (LONG, 900)):
        assert scmi.ok(SENSOR, READING, sensor, 0) == [value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF, 0, 0]


def test_3_7_2_12_value_set_at_the_prompt_is_read_next():
    scmi = client()
    scmi.platform.sensors["plain"].value = 95_000
    assert scmi.ok(SENSOR, READING, PLAIN, 0)[0] == 95_000


def test_3_7_2_12_moving_sensor():
    scmi = client()
    first = scmi.ok(SENSOR, READING, MOVING, 0)[0]
    assert scmi.ok(SENSOR, READING, MOVING, 0)[0] == first + 1


def test_3_7_2_12_timestamp_is_there_once_enabled():
    scmi = client()
    assert scmi.ok(SENSOR, READING, FULL, 0) == [1_000, 0, 0, 0]
    scmi.ok(SENSOR, CONFIG_SET, FULL, ENABLED | TIMESTAMPS)
    low, high = 2, 3
    first, second = scmi.ok(SENSOR, READING, FULL, 0), scmi.ok(SENSOR, READING, FULL, 0)
    assert first[:2] == [1_000, 0]
    assert 0 < (first[high] << 32 | first[low]) <= (second[high] << 32 | second[low])


def test_3_7_2_12_all_axes():
    payload = client().ok(SENSOR, READING, AXES, 0)
    assert payload == [1, 0, 0, 0, 0xFFFFFFFE, 0xFFFFFFFF, 0, 0, 9, 0, 0, 0]


def test_3_7_2_12_no_room_for_all_axes():
    scmi = client()
    assert scmi.call(SENSOR, READING, AXES, 0, room=52) == (PROTOCOL_ERROR, [])
    assert len(scmi.ok(SENSOR, READING, AXES, 0, room=56)) == 12


def test_3_7_2_12_disabled_sensor():
    scmi = client()
    assert scmi.call(SENSOR, READING, DISABLED, 0) == (PROTOCOL_ERROR, [])
    scmi.ok(SENSOR, CONFIG_SET, DISABLED, ENABLED)
    assert scmi.ok(SENSOR, READING, DISABLED, 0) == [3, 0, 0, 0]


def test_3_7_2_12_hardware_that_fails():
    def fails():
        raise Refusal()

    scmi = Client(Platform([Sensor("off", "volt", read=fails)]).agents[0])
    assert scmi.call(SENSOR, READING, 0, 0) == (HARDWARE_ERROR, [])
    assert scmi.backend.failures == 0


def test_3_7_2_12_asynchronous_reading_is_not_supported():
    assert client().call(SENSOR, READING, PLAIN, 1) == (NOT_SUPPORTED, [])


def test_3_7_2_12_reserved_flags():
    for flags in (2, 3, 0x80000000):
        assert client().call(SENSOR, READING, PLAIN, flags) == (INVALID_PARAMETERS, [])


def test_3_7_2_12_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, READING, sensor, 0) == (NOT_FOUND, [])


def test_3_7_2_14_name():
    scmi = client()
    for sensor, name in ((PLAIN, "plain"), (LONG, LONG_SENSOR_NAME)):
        payload = scmi.ok(SENSOR, NAME_GET, sensor)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_7_2_14_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, NAME_GET, sensor) == (NOT_FOUND, [])


def test_3_7_2_15_axis_names_in_pieces():
    scmi = client()
    for axis, name in ((0, "x"), (1, "y"), (2, AXIS_NAME)):
        payload = scmi.ok(SENSOR, AXIS_NAME_GET, AXES, axis)
        assert payload[0] == (2 - axis) << 26 | 1 and payload[1] == axis and text(payload[2:]) == name


def test_3_7_2_15_unknown_axis():
    for axis in (3, 0xFFFFFFFF):
        assert client().call(SENSOR, AXIS_NAME_GET, AXES, axis) == (NOT_FOUND, [])


def test_3_7_2_15_sensor_without_axes():
    assert client().call(SENSOR, AXIS_NAME_GET, PLAIN, 0) == (NOT_SUPPORTED, [])


def test_3_7_2_15_unknown_sensor():
    for sensor in NOBODY:
        assert client().call(SENSOR, AXIS_NAME_GET, sensor, 0) == (NOT_FOUND, [])
