# SPDX-License-Identifier: MIT
"""Pin control protocol: what agents may not do, what resetting one gives back. Source: DEN0056F, 3.2.2, 3.11.2.12."""

from scmi.platform import Device, Group, Pins, Platform
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_FOUND
from scmi_client import Client
from scmi_example import (
    BASE,
    EXTRA,
    GPIO,
    I2C_PADS,
    LED,
    LED_PADS,
    PINCTRL,
    SDA,
    SOC,
    SPARE,
    STRONG,
    TRUSTED,
    client,
    guest_of,
)

ATTRIBUTES, PIN_ATTRIBUTES, LIST_ASSOCIATIONS, SETTINGS_GET, SETTINGS_CONFIGURE = 0x1, 0x3, 0x4, 0x5, 0x6
NAME_GET, SET_PERMISSIONS = 0x9, 0xA

PIN, GROUP, FUNCTION = range(3)
ALL, ALLOW = 1 << 18, 1 << 2

PULL_UP, PULL_DOWN, PUSH_PULL, STRENGTH, INPUT_MODE, INPUT_VALUE, OUTPUT_MODE, OUTPUT_VALUE = (
    4,
    6,
    9,
    10,
    12,
    14,
    17,
    18,
)
LED_SETTINGS = [PULL_DOWN, 1, PUSH_PULL, 0, STRENGTH, 0, INPUT_MODE, 0, INPUT_VALUE, 0, OUTPUT_MODE, 1, OUTPUT_VALUE, 0]


def count(configs):
    """Attributes of SETTINGS_CONFIGURE: the number of configurations of a pin."""
    return configs << 2


def configure(scmi, identifier, selector):
    """The status of configuring something."""
    return scmi.call(PINCTRL, SETTINGS_CONFIGURE, identifier, 0, 1 << 2 | selector, STRENGTH, 4)[0]


def test_3_11_2_12_agent_is_denied_and_allowed_again():
    scmi = client()
    guest = guest_of(scmi)
    for identifier, selector in ((LED, PIN), (LED_PADS, GROUP)):
        assert scmi.ok(PINCTRL, SET_PERMISSIONS, guest.backend.id, identifier, selector) == []
        assert configure(guest, identifier, selector) == DENIED
        assert configure(scmi, identifier, selector) == 0
        guest.ok(PINCTRL, SETTINGS_GET, identifier, ALL | selector << 16)
        scmi.ok(PINCTRL, SET_PERMISSIONS, guest.backend.id, identifier, ALLOW | selector)
        assert configure(guest, identifier, selector) == 0


def test_3_11_2_12_group_of_a_pin_that_is_denied():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PINCTRL, SET_PERMISSIONS, guest.backend.id, LED, PIN)
    assert configure(guest, LED_PADS, GROUP) == DENIED
    assert configure(guest, STRONG, PIN) == 0


def test_3_11_2_12_agent_that_is_not_trusted():
    scmi = client()
    guest = guest_of(scmi)
    assert guest.call(PINCTRL, SET_PERMISSIONS, TRUSTED, LED, PIN) == (DENIED, [])
    assert configure(scmi, LED, PIN) == 0


def test_3_11_2_12_unknown_agent_pin_or_group():
    for agent, identifier, flags in (
        (0, LED, ALLOW),
        (3, LED, ALLOW),
        (TRUSTED, 7, ALLOW),
        (TRUSTED, 4, ALLOW | GROUP),
    ):
        assert client().call(PINCTRL, SET_PERMISSIONS, agent, identifier, flags) == (NOT_FOUND, [])


def test_3_11_2_12_unknown_selector_or_reserved_flags():
    for flags in (FUNCTION, 3, 8, 0x80000000):
        assert client().call(PINCTRL, SET_PERMISSIONS, TRUSTED, LED, flags) == (INVALID_PARAMETERS, [])


def test_3_2_2_11_pin_of_a_revoked_device():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(BASE, 0x9, guest.backend.id, EXTRA, 0)
    guest.ok(PINCTRL, PIN_ATTRIBUTES, SDA, PIN)
    scmi.ok(BASE, 0x9, guest.backend.id, SOC, 0)
    for message, words in (
        (PIN_ATTRIBUTES, (SPARE, PIN)),
        (SETTINGS_GET, (SPARE, ALL)),
        (LIST_ASSOCIATIONS, (I2C_PADS, GROUP, 0)),
        (SETTINGS_CONFIGURE, (SPARE, 0, count(1), STRENGTH, 1)),
        (NAME_GET, (SPARE, PIN)),
    ):
        assert guest.call(PINCTRL, message, *words) == (DENIED, [])
        scmi.ok(PINCTRL, message, *words)


def test_3_2_2_11_group_with_a_pin_of_a_revoked_device():
    devices = [Device("inner", ["a", "g"]), Device("outer", ["b"])]
    soc = Platform(pins=Pins(["a", "b"], [Group("g", ("a", "b"))]), devices=devices)
    scmi = Client(soc.agents[0])
    assert configure(scmi, 0, GROUP) == 0
    scmi.ok(BASE, 0x9, 1, 1, 0)
    assert configure(scmi, 0, GROUP) == DENIED
    assert configure(scmi, 0, PIN) == 0


def test_3_2_2_13_reset_of_an_agent_gives_back_what_it_has_set_and_nobody_else():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(2), PULL_UP, 1, STRENGTH, 9)
    guest.ok(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(2), STRENGTH, 3, OUTPUT_VALUE, 1)
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    expected = [PULL_DOWN, 1, PUSH_PULL, 0, STRENGTH, 3, INPUT_MODE, 0, INPUT_VALUE, 0, OUTPUT_MODE, 1, OUTPUT_VALUE, 1]
    assert scmi.ok(PINCTRL, SETTINGS_GET, LED, ALL)[2:] == expected
    scmi.ok(BASE, 0xB, guest.backend.id, 0)
    assert scmi.ok(PINCTRL, SETTINGS_GET, LED, ALL)[2:] == LED_SETTINGS


def test_3_2_2_13_reset_of_permissions_allows_again():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PINCTRL, SET_PERMISSIONS, guest.backend.id, LED, PIN)
    scmi.ok(BASE, 0xB, guest.backend.id, 0)
    assert configure(guest, LED, PIN) == DENIED
    scmi.ok(BASE, 0xB, guest.backend.id, 1)
    assert configure(guest, LED, PIN) == 0


def test_3_2_2_12_protocol_of_a_device_is_revoked():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(BASE, 0xA, guest.backend.id, SOC, PINCTRL, 0)
    assert guest.call(PINCTRL, PIN_ATTRIBUTES, GPIO, FUNCTION) == (DENIED, [])
    assert guest.ok(PINCTRL, ATTRIBUTES) == [4 << 16 | 7, 4]
