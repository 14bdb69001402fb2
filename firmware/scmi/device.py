# SPDX-License-Identifier: MIT
"""The virtio device that carries SCMI messages of one agent. Source: virtio 1.3, 5.17 "SCMI Device"."""

from hal.compat import const
from virtio.device import RequestDevice

_DEVICE_ID = const(32)
_F_P2A_CHANNELS = const(1 << 0)

# Linux puts two descriptors into the command queue for each message in flight.
_COMMAND_QUEUE = const(64)
_EVENT_QUEUE = const(32)


class ScmiDevice(RequestDevice):
    """Queue 0 carries commands; queue 1 takes buffers for events, which wait in their ring until there is an event."""

    device_id = _DEVICE_ID
    features = _F_P2A_CHANNELS
    queue_sizes = (_COMMAND_QUEUE, _EVENT_QUEUE)

    def __init__(self, agent):
        """`agent`: the `scmi.agent.Agent` that answers."""
        super().__init__(agent)
        self.agent = agent
