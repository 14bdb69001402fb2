# SPDX-License-Identifier: MIT
"""Pin control protocol 1.0. Source: DEN0056F, 3.11.

Pins, groups and functions have an identifier space each, and a selector beside the identifier says which is meant. An
identifier has 16 bits, the upper half of its word is ignored. What is under the exclusive control of another agent is
IN_USE.

The specification has SETTINGS_CONFIGURE sort its configurations by type. Linux 6.12 sends them as its device tree has
them, so any order is taken.
"""

from hal.compat import const
from scmi.message import row
from scmi.model.pin import KEEP
from scmi.model.pin_config import INPUT_VALUE
from scmi.protocols.common import Protocol, common_messages, name_get
from scmi.status import DENIED, IN_USE, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, Refusal
from scmi.wire import SHORT_NAME, paginate, put, text_words

PROTOCOL_ID = const(0x19)

# Selectors, and which of them a message takes.
_PIN, _GROUP, _FUNCTION = const(0), const(1), const(2)
_ALL = (_PIN, _GROUP, _FUNCTION)
_WITH_SETTINGS = (_PIN, _GROUP)

# attributes of PINCTRL_ATTRIBUTES (3.11.2.5).
_EXTENDED_NAME = const(1 << 31)
_GPIO = const(1 << 17)
_PIN_ONLY = const(1 << 16)

# attributes of PINCTRL_SETTINGS_GET (3.11.2.7): what is asked for.
_ONE_TYPE, _ALL_TYPES, _ONLY_FUNCTION = const(0), const(1), const(2)

# attributes of PINCTRL_SETTINGS_CONFIGURE (3.11.2.8).
_FUNCTION_VALID = const(1 << 10)
_CONFIGURATIONS = const(0xFF << 2)
_NO_FUNCTION = const(0xFFFFFFFF)

_ALLOW = const(1 << 2)

_CONFIGURE_BYTES = const(16)


def _selected(selectors, identifier_at, selector_at, shift, handler):
    """Return the handler of a message that names a pin, group or function.

    `selectors`: those that it takes; `identifier_at`, `selector_at`: words of the request that have identifier and
    selector; `shift`: bit of its word where the selector begins. `handler` gets the object that is named.
    """

    def handle(agent, protocol, request, reply, room):
        selector = request[selector_at] >> shift & 3
        if selector not in selectors:
            return INVALID_PARAMETERS
        items = protocol.kinds[selector]
        identifier = request[identifier_at] & 0xFFFF
        if identifier >= len(items):
            return NOT_FOUND
        if not agent.may_use(protocol, items[identifier]):
            return DENIED
        return handler(agent, items[identifier], request, reply, room)

    return handle


def _denied(agent, item):
    """Return whether the agent may not set or request `item`: a group needs access to all of its pins."""
    protocol = agent.platform.protocols[PROTOCOL_ID]
    return item.refused_to(agent.id) or not all(agent.may_use(protocol, pin) for pin in item.pins)


def attributes(agent, item, request, reply, room):
    """PINCTRL_ATTRIBUTES (3.11.2.5)."""
    selector = request[2]
    bits = 1 if selector == _PIN else len(item.pins if selector == _GROUP else item.members)
    if selector == _FUNCTION:
        bits |= (_GPIO if item.gpio else 0) | (_PIN_ONLY if item.single else 0)
    if len(item.name.encode()) >= SHORT_NAME:
        bits |= _EXTENDED_NAME
    reply[2] = bits
    return put(reply, 3, text_words(item.name, SHORT_NAME)) << 2


def list_associations(agent, item, request, reply, room):
    """PINCTRL_LIST_ASSOCIATIONS (3.11.2.6): the pins of a group, the groups or pins of a function, ascending, two to a
    word."""
    if request[2] == _PIN:
        return NOT_SUPPORTED
    members = item.pins if request[2] == _GROUP else item.members
    first = request[3]
    if first >= len(members):
        return INVALID_PARAMETERS
    wanted = [member.id for member in members[first:]] + [0]
    records = [(wanted[at] | wanted[at + 1] << 16,) for at in range(0, len(wanted) - 1, 2)]
    written = paginate(records, 0, reply, room, INVALID_PARAMETERS, 16)
    if written > 0:
        count = min(len(wanted) - 1, written - 12 >> 1)
        reply[2] = len(wanted) - 1 - count << 16 | count
    return written


def settings_get(agent, item, request, reply, room):
    """PINCTRL_SETTINGS_GET (3.11.2.7). A type that the pin does not have, or that is not in force, is invalid."""
    wanted = request[2] >> 18
    if wanted > _ONLY_FUNCTION:
        return INVALID_PARAMETERS
    settings, first = item.settings(), 0
    if wanted == _ALL_TYPES:
        first = request[2] >> 8 & 0xFF
    elif wanted == _ONE_TYPE:
        settings = [setting for setting in settings if setting[0] == request[2] & 0xFF]
        if not settings:
            return INVALID_PARAMETERS
    else:
        settings = ()
    written = paginate(settings, first, reply, room, INVALID_PARAMETERS, 24, count_at=3)
    if written > 0:
        reply[2] = item.selected.id if item.selected else _NO_FUNCTION
    return written


def settings_configure(agent, item, request, reply, room):
    """PINCTRL_SETTINGS_CONFIGURE (3.11.2.8): function and settings of a pin or of all pins of a group, or nothing."""
    if _denied(agent, item):
        return DENIED
    if item.held_from(agent.id):
        return IN_USE
    if not request[3] & (_FUNCTION_VALID | _CONFIGURATIONS):
        return INVALID_PARAMETERS
    function = _function(agent, item, request)
    settings = _settings(item, request)
    for pin in item.pins:
        agent.note(pin)
    item.configure(settings, function, agent.id)
    return 8


def _function(agent, item, request):
    """Return the Function that SETTINGS_CONFIGURE selects, None for none, KEEP if it selects nothing."""
    if not request[3] & _FUNCTION_VALID:
        return KEEP
    if request[2] == _NO_FUNCTION:
        return None
    functions = agent.platform.pins.functions
    if request[2] >= len(functions):
        raise Refusal(INVALID_PARAMETERS)
    if functions[request[2]] not in item.functions:
        raise Refusal(NOT_SUPPORTED)
    return functions[request[2]]


def _settings(item, request):
    """Return the configurations of SETTINGS_CONFIGURE, all of which are for `item`, as (type, value)."""
    settings = []
    for at in range(4, 4 + 2 * _configurations(request), 2):
        number, value = request[at], request[at + 1]
        if number >> 8:
            raise Refusal(INVALID_PARAMETERS)
        if number == INPUT_VALUE or not item.supports(number):
            raise Refusal(NOT_SUPPORTED)
        if not item.accepts(number, value):
            raise Refusal(INVALID_PARAMETERS)
        settings.append((number, value))
    return settings


def _configurations(request):
    """Return how many configurations PINCTRL_SETTINGS_CONFIGURE says that it has."""
    return (request[3] & _CONFIGURATIONS) >> 2


def request_control(agent, item, request, reply, room):
    """PINCTRL_REQUEST (3.11.2.9). Control of a group is control of its pins; to request again changes nothing."""
    if _denied(agent, item):
        return DENIED
    return 8 if item.request(agent.id) else IN_USE


def release_control(agent, item, request, reply, room):
    """PINCTRL_RELEASE (3.11.2.10): what the agent has not requested it cannot release."""
    return 8 if item.release(agent.id) else INVALID_PARAMETERS


def set_permissions(agent, item, request, reply, room):
    """PINCTRL_SET_PERMISSIONS (3.11.2.12): whether an agent may configure and request a pin or group.

    An agent loses the control that it has of what it is denied.
    """
    agents = agent.platform.agents
    if not 0 < request[1] <= len(agents):
        return NOT_FOUND
    if not agent.trusted:
        return DENIED
    if request[3] & _ALLOW:
        item.denied.discard(request[1])
    else:
        item.deny(request[1])
    return 8


class PinctrlProtocol(Protocol):
    """The pin control protocol of a platform; its resources are the objects of `scmi.model.pinctrl`."""

    ID = PROTOCOL_ID
    NAME = "pinctrl"
    VERSIONS = (0x10000,)
    MESSAGES = common_messages(("attributes_low", "attributes_high"), 0x10000) + (
        row(
            0x3,
            "PINCTRL_ATTRIBUTES",
            0x10000,
            ("identifier", "flags"),
            ("attributes", "name*4"),
            _selected(_ALL, 1, 2, 0, attributes),
            flags=("flags", 3),
        ),
        row(
            0x4,
            "PINCTRL_LIST_ASSOCIATIONS",
            0x10000,
            ("identifier", "flags", "index"),
            ("flags", "array[1]"),
            _selected(_ALL, 1, 2, 0, list_associations),
            flags=("flags", 3),
        ),
        row(
            0x5,
            "PINCTRL_SETTINGS_GET",
            0x10000,
            ("identifier", "attributes"),
            ("function_selected", "num_configs", "configs[2]"),
            _selected(_WITH_SETTINGS, 1, 2, 16, settings_get),
            flags=("attributes", 0xFFFFF),
        ),
        row(
            0x6,
            "PINCTRL_SETTINGS_CONFIGURE",
            0x10000,
            ("identifier", "function_id", "attributes", "configs[2]"),
            (),
            _selected(_WITH_SETTINGS, 1, 3, 0, settings_configure),
            flags=("attributes", 0x7FF),
        ),
        row(
            0x7,
            "PINCTRL_REQUEST",
            0x10000,
            ("identifier", "flags"),
            (),
            _selected(_WITH_SETTINGS, 1, 2, 0, request_control),
            flags=("flags", 3),
        ),
        row(
            0x8,
            "PINCTRL_RELEASE",
            0x10000,
            ("identifier", "flags"),
            (),
            _selected(_WITH_SETTINGS, 1, 2, 0, release_control),
            flags=("flags", 3),
        ),
        row(
            0x9,
            "PINCTRL_NAME_GET",
            0x10000,
            ("identifier", "flags"),
            ("flags", "name*16"),
            _selected(_ALL, 1, 2, 0, name_get),
            flags=("flags", 3),
        ),
        row(
            0xA,
            "PINCTRL_SET_PERMISSIONS",
            0x10000,
            ("agent_id", "identifier", "flags"),
            (),
            _selected(_WITH_SETTINGS, 2, 3, 0, set_permissions),
            flags=("flags", 7),
        ),
    )

    def __init__(self, platform, resources):
        super().__init__(platform, resources)
        pins = platform.pins
        self.kinds = (pins, pins.groups, pins.functions)

    def attributes(self, agent):
        """Numbers of pins, groups and functions."""
        pins, groups, functions = self.kinds
        return (len(groups) << 16 | len(pins), len(functions))

    def fits(self, request, length):
        """Return whether SETTINGS_CONFIGURE, the message of no fixed length, has as many words as it says."""
        return (
            length >= _CONFIGURE_BYTES
            and length == _CONFIGURE_BYTES + 8 * _configurations(request)
            and length <= 4 * len(request)
        )

    def forget(self, agent, permissions):
        """Release what `agent` has requested; with `permissions` also allow it again what it was denied."""
        pins, groups, _ = self.kinds
        for items in (pins, groups):
            for item in items:
                item.forget(agent.id, permissions)
