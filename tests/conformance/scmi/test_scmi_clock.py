# SPDX-License-Identifier: MIT
"""Clock protocol 3.0, one test per message and status. Source: DEN0056F, 3.6.2."""

from scmi.status import DENIED, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, OUT_OF_RANGE, PROTOCOL_ERROR
from scmi_client import text
from scmi_example import (
    CLOCK,
    FIXED,
    LIST,
    LOCKED,
    LONG_CLOCK,
    LONG_CLOCK_NAME,
    MUX,
    RANGE,
    RATES,
    RUNNING_ONLY,
    SETTINGS,
    client,
)

ATTRIBUTES, DESCRIBE_RATES, RATE_SET, RATE_GET, CONFIG_SET, NAME_GET = 0x3, 0x4, 0x5, 0x6, 0x7, 0x8
RATE_NOTIFY, RATE_CHANGE_REQUESTED_NOTIFY, CONFIG_GET = 0x9, 0xA, 0xB
POSSIBLE_PARENTS, PARENT_SET, PARENT_GET, GET_PERMISSIONS = 0xC, 0xD, 0xE, 0xF

NOBODY = (8, 0x10000, 0xFFFFFFFF)
NOTIFIES = 3 << 30
ROUND_UP, ROUND_NEAREST, ASYNC, IGNORE_RESPONSE = 4, 8, 1, 2


def words(rate):
    return [rate & 0xFFFFFFFF, rate >> 32]


def test_3_6_2_3_attributes_count_clocks_and_asynchronous_changes():
    assert client().ok(CLOCK, 0x1) == [8 << 16 | 8]


def test_3_6_2_5_attributes():
    scmi = client()
    for clock, bits, name, delay in (
        (FIXED, 1, "fixed", 0),
        (RANGE, NOTIFIES | 1, "range", 77),
        (MUX, 1 << 31 | 1 << 28 | 1, "mux", 0),
        (SETTINGS, 1 << 27 | 1, "settings", 0),
        (LOCKED, NOTIFIES | 1 << 28 | 3, "locked", 0),
        (LONG_CLOCK, 1 << 29, LONG_CLOCK_NAME[:15], 0),
    ):
        payload = scmi.ok(CLOCK, ATTRIBUTES, clock)
        assert payload[0] == bits and text(payload[1:5]) == name and payload[5:] == [delay]


def test_3_6_2_5_attributes_without_events():
    scmi = client(hears=False)
    for clock in (RANGE, MUX):
        assert scmi.ok(CLOCK, ATTRIBUTES, clock)[0] & 3 << 30 == 0


def test_3_6_2_5_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, ATTRIBUTES, clock) == (NOT_FOUND, [])


def test_3_6_2_6_fixed_clock_has_one_rate():
    assert client().ok(CLOCK, DESCRIBE_RATES, FIXED, 0) == [1, 24_000_000, 0]


def test_3_6_2_6_list_in_pieces():
    scmi = client()
    found = []
    while len(found) < len(RATES):
        payload = scmi.ok(CLOCK, DESCRIBE_RATES, LIST, len(found))
        count, left = payload[0] & 0xFFF, payload[0] >> 16
        assert payload[0] & 0xF000 == 0 and count == min(15, len(RATES) - len(found))
        assert left == len(RATES) - len(found) - count
        found += [payload[1 + 2 * i] | payload[2 + 2 * i] << 32 for i in range(count)]
    assert found == RATES


def test_3_6_2_6_range_comes_in_one_piece():
    expected = [1 << 12 | 3] + words(1_000_000_000) + words(9_000_000_050) + words(100)
    assert client().ok(CLOCK, DESCRIBE_RATES, RANGE, 0) == expected


def test_3_6_2_6_clock_that_follows_its_parent_has_the_rates_of_its_parents():
    payload = client().ok(CLOCK, DESCRIBE_RATES, MUX, 0)
    assert payload[0] >> 16 == 26 and payload[1:5] == [24_000_000, 0, RATES[0], 0]


def test_3_6_2_6_index_past_the_end():
    scmi = client()
    for clock, index in ((FIXED, 1), (LIST, len(RATES)), (LIST, 0xFFFFFFFF), (RANGE, 1), (RANGE, 3)):
        assert scmi.call(CLOCK, DESCRIBE_RATES, clock, index) == (OUT_OF_RANGE, [])


def test_3_6_2_6_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, DESCRIBE_RATES, clock, 0) == (NOT_FOUND, [])


def test_3_6_2_6_no_room_for_one_rate_or_for_the_range():
    scmi = client()
    assert scmi.ok(CLOCK, DESCRIBE_RATES, LIST, 0, room=20)[0] == 39 << 16 | 1
    assert scmi.call(CLOCK, DESCRIBE_RATES, LIST, 0, room=16) == (PROTOCOL_ERROR, [])
    assert scmi.call(CLOCK, DESCRIBE_RATES, RANGE, 0, room=32) == (PROTOCOL_ERROR, [])


def test_3_6_2_7_rate_is_set():
    scmi = client()
    assert scmi.ok(CLOCK, RATE_SET, 0, LIST, *words(RATES[39])) == []
    assert scmi.ok(CLOCK, RATE_GET, LIST) == words(RATES[39])


def test_3_6_2_7_rounding_in_a_list():
    for flags, wanted, expected in (
        (0, RATES[3] + 60_000_000, RATES[3]),
        (ROUND_UP, RATES[3] + 10, RATES[4]),
        (ROUND_NEAREST, RATES[3] + 60_000_000, RATES[4]),
        (ROUND_NEAREST, RATES[3] + 40_000_000, RATES[3]),
        (ROUND_NEAREST | ROUND_UP, 1, RATES[0]),
        (0, RATES[39] + 1, RATES[39]),
        (IGNORE_RESPONSE, RATES[2], RATES[2]),
    ):
        scmi = client()
        assert scmi.ok(CLOCK, RATE_SET, flags, LIST, *words(wanted)) == []
        assert scmi.ok(CLOCK, RATE_GET, LIST) == words(expected)


def test_3_6_2_7_rounding_in_a_range():
    for flags, wanted, expected in (
        (0, 1_000_000_199, 1_000_000_100),
        (ROUND_UP, 1_000_000_101, 1_000_000_200),
        (ROUND_NEAREST, 1_000_000_149, 1_000_000_100),
        (ROUND_NEAREST, 1_000_000_151, 1_000_000_200),
        (0, 9_000_000_050, 9_000_000_000),
        (ROUND_NEAREST, 0, 1_000_000_000),
        (ROUND_NEAREST, 0xFFFFFFFFFFFFFFFF, 9_000_000_000),
    ):
        scmi = client()
        assert scmi.ok(CLOCK, RATE_SET, flags, RANGE, *words(wanted)) == []
        assert scmi.ok(CLOCK, RATE_GET, RANGE) == words(expected)


def test_3_6_2_7_rate_that_is_not_supported():
    scmi = client()
    for flags, clock, rate in (
        (0, LIST, RATES[0] - 1),
        (ROUND_UP, LIST, RATES[39] + 1),
        (0, RANGE, 999_999_999),
        (ROUND_UP, RANGE, 9_000_000_001),
    ):
        assert scmi.call(CLOCK, RATE_SET, flags, clock, *words(rate)) == (INVALID_PARAMETERS, [])
    assert scmi.ok(CLOCK, RATE_GET, LIST) == words(RATES[0])


def test_3_6_2_7_reserved_flags():
    for flags in (0x10, 0x80000000, 0xFFFFFFF0):
        assert client().call(CLOCK, RATE_SET, flags, LIST, *words(RATES[1])) == (INVALID_PARAMETERS, [])


def test_3_6_2_7_asynchronous_change_without_events_is_not_supported():
    scmi = client(hears=False)
    for flags in (ASYNC, ASYNC | IGNORE_RESPONSE):
        assert scmi.call(CLOCK, RATE_SET, flags, LIST, *words(RATES[1])) == (NOT_SUPPORTED, [])
    assert scmi.ok(CLOCK, RATE_GET, LIST) == words(RATES[0])


def test_3_6_2_7_clock_without_a_choice_of_rates():
    for clock in (FIXED, MUX):
        assert client().call(CLOCK, RATE_SET, 0, clock, *words(24_000_000)) == (NOT_SUPPORTED, [])


def test_3_6_2_7_forbidden_clock():
    scmi = client()
    assert scmi.call(CLOCK, RATE_SET, 0, LOCKED, 200, 0) == (DENIED, [])
    assert scmi.ok(CLOCK, RATE_GET, LOCKED) == [100, 0]


def test_3_6_2_7_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, RATE_SET, 0, clock, 1, 0) == (NOT_FOUND, [])


def test_3_6_2_8_rate():
    scmi = client()
    assert scmi.ok(CLOCK, RATE_GET, FIXED) == [24_000_000, 0]
    assert scmi.ok(CLOCK, RATE_GET, RANGE) == words(5_000_000_000)


def test_3_6_2_8_clock_follows_its_parent():
    scmi = client()
    scmi.ok(CLOCK, RATE_SET, 0, LIST, *words(RATES[8]))
    assert scmi.ok(CLOCK, RATE_GET, MUX) == words(RATES[8])


def test_3_6_2_8_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, RATE_GET, clock) == (NOT_FOUND, [])


def test_3_6_2_9_state():
    scmi = client()
    for state in (0, 1):
        assert scmi.ok(CLOCK, CONFIG_SET, LIST, state, 0) == []
        assert scmi.ok(CLOCK, CONFIG_GET, LIST, 0) == [0, state, 0]
        assert scmi.ok(CLOCK, ATTRIBUTES, LIST)[0] & 1 == state


def test_3_6_2_9_setting_with_state_unchanged():
    scmi = client()
    for kind, value in ((1, 100), (2, 360), (0x81, 0xFFFFFFFF)):
        assert scmi.ok(CLOCK, CONFIG_SET, SETTINGS, kind << 16 | 3, value) == []
        assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, kind) == [0, 1, value]


def test_3_6_2_9_setting_and_state_together():
    scmi = client()
    assert scmi.ok(CLOCK, CONFIG_SET, SETTINGS, 1 << 16 | 0, 30) == []
    assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, 1) == [0, 0, 30]


def test_3_6_2_9_value_without_a_type_is_ignored():
    scmi = client()
    assert scmi.ok(CLOCK, CONFIG_SET, SETTINGS, 0, 99) == []
    assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, 1) == [0, 0, 50]


def test_3_6_2_9_invalid_attributes():
    scmi = client()
    for attributes in (2, 3, 4, 0x100, 0x8001, 0x01000001, 0xFFFFFFFF):
        assert scmi.call(CLOCK, CONFIG_SET, SETTINGS, attributes, 0) == (INVALID_PARAMETERS, [])
    assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, 0) == [0, 1, 0]


def test_3_6_2_9_value_out_of_bounds():
    scmi = client()
    for kind, value in ((1, 101), (2, 361)):
        assert scmi.call(CLOCK, CONFIG_SET, SETTINGS, kind << 16, value) == (INVALID_PARAMETERS, [])
    assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, 1) == [0, 1, 50]


def test_3_6_2_9_unsupported_type():
    scmi = client()
    for clock, kind in ((LIST, 1), (SETTINGS, 3), (SETTINGS, 0x80)):
        assert scmi.call(CLOCK, CONFIG_SET, clock, kind << 16 | 1, 0) == (NOT_SUPPORTED, [])


def test_3_6_2_9_forbidden_state():
    scmi = client()
    for clock in (LOCKED, RUNNING_ONLY):
        for state in (0, 1):
            assert scmi.call(CLOCK, CONFIG_SET, clock, state, 0) == (DENIED, [])
        assert scmi.ok(CLOCK, CONFIG_GET, clock, 0) == [0, 1, 0]


def test_3_6_2_9_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, CONFIG_SET, clock, 1, 0) == (NOT_FOUND, [])


def test_3_6_2_10_config():
    scmi = client()
    assert scmi.ok(CLOCK, CONFIG_GET, LONG_CLOCK, 0) == [0, 0, 0]
    assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, 0) == [0, 1, 0]
    assert scmi.ok(CLOCK, CONFIG_GET, SETTINGS, 2) == [0, 1, 90]


def test_3_6_2_10_unsupported_type_or_reserved_flags():
    scmi = client()
    for clock, flags in ((LIST, 1), (SETTINGS, 3), (SETTINGS, 0x100), (SETTINGS, 0x80000001)):
        assert scmi.call(CLOCK, CONFIG_GET, clock, flags) == (INVALID_PARAMETERS, [])


def test_3_6_2_10_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, CONFIG_GET, clock, 0) == (NOT_FOUND, [])


def test_3_6_2_11_name():
    scmi = client()
    for clock, name in ((FIXED, "fixed"), (LONG_CLOCK, LONG_CLOCK_NAME)):
        payload = scmi.ok(CLOCK, NAME_GET, clock)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_6_2_11_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, NAME_GET, clock) == (NOT_FOUND, [])


def test_3_6_2_12_and_13_subscriptions():
    for message in (RATE_NOTIFY, RATE_CHANGE_REQUESTED_NOTIFY):
        for enable in (0, 1):
            assert client().ok(CLOCK, message, LIST, enable) == []


def test_3_6_2_12_and_13_what_cannot_happen_is_not_supported():
    for message, clocks in ((RATE_NOTIFY, (FIXED,)), (RATE_CHANGE_REQUESTED_NOTIFY, (FIXED, MUX))):
        for clock in clocks:
            assert client().call(CLOCK, message, clock, 1) == (NOT_SUPPORTED, [])
        assert client(hears=False).call(CLOCK, message, LIST, 1) == (NOT_SUPPORTED, [])


def test_3_6_2_12_and_13_bad_notify_enable():
    for message in (RATE_NOTIFY, RATE_CHANGE_REQUESTED_NOTIFY):
        assert client().call(CLOCK, message, LIST, 2) == (INVALID_PARAMETERS, [])


def test_3_6_2_12_and_13_unknown_clock():
    for message in (RATE_NOTIFY, RATE_CHANGE_REQUESTED_NOTIFY):
        assert client().call(CLOCK, message, NOBODY[0], 1) == (NOT_FOUND, [])


def test_3_6_2_14_possible_parents_are_ascending():
    assert client().ok(CLOCK, POSSIBLE_PARENTS, MUX, 0) == [2, FIXED, LIST]


def test_3_6_2_14_possible_parents_in_pieces():
    scmi = client()
    assert scmi.ok(CLOCK, POSSIBLE_PARENTS, MUX, 0, room=16) == [1 << 24 | 1, FIXED]
    assert scmi.ok(CLOCK, POSSIBLE_PARENTS, MUX, 1, room=16) == [1, LIST]


def test_3_6_2_14_skip_past_the_end():
    for skip in (2, 0xFFFFFFFF):
        assert client().call(CLOCK, POSSIBLE_PARENTS, MUX, skip) == (OUT_OF_RANGE, [])


def test_3_6_2_14_clock_without_parents():
    assert client().call(CLOCK, POSSIBLE_PARENTS, FIXED, 0) == (NOT_SUPPORTED, [])


def test_3_6_2_14_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, POSSIBLE_PARENTS, clock, 0) == (NOT_FOUND, [])


def test_3_6_2_15_parent_is_set():
    scmi = client()
    assert scmi.ok(CLOCK, PARENT_SET, MUX, FIXED) == []
    assert scmi.ok(CLOCK, PARENT_GET, MUX) == [FIXED]
    assert scmi.ok(CLOCK, RATE_GET, MUX) == [24_000_000, 0]


def test_3_6_2_15_clock_that_is_no_possible_parent():
    scmi = client()
    for parent in (MUX, RANGE, NOBODY[0], 0xFFFFFFFF):
        assert scmi.call(CLOCK, PARENT_SET, MUX, parent) == (INVALID_PARAMETERS, [])
    assert scmi.ok(CLOCK, PARENT_GET, MUX) == [LIST]


def test_3_6_2_15_clock_without_parents():
    assert client().call(CLOCK, PARENT_SET, FIXED, LIST) == (NOT_SUPPORTED, [])


def test_3_6_2_15_forbidden_clock():
    scmi = client()
    assert scmi.call(CLOCK, PARENT_SET, LOCKED, LIST) == (DENIED, [])
    assert scmi.ok(CLOCK, PARENT_GET, LOCKED) == [FIXED]


def test_3_6_2_15_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, PARENT_SET, clock, FIXED) == (NOT_FOUND, [])


def test_3_6_2_16_parent():
    assert client().ok(CLOCK, PARENT_GET, MUX) == [LIST]


def test_3_6_2_16_clock_without_parents():
    assert client().call(CLOCK, PARENT_GET, FIXED) == (NOT_SUPPORTED, [])


def test_3_6_2_16_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, PARENT_GET, clock) == (NOT_FOUND, [])


def test_3_6_2_17_permissions():
    scmi = client()
    for clock, bits in ((FIXED, 0xE0000000), (LOCKED, 0), (RUNNING_ONLY, 0x60000000)):
        assert scmi.ok(CLOCK, GET_PERMISSIONS, clock) == [bits]


def test_3_6_2_17_unknown_clock():
    for clock in NOBODY:
        assert client().call(CLOCK, GET_PERMISSIONS, clock) == (NOT_FOUND, [])
