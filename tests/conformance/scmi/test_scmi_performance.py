# SPDX-License-Identifier: MIT
"""Performance protocol 4.0, one test per message and status. Source: DEN0056F, 3.5.6 and 3.5.8."""

from scmi.platform import Performance, Platform
from scmi.status import (
    DENIED,
    GENERIC_ERROR,
    INVALID_PARAMETERS,
    NOT_FOUND,
    NOT_SUPPORTED,
    OUT_OF_RANGE,
    PROTOCOL_ERROR,
)
from scmi_client import Client, notification, text
from scmi_example import (
    BASE,
    CPU,
    CPU_LEVELS,
    GUEST,
    INDEXED,
    INDEXED_LEVELS,
    LONG_PERFORMANCE,
    LONG_PERFORMANCE_NAME,
    MANY,
    MANY_LEVELS,
    PERFORMANCE,
    RIGID,
    SOC,
    TRUSTED,
    client,
    guest_of,
)

ATTRIBUTES, MESSAGE_ATTRIBUTES, DOMAIN_ATTRIBUTES, DESCRIBE_LEVELS, LIMITS_SET, LIMITS_GET = (
    0x1,
    0x2,
    0x3,
    0x4,
    0x5,
    0x6,
)
LEVEL_SET, LEVEL_GET, NOTIFY_LIMITS, NOTIFY_LEVEL, DESCRIBE_FASTCHANNEL, NAME_GET = 0x7, 0x8, 0x9, 0xA, 0xB, 0xC

LIMITS_CHANGED, LEVEL_CHANGED = notification(PERFORMANCE, 0), notification(PERFORMANCE, 1)
NOBODY = (5, 0x10000, 0xFFFFFFFF)


class Board:
    """A domain that notes how its level changes."""

    def __init__(self):
        self.done = []
        self.broken = False
        self.domain = Performance("cpu", (100, 200, 300), level=200, change=self.change)
        self.client = Client(Platform(performance=[self.domain]).agents[0])

    def change(self, domain, level):
        assert domain is self.domain
        if self.broken:
            raise OSError("no lock")
        self.done.append((domain.level, level))


def test_3_5_6_3_attributes_count_domains_in_milliwatts_without_statistics():
    assert client().ok(PERFORMANCE, ATTRIBUTES) == [1 << 16 | 5, 0, 0, 0]


def test_3_5_6_3_unit_of_power():
    for unit, bits in (("milliwatt", 1 << 16), ("microwatt", 1 << 17), (None, 0)):
        soc = Platform(performance=[Performance("cpu", (1,), power_unit=unit)])
        assert Client(soc.agents[0]).ok(PERFORMANCE, ATTRIBUTES) == [bits | 1, 0, 0, 0]


def test_3_5_6_4_no_message_has_a_fast_channel():
    scmi = client()
    for message in range(0xD):
        assert scmi.ok(PERFORMANCE, MESSAGE_ATTRIBUTES, message) == [0]
    assert scmi.call(PERFORMANCE, MESSAGE_ATTRIBUTES, 0xD) == (NOT_FOUND, [])


def test_3_5_6_4_frontend_that_takes_no_events_has_no_subscriptions():
    scmi = client(hears=False)
    for message in (NOTIFY_LIMITS, NOTIFY_LEVEL):
        assert scmi.call(PERFORMANCE, MESSAGE_ATTRIBUTES, message) == (NOT_FOUND, [])
        assert scmi.call(PERFORMANCE, message, CPU, 1) == (NOT_SUPPORTED, [])


def test_3_5_6_5_attributes():
    scmi = client()
    for domain, bits, rest, name in (
        (CPU, 0xF << 28, [1000, 1_200_000, 1200], "cpu"),
        (INDEXED, 0xF << 28 | 1 << 25, [0, 800_000, 60], "indexed"),
        (RIGID, 0x3 << 28, [0, 0, 7], "rigid"),
        (LONG_PERFORMANCE, 0xF << 28 | 1 << 26, [0, 1, 1], LONG_PERFORMANCE_NAME[:15]),
    ):
        payload = scmi.ok(PERFORMANCE, DOMAIN_ATTRIBUTES, domain)
        assert payload[:4] == [bits] + rest and text(payload[4:]) == name


def test_3_5_6_5_frontend_that_takes_no_events():
    assert client(hears=False).ok(PERFORMANCE, DOMAIN_ATTRIBUTES, CPU)[0] == 0x3 << 30


def test_3_5_6_8_levels_with_power_latency_and_frequency():
    expected = [len(CPU_LEVELS)] + [word for entry in CPU_LEVELS for word in entry + (0,)]
    assert client().ok(PERFORMANCE, DESCRIBE_LEVELS, CPU, 0) == expected


def test_3_5_6_8_levels_with_indices():
    expected = [word for index, entry in enumerate(INDEXED_LEVELS) for word in entry + (index + 1,)]
    assert client().ok(PERFORMANCE, DESCRIBE_LEVELS, INDEXED, 0) == [len(INDEXED_LEVELS)] + expected


def test_3_5_6_8_levels_in_pieces():
    scmi = client()
    found = []
    while len(found) < len(MANY_LEVELS):
        payload = scmi.ok(PERFORMANCE, DESCRIBE_LEVELS, MANY, len(found))
        count, left = payload[0] & 0xFFF, payload[0] >> 16
        assert payload[0] & 0xF000 == 0 and count == min(6, len(MANY_LEVELS) - len(found))
        assert left == len(MANY_LEVELS) - len(found) - count
        found += payload[1::5]
    assert found == MANY_LEVELS


def test_3_5_6_8_frequencies_follow_from_the_sustained_one():
    assert client().ok(PERFORMANCE, DESCRIBE_LEVELS, MANY, 2)[1:6] == [300, 0, 0, 300_000, 0]
    assert client().ok(PERFORMANCE, DESCRIBE_LEVELS, RIGID, 0) == [2, 5, 0, 0, 0, 0, 7, 0, 0, 0, 0]


def test_3_5_6_8_index_past_the_end():
    scmi = client()
    for domain, index in ((CPU, 4), (MANY, 32), (MANY, 0xFFFFFFFF), (RIGID, 2)):
        assert scmi.call(PERFORMANCE, DESCRIBE_LEVELS, domain, index) == (INVALID_PARAMETERS, [])


def test_3_5_6_8_no_room_for_one_level():
    scmi = client()
    assert scmi.ok(PERFORMANCE, DESCRIBE_LEVELS, CPU, 0, room=32)[0] == 3 << 16 | 1
    assert scmi.call(PERFORMANCE, DESCRIBE_LEVELS, CPU, 0, room=28) == (PROTOCOL_ERROR, [])


def test_3_5_6_9_limits_are_set():
    scmi = client()
    for highest, lowest in ((1600, 400), (1200, 800), (800, 800), (1599, 799)):
        assert scmi.ok(PERFORMANCE, LIMITS_SET, CPU, highest, lowest) == []
        assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [highest, lowest]


def test_3_5_6_9_limit_of_zero_stays():
    scmi = client()
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 0)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1200, 400]
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 0, 800)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1200, 800]
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 0)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1600, 800]


def test_3_5_6_9_limits_outside_the_levels():
    scmi = client()
    for highest, lowest in ((0, 0), (1601, 400), (1600, 399), (399, 0), (0, 1601), (0xFFFFFFFF, 400), (1100, 900)):
        assert scmi.call(PERFORMANCE, LIMITS_SET, CPU, highest, lowest) == (OUT_OF_RANGE, [])
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1600, 400]


def test_3_5_6_9_lowest_above_highest():
    scmi = client()
    assert scmi.call(PERFORMANCE, LIMITS_SET, CPU, 800, 1200) == (INVALID_PARAMETERS, [])
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 800, 0)
    assert scmi.call(PERFORMANCE, LIMITS_SET, CPU, 0, 1200) == (INVALID_PARAMETERS, [])
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [800, 400]


def test_3_5_6_9_limits_by_index():
    scmi = client()
    scmi.ok(PERFORMANCE, LIMITS_SET, INDEXED, 2, 1)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, INDEXED) == [2, 1]
    assert scmi.platform.performance["indexed"].limits == (10, 35)
    scmi.ok(PERFORMANCE, LIMITS_SET, INDEXED, 0, 2)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, INDEXED) == [2, 2]
    for highest, lowest in ((4, 1), (0, 4), (35, 10)):
        assert scmi.call(PERFORMANCE, LIMITS_SET, INDEXED, highest, lowest) == (OUT_OF_RANGE, [])
    assert scmi.call(PERFORMANCE, LIMITS_SET, INDEXED, 1, 3) == (INVALID_PARAMETERS, [])


def test_3_5_6_9_limits_move_the_level_and_give_it_back():
    board = Board()
    board.client.ok(PERFORMANCE, LIMITS_SET, 0, 100, 100)
    assert board.client.ok(PERFORMANCE, LEVEL_GET, 0) == [100]
    board.client.ok(PERFORMANCE, LIMITS_SET, 0, 300, 0)
    assert board.client.ok(PERFORMANCE, LEVEL_GET, 0) == [200]
    assert board.done == [(200, 100), (100, 200)]


def test_3_5_6_9_limits_of_two_agents_count_together():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 400)
    guest.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 800)
    for reader in (scmi, guest):
        assert reader.ok(PERFORMANCE, LIMITS_GET, CPU) == [1200, 800]
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 400, 400)
    assert guest.ok(PERFORMANCE, LIMITS_GET, CPU) == [400, 400]
    assert guest.ok(PERFORMANCE, LEVEL_GET, CPU) == [400]
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 400)
    assert guest.ok(PERFORMANCE, LIMITS_GET, CPU) == [1600, 800]


def test_3_5_6_9_of_two_agents_with_no_level_in_between_the_one_with_the_maximum_has_its_way():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 799, 400)
    guest.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 401)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [799, 401]
    assert scmi.ok(PERFORMANCE, LEVEL_GET, CPU) == [400]
    assert guest.ok(PERFORMANCE, LEVEL_SET, CPU, 400) == []


def test_3_5_6_9_limits_of_the_platform_count_too():
    scmi = client()
    assert scmi.ok(PERFORMANCE, LIMITS_GET, MANY) == [3000, 300]
    scmi.ok(PERFORMANCE, LIMITS_SET, MANY, 3200, 100)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, MANY) == [3000, 300]


def test_3_5_6_9_forbidden_domain():
    scmi = client()
    assert scmi.call(PERFORMANCE, LIMITS_SET, RIGID, 5, 5) == (DENIED, [])
    assert scmi.ok(PERFORMANCE, LIMITS_GET, RIGID) == [7, 5]


def test_3_5_6_9_domain_that_fails():
    board = Board()
    board.broken = True
    assert board.client.call(PERFORMANCE, LIMITS_SET, 0, 100, 100) == (GENERIC_ERROR, [])
    assert board.client.ok(PERFORMANCE, LIMITS_GET, 0) == [300, 100]
    assert board.client.ok(PERFORMANCE, LEVEL_GET, 0) == [200]


def test_3_5_6_10_limits():
    scmi = client()
    for domain, limits in ((CPU, [1600, 400]), (INDEXED, [3, 1]), (MANY, [3000, 300]), (RIGID, [7, 5])):
        assert scmi.ok(PERFORMANCE, LIMITS_GET, domain) == limits


def test_3_5_6_11_level_is_set():
    scmi = client()
    for level in (400, 1600, 800, 800):
        assert scmi.ok(PERFORMANCE, LEVEL_SET, CPU, level) == []
        assert scmi.ok(PERFORMANCE, LEVEL_GET, CPU) == [level]


def test_3_5_6_11_level_is_set_by_index():
    scmi = client()
    for index, level in ((1, 10), (3, 60), (2, 35)):
        assert scmi.ok(PERFORMANCE, LEVEL_SET, INDEXED, index) == []
        assert scmi.ok(PERFORMANCE, LEVEL_GET, INDEXED) == [index]
        assert scmi.platform.performance["indexed"].level == level
    for index in (0, 4, 10, 35, 0xFFFFFFFF):
        assert scmi.call(PERFORMANCE, LEVEL_SET, INDEXED, index) == (OUT_OF_RANGE, [])


def test_3_5_6_11_change_is_told_to_the_platform_once():
    board = Board()
    for level in (300, 300, 100):
        board.client.ok(PERFORMANCE, LEVEL_SET, 0, level)
    assert board.done == [(200, 300), (300, 100)]


def test_3_5_6_11_level_outside_the_limits_or_not_described():
    scmi = client()
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 800)
    for level in (400, 1600, 0, 900, 0xFFFFFFFF):
        assert scmi.call(PERFORMANCE, LEVEL_SET, CPU, level) == (OUT_OF_RANGE, [])
    assert scmi.ok(PERFORMANCE, LEVEL_GET, CPU) == [800]


def test_3_5_6_11_forbidden_domain():
    scmi = client()
    assert scmi.call(PERFORMANCE, LEVEL_SET, RIGID, 7) == (DENIED, [])
    assert scmi.ok(PERFORMANCE, LEVEL_GET, RIGID) == [5]


def test_3_5_6_11_domain_of_a_revoked_device():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(BASE, 0x9, GUEST, SOC, 0)
    assert guest.call(PERFORMANCE, LEVEL_SET, CPU, 400) == (DENIED, [])
    assert scmi.ok(PERFORMANCE, LEVEL_GET, CPU) == [800]


def test_3_5_6_11_domain_that_fails():
    board = Board()
    board.broken = True
    assert board.client.call(PERFORMANCE, LEVEL_SET, 0, 300) == (GENERIC_ERROR, [])
    assert board.client.ok(PERFORMANCE, LEVEL_GET, 0) == [200]


def test_3_5_6_12_level():
    scmi = client()
    for domain, level in ((CPU, 800), (INDEXED, 2), (MANY, 3000), (RIGID, 5)):
        assert scmi.ok(PERFORMANCE, LEVEL_GET, domain) == [level]


def test_3_5_6_18_fast_channels_are_not_supported():
    for message in (LIMITS_SET, LIMITS_GET, LEVEL_SET, LEVEL_GET, 0):
        assert client().call(PERFORMANCE, DESCRIBE_FASTCHANNEL, CPU, message) == (NOT_SUPPORTED, [])


def test_3_5_6_19_name():
    scmi = client()
    for domain, name in ((CPU, "cpu"), (LONG_PERFORMANCE, LONG_PERFORMANCE_NAME)):
        payload = scmi.ok(PERFORMANCE, NAME_GET, domain)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_unknown_domain():
    scmi = client()
    for message, words in (
        (DOMAIN_ATTRIBUTES, ()),
        (DESCRIBE_LEVELS, (0,)),
        (LIMITS_SET, (1, 1)),
        (LIMITS_GET, ()),
        (LEVEL_SET, (1,)),
        (LEVEL_GET, ()),
        (NOTIFY_LIMITS, (1,)),
        (NOTIFY_LEVEL, (1,)),
        (DESCRIBE_FASTCHANNEL, (LEVEL_SET,)),
        (NAME_GET, ()),
    ):
        for domain in NOBODY:
            assert scmi.call(PERFORMANCE, message, domain, *words) == (NOT_FOUND, [])


def test_request_of_a_wrong_size():
    scmi = client()
    for message, words in ((LIMITS_SET, 3), (LEVEL_SET, 2), (LEVEL_GET, 1), (NOTIFY_LEVEL, 2)):
        for length in (4 * words, 4 * words + 3, 4 * words + 8):
            request = [CPU, 800, 800][:words]
            assert scmi.call(PERFORMANCE, message, *request, length=length) == (PROTOCOL_ERROR, [])


def test_3_2_2_13_reset_of_an_agent_gives_its_limits_and_level_back():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 400)
    guest.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 800)
    guest.ok(PERFORMANCE, LEVEL_SET, CPU, 1200)
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1600, 800]
    assert scmi.ok(PERFORMANCE, LEVEL_GET, CPU) == [1200]
    scmi.ok(BASE, 0xB, GUEST, 0)
    assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1600, 400]
    assert scmi.ok(PERFORMANCE, LEVEL_GET, CPU) == [800]
