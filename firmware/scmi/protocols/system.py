# SPDX-License-Identifier: MIT
"""System power management protocol 2.1, 2.0 and 1.0. Source: DEN0056F, 3.4.

A request of one agent is carried out by the platform, and told to all that have subscribed; so is what the platform
itself asks for. Linux 6.12 sends no request: its driver waits for notifications, and shuts down or restarts then.
"""

from hal.compat import const
from scmi.message import event, row
from scmi.protocols.common import Protocol, common_messages, subscriber
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_SUPPORTED

PROTOCOL_ID = const(0x12)

_STATE_SET = const(0x3)
_WARM_RESET = const(2)
_SUSPEND = const(4)

# attributes of SYSTEM_POWER_STATE_SET (3.4.2.4).
_WARM_RESET_SUPPORTED = const(1 << 31)
_SUSPEND_SUPPORTED = const(1 << 30)

_GRACEFUL = const(1 << 0)


def state_set(agent, protocol, request, reply, room):
    """SYSTEM_POWER_STATE_SET (3.4.2.5)."""
    system = protocol.system
    if not agent.may_use(protocol, system):
        return DENIED
    if not system.is_known(request[2]):
        return INVALID_PARAMETERS
    if not system.supports(request[2]):
        return NOT_SUPPORTED
    system.request(agent.id, request[2], request[1] & _GRACEFUL != 0)
    return 8


def state_get(agent, protocol, request, reply, room):
    """SYSTEM_POWER_STATE_GET (3.4.2.6)."""
    if not agent.may_use(protocol, protocol.system):
        return DENIED
    reply[2] = protocol.system.number
    return 12


_subscribe = subscriber(0x0, "state")


def state_notify(agent, protocol, request, reply, room):
    """SYSTEM_POWER_STATE_NOTIFY (3.4.2.7)."""
    if not agent.may_use(protocol, protocol.system):
        return DENIED
    return _subscribe(agent, protocol.system, request, reply, room)


def notifier(system, agent, graceful, timeout):
    """Return the payload of SYSTEM_POWER_STATE_NOTIFIER (3.4.3.1)."""
    return (agent, _GRACEFUL if graceful else 0, system.number, timeout)


def first_notifier(system, agent, graceful, timeout):
    """Return the payload of SYSTEM_POWER_STATE_NOTIFIER in version 1.0, without the time that is left."""
    return notifier(system, agent, graceful, timeout)[:3]


class SystemProtocol(Protocol):
    """The system power protocol of a platform; the one resource is a `scmi.model.system_power.SystemPower`."""

    ID = PROTOCOL_ID
    NAME = "system"
    UNHEARD = NOT_SUPPORTED  # as 3.4.2.4 says
    VERSIONS = (0x20001, 0x20000, 0x10000)
    EVENTS = (
        event(
            0x0,
            "state",
            "SYSTEM_POWER_STATE_NOTIFIER",
            0x10000,
            ("agent_id", "flags", "system_state"),
            first_notifier,
        ),
        event(
            0x0,
            "state",
            "SYSTEM_POWER_STATE_NOTIFIER",
            0x20000,
            ("agent_id", "flags", "system_state", "timeout"),
            notifier,
        ),
    )
    MESSAGES = common_messages(("attributes",), 0x20001) + (
        row(
            _STATE_SET,
            "SYSTEM_POWER_STATE_SET",
            0x10000,
            ("flags", "system_state"),
            (),
            state_set,
            flags=("flags", 1),
        ),
        row(0x4, "SYSTEM_POWER_STATE_GET", 0x10000, (), ("system_state",), state_get),
        row(
            0x5,
            "SYSTEM_POWER_STATE_NOTIFY",
            0x10000,
            ("notify_enable",),
            (),
            state_notify,
            flags=("notify_enable", 1),
            notifies=0x0,
        ),
    )

    def __init__(self, platform, resources):
        super().__init__(platform, resources)
        self.system = self.resources[0]

    def attributes(self, agent):
        """All bits are reserved."""
        return (0,)

    def message_bits(self, message):
        """SYSTEM_POWER_STATE_SET tells which of the optional states there are."""
        if message != _STATE_SET:
            return 0
        bits = _WARM_RESET_SUPPORTED if self.system.supports(_WARM_RESET) else 0
        return bits | _SUSPEND_SUPPORTED if self.system.supports(_SUSPEND) else bits
