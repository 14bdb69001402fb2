# SPDX-License-Identifier: MIT
"""Runs one test body against each implementation of the edge that the interpreter has: `hal.pure` and `_hal`."""

from hal import edge, pure

TWINS = [pure]
if edge.NATIVE:
    import _hal

    TWINS.append(_hal)


def for_twins(body):
    """Return a test without arguments that calls `body(twin)` for each twin, and says which one failed."""

    def test():
        for twin in TWINS:
            try:
                body(twin)
            except Exception:
                print("with", twin.__name__)
                raise

    return test


class Random:
    """xorshift32 (Marsaglia 2003): the same sequence under both interpreters."""

    def __init__(self, seed):
        self._x = (seed * 2654435761 + 1) & 0xFFFFFFFF or 1

    def below(self, n):
        """Return a number from 0 to n - 1."""
        x = self._x
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self._x = x
        return (x >> 4) % n

    def chance(self, n):
        """Return True once in `n` times."""
        return self.below(n) == 0

    def choice(self, items):
        """Return one of a sequence."""
        return items[self.below(len(items))]
