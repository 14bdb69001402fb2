# SPDX-License-Identifier: MIT
"""Base protocol 2.1, one test per message and status. Source: DEN0056F, 3.2.2."""

from scmi.platform import Platform
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from scmi_client import Client, text
from scmi_example import (
    BASE,
    CLOCK,
    EXTRA,
    FIXED,
    FULL,
    GUEST,
    LIST,
    MUX,
    NEGATIVE,
    PERFORMANCE,
    PINCTRL,
    PLAIN,
    POWER,
    POWERCAP,
    RATES,
    SENSOR,
    SETTINGS,
    SOC,
    SYSTEM,
    TRUSTED,
    VOLTAGE,
    client,
    guest_of,
)
from scmi_example import RESET as RESET_PROTOCOL

VENDOR, SUB_VENDOR, IMPLEMENTATION, LIST_PROTOCOLS, DISCOVER_AGENT, NOTIFY_ERRORS = 0x3, 0x4, 0x5, 0x6, 0x7, 0x8
SET_DEVICE, SET_PROTOCOL, RESET = 0x9, 0xA, 0xB

OTHERS = (POWER, SYSTEM, PERFORMANCE, CLOCK, SENSOR, RESET_PROTOCOL, VOLTAGE, POWERCAP, PINCTRL)


def packed(protocols):
    """Return the ids as words of four."""
    return [
        sum(number << 8 * at for at, number in enumerate(protocols[start : start + 4]))
        for start in range(0, len(protocols), 4)
    ]


def test_3_2_2_3_attributes_count_agents_and_other_protocols():
    assert client().ok(BASE, 0x1) == [2 << 8 | len(OTHERS)]


def test_3_2_2_5_vendor():
    assert text(client().ok(BASE, VENDOR)) == "Vendor"


def test_3_2_2_6_sub_vendor():
    assert text(client().ok(BASE, SUB_VENDOR)) == "Sub"


def test_3_2_2_7_implementation_version():
    assert client().ok(BASE, IMPLEMENTATION) == [0x12345678]


def test_3_2_2_8_protocols_are_ascending_without_base():
    assert client().ok(BASE, LIST_PROTOCOLS, 0) == [len(OTHERS)] + packed(OTHERS)


def test_3_2_2_8_skip():
    assert client().ok(BASE, LIST_PROTOCOLS, 1) == [len(OTHERS) - 1] + packed(OTHERS[1:])
    assert client().ok(BASE, LIST_PROTOCOLS, len(OTHERS) - 1) == [1, OTHERS[-1]]


def test_3_2_2_8_skip_past_the_end():
    for skip in (len(OTHERS), len(OTHERS) + 1, 0xFFFFFFFF):
        assert client().call(BASE, LIST_PROTOCOLS, skip) == (INVALID_PARAMETERS, [])


def test_3_2_2_8_room_for_one_word_of_the_list():
    assert client().ok(BASE, LIST_PROTOCOLS, 0, room=16) == [4] + packed(OTHERS[:4])
    assert client().call(BASE, LIST_PROTOCOLS, 0, room=12) == (PROTOCOL_ERROR, [])


def test_3_2_2_8_platform_without_other_protocols():
    assert Client(Platform().agents[0]).ok(BASE, LIST_PROTOCOLS, 0) == [0]


def test_3_2_2_9_agents():
    scmi = client()
    for number, name in ((0, "platform"), (TRUSTED, "trusted"), (GUEST, "guest")):
        payload = scmi.ok(BASE, DISCOVER_AGENT, number)
        assert payload[0] == number and text(payload[1:]) == name


def test_3_2_2_9_the_agent_that_asks():
    scmi = guest_of(client())
    payload = scmi.ok(BASE, DISCOVER_AGENT, 0xFFFFFFFF)
    assert payload[0] == GUEST and text(payload[1:]) == "guest"


def test_3_2_2_9_unknown_agent():
    for number in (3, 0x100, 0xFFFFFFFE):
        assert client().call(BASE, DISCOVER_AGENT, number) == (NOT_FOUND, [])


def test_3_2_2_10_errors_are_subscribed_to():
    for enable in (0, 1):
        assert client().ok(BASE, NOTIFY_ERRORS, enable) == []


def test_3_2_2_10_errors_without_events():
    for enable in (0, 1):
        assert client(hears=False).call(BASE, NOTIFY_ERRORS, enable) == (NOT_SUPPORTED, [])


def test_3_2_2_10_bad_notify_enable():
    assert client().call(BASE, NOTIFY_ERRORS, 2) == (INVALID_PARAMETERS, [])


def test_3_2_2_11_revoked_device_is_denied_and_changes_nothing():
    trusted = client()
    guest = guest_of(trusted)
    assert trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 0) == []
    assert guest.call(SENSOR, 0x6, PLAIN, 0) == (DENIED, [])
    assert guest.call(CLOCK, 0x5, 0, LIST, RATES[5], 0) == (DENIED, [])
    assert trusted.ok(CLOCK, 0x6, LIST) == [RATES[0], 0]


def test_3_2_2_11_other_devices_and_other_agents_keep_their_access():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 0)
    assert guest.ok(SENSOR, 0x6, NEGATIVE, 0)[:2] == [0xFFFFFFFB, 0xFFFFFFFF]
    assert guest.ok(CLOCK, 0x6, FIXED) == [24_000_000, 0]
    assert trusted.ok(SENSOR, 0x6, PLAIN, 0)[0] == 45_000


def test_3_2_2_11_access_is_given_back():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 0)
    trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 1)
    assert guest.ok(SENSOR, 0x6, PLAIN, 0)[0] == 45_000


def test_3_2_2_11_a_single_trusted_agent_may_revoke_its_own_access_and_take_it_back():
    scmi = client()
    scmi.ok(BASE, SET_DEVICE, TRUSTED, SOC, 0)
    assert scmi.call(SENSOR, 0x6, PLAIN, 0) == (DENIED, [])
    scmi.ok(BASE, SET_DEVICE, TRUSTED, SOC, 1)
    assert scmi.ok(SENSOR, 0x6, PLAIN, 0)[0] == 45_000


def test_3_2_2_11_unknown_agent_or_device():
    scmi = client()
    for agent, device in ((0, SOC), (3, SOC), (0xFFFFFFFF, SOC), (GUEST, 2), (GUEST, 0xFFFFFFFF)):
        assert scmi.call(BASE, SET_DEVICE, agent, device, 0) == (NOT_FOUND, [])


def test_3_2_2_11_bad_flags():
    for flags in (2, 0x80000000, 0xFFFFFFFF):
        assert client().call(BASE, SET_DEVICE, GUEST, SOC, flags) == (INVALID_PARAMETERS, [])


def test_3_2_2_11_untrusted_caller():
    guest = guest_of(client())
    assert guest.call(BASE, SET_DEVICE, GUEST, SOC, 1) == (DENIED, [])
    assert guest.call(BASE, SET_DEVICE, TRUSTED, SOC, 0) == (DENIED, [])


def test_3_2_2_12_revoked_protocol_is_denied_for_the_device_only():
    trusted = client()
    guest = guest_of(trusted)
    assert trusted.ok(BASE, SET_PROTOCOL, GUEST, SOC, SENSOR, 0) == []
    assert guest.call(SENSOR, 0x6, PLAIN, 0) == (DENIED, [])
    assert guest.ok(SENSOR, 0x6, NEGATIVE, 0)[0] == 0xFFFFFFFB
    assert guest.ok(CLOCK, 0x6, LIST) == [RATES[0], 0]


def test_3_2_2_12_protocol_and_device_permissions_are_apart():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(BASE, SET_PROTOCOL, GUEST, SOC, SENSOR, 0)
    trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 0)
    trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 1)
    assert guest.call(SENSOR, 0x6, PLAIN, 0) == (DENIED, [])
    trusted.ok(BASE, SET_PROTOCOL, GUEST, SOC, SENSOR, 1)
    assert guest.ok(SENSOR, 0x6, PLAIN, 0)[0] == 45_000


def test_3_2_2_12_unknown_agent_device_or_protocol():
    scmi = client()
    for agent, device, protocol in (
        (0, SOC, SENSOR),
        (3, SOC, SENSOR),
        (GUEST, 2, SENSOR),
        (GUEST, SOC, 0x7F),
        (GUEST, SOC, 0x115),
    ):
        assert scmi.call(BASE, SET_PROTOCOL, agent, device, protocol, 0) == (NOT_FOUND, [])


def test_3_2_2_12_access_to_base_cannot_be_removed():
    scmi = client()
    assert scmi.call(BASE, SET_PROTOCOL, GUEST, SOC, BASE, 0) == (NOT_FOUND, [])
    assert guest_of(scmi).ok(BASE, 0x0) == [0x20001]


def test_3_2_2_12_bad_flags():
    assert client().call(BASE, SET_PROTOCOL, GUEST, SOC, SENSOR, 2) == (INVALID_PARAMETERS, [])


def test_3_2_2_12_untrusted_caller():
    assert guest_of(client()).call(BASE, SET_PROTOCOL, GUEST, EXTRA, SENSOR, 1) == (DENIED, [])


def test_3_2_2_13_reset_undoes_what_the_agent_has_set():
    scmi = client()
    scmi.ok(CLOCK, 0x5, 0, LIST, RATES[5], 0)
    scmi.ok(CLOCK, 0x7, LIST, 0, 0)
    scmi.ok(SENSOR, 0xA, PLAIN, 0)
    scmi.ok(BASE, RESET, TRUSTED, 0)
    assert scmi.ok(CLOCK, 0x6, LIST) == [RATES[0], 0]
    assert scmi.ok(CLOCK, 0xB, LIST, 0) == [0, 1, 0]
    assert scmi.ok(SENSOR, 0x9, PLAIN) == [1]


def test_3_2_2_13_reset_undoes_every_kind_of_setting():
    scmi = client()
    scmi.ok(CLOCK, 0x7, SETTINGS, 1 << 16 | 3, 10)
    scmi.ok(CLOCK, 0xD, MUX, FIXED)
    scmi.ok(SENSOR, 0x5, FULL, 1 << 4 | 3, 99, 0)
    scmi.ok(SENSOR, 0xA, FULL, 3)
    scmi.ok(BASE, RESET, TRUSTED, 0)
    assert scmi.ok(CLOCK, 0xB, SETTINGS, 1) == [0, 1, 50]
    assert scmi.ok(CLOCK, 0xE, MUX) == [LIST] and scmi.ok(CLOCK, 0x6, MUX) == [RATES[0], 0]
    trip_point = scmi.platform.sensors["full"].trip_points[1]
    assert (trip_point.control, trip_point.value) == (0, 0)
    assert scmi.ok(SENSOR, 0x6, FULL, 0) == [1_000, 0, 0, 0]


def test_3_2_2_13_reset_works_more_than_once():
    scmi = client()
    for _ in range(3):
        scmi.ok(CLOCK, 0x7, SETTINGS, 1 << 16 | 3, 10)
        scmi.ok(BASE, RESET, TRUSTED, 0)
        assert scmi.ok(CLOCK, 0xB, SETTINGS, 1) == [0, 1, 50]


def test_3_2_2_13_trip_points_alone_are_undone():
    scmi = client()
    scmi.ok(SENSOR, 0x5, FULL, 1 << 4 | 3, 99, 0)
    scmi.ok(BASE, RESET, TRUSTED, 0)
    assert scmi.platform.sensors["full"].trip_points[1].control == 0


def test_3_2_2_13_what_was_undone_once_is_not_undone_again():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(CLOCK, 0x5, 0, LIST, RATES[5], 0)
    scmi.ok(BASE, RESET, TRUSTED, 0)
    guest.ok(CLOCK, 0x5, 0, LIST, RATES[7], 0)
    scmi.ok(BASE, RESET, TRUSTED, 0)
    assert scmi.ok(CLOCK, 0x6, LIST) == [RATES[7], 0]


def test_3_2_2_13_reset_leaves_what_others_have_set():
    trusted = client()
    guest = guest_of(trusted)
    guest.ok(CLOCK, 0x5, 0, LIST, RATES[5], 0)
    trusted.ok(BASE, RESET, TRUSTED, 0)
    assert guest.ok(CLOCK, 0x6, LIST) == [RATES[5], 0]
    trusted.ok(BASE, RESET, GUEST, 0)
    assert guest.ok(CLOCK, 0x6, LIST) == [RATES[0], 0]


def test_3_2_2_13_permissions_are_reset_only_on_request():
    trusted = client()
    guest = guest_of(trusted)
    trusted.ok(BASE, SET_DEVICE, GUEST, SOC, 0)
    trusted.ok(BASE, RESET, GUEST, 0)
    assert guest.call(SENSOR, 0x6, PLAIN, 0) == (DENIED, [])
    trusted.ok(BASE, RESET, GUEST, 1)
    assert guest.ok(SENSOR, 0x6, PLAIN, 0)[0] == 45_000


def test_3_2_2_13_unknown_agent():
    for number in (0, 3, 0xFFFFFFFF):
        assert client().call(BASE, RESET, number, 0) == (NOT_FOUND, [])


def test_3_2_2_13_bad_flags():
    assert client().call(BASE, RESET, TRUSTED, 2) == (INVALID_PARAMETERS, [])


def test_3_2_2_13_untrusted_caller_may_reset_its_own_settings_only():
    guest = guest_of(client())
    assert guest.ok(BASE, RESET, GUEST, 0) == []
    assert guest.call(BASE, RESET, GUEST, 1) == (DENIED, [])
    assert guest.call(BASE, RESET, TRUSTED, 0) == (DENIED, [])
