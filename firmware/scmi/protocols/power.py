# SPDX-License-Identifier: MIT
"""Power domain management protocol 3.1, 3.0, 2.1 and 2.0. Source: DEN0056F, 3.3.

A frontend that asks for "off" while another agent wants the domain on gets SUCCESS, as its vote has been taken; the
domain stays on, and POWER_STATE_GET tells its real state. Linux 6.12 takes that for a failure to switch off and keeps
its own view of the domain at "on".
"""

from hal.compat import const
from scmi.message import ACCESS_STATE, event, row
from scmi.protocols.common import Protocol, common_messages, name_get, notify_row
from scmi.status import INVALID_PARAMETERS
from scmi.wire import SHORT_NAME, put, text_words

PROTOCOL_ID = const(0x11)

# attributes (3.3.2.5)
_NOTIFIES = const(1 << 31)
_DELAYS = const(1 << 30)
_SYNCHRONOUS = const(1 << 29)
_NOTIFIES_REQUESTS = const(1 << 28)
_EXTENDED_NAME = const(1 << 27)
_EXTENDED_NAMES_SINCE = const(0x30000)

_ASYNCHRONOUS = const(1 << 0)


def domain_attributes(agent, domain, request, reply, room):
    """POWER_DOMAIN_ATTRIBUTES (3.3.2.5)."""
    attributes = 0 if domain.fixed else _SYNCHRONOUS
    if agent.hears:
        attributes |= _NOTIFIES | _NOTIFIES_REQUESTS
        attributes |= 0 if domain.fixed or domain.delay is None else _DELAYS
    if len(domain.name.encode()) >= SHORT_NAME and agent.versions[PROTOCOL_ID] >= _EXTENDED_NAMES_SINCE:
        attributes |= _EXTENDED_NAME
    reply[2] = attributes
    return put(reply, 3, text_words(domain.name, SHORT_NAME)) << 2


def state_set(agent, domain, request, reply, room):
    """POWER_STATE_SET (3.3.2.6): the vote of this agent."""
    depth = domain.depth(request[3])
    if depth is None:
        return INVALID_PARAMETERS
    if request[1] & _ASYNCHRONOUS:
        return agent.later(request[0], domain, lambda: _finish(agent, domain, depth))
    agent.note(domain)
    domain.vote(agent.id, depth)
    return 8


def _finish(agent, domain, depth):
    """Carry out an asynchronous change; return the payload of POWER_STATE_SET_COMPLETE (3.3.3.1)."""
    agent.note(domain)
    domain.vote(agent.id, depth)
    return (domain.id, domain.word)


def state_get(agent, domain, request, reply, room):
    """POWER_STATE_GET (3.3.2.7)."""
    reply[2] = domain.word
    return 12


def state_changed(domain, agent):
    """Return the payload of POWER_STATE_CHANGED (3.3.4.1)."""
    return (agent, domain.id, domain.word)


def change_requested(domain, agent, word):
    """Return the payload of POWER_STATE_CHANGE_REQUESTED (3.3.4.2)."""
    return (agent, domain.id, word)


class PowerProtocol(Protocol):
    """The power domain protocol of a platform; resources are `scmi.model.power_domain.PowerDomain` objects."""

    ID = PROTOCOL_ID
    NAME = "power"
    VERSIONS = (0x30001, 0x30000, 0x20001, 0x20000)
    RESOURCE = "domain_id"
    EVENTS = (
        event(0x0, "state", "POWER_STATE_CHANGED", 0x10000, ("agent_id", "domain_id", "power_state"), state_changed),
        event(
            0x1,
            "requested",
            "POWER_STATE_CHANGE_REQUESTED",
            0x20000,
            ("agent_id", "domain_id", "power_state"),
            change_requested,
        ),
    )
    MESSAGES = common_messages(("attributes", "statistics_address*2", "statistics_len"), 0x30001) + (
        row(0x3, "POWER_DOMAIN_ATTRIBUTES", 0x10000, ("domain_id",), ("attributes", "name*4"), domain_attributes),
        row(
            0x4,
            "POWER_STATE_SET",
            0x10000,
            ("flags", "domain_id", "power_state"),
            (),
            state_set,
            flags=("flags", 1),
            access=ACCESS_STATE,
            asynchronous=1,
        ),
        row(0x5, "POWER_STATE_GET", 0x10000, ("domain_id",), ("power_state",), state_get),
        notify_row(0x6, "POWER_STATE_NOTIFY", 0x10000, 0x0, "state"),
        notify_row(0x7, "POWER_STATE_CHANGE_REQUESTED_NOTIFY", 0x20000, 0x1, "requested"),
        row(0x8, "POWER_DOMAIN_NAME_GET", _EXTENDED_NAMES_SINCE, ("domain_id",), ("flags", "name*16"), name_get),
    )

    def attributes(self, agent):
        """Number of domains; address and length of their statistics in shared memory (three words, 3.3.2.3)."""
        return (len(self.resources),) + self.platform.statistics.words(agent, self.ID)
