# SPDX-License-Identifier: MIT
"""Voltage domain protocol 2.1, one test per message and status. Source: DEN0056F, 3.9.2."""

from scmi.platform import Platform, Voltage
from scmi.status import (
    DENIED,
    GENERIC_ERROR,
    INVALID_PARAMETERS,
    NOT_FOUND,
    NOT_SUPPORTED,
    OUT_OF_RANGE,
    PROTOCOL_ERROR,
)
from scmi_client import Client, Time, delayed, signed, text
from scmi_example import (
    ALWAYS,
    BASE,
    BELOW_ZERO,
    LEVELS,
    LONG_VOLTAGE,
    LONG_VOLTAGE_NAME,
    RAIL,
    SEALED,
    SOC,
    SOLID,
    STEPS,
    TRUSTED,
    VOLTAGE,
    client,
    guest_of,
)

ATTRIBUTES, DOMAIN_ATTRIBUTES, DESCRIBE_LEVELS, CONFIG_SET, CONFIG_GET = 0x1, 0x3, 0x4, 0x5, 0x6
LEVEL_SET, LEVEL_GET, NAME_GET = 0x7, 0x8, 0x9

NOBODY = (7, 0x10000, 0xFFFFFFFF)
OFF, ON, ASYNC = 0, 7, 1


class Board:
    """A supply of a board, which notes how it is driven."""

    def __init__(self, broken=False):
        self.done = []
        self.broken = broken
        supply = Voltage("supply", 1_000_000, levels=(1_000_000, 1_200_000), drive=self.drive)
        self.supply = supply
        self.client = Client(Platform(voltages=[supply]).agents[0])

    def drive(self, level, enabled):
        if self.broken:
            raise OSError("overload")
        self.done.append((level, enabled))


def test_3_9_2_3_attributes_count_domains():
    assert client().ok(VOLTAGE, ATTRIBUTES) == [7]


def test_3_9_2_5_attributes():
    scmi = client()
    for domain, bits, name in ((RAIL, 0, "rail"), (LONG_VOLTAGE, 1 << 30, LONG_VOLTAGE_NAME[:15])):
        payload = scmi.ok(VOLTAGE, DOMAIN_ATTRIBUTES, domain)
        assert payload[0] == bits and text(payload[1:]) == name


def test_3_9_2_5_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, DOMAIN_ATTRIBUTES, domain) == (NOT_FOUND, [])


def test_3_9_2_6_fixed_domain_has_one_level():
    assert client().ok(VOLTAGE, DESCRIBE_LEVELS, SOLID, 0) == [1, 1_800_000]


def test_3_9_2_6_levels_below_zero_are_ascending():
    payload = client().ok(VOLTAGE, DESCRIBE_LEVELS, BELOW_ZERO, 0)
    assert payload[0] == 2 and [signed(word) for word in payload[1:]] == [-5_000_000, -3_300_000]


def test_3_9_2_6_list_in_pieces():
    scmi = client()
    found = []
    while len(found) < len(LEVELS):
        payload = scmi.ok(VOLTAGE, DESCRIBE_LEVELS, STEPS, len(found))
        count, left = payload[0] & 0xFFF, payload[0] >> 16
        assert payload[0] & 0xF000 == 0 and count == min(31, len(LEVELS) - len(found))
        assert left == len(LEVELS) - len(found) - count
        found += payload[1:]
    assert found == LEVELS


def test_3_9_2_6_range_comes_in_one_piece():
    assert client().ok(VOLTAGE, DESCRIBE_LEVELS, RAIL, 0) == [1 << 12 | 3, 600_000, 1_200_050, 12_500]


def test_3_9_2_6_index_past_the_end():
    scmi = client()
    for domain, index in ((SOLID, 1), (STEPS, len(LEVELS)), (STEPS, 0xFFFFFFFF), (RAIL, 1), (RAIL, 3)):
        assert scmi.call(VOLTAGE, DESCRIBE_LEVELS, domain, index) == (OUT_OF_RANGE, [])


def test_3_9_2_6_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, DESCRIBE_LEVELS, domain, 0) == (NOT_FOUND, [])


def test_3_9_2_6_no_room_for_one_level_or_for_the_range():
    scmi = client()
    assert scmi.ok(VOLTAGE, DESCRIBE_LEVELS, STEPS, 0, room=16)[0] == 39 << 16 | 1
    assert scmi.call(VOLTAGE, DESCRIBE_LEVELS, STEPS, 0, room=12) == (PROTOCOL_ERROR, [])
    assert scmi.call(VOLTAGE, DESCRIBE_LEVELS, RAIL, 0, room=20) == (PROTOCOL_ERROR, [])


def test_3_9_2_7_domain_is_switched():
    board = Board()
    for mode, enabled in ((OFF, False), (ON, True)):
        assert board.client.ok(VOLTAGE, CONFIG_SET, 0, mode) == []
        assert board.client.ok(VOLTAGE, CONFIG_GET, 0) == [mode]
        assert board.supply.enabled == enabled
    assert board.done == [(1_000_000, False), (1_000_000, True)]


def test_3_9_2_7_unsupported_mode_or_reserved_bits():
    scmi = client()
    for config in (1, 6, 8, 0xF, 0x10, 0x17, 0x80000007):
        assert scmi.call(VOLTAGE, CONFIG_SET, RAIL, config) == (INVALID_PARAMETERS, [])
    assert scmi.ok(VOLTAGE, CONFIG_GET, RAIL) == [ON]


def test_3_9_2_7_domain_that_is_always_on():
    scmi = client()
    assert scmi.ok(VOLTAGE, CONFIG_SET, ALWAYS, ON) == []
    assert scmi.call(VOLTAGE, CONFIG_SET, ALWAYS, OFF) == (DENIED, [])
    assert scmi.ok(VOLTAGE, CONFIG_GET, ALWAYS) == [ON]


def test_3_9_2_7_forbidden_domain():
    scmi = client()
    for mode in (OFF, ON):
        assert scmi.call(VOLTAGE, CONFIG_SET, SEALED, mode) == (DENIED, [])
    assert scmi.ok(VOLTAGE, CONFIG_GET, SEALED) == [ON]


def test_3_9_2_7_domain_that_fails():
    board = Board(broken=True)
    assert board.client.call(VOLTAGE, CONFIG_SET, 0, OFF) == (GENERIC_ERROR, [])
    assert board.client.ok(VOLTAGE, CONFIG_GET, 0) == [ON]


def test_3_9_2_7_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, CONFIG_SET, domain, ON) == (NOT_FOUND, [])


def test_3_9_2_8_config():
    scmi = client()
    for domain, mode in ((RAIL, ON), (LONG_VOLTAGE, OFF)):
        assert scmi.ok(VOLTAGE, CONFIG_GET, domain) == [mode]


def test_3_9_2_8_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, CONFIG_GET, domain) == (NOT_FOUND, [])


def test_3_9_2_9_level_is_set():
    scmi = client()
    for domain, level in ((STEPS, LEVELS[39]), (RAIL, 600_000), (RAIL, 1_200_000), (BELOW_ZERO, -3_300_000)):
        assert scmi.ok(VOLTAGE, LEVEL_SET, domain, 0, level) == []
        assert signed(scmi.ok(VOLTAGE, LEVEL_GET, domain)[0]) == level


def test_3_9_2_9_level_is_driven():
    board = Board()
    board.client.ok(VOLTAGE, LEVEL_SET, 0, 0, 1_200_000)
    assert board.done == [(1_200_000, True)]


def test_3_9_2_9_unsupported_level():
    scmi = client()
    for domain, level in (
        (STEPS, LEVELS[0] + 1),
        (STEPS, LEVELS[39] + 100_000),
        (RAIL, 599_999),
        (RAIL, 587_500),
        (RAIL, 600_001),
        (RAIL, 1_200_050),
        (RAIL, 1_212_500),
        (RAIL, -600_000),
        (BELOW_ZERO, 5_000_000),
    ):
        assert scmi.call(VOLTAGE, LEVEL_SET, domain, 0, level) == (INVALID_PARAMETERS, [])
    assert scmi.ok(VOLTAGE, LEVEL_GET, RAIL) == [850_000]


def test_3_9_2_9_reserved_flags():
    for flags in (2, 3, 0x80000000):
        assert client().call(VOLTAGE, LEVEL_SET, STEPS, flags, LEVELS[1]) == (INVALID_PARAMETERS, [])


def test_3_9_3_1_asynchronous_change_is_answered_when_it_is_done():
    soc = Platform(voltages=[Voltage("slow", 1_000, levels=(1_000, 2_000), delay=5)])
    for hears in (False, True):
        scmi = Client(soc.agents[0])
        time = Time(soc)
        scmi.hear(hears)
        assert bool(scmi.ok(VOLTAGE, DOMAIN_ATTRIBUTES, 0)[0] & 1 << 31) == hears
        expected = (0, []) if hears else (NOT_SUPPORTED, [])
        assert scmi.call(VOLTAGE, LEVEL_SET, 0, ASYNC, 2_000) == expected
    assert scmi.call(VOLTAGE, LEVEL_SET, 0, ASYNC, 1_500) == (INVALID_PARAMETERS, []), "at once"
    token = scmi.token - 1
    assert soc.voltages[0].level == 1_000
    time.advance(5)
    assert scmi.events() == [(delayed(VOLTAGE, LEVEL_SET, token), [0, 0, 2_000])] and soc.voltages[0].level == 2_000


def test_3_9_2_9_asynchronous_change_is_not_supported():
    scmi = client()
    assert scmi.call(VOLTAGE, LEVEL_SET, STEPS, ASYNC, LEVELS[1]) == (NOT_SUPPORTED, [])
    assert scmi.ok(VOLTAGE, LEVEL_GET, STEPS) == [LEVELS[0]]


def test_3_9_2_9_domain_with_a_fixed_level():
    assert client().call(VOLTAGE, LEVEL_SET, SOLID, 0, 1_800_000) == (NOT_SUPPORTED, [])


def test_3_9_2_9_forbidden_domain():
    scmi = client()
    assert scmi.call(VOLTAGE, LEVEL_SET, SEALED, 0, 1_100_000) == (DENIED, [])
    assert scmi.ok(VOLTAGE, LEVEL_GET, SEALED) == [1_000_000]


def test_3_9_2_9_domain_of_a_revoked_device():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(BASE, 0x9, guest.backend.id, SOC, 0)
    assert guest.call(VOLTAGE, LEVEL_SET, STEPS, 0, LEVELS[1]) == (DENIED, [])
    assert scmi.ok(VOLTAGE, LEVEL_GET, STEPS) == [LEVELS[0]]


def test_3_9_2_9_domain_that_fails():
    board = Board(broken=True)
    assert board.client.call(VOLTAGE, LEVEL_SET, 0, 0, 1_200_000) == (GENERIC_ERROR, [])
    assert board.client.ok(VOLTAGE, LEVEL_GET, 0) == [1_000_000]


def test_3_9_2_9_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, LEVEL_SET, domain, 0, 1) == (NOT_FOUND, [])


def test_3_9_2_10_level():
    scmi = client()
    for domain, level in ((RAIL, 850_000), (SOLID, 1_800_000), (BELOW_ZERO, -5_000_000)):
        assert signed(scmi.ok(VOLTAGE, LEVEL_GET, domain)[0]) == level


def test_3_9_2_10_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, LEVEL_GET, domain) == (NOT_FOUND, [])


def test_3_9_2_11_name():
    scmi = client()
    for domain, name in ((RAIL, "rail"), (LONG_VOLTAGE, LONG_VOLTAGE_NAME)):
        payload = scmi.ok(VOLTAGE, NAME_GET, domain)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_9_2_11_unknown_domain():
    for domain in NOBODY:
        assert client().call(VOLTAGE, NAME_GET, domain) == (NOT_FOUND, [])


def test_3_2_2_13_reset_of_an_agent_gives_level_and_state_back():
    scmi = client()
    scmi.ok(VOLTAGE, LEVEL_SET, STEPS, 0, LEVELS[5])
    scmi.ok(VOLTAGE, CONFIG_SET, STEPS, OFF)
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    assert scmi.ok(VOLTAGE, LEVEL_GET, STEPS) == [LEVELS[0]]
    assert scmi.ok(VOLTAGE, CONFIG_GET, STEPS) == [ON]


def test_a_message_that_comes_in_between_at_the_prompt_is_not_undone():
    done, messages = [], [(VOLTAGE, CONFIG_SET, 0, 0)]

    def drive(level, enabled):
        if messages:
            scmi.ok(*messages.pop())
        done.append((level, enabled))

    platform = Platform(voltages=[Voltage("v", 1, levels=(1, 2), drive=drive)])
    scmi = Client(platform.agents[0])
    platform.voltages[0].level = 2
    assert (platform.voltages[0].level, platform.voltages[0].enabled) == (2, False) == done[-1]
