# SPDX-License-Identifier: MIT
"""Functions that are called later, by whoever serves. One machine timer (`hal`) is enough for any number of them."""

from hal.compat import const

# Six days: half the range of a machine's ticks, beyond which no order can be told.
LONGEST_MS = const((1 << 29) - 1)

# What an entry is: a list, changed in place so that repeating costs no allocation.
_WHEN = const(0)
_FUNCTION = const(1)
_REPEATED = const(2)


class Alarms:
    """What is to be called when: `entries`. `fresh` is not empty while the machine's timer does not account for all.

    `run()` is due when the timer has expired, or `fresh` has something; both are always the same lists. Only the
    serving context runs alarms; anybody may add one, the prompt too, in the middle of a run.
    """

    def __init__(self, machine):
        """`machine`: has `ticks_ms`, `ticks_diff`, `timer` and `notify`."""
        self.entries = []
        self.fresh = []
        self._machine = machine
        self._running = False

    def after(self, ms, function):
        """Have `function()` called once, `ms` whole milliseconds from now, 0: soon. ValueError for another time."""
        self._add(ms, function, False)

    def repeat(self, ms, function):
        """Have `function()` called `ms` milliseconds from now, then as many after each call as it returned; 0: no more.

        Nothing is made up for: whoever could not be called for a while is called once. ValueError as for `after`. A
        call allocates nothing beyond what `function` does.
        """
        self._add(ms, function, True)

    def _add(self, ms, function, repeated):
        if not isinstance(ms, int) or not 0 <= ms <= LONGEST_MS:
            raise ValueError("an alarm must be %d ms away at most, not %r" % (LONGEST_MS, ms))
        if not callable(function):
            raise TypeError("an alarm needs a function without arguments")
        self.entries.append([self._machine.ticks_ms() + ms, function, repeated])
        self.fresh.append(True)
        if not self._running:
            self._machine.notify()  # the timer is set where nothing can come in between: in the serving context

    def run(self):
        """Call what is due, in the order of its time, and set the machine's timer for the rest.

        What a function raises is raised here; it has been taken off before, and the rest waits for the next run.
        """
        self._running = True
        if not self.fresh:
            self.fresh.append(True)  # stays there if a function raises: the timer is not set then
        try:
            now = self._machine.ticks_ms()
            for _ in range(len(self.entries)):
                entry = self._earliest(now)
                if entry is None or self._left(entry, now) > 0:
                    break
                self._call(entry)
            self.fresh.clear()
            now = self._machine.ticks_ms()
            entry = self._earliest(now)
            if entry is not None:
                self._machine.timer(max(self._left(entry, now), 1))
        finally:
            self._running = False

    def _call(self, entry):
        self.entries.remove(entry)
        ms = entry[_FUNCTION]()
        if entry[_REPEATED] and ms:
            entry[_WHEN] = self._machine.ticks_ms() + ms
            self.entries.append(entry)

    def _left(self, entry, now):
        return self._machine.ticks_diff(entry[_WHEN], now)

    def _earliest(self, now):
        """Return the entry that is due first, the one added first among equals; None if there is none."""
        first = None
        for entry in self.entries:
            if first is None or self._left(entry, now) < self._left(first, now):
                first = entry
        return first
