# SPDX-License-Identifier: MIT
"""Configuration types of pins, by name. Source: DEN0056F, 3.11.1 (table of configuration types)."""

from hal.compat import const
from scmi.model.rules import is_integer, items_of, require

# Types 1 to 20. Type 0 asks for a default that the specification leaves to the platform; no pin here has it.
_NAMES = (
    "bias-bus-hold",
    "bias-disable",
    "bias-high-impedance",
    "bias-pull-up",
    "bias-pull-default",
    "bias-pull-down",
    "drive-open-drain",
    "drive-open-source",
    "drive-push-pull",
    "drive-strength",
    "input-debounce",
    "input-mode",
    "pull-mode",
    "input-value",
    "input-schmitt",
    "low-power-mode",
    "output-mode",
    "output-value",
    "power-source",
    "slew-rate",
)
_FIRST_OEM, _LAST_OEM = const(192), const(255)

# What a pin has unless its description says otherwise.
USUAL = (
    "bias-disable",
    "bias-high-impedance",
    "bias-pull-up",
    "bias-pull-down",
    "drive-open-drain",
    "drive-push-pull",
    "drive-strength",
    "input-mode",
    "input-value",
    "output-mode",
    "output-value",
)

# Of the types of such a span one is in force: (lowest, highest, the one that is unless the description says otherwise).
_SPANS = ((1, 6, 2), (7, 9, 9))
_FLAGS = ("input-mode", "input-value", "low-power-mode", "output-mode", "output-value")
_ON_OFF = (0, 1)

# What a frontend may read and not set.
INPUT_VALUE = const(14)


def number_of(name, subject):
    """Return the number of the configuration type `name`: a name of the table, or an OEM type from 192 to 255."""
    if name in _NAMES:
        return 1 + _NAMES.index(name)
    holds = is_integer(name) and _FIRST_OEM <= name <= _LAST_OEM
    require(holds, subject, f"{name!r} is no configuration type; these are: {', '.join(_NAMES)}, and 192 to 255")
    return name


def name_of(number):
    """Return the name of a configuration type; an OEM type is its number."""
    return number if number >= _FIRST_OEM else _NAMES[number - 1]


def rivals(number):
    """Return the types of which only one can be in force, `number` among them."""
    for lowest, highest, _ in _SPANS:
        if lowest <= number <= highest:
            return range(lowest, highest + 1)
    return (number,)


def put(values, number, value):
    """Set type `number` in {number: value} `values`; what cannot be in force together with it goes."""
    for rival in rivals(number):
        values.pop(rival, None)
    values[number] = value


def first_values(types, config, subject):
    """Return {number: value} of a pin with these `types`, of which `config`, {number: value}, is described."""
    for number in config:
        both = ", ".join(repr(name_of(rival)) for rival in rivals(number) if rival in config)
        require("," not in both, subject, f"config has {both}, of which only one can be in force")
    values = {number: 0 for number in types if len(rivals(number)) == 1}
    for _, _, usual in _SPANS:
        if usual in types:
            values[usual] = 0
    for number, value in config.items():
        put(values, number, value)
    return values


def checked_choices(choices, types, subject):
    """Return {number: values that it may have} of the types that may not have every value of 32 bits."""
    allowed = {number_of(name, subject): _ON_OFF for name in _FLAGS}
    for name, values in choices.items():
        number = number_of(name, subject)
        require(number in types, subject, f"choices has {name!r}, which the pin does not")
        values = items_of(values, subject, f"choices of {name!r}")
        require(len(values) > 0, subject, f"choices of {name!r} must have a value")
        for value in values:
            require_value(value, number, {}, subject)
        allowed[number] = values
    return allowed


def require_value(value, number, choices, subject):
    """Check a value of type `number`: 32 bits, and one of its choices."""
    holds = is_integer(value) and 0 <= value < 1 << 32
    require(holds, subject, f"{name_of(number)} must be a whole number of 32 bits, not {value!r}")
    allowed = choices.get(number)
    require(allowed is None or value in allowed, subject, f"{name_of(number)} must be one of {allowed}, not {value}")
