# SPDX-License-Identifier: MIT
"""Clocks of a platform description. Source: DEN0056F, 3.6.1 and the fields of 3.6.2.5 to 3.6.2.17.

Several agents share a clock: it runs while any of them wants it to. Rate, parent and settings are what was set last.
"""

from hal.compat import const
from hal.edge import Numbers
from scmi.message import ACCESS_PARENT, ACCESS_RATE, ACCESS_STATE
from scmi.model import rounding
from scmi.model.resource import Resource
from scmi.model.rules import (
    entries_of,
    integers_of,
    is_integer,
    items_of,
    names_of,
    require,
    require_flag,
    require_rate,
)
from scmi.model.setting import Settings, accepts
from scmi.model.votes import Votes
from scmi.wire import FIRST_NUMBER, ready_reply

_MAX_PARENTS = const(255)
_MAX_RATES = const(4095)


class Clock(Resource):
    """A clock as the frontends see it.

    `quick`: contains the rates that it can be given by storing them in `ready`, as nobody needs to be told; `rate_by`:
    id of the agent that has set the rate last, 0: the platform.
    """

    KIND = "clock"
    FORBIDDABLE = (("state", ACCESS_STATE), ("rate", ACCESS_RATE), ("parent", ACCESS_PARENT))

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
        change=None,
        delay=None,
    ):
        """Describe a clock; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `rate`: hertz now. It is fixed, or one of `rates`, or a step of `rate_range` (lowest,
        highest, step). Linux 6.12 takes no clock with more than 16 `rates`. `parents`: names of the clocks that it can
        be fed by, the present one first; without a rate of its own it has the rate of that clock. `enabled`: whether it
        runs. `forbidden`: what frontends may not change: "state", "rate", "parent", or "all". `settings`: {DUTY_CYCLE:
        percent, PHASE: degrees, 0x80 to 0xFF: any} that can be changed. `enable_delay`: microseconds to switch it on,
        0: not known. `change`: `change(clock, what, value)` is called before "rate" (hertz), "parent" (a Clock),
        "enabled" (a bool) or one of the settings becomes something else; what it raises leaves everything as it was,
        and the frontend is answered GENERIC_ERROR. `delay`: how long an asynchronous change of the rate takes
        (`scmi.model.resource`). If any clock of a platform has one, others without change at once when they are asked
        to do it asynchronously, as the protocol says it of all clocks or of none.
        """
        super().__init__(name)
        parents = names_of(parents, self.subject, "parents")
        require(rate is not None or parents, self.subject, "must have a rate, or parents to take it from")
        rates = items_of(rates, self.subject, "rates")
        holds = rate is not None or not (rates or rate_range)
        require(holds, self.subject, "has rates or rate_range, so it must have a rate: the present one of them")
        require(not (rates and rate_range), self.subject, "has rates and rate_range; only one of them may be")
        self._enabled = require_flag(enabled, self.subject, "enabled")
        self._votes = Votes(not self._enabled)
        require(change is None or callable(change), self.subject, "change must be a function of clock, what and value")
        self._change = change
        self.delay = self.checked_delay(delay)
        holds = is_integer(enable_delay) and 0 <= enable_delay < 1 << 32
        require(holds, self.subject, "enable_delay must be whole microseconds that fit 32 bits")
        self.enable_delay = enable_delay
        self.forbidden = self.checked_forbidden(forbidden)
        self._settings = Settings(entries_of(settings, self.subject, "settings"), self.subject, self._set_at_prompt)
        self.rate_range = self._checked_range(rate_range)
        self._rates = self._checked_rates(rates, rate)
        self.can_change_rate = self.rate_range is not None or len(self._rates) > 1
        self.parent_names = parents
        self.parents = ()
        self._parent = None
        self._followers = {}
        self.quick = ()
        if rate is not None:
            self._require_allowed(rate)
        self.ready = ready_reply(rate or 0)  # the rate stands there, and nowhere else
        self._initial = None
        self.rate_by = self._parent_by = 0
        self._settings_by = {}

    def _checked_range(self, limits):
        if limits is None:
            return None
        limits = integers_of(limits, self.subject, "rate_range", "(lowest, highest, step) in hertz")
        for limit in limits:
            require_rate(limit, self.subject, "rate_range")
        require(limits[0] < limits[1] and limits[2] > 0, self.subject, "rate_range must rise from lowest to highest")
        return limits

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
            self._parent.follow(self)
        self._find_quick()
        self._initial = (self.rate, self._parent, dict(self._settings.values))

    def _has_own_rate(self):
        return bool(self._rates or self.rate_range)

    def follow(self, clock):
        """Have `clock`, which takes its rate from this one, refreshed whenever this one's rate changes."""
        self._followers[clock] = True
        self._find_quick()

    def unfollow(self, clock):
        """Have `clock` refreshed no longer."""
        self._followers.pop(clock, None)
        self._find_quick()

    def begin_telling(self):
        """From now on somebody wants to be told of every change of the rate."""
        self._find_quick()

    def _find_quick(self):
        """Have `quick` hold the rates that `ready` can just be given, as that concerns nobody."""
        concerns = self._change or self._followers or self.observer or not self.can_change_rate
        rates = Numbers(*self.rate_range) if self.rate_range else Numbers(self._rates)
        self.quick = () if concerns else rates

    def refresh(self, agent=0):
        """Take the rate from the parent, if it has none of its own, for the agent with id `agent`; so do all clocks
        that follow.

        At the prompt a message can come in between that changes the parent's rate, so it looks again.
        """
        if not self._has_own_rate():
            rate = None
            while rate != self._parent.rate:
                rate = self._parent.rate
                self._run_at(rate, agent)

    def _run_at(self, rate, agent):
        if rate != self.rate:
            self.ready.store(FIRST_NUMBER, rate)
            self.announce("rate", agent)
            for clock in self._followers:
                clock.refresh(agent)

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
        return self.ready.load(FIRST_NUMBER)

    @rate.setter
    def rate(self, rate):
        require_rate(rate, self.subject, "rate")
        require(self._has_own_rate(), self.subject, "takes its rate from its parent, so it cannot be set")
        self._require_allowed(rate)
        self.set_rate(rate, 0)

    def _require_allowed(self, rate):
        require_rate(rate, self.subject, "rate")
        require(self.rounded(rate, 0) == rate, self.subject, f"rate {rate} must be one of {self._allowed()}")

    def set_rate(self, rate, agent):
        """Run at `rate`, one that `rounded` has returned, for the agent with id `agent`, 0 being the platform.

        What `change` raises is raised here, and changes nothing; so it is with the functions below.
        """
        if rate != self.rate:
            self._apply("rate", rate)
            self._run_at(rate, agent)
        self.rate_by = agent

    def _apply(self, what, value):
        """Have the hardware do it, again if a message had it do something else meanwhile."""
        turn = -1
        while self._change is not None and turn != self._turns:
            self._turns = turn = self._turns + 1
            self._change(self, what, value)

    @property
    def enabled(self):
        """Whether it runs. What it is set to at the prompt holds until an agent asks for something again."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled):
        self._enter(not require_flag(enabled, self.subject, "enabled"))
        self._votes.overrule()

    @property
    def wanted(self):
        """{agent id: whether it wants it to run} of the agents that have said so."""
        return {agent: not off for agent, off in self._votes.wanted.items()}

    def vote(self, agent, enabled):
        """Have the agent with id `agent` want it to run or not; None: it no longer cares."""
        self._votes.cast(agent, None if enabled is None else not enabled, self._enter)

    def _enter(self, off):
        if self._enabled == off:
            self._apply("enabled", not off)
            self._enabled = not off

    @property
    def parent(self):
        """The clock that feeds it, or None. At the prompt it may be set, to a possible parent or its name."""
        return self._parent

    @parent.setter
    def parent(self, wanted):
        for parent in self.parents:
            if wanted is parent or wanted == parent.name:
                self.set_parent(parent, 0)
                return
        names = ", ".join(parent.name for parent in self.parents) or "none"
        require(False, self.subject, f"parent {wanted!r} is not possible; possible are: {names}")

    def set_parent(self, parent, agent):
        """Be fed by `parent`, one of `parents`, for the agent with id `agent`."""
        if parent is not self._parent:
            self._apply("parent", parent)
            # At the prompt a message can come in between and take another one: the last to be entered here feeds it.
            # A clock that follows one that does not feed it is refreshed in vain, and stays as it is.
            before, self._parent = self._parent, parent
            if not self._has_own_rate():
                before.unfollow(self)
                parent.follow(self)
            self.refresh(agent)
        self._parent_by = agent

    def configure(self, kind, value, enabled, agent):
        """Set `kind`, a setting that it has, to `value`, and vote (`enabled` as in `vote`), or neither.

        A `kind` of 0 is no setting, and None for `enabled` is no vote.
        """
        if kind:
            before, owner = self._settings[kind], self._settings_by.get(kind)
            self._set(kind, value, (agent, value))
        try:
            if enabled is not None:
                self.vote(agent, enabled)
        except Exception:
            if kind:
                self._set(kind, before, owner)
            raise

    @property
    def settings(self):
        """What it has besides rate and parent, by kind; at the prompt each may be set."""
        return self._settings

    def _set_at_prompt(self, kind, value):
        self._set(kind, value, (0, value))

    def _set(self, kind, value, owner):
        if value != self._settings[kind]:
            self._apply(kind, value)
            self._settings.values[kind] = value
        self._settings_by[kind] = owner

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

    def can_tell(self, what):
        """Return whether its rate can change ("rate"), or be asked for ("requested")."""
        return self.can_change_rate or (what == "rate" and not self._has_own_rate())

    @property
    def choices(self):
        """The rates that frontends may set, as a list; lowest and highest of a range."""
        if self.forbidden & ACCESS_RATE or not self.can_change_rate:
            return []
        return list(self.rate_range[:2] if self.rate_range else self._rates)

    def rounded(self, wanted, mode):
        """Return the rate that `wanted` rounds to, or None; `mode` as in `scmi.model.rounding`."""
        if self.rate_range:
            lowest, highest, step = self.rate_range
            return rounding.from_range(lowest, highest, step, wanted, mode)
        return rounding.from_list(self._rates, wanted, mode)

    def accepts(self, kind, value):
        """Return whether setting `kind` may have `value`."""
        return accepts(kind, value)

    def restore(self, agent):
        """Take back the vote of the agent with id `agent`, and what it was the last to set."""
        rate, parent, settings = self._initial
        for kind in settings:
            if self._settings_by.get(kind) == (agent, self._settings[kind]):
                self._set(kind, settings[kind], None)
        if self._parent_by == agent:
            self.set_parent(parent, 0)
        if self.rate_by == agent:
            self.set_rate(rate, 0)
        self.vote(agent, None)

    def row(self):
        """Return the columns of a table for people."""
        parent = f"from {self.parent.name}" if self.parent else ""
        votes = self._votes.row(("on", "off"))
        return (str(self.id), self.name, str(self.rate), "Hz", "on" if self.enabled else "off", parent, votes)

    def __repr__(self):
        return "clock " + "  ".join(self.row()).rstrip()
