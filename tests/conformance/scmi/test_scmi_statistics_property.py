# SPDX-License-Identifier: MIT
"""Statistics after any sequence of changes are those of a count of its own. Source: docs/reference/statistics.md."""

from struct import pack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from driver import Rig
from scmi.device import ScmiDevice
from scmi.platform import Performance, Platform, PowerDomain
from scmi.statistics import PERIOD_MS
from scmi_client import header
from statistics_reader import PERFORMANCE, POWER, attributes, reader

LEVELS = (100, 200, 300, 400)
STATES = ("on", "retention", "off")
LEVEL_SET = 0x7


class Count:
    """What a domain with `states` states should have counted since `now`."""

    def __init__(self, states, place, now):
        self.place = place
        self.changed = now
        self.entered = [0] * states
        self.spent = [0] * states

    def move(self, place, now):
        """Go to `place` at `now`."""
        if place != self.place:
            self.entered[place] += 1
            self.place, self.changed = place, now


class Statistics(RuleBasedStateMachine):
    """A driver that comes and goes, and two domains that messages and the prompt change."""

    def __init__(self):
        super().__init__()
        self.now = 0
        self.cpu = Performance("cpu", LEVELS)
        self.cluster = PowerDomain("cluster", states=((STATES[1], 1),))
        self.platform = Platform(performance=[self.cpu], power_domains=[self.cluster])
        self.platform.statistics.clock = lambda: self.now
        self.agent = self.platform.agents[0]
        self.rig = Rig(ScmiDevice(self.agent), shared=0x2000)
        self.platform.connect(self.rig.loop.after)
        self.driver = None
        self.counts = None

    @rule()
    def begin(self):
        """A driver comes; the first one makes the platform count."""
        self.driver = self.rig.drivers[0].begin()
        if self.counts is None:
            places = LEVELS.index(self.cpu.level), STATES.index(self.cluster.state)
            self.counts = (Count(len(LEVELS), places[0], self.now), Count(len(STATES), places[1], self.now))
        self.follow()

    @precondition(lambda self: self.driver)
    @rule()
    def end(self):
        """The driver goes; the platform goes on counting."""
        self.driver.reset()
        self.driver = None
        self.follow()

    @rule(level=st.sampled_from(LEVELS))
    def set_level(self, level):
        """A level at the prompt; one outside the limits is refused and changes nothing."""
        low, high = self.cpu.limits
        if low <= level <= high:
            self.cpu.level = level
        self.follow()

    @precondition(lambda self: self.driver)
    @rule(level=st.sampled_from(LEVELS))
    def ask_for_level(self, level):
        """A level that the driver asks for."""
        self.driver.request(pack("<3I", header(PERFORMANCE, LEVEL_SET), 0, level), 8)
        self.follow()

    @rule(limits=st.tuples(st.sampled_from(LEVELS), st.sampled_from(LEVELS)).map(sorted))
    def limit(self, limits):
        """Limits, which may move the level."""
        self.cpu.limits = limits
        self.follow()

    @rule(state=st.sampled_from(STATES))
    def set_state(self, state):
        """A power state at the prompt."""
        self.cluster.state = state
        self.follow()

    @rule(us=st.integers(0, 1 << 40))
    def wait(self, us):
        """Time passes, and the period of the statistics."""
        self.now += us
        for count in self.counts or ():
            count.spent[count.place] += us
        self.rig.machine.advance(PERIOD_MS)
        self.rig.run()

    def follow(self):
        """Note where the domains are now."""
        if self.counts:
            self.counts[0].move(LEVELS.index(self.cpu.level), self.now)
            self.counts[1].move(STATES.index(self.cluster.state), self.now)

    @invariant()
    def regions_hold_the_counts(self):
        """A driver reads them; without one there is nothing."""
        if self.driver is None:
            assert not any(self.rig.shared_bytes(self.rig.shared_base, 0x2000))
            return
        for protocol, count in zip((PERFORMANCE, POWER), self.counts, strict=True):
            found = reader(self.rig, self.driver, protocol).domain(0)
            assert (found.state, found.changed, found.entered) == (count.place, count.changed, count.entered)
            assert found.residency == count.spent
            assert attributes(self.driver, protocol)[0] & 0xFFFF == 1


Statistics.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestStatistics = Statistics.TestCase
