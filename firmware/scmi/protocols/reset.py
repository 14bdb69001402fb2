# SPDX-License-Identifier: MIT
"""Reset domain management protocol 3.1. Source: DEN0056F, 3.8."""

from hal.compat import const
from scmi.message import ACCESS_STATE, row
from scmi.protocols.common import Protocol, common_messages, no_events
from scmi.status import INVALID_PARAMETERS, NOT_SUPPORTED
from scmi.wire import LONG_NAME, SHORT_NAME, put, text_words

PROTOCOL_ID = const(0x16)

_EXTENDED_NAME = const(1 << 29)
_LATENCY_UNKNOWN = const(0xFFFFFFFF)

_AUTONOMOUS = const(1 << 0)
_ASSERT = const(1 << 1)
_ASYNCHRONOUS = const(1 << 2)


def domain_attributes(agent, domain, request, reply, room):
    """RESET_DOMAIN_ATTRIBUTES (3.8.2.5): neither asynchronous resets nor notifications."""
    reply[2] = _EXTENDED_NAME if len(domain.name.encode()) >= SHORT_NAME else 0
    reply[3] = _LATENCY_UNKNOWN if domain.latency is None else domain.latency
    return put(reply, 4, text_words(domain.name, SHORT_NAME)) << 2


def reset(agent, domain, request, reply, room):
    """RESET (3.8.2.6). An asynchronous reset must be autonomous; an autonomous one ignores the signal's flag."""
    flags = request[2]
    if flags & _ASYNCHRONOUS:
        return NOT_SUPPORTED if flags & _AUTONOMOUS else INVALID_PARAMETERS
    if request[3] not in domain.states:
        return INVALID_PARAMETERS
    agent.note(domain)
    if flags & _AUTONOMOUS:
        domain.reset(request[3])
    else:
        domain.asserted = flags & _ASSERT != 0
    return 8


def name_get(agent, domain, request, reply, room):
    """RESET_DOMAIN_NAME_GET (3.8.2.8)."""
    reply[2] = 0
    return put(reply, 3, text_words(domain.name, LONG_NAME)) << 2


class ResetProtocol(Protocol):
    """The reset domain protocol of a platform; resources are `scmi.model.reset.Reset` objects."""

    ID = PROTOCOL_ID
    NAME = "reset"
    VERSIONS = (0x30001,)
    RESOURCE = "domain_id"
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
        row(
            0x5,
            "RESET_NOTIFY",
            0x10000,
            ("domain_id", "notify_enable"),
            (),
            no_events,
            flags=("notify_enable", 1),
            notifies=0x0,
        ),
        row(0x6, "RESET_DOMAIN_NAME_GET", 0x30000, ("domain_id",), ("flags", "name*16"), name_get),
    )

    def attributes(self):
        """Number of reset domains."""
        return (len(self.resources),)
