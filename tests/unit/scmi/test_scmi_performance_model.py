# SPDX-License-Identifier: MIT
"""Performance domains of a description: what is refused and how that is said, what may be set at the prompt."""

from array import array

from scmi.platform import Clock, DescriptionError, Performance, Platform
from scmi_client import header
from scmi_example import CPU, PERFORMANCE, client, platform
from support import raises, without_allocation


def refused(build, *words):
    """Demand that `build()` is refused with a message that has all `words` in it."""
    message = str(raises(DescriptionError, build))
    for word in words:
        assert word in message, message


def performance(**options):
    return lambda: Performance("p", options.pop("levels", (1, 2)), **options)


def test_what_is_refused():
    refused(lambda: Performance("", (1,)), "performance domain ''", "1 to 63 bytes")
    refused(performance(levels=()), "performance domain 'p'", "1 to 4095 levels")
    for level in (0, -1, 1.5, 1 << 32, True, "x"):
        refused(performance(levels=[(level,)]), "performance domain 'p'", "level of a level")
    refused(performance(levels=[(1, -1)]), "power of a level")
    refused(performance(levels=[(1, 0, 65_536)]), "latency of a level")
    refused(performance(levels=[(1, 0, 0, 0)]), "frequency of a level")
    refused(performance(levels=[(1, 0, 0, 1, 1)]), "(level, power, latency, frequency)")
    refused(performance(levels=(1, 1)), "levels must differ")
    refused(performance(levels=[(1, 0, 0, 1), 2]), "all levels have a frequency, or none")
    refused(performance(levels=[(1, 0, 0, 1), (2, 0, 0, 1)]), "frequencies of levels must differ")
    refused(performance(levels=(1 << 31, 1), sustained=1, sustained_frequency=4), "kilohertz of level 2147483648")
    refused(performance(level=3), "level must be one of 1, 2, not 3")
    refused(performance(level=2, limits=(1, 1)), "level 2 is not within the limits, 1 to 1")
    refused(performance(sustained=3), "sustained must be one of 1, 2")
    refused(performance(sustained_frequency=-1), "sustained_frequency")
    refused(performance(limits=(1,)), "limits must be (lowest, highest)")
    refused(performance(limits=(0, 2)), "a limit must be a whole number from 1 to 2")
    refused(performance(limits=(2, 1)), "(2, 1) must have a level in between")
    refused(performance(indexed="yes"), "indexed must be True or False")
    refused(performance(power_unit="watt"), "milliwatt, microwatt", "'watt'")
    refused(performance(rate_limit=1 << 20), "rate_limit")
    refused(performance(forbidden=("rate",)), "'rate'")
    refused(performance(change=5), "change must be a function")
    refused(lambda: Platform(performance=[Clock("a", 1)]), "performance domain number 0 is a Clock")
    mixed = [Performance("a", (1,)), Performance("b", (1,), power_unit=None)]
    refused(lambda: Platform(performance=mixed), "performance domain 'b'", "'milliwatt'", "'a'")


def test_levels_have_sensible_defaults():
    domain = Performance("p", (200, 100))
    assert domain.levels == ((100, 0, 0, 100), (200, 0, 0, 200)) and domain.level == 200
    assert Performance("p", (1, 4), sustained_frequency=1000).levels == ((1, 0, 0, 250), (4, 0, 0, 1000))
    domain = Performance("p", ((1, 5, 6, 70), (4, 8, 9, 300)), sustained=1, limits=(1, 3))
    assert (domain.sustained_frequency, domain.level, domain.limits) == (70, 1, (1, 3))


def test_setting_level_and_limits_at_the_prompt():
    soc, said = platform(), []
    cpu = soc.performance["cpu"]
    cpu.change = lambda domain, level: said.append((domain.name, level))
    cpu.level = 1600
    cpu.limits = (400, 1000)
    assert (cpu.level, cpu.limits) == (800, (400, 1000)) and said == [("cpu", 1600), ("cpu", 800)]
    assert "400 to 1000" in repr(cpu) and "of 4" in repr(cpu)
    refused(lambda: setattr(cpu, "level", 1200), "performance domain 'cpu'", "level 1200", "400 to 1000")
    refused(lambda: setattr(cpu, "level", 500), "performance domain 'cpu'", "400, 800, 1200, 1600")
    refused(lambda: setattr(cpu, "limits", (1100, 900)), "performance domain 'cpu'", "level in between")
    cpu.limits = None
    assert (cpu.level, cpu.limits) == (1600, (400, 1600))
    cpu.set_limits(400, 400, 2)
    assert "agent 2 allows 400 to 400" in repr(soc) and cpu.level == 400
    cpu.restore(1)
    assert cpu.level == 400
    cpu.restore(2)
    assert cpu.level == 1600


def test_a_level_that_cannot_be_left_keeps_the_limits_as_they_were():
    def stuck(domain, level):
        raise OSError("stuck")

    cpu = Performance("p", (1, 2), change=stuck)
    raises(OSError, setattr, cpu, "limits", (1, 1))
    raises(OSError, setattr, cpu, "level", 1)
    assert (cpu.level, cpu.limits, cpu.setter) == (2, (1, 2), None)


class Governor:
    """Sets one level after the other. (A class: each call of a closure over many names allocates.)"""

    def __init__(self, levels):
        self.agent = client().backend
        self.requests = [array("I", (header(PERFORMANCE, 0x7), CPU, level)) for level in levels]
        self.reply = array("I", [0] * 8)

    def once(self):
        done = 0
        for request in self.requests:
            done += self.agent.handle(request, 12, self.reply, 8)
        return done


def test_setting_a_level_allocates_nothing():
    once = Governor((400, 1600, 1200, 1200)).once
    once()
    assert without_allocation(once) == 4 * 8
