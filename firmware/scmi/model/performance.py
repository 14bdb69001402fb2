# SPDX-License-Identifier: MIT
"""Performance domains of a platform description. Source: DEN0056F, 3.5.1 and the fields of 3.5.6.5 to 3.5.6.12.

Several agents share a domain. What each of them allows is honoured: the highest level is the lowest of their maxima,
the lowest level the highest of their minima, and where these contradict each other the maximum counts. The level is
the one that was asked for last, as near to it as the limits allow; it comes back when they do.
"""

from hal.compat import const
from scmi.message import ACCESS_RATE, ACCESS_STATE
from scmi.model.resource import Resource
from scmi.model.rules import integers_of, is_integer, items_of, require, require_flag
from scmi.model.usage import Usage

_MAX_LEVELS = const(4095)
_WORD = const(0xFFFFFFFF)
_LATENCY = const(0xFFFF)
_RATE_LIMIT = const(0xFFFFF)

# What changes with every request stands in a list: under MicroPython it costs a fraction of storing attributes.
_PLACE = const(0)
_WANTED = const(1)
_SETTER = const(2)

# A limit of 0 in PERFORMANCE_LIMITS_SET stays as it is (3.5.6.9), so no index is 0.
_FIRST_INDEX = const(1)

# Bits of the power cost's unit in PROTOCOL_ATTRIBUTES (3.5.6.3).
POWER_UNITS = {None: 0, "milliwatt": 1 << 16, "microwatt": 1 << 17}


class Performance(Resource):
    """A performance domain as the frontends see it: devices that run at one level, which means most to the platform.

    `levels`: (level, power, latency, frequency) of each level, ascending; where a level stands in it is its place.
    `places`: places by level; `words`: places by what frontends name a level with since version 4.0, and `allowed`:
    those of them that the limits allow, from `lowest` to `highest`. `change`: the function below, or None. `now`:
    [place of the level, of the level that was asked for last, id of the agent that did: None if that of the
    description holds]. `usage`: what it has counted (`scmi.model.usage`), or None.
    """

    KIND = "performance domain"
    FORBIDDABLE = (("limits", ACCESS_STATE), ("level", ACCESS_RATE))

    def __init__(
        self,
        name,
        levels,
        level=None,
        limits=None,
        sustained=None,
        sustained_frequency=None,
        indexed=False,
        power_unit="milliwatt",
        rate_limit=0,
        forbidden=(),
        change=None,
    ):
        """Describe a performance domain; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `levels`: numbers, of kilohertz or of any linear scale, or (level, power, latency,
        frequency), of which any but the level may be missing: power in `power_unit` (0: not known), microseconds that a
        change to this level takes at most, kilohertz. Without any frequency these follow from the sustained one. Linux
        6.12 takes no domain with more than 32 levels, and complains of processors without powers. `level`: the present
        one, the highest that is allowed unless told. `limits`: (lowest, highest) level that the platform itself allows,
        None: all. `sustained`: the level that it can keep up, the highest unless told; `sustained_frequency`: its
        kilohertz, the level itself unless told, 0: not known. Levels above it are what Linux calls boost. `indexed`:
        since version 4.0 frontends name a level by its index, 1 being the lowest. `power_unit`: "milliwatt",
        "microwatt", or None for an abstract linear scale, the same for all domains. `rate_limit`: microseconds that
        frontends should wait between two requests, 0: none. `forbidden`: what frontends may not change: "limits",
        "level", or "all". `change`: `change(domain, level)` is called before the level changes; what it raises leaves
        everything as it was, and the frontend is answered GENERIC_ERROR.
        """
        super().__init__(name)
        self.indexed = require_flag(indexed, self.subject, "indexed")
        holds = power_unit in tuple(POWER_UNITS)
        require(holds, self.subject, f"power_unit must be milliwatt, microwatt or None, not {power_unit!r}")
        self.power_unit = power_unit
        self._require_number(rate_limit, 0, _RATE_LIMIT, "rate_limit in microseconds")
        self.rate_limit = rate_limit
        require(change is None or callable(change), self.subject, "change must be a function of the domain and a level")
        self.change = change
        self.forbidden = self.checked_forbidden(forbidden)
        given = self._checked_levels(levels)
        self._values = tuple(entry[0] for entry in given)
        self.sustained = self._values[-1] if sustained is None else sustained
        self._require_level(self.sustained, "sustained")
        self.sustained_frequency = self._checked_frequency(sustained_frequency, given)
        self.levels = tuple(self._with_frequency(entry) for entry in given)
        self.places = {value: place for place, value in enumerate(self._values)}
        indices = {place + _FIRST_INDEX: place for place in range(len(given))}
        self.words = indices if self.indexed else self.places
        limits = self._checked_limits(limits)
        self._requests = {0: limits} if limits else {}
        self._allow(self._bounds_of(self._requests))
        self._initial = self.highest if level is None else self._allowed_place(level)
        self.now = [self._initial, self._initial, None]
        self.usage = None

    def _require_number(self, value, least, most, what):
        holds = is_integer(value) and least <= value <= most
        require(holds, self.subject, f"{what} must be a whole number from {least} to {most}, not {value!r}")

    def _require_level(self, level, what):
        known = ", ".join(str(value) for value in self._values)
        require(
            is_integer(level) and level in self._values, self.subject, f"{what} must be one of {known}, not {level!r}"
        )

    def _checked_levels(self, levels):
        form = "a number or (level, power, latency, frequency)"
        levels = items_of(levels, self.subject, "levels")
        entries = [
            (entry,) if is_integer(entry) else items_of(entry, self.subject, "a level", form) for entry in levels
        ]
        require(0 < len(entries) <= _MAX_LEVELS, self.subject, f"must have 1 to {_MAX_LEVELS} levels")
        for entry in entries:
            holds = 1 <= len(entry) <= 4
            require(holds, self.subject, f"a level must be {form}, not {entry}")
            for at, (what, least, most) in enumerate(
                (("level", 1, _WORD), ("power", 0, _WORD), ("latency", 0, _LATENCY), ("frequency", 1, _WORD))
            ):
                if at < len(entry):
                    self._require_number(entry[at], least, most, f"{what} of a level")
        require(len({entry[0] for entry in entries}) == len(entries), self.subject, "levels must differ")
        return sorted(entries)

    def _checked_frequency(self, frequency, entries):
        known = [entry[3] for entry in entries if len(entry) > 3]
        require(len(known) in (0, len(entries)), self.subject, "either all levels have a frequency, or none")
        require(len(set(known)) == len(known), self.subject, "frequencies of levels must differ")
        if frequency is None:
            return known[self._values.index(self.sustained)] if known else self.sustained
        self._require_number(frequency, 0, _WORD, "sustained_frequency in kilohertz")
        return frequency

    def _with_frequency(self, entry):
        if len(entry) > 3:
            return entry
        frequency = entry[0] * self.sustained_frequency // self.sustained
        self._require_number(frequency, 0, _WORD, f"kilohertz of level {entry[0]}")
        return entry + (0,) * (3 - len(entry)) + (frequency,)

    def _checked_limits(self, limits):
        if limits is None:
            return None
        limits = integers_of(limits, self.subject, "limits", "(lowest, highest) level or None")
        lowest, highest = limits
        for limit in limits:
            self._require_number(limit, self._values[0], self._values[-1], "a limit")
        require(self.has_level(lowest, highest), self.subject, f"limits {limits} must have a level in between")
        return limits

    def _allowed_place(self, level):
        self._require_level(level, "level")
        place = self.places[level]
        lowest, highest = self._bounds
        holds = self.lowest <= place <= self.highest
        require(holds, self.subject, f"level {level} is not within the limits, {lowest} to {highest}")
        return place

    def _bounds_of(self, requests):
        """Return (lowest, highest) level that `requests` allow together."""
        lowest, highest = self._values[0], self._values[-1]
        for least, most in requests.values():
            lowest, highest = max(lowest, least), min(highest, most)
        return (min(lowest, highest), highest)

    def _range(self, bounds):
        """Return the places of the lowest and the highest level within `bounds`; of agents that contradict each other
        the one with the maximum has its way."""
        highest = max(place for place, value in enumerate(self._values) if value <= bounds[1])
        lowest = min(place for place, value in enumerate(self._values) if value >= bounds[0])
        return min(lowest, highest), highest

    def _allow(self, bounds):
        self._bounds = bounds
        self.lowest, self.highest = self._range(bounds)
        self.allowed = {word: place for word, place in self.words.items() if self.lowest <= place <= self.highest}

    @property
    def level(self):
        """Its level. At the prompt it may be set to any level of the description that is within the limits."""
        return self._values[self.now[_PLACE]]

    @level.setter
    def level(self, level):
        self.set_place(self._allowed_place(level), 0)
        self._settle(0)

    @property
    def index(self):
        """The index of its level, from 1 on."""
        return self.now[_PLACE] + _FIRST_INDEX

    @property
    def limits(self):
        """(lowest, highest) level that all agents and the platform allow together. At the prompt they may be set for
        the platform itself; None: it allows every level."""
        return self._bounds

    @limits.setter
    def limits(self, limits):
        self._request(self._checked_limits(limits), 0)

    @property
    def limit_indices(self):
        """The indices of the lowest and the highest level that are allowed."""
        return self.lowest + _FIRST_INDEX, self.highest + _FIRST_INDEX

    def level_at(self, index):
        """Return the level with `index`, or None."""
        place = index - _FIRST_INDEX
        return self._values[place] if 0 <= place < len(self._values) else None

    def requested(self, agent):
        """Return (lowest, highest) level that the agent with id `agent` allows."""
        return self._requests.get(agent, (self._values[0], self._values[-1]))

    def spans(self, level):
        """Return whether `level` is neither below the lowest nor above the highest level."""
        return self._values[0] <= level <= self._values[-1]

    def has_level(self, lowest, highest):
        """Return whether it has a level from `lowest` to `highest`."""
        return any(lowest <= value <= highest for value in self._values)

    def set_limits(self, lowest, highest, agent):
        """Have the agent with id `agent` allow the levels from `lowest` to `highest`; raises what `change` raises."""
        self._request((lowest, highest), agent)

    @property
    def setter(self):
        """The id of the agent that has set the level last, 0 for the prompt; None if it is that of the description."""
        return self.now[_SETTER]

    def set_place(self, place, agent):
        """Go to the level at `place`, which the limits allow, for the agent with id `agent`.

        Return whether another agent had set the level before. Raises what `change` raises. Allocates nothing while
        nobody wants to be told.
        """
        now = self.now
        if now[_PLACE] != place:
            if self.change:
                self._drive(place)
            now[_PLACE] = place
            if self.usage is not None:
                self.usage.enter(place)
            if self.observer:
                self.announce("level", agent)
        now[_WANTED] = place
        if now[_SETTER] == agent:
            return False
        now[_SETTER] = agent
        return True

    def _drive(self, place):
        """Have the hardware go to the level at `place`, again if a message sent it elsewhere meanwhile."""
        turn = -1
        while turn != self._turns:
            self._turns = turn = self._turns + 1
            self.change(self, self._values[place])

    def _request(self, limits, agent):
        before = self._requests.get(agent)
        self._requests = self._with(agent, limits)
        try:
            self._settle(agent)
        except Exception:
            self._requests = self._with(agent, before)
            raise

    def _with(self, agent, limits):
        requests = dict(self._requests)
        requests.pop(agent, None)
        if limits:
            requests[agent] = limits
        return requests

    def _settle(self, agent):
        """Bring limits and level in line with what was asked for.

        At the prompt it can be interrupted by a message that asks for something else, so it looks again.
        """
        now = self.now
        while True:
            bounds = self._bounds_of(self._requests)
            lowest, highest = self._range(bounds)
            place = min(max(now[_WANTED], lowest), highest)
            moved, limited = place != now[_PLACE], bounds != self._bounds
            if not moved and not limited:
                return
            if moved and self.change:
                self._drive(place)
            self._allow(bounds)
            now[_PLACE] = place
            if limited:
                self.announce("limits", agent)
            if moved:
                if self.usage is not None:
                    self.usage.enter(place)
                self.announce("level", agent)

    def restore(self, agent):
        """Forget the limits of the agent with id `agent`, and the level if it was the last to set it."""
        now, before = self.now, list(self.now)
        if now[_SETTER] == agent:
            now[_WANTED], now[_SETTER] = self._initial, None
        try:
            self._request(None, agent)
        except Exception:
            now[_WANTED], now[_SETTER] = before[_WANTED], before[_SETTER]
            raise

    @property
    def state_count(self):
        """How many levels it has."""
        return len(self.levels)

    def count(self, clock):
        """Count transitions and time from now on; `clock()` returns microseconds. Return its Usage."""
        if self.usage is None:
            self.usage = Usage(self.state_count, self.now[_PLACE], clock)
        return self.usage

    def row(self):
        """Return the columns of a table for people."""
        wanted = [
            f"agent {agent} allows {low} to {high}" for agent, (low, high) in sorted(self._requests.items()) if agent
        ]
        limits = "{} to {}".format(*self._bounds)
        return (str(self.id), self.name, str(self.level), limits, f"of {len(self.levels)}", ", ".join(wanted))

    def __repr__(self):
        return "performance domain " + "  ".join(self.row()).rstrip()


def require_one_unit(domains):
    """Check that all `domains` have the same power unit: frontends are told one for all of them."""
    for domain in domains:
        first = domains[0].power_unit
        holds = domain.power_unit == first
        require(holds, domain.subject, f"power_unit must be {first!r} as that of {domains[0].name!r}")
