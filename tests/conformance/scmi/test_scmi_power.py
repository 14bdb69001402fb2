# SPDX-License-Identifier: MIT
"""Power domain protocol 3.1, one test per message and status. Source: DEN0056F, 3.3.2."""

from scmi.platform import Agent, Platform, PowerDomain
from scmi.status import DENIED, GENERIC_ERROR, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED
from scmi_client import Client, Time, delayed, notification, text
from scmi_example import (
    ALWAYS_ON,
    BASE,
    DEEP,
    GUEST,
    LONG_DOMAIN,
    LONG_DOMAIN_NAME,
    OFF,
    ON,
    POWER,
    RETENTION,
    SLEEP,
    SOC,
    SWITCHED,
    TRUSTED,
    client,
    guest_of,
)

ATTRIBUTES, STATE_SET, STATE_GET, STATE_NOTIFY = 0x3, 0x4, 0x5, 0x6
STATE_CHANGE_REQUESTED_NOTIFY, NAME_GET = 0x7, 0x8

NOBODY = (4, 0x10000, 0xFFFFFFFF)
ASYNC = 1
NOTIFIES, DELAYS, SYNCHRONOUS, NOTIFIES_REQUESTS, EXTENDED_NAME = 1 << 31, 1 << 30, 1 << 29, 1 << 28, 1 << 27
CHANGED, REQUESTED = notification(POWER, 0x0), notification(POWER, 0x1)


def state(scmi, domain):
    (word,) = scmi.ok(POWER, STATE_GET, domain)
    return word


def test_3_3_2_3_attributes_count_domains_without_statistics():
    assert client().ok(POWER, 0x1) == [4, 0, 0, 0]


def test_3_3_2_5_attributes():
    for hears, told in ((True, NOTIFIES | NOTIFIES_REQUESTS), (False, 0)):
        scmi = client(hears)
        for domain, bits, name in (
            (SWITCHED, SYNCHRONOUS, "switched"),
            (ALWAYS_ON, 0, "always-on"),
            (LONG_DOMAIN, SYNCHRONOUS | EXTENDED_NAME, LONG_DOMAIN_NAME[:15]),
        ):
            payload = scmi.ok(POWER, ATTRIBUTES, domain)
            assert payload[0] == bits | told and text(payload[1:]) == name


def slow(hears=True):
    """Return a Client of a platform with one power domain that takes 5 ms for an asynchronous change."""
    soc = Platform(power_domains=[PowerDomain("slow", delay=5)])
    scmi = Client(soc.agents[0])
    scmi.platform, scmi.time = soc, Time(soc)
    scmi.hear(hears)
    return scmi


def test_3_3_2_5_asynchronous_changes_are_offered_to_those_who_hear():
    assert slow().ok(POWER, ATTRIBUTES, 0)[0] & DELAYS
    assert not slow(hears=False).ok(POWER, ATTRIBUTES, 0)[0] & DELAYS


def test_3_3_3_1_asynchronous_change_is_answered_when_it_is_done():
    scmi = slow()
    assert scmi.ok(POWER, STATE_SET, ASYNC, 0, OFF) == []
    token = scmi.token
    scmi.time.advance(4)
    assert scmi.events() == [] and state(scmi, 0) == ON
    scmi.time.advance(1)
    assert scmi.events() == [(delayed(POWER, STATE_SET, token), [0, 0, OFF])] and state(scmi, 0) == OFF


def test_3_3_2_6_asynchronous_change_without_event_channel_is_not_supported():
    assert slow(hears=False).call(POWER, STATE_SET, ASYNC, 0, OFF) == (NOT_SUPPORTED, [])


def test_3_3_2_5_unknown_domain():
    for domain in NOBODY:
        assert client().call(POWER, ATTRIBUTES, domain) == (NOT_FOUND, [])


def test_3_3_2_6_state_is_set():
    scmi = client()
    for word in (OFF, ON, OFF):
        assert scmi.ok(POWER, STATE_SET, 0, SWITCHED, word) == []
        assert state(scmi, SWITCHED) == word
    for word in (OFF, RETENTION, ON, SLEEP):
        assert scmi.ok(POWER, STATE_SET, 0, DEEP, word) == []
        assert state(scmi, DEEP) == word


def test_3_3_2_6_domain_stays_on_while_any_agent_wants_it():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(POWER, STATE_SET, 0, SWITCHED, ON)
    guest.ok(POWER, STATE_SET, 0, SWITCHED, OFF)
    assert state(trusted, SWITCHED) == state(guest, SWITCHED) == ON
    trusted.ok(POWER, STATE_SET, 0, SWITCHED, OFF)
    assert state(trusted, SWITCHED) == state(guest, SWITCHED) == OFF


def test_3_3_2_6_wanted_state_that_is_nearest_to_on_wins():
    trusted = client()
    guest = guest_of(trusted)
    for first, second, expected in (
        (OFF, RETENTION, RETENTION),
        (SLEEP, OFF, SLEEP),
        (RETENTION, SLEEP, RETENTION),
        (SLEEP, ON, ON),
        (OFF, OFF, OFF),
    ):
        trusted.ok(POWER, STATE_SET, 0, DEEP, first)
        guest.ok(POWER, STATE_SET, 0, DEEP, second)
        assert state(trusted, DEEP) == expected


def test_3_3_2_6_state_that_the_domain_does_not_have():
    scmi = client()
    for domain, word in ((SWITCHED, RETENTION), (DEEP, 2), (DEEP, 1 << 31), (DEEP, 0x20000000), (DEEP, 0xFFFFFFFF)):
        assert scmi.call(POWER, STATE_SET, 0, domain, word) == (INVALID_PARAMETERS, [])
    assert state(scmi, SWITCHED) == ON and state(scmi, DEEP) == SLEEP


def test_3_3_2_6_reserved_flags():
    for flags in (2, 0x80000000, 0xFFFFFFFE):
        assert client().call(POWER, STATE_SET, flags, SWITCHED, OFF) == (INVALID_PARAMETERS, [])


def test_3_3_2_6_asynchronous_change_is_not_supported():
    scmi = client()
    assert scmi.call(POWER, STATE_SET, ASYNC, SWITCHED, OFF) == (NOT_SUPPORTED, [])
    assert state(scmi, SWITCHED) == ON


def test_3_3_2_6_fixed_domain():
    scmi = client()
    for word in (ON, OFF):
        assert scmi.call(POWER, STATE_SET, 0, ALWAYS_ON, word) == (DENIED, [])
    assert state(scmi, ALWAYS_ON) == ON


def test_3_3_2_6_revoked_device():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(BASE, 0x9, GUEST, SOC, 0)
    assert guest.call(POWER, STATE_SET, 0, SWITCHED, OFF) == (DENIED, [])
    assert guest.call(POWER, STATE_GET, SWITCHED) == (DENIED, [])
    assert guest.ok(POWER, STATE_SET, 0, DEEP, OFF) == []
    assert state(trusted, SWITCHED) == ON


def test_3_3_2_6_revoked_protocol():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(BASE, 0xA, GUEST, SOC, POWER, 0)
    assert guest.call(POWER, STATE_SET, 0, SWITCHED, OFF) == (DENIED, [])
    assert guest.ok(POWER, 0x1) == [4, 0, 0, 0]


def test_3_3_2_6_unknown_domain():
    for domain in NOBODY:
        assert client().call(POWER, STATE_SET, 0, domain, OFF) == (NOT_FOUND, [])


def test_3_3_2_6_vote_is_taken_back_by_the_reset_of_the_agent():
    trusted = client()
    guest = guest_of(trusted)
    guest.ok(POWER, STATE_SET, 0, DEEP, ON)
    trusted.ok(POWER, STATE_SET, 0, DEEP, OFF)
    trusted.ok(BASE, 0xB, GUEST, 0)
    assert state(trusted, DEEP) == OFF
    trusted.ok(BASE, 0xB, TRUSTED, 0)
    assert state(trusted, DEEP) == SLEEP


def switchable(change):
    """Return a Client of a platform with one domain, and the domain."""
    platform = Platform(power_domains=[PowerDomain("d", change=change)], agents=[Agent("a", trusted=True)])
    return Client(platform.agents[0]), platform.power_domains[0]


def test_3_3_2_6_hook_is_called_once_for_each_change():
    seen = []
    scmi, domain = switchable(lambda domain, state: seen.append((domain, state)))
    for word in (ON, OFF, OFF, ON):
        scmi.ok(POWER, STATE_SET, 0, 0, word)
    assert seen == [(domain, "off"), (domain, "on")]


def test_3_3_2_6_hook_that_fails_changes_neither_state_nor_vote():
    def stuck(domain, state):
        raise OSError("the switch is stuck")

    scmi, domain = switchable(stuck)
    assert scmi.call(POWER, STATE_SET, 0, 0, OFF) == (GENERIC_ERROR, [])
    assert state(scmi, 0) == ON and domain.wanted == {}
    assert "stuck" in scmi.backend.last_failure


def test_3_3_2_7_state():
    scmi = client()
    for domain, word in ((SWITCHED, ON), (DEEP, SLEEP), (ALWAYS_ON, ON), (LONG_DOMAIN, OFF)):
        assert scmi.ok(POWER, STATE_GET, domain) == [word]


def test_3_3_2_7_unknown_domain():
    for domain in NOBODY:
        assert client().call(POWER, STATE_GET, domain) == (NOT_FOUND, [])


def test_3_3_2_8_and_9_subscriptions_without_event_channel_are_not_supported():
    for message in (STATE_NOTIFY, STATE_CHANGE_REQUESTED_NOTIFY):
        for enable in (0, 1):
            assert client(hears=False).call(POWER, message, SWITCHED, enable) == (NOT_SUPPORTED, [])


def test_3_3_4_1_change_is_told_to_those_who_want_to_know():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(POWER, STATE_NOTIFY, SWITCHED, 1)
    scmi.ok(POWER, STATE_SET, 0, SWITCHED, OFF)
    assert guest.events() == [(CHANGED, [TRUSTED, SWITCHED, OFF])] and scmi.events() == []
    scmi.platform.power_domains[SWITCHED].state = "on"
    assert guest.events() == [(CHANGED, [0, SWITCHED, ON])]
    guest.ok(POWER, STATE_NOTIFY, SWITCHED, 0)
    scmi.ok(POWER, STATE_SET, 0, SWITCHED, OFF)
    assert guest.events() == []


def test_3_3_4_2_request_that_changes_nothing_is_told():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(POWER, STATE_CHANGE_REQUESTED_NOTIFY, SWITCHED, 1)
    guest.ok(POWER, STATE_SET, 0, SWITCHED, ON)
    scmi.ok(POWER, STATE_SET, 0, SWITCHED, OFF)
    assert guest.events() == [(REQUESTED, [TRUSTED, SWITCHED, OFF])] and state(scmi, SWITCHED) == ON


def test_3_3_2_8_and_9_bad_notify_enable():
    for message in (STATE_NOTIFY, STATE_CHANGE_REQUESTED_NOTIFY):
        assert client().call(POWER, message, SWITCHED, 2) == (INVALID_PARAMETERS, [])


def test_3_3_2_8_and_9_unknown_domain():
    for message in (STATE_NOTIFY, STATE_CHANGE_REQUESTED_NOTIFY):
        assert client().call(POWER, message, NOBODY[0], 1) == (NOT_FOUND, [])


def test_3_3_2_10_name():
    scmi = client()
    for domain, name in ((SWITCHED, "switched"), (LONG_DOMAIN, LONG_DOMAIN_NAME)):
        payload = scmi.ok(POWER, NAME_GET, domain)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_3_2_10_unknown_domain():
    for domain in NOBODY:
        assert client().call(POWER, NAME_GET, domain) == (NOT_FOUND, [])
