# SPDX-License-Identifier: MIT
"""Update intervals of sensors: whole milliseconds for people, a value and a power of ten of seconds for messages.

Source: DEN0056F, 3.7.2.7, 3.7.2.10 and 3.7.2.11.
"""

from hal.compat import const
from scmi.model import rounding
from scmi.model.rules import integers_of, is_integer, items_of, require

_MOST = const(4095)
_MILLI = const(-3)

# Exponents are compared at the smallest that five signed bits can hold.
_LEAST_EXPONENT = const(-16)
_UNITS_PER_MS = 10 ** (_MILLI - _LEAST_EXPONENT)


def to_wire(ms):
    """Return an interval that `require_interval` allows, or 0, as messages have it: 16 bits of value above five bits of
    a power of ten."""
    value, exponent = _parts(ms)
    return value << 5 | exponent & 0x1F if value else 0


def _parts(ms):
    value, exponent = ms, _MILLI
    while value > 0xFFFF and value % 10 == 0:
        value, exponent = value // 10, exponent + 1
    return value, exponent


def _units(interval):
    """Return an interval as messages have it as a whole number of 10^-16 s."""
    exponent = interval & 0x1F
    if exponent & 0x10:
        exponent -= 0x20
    return (interval >> 5) * 10 ** (exponent - _LEAST_EXPONENT)


def require_interval(ms, subject):
    """Refuse, with a DescriptionError, what is no interval that messages can carry; return it."""
    require(is_integer(ms) and ms > 0, subject, f"an interval must be whole milliseconds above 0, not {ms!r}")
    holds = _parts(ms)[0] <= 0xFFFF
    require(holds, subject, f"interval {ms} ms cannot be written with 16 bits and a power of ten")
    return ms


class Intervals:
    """What a sensor's interval may be: one of `listed`, ascending, or within `limits`, or nothing; in milliseconds."""

    def __init__(self, listed, limits, subject):
        """`limits`: (lowest, highest, step) or None. DescriptionError, which names `subject`, if a rule is broken."""
        listed = items_of(listed, subject, "intervals")
        require(not (listed and limits), subject, "has intervals and interval_range; only one of them may be")
        self.listed = tuple(sorted([require_interval(ms, subject) for ms in listed]))
        require(len(set(listed)) == len(listed), subject, "intervals must differ")
        require(len(self.listed) <= _MOST, subject, "may have 4095 intervals at most")
        self.limits = None if limits is None else _checked_limits(limits, subject)
        self.first = (self.listed + (self.limits or ()) + (0,))[0]

    def rounded(self, wanted, mode):
        """Return the interval in milliseconds that `wanted`, as messages have it, rounds to; None if there is none.

        `mode` as in `scmi.model.rounding`.
        """
        units = _units(wanted)
        if self.limits:
            lowest, highest, step = [ms * _UNITS_PER_MS for ms in self.limits]
            chosen = rounding.from_range(lowest, highest, step, units, mode)
        else:
            chosen = rounding.from_list([ms * _UNITS_PER_MS for ms in self.listed], units, mode)
        return None if chosen is None else chosen // _UNITS_PER_MS

    def require(self, ms, subject):
        """Refuse, with a DescriptionError, what the interval may not be; return it."""
        require(self.listed or self.limits, subject, "has no update interval to set")
        allowed = "{} to {} in steps of {}".format(*self.limits) if self.limits else ", ".join(map(str, self.listed))
        holds = is_integer(ms) and ms > 0 and self.rounded(to_wire(ms), 0) == ms
        require(holds, subject, f"interval must be {allowed} milliseconds, not {ms!r}")
        return ms


def _checked_limits(limits, subject):
    limits = integers_of(limits, subject, "interval_range", "(lowest, highest, step) in milliseconds")
    require(limits[0] < limits[1] and limits[2] > 0, subject, "interval_range must rise from lowest to highest")
    for limit in limits:
        require_interval(limit, subject)
    coarsest = 1
    while limits[1] // coarsest > 0xFFFF:
        coarsest *= 10
    holds = all(limit % coarsest == 0 for limit in limits)
    require(holds, subject, f"interval_range must be in multiples of {coarsest} ms, to be written with 16 bits")
    return limits
