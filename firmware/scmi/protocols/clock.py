# SPDX-License-Identifier: MIT
"""Clock management protocol 3.0. Source: DEN0056F, 3.6."""

from hal.compat import const
from scmi.message import ACCESS_PARENT, ACCESS_RATE, ACCESS_STATE, row
from scmi.protocols.common import Protocol, common_messages, no_events
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_SUPPORTED, OUT_OF_RANGE
from scmi.wire import LONG_NAME, SHORT_NAME, high, low, paginate, put, text_words

PROTOCOL_ID = const(0x14)

_EXTENDED_NAME = const(1 << 29)
_HAS_PARENTS = const(1 << 28)
_EXTENDED_CONFIG = const(1 << 27)
_RESTRICTED = const(1 << 1)
_ENABLED = const(1 << 0)

_RATE_TRIPLET = const(1 << 12 | 3)

_ROUND_SHIFT = const(2)

_STATE_DISABLE = const(0)
_STATE_ENABLE = const(1)
_STATE_RESERVED = const(2)
_STATE_UNCHANGED = const(3)


def clock_attributes(agent, clock, request, reply, room):
    """CLOCK_ATTRIBUTES (3.6.2.5)."""
    attributes = _ENABLED if clock.enabled else 0
    if clock.forbidden:
        attributes |= _RESTRICTED
    if clock.settings:
        attributes |= _EXTENDED_CONFIG
    if clock.parents:
        attributes |= _HAS_PARENTS
    if len(clock.name.encode()) >= SHORT_NAME:
        attributes |= _EXTENDED_NAME
    reply[2] = attributes
    at = put(reply, 3, text_words(clock.name, SHORT_NAME))
    reply[at] = clock.enable_delay
    return at + 1 << 2


def describe_rates(agent, clock, request, reply, room):
    """CLOCK_DESCRIBE_RATES (3.6.2.6): an ascending list, or lowest, highest and step in one piece."""
    if clock.rate_range:
        triplet = [word for rate in clock.rate_range for word in (low(rate), high(rate))]
        written = paginate((triplet,), request[2], reply, room, OUT_OF_RANGE, 16)
        if written > 0:
            reply[2] = _RATE_TRIPLET
        return written
    records = [(low(rate), high(rate)) for rate in clock.rates]
    return paginate(records, request[2], reply, room, OUT_OF_RANGE, 16)


def rate_set(agent, clock, request, reply, room):
    """CLOCK_RATE_SET (3.6.2.7). A delayed response is refused, so "ignore the delayed response" means nothing."""
    if request[1] & 1 or not clock.can_change_rate:
        return NOT_SUPPORTED
    wanted = clock.rounded(request[4] << 32 | request[3], request[1] >> _ROUND_SHIFT)
    if wanted is None:
        return INVALID_PARAMETERS
    agent.note(clock)
    clock.rate = wanted
    return 8


def rate_get(agent, clock, request, reply, room):
    """CLOCK_RATE_GET (3.6.2.8), whose reply each clock has ready."""
    clock.ready(request[0], reply)
    return 16


def config_set(agent, clock, request, reply, room):
    """CLOCK_CONFIG_SET (3.6.2.9), layout of 3.0. Linux does not send state 3 without a type either: it changes
    nothing."""
    state = request[2] & 3
    kind = request[2] >> 16 & 0xFF
    if state == _STATE_RESERVED or (state == _STATE_UNCHANGED and not kind):
        return INVALID_PARAMETERS
    if kind and kind not in clock.settings:
        return NOT_SUPPORTED
    if kind and not clock.accepts(kind, request[3]):
        return INVALID_PARAMETERS
    if state != _STATE_UNCHANGED and clock.forbidden & ACCESS_STATE:
        return DENIED
    agent.note(clock)
    if kind:
        clock.settings[kind] = request[3]
    if state != _STATE_UNCHANGED:
        clock.enabled = state == _STATE_ENABLE
    return 8


def config_get(agent, clock, request, reply, room):
    """CLOCK_CONFIG_GET (3.6.2.10). An unsupported type is an invalid flag here, as the clause says."""
    kind = request[2]
    if kind and kind not in clock.settings:
        return INVALID_PARAMETERS
    reply[2] = 0
    reply[3] = _ENABLED if clock.enabled else 0
    reply[4] = clock.settings[kind] if kind else 0
    return 20


def name_get(agent, clock, request, reply, room):
    """CLOCK_NAME_GET (3.6.2.11)."""
    reply[2] = 0
    return put(reply, 3, text_words(clock.name, LONG_NAME)) << 2


def possible_parents_get(agent, clock, request, reply, room):
    """CLOCK_POSSIBLE_PARENTS_GET (3.6.2.14): ids, ascending."""
    if not clock.parents:
        return NOT_SUPPORTED
    return paginate([(parent.id,) for parent in clock.parents], request[2], reply, room, OUT_OF_RANGE, 24)


def parent_set(agent, clock, request, reply, room):
    """CLOCK_PARENT_SET (3.6.2.15)."""
    if not clock.parents:
        return NOT_SUPPORTED
    for parent in clock.parents:
        if parent.id == request[2]:
            agent.note(clock)
            clock.parent = parent
            return 8
    return INVALID_PARAMETERS


def parent_get(agent, clock, request, reply, room):
    """CLOCK_PARENT_GET (3.6.2.16)."""
    if not clock.parents:
        return NOT_SUPPORTED
    reply[2] = clock.parent.id
    return 12


def get_permissions(agent, clock, request, reply, room):
    """CLOCK_GET_PERMISSIONS (3.6.2.17)."""
    reply[2] = (ACCESS_STATE | ACCESS_PARENT | ACCESS_RATE) & ~clock.forbidden
    return 12


class ClockProtocol(Protocol):
    """The clock protocol of a platform; resources are `scmi.model.clock.Clock` objects."""

    ID = PROTOCOL_ID
    NAME = "clock"
    VERSIONS = (0x30000,)
    RESOURCE = "clock_id"
    MESSAGES = common_messages(("attributes",), 0x30000) + (
        row(
            0x3,
            "CLOCK_ATTRIBUTES",
            0x10000,
            ("clock_id",),
            ("attributes", "clock_name*4", "clock_enable_delay"),
            clock_attributes,
        ),
        row(
            0x4,
            "CLOCK_DESCRIBE_RATES",
            0x10000,
            ("clock_id", "rate_index"),
            ("num_rates_flags", "rates[2]"),
            describe_rates,
        ),
        row(
            0x5,
            "CLOCK_RATE_SET",
            0x10000,
            ("flags", "clock_id", "rate*2"),
            (),
            rate_set,
            flags=("flags", 0xF),
            access=ACCESS_RATE,
            asynchronous=1,
        ),
        row(0x6, "CLOCK_RATE_GET", 0x10000, ("clock_id",), ("rate*2",), rate_get, ready=True),
        row(
            0x7,
            "CLOCK_CONFIG_SET",
            0x10000,
            ("clock_id", "attributes", "extended_config_val"),
            (),
            config_set,
            flags=("attributes", 0x00FF0003),
        ),
        row(0x8, "CLOCK_NAME_GET", 0x20000, ("clock_id",), ("flags", "name*16"), name_get),
        row(
            0x9,
            "CLOCK_RATE_NOTIFY",
            0x20000,
            ("clock_id", "notify_enable"),
            (),
            no_events,
            flags=("notify_enable", 1),
            notifies=0x0,
        ),
        row(
            0xA,
            "CLOCK_RATE_CHANGE_REQUESTED_NOTIFY",
            0x20000,
            ("clock_id", "notify_enable"),
            (),
            no_events,
            flags=("notify_enable", 1),
            notifies=0x1,
        ),
        row(
            0xB,
            "CLOCK_CONFIG_GET",
            0x30000,
            ("clock_id", "flags"),
            ("attributes", "config", "extended_config_val"),
            config_get,
            flags=("flags", 0xFF),
        ),
        row(
            0xC,
            "CLOCK_POSSIBLE_PARENTS_GET",
            0x30000,
            ("clock_id", "skip_parents"),
            ("num_parents_flags", "possible_parents[1]"),
            possible_parents_get,
        ),
        row(0xD, "CLOCK_PARENT_SET", 0x30000, ("clock_id", "parent_id"), (), parent_set, access=ACCESS_PARENT),
        row(0xE, "CLOCK_PARENT_GET", 0x30000, ("clock_id",), ("parent_id",), parent_get),
        row(0xF, "CLOCK_GET_PERMISSIONS", 0x30000, ("clock_id",), ("permissions",), get_permissions),
    )

    def attributes(self, agent):
        """Number of clocks; no asynchronous rate changes."""
        return (len(self.resources),)
