# SPDX-License-Identifier: MIT
"""System power protocol 2.1, one test per message and status. Source: DEN0056F, 3.4.2."""

from scmi.platform import Platform, SystemPower
from scmi.status import DENIED, GENERIC_ERROR, INVALID_PARAMETERS, NOT_SUPPORTED
from scmi_client import Client, notification
from scmi_example import (
    BASE,
    COLD_RESET,
    GUEST,
    POWER_UP,
    SHUTDOWN,
    SOC,
    SUSPEND,
    SYSTEM,
    TRUSTED,
    WARM_RESET,
    client,
    guest_of,
)

MESSAGE_ATTRIBUTES, STATE_SET, STATE_GET, STATE_NOTIFY = 0x2, 0x3, 0x4, 0x5

FORCEFUL, GRACEFUL = 0, 1
NOTIFIER = notification(SYSTEM, 0x0)
VENDOR = 1 << 31


def with_system(system):
    """Return a Client of a platform that has nothing but `system`."""
    return Client(Platform(system=system).agents[0])


def test_3_4_2_3_attributes_are_reserved():
    assert client().ok(SYSTEM, 0x1) == [0]


def test_3_4_2_4_state_set_tells_the_optional_states():
    for states, bits in (
        (("shutdown", "cold-reset"), 0),
        (("warm-reset",), 1 << 31),
        (("suspend",), 1 << 30),
        (("suspend", "warm-reset"), 3 << 30),
    ):
        assert with_system(SystemPower(states)).ok(SYSTEM, MESSAGE_ATTRIBUTES, STATE_SET) == [bits]
    assert client().ok(SYSTEM, MESSAGE_ATTRIBUTES, STATE_GET) == [0]


def test_3_4_2_4_subscription_without_event_channel_is_not_supported():
    assert client(hears=False).call(SYSTEM, MESSAGE_ATTRIBUTES, STATE_NOTIFY) == (NOT_SUPPORTED, [])
    assert client().ok(SYSTEM, MESSAGE_ATTRIBUTES, STATE_NOTIFY) == [0]


def test_3_4_2_5_state_is_asked_for():
    scmi = client()
    system = scmi.platform.system
    for flags, number, state in (
        (FORCEFUL, SHUTDOWN, "shutdown"),
        (GRACEFUL, COLD_RESET, "cold-reset"),
        (FORCEFUL, SUSPEND, "suspend"),
    ):
        assert scmi.ok(SYSTEM, STATE_SET, flags, number) == []
        assert scmi.ok(SYSTEM, STATE_GET) == [number]
        assert (system.state, system.agent, system.graceful) == (state, TRUSTED, flags == GRACEFUL)
    assert system.requests == 3


def test_3_4_2_5_state_that_is_reserved():
    scmi = client()
    for number in (5, 0x100, 0x7FFFFFFF):
        assert scmi.call(SYSTEM, STATE_SET, FORCEFUL, number) == (INVALID_PARAMETERS, [])
    assert scmi.ok(SYSTEM, STATE_GET) == [POWER_UP] and scmi.platform.system.requests == 0


def test_3_4_2_5_state_that_is_not_supported():
    scmi = client()
    for number in (WARM_RESET, POWER_UP, VENDOR, VENDOR | SHUTDOWN, 0xFFFFFFFF):
        assert scmi.call(SYSTEM, STATE_SET, FORCEFUL, number) == (NOT_SUPPORTED, [])
    assert scmi.ok(SYSTEM, STATE_GET) == [POWER_UP]


def test_3_4_2_5_reserved_flags():
    for flags in (2, 0x80000000, 0xFFFFFFFF):
        assert client().call(SYSTEM, STATE_SET, flags, SHUTDOWN) == (INVALID_PARAMETERS, [])


def test_3_4_2_5_revoked_access_is_denied_and_changes_nothing():
    for revoke in ((0x9, GUEST, SOC, 0), (0xA, GUEST, SOC, SYSTEM, 0)):
        trusted = client()
        guest = guest_of(trusted)
        trusted.ok(BASE, *revoke)
        assert guest.call(SYSTEM, STATE_SET, FORCEFUL, SHUTDOWN) == (DENIED, [])
        assert trusted.ok(SYSTEM, STATE_GET) == [POWER_UP]
        assert guest.ok(SYSTEM, 0x0) == [0x20001]


def test_3_4_2_5_hook_is_called_with_every_request():
    seen = []
    system = SystemPower(change=lambda system, state, graceful: seen.append((system, state, graceful)))
    scmi = with_system(system)
    scmi.ok(SYSTEM, STATE_SET, GRACEFUL, SHUTDOWN)
    scmi.ok(SYSTEM, STATE_SET, FORCEFUL, SHUTDOWN)
    assert seen == [(system, "shutdown", True), (system, "shutdown", False)]


def test_3_4_2_5_hook_that_fails_changes_nothing():
    def stuck(system, state, graceful):
        raise OSError("the supply does not answer")

    scmi = with_system(SystemPower(change=stuck))
    assert scmi.call(SYSTEM, STATE_SET, FORCEFUL, SHUTDOWN) == (GENERIC_ERROR, [])
    assert scmi.ok(SYSTEM, STATE_GET) == [POWER_UP]


def test_3_4_2_6_state():
    scmi = client()
    assert scmi.ok(SYSTEM, STATE_GET) == [POWER_UP]
    scmi.platform.system.state = "suspend"
    assert scmi.ok(SYSTEM, STATE_GET) == [SUSPEND]


def test_3_4_2_6_revoked_access():
    trusted = client()
    trusted.ok(BASE, 0x9, GUEST, SOC, 0)
    assert guest_of(trusted).call(SYSTEM, STATE_GET) == (DENIED, [])


def test_3_4_2_7_subscription_without_event_channel_is_not_supported():
    for enable in (0, 1):
        assert client(hears=False).call(SYSTEM, STATE_NOTIFY, enable) == (NOT_SUPPORTED, [])


def test_3_4_3_1_request_of_one_agent_is_told_to_those_who_want_to_know():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(SYSTEM, STATE_NOTIFY, 1)
    scmi.ok(SYSTEM, STATE_SET, GRACEFUL, SUSPEND)
    assert guest.events() == [(NOTIFIER, [TRUSTED, 1, SUSPEND, 0])] and scmi.events() == []
    guest.ok(SYSTEM, STATE_NOTIFY, 0)
    scmi.ok(SYSTEM, STATE_SET, FORCEFUL, SHUTDOWN)
    assert guest.events() == []


def test_3_4_3_1_platform_asks():
    scmi = client()
    scmi.ok(SYSTEM, STATE_NOTIFY, 1)
    scmi.platform.system.ask("cold-reset", graceful=False)
    assert scmi.events() == [(NOTIFIER, [0, 0, COLD_RESET, 0])]
    assert scmi.ok(SYSTEM, STATE_GET) == [COLD_RESET]


def test_3_4_2_7_bad_notify_enable():
    assert client().call(SYSTEM, STATE_NOTIFY, 2) == (INVALID_PARAMETERS, [])


def test_3_4_2_7_revoked_access():
    trusted = client()
    trusted.ok(BASE, 0x9, GUEST, SOC, 0)
    assert guest_of(trusted).call(SYSTEM, STATE_NOTIFY, 1) == (DENIED, [])
