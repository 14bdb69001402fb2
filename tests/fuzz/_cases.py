# SPDX-License-Identifier: MIT
"""What every fuzzer does: draw from a seed, run cases, add up what they met."""

from driver import Nonces


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
