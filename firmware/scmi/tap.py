# SPDX-License-Identifier: MIT
"""Between a virtio device and its agent, while there is a fault to inject or a log to keep. Otherwise it is out of the
way and costs nothing."""

from scmi.faults import Faults
from scmi.log import Log
from scmi.ticks import microseconds


class Taps:
    """What a person may do to the messages of a platform: `faults` and `log`."""

    def __init__(self, platform):
        self.faults = Faults(platform, self._update)
        self.log = Log(platform, self._update)
        self._taps = []

    def add(self, device):
        """Add `device`, a ScmiDevice of one of the agents; return its Tap."""
        tap = Tap(device, self)
        self._taps.append(tap)
        tap.update()
        return tap

    def _update(self):
        for tap in self._taps:
            tap.update()


class Tap:
    """The way of the messages of one `device` to its `agent`."""

    def __init__(self, device, taps):
        self.device = device
        self.agent = device.agent
        self._faults = taps.faults
        self._log = taps.log

    def update(self):
        """Be in the way if there is something to do."""
        self.device.answer_with(self.handle if self._log.on or len(self._faults) else None)

    def handle(self, request, length, reply, room):
        """Answer as `Agent.handle` does, with faults; None: later."""
        begun = microseconds()
        fault = self._faults.find(self.agent, request[0]) if length >= 4 else None
        if fault is None:
            written = self.agent.handle(request, length, reply, room)
        else:
            written = fault.answer(self, request, length, reply, room)
            self._faults.tidy()
        if written is not None:
            self._note(begun, request, length, reply, written, fault)
        return written

    def late(self, fault, begun, request, length, room):
        """Answer a request that came at `begun` (microseconds) into the device's `reply`; return the bytes of it."""
        reply = self.device.reply
        written = self.agent.handle(request, length, reply, room)
        self._note(begun, request, length, reply, written, fault)
        return written

    def tidy(self):
        """Forget a fault that has ended with the last request it held."""
        self._faults.tidy()

    def sent(self, words):
        """A notification or a delayed response, as words, is in its buffer."""
        if self._log.on:
            self._log.event(self.agent, words)

    def _note(self, begun, request, length, reply, written, fault):
        if self._log.on:
            self._log.message(self.agent, begun, request, length, reply, written, fault.tell() if fault else "")
