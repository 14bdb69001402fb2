# SPDX-License-Identifier: MIT
"""Pin control protocol: selection of functions, and exclusive control. Source: DEN0056F, 3.11.2.7 to 3.11.2.10."""

from scmi.status import DENIED, IN_USE, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED
from scmi_example import (
    BASE,
    GPIO,
    I2C,
    I2C_PADS,
    LED,
    LED_PADS,
    LONG_GROUP,
    PINCTRL,
    PWM,
    SCL,
    SDA,
    SEALED_PADS,
    SEALED_PIN,
    SOC,
    STRONG,
    TRUSTED,
    client,
    guest_of,
)

SETTINGS_GET, SETTINGS_CONFIGURE, REQUEST, RELEASE, SET_PERMISSIONS = 0x5, 0x6, 0x7, 0x8, 0xA

PIN, GROUP = 0, 1
ONLY_FUNCTION, OF_GROUP = 2 << 18, 1 << 16
NO_FUNCTION = 0xFFFFFFFF
STRENGTH = 10


def select(scmi, identifier, function, selector=PIN, configs=()):
    """The status of selecting a function, with `configs` in the same message."""
    attributes = 1 << 10 | len(configs) // 2 << 2 | selector
    return scmi.call(PINCTRL, SETTINGS_CONFIGURE, identifier, function, attributes, *configs)[0]


def selected(scmi, identifier, selector=PIN):
    """The function that a pin or group has."""
    payload = scmi.ok(PINCTRL, SETTINGS_GET, identifier, ONLY_FUNCTION | selector << 16)
    assert payload[1:] == [0]
    return payload[0]


def holders(scmi, pin):
    """The agents that have control of a pin."""
    return sorted(set(scmi.platform.pins[pin].claims.values()))


def test_3_11_2_7_no_function_is_selected():
    scmi = client()
    assert selected(scmi, LED) == selected(scmi, LED_PADS, GROUP) == NO_FUNCTION


def test_3_11_2_8_function_of_a_group_is_that_of_its_pins():
    scmi = client()
    assert select(scmi, I2C_PADS, I2C, GROUP) == 0
    assert selected(scmi, I2C_PADS, GROUP) == selected(scmi, SDA) == selected(scmi, SCL) == I2C
    assert selected(scmi, LONG_GROUP, GROUP) == NO_FUNCTION
    assert scmi.platform.pins["sda"].function == "i2c"
    assert select(scmi, I2C_PADS, NO_FUNCTION, GROUP) == 0
    assert selected(scmi, I2C_PADS, GROUP) == selected(scmi, SDA) == NO_FUNCTION


def test_3_11_2_8_function_of_a_pin():
    scmi = client()
    for pin in (LED, STRONG):
        assert select(scmi, pin, PWM) == 0
        assert selected(scmi, pin) == PWM
    assert selected(scmi, LED_PADS, GROUP) == NO_FUNCTION


def test_3_11_2_8_function_and_settings_in_one_message():
    scmi = client()
    assert select(scmi, LED_PADS, GPIO, GROUP, (STRENGTH, 8)) == 0
    assert scmi.ok(PINCTRL, SETTINGS_GET, LED_PADS, STRENGTH | OF_GROUP) == [GPIO, 1, STRENGTH, 8]


def test_3_11_2_8_wrong_setting_and_the_function_is_not_selected():
    scmi = client()
    assert select(scmi, LED_PADS, GPIO, GROUP, (STRENGTH, 3)) == INVALID_PARAMETERS
    assert selected(scmi, LED_PADS, GROUP) == NO_FUNCTION


def test_3_11_2_8_wrong_function_and_nothing_is_set():
    scmi = client()
    assert select(scmi, LED, I2C, PIN, (STRENGTH, 8)) == NOT_SUPPORTED
    assert scmi.ok(PINCTRL, SETTINGS_GET, LED, STRENGTH)[3] == 0


def test_3_11_2_8_function_that_the_pin_or_group_does_not_have():
    for identifier, function, selector in ((I2C_PADS, PWM, GROUP), (LED_PADS, I2C, GROUP), (SDA, I2C, PIN)):
        assert select(client(), identifier, function, selector) == NOT_SUPPORTED


def test_3_11_2_8_unknown_function():
    for function in (4, 0x10000, 0xFFFFFFFE):
        assert select(client(), LED, function) == INVALID_PARAMETERS


def test_3_11_2_8_function_stays_unless_it_is_valid():
    scmi = client()
    select(scmi, LED, PWM)
    scmi.ok(PINCTRL, SETTINGS_CONFIGURE, LED, NO_FUNCTION, 1 << 2, STRENGTH, 1)
    assert selected(scmi, LED) == PWM


def test_3_11_2_8_pin_under_the_control_of_another_agent():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(PINCTRL, REQUEST, LED, PIN)
    assert select(scmi, LED, PWM) == IN_USE
    assert select(scmi, LED_PADS, GPIO, GROUP) == IN_USE
    assert select(guest, LED, PWM) == 0


def test_3_11_2_9_pin_is_requested():
    scmi = client()
    assert scmi.ok(PINCTRL, REQUEST, LED, PIN) == []
    assert holders(scmi, LED) == [TRUSTED] and holders(scmi, STRONG) == []


def test_3_11_2_9_group_is_requested_with_its_pins():
    scmi = client()
    guest = guest_of(scmi)
    assert scmi.ok(PINCTRL, REQUEST, LED_PADS, GROUP) == []
    for identifier, selector in ((LED, PIN), (STRONG, PIN), (LED_PADS, GROUP), (LONG_GROUP, GROUP)):
        assert guest.call(PINCTRL, REQUEST, identifier, selector) == (IN_USE, [])
    assert guest.ok(PINCTRL, REQUEST, I2C_PADS, GROUP) == []


def test_3_11_2_9_group_with_a_pin_of_another_agent():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(PINCTRL, REQUEST, STRONG, PIN)
    assert scmi.call(PINCTRL, REQUEST, LED_PADS, GROUP) == (IN_USE, [])
    assert holders(scmi, LED) == []


def test_3_11_2_9_requested_again_by_the_same_agent():
    scmi = client()
    for _ in range(2):
        assert scmi.ok(PINCTRL, REQUEST, LED, PIN) == []
    assert scmi.ok(PINCTRL, REQUEST, LED_PADS, GROUP) == []
    scmi.ok(PINCTRL, RELEASE, LED, PIN)
    assert holders(scmi, LED) == [TRUSTED], "the group still has it"


def test_3_11_2_9_forbidden_pin_denied_agent_and_revoked_device():
    scmi = client()
    guest = guest_of(scmi)
    for identifier, selector in ((SEALED_PIN, PIN), (SEALED_PADS, GROUP)):
        assert scmi.call(PINCTRL, REQUEST, identifier, selector) == (DENIED, [])
    scmi.ok(PINCTRL, SET_PERMISSIONS, guest.backend.id, LED, PIN)
    for identifier, selector in ((LED, PIN), (LED_PADS, GROUP)):
        assert guest.call(PINCTRL, REQUEST, identifier, selector) == (DENIED, [])
    scmi.ok(BASE, 0x9, guest.backend.id, SOC, 0)
    assert guest.call(PINCTRL, REQUEST, SDA, PIN) == (DENIED, [])


def test_3_11_2_9_unknown_pin_or_group():
    for identifier, selector in ((7, PIN), (4, GROUP)):
        assert client().call(PINCTRL, REQUEST, identifier, selector) == (NOT_FOUND, [])


def test_3_11_2_9_unknown_selector_or_reserved_flags():
    for flags in (2, 3, 4, 0x80000000):
        assert client().call(PINCTRL, REQUEST, LED, flags) == (INVALID_PARAMETERS, [])


def test_3_11_2_10_released_pin_is_for_another_agent():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(PINCTRL, REQUEST, LED_PADS, GROUP)
    assert scmi.ok(PINCTRL, RELEASE, LED_PADS, GROUP) == []
    assert guest.ok(PINCTRL, REQUEST, LED, PIN) == []
    assert holders(scmi, LED) == [guest.backend.id]


def test_3_11_2_10_release_of_what_the_agent_has_not_requested():
    scmi = client()
    guest = guest_of(scmi)
    assert scmi.call(PINCTRL, RELEASE, LED, PIN) == (INVALID_PARAMETERS, [])
    scmi.ok(PINCTRL, REQUEST, LED_PADS, GROUP)
    assert scmi.call(PINCTRL, RELEASE, LED, PIN) == (INVALID_PARAMETERS, [])
    assert guest.call(PINCTRL, RELEASE, LED_PADS, GROUP) == (INVALID_PARAMETERS, [])
    assert holders(scmi, LED) == [TRUSTED]


def test_3_11_2_10_unknown_pin_or_group():
    for identifier, selector in ((7, PIN), (4, GROUP)):
        assert client().call(PINCTRL, RELEASE, identifier, selector) == (NOT_FOUND, [])


def test_3_11_2_10_unknown_selector_or_reserved_flags():
    for flags in (2, 3, 4, 0x80000000):
        assert client().call(PINCTRL, RELEASE, LED, flags) == (INVALID_PARAMETERS, [])


def test_3_11_2_12_denied_agent_loses_control():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(PINCTRL, REQUEST, LED_PADS, GROUP)
    scmi.ok(PINCTRL, SET_PERMISSIONS, guest.backend.id, STRONG, PIN)
    assert holders(scmi, LED) == holders(scmi, STRONG) == []
    assert scmi.ok(PINCTRL, REQUEST, LED, PIN) == []


def test_reset_of_the_device_releases_what_its_agent_controls():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(PINCTRL, REQUEST, LED, PIN)
    select(guest, LED, PWM)
    guest.backend.reset()
    assert scmi.ok(PINCTRL, REQUEST, LED, PIN) == []
    assert selected(scmi, LED) == PWM


def test_3_2_2_13_reset_of_an_agent_releases_what_it_controls_and_takes_its_functions_back():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(PINCTRL, REQUEST, LED_PADS, GROUP)
    select(guest, LED_PADS, GPIO, GROUP)
    select(scmi, I2C_PADS, I2C, GROUP)
    scmi.ok(BASE, 0xB, guest.backend.id, 0)
    assert selected(scmi, LED) == NO_FUNCTION and selected(scmi, I2C_PADS, GROUP) == I2C
    assert scmi.ok(PINCTRL, REQUEST, LED_PADS, GROUP) == []
