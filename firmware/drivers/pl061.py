# SPDX-License-Identifier: MIT
"""PL061: eight general-purpose lines. Source: Arm DDI 0190B, 3.3.1 (GPIODATA) and 3.3.2 (GPIODIR).

Bits 9:2 of the address of GPIODATA say which lines an access is for, so that one store changes one line, whoever else
changes another at the same time.
"""

from hal.compat import const

LINES = const(8)

_DATA = const(0x000)
_DIR = const(0x400)


class Pl061:
    """A PL061. `window`: its registers."""

    def __init__(self, window):
        self._window = window

    def output(self, number, active=False, active_low=False):
        """Make line `number`, 0 to 7, an output and return it as an `Output`. ValueError for another number.

        `active`: what it is from now on; `active_low`: whether it is active at level 0.
        """
        if not 0 <= number < LINES:
            raise ValueError("a PL061 has lines 0 to %d, not %r" % (LINES - 1, number))
        return Output(self._window, number, active, active_low)


class Output:
    """One output line. Called with True it is made active, with False inactive: a `signal` of a Reset."""

    def __init__(self, window, number, active, active_low):
        """See `Pl061.output`. The level is stored before the line becomes an output, so that it does not begin with
        another one, and once more after it, for PL061s that keep no level of an input."""
        self._window = window
        self._at = _DATA + (4 << number)
        self._level = (0, 1 << number)
        self._active_low = bool(active_low)
        self(active)
        window.w32(_DIR, window.r32(_DIR) | 1 << number)
        self(active)

    def __call__(self, active):
        """Make it active or inactive."""
        self._window.w32(self._at, self._level[bool(active) != self._active_low])

    @property
    def active(self):
        """Whether it is active, as its register has it."""
        return (self._window.r32(self._at) != 0) != self._active_low
