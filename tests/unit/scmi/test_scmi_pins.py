# SPDX-License-Identifier: MIT
"""Pins of a platform description: what is refused and how that is said, what the prompt and the frontend see."""

from scmi.platform import Clock, DescriptionError, Function, Group, Pin, Pins, PinState, Platform
from scmi_example import LONG_GROUP_NAME, STRENGTHS, platform
from support import raises


def refused(build, *words):
    """Demand that `build()` is refused with a message that has all `words` in it."""
    message = str(raises(DescriptionError, build))
    for word in words:
        assert word in message, message


def set_to(item, name, value):
    """Set a configuration type as the prompt does."""
    item[name] = value


def pin(config):
    """Return what makes a pin with this configuration."""
    return lambda: Pin("p", config)


class Wires:
    """Two pins in a group that can be "uart", which note how they are changed."""

    def __init__(self):
        self.done = []
        self.pins = Pins(
            [Pin("tx", change=self.note), Pin("rx", change=self.note)],
            groups=[Group("pads", ("tx", "rx"))],
            functions=[Function("uart", ("pads",))],
        )

    def note(self, name, config, function):
        self.done.append((name, config["drive-strength"], function))


def test_pins_that_are_refused():
    refused(lambda: Pin(""), "pin ''", "1 to 63 bytes")
    refused(lambda: Pin("p", {"bias-up": 1}), "pin 'p'", "'bias-up'", "bias-pull-up", "192 to 255")
    for number in (0, 20, 191, 256, True):
        refused(pin({number: 1}), "no configuration type")
    refused(lambda: Pin("p", supports=("pwm",)), "'pwm'")
    for value in (-1, 1 << 32, 1.5, "x", None):
        refused(pin({"drive-strength": value}), "drive-strength", "32 bits")
    refused(lambda: Pin("p", {"output-mode": 2}), "output-mode must be one of (0, 1), not 2")
    refused(lambda: Pin("p", {"bias-disable": 0, "bias-pull-up": 1}), "only one can be in force", "'bias-pull-up'")
    refused(lambda: Pin("p", choices={"slew-rate": (1,)}), "choices", "'slew-rate'")
    refused(lambda: Pin("p", choices={"drive-strength": ()}), "must have a value")
    refused(lambda: Pin("p", choices={"drive-strength": ("x",)}), "32 bits")
    refused(lambda: Pin("p", choices={"drive-strength": (2, 4)}), "drive-strength must be one of (2, 4), not 0")
    refused(lambda: Pin("p", change=5), "change must be a function")
    refused(lambda: Pin("p", forbidden="x"), "forbidden must be True or False")


def test_groups_functions_and_states_that_are_refused():
    refused(lambda: Group("g", ()), "pin group 'g'", "at least one")
    refused(lambda: Group("g", ("a", "a")), "different names")
    refused(lambda: Group("g", "a"), "list of names")
    refused(lambda: Pins(["a"], [Group("g", ("b",))]), "pin group 'g'", "'b' is no pin", "there are: a")
    refused(lambda: Pins((), [Group("g", ("b",))]), "no pin")
    refused(lambda: Function("f"), "pin function 'f'", "groups or pins")
    refused(lambda: Function("f", ("g",), ("a",)), "not both")
    refused(lambda: Pins(["a"], functions=[Function("f", ("g",))]), "pin function 'f'", "'g' is no group")
    refused(lambda: Pins(["a"], functions=[Function("f", pins=("b",))]), "'b' is no pin")
    both = [Function("f", pins=("a",), gpio=True), Function("h", pins=("a",), gpio=True)]
    refused(lambda: Pins(["a"], functions=both), "pin function 'h'", "second gpio function of pin 'a'")
    refused(lambda: Pins(["a", "a"]), "two pins", "'a'")
    refused(lambda: Pins([Clock("a", 1)]), "pin number 0 is a Clock")
    refused(lambda: Platform(pins=["a"]), "pins must be a Pins, not a list")


def test_states_that_are_refused():
    group, function = Group("g", ("a",)), Function("f", ("g",))
    for state, words in (
        (lambda: PinState("s" * 27, pins=("a",)), ("26 bytes",)),
        (lambda: PinState("s"), ("groups or pins",)),
        (lambda: PinState("s", pins=("a",), function="f"), ("only for groups",)),
        (lambda: Pins(["a"], states=[PinState("s", pins=("b",))]), ("pin state 's'", "'b' is not there")),
        (
            lambda: Pins(["a"], [group], [function], [PinState("s", ("g",), function="x")]),
            ("'g' has no function 'x'",),
        ),
        (lambda: Pins(["a"], states=[PinState("s", pins=("a",)), PinState("s", pins=("a",))]), ("two states", "'s'")),
    ):
        refused(state, *words)


def test_defaults():
    usual = Pin("p")
    assert usual["bias-disable"] == 0 and usual["drive-push-pull"] == 0 and "bias-pull-up" not in usual.config
    assert usual["output-value"] == 0 and usual.function is None
    assert Pin("p", {"bias-pull-up": 1}, supports=()).config == {"bias-pull-up": 1}
    assert Pin("p", supports=()).config == {}


def test_settings_at_the_prompt():
    soc = platform()
    led, strong = soc.pins["led"], soc.pins["strong"]
    led["output-value"] = 1
    assert led["output-value"] == 1
    led["bias-pull-up"] = 1
    assert "no 'bias-pull-down' in force" in str(raises(KeyError, lambda: led["bias-pull-down"]))
    led["input-value"] = 1
    assert led["input-value"] == 1
    refused(lambda: set_to(strong, "output-value", 1), "pin 'strong'", "has no 'output-value'")
    refused(lambda: set_to(strong, "drive-strength", 3), "drive-strength must be one of", str(STRENGTHS[0]))
    refused(lambda: set_to(soc.pins.groups["led-pads"], "drive-strength", 3), "pin 'strong'")
    assert led["drive-strength"] == 0
    soc.pins.groups["led-pads"]["drive-strength"] = 8
    assert led["drive-strength"] == strong["drive-strength"] == 8
    strong[200] = 1
    assert strong[200] == 1


def test_functions_at_the_prompt():
    soc = platform()
    pads = soc.pins.groups["i2c-pads"]
    pads.function = "i2c"
    assert pads.function == soc.pins["sda"].function == "i2c" and soc.pins.groups[LONG_GROUP_NAME].function is None
    refused(lambda: setattr(pads, "function", "pwm"), "pin group 'i2c-pads'", "i2c, gpio", "'pwm'")
    pads.function = None
    assert soc.pins["scl"].function is None


def test_change_is_called_before_a_pin_changes():
    wires = Wires()
    wires.pins.groups["pads"].function = "uart"
    wires.pins["rx"]["drive-strength"] = 5
    wires.pins["rx"]["drive-strength"] = 5
    assert wires.done == [("tx", 0, "uart"), ("rx", 0, "uart"), ("rx", 5, "uart")]


def test_what_the_prompt_sets_is_not_restored_for_an_agent():
    wires = Wires()
    wires.pins["rx"]["drive-strength"] = 5
    wires.pins["rx"].restore(1)
    assert wires.pins["rx"]["drive-strength"] == 5


def test_repr():
    text = repr(platform())
    for word in ("pins", "led", "bias-pull-down 1", "drive-strength 4", "functions", "pwm", "i2c-pads"):
        assert word in text, word
    soc = platform()
    soc.pins["led"].request(1)
    assert "agent 1" in repr(soc.pins["led"]) and "agent" not in repr(soc.pins["sda"])
    assert repr(soc.pins.groups["led-pads"]) == "pin group 1  led-pads    led, strong"
    assert repr(soc.pins.functions["gpio"]).startswith("pin function 1  gpio  gpio")


def test_description_for_the_host():
    described = platform().describe()["pins"]
    assert described["pins"][3] == {
        "id": 3,
        "name": "strong",
        "config": {"bias-disable": 0, "drive-strength": 4, 200: 7},
        "function": None,
        "forbidden": False,
    }
    assert described["groups"][1] == {"id": 1, "name": "led-pads", "pins": ["led", "strong"], "function": None}
    assert described["functions"][2] == {"id": 2, "name": "pwm", "pins": ["led", "strong"], "gpio": False}
    assert Platform().describe()["pins"] == {"pins": [], "groups": [], "functions": []}


def test_nodes_for_the_frontend():
    (node,) = [node for node in platform().frontend_nodes() if node["name"] == "protocol@19"]
    assert node["properties"] == {
        "reg": 0x19,
        "i2c-pins": {"groups": ["i2c-pads"], "function": "i2c", "drive-strength": 4},
        "keys-pins": {"pins": ["sda", "led"], "bias-pull-up": True},
    }
