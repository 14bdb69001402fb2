# SPDX-License-Identifier: MIT
"""The pins of a platform description, their groups, functions and states. Source: DEN0056F, 3.11.1; for the frontend's
nodes the device-tree bindings `arm,scmi.yaml`, `pincfg-node.yaml` and `pinmux-node.yaml`.

    Pins(
        [Pin("sda"), Pin("scl"), Pin("led", {"output-mode": 1})],
        groups=[Group("i2c-pads", ("sda", "scl"))],
        functions=[Function("i2c", ("i2c-pads",))],
        states=[PinState("i2c", groups=("i2c-pads",), function="i2c", properties={"drive-strength": 4})],
    )
"""

from hal.compat import const
from scmi.model.collection import Collection, table
from scmi.model.pin import Group, Pin, require_list
from scmi.model.resource import Resource
from scmi.model.rules import entries_of, is_integer, items_of, require, require_flag, require_name, require_unique

# Identifiers are 16 bits on the wire, and a list of associations tells a number of 12 bits.
_MOST = const(0xFFFF)
_MOST_MEMBERS = const(0xFFF)


class Function(Resource):
    """What pins can do, such as "uart": selected for groups of pins, or for single pins."""

    KIND = "pin function"

    def __init__(self, name, groups=(), pins=(), gpio=False):
        """Describe a function; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `groups`: names of the groups that can have it. `pins`: names of the pins that can have
        it by themselves; a function is for groups or for pins, and Linux 6.12 knows only those for groups. `gpio`:
        whether it is the general purpose function, of which a pin or group has one at most.
        """
        super().__init__(name)
        require(bool(groups) != bool(pins), self.subject, "must have groups or pins, and not both")
        self.member_names = require_list(groups or pins, self.subject, "groups" if groups else "pins")
        self.single = bool(pins)
        self.gpio = require_flag(gpio, self.subject, "gpio")
        self.members = ()

    def connect(self, members, kind):
        """Find its pins or groups, each a `kind`, in the Collection `members`, and tell them."""
        for name in self.member_names:
            require(name in members, self.subject, f"{name!r} is no {kind}; there are: {', '.join(members.keys())}")
        self.members = tuple(member for member in members if member.name in self.member_names)
        for member in self.members:
            twice = self.gpio and any(function.gpio for function in member.functions)
            require(not twice, self.subject, f"is the second gpio function of {member.subject}")
            member.functions.append(self)

    def row(self):
        """Return the columns of a table for people."""
        return (str(self.id), self.name, "gpio" if self.gpio else "", ", ".join(self.member_names))

    def __repr__(self):
        return "pin function " + "  ".join(self.row())


class PinState:
    """A state of pins that a device of the frontend refers to from its node: `protocol@19/<name>-pins`."""

    def __init__(self, name, groups=(), pins=(), function=None, properties=None):
        """`name`: 1 to 26 bytes; `groups` or `pins`: names; `function`: the name of one of the groups, or None.
        `properties`: {property of `pincfg-node.yaml`: number, or True for one without a value}.
        """
        self.subject = f"pin state {name!r}"
        require_name(name, self.subject)
        require(len(name.encode()) < 27, self.subject, "name must have 26 bytes at most, as nodes are called by it")
        require(bool(groups) != bool(pins), self.subject, "must have groups or pins, and not both")
        require(bool(groups) or function is None, self.subject, "may have a function only for groups, as Linux does")
        self.name = name
        self.member_names = require_list(groups or pins, self.subject, "groups" if groups else "pins")
        self.of_groups = bool(groups)
        self.function = function
        self.properties = dict(entries_of(properties, self.subject, "properties"))
        for key, value in self.properties.items():
            holds = isinstance(key, str) and (value is True or (is_integer(value) and 0 <= value < 1 << 32))
            require(holds, self.subject, f"properties: {key!r} must be True or a number of 32 bits, not {value!r}")

    def check(self, pins):
        """Check its names against `pins`, a Pins."""
        for name in self.member_names:
            known = pins.groups if self.of_groups else pins
            require(name in known, self.subject, f"{name!r} is not there; there are: {', '.join(known.keys())}")
            if self.function is not None:
                names = [function.name for function in known[name].functions]
                require(self.function in names, self.subject, f"{name!r} has no function {self.function!r}")

    def node(self):
        """Return the properties of its node."""
        properties = {"groups" if self.of_groups else "pins": list(self.member_names)}
        if self.function is not None:
            properties["function"] = self.function
        properties.update(self.properties)
        return properties


class Pins(Collection):
    """All pins by id or name: `soc.pins["led"]`, `soc.pins.groups["i2c-pads"]`, `soc.pins.functions`."""

    def __init__(self, pins=(), groups=(), functions=(), states=()):
        """Describe the pins of a platform; DescriptionError if a rule is broken.

        `pins`, `groups`, `functions`: Pin, Group and Function objects in the order of their ids; a plain name stands
        for a Pin of that name. `states`: PinState objects for the frontend's device tree.
        """
        pins = [Pin(pin) if isinstance(pin, str) else pin for pin in items_of(pins, "pins", "pins")]
        super().__init__(_numbered(pins, "pin", Pin, _MOST), "pin")
        self.groups = Collection(_numbered(groups, "pin group", Group, _MOST), "pin group")
        self.functions = Collection(_numbered(functions, "pin function", Function, _MOST), "pin function")
        self.states = items_of(states, "pins", "states")
        for state in self.states:
            require(isinstance(state, PinState), "pins", f"states: {state!r} is no PinState")
        require(len(self) or not self.groups, "pins", "has groups, but no pin")
        for group in self.groups:
            require(len(group.pin_names) <= _MOST_MEMBERS, group.subject, "may have 4095 pins at most")
            group.connect(self)
        for function in self.functions:
            require(len(function.member_names) <= _MOST_MEMBERS, function.subject, "may have 4095 members at most")
            function.connect(self if function.single else self.groups, "pin" if function.single else "group")
        require_unique(self.states, "pins", "states")
        for state in self.states:
            state.check(self)

    def resources(self):
        """Return pins, groups and functions."""
        return list(self) + list(self.groups) + list(self.functions)

    def describe(self):
        """Return what a frontend should see, as lists and dicts of plain data."""
        return {
            "pins": [
                {
                    "id": pin.id,
                    "name": pin.name,
                    "config": pin.config,
                    "function": pin.function,
                    "forbidden": pin.forbidden,
                }
                for pin in self
            ],
            "groups": [
                {"id": group.id, "name": group.name, "pins": list(group.pin_names), "function": group.function}
                for group in self.groups
            ],
            "functions": [
                {
                    "id": function.id,
                    "name": function.name,
                    "pins" if function.single else "groups": list(function.member_names),
                    "gpio": function.gpio,
                }
                for function in self.functions
            ],
        }

    def frontend_properties(self):
        """Return the sub-nodes of the frontend's protocol node, one for each state."""
        return {f"{state.name}-pins": state.node() for state in self.states}

    def __repr__(self):
        lines = [super().__repr__()]
        for title, items in (("groups", self.groups), ("functions", self.functions)):
            if len(items):
                lines.append(title + "\n  " + table([item.row() for item in items]).replace("\n", "\n  "))
        return "\n".join(lines)


def _numbered(items, kind, expected, most):
    """Give `items`, each an `expected`, their ids from 0 on and return them."""
    items = items_of(items, "pins", f"{kind}s")
    require(len(items) <= most, "pins", f"may have {most} {kind}s at most")
    for number, item in enumerate(items):
        require(isinstance(item, expected), "pins", f"{kind} number {number} is a {type(item).__name__}, not a {kind}")
        item.id = number
    require_unique(items, "pins", f"{kind}s")
    return items
