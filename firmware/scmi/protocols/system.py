# SPDX-License-Identifier: MIT
"""System power management protocol 2.1. Source: DEN0056F, 3.4.

Nobody can be told of a graceful request, as there are no notifications, so it is carried out like a forceful one. The
driver of Linux 6.12 only waits for notifications: without them it gives up with an error message.
"""

from hal.compat import const
from scmi.message import row
from scmi.protocols.common import Protocol, common_messages
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


def state_notify(agent, protocol, request, reply, room):
    """SYSTEM_POWER_STATE_NOTIFY (3.4.2.7): there are no notifications, and MESSAGE_ATTRIBUTES does not offer it."""
    return NOT_SUPPORTED if agent.may_use(protocol, protocol.system) else DENIED


class SystemProtocol(Protocol):
    """The system power protocol of a platform; the one resource is a `scmi.model.system_power.SystemPower`."""

    ID = PROTOCOL_ID
    NAME = "system"
    VERSIONS = (0x20001,)
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
