# SPDX-License-Identifier: MIT
"""The virtio device that carries SCMI messages of one agent. Source: virtio 1.3, 5.17 "SCMI Device"."""

from array import array

from hal.compat import const
from hal.edge import BROKEN, EMPTY, MALFORMED, Chain
from virtio.device import RequestDevice

_DEVICE_ID = const(32)

# Feature bit 0: the device has notifications and delayed responses to send.
P2A_CHANNELS = const(1 << 0)

# Feature bit 1: the device shows statistics in shared memory.
SHARED_MEMORY = const(1 << 1)

# Linux puts two descriptors into the command queue for each message in flight.
_COMMAND_QUEUE = const(64)
_EVENT_QUEUE = const(32)
_EVENTS = const(1)

# Events sent before others have their turn.
_EVENTS_PER_TURN = const(8)

# Words of the longest event, header included: a delayed reading of 63 axes has 255. Linux's buffers have 34.
_EVENT_WORDS = const(256)


class ScmiDevice(RequestDevice):
    """Queue 0 carries commands. Queue 1 takes buffers for events, which are filled from what waits at the agent.

    An event is sent from the loop in a turn of its own, so it never overtakes the reply to the command that caused it.
    A buffer that is too small for its event goes back empty, or with a status (`Events.take`). Statistics stand in
    shared memory, where the link has any; each block of theirs comes there in a turn of its own, too.
    """

    device_id = _DEVICE_ID
    features = P2A_CHANNELS
    queue_sizes = (_COMMAND_QUEUE, _EVENT_QUEUE)

    def __init__(self, agent):
        """`agent`: the `scmi.agent.Agent` that answers."""
        super().__init__(agent)
        self.agent = agent
        self._tap = agent.platform.taps.add(self)
        self._queue = None
        self._chain = None
        self._words = array("I", bytes(4 * _EVENT_WORDS))

    def shared_sizes(self):
        """Return what the statistics of the platform take; see `scmi.statistics`."""
        return self.agent.platform.statistics.sizes()

    def share(self, regions):
        """Offer statistics if there is memory for them (virtio 1.3, 5.17.3)."""
        super().share(regions)
        self.features = P2A_CHANNELS | (SHARED_MEMORY if regions else 0)

    def activate(self, queues):
        """Serve commands, send events and show statistics if the driver wants them."""
        self.agent.hear(None)
        if self.negotiated & SHARED_MEMORY:
            self.agent.platform.statistics.show(self.agent, self.shared)
            self.transport.wake()
        super().activate(queues)

    def enable(self, index, queue):
        """Use `queue`; if it is that of events, send those that wait."""
        if index != _EVENTS:
            super().enable(index, queue)
        elif self.negotiated & P2A_CHANNELS:
            self._queue = queue
            self._chain = Chain(queue.size)
            self.agent.hear(self.transport.wake)
            self.transport.wake()

    def stop(self, index):
        """Use queue `index` no more; without that of events they wait at the agent."""
        if index == _EVENTS:
            self._queue = None
        super().stop(index)

    def reset(self):
        """Forget the rings, and what the agent keeps for this driver."""
        self._queue = None
        super().reset()

    def woken(self):
        """Go on with the statistics; or send what waits, as far as there are buffers for it, and wait for more of them,
        or for the next turn."""
        if self.agent.platform.statistics.go_on(self.agent):
            self.transport.wake()
            return
        if self._queue is None:
            return
        self.transport.unwatch(_EVENTS)
        for _ in range(_EVENTS_PER_TURN):
            if not self.agent.events.due():
                break
            if not self._send():
                return
        else:
            self.transport.wake()

    def _send(self):
        """Fill one buffer with the next event; return whether it makes sense to go on."""
        queue, chain = self._queue, self._chain
        found = queue.pop(chain, self._words)
        if found == EMPTY:
            self.transport.watch(_EVENTS, queue, self.woken)
            return False
        if found == BROKEN:
            self.broken += 1
            self.transport.fail()
            return False
        if found == MALFORMED:
            self.malformed += 1
            queue.push(chain, 0)
        else:
            self._fill(self.agent.events.take(min(chain.writable >> 2, _EVENT_WORDS)))
        self._returned += 1
        if queue.signal():
            self.transport.interrupt()
        return True

    def _fill(self, message):
        for at, word in enumerate(message):
            self._words[at] = word
        self._queue.push(self._chain, 4 * len(message), self._words)
        self._tap.sent(message)
