# SPDX-License-Identifier: MIT
"""Reset domain management protocol 3.1, 3.0, 2.0 and 1.0. Source: DEN0056F, 3.8."""

from hal.compat import const
from scmi.message import ACCESS_STATE, event, row
from scmi.protocols.common import Protocol, common_messages, name_get, notify_row
from scmi.status import INVALID_PARAMETERS
from scmi.wire import SHORT_NAME, put, text_words

PROTOCOL_ID = const(0x16)

# attributes (3.8.2.5)
_DELAYS = const(1 << 31)
_NOTIFIES = const(1 << 30)
_EXTENDED_NAME = const(1 << 29)
_EXTENDED_NAMES_SINCE = const(0x30000)
_LATENCY_UNKNOWN = const(0xFFFFFFFF)

_AUTONOMOUS = const(1 << 0)
_ASSERT = const(1 << 1)
_ASYNCHRONOUS = const(1 << 2)


def domain_attributes(agent, domain, request, reply, room):
    """RESET_DOMAIN_ATTRIBUTES (3.8.2.5)."""
    attributes = 0
    if len(domain.name.encode()) >= SHORT_NAME and agent.versions[PROTOCOL_ID] >= _EXTENDED_NAMES_SINCE:
        attributes |= _EXTENDED_NAME
    if agent.hears:
        attributes |= _NOTIFIES if domain.delay is None else _NOTIFIES | _DELAYS
    reply[2] = attributes
    reply[3] = _LATENCY_UNKNOWN if domain.latency is None else domain.latency
    return put(reply, 4, text_words(domain.name, SHORT_NAME)) << 2


def reset(agent, domain, request, reply, room):
    """RESET (3.8.2.6). An asynchronous reset must be autonomous; an autonomous one ignores the signal's flag."""
    flags, state = request[2], request[3]
    if state not in domain.states or flags & (_ASYNCHRONOUS | _AUTONOMOUS) == _ASYNCHRONOUS:
        return INVALID_PARAMETERS
    if flags & _ASYNCHRONOUS:
        return agent.later(request[0], domain, lambda: _finish(agent, domain, state))
    agent.note(domain)
    if flags & _AUTONOMOUS:
        domain.reset(state, agent.id)
    else:
        domain.drive(flags & _ASSERT != 0, agent.id)
    return 8


def _finish(agent, domain, state):
    """Carry out an asynchronous reset; return the payload of RESET_COMPLETE (3.8.3.1)."""
    agent.note(domain)
    domain.reset(state, agent.id)
    return (domain.id,)


def issued(domain, agent, state):
    """Return the payload of RESET_ISSUED (3.8.4.1)."""
    return (agent, domain.id, state)


class ResetProtocol(Protocol):
    """The reset domain protocol of a platform; resources are `scmi.model.reset.Reset` objects."""

    ID = PROTOCOL_ID
    NAME = "reset"
    VERSIONS = (0x30001, 0x30000, 0x20000, 0x10000)
    RESOURCE = "domain_id"
    EVENTS = (event(0x0, "issued", "RESET_ISSUED", 0x10000, ("agent_id", "domain_id", "reset_state"), issued),)
    MESSAGES = common_messages(("attributes",), 0x30001) + (
        row(
            0x3,
            "RESET_DOMAIN_ATTRIBUTES",
            0x10000,
            ("domain_id",),
            ("attributes", "latency", "name*4"),
            domain_attributes,
        ),
        row(
            0x4,
            "RESET",
            0x10000,
            ("domain_id", "flags", "reset_state"),
            (),
            reset,
            flags=("flags", 7),
            access=ACCESS_STATE,
            asynchronous=4,
        ),
        notify_row(0x5, "RESET_NOTIFY", 0x10000, 0x0, "issued"),
        row(0x6, "RESET_DOMAIN_NAME_GET", _EXTENDED_NAMES_SINCE, ("domain_id",), ("flags", "name*16"), name_get),
    )

    def attributes(self, agent):
        """Number of reset domains."""
        return (len(self.resources),)
