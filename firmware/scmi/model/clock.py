# SPDX-License-Identifier: MIT
"""Clocks of a platform description. Source: DEN0056F, 3.6.1 and the fields of 3.6.2.5 to 3.6.2.17."""

from hal.compat import const
from scmi.message import ACCESS_PARENT, ACCESS_RATE, ACCESS_STATE
from scmi.model import rounding
from scmi.model.resource import Resource
from scmi.model.rules import is_integer, require, require_flag, require_rate
from scmi.wire import ready_reply

DUTY_CYCLE = const(0x01)
PHASE = const(0x02)
_FIRST_OEM_TYPE = const(0x80)
_LAST_OEM_TYPE = const(0xFF)

# Highest value of the standard configuration types: percent and degrees.
_LIMITS = {DUTY_CYCLE: 100, PHASE: 360}

_MAX_PARENTS = const(255)
_MAX_RATES = const(4095)

_FORBIDDABLE = {"state": ACCESS_STATE, "rate": ACCESS_RATE, "parent": ACCESS_PARENT}


class Clock(Resource):
    """A clock as the frontends see it."""

    KIND = "clock"

    def __init__(
        self,
        name,
        rate=None,
        rates=(),
        rate_range=None,
        parents=(),
        enabled=True,
        forbidden=(),
        settings=None,
        enable_delay=0,
    ):
        """Describe a clock; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `rate`: hertz now. It is fixed, or one of `rates`, or a step of `rate_range` (lowest,
        highest, step). Linux 6.12 takes no clock with more than 16 `rates`. `parents`: names of the clocks that it can
        be fed by, the present one first; without a rate of its own it has the rate of that clock. `enabled`: whether it
        runs. `forbidden`: what frontends may not change: "state", "rate", "parent", or "all". `settings`: {DUTY_CYCLE:
        percent, PHASE: degrees, 0x80 to 0xFF: any} that can be changed. `enable_delay`: microseconds to switch it on,
        0: not known.
        """
        super().__init__(name)
        require(rate is not None or parents, self.subject, "must have a rate, or parents to take it from")
        holds = rate is not None or not (rates or rate_range)
        require(holds, self.subject, "has rates or rate_range, so it must have a rate: the present one of them")
        require(not (rates and rate_range), self.subject, "has rates and rate_range; only one of them may be")
        self._enabled = require_flag(enabled, self.subject, "enabled")
        holds = is_integer(enable_delay) and 0 <= enable_delay < 1 << 32
        require(holds, self.subject, "enable_delay must be whole microseconds that fit 32 bits")
        self.enable_delay = enable_delay
        self.forbidden = self._checked_forbidden(forbidden)
        self.settings = self._checked_settings(dict(settings or {}))
        self.rate_range = self._checked_range(rate_range)
        self._rates = self._checked_rates(rates, rate)
        self.parent_names = tuple(parents)
        self.parents = ()
        self._parent = None
        self._followers = []
        self._held = None
        self.ready = None
        if rate is not None:
            self.rate = rate
        self._initial = None

    def _checked_forbidden(self, forbidden):
        names = tuple(_FORBIDDABLE) if forbidden == "all" else forbidden
        bits = 0
        for name in names:
            require(
                name in _FORBIDDABLE,
                self.subject,
                f"forbidden may hold state, rate and parent, or be 'all', not {name!r}",
            )
            bits |= _FORBIDDABLE[name]
        return bits

    def _checked_settings(self, settings):
        for kind, value in settings.items():
            holds = kind in _LIMITS or (is_integer(kind) and _FIRST_OEM_TYPE <= kind <= _LAST_OEM_TYPE)
            require(holds, self.subject, f"settings may hold DUTY_CYCLE, PHASE and 0x80 to 0xff, not {kind!r}")
            highest = _LIMITS.get(kind, 0xFFFFFFFF)
            require(is_integer(value) and 0 <= value <= highest, self.subject, f"setting {kind} must be 0 to {highest}")
        return settings

    def _checked_range(self, limits):
        if limits is None:
            return None
        require(len(limits) == 3, self.subject, "rate_range must be (lowest, highest, step) in hertz")
        for limit in limits:
            require_rate(limit, self.subject, "rate_range")
        require(limits[0] < limits[1] and limits[2] > 0, self.subject, "rate_range must rise from lowest to highest")
        return tuple(limits)

    def _checked_rates(self, rates, rate):
        for entry in rates:
            require_rate(entry, self.subject, "a rate of rates")
        require(len(rates) <= _MAX_RATES, self.subject, "may have 4095 rates at most")
        require(len(set(rates)) == len(rates), self.subject, "rates must differ")
        if not rates and not self.rate_range and rate is not None:
            return (rate,)
        return tuple(sorted(rates))

    def connect(self, clocks):
        """Find the parents by name in the Collection `clocks`; called once, when all clocks have their ids.

        Afterwards, when all clocks are connected and `check_rate_source` has found no fault, comes `refresh`.
        """
        require(len(set(self.parent_names)) == len(self.parent_names), self.subject, "parents must differ")
        for name in self.parent_names:
            require(name in clocks, self.subject, f"parent {name!r} is not a clock of this platform")
            require(name != self.name, self.subject, "cannot be its own parent")
        require(len(self.parent_names) <= _MAX_PARENTS, self.subject, "may have 255 parents at most")
        if self.parent_names:
            self._parent = clocks[self.parent_names[0]]
            self.parents = tuple(sorted([clocks[name] for name in self.parent_names], key=lambda clock: clock.id))
        if not self._has_own_rate():
            for parent in self.parents:
                parent.follow(self)
        self._initial = (self._held, self._enabled, self._parent, dict(self.settings))

    def _has_own_rate(self):
        return bool(self._rates or self.rate_range)

    def follow(self, clock):
        """Have `clock`, which takes its rate from this one, refreshed whenever this one's rate changes."""
        self._followers.append(clock)

    def refresh(self):
        """Derive `ready` (see `scmi.message`) from the rate, here and in all clocks that follow.

        At the prompt it can be interrupted by a message that changes the same rate, so it looks whether that happened.
        """
        rate = None
        while rate != self.rate:
            rate = self.rate
            self.ready = ready_reply(rate)
        for clock in self._followers:
            clock.refresh()

    def check_rate_source(self, path=()):
        """Refuse a clock that would take its rate from itself, or from a parent whose rates are not a list."""
        require(self not in path, self.subject, "takes its rate from itself through its parents")
        if self._has_own_rate():
            return
        for parent in self.parents:
            require(parent.rate_range is None, self.subject, f"takes its rate from {parent.name!r}, which has a range")
            parent.check_rate_source(path + (self,))

    @property
    def rate(self):
        """Hertz now. At the prompt it may be set to any rate that the description allows."""
        return self._parent.rate if self._held is None else self._held

    @rate.setter
    def rate(self, rate):
        require_rate(rate, self.subject, "rate")
        require(self._has_own_rate(), self.subject, "takes its rate from its parent, so it cannot be set")
        require(self.rounded(rate, 0) == rate, self.subject, f"rate {rate} must be one of {self._allowed()}")
        self._held = rate
        self.refresh()

    @property
    def enabled(self):
        """Whether it runs. A frontend and the prompt may set it."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled):
        self._enabled = require_flag(enabled, self.subject, "enabled")

    @property
    def parent(self):
        """The clock that feeds it, or None. A frontend and the prompt may set it, to a possible parent or its name."""
        return self._parent

    @parent.setter
    def parent(self, wanted):
        for parent in self.parents:
            if wanted is parent or wanted == parent.name:
                self._parent = parent
                self.refresh()
                return
        names = ", ".join(parent.name for parent in self.parents) or "none"
        require(False, self.subject, f"parent {wanted!r} is not possible; possible are: {names}")

    def _allowed(self):
        if self.rate_range:
            return "{} to {} in steps of {}".format(*self.rate_range)
        return ", ".join(str(rate) for rate in self._rates)

    @property
    def rates(self):
        """The rates that it can have, ascending, where they are a list."""
        if self._has_own_rate():
            return self._rates
        rates = set()
        for parent in self.parents:
            rates.update(parent.rates)
        return tuple(sorted(rates))

    @property
    def can_change_rate(self):
        """True if it has more than one rate of its own."""
        return self.rate_range is not None or len(self._rates) > 1

    def rounded(self, wanted, mode):
        """Return the rate that `wanted` rounds to, or None; `mode` as in `scmi.model.rounding`."""
        if self.rate_range:
            lowest, highest, step = self.rate_range
            return rounding.from_range(lowest, highest, step, wanted, mode)
        return rounding.from_list(self._rates, wanted, mode)

    def accepts(self, kind, value):
        """Return whether setting `kind` may have `value`."""
        return value <= _LIMITS.get(kind, value)

    def restore(self, agent):
        """Go back to the state of the description."""
        self._held, self._enabled, self._parent, settings = self._initial
        self.settings = dict(settings)
        self.refresh()

    def row(self):
        """Return the columns of a table for people."""
        parent = f"from {self.parent.name}" if self.parent else ""
        return (str(self.id), self.name, str(self.rate), "Hz", "on" if self.enabled else "off", parent)

    def __repr__(self):
        return "clock " + "  ".join(self.row()).rstrip()
