# SPDX-License-Identifier: MIT
"""Voltage domains of a platform description. Source: DEN0056F, 3.9.1 and the fields of 3.9.2.5 to 3.9.2.10; for the
frontend's nodes the device-tree binding `regulator.yaml`.

Several agents share a domain: it is on while any of them wants it to be. Its level is what was set last.
"""

from hal.compat import const
from scmi.message import ACCESS_RATE, ACCESS_STATE
from scmi.model.resource import Resource
from scmi.model.rules import integers_of, is_integer, items_of, require, require_flag
from scmi.model.votes import Votes

# A level is 32 bits with a sign on the wire.
_LEVEL_LIMIT = const(1 << 31)
_MAX_LEVELS = const(4095)


class Voltage(Resource):
    """A voltage domain as the frontends see it: a supply with a level in microvolts that can be switched."""

    KIND = "voltage"
    FORBIDDABLE = (("state", ACCESS_STATE), ("level", ACCESS_RATE))

    def __init__(
        self,
        name,
        level,
        levels=(),
        level_range=None,
        enabled=True,
        always_on=False,
        forbidden=(),
        drive=None,
        delay=None,
    ):
        """Describe a voltage domain; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `level`: microvolts now. It is fixed, or one of `levels`, or a step of `level_range`
        (lowest, highest, step). `enabled`: whether it is on. `always_on`: frontends may not switch it off.
        `forbidden`: what frontends may not change: "state", "level", or "all". `drive`: function that is called with
        (level, enabled) before either changes; what it raises is answered with GENERIC_ERROR, and nothing changes.
        `delay`: how long an asynchronous change of the level takes (`scmi.model.resource`); None: there are none.
        """
        super().__init__(name)
        levels = items_of(levels, self.subject, "levels")
        require(not (levels and level_range), self.subject, "has levels and level_range; only one of them may be")
        require(drive is None or callable(drive), self.subject, "drive must be a function of level and enabled")
        self._enabled = require_flag(enabled, self.subject, "enabled")
        self.always_on = require_flag(always_on, self.subject, "always_on")
        require(enabled or not always_on, self.subject, "is always_on, so it must be enabled")
        self.forbidden = self.checked_forbidden(forbidden)
        self.level_range = self._checked_range(level_range)
        self._require_level(level, "level")
        self.levels = self._checked_levels(levels, level)
        self._require_allowed(level)
        self._drive = drive
        self.delay = self.checked_delay(delay)
        self._level = level
        self._votes = Votes(not self._enabled)
        self._initial_level = level
        self._level_by = 0

    def _require_level(self, level, what):
        holds = is_integer(level) and -_LEVEL_LIMIT <= level < _LEVEL_LIMIT
        require(holds, self.subject, f"{what} must be whole microvolts of 32 bits, not {level!r}")

    def _require_allowed(self, level):
        require(self.accepts(level), self.subject, f"level {level} must be one of {self._allowed()}")

    def _checked_range(self, limits):
        if limits is None:
            return None
        limits = integers_of(limits, self.subject, "level_range", "(lowest, highest, step) in microvolts")
        for limit in limits:
            self._require_level(limit, "level_range")
        require(limits[0] < limits[1] and limits[2] > 0, self.subject, "level_range must rise from lowest to highest")
        return limits

    def _checked_levels(self, levels, level):
        for entry in levels:
            self._require_level(entry, "a level of levels")
        require(len(levels) <= _MAX_LEVELS, self.subject, "may have 4095 levels at most")
        require(len(set(levels)) == len(levels), self.subject, "levels must differ")
        if not levels and not self.level_range:
            return (level,)
        return tuple(sorted(levels))

    def _allowed(self):
        if self.level_range:
            return "{} to {} in steps of {}".format(*self.level_range)
        return ", ".join(str(level) for level in self.levels)

    def accepts(self, level):
        """Return whether it can have `level`, in microvolts."""
        if self.level_range:
            lowest, highest, step = self.level_range
            return lowest <= level <= highest and (level - lowest) % step == 0
        return level in self.levels

    @property
    def can_change_level(self):
        """True if it has more than one level."""
        return self.level_range is not None or len(self.levels) > 1

    @property
    def level(self):
        """Microvolts that it has while it is on. At the prompt it may be set to any level of the description."""
        return self._level

    @level.setter
    def level(self, level):
        self._require_level(level, "level")
        self._require_allowed(level)
        self.set_level(level, 0)

    def set_level(self, level, agent):
        """Have `level`, one that it accepts, for the agent with id `agent`, 0 being the platform.

        What `drive` raises is raised here, and changes nothing; so it is with `vote`.
        """
        self._configure(level, None)
        self._level_by = agent

    @property
    def enabled(self):
        """Whether it is on. What it is set to at the prompt holds until an agent asks for something again."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled):
        self._switch(not require_flag(enabled, self.subject, "enabled"))
        self._votes.overrule()

    @property
    def wanted(self):
        """{agent id: whether it wants it to be on} of the agents that have said so."""
        return {agent: not off for agent, off in self._votes.wanted.items()}

    def vote(self, agent, enabled):
        """Have the agent with id `agent` want it on or off; None: it no longer cares."""
        self._votes.cast(agent, None if enabled is None else not enabled, self._switch)

    def _switch(self, off):
        self._configure(None, not off)

    def _configure(self, level, enabled):
        """Have `level` and be `enabled`, of which one is None: it stays as it is.

        At the prompt a message can come in between that changes either, so it looks whether that happened.
        """
        turn = -1
        while turn != self._turns:
            self._turns = turn = self._turns + 1
            if self._drive is not None:
                self._drive(self._level if level is None else level, self._enabled if enabled is None else enabled)
            if level is not None:
                self._level = level
            if enabled is not None:
                self._enabled = enabled

    def restore(self, agent):
        """Take back the vote of the agent with id `agent`, and the level if it was the last to set it."""
        if self._level_by == agent:
            self.set_level(self._initial_level, 0)
        if agent in self._votes.wanted:
            self.vote(agent, None)

    def frontend_properties(self):
        """Return the properties of its regulator node, or None if Linux must not have it as a regulator.

        Linux knows no levels below zero, and it switches every regulator that is on: off if nobody uses it, on if its
        node says that it stays on.
        """
        lowest, highest = (self.level_range or (self.levels[0], self.levels[-1]))[:2]
        if lowest < 0 or (self._enabled and self.forbidden & ACCESS_STATE):
            return None
        properties = {"reg": self.id}
        if self.can_change_level and not self.forbidden & ACCESS_RATE:
            properties["regulator-min-microvolt"] = lowest
            properties["regulator-max-microvolt"] = highest
        if self.always_on:
            properties["regulator-always-on"] = True
        return properties

    def row(self):
        """Return the columns of a table for people."""
        state = "always on" if self.always_on and self._enabled else "on" if self._enabled else "off"
        return (str(self.id), self.name, str(self._level), "µV", state, self._votes.row(("on", "off")))

    def __repr__(self):
        return "voltage " + "  ".join(self.row()).rstrip()


def regulators(voltages):
    """Return the content of the frontend's `regulators` node for `voltages`."""
    nodes = {"#address-cells": 1, "#size-cells": 0}
    for voltage in voltages:
        properties = voltage.frontend_properties()
        if properties:
            nodes[f"regulator@{voltage.id:x}"] = properties
    return nodes
