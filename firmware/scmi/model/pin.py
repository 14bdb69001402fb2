# SPDX-License-Identifier: MIT
"""Pins and groups of pins: what they are configured to, who holds them. Source: DEN0056F, 3.11.1 and the fields of
3.11.2.5 to 3.11.2.12.

What is configured belongs to the pins. A group has the settings and the function that all of its pins have.
"""

from hal.compat import const
from scmi.model.pin_config import (
    USUAL,
    checked_choices,
    first_values,
    name_of,
    number_of,
    put,
    require_value,
    rivals,
)
from scmi.model.resource import Resource
from scmi.model.rules import entries_of, items_of, names_of, require, require_flag

_MOST_CONFIGS = const(255)

# Stands for "the function stays as it is", where None is no function.
KEEP = object()

# Key of the function among who has set what.
_FUNCTION = const(0)


class Selection(Resource):
    """What a message selects to be read, set or requested: a pin, or a group. `pins` are the pins that it means.

    `denied`: ids of the agents to which PINCTRL_SET_PERMISSIONS has refused it.
    """

    def __init__(self, name, pins=()):
        super().__init__(name)
        self.pins = tuple(pins)
        self.denied = set()
        self.functions = []

    def supports(self, number):
        """Return whether it has configuration type `number`."""
        return all(number in pin.types for pin in self.pins)

    def accepts(self, number, value):
        """Return whether type `number`, which it has, may be `value`."""
        return all(value in pin.choices.get(number, (value,)) for pin in self.pins)

    def settings(self):
        """Return what is in force as (type, value), in the order of the types; of a group what all of its pins
        have."""
        return [
            (number, value)
            for number, value in sorted(self.pins[0].values.items())
            if all(pin.values.get(number) == value for pin in self.pins)
        ]

    @property
    def config(self):
        """What is in force, as {type: value}."""
        return {name_of(number): value for number, value in self.settings()}

    def __getitem__(self, name):
        """Return the value of a configuration type; KeyError if it is not in force."""
        wanted = number_of(name, self.subject)
        for number, value in self.settings():
            if number == wanted:
                return value
        raise KeyError(f"{self.subject} has no {name!r} in force, only {self.config}")

    def __setitem__(self, name, value):
        """Set the value of a configuration type."""
        number = number_of(name, self.subject)
        for pin in self.pins:
            pin.require(number, value)
        self.configure(((number, value),))

    @property
    def selected(self):
        """The Function that it has, or None."""
        function = self.pins[0].selected if self.pins else None
        common = function in self.functions and all(pin.selected is function for pin in self.pins)
        return function if common else None

    @property
    def function(self):
        """The name of the function that it has, or None; it may be set to one of `functions`, or to None."""
        return self.selected.name if self.selected else None

    @function.setter
    def function(self, name):
        found = [function for function in self.functions if function.name == name] or [None]
        names = ", ".join(function.name for function in self.functions)
        require(found[0] or name is None, self.subject, f"function must be None or one of {names}, not {name!r}")
        self.configure((), found[0])

    def configure(self, settings, function=KEEP, agent=0):
        """Give all pins `settings`, (type, value) each, and `function`; `agent` is who does it, 0 the platform.

        If the `change` of a pin raises, the pins before it are put back, and nothing has changed.
        """
        done = []
        try:
            for pin in self.pins:
                done.append((pin, pin.alter(settings, function, agent)))
        except Exception:
            for pin, before in done:
                pin.enter(*before)
            raise

    def request(self, agent):
        """Take exclusive control for the agent with id `agent`; return whether nobody else had any of it."""
        if self.held_from(agent):
            return False
        for pin in self.pins:
            pin.claims[self] = agent
        return True

    def release(self, agent):
        """Give up exclusive control; return whether `agent` had requested this pin or group."""
        if self.pins[0].claims.get(self) != agent:
            return False
        for pin in self.pins:
            del pin.claims[self]
        return True

    def held_from(self, agent):
        """Return whether any of its pins is under the exclusive control of an agent other than `agent`."""
        return any(holder != agent for pin in self.pins for holder in pin.claims.values())

    def refused_to(self, agent):
        """Return whether `agent` may not set or request it."""
        return agent in self.denied or any(pin.forbidden or agent in pin.denied for pin in self.pins)

    def deny(self, agent):
        """Refuse it to `agent`, which loses the control that it has of any of its pins."""
        self.denied.add(agent)
        for pin in self.pins:
            for claimed in [claimed for claimed, holder in pin.claims.items() if holder == agent]:
                claimed.release(agent)

    def forget(self, agent, permissions):
        """Release what `agent` has requested; with `permissions` also allow it again what it was denied."""
        self.release(agent)
        if permissions:
            self.denied.discard(agent)


class Pin(Selection):
    """A pin as the frontends see it. `pin["drive-strength"]` is what it is configured to, and may be set."""

    KIND = "pin"

    def __init__(self, name, config=None, supports=USUAL, choices=None, forbidden=False, change=None):
        """Describe a pin; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `config`: {configuration type: value} that it has now; "bias-disable",
        "drive-push-pull" and 0 for whatever is not there. `supports`: types that it has besides those of `config`.
        A type is a name of the specification, such as "drive-strength" (mA), or an OEM type from 192 to 255. Of the
        biases one is in force, and one of the drive modes: setting one ends the other. `choices`: {type: values
        that it may have}; without an entry 0 and 1 for what can be on or off, and 32 bits for everything else.
        `forbidden`: frontends may not set or request it. `change`: function that is called with (name,
        {type: value}, name of the function or None) before any of it changes; what it raises is answered with
        GENERIC_ERROR, and nothing changes.
        """
        super().__init__(name)
        require(change is None or callable(change), self.subject, "change must be a function of name, config, function")
        config = {
            number_of(key, self.subject): value for key, value in entries_of(config, self.subject, "config").items()
        }
        self.types = {number_of(key, self.subject) for key in items_of(supports, self.subject, "supports")}
        self.types |= set(config)
        require(len(self.types) <= _MOST_CONFIGS, self.subject, "may have 255 configuration types at most")
        self.choices = checked_choices(entries_of(choices, self.subject, "choices"), self.types, self.subject)
        self.forbidden = require_flag(forbidden, self.subject, "forbidden")
        self.pins = (self,)
        self.claims = {}
        self._change = change
        self._first = first_values(self.types, config, self.subject)
        for number, value in self._first.items():
            require_value(value, number, self.choices, self.subject)
        self.entered = (self._first, None, {})

    @property
    def values(self):
        """What is in force, as {number of the type: value}."""
        return self.entered[0]

    @property
    def selected(self):
        """The Function that it has, by itself or as one of a group, or None."""
        return self.entered[1]

    def require(self, number, value):
        """Check that type `number` may be set to `value`."""
        known = ", ".join(str(name_of(number)) for number in sorted(self.types))
        require(number in self.types, self.subject, f"has no {name_of(number)!r}; it has: {known}")
        require_value(value, number, self.choices, self.subject)

    def alter(self, settings, function, agent):
        """Have `agent` set these; return what was in force before, as `enter` takes it.

        At the prompt a message can come in between that sets something else of the pin, so it begins again.
        """
        before = None
        while before is not self.entered:
            before = self.entered
            altered = self._altered(before, settings, function, agent)
            self._carry_out(*altered[:2])
        self.entered = altered
        return before

    def _altered(self, entered, settings, function, agent):
        """Return (values, function, who set what) when `agent` has set these after `entered`."""
        values, selected, setters = entered
        values, setters = dict(values), dict(setters)
        for number, value in settings:
            put(values, number, value)
            setters[rivals(number)[0]] = agent
        if function is not KEEP:
            selected = function
            setters[_FUNCTION] = agent
        return values, selected, setters

    def enter(self, values, function, setters):
        """Have these values and this function from now on."""
        self._carry_out(values, function)
        self.entered = (values, function, setters)

    def _carry_out(self, values, function):
        if self._change is not None and (values, function) != self.entered[:2]:
            config = {name_of(number): value for number, value in values.items()}
            self._change(self.name, config, function.name if function else None)

    def restore(self, agent):
        """Go back to the description in everything that the agent with id `agent` has set last."""
        values, function, setters = self.entered
        kept = {key: setter for key, setter in setters.items() if setter != agent}
        if len(kept) == len(setters):
            return
        restored = dict(self._first)
        for number, value in values.items():
            if rivals(number)[0] in kept:
                put(restored, number, value)
        self.enter(restored, function if _FUNCTION in kept else None, kept)

    def row(self):
        """Return the columns of a table for people."""
        config = ", ".join(
            f"{name_of(number)} {value}" if value else name_of(number)
            for number, value in self.settings()
            if value or len(rivals(number)) > 1
        )
        holders = ", ".join(f"agent {agent}" for agent in sorted(set(self.claims.values())))
        return (str(self.id), self.name, self.function or "", config, holders)

    def __repr__(self):
        return "pin " + "  ".join(self.row()).rstrip()


class Group(Selection):
    """Pins that are configured together: `group["drive-strength"]` and `group.function` are theirs, and may be set."""

    KIND = "pin group"

    def __init__(self, name, pins):
        """`name`: 1 to 63 bytes; `pins`: names of its pins, at least one."""
        super().__init__(name)
        self.pin_names = require_list(pins, self.subject, "pins")

    def connect(self, pins):
        """Find its pins in the Collection `pins`."""
        for name in self.pin_names:
            require(name in pins, self.subject, f"{name!r} is no pin; there are: {', '.join(pins.keys())}")
        self.pins = tuple(pin for pin in pins if pin.name in self.pin_names)

    def row(self):
        """Return the columns of a table for people."""
        return (str(self.id), self.name, self.function or "", ", ".join(self.pin_names))

    def __repr__(self):
        return "pin group " + "  ".join(self.row()).rstrip()


def require_list(names, subject, what):
    """Check names of other objects: a list of at least one, without any twice; return it as a tuple."""
    found = names_of(names, subject, what)
    holds = len(found) > 0 and len(set(found)) == len(found)
    require(holds, subject, f"{what} must be a list of different names, at least one, not {names!r}")
    return found
