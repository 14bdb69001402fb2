# SPDX-License-Identifier: MIT
"""Performance protocol: notifications (DEN0056F, 3.5.6.16, 3.5.6.17, 3.5.8), and what 3.0, 2.0 and 1.0 do not have."""

from scmi.platform import Performance, Platform
from scmi.status import INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, OUT_OF_RANGE
from scmi_client import Client, notification, text
from scmi_example import (
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
    TRUSTED,
    client,
    guest_of,
)

VERSION, ATTRIBUTES, MESSAGE_ATTRIBUTES, DOMAIN_ATTRIBUTES, DESCRIBE_LEVELS, LIMITS_SET = 0x0, 0x1, 0x2, 0x3, 0x4, 0x5
LIMITS_GET, LEVEL_SET, LEVEL_GET, NOTIFY_LIMITS, NOTIFY_LEVEL, DESCRIBE_FASTCHANNEL = 0x6, 0x7, 0x8, 0x9, 0xA, 0xB
NAME_GET, NEGOTIATE = 0xC, 0x10

LIMITS_CHANGED, LEVEL_CHANGED = notification(PERFORMANCE, 0), notification(PERFORMANCE, 1)
V1, V2, V3, V4 = 0x10000, 0x20000, 0x30000, 0x40000


def pinned(version):
    """A client of a platform that offers at most `version` of the protocol."""
    return client(versions={"performance": version})


def test_3_5_6_16_limits_are_told_to_those_who_asked():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PERFORMANCE, NOTIFY_LIMITS, CPU, 1)
    guest.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 800)
    assert scmi.events() == [(LIMITS_CHANGED, [GUEST, CPU, 1200, 800])] and guest.events() == []
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 800, 0)
    assert scmi.events() == [(LIMITS_CHANGED, [TRUSTED, CPU, 800, 800])]
    scmi.ok(PERFORMANCE, NOTIFY_LIMITS, CPU, 0)
    guest.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 400)
    assert scmi.events() == []


def test_3_5_6_16_limits_that_change_nothing_are_not_told():
    scmi = client()
    scmi.ok(PERFORMANCE, NOTIFY_LIMITS, CPU, 1)
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1600, 400)
    assert scmi.events() == []


def test_3_5_6_17_level_is_told_to_those_who_asked():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PERFORMANCE, NOTIFY_LEVEL, CPU, 1)
    guest.ok(PERFORMANCE, LEVEL_SET, CPU, 400)
    guest.ok(PERFORMANCE, LEVEL_SET, MANY, 400)
    assert scmi.events() == [(LEVEL_CHANGED, [GUEST, CPU, 400])] and guest.events() == []
    scmi.platform.performance["cpu"].level = 1600
    assert scmi.events() == [(LEVEL_CHANGED, [0, CPU, 1600])]


def test_3_5_6_17_level_that_stays_is_not_told():
    scmi = client()
    scmi.ok(PERFORMANCE, NOTIFY_LEVEL, CPU, 1)
    scmi.ok(PERFORMANCE, LEVEL_SET, CPU, 800)
    assert scmi.events() == []


def test_3_5_6_16_and_17_reserved_bits():
    for message in (NOTIFY_LIMITS, NOTIFY_LEVEL):
        for flags in (2, 3, 0x80000000):
            assert client().call(PERFORMANCE, message, CPU, flags) == (INVALID_PARAMETERS, [])


def test_3_5_8_limits_that_move_the_level_tell_of_both():
    scmi = client()
    for message in (NOTIFY_LIMITS, NOTIFY_LEVEL):
        scmi.ok(PERFORMANCE, message, CPU, 1)
    scmi.platform.performance["cpu"].limits = (1200, 1600)
    assert scmi.events() == [(LIMITS_CHANGED, [0, CPU, 1600, 1200]), (LEVEL_CHANGED, [0, CPU, 1200])]


def test_3_5_8_only_the_latest_level_waits():
    scmi = client()
    scmi.ok(PERFORMANCE, NOTIFY_LEVEL, CPU, 1)
    for level in (400, 1200, 1600):
        scmi.ok(PERFORMANCE, LEVEL_SET, CPU, level)
    assert scmi.events() == [(LEVEL_CHANGED, [TRUSTED, CPU, 1600])]


def test_3_5_8_each_agent_is_told_in_the_form_of_its_version():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(PERFORMANCE, NEGOTIATE, V3)
    for agent in (scmi, guest):
        for message in (NOTIFY_LIMITS, NOTIFY_LEVEL):
            agent.ok(PERFORMANCE, message, INDEXED, 1)
    scmi.ok(PERFORMANCE, LEVEL_SET, INDEXED, 3)
    scmi.ok(PERFORMANCE, LIMITS_SET, INDEXED, 3, 3)
    assert scmi.events() == [(LEVEL_CHANGED, [TRUSTED, INDEXED, 3]), (LIMITS_CHANGED, [TRUSTED, INDEXED, 3, 3])]
    assert guest.events() == [(LEVEL_CHANGED, [TRUSTED, INDEXED, 60]), (LIMITS_CHANGED, [TRUSTED, INDEXED, 60, 60])]


def test_versions_are_offered_and_negotiated():
    for version in (V4, V3, V2, V1):
        assert pinned(version).ok(PERFORMANCE, VERSION) == [version]
        scmi = client()
        scmi.ok(PERFORMANCE, NEGOTIATE, version)
        assert scmi.ok(PERFORMANCE, VERSION) == [version]
    assert client().call(PERFORMANCE, NEGOTIATE, 0x20001) == (NOT_SUPPORTED, [])


def test_messages_of_each_version():
    for version, absent in ((V3, (NEGOTIATE,)), (V2, (NAME_GET, NEGOTIATE)), (V1, (DESCRIBE_FASTCHANNEL, NAME_GET))):
        scmi = pinned(version)
        for message, words in ((NAME_GET, (CPU,)), (DESCRIBE_FASTCHANNEL, (CPU, LEVEL_SET)), (NEGOTIATE, (V1,))):
            if message in absent:
                assert scmi.call(PERFORMANCE, message, *words) == (NOT_FOUND, [])
                assert scmi.call(PERFORMANCE, MESSAGE_ATTRIBUTES, message) == (NOT_FOUND, [])


def test_microwatts_are_known_since_3_0():
    for version, bits in ((V4, 1 << 17), (V3, 1 << 17), (V2, 0), (V1, 0)):
        domain = Performance("cpu", (1,), power_unit="microwatt")
        soc = Platform(performance=[domain], versions={"performance": version})
        assert Client(soc.agents[0]).ok(PERFORMANCE, ATTRIBUTES)[0] == bits | 1
    assert pinned(V2).ok(PERFORMANCE, ATTRIBUTES)[0] == 1 << 16 | 5


def test_attributes_of_each_version():
    for version, long_name in ((V3, 1 << 26), (V2, 0), (V1, 0)):
        payload = pinned(version).ok(PERFORMANCE, DOMAIN_ATTRIBUTES, LONG_PERFORMANCE)
        assert payload[0] == 0xF << 28 | long_name and text(payload[4:]) == LONG_PERFORMANCE_NAME[:15]
        assert pinned(version).ok(PERFORMANCE, DOMAIN_ATTRIBUTES, INDEXED)[0] == 0xF << 28


def test_levels_before_4_0_have_three_words():
    for version in (V3, V2, V1):
        scmi = pinned(version)
        for domain, levels in ((CPU, CPU_LEVELS), (INDEXED, INDEXED_LEVELS)):
            expected = [word for entry in levels for word in entry[:3]]
            assert scmi.ok(PERFORMANCE, DESCRIBE_LEVELS, domain, 0) == [len(levels)] + expected
        payload = scmi.ok(PERFORMANCE, DESCRIBE_LEVELS, MANY, 0)
        assert payload[0] == 22 << 16 | 10 and payload[1::3] == MANY_LEVELS[:10]
        assert scmi.call(PERFORMANCE, DESCRIBE_LEVELS, CPU, 4) == (INVALID_PARAMETERS, [])


def test_levels_before_4_0_have_no_index():
    for version in (V3, V2, V1):
        scmi = pinned(version)
        assert scmi.call(PERFORMANCE, LEVEL_SET, INDEXED, 3) == (OUT_OF_RANGE, [])
        scmi.ok(PERFORMANCE, LEVEL_SET, INDEXED, 60)
        assert scmi.ok(PERFORMANCE, LEVEL_GET, INDEXED) == [60]
        scmi.ok(PERFORMANCE, LIMITS_SET, INDEXED, 60, 35)
        assert scmi.ok(PERFORMANCE, LIMITS_GET, INDEXED) == [60, 35]


def test_limit_of_zero_is_a_limit_before_3_0():
    scmi = pinned(V3)
    scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 0)
    assert scmi.call(PERFORMANCE, LIMITS_SET, CPU, 0, 0) == (OUT_OF_RANGE, [])
    for version in (V2, V1):
        scmi = pinned(version)
        for limits in ((1200, 0), (0, 400), (0, 0)):
            assert scmi.call(PERFORMANCE, LIMITS_SET, CPU, *limits) == (OUT_OF_RANGE, [])
        assert scmi.call(PERFORMANCE, LIMITS_SET, CPU, 800, 1200) == (INVALID_PARAMETERS, [])
        scmi.ok(PERFORMANCE, LIMITS_SET, CPU, 1200, 800)
        assert scmi.ok(PERFORMANCE, LIMITS_GET, CPU) == [1200, 800]
