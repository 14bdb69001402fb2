# SPDX-License-Identifier: MIT
"""Older versions of the protocols, pinned by the description or negotiated by the agent. Source: DEN0056F, the revision
histories of 3.2 to 3.9 and 3.2.2.2.

`SERVED` says again, apart from the firmware's tables, which messages each version has.
"""

from scmi.status import DENIED, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from scmi_client import notification, text
from scmi_example import (
    BASE,
    CLOCK,
    LEVELS,
    LOCKED,
    LONG_CLOCK,
    LONG_DOMAIN,
    LONG_RESET,
    LONG_VOLTAGE,
    POWER,
    POWERCAP,
    RESET,
    SENSOR,
    SETTINGS,
    SHUTDOWN,
    STEPS,
    SYSTEM,
    VOLTAGE,
    client,
)

VERSION, ATTRIBUTES, NEGOTIATE = 0x0, 0x2, 0x10

# protocol: (its name, (version, message ids) from the oldest on)
SERVED = {
    BASE: (
        "base",
        (
            (0x20000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB)),
            (0x20001, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB, 0x10)),
        ),
    ),
    CLOCK: (
        "clock",
        (
            (0x10000, (0, 1, 2, 3, 4, 5, 6, 7)),
            (0x20000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA)),
            (0x30000, tuple(range(0x11))),
        ),
    ),
    POWER: (
        "power",
        (
            (0x20000, (0, 1, 2, 3, 4, 5, 6, 7)),
            (0x20001, (0, 1, 2, 3, 4, 5, 6, 7)),
            (0x30000, (0, 1, 2, 3, 4, 5, 6, 7, 8)),
            (0x30001, (0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10)),
        ),
    ),
    SYSTEM: (
        "system",
        (
            (0x10000, (0, 1, 2, 3, 4, 5)),
            (0x20000, (0, 1, 2, 3, 4, 5)),
            (0x20001, (0, 1, 2, 3, 4, 5, 0x10)),
        ),
    ),
    SENSOR: (
        "sensor",
        (
            (0x10000, (0, 1, 2, 3, 4, 5, 6)),
            (0x20000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB)),
            (0x30000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB, 0xC, 0xD)),
            (0x30001, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB, 0xC, 0xD, 0x10)),
        ),
    ),
    RESET: (
        "reset",
        (
            (0x10000, (0, 1, 2, 3, 4, 5)),
            (0x20000, (0, 1, 2, 3, 4, 5)),
            (0x30000, (0, 1, 2, 3, 4, 5, 6)),
            (0x30001, (0, 1, 2, 3, 4, 5, 6, 0x10)),
        ),
    ),
    VOLTAGE: (
        "voltage",
        (
            (0x10000, (0, 1, 2, 3, 4, 5, 6, 7, 8)),
            (0x20000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
            (0x20001, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x10)),
        ),
    ),
    POWERCAP: (
        "powercap",
        (
            (0x10000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB, 0xC)),
            (0x20000, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0xB, 0xC, 0x10)),
        ),
    ),
}


def check(scmi, protocol, version, messages):
    """Demand that `protocol` is served at `version` with exactly `messages`."""
    assert scmi.ok(protocol, VERSION) == [version]
    for message in range(0x20):
        status, _ = scmi.call(protocol, ATTRIBUTES, message)
        assert status == (0 if message in messages else NOT_FOUND), (protocol, version, message)
        if message not in messages:
            assert scmi.call(protocol, message) == (NOT_FOUND, []), (protocol, version, message)


def test_pinned_version_has_its_messages_and_no_others():
    for protocol, (name, versions) in SERVED.items():
        for version, messages in versions:
            check(client(versions={name: version}), protocol, version, messages)


def test_negotiated_version_has_its_messages_and_no_others():
    for protocol, (_, versions) in SERVED.items():
        for version, messages in versions:
            scmi = client()
            assert scmi.ok(protocol, NEGOTIATE, version) == []
            check(scmi, protocol, version, messages)


def test_versions_between_and_beyond_are_not_supported():
    for protocol, (_, versions) in SERVED.items():
        served = [version for version, _ in versions]
        for version in (0, 1, 0x10000, 0x10001, 0x20000, 0x20002, 0x30000, 0x30002, 0x40000, 0xFFFFFFFF):
            if version not in served:
                assert client().call(protocol, NEGOTIATE, version) == (NOT_SUPPORTED, [])


def test_negotiation_is_forgotten_with_the_frontend():
    scmi = client()
    scmi.ok(RESET, NEGOTIATE, 0x10000)
    scmi.backend.reset()
    assert scmi.ok(RESET, VERSION) == [0x30001]


def test_negotiation_is_one_agents_own():
    scmi = client()
    scmi.ok(RESET, NEGOTIATE, 0x10000)
    other = scmi.platform.agents["guest"]
    assert other.versions[RESET] == 0x30001


def test_names_are_not_called_long_before_there_is_a_message_for_them():
    for protocol, name, number, bit, since in (
        (POWER, "power", LONG_DOMAIN, 1 << 27, 0x30000),
        (RESET, "reset", LONG_RESET, 1 << 29, 0x30000),
        (VOLTAGE, "voltage", LONG_VOLTAGE, 1 << 30, 0x20000),
        (CLOCK, "clock", LONG_CLOCK, 1 << 29, 0x20000),
    ):
        for version, _ in SERVED[protocol][1]:
            payload = client(versions={name: version}).ok(protocol, 0x3, number)
            assert bool(payload[0] & bit) == (version >= since)
            name_at = 2 if protocol == RESET else 1
            assert len(text(payload[name_at : name_at + 4])) == 15


def test_3_9_2_9_first_version_has_no_asynchronous_level():
    scmi = client(versions={"voltage": 0x10000})
    assert scmi.call(VOLTAGE, 0x7, STEPS, 1, LEVELS[3]) == (INVALID_PARAMETERS, [])
    assert scmi.ok(VOLTAGE, 0x7, STEPS, 0, LEVELS[3]) == []


def test_3_6_2_5_attributes_of_clocks_grow():
    bits = {0x10000: 1, 0x20000: 3 << 30 | 1, 0x30000: 3 << 30 | 1 << 28 | 3}
    for version, expected in bits.items():
        payload = client(versions={"clock": version}).ok(CLOCK, 0x3, LOCKED)
        assert payload[0] == expected and len(payload) == (5 if version == 0x10000 else 6)
        assert client(versions={"clock": version}).ok(CLOCK, 0x3, SETTINGS)[0] >> 27 & 1 == (version == 0x30000)


def test_3_6_2_9_configuration_was_one_bit_before_version_3():
    for version in (0x10000, 0x20000):
        scmi = client(versions={"clock": version})
        for state in (0, 1):
            assert scmi.ok(CLOCK, 0x7, SETTINGS, state) == []
            assert scmi.ok(CLOCK, 0x3, SETTINGS)[0] & 1 == state
        assert scmi.call(CLOCK, 0x7, SETTINGS, 1, 0) == (PROTOCOL_ERROR, [])
        for attributes in (2, 3, 1 << 16 | 1, 0xFFFFFFFE):
            assert scmi.call(CLOCK, 0x7, SETTINGS, attributes) == (INVALID_PARAMETERS, [])
        assert scmi.call(CLOCK, 0x7, LOCKED, 0) == (DENIED, [])
        assert scmi.call(CLOCK, 0x7, 99, 0) == (NOT_FOUND, [])
    assert client().call(CLOCK, 0x7, SETTINGS, 1) == (PROTOCOL_ERROR, [])


def test_3_4_3_1_first_version_does_not_tell_the_time_that_is_left():
    for version, expected in ((0x10000, [0, 1, SHUTDOWN]), (0x20000, [0, 1, SHUTDOWN, 5000])):
        scmi = client(versions={"system": version})
        scmi.ok(SYSTEM, 0x5, 1)
        scmi.platform.system.ask("shutdown", timeout=5000)
        assert scmi.events() == [(notification(SYSTEM, 0), expected)]
        assert scmi.ok(SYSTEM, 0x4) == [SHUTDOWN]
