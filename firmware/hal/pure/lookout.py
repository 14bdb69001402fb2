# SPDX-License-Identifier: MIT
"""Looking for work where nobody rings: often while there is some, seldom while there is none."""

from hal.pure.arguments import integer
from hal.pure.watch import Watch


class Lookout:
    """Looks whether `watch` has work, and calls `schedule()` then; `serving()`: are its slots being served now?

    `shortest`, `longest`: ms between two looks, `patience`: how many looks find nothing before the distance doubles
    from one to the next. ValueError if the shortest is 0 or more than the longest.
    """

    def __init__(self, watch, shortest, longest, patience, serving, schedule):
        if not 0 < integer(shortest) <= integer(longest) <= 0x7FFFFFFF or not 0 <= integer(patience) <= 0x7FFFFFFF:
            raise ValueError("looks must be 1 ms apart at least, and no more than the longest")
        self.ms = shortest
        self._watch = watch
        self._shortest = shortest
        self._longest = longest
        self._patience = patience
        self._serving = serving
        self._schedule = schedule
        self._idle = 0

    def look(self):
        """Look once; return in how many ms to look again."""
        if self._serving():
            self._hurry()
        elif self._watch.pending():
            self._hurry()
            self._schedule()
        elif self._idle < self._patience:
            self._idle += 1
        else:
            self.ms = min(2 * self.ms, self._longest)
        return self.ms

    def _hurry(self):
        self._idle = 0
        self.ms = self._shortest


def made(watch, shortest, longest, patience, serving, schedule):
    """Return a Lookout; None for None. TypeError if `watch` is no Watch."""
    if watch is not None and not isinstance(watch, Watch):
        raise TypeError("not a Watch")
    lookout = Lookout(watch, shortest, longest, patience, serving, schedule)
    return None if watch is None else lookout
