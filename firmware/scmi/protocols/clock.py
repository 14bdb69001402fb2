# SPDX-License-Identifier: MIT
"""Clock management protocol 3.0, 2.0 and 1.0. Source: DEN0056F, 3.6.

An agent that switches off a clock which another agent wants to run gets SUCCESS, as its vote has been taken; the clock
goes on running, and CLOCK_ATTRIBUTES and CLOCK_CONFIG_GET tell so.

CLOCK_RATE_CHANGE_REQUESTED (3.6.4.2) is sent for a rate that was asked for but is not what the clock got: it rounds.

Linux 6.12 asks for every rate asynchronously once PROTOCOL_ATTRIBUTES allows two such requests, whatever the clock: so
either all clocks that can change take them, or none.
"""

from hal.compat import const
from scmi.delayed import MAX_OPEN
from scmi.message import ACCESS_PARENT, ACCESS_RATE, ACCESS_STATE, event, row
from scmi.protocols.common import Protocol, common_messages, name_get, notify_row
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_SUPPORTED, OUT_OF_RANGE
from scmi.wire import FIRST_NUMBER, SHORT_NAME, high, low, paginate, put, put_range, text_words

PROTOCOL_ID = const(0x14)

_SECOND = const(0x20000)
_THIRD = const(0x30000)

_NOTIFIES = const(1 << 31)
_NOTIFIES_REQUESTS = const(1 << 30)
_EXTENDED_NAME = const(1 << 29)
_HAS_PARENTS = const(1 << 28)
_EXTENDED_CONFIG = const(1 << 27)
_RESTRICTED = const(1 << 1)
_ENABLED = const(1 << 0)


_PENDING_SHIFT = const(16)

_ASYNCHRONOUS = const(1 << 0)
_IGNORED = const(1 << 1)
_ROUND_SHIFT = const(2)

_STATE_DISABLE = const(0)
_STATE_ENABLE = const(1)
_STATE_RESERVED = const(2)
_STATE_UNCHANGED = const(3)


def first_attributes(agent, clock, request, reply, room):
    """CLOCK_ATTRIBUTES of version 1.0: whether it runs, and a short name."""
    reply[2] = _ENABLED if clock.enabled else 0
    return put(reply, 3, text_words(clock.name, SHORT_NAME)) << 2


def clock_attributes(agent, clock, request, reply, room):
    """CLOCK_ATTRIBUTES (3.6.2.5)."""
    attributes = _ENABLED if clock.enabled else 0
    if len(clock.name.encode()) >= SHORT_NAME:
        attributes |= _EXTENDED_NAME
    if agent.hears and clock.can_tell("rate"):
        attributes |= _NOTIFIES
    if agent.hears and clock.can_tell("requested"):
        attributes |= _NOTIFIES_REQUESTS
    if agent.versions[PROTOCOL_ID] >= _THIRD:
        attributes |= _RESTRICTED if clock.forbidden else 0
        attributes |= _EXTENDED_CONFIG if clock.settings else 0
        attributes |= _HAS_PARENTS if clock.parents else 0
    reply[2] = attributes
    at = put(reply, 3, text_words(clock.name, SHORT_NAME))
    reply[at] = clock.enable_delay
    return at + 1 << 2


def describe_rates(agent, clock, request, reply, room):
    """CLOCK_DESCRIBE_RATES (3.6.2.6): an ascending list, or lowest, highest and step in one piece."""
    if clock.rate_range:
        triplet = [word for rate in clock.rate_range for word in (low(rate), high(rate))]
        return put_range(triplet, request[2], reply, room, OUT_OF_RANGE)
    records = [(low(rate), high(rate)) for rate in clock.rates]
    return paginate(records, request[2], reply, room, OUT_OF_RANGE, 16)


def rate_set(agent, clock, request, reply, room):
    """CLOCK_RATE_SET (3.6.2.7)."""
    asked = request[4] << 32 | request[3]
    if asked in clock.quick and not request[1] & _ASYNCHRONOUS:
        clock.ready.store(FIRST_NUMBER, asked)
        if clock.rate_by != agent.id:
            clock.rate_by = agent.id
            agent.note(clock)
        return 8
    if not clock.can_change_rate:
        return NOT_SUPPORTED
    if request[1] & _ASYNCHRONOUS:
        return _set_later(agent, clock, request)
    wanted = clock.rounded(asked, request[1] >> _ROUND_SHIFT)
    if wanted is None:
        return INVALID_PARAMETERS
    _set_rate(agent, clock, asked, wanted)
    return 8


def _set_rate(agent, clock, asked, wanted):
    clock.set_rate(wanted, agent.id)
    agent.note(clock)
    if asked != wanted:
        clock.announce("requested", agent.id, (low(asked), high(asked)))


def _set_later(agent, clock, request):
    if clock.delay is None and not agent.platform.protocols[PROTOCOL_ID].delays:
        return NOT_SUPPORTED
    flags, asked = request[1], request[4] << 32 | request[3]
    wanted = clock.rounded(asked, flags >> _ROUND_SHIFT)
    if wanted is None:
        return INVALID_PARAMETERS

    def finish():
        """Return the payload of CLOCK_RATE_SET_COMPLETE (3.6.3.1)."""
        _set_rate(agent, clock, asked, wanted)
        return (clock.id, low(wanted), high(wanted))

    return agent.delayed.begin(request[0], clock.delay or 0, finish, bool(flags & _IGNORED))


def rate_changed(clock, agent):
    """Return the payload of CLOCK_RATE_CHANGED (3.6.4.1)."""
    return (agent, clock.id, low(clock.rate), high(clock.rate))


def change_requested(clock, agent, rate):
    """Return the payload of CLOCK_RATE_CHANGE_REQUESTED (3.6.4.2)."""
    return (agent, clock.id) + rate


def rate_get(agent, clock, request, reply, room):
    """CLOCK_RATE_GET (3.6.2.8), whose reply each clock has ready."""
    clock.ready(request[0], reply)
    return 16


def first_config_set(agent, clock, request, reply, room):
    """CLOCK_CONFIG_SET of versions 1.0 and 2.0: on or off."""
    clock.vote(agent.id, request[2] == _STATE_ENABLE)
    agent.note(clock)
    return 8


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
    clock.configure(kind, request[3], None if state == _STATE_UNCHANGED else state == _STATE_ENABLE, agent.id)
    agent.note(clock)
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
            clock.set_parent(parent, agent.id)
            agent.note(clock)
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
    VERSIONS = (_THIRD, _SECOND, 0x10000)
    RESOURCE = "clock_id"
    EVENTS = (
        event(0x0, "rate", "CLOCK_RATE_CHANGED", _SECOND, ("agent_id", "clock_id", "rate*2"), rate_changed),
        event(
            0x1,
            "requested",
            "CLOCK_RATE_CHANGE_REQUESTED",
            _SECOND,
            ("agent_id", "clock_id", "rate*2"),
            change_requested,
        ),
    )
    MESSAGES = common_messages(("attributes",), _THIRD) + (
        row(0x3, "CLOCK_ATTRIBUTES", 0x10000, ("clock_id",), ("attributes", "clock_name*4"), first_attributes),
        row(
            0x3,
            "CLOCK_ATTRIBUTES",
            _SECOND,
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
            ("clock_id", "attributes"),
            (),
            first_config_set,
            flags=("attributes", 1),
            access=ACCESS_STATE,
        ),
        row(
            0x7,
            "CLOCK_CONFIG_SET",
            _THIRD,
            ("clock_id", "attributes", "extended_config_val"),
            (),
            config_set,
            flags=("attributes", 0x00FF0003),
        ),
        row(0x8, "CLOCK_NAME_GET", _SECOND, ("clock_id",), ("flags", "name*16"), name_get),
        notify_row(0x9, "CLOCK_RATE_NOTIFY", _SECOND, 0x0, "rate", ("clock_id", "notify_enable")),
        notify_row(0xA, "CLOCK_RATE_CHANGE_REQUESTED_NOTIFY", _SECOND, 0x1, "requested", ("clock_id", "notify_enable")),
        row(
            0xB,
            "CLOCK_CONFIG_GET",
            _THIRD,
            ("clock_id", "flags"),
            ("attributes", "config", "extended_config_val"),
            config_get,
            flags=("flags", 0xFF),
        ),
        row(
            0xC,
            "CLOCK_POSSIBLE_PARENTS_GET",
            _THIRD,
            ("clock_id", "skip_parents"),
            ("num_parents_flags", "possible_parents[1]"),
            possible_parents_get,
        ),
        row(0xD, "CLOCK_PARENT_SET", _THIRD, ("clock_id", "parent_id"), (), parent_set, access=ACCESS_PARENT),
        row(0xE, "CLOCK_PARENT_GET", _THIRD, ("clock_id",), ("parent_id",), parent_get),
        row(0xF, "CLOCK_GET_PERMISSIONS", _THIRD, ("clock_id",), ("permissions",), get_permissions),
    )

    @property
    def delays(self):
        """Whether any clock takes time to change."""
        return any(clock.delay is not None for clock in self.resources)

    def attributes(self, agent):
        """Number of clocks, and how many asynchronous changes may be pending."""
        pending = MAX_OPEN if self.delays and agent.hears else 0
        return (pending << _PENDING_SHIFT | len(self.resources),)
