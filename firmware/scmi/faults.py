# SPDX-License-Identifier: MIT
"""Faults for a person to inject: what a frontend does when its platform does not do what it should.

    >>> faults.refuse("sensor", "SENSOR_READING_GET", "BUSY", times=3)
    >>> faults.delay("clock", "CLOCK_RATE_SET", 500)
    >>> faults
    >>> faults.clear()

The specification has statuses for what a platform cannot do (DEN0056F, 3.1.4), and leaves the rest to the transport.
"""

from array import array

from hal.compat import const
from scmi.message import TYPE_COMMAND
from scmi.model.collection import table
from scmi.model.rules import is_integer, require
from scmi.status import NAMES, SUCCESS
from scmi.ticks import microseconds

_WORD = const(0xFFFFFFFF)
_LEAST_STATUS = const(-(1 << 31))
_LONGEST_MS = const(1 << 28)
_LONGEST_REPLY = const(1024)


class Fault:
    """What is done to the messages of one kind. `left`: how many of them, None: all; `hits`: how many there were.

    `protocol`, `message`: numbers, `agent`: an Agent; None: any.
    """

    KIND = ""

    def __init__(self, what, protocol, message, agent, times):
        """`what`: the first columns of a table for people."""
        self.left = times
        self.hits = 0
        self._what = what
        self._protocol = protocol
        self._message = message
        self._agent = agent

    def matches(self, agent, header):
        """Return whether it is for the command with `header` of `agent`."""
        return (
            self.left != 0
            and header >> 8 & 3 == TYPE_COMMAND
            and self._protocol in (None, header >> 10 & 0xFF)
            and self._message in (None, header & 0xFF)
            and self._agent in (None, agent)
        )

    def concerns(self, protocol, message):
        """Return whether it is for messages of number `protocol` and number `message`; None: any."""
        return protocol in (None, self._protocol) and message in (None, self._message)

    def hit(self):
        """Count a message."""
        self.hits += 1
        if self.left is not None:
            self.left -= 1

    def answer(self, tap, request, length, reply, room):
        """Answer as `Agent.handle` does, or return None if that comes later. `tap`: the Tap in between."""
        raise NotImplementedError(self.KIND)

    def is_over(self):
        """Return whether there is nothing left to do."""
        return self.left == 0

    def end(self):
        """Do no more."""
        self.left = 0

    def tell(self):
        """Return what is done, for people."""
        return self.KIND

    def row(self):
        """Return the columns of a table for people."""
        left = "always" if self.left is None else f"{self.left} left"
        return self._what + (self.tell(), left, f"hit {self.hits}")


class _Refuse(Fault):
    KIND = "refuse"

    def __init__(self, status, *what):
        super().__init__(*what)
        self._status = status

    def answer(self, tap, request, length, reply, room):
        if room < 8:
            return -1
        reply[0] = request[0]
        reply[1] = self._status & _WORD
        return 8

    def tell(self):
        return f"refuse {NAMES.get(self._status, self._status)}"


class _Drop(Fault):
    KIND = "drop"

    def answer(self, tap, request, length, reply, room):
        tap.agent.handle(request, length, reply, room)
        return -1


class _Length(Fault):
    KIND = "length"

    def __init__(self, size, *what):
        super().__init__(*what)
        self._size = size

    def answer(self, tap, request, length, reply, room):
        written = tap.agent.handle(request, length, reply, room)
        if written < 0:
            return written
        size = min(self._size, room, 4 * len(reply))
        for at in range((written + 3) // 4, (size + 3) // 4):
            reply[at] = 0
        return size

    def tell(self):
        return f"length {self._size}"


class _Delay(Fault):
    """`ms`: None: until it is ended. Beyond what a device can hold, messages are answered at once and count as
    `missed`."""

    KIND = "delay"

    def __init__(self, ms, *what):
        super().__init__(*what)
        self._ms = ms
        self._waiting = []
        self._after = None
        self.missed = 0

    def answer(self, tap, request, length, reply, room):
        kept = array("I", request[: (length + 3) // 4])
        held = tap.device.hold()
        if held is None:
            self.missed += 1
            return tap.agent.handle(request, length, reply, room)
        waiting = _Waiting(self, tap, held, kept, length)
        self._waiting = [other for other in self._waiting if other.held.is_open()] + [waiting]
        self._after = tap.agent.platform.after
        if self._ms is not None:
            self._after(self._ms, waiting.end)
        return None

    def _alive(self):
        return sum(waiting.held.is_open() for waiting in self._waiting)

    def is_over(self):
        return self.left == 0 and not self._alive()

    def end(self):
        super().end()
        for waiting in list(self._waiting):
            self._after(0, waiting.end)

    def tell(self):
        what = "timeout" if self._ms is None else f"delay {self._ms} ms"
        missed = f", missed {self.missed}" if self.missed else ""
        return f"{what}, holds {self._alive()}{missed}"


class _Waiting:
    """A request that is answered later: only then is it looked at, so that a slow platform does things late, and what
    they cause comes behind the reply."""

    def __init__(self, fault, tap, held, request, length):
        self.held = held
        self._fault = fault
        self._tap = tap
        self._begun = microseconds()
        self._request = request
        self._length = length

    def end(self):
        """Answer now; after a reset of the device, or a second time, do nothing."""
        if self.held.is_open():
            self.held.answer(self._tap.late(self._fault, self._begun, self._request, self._length, self.held.room))
            self._tap.tidy()


class Faults:
    """The faults of a platform; `changed()` is called when there are other ones.

    Every method that adds one takes a protocol ("sensor" or a number), a message (name or number), `times` (how many
    messages, None: all until `clear`) and `agent` (a name); what is None means any.
    """

    def __init__(self, platform, changed):
        self._platform = platform
        self._changed = changed
        self._list = []

    def refuse(self, protocol, message, status="GENERIC_ERROR", times=None, agent=None):
        """Answer with `status`, a name or a negative number, and do nothing."""
        numbers = {name: number for number, name in NAMES.items() if number != SUCCESS}
        number = numbers.get(status, status)
        holds = is_integer(number) and _LEAST_STATUS <= number < 0
        require(holds, "faults", f"status {status!r} must be a negative number or one of {', '.join(sorted(numbers))}")
        self._add(_Refuse, (number,), protocol, message, times, agent)

    def delay(self, protocol, message, ms, times=None, agent=None):
        """Do what is asked `ms` milliseconds later, and answer then. Other messages are answered meanwhile."""
        holds = is_integer(ms) and 0 <= ms < _LONGEST_MS
        require(holds, "faults", f"ms must be whole milliseconds from 0 to {_LONGEST_MS - 1}, not {ms!r}")
        self._add(_Delay, (ms,), protocol, message, times, agent)

    def timeout(self, protocol, message, times=None, agent=None):
        """Neither do what is asked nor answer, until the fault is cleared or the frontend resets the device."""
        self._add(_Delay, (None,), protocol, message, times, agent)

    def drop(self, protocol, message, times=None, agent=None):
        """Do what is asked and lose the reply: its buffer goes back empty."""
        self._add(_Drop, (), protocol, message, times, agent)

    def length(self, protocol, message, size, times=None, agent=None):
        """Answer with `size` bytes, header included: less than there are, or zeros behind them as far as there is
        room."""
        holds = is_integer(size) and 0 <= size <= _LONGEST_REPLY
        require(holds, "faults", f"size must be 0 to {_LONGEST_REPLY} bytes, not {size!r}")
        self._add(_Length, (size,), protocol, message, times, agent)

    def clear(self, protocol=None, message=None):
        """Remove the faults of a message, of a protocol, or all. What is held is answered."""
        number = self._protocol(protocol)
        code = self._message(number, message)
        gone = [fault for fault in self._list if fault.concerns(number, code)]
        self._list = [fault for fault in self._list if fault not in gone]
        for fault in gone:
            fault.end()
        self._changed()

    def find(self, agent, header):
        """Return the first fault for the command with `header` of `agent`, which counts it, or None."""
        for fault in self._list:
            if fault.matches(agent, header):
                fault.hit()
                return fault
        return None

    def tidy(self):
        """Forget the faults that are over."""
        if any(fault.is_over() for fault in self._list):
            self._list = [fault for fault in self._list if not fault.is_over()]
            self._changed()

    def _add(self, kind, details, protocol, message, times, agent):
        holds = times is None or (is_integer(times) and times > 0)
        require(holds, "faults", f"times must be a number above 0 or None, not {times!r}")
        number = self._protocol(protocol)
        code = self._message(number, message)
        what = (agent or "any agent", protocol, message)
        columns = tuple("any" if text is None else str(text) for text in what)
        found = None if agent is None else self._platform.agents[agent]
        self._list = self._list + [kind(*details, columns, number, code, found, times)]
        self._changed()

    def _protocol(self, wanted):
        known = {protocol.NAME: number for number, protocol in self._platform.protocols.items()}
        number = known.get(wanted, wanted)
        holds = number is None or (is_integer(number) and 0 <= number <= 0xFF)
        require(holds, "faults", f"protocol {wanted!r} is not spoken here; spoken are: {', '.join(sorted(known))}")
        return number

    def _message(self, protocol, wanted):
        if wanted is None or (is_integer(wanted) and 0 <= wanted <= 0xFF):
            return wanted
        spoken = self._platform.protocols.get(protocol)
        require(spoken, "faults", f"message {wanted!r} must be a number, or its protocol one that is spoken here")
        known = {row[1]: row[0] for row in spoken.MESSAGES}
        require(wanted in known, "faults", f"message {wanted!r} is not there; there are: {', '.join(sorted(known))}")
        return known[wanted]

    def __len__(self):
        return len(self._list)

    def __repr__(self):
        return table([fault.row() for fault in self._list]) or "(no faults)"
