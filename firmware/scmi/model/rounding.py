# SPDX-License-Identifier: MIT
"""Choosing a supported value near a wanted one. Source: DEN0056F, 3.6.2.7 (rates) and 3.7.2.11 (update intervals).

Bit 0 of a mode: up instead of down; bit 1: whichever is nearer, then bit 0 means nothing.
"""

from hal.compat import const

_UP = const(1)
_NEAREST = const(2)


def from_list(values, wanted, mode):
    """Return the one of the ascending `values` that `wanted` rounds to, or None if there is none in that direction."""
    below = [value for value in values if value <= wanted]
    above = [value for value in values if value >= wanted]
    if mode & _NEAREST:
        return min(values, key=lambda value: abs(value - wanted))
    if mode & _UP:
        return above[0] if above else None
    return below[-1] if below else None


def from_range(lowest, highest, step, wanted, mode):
    """Return the value `lowest` + n * `step` up to `highest` that `wanted` rounds to, or None."""
    top = lowest + (highest - lowest) // step * step
    if wanted < lowest:
        return lowest if mode else None
    if wanted > top:
        return top if mode != _UP else None
    below = lowest + (wanted - lowest) // step * step
    above = below if below == wanted else below + step
    if mode & _NEAREST:
        return below if wanted - below <= above - wanted else above
    return above if mode & _UP else below
