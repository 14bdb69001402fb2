# SPDX-License-Identifier: MIT
"""How often a domain has entered each of its states, and how long it was in it."""


class Usage:
    """What a domain counts. A state is a number from 0 on, in the order of the description; times are microseconds.

    `place`: the state that it is in, `left`: that before; `changed`: when it came; `entered`, `residency`: by state how
    often, and how long until `account()` was called last; `watchers`: a tuple of functions, called
    after a change with the states whose figures are others.

    A change at the prompt can be interrupted by a message that makes another one, of which the figures then lose the
    microseconds in between.
    """

    def __init__(self, states, place, clock):
        """`states`: how many there are; `place`: the present one; `clock()` returns microseconds."""
        self.place = self.left = place
        self.entered = [0] * states
        self.residency = [0] * states
        self.watchers = ()
        self._clock = clock
        self.changed = self._accounted = clock()

    def account(self):
        """Count the time until now."""
        now = self._clock()
        self.residency[self.place] += now - self._accounted
        self._accounted = now

    def enter(self, place):
        """Count a change to the state `place`."""
        self.account()
        self.left, self.place = self.place, place
        self.changed = self._accounted
        self.entered[place] += 1
        for watcher in self.watchers:
            watcher((self.left, place))
