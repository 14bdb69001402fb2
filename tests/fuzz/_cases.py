# SPDX-License-Identifier: MIT
"""What every fuzzer does: draw from a seed, run cases, add up what they met."""

try:
    import _hal
    import uctypes
except ImportError:
    _hal = None

from driver import Nonces

CASES = 3  # of an input

_GUARDED = {}


class Source:
    """Random choices from a seed."""

    def __init__(self, seed):
        self._nonces = Nonces(seed)

    def below(self, n):
        """Return an integer, 0 to n - 1."""
        return (self._nonces.draw() >> 4) % n

    def one_of(self, items):
        """Return one of `items`."""
        return items[self.below(len(items))]

    def bytes(self, n):
        """Return n bytes."""
        return bytes([self.below(256) for _ in range(n)])


class Recorded(Source):
    """Choices that were made before, then random ones from a seed; `made`: all that were made."""

    def __init__(self, choices, seed=1):
        super().__init__(seed)
        self._choices = choices
        self.made = []

    def below(self, n):
        """Return an integer, 0 to n - 1."""
        at = len(self.made)
        choice = self._choices[at] % n if at < len(self._choices) else super().below(n)
        self.made.append(choice)
        return choice


def run_input(bench, source):
    """Run one input: CASES cases of a new bench of the class `bench`. AssertionError: one of them disagrees."""
    begun = bench(source)
    for _ in range(CASES):
        begun.case()


def memory(size):
    """Return `size` bytes, all 0, a multiple of a page, for the pool and the pages of a bench: one bench at a time.

    Where the interpreter can map memory (the unix port of MicroPython with TRAPLESS_MEMORY), what lies beside them is
    inaccessible: a step outside ends the process.
    """
    if _hal is None:
        return bytearray(size)
    found = _GUARDED.get(size)
    if found is None:
        try:
            found = uctypes.bytearray_at(_hal.map_window(0, size, False).address, size)
        except ValueError:
            found = bytearray(size)
        _GUARDED[size] = found
    found[:] = bytes(size)
    return found


def repeat(kind, bench, seed, count):
    """Run `count` cases of `bench`; return the sums of what they met.

    `bench.case()` returns a dictionary of numbers, or None for a case that does not count. AssertionError: a case of
    this `kind` and `seed` disagrees; it is named on the output.
    """
    total = {}
    done = 0
    while done < count:
        try:
            met = bench.case()
        except Exception:
            print("{}: seed {}, case {} disagrees".format(kind, seed, done))
            raise
        done += met is not None
        for name, value in (met or {}).items():
            total[name] = total.get(name, 0) + value
    return total
