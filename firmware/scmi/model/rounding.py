# SPDX-License-Identifier: MIT
"""Choosing a supported value near a wanted one. Source: DEN0056F, 3.6.2.7 (rates) and 3.7.2.11 (update intervals).

Bit 0 of a mode: up instead of down; bit 1: whichever is nearer, then bit 0 means nothing.
"""

from hal.compat import const

_UP = const(1)
_NEAREST = const(2)


def from_list(values, wanted, mode):
    """Return the one of the ascending `values` that `wanted` rounds to, or None if there is none in that direction."""
    at, end = 0, len(values)
    while at < end:
        middle = (at + end) >> 1
        if values[middle] < wanted:
            at = middle + 1
        else:
            end = middle
    above = values[at] if at < len(values) else None
    below = wanted if above == wanted else values[at - 1] if at else None
    if mode & _NEAREST and above is not None and below is not None:
        return below if wanted - below <= above - wanted else above
    if mode & _NEAREST:
        return below if above is None else above
    return above if mode & _UP else below


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
