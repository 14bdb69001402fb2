# SPDX-License-Identifier: MIT
"""Power capping domains of a platform description. Source: DEN0056F, 3.10.1 and the fields of 3.10.3.5 to 3.10.3.16, as
far as Power capping 2.0 has them.

Several agents share a domain: each may ask for a cap of its own, and the lowest of them is enforced. An agent that asks
for 0 wants none; the domain is without a cap if no agent wants one.
"""

from hal.compat import const
from scmi.message import ACCESS_RATE, ACCESS_STATE
from scmi.model.resource import Resource
from scmi.model.rules import integers_of, is_integer, require

_WORD = const(0xFFFFFFFF)

# Microseconds over which power is averaged where the description says nothing.
_USUAL_INTERVAL = const(1_000_000)

# Power units (3.10.3.5, attributes bits 24:23) with their symbols for people.
_UNITS = {"abstract": (0, ""), "microwatt": (1, "µW"), "milliwatt": (2, "mW")}

# parent_id of a domain that is in no other.
NO_PARENT = const(0xFFFFFFFF)


class PowerCap(Resource):
    """A power capping domain as the frontends see it: a part of the system whose power is measured, limited, or both.

    `parent`: the PowerCap that it is a part of, or None. `measured`: whether it has a power; `sampled`: whether that
    comes from a function.
    """

    KIND = "power cap"
    FORBIDDABLE = (("cap", ACCESS_RATE), ("interval", ACCESS_STATE))

    def __init__(
        self,
        name,
        cap=None,
        cap_range=None,
        power=None,
        interval=None,
        interval_range=None,
        parent=None,
        sustainable=0,
        accuracy=0,
        unit="microwatt",
        forbidden=(),
        delay=None,
        change=None,
    ):
        """Describe a power capping domain; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `cap`: what holds until an agent asks for a cap, 0: none; without it the highest of
        `cap_range`, or none. `cap_range`: (lowest, highest, step) that agents may ask for; without it they may not.
        `power`: the power now, averaged over the interval, or a function that returns it; None: it is not measured.
        `interval`, `interval_range`: microseconds over which power is averaged, and the (lowest, highest, step) that
        agents may ask for. `parent`: name of the domain that this one is a part of. `sustainable`: the most that it can
        bear all the time, 0: not known. `accuracy` of `power`: thousandths of a percent, 0: not known. `unit` of all
        powers: "microwatt", "milliwatt", or "abstract", which Linux has no zones for. `forbidden`: what frontends may
        not change: "cap", "interval", or "all". `delay`: None, or how long it takes to set a cap for a frontend that
        does not wait: milliseconds, or a function `delay(finish)` that has `finish()` called when it is done. `change`:
        `change(domain, cap, interval)` is called before either changes; what it raises leaves everything as it was, and
        the frontend is answered GENERIC_ERROR.
        """
        super().__init__(name)
        require(unit in tuple(_UNITS), self.subject, f"unit must be one of {', '.join(sorted(_UNITS))}, not {unit!r}")
        require(
            change is None or callable(change), self.subject, "change must be a function of domain, cap and interval"
        )
        require(power is not None or cap_range, self.subject, "has neither power nor cap_range; it is good for nothing")
        self.unit = unit
        self.unit_code, self._symbol = _UNITS[unit]
        self.forbidden = self.checked_forbidden(forbidden)
        self.delay = self.checked_delay(delay)
        self.sustainable = self._checked_word(sustainable, "sustainable")
        self.accuracy = self._checked_word(accuracy, "accuracy")
        self.parent_name = parent
        self.parent = None
        self._change = change
        self._cap_range = self._checked_range(cap_range, "cap_range")
        self._interval_range = self._checked_range(interval_range, "interval_range")
        self._cap = self._first_cap(cap)
        self._interval = self._first_interval(interval)
        self._initial = (self._cap, self._interval)
        self._wanted = {}
        self._overruled = False
        self._interval_by = 0
        self._power = self._read = None
        if callable(power):
            self._read = power
        elif power is not None:
            self._power = self._checked_word(power, "power")
        self.measured = power is not None
        self.sampled = self._read is not None

    def _checked_word(self, value, what):
        holds = is_integer(value) and 0 <= value <= _WORD
        require(holds, self.subject, f"{what} must be a whole number of 32 bits, not {value!r}")
        return value

    def _checked_range(self, limits, what):
        """Check a range or None. Linux rounds down to multiples of the step, so these must be what there is."""
        if limits is None:
            return None
        limits = integers_of(limits, self.subject, what, "(lowest, highest, step)")
        for limit in limits:
            self._checked_word(limit, what)
        lowest, highest, step = limits
        require(0 < lowest < highest and step > 0, self.subject, f"{what} must rise from a lowest above 0")
        require(lowest + step <= highest, self.subject, f"{what} must have a step between lowest and highest")
        require(lowest % step == 0, self.subject, f"{what} must begin at a multiple of its step, as Linux counts so")
        return limits

    def _first_cap(self, cap):
        if self._cap_range is None:
            return 0 if cap is None else self._checked_word(cap, "cap")
        if cap is None:
            _, highest, step = self._cap_range
            return highest - highest % step
        self._require_cap(cap)
        return cap

    def _first_interval(self, interval):
        if self._interval_range is None:
            interval = self._checked_word(_USUAL_INTERVAL if interval is None else interval, "interval")
            require(interval > 0, self.subject, "interval must be at least 1 microsecond")
            return interval
        if interval is None:
            return self._interval_range[0]
        self._require_interval(interval)
        return interval

    def _require_cap(self, cap):
        self._checked_word(cap, "cap")
        allowed = "{} to {} in steps of {}".format(*self._cap_range) if self._cap_range else f"{self.limits[0]}"
        require(cap == 0 or self.accepts_cap(cap), self.subject, f"cap {cap} must be 0 or {allowed}")

    def _require_interval(self, interval):
        self._checked_word(interval, "interval")
        allowed = "{} to {} in steps of {}".format(*self.interval_limits)
        require(self.accepts_interval(interval), self.subject, f"interval {interval} must be {allowed} microseconds")

    @property
    def limits(self):
        """(lowest, highest, step) of its caps; the same twice if no agent may ask for one."""
        if self._cap_range:
            return self._cap_range
        fixed = self._initial[0] or _WORD
        return (fixed, fixed, 0)

    @property
    def interval_limits(self):
        """(lowest, highest, step) of its averaging interval in microseconds; the same twice if it cannot change."""
        if self._interval_range:
            return self._interval_range
        return (self._initial[1], self._initial[1], 0)

    @property
    def can_change_cap(self):
        """Whether agents may ask for a cap at all."""
        return self._cap_range is not None

    @property
    def can_change_interval(self):
        """Whether agents may ask for another averaging interval."""
        return self._interval_range is not None

    def accepts_cap(self, cap):
        """Return whether `cap` is one that it can enforce."""
        return _in_range(cap, self.limits)

    def accepts_interval(self, interval):
        """Return whether it can average power over `interval` microseconds."""
        return _in_range(interval, self.interval_limits)

    @property
    def cap(self):
        """The cap that is enforced, 0: none. What it is set to at the prompt holds until an agent asks for one."""
        return self._cap

    @cap.setter
    def cap(self, cap):
        self._require_cap(cap)
        self._configure(cap, None, 0)
        self._overruled = True

    @property
    def wanted(self):
        """{agent id: cap that it wants, 0: none} of the agents that have asked for one."""
        return dict(self._wanted)

    def set_cap(self, cap, agent):
        """Have the agent with id `agent` ask for `cap`, one that the domain accepts, or 0 for none."""
        wanted = dict(self._wanted)
        wanted[agent] = cap
        self._configure(self._lowest(wanted), None, agent)
        self._wanted = wanted
        self._overruled = False

    def _lowest(self, wanted):
        caps = [cap for cap in wanted.values() if cap]
        if caps:
            return min(caps)
        return 0 if wanted else self._initial[0]

    @property
    def interval(self):
        """Microseconds over which its power is averaged; it may be set."""
        return self._interval

    @interval.setter
    def interval(self, interval):
        self._require_interval(interval)
        self.set_interval(interval, 0)

    def set_interval(self, interval, agent):
        """Have the agent with id `agent`, 0 being the platform, set `interval`, one that the domain accepts."""
        self._configure(None, interval, agent)
        self._interval_by = agent

    def _configure(self, cap, interval, agent):
        """Have `cap` and `interval`, None: as it is. At the prompt a message can come in between that changes either,
        so it looks whether that happened."""
        turn, changed = -1, False
        while turn != self._turns:
            self._turns = turn = self._turns + 1
            wanted = (self._cap if cap is None else cap, self._interval if interval is None else interval)
            if changed or wanted != (self._cap, self._interval):
                changed = True
                if self._change is not None:
                    self._change(self, *wanted)
            if cap is not None:
                self._cap = cap
            if interval is not None:
                self._interval = interval
        if changed:
            self.announce("cap", agent)

    @property
    def power(self):
        """Its power now, averaged over the interval, or None if it is not measured.

        At the prompt it may be set, to None: no longer, its function is asked again.
        """
        if self._power is not None or self._read is None:
            return self._power
        return self._checked_word(self._read(), "power")

    @power.setter
    def power(self, power):
        if power is None:
            require(self.sampled, self.subject, "has no function that measures its power; set a number")
            self._power = None
            return
        require(self.measured, self.subject, "has no power; give it one in the description")
        self._power = self._checked_word(power, "power")
        self.announce("power", 0, power)

    @property
    def moving(self):
        """Whether its power moves by itself."""
        return self.sampled and self._power is None

    def can_tell(self, what):
        """Return whether agents may be told of `what`: "cap" changes, or "power" that leaves their thresholds."""
        return self.measured if what == "power" else self.can_change_cap or self.can_change_interval

    def restore(self, agent):
        """Undo what the agent with id `agent` has set, as far as nothing was set at the prompt since."""
        wanted, cap, interval = dict(self._wanted), None, None
        if wanted.pop(agent, None) is not None and not self._overruled:
            cap = self._lowest(wanted)
        if self._interval_by == agent:
            interval = self._initial[1]
        self._configure(cap, interval, agent)
        self._wanted = wanted
        self._interval_by = 0 if self._interval_by == agent else self._interval_by

    def row(self):
        """Return the columns of a table for people."""
        cap = f"cap {self._cap} {self._symbol}".rstrip() if self._cap else "no cap"
        wanted = ", ".join(f"agent {agent} wants {self._wanted[agent]}" for agent in sorted(self._wanted))
        parent = f"in {self.parent.name}" if self.parent else ""
        return (str(self.id), self.name, cap, self._shown_power(), f"over {self._interval} µs", parent, wanted)

    def _shown_power(self):
        if not self.measured:
            return "not measured"
        try:
            return f"power {self.power} {self._symbol}".rstrip()
        except Exception as error:
            return f"read failed: {error!r}"

    def __repr__(self):
        return "power cap " + "  ".join(self.row()).rstrip()


def grow(domains):
    """Find the parents of `domains`, a Collection of all of a platform, by their names; nothing may be in itself."""
    for domain in domains:
        name = domain.parent_name
        require(name is None or name in domains, domain.subject, f"parent {name!r} is no power cap of this platform")
        domain.parent = None if name is None else domains[name]
    for domain in domains:
        above = domain.parent
        for _ in range(len(domains)):
            above = above and above.parent
        require(above is None, domain.subject, "is in itself, by way of its parents")


def _in_range(value, limits):
    lowest, highest, step = limits
    return lowest <= value <= highest and (step == 0 or (value - lowest) % step == 0)
