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

    One run calls one function: whoever serves does something else in between, however many are due.

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
        """Have `function()` called once, `ms` whole milliseconds from now, 0: soon. ValueError for another time.

        What an alarm's function adds is 1 ms away at least, so that something else is due in between.
        """
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
        self.entries.append([self._machine.ticks_ms() + max(ms, int(self._running)), function, repeated])
        self._refresh()
        if not self._running:
            self._machine.notify()  # the timer is set where nothing can come in between: in the serving context

    def run(self):
        """Call the function that is due first; then have the next run come, at once or by the machine's timer.

        What the function raises is raised here; it has been taken off before, and the rest waits for the next run.
        """
        self._running = True
        self._refresh()  # it stays if the function raises: the timer is not set then
        try:
            now = self._machine.ticks_ms()
            entry = self._earliest(now)
            if entry is not None and self._left(entry, now) <= 0:
                self._call(entry)
            self._wait()
        finally:
            self._running = False

    def _refresh(self):
        if not self.fresh:
            self.fresh.append(True)

    def _wait(self):
        self.fresh.clear()
        now = self._machine.ticks_ms()
        entry = self._earliest(now)
        if entry is None:
            return
        left = self._left(entry, now)
        if left > 0:
            self._machine.timer(left)
        else:
            self._refresh()
            self._machine.notify()

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
