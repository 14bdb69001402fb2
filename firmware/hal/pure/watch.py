# SPDX-License-Identifier: MIT
"""Finding work, and sleeping without losing a wake-up. Source: docs/transport.md, 6."""

from hal.compat import ticks_diff, ticks_us
from hal.pure.arguments import WORD, integer
from hal.pure.barrier import mb
from hal.pure.queue import Queue
from hal.pure.window import word_at


class _WordSlot:
    def __init__(self, window, off, expected):
        self._window = window
        self._off = off
        self.expected = expected

    def work(self):
        value = self._window.load_acquire(self._off)
        return value != self.expected and value != 0

    def rest(self, resting):
        pass


class _QueueSlot:
    def __init__(self, queue):
        self._queue = queue
        self.work = queue.pending

    def rest(self, resting):
        if resting:
            self._queue.arm()
        else:
            self._queue.disarm()


class _FlagSlot:
    def __init__(self, window, off):
        self._window = window
        self._off = off

    def work(self):
        return False

    def rest(self, resting):
        self._window.w32(self._off, 1 if resting else 0)


class Watch:
    """Finds work, and goes to sleep without losing a wake-up, among at most `capacity` (1 to 1024) slots.

    A slot is a word, a queue or a sleep flag; its number is what the methods that add one return. ValueError if all
    are taken.
    """

    def __init__(self, capacity):
        if not 0 < integer(capacity) <= 1024:
            raise ValueError("a watch has 1 to 1024 slots")
        self._slots = [None] * capacity
        self._last = capacity - 1

    def _add(self, slot):
        for i in range(len(self._slots)):
            if self._slots[i] is None:
                self._slots[i] = slot
                return i
        raise ValueError("the watch is full")

    def _find(self, slot):
        if not 0 <= integer(slot) < len(self._slots) or self._slots[slot] is None:
            raise IndexError("no such slot")
        return self._slots[slot]

    def word(self, window, off, expected):
        """Watch 32 bits: work is a value that is neither 0 nor `expected`."""
        word_at(window, off)
        return self._add(_WordSlot(window, off, integer(expected) & WORD))

    def expect(self, slot, value):
        """Set what the word of `slot` is compared with. ValueError if it is no word's slot."""
        found = self._find(slot)
        if not isinstance(found, _WordSlot):
            raise ValueError("slot is not a word")
        found.expected = integer(value) & WORD

    def queue(self, queue):
        """Watch a queue: work is a waiting chain."""
        if not isinstance(queue, Queue):
            raise TypeError("not a queue")
        return self._add(_QueueSlot(queue))

    def flag(self, window, off):
        """Keep a sleep flag: 32 bits, 1 while at rest, else 0."""
        word_at(window, off)
        return self._add(_FlagSlot(window, off))

    def remove(self, slot):
        """Forget `slot`; its number may be given again."""
        self._find(slot)
        self._slots[slot] = None

    def scan(self):
        """Return a slot with work, looking from the one after the last returned on; -1 if there is none."""
        count = len(self._slots)
        for i in range(count):
            number = (self._last + 1 + i) % count
            slot = self._slots[number]
            if slot is not None and slot.work():
                self._last = number
                return number
        return -1

    def pending(self):
        """Return whether any slot has work."""
        return any(slot is not None and slot.work() for slot in self._slots)

    def _rest(self, resting):
        for slot in self._slots:
            if slot is not None:
                slot.rest(resting)

    def rest(self):
        """Set the flags, arm the queues, look once more: -1 means sleep, else as `scan()` and awake again."""
        self._rest(True)
        mb()  # pairs with the peer's barrier between its publishing store and its load of the flag or event
        slot = self.scan()
        if slot >= 0:
            self._rest(False)
        return slot

    def wake(self):
        """Clear the flags and disarm the queues, before looking for work."""
        self._rest(False)
        mb()

    def _spin(self, us):
        start = ticks_us()
        slot = -1
        while slot < 0 and ticks_diff(ticks_us(), start) < us:
            slot = self.scan()
        return slot

    def run(self, handlers, budget, spin_us=0):
        """Wake, call `handlers[slot]()` for each slot with work, rest; return False then.

        True after `budget` calls, still awake. What a handler raises is raised here, still awake. After each call work
        is looked for during `spin_us` microseconds (0 to 100,000) before it rests.
        """
        if not 0 <= integer(spin_us) <= 100_000:
            raise ValueError("a watch spins for 0 to 100000 us")
        served = False
        self.wake()
        for _ in range(integer(budget)):
            slot = self.scan()
            if slot < 0 and served:
                slot = self._spin(spin_us)
            if slot < 0:
                slot = self.rest()
            if slot < 0:
                return False
            handlers[slot]()
            served = True
        return True
