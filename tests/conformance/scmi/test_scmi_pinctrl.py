# SPDX-License-Identifier: MIT
"""Pin control protocol: what it tells of pins, groups and functions, and settings. Source: DEN0056F, 3.11.

Exclusive control and selection of functions are in `test_scmi_pinctrl_control`, permissions in
`test_scmi_pinctrl_permissions`.
"""

from scmi.platform import Group, Pin, Pins, Platform
from scmi.status import DENIED, GENERIC_ERROR, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from scmi_client import Client, text
from scmi_example import (
    GPIO,
    I2C,
    I2C_PADS,
    LED,
    LED_PADS,
    LONG_FUNCTION,
    LONG_FUNCTION_NAME,
    LONG_GROUP,
    LONG_GROUP_NAME,
    LONG_PIN,
    LONG_PIN_NAME,
    PINCTRL,
    PWM,
    SCL,
    SDA,
    SEALED_PADS,
    SEALED_PIN,
    STRONG,
    client,
)

ATTRIBUTES, PIN_ATTRIBUTES, LIST_ASSOCIATIONS, SETTINGS_GET, SETTINGS_CONFIGURE = 0x1, 0x3, 0x4, 0x5, 0x6
NAME_GET = 0x9

PIN, GROUP, FUNCTION = range(3)
EXTENDED_NAME, GPIO_FUNCTION, PIN_ONLY = 1 << 31, 1 << 17, 1 << 16
ONE, ALL = 0, 1 << 18
OF_GROUP = 1 << 16
NO_FUNCTION = 0xFFFFFFFF

PULL_DISABLE, PULL_UP, PULL_DOWN, PUSH_PULL, STRENGTH, INPUT_MODE, INPUT_VALUE = 2, 4, 6, 9, 10, 12, 14
OUTPUT_MODE, OUTPUT_VALUE, OEM = 17, 18, 200
LED_SETTINGS = [PULL_DOWN, 1, PUSH_PULL, 0, STRENGTH, 0, INPUT_MODE, 0, INPUT_VALUE, 0, OUTPUT_MODE, 1, OUTPUT_VALUE, 0]

# Beyond the last pin, group and function; the upper half of an identifier is ignored.
NOBODY = ((7, PIN), (4, GROUP), (4, FUNCTION), (0xFFFF, PIN), (0xFFFF0007, PIN), (0xFFFFFFFF, FUNCTION))


def count(configs, group=False):
    """Attributes of SETTINGS_CONFIGURE: the number of configurations, of a pin or of a group."""
    return configs << 2 | (GROUP if group else PIN)


def setting(scmi, pin, kind, group=0):
    """The value of one configuration type."""
    payload = scmi.ok(PINCTRL, SETTINGS_GET, pin, kind | group)
    assert payload[1:3] == [1, kind] and len(payload) == 4
    return payload[3]


class Board:
    """Two pins of a board in a group, which note how they are changed; the second one may be broken."""

    def __init__(self):
        self.done = []
        self.broken = False
        pins = Pins([Pin("one", change=self.change), Pin("two", change=self.change)], [Group("both", ("one", "two"))])
        self.platform = Platform(pins=pins)
        self.client = Client(self.platform.agents[0])

    def change(self, name, config, function):
        if self.broken and name == "two":
            raise OSError("short circuit")
        self.done.append((name, config["drive-strength"], function))


def test_3_11_2_3_attributes_count_pins_groups_and_functions():
    assert client().ok(PINCTRL, ATTRIBUTES) == [4 << 16 | 7, 4]


def test_3_11_2_5_attributes():
    scmi = client()
    for identifier, selector, bits, name in (
        (SDA, PIN, 1, "sda"),
        (LONG_PIN, PIN, EXTENDED_NAME | 1, LONG_PIN_NAME[:15]),
        (I2C_PADS, GROUP, 2, "i2c-pads"),
        (LONG_GROUP, GROUP, EXTENDED_NAME | 3, LONG_GROUP_NAME[:15]),
        (I2C, FUNCTION, 2, "i2c"),
        (GPIO, FUNCTION, GPIO_FUNCTION | 3, "gpio"),
        (PWM, FUNCTION, PIN_ONLY | 2, "pwm"),
        (LONG_FUNCTION, FUNCTION, EXTENDED_NAME | 1, LONG_FUNCTION_NAME[:15]),
    ):
        payload = scmi.ok(PINCTRL, PIN_ATTRIBUTES, identifier, selector)
        assert payload[0] == bits and text(payload[1:]) == name


def test_3_11_2_5_upper_half_of_the_identifier_is_ignored():
    assert text(client().ok(PINCTRL, PIN_ATTRIBUTES, 0xABCD0000 | LED, PIN)[1:]) == "led"


def test_3_11_2_5_unknown_pin_group_or_function():
    for identifier, selector in NOBODY:
        assert client().call(PINCTRL, PIN_ATTRIBUTES, identifier, selector) == (NOT_FOUND, [])


def test_3_11_2_5_unknown_selector_or_reserved_flags():
    for flags in (3, 4, 8, 0x80000000):
        assert client().call(PINCTRL, PIN_ATTRIBUTES, SDA, flags) == (INVALID_PARAMETERS, [])


def test_3_11_2_6_pins_of_a_group_and_groups_or_pins_of_a_function():
    scmi = client()
    for identifier, selector, members in (
        (I2C_PADS, GROUP, [SDA, SCL]),
        (LONG_GROUP, GROUP, [SDA, LED, STRONG]),
        (I2C, FUNCTION, [I2C_PADS, LONG_GROUP]),
        (GPIO, FUNCTION, [I2C_PADS, LED_PADS, SEALED_PADS]),
        (PWM, FUNCTION, [LED, STRONG]),
    ):
        payload = scmi.ok(PINCTRL, LIST_ASSOCIATIONS, identifier, selector, 0)
        halves = [half for word in payload[1:] for half in (word & 0xFFFF, word >> 16)]
        assert payload[0] == len(members) and halves[: len(members)] == members
        assert len(payload) == 1 + (len(members) + 1) // 2 and not any(halves[len(members) :])


def test_3_11_2_6_list_in_pieces():
    scmi = client()
    assert scmi.ok(PINCTRL, LIST_ASSOCIATIONS, LONG_GROUP, GROUP, 0, room=16) == [1 << 16 | 2, LED << 16 | SDA]
    assert scmi.ok(PINCTRL, LIST_ASSOCIATIONS, LONG_GROUP, GROUP, 2, room=16) == [1, STRONG]
    assert scmi.ok(PINCTRL, LIST_ASSOCIATIONS, LONG_GROUP, GROUP, 1, room=16) == [2, STRONG << 16 | LED]
    assert scmi.call(PINCTRL, LIST_ASSOCIATIONS, LONG_GROUP, GROUP, 0, room=12) == (PROTOCOL_ERROR, [])


def test_3_11_2_6_group_of_many_pins():
    names = ["p{}".format(number) for number in range(100)]
    scmi = Client(Platform(pins=Pins(names, [Group("all", names)])).agents[0])
    found = []
    while len(found) < 100:
        payload = scmi.ok(PINCTRL, LIST_ASSOCIATIONS, 0, GROUP, len(found))
        number, left = payload[0] & 0xFFF, payload[0] >> 16
        assert number == min(62, 100 - len(found)) and left == 100 - len(found) - number
        found += [half for word in payload[1:] for half in (word & 0xFFFF, word >> 16)][:number]
    assert found == list(range(100))


def test_3_11_2_6_index_past_the_end():
    for index in (2, 3, 0xFFFFFFFF):
        assert client().call(PINCTRL, LIST_ASSOCIATIONS, I2C_PADS, GROUP, index) == (INVALID_PARAMETERS, [])


def test_3_11_2_6_pin_has_no_associations():
    assert client().call(PINCTRL, LIST_ASSOCIATIONS, SDA, PIN, 0) == (NOT_SUPPORTED, [])


def test_3_11_2_6_unknown_selector_or_reserved_flags():
    for flags in (3, 4, 0x80000001):
        assert client().call(PINCTRL, LIST_ASSOCIATIONS, I2C_PADS, flags, 0) == (INVALID_PARAMETERS, [])


def test_3_11_2_6_unknown_group_or_function():
    for identifier, selector in NOBODY:
        assert client().call(PINCTRL, LIST_ASSOCIATIONS, identifier, selector, 0) == (NOT_FOUND, [])


def test_3_11_2_7_one_type():
    scmi = client()
    for pin, kind, value in ((LED, PULL_DOWN, 1), (LED, OUTPUT_MODE, 1), (STRONG, STRENGTH, 4), (STRONG, OEM, 7)):
        assert setting(scmi, pin, kind) == value


def test_3_11_2_7_all_types_ascending():
    payload = client().ok(PINCTRL, SETTINGS_GET, LED, ALL)
    assert payload == [NO_FUNCTION, 7] + LED_SETTINGS


def test_3_11_2_7_all_types_in_pieces():
    scmi = client()
    found = []
    for skip in (0, 3, 6):
        payload = scmi.ok(PINCTRL, SETTINGS_GET, LED, ALL | skip << 8, room=40)
        number = min(3, 7 - skip)
        assert payload[1] == (7 - skip - number) << 24 | number
        found += payload[2:]
    assert found == LED_SETTINGS
    for skip in (7, 8, 255):
        assert scmi.call(PINCTRL, SETTINGS_GET, LED, ALL | skip << 8) == (INVALID_PARAMETERS, [])


def test_3_11_2_7_no_room_for_one_configuration():
    scmi = client()
    for wanted in (ALL, ONE | PULL_DOWN):
        assert scmi.call(PINCTRL, SETTINGS_GET, LED, wanted, room=20) == (PROTOCOL_ERROR, [])
        assert scmi.call(PINCTRL, SETTINGS_GET, LED, wanted, room=12) == (PROTOCOL_ERROR, [])


def test_3_11_2_7_group_has_what_all_of_its_pins_have():
    scmi = client()
    assert setting(scmi, I2C_PADS, PULL_DISABLE, OF_GROUP) == 0
    assert scmi.ok(PINCTRL, SETTINGS_GET, LED_PADS, ALL | OF_GROUP) == [NO_FUNCTION, 0]
    assert scmi.call(PINCTRL, SETTINGS_GET, LED_PADS, STRENGTH | OF_GROUP) == (INVALID_PARAMETERS, [])


def test_3_11_2_7_type_that_the_pin_does_not_have_or_that_is_not_in_force():
    for pin, kind in ((STRONG, PUSH_PULL), (STRONG, 201), (LED, PULL_UP), (LED, 0), (LED, 255)):
        assert client().call(PINCTRL, SETTINGS_GET, pin, kind) == (INVALID_PARAMETERS, [])


def test_3_11_2_7_reserved_bits_selector_or_config_flag():
    for attributes in (2 << 16, 3 << 16, 3 << 18, 1 << 20, 1 << 31):
        assert client().call(PINCTRL, SETTINGS_GET, LED, attributes) == (INVALID_PARAMETERS, [])


def test_3_11_2_7_unknown_pin_or_group():
    for identifier, attributes in ((7, ALL), (4, ALL | OF_GROUP), (0xFFFF, ALL)):
        assert client().call(PINCTRL, SETTINGS_GET, identifier, attributes) == (NOT_FOUND, [])


def test_3_11_2_8_settings_of_a_pin():
    scmi = client()
    configs = (PULL_UP, 1, STRENGTH, 20, OUTPUT_VALUE, 1)
    assert scmi.ok(PINCTRL, SETTINGS_CONFIGURE, LED, NO_FUNCTION, count(3), *configs) == []
    for kind, value in ((PULL_UP, 1), (STRENGTH, 20), (OUTPUT_VALUE, 1), (OUTPUT_MODE, 1)):
        assert setting(scmi, LED, kind) == value


def test_3_11_2_8_one_bias_and_one_drive_mode_are_in_force():
    scmi = client()
    scmi.ok(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(2), PULL_UP, 1, 7, 0)
    for kind in (PULL_DOWN, PULL_DISABLE, PUSH_PULL):
        assert scmi.call(PINCTRL, SETTINGS_GET, LED, kind) == (INVALID_PARAMETERS, [])


def test_3_11_2_8_settings_in_any_order():
    scmi = client()
    scmi.ok(PINCTRL, SETTINGS_CONFIGURE, STRONG, 0, count(3), OEM, 9, STRENGTH, 8, PULL_UP, 50_000)
    assert scmi.ok(PINCTRL, SETTINGS_GET, STRONG, ALL) == [NO_FUNCTION, 3, PULL_UP, 50_000, STRENGTH, 8, OEM, 9]


def test_3_11_2_8_settings_of_all_pins_of_a_group():
    scmi = client()
    scmi.ok(PINCTRL, SETTINGS_CONFIGURE, LED_PADS, 0, count(1, group=True), STRENGTH, 8)
    assert setting(scmi, LED, STRENGTH) == setting(scmi, STRONG, STRENGTH) == 8
    assert setting(scmi, LED_PADS, STRENGTH, OF_GROUP) == 8


def test_3_11_2_8_nothing_to_configure():
    assert client().call(PINCTRL, SETTINGS_CONFIGURE, LED, 99, 0) == (INVALID_PARAMETERS, [])


def test_3_11_2_8_one_wrong_setting_and_none_is_set():
    scmi = client()
    for kind, value, status in (
        (OUTPUT_VALUE, 2, INVALID_PARAMETERS),
        (STRENGTH | 1 << 8, 1, INVALID_PARAMETERS),
        (OEM, 1, NOT_SUPPORTED),
        (0, 0, NOT_SUPPORTED),
        (INPUT_VALUE, 1, NOT_SUPPORTED),
    ):
        assert scmi.call(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(2), STRENGTH, 9, kind, value) == (status, [])
    for pair, status in (((PUSH_PULL, 0), NOT_SUPPORTED), ((STRENGTH, 3), INVALID_PARAMETERS)):
        words = (PULL_UP, 1) + pair
        assert scmi.call(PINCTRL, SETTINGS_CONFIGURE, LED_PADS, 0, count(2, group=True), *words) == (status, [])
    assert scmi.ok(PINCTRL, SETTINGS_GET, LED, ALL)[2:] == LED_SETTINGS


def test_3_11_2_8_pins_are_changed():
    board = Board()
    board.client.ok(PINCTRL, SETTINGS_CONFIGURE, 0, 0, count(1, group=True), STRENGTH, 5)
    board.client.ok(PINCTRL, SETTINGS_CONFIGURE, 0, 0, count(1, group=True), STRENGTH, 5)
    assert board.done == [("one", 5, None), ("two", 5, None)]


def test_3_11_2_8_pin_that_fails_leaves_the_others_as_they_were():
    board = Board()
    board.broken = True
    words = (0, 0, count(1, group=True), STRENGTH, 5)
    assert board.client.call(PINCTRL, SETTINGS_CONFIGURE, *words) == (GENERIC_ERROR, [])
    assert board.done == [("one", 5, None), ("one", 0, None)]
    assert setting(board.client, 0, STRENGTH) == 0


def test_3_11_2_8_length_is_what_the_number_of_configurations_says():
    scmi = client()
    for number, words in (
        (0, (STRENGTH, 1)),
        (1, ()),
        (1, (STRENGTH,)),
        (2, (STRENGTH, 1)),
        (1, (STRENGTH, 1, OEM, 1)),
    ):
        assert scmi.call(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(number), *words) == (PROTOCOL_ERROR, [])
    for length in (4, 8, 12, 17, 23, 25):
        reply = scmi.call(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(1), STRENGTH, 1, length=length)
        assert reply == (PROTOCOL_ERROR, [])


def test_3_11_2_8_more_configurations_than_there_is_room_for():
    scmi = client()
    assert scmi.call(PINCTRL, SETTINGS_CONFIGURE, LED, 0, count(255), length=16 + 255 * 8) == (PROTOCOL_ERROR, [])
    assert setting(scmi, LED, STRENGTH) == 0


def test_3_11_2_8_reserved_bits_or_selector():
    for attributes in (2, 3, 1 << 11, 1 << 31):
        assert client().call(PINCTRL, SETTINGS_CONFIGURE, LED, 0, attributes) == (INVALID_PARAMETERS, [])


def test_3_11_2_8_unknown_pin_or_group():
    for identifier, selector in ((7, PIN), (4, GROUP)):
        assert client().call(PINCTRL, SETTINGS_CONFIGURE, identifier, 0, selector) == (NOT_FOUND, [])


def test_3_11_2_8_forbidden_pin_and_a_group_with_one():
    for identifier, selector in ((SEALED_PIN, PIN), (SEALED_PADS, GROUP)):
        words = (identifier, 0, 1 << 2 | selector, STRENGTH, 1)
        assert client().call(PINCTRL, SETTINGS_CONFIGURE, *words) == (DENIED, [])


def test_3_11_2_11_name():
    scmi = client()
    for identifier, selector, name in (
        (SDA, PIN, "sda"),
        (LONG_PIN, PIN, LONG_PIN_NAME),
        (LONG_GROUP, GROUP, LONG_GROUP_NAME),
        (LONG_FUNCTION, FUNCTION, LONG_FUNCTION_NAME),
    ):
        payload = scmi.ok(PINCTRL, NAME_GET, identifier, selector)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_11_2_11_unknown_pin_group_or_function():
    for identifier, selector in NOBODY:
        assert client().call(PINCTRL, NAME_GET, identifier, selector) == (NOT_FOUND, [])


def test_3_11_2_11_unknown_selector_or_reserved_flags():
    for flags in (3, 4, 0x80000000):
        assert client().call(PINCTRL, NAME_GET, SDA, flags) == (INVALID_PARAMETERS, [])
