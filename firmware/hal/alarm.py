# SPDX-License-Identifier: MIT
"""Functions that are called later, by whoever serves. One machine timer (`hal`) is enough for any number of them."""

from hal.compat import const

# Six days: half the range of a machine's ticks, beyond which no order can be told.
LONGEST_MS = const((1 << 29) - 1)


class Alarms:
    """What is to be called when. `entries` is always the same list: empty, there is nothing to run.

    Only the serving context runs alarms; anybody may add one, the prompt too, in the middle of a run.
    """

    def __init__(self, machine):
        """`machine`: has `ticks_ms`, `ticks_diff`, `timer` and `notify`."""
        self.entries = []
        self._machine = machine
        self._running = False

    def after(self, ms, function):
        """Have `function()` called once, `ms` whole milliseconds from now, 0: soon. ValueError for another time."""
        if not isinstance(ms, int) or not 0 <= ms <= LONGEST_MS:
            raise ValueError("an alarm must be %d ms away at most, not %r" % (LONGEST_MS, ms))
        if not callable(function):
            raise TypeError("an alarm needs a function without arguments")
        self.entries.append((self._machine.ticks_ms() + ms, function))
        if not self._running:
            self._machine.notify()  # the timer is set where nothing can come in between: in the serving context

    def run(self):
        """Call what is due, in the order of its time, and set the machine's timer for the rest.

        What a function raises is raised here; it has been taken off before, and the rest waits for the next run.
        """
        self._running = True
        try:
            now = self._machine.ticks_ms()
            for _ in range(len(self.entries)):
                left = self._earliest(now)
                if left is None or left[0] > 0:
                    break
                self.entries.remove(left[1])
                left[1][1]()
            left = self._earliest(self._machine.ticks_ms())
            if left is not None:
                self._machine.timer(max(left[0], 1))
        finally:
            self._running = False

    def _earliest(self, now):
        """Return (milliseconds left, entry) of the entry that is due first, the one added first among equals; None if
        there is none."""
        first = None
        for entry in self.entries:
            left = self._machine.ticks_diff(entry[0], now)
            if first is None or left < first[0]:
                first = (left, entry)
        return first
