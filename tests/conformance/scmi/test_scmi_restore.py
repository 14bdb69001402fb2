# SPDX-License-Identifier: MIT
"""BASE_RESET_AGENT_CONFIGURATION takes back what an agent has set, and nothing that others have set since.

Source: DEN0056F, 3.2.2.13. What each protocol's settings are is told again here, apart from the models.
"""

from scmi.platform import Platform, PowerCap, Sensor
from scmi_client import Client, notification
from scmi_example import (
    BASE,
    CLOCK,
    DEEP,
    FIXED,
    GUEST,
    LEVELS,
    LIST,
    MUX,
    OFF,
    ON,
    POWER,
    POWERCAP,
    RATES,
    SENSOR,
    SETTINGS,
    SLEEP,
    STEPS,
    TRUSTED,
    VOLTAGE,
    client,
    guest_of,
)

RESET = 0xB

# what: (message that sets it, its words for one value, for another), (message that gets it, its words), the payloads of
# the first value, the other, and the description's
SETTERS = {
    "rate": (
        (CLOCK, 0x5, (0, LIST, RATES[5], 0), (0, LIST, RATES[7], 0)),
        (CLOCK, 0x6, (LIST,)),
        ([RATES[5], 0], [RATES[7], 0], [RATES[0], 0]),
    ),
    "setting": (
        (CLOCK, 0x7, (SETTINGS, 1 << 16 | 3, 10), (SETTINGS, 1 << 16 | 3, 20)),
        (CLOCK, 0xB, (SETTINGS, 1)),
        ([0, 1, 10], [0, 1, 20], [0, 1, 50]),
    ),
    "level": (
        (VOLTAGE, 0x7, (STEPS, 0, LEVELS[3]), (STEPS, 0, LEVELS[9])),
        (VOLTAGE, 0x8, (STEPS,)),
        ([LEVELS[3]], [LEVELS[9]], [LEVELS[0]]),
    ),
}

# The same for what agents vote on: words for "on" and "off", payloads when it is on, off, and as described.
VOTES = {
    "clock": (
        (CLOCK, 0x7, (LIST, 1, 0), (LIST, 0, 0)),
        (CLOCK, 0xB, (LIST, 0)),
        ([0, 1, 0], [0, 0, 0], [0, 1, 0]),
    ),
    "voltage": (
        (VOLTAGE, 0x5, (STEPS, 7), (STEPS, 0)),
        (VOLTAGE, 0x6, (STEPS,)),
        ([7], [0], [7]),
    ),
    "power domain": (
        (POWER, 0x4, (0, DEEP, ON), (0, DEEP, OFF)),
        (POWER, 0x5, (DEEP,)),
        ([ON], [OFF], [SLEEP]),
    ),
}


class Setting:
    """One thing that two agents set on a new platform."""

    def __init__(self, entry):
        (self.protocol, self.setter, *self.words), (_, self.getter, self.asked), self.payloads = entry
        self.trusted = client()
        self.guest = guest_of(self.trusted)

    def set(self, which, agent):
        """Have `agent`, a Client, set value 0 or 1."""
        agent.ok(self.protocol, self.setter, *self.words[which])

    def reset(self, agent):
        """Reset what the agent with this id has set."""
        self.trusted.ok(BASE, RESET, agent, 0)

    def is_at(self, which):
        """Return whether value 0, 1, or that of the description (2) is read by both agents."""
        found = [one.ok(self.protocol, self.getter, *self.asked) for one in (self.trusted, self.guest)]
        return found == [self.payloads[which]] * 2


def test_what_an_agent_has_set_is_taken_back():
    for name, entry in list(SETTERS.items()) + list(VOTES.items()):
        setting = Setting(entry)
        setting.set(1, setting.guest)
        assert setting.is_at(1), name
        setting.reset(TRUSTED)
        assert setting.is_at(1), name
        setting.reset(GUEST)
        assert setting.is_at(2), name


def test_what_another_agent_has_set_since_stays():
    for name, entry in SETTERS.items():
        setting = Setting(entry)
        setting.set(0, setting.guest)
        setting.set(1, setting.trusted)
        setting.reset(GUEST)
        assert setting.is_at(1), name
        setting.set(1, setting.guest)
        setting.reset(TRUSTED)
        assert setting.is_at(1), "the same value again is the guest's, " + name
        setting.reset(GUEST)
        assert setting.is_at(2), name


def test_a_vote_that_is_taken_back_leaves_those_of_others():
    for name, entry in VOTES.items():
        setting = Setting(entry)
        setting.set(0, setting.guest)
        setting.set(1, setting.trusted)
        assert setting.is_at(0), name
        setting.reset(GUEST)
        assert setting.is_at(1), name
        setting.set(0, setting.guest)
        setting.reset(TRUSTED)
        assert setting.is_at(0), name
        setting.reset(GUEST)
        assert setting.is_at(2), name


def test_what_the_prompt_has_set_since_stays():
    scmi = client()
    soc = scmi.platform
    scmi.ok(CLOCK, 0x5, 0, LIST, RATES[5], 0)
    scmi.ok(CLOCK, 0xD, MUX, FIXED)
    scmi.ok(CLOCK, 0x7, LIST, 1, 0)
    scmi.ok(CLOCK, 0x7, SETTINGS, 1 << 16 | 3, 10)
    scmi.ok(VOLTAGE, 0x7, STEPS, 0, LEVELS[3])
    scmi.ok(VOLTAGE, 0x5, STEPS, 7)
    scmi.ok(POWER, 0x4, 0, DEEP, ON)
    soc.clocks["list"].rate = RATES[9]
    soc.clocks["list"].enabled = False
    soc.clocks["mux"].parent = "fixed"
    soc.clocks["settings"].settings[1] = 77
    soc.voltages["steps"].level = LEVELS[7]
    soc.voltages["steps"].enabled = False
    soc.power_domains["deep"].state = "retention"
    scmi.ok(BASE, RESET, TRUSTED, 0)
    assert scmi.ok(CLOCK, 0x6, LIST) == [RATES[9], 0] and scmi.ok(CLOCK, 0xB, LIST, 0) == [0, 0, 0]
    assert scmi.ok(CLOCK, 0xE, MUX) == [FIXED] and scmi.ok(CLOCK, 0xB, SETTINGS, 1) == [0, 1, 77]
    assert scmi.ok(VOLTAGE, 0x8, STEPS) == [LEVELS[7]] and scmi.ok(VOLTAGE, 0x6, STEPS) == [0]
    assert soc.power_domains["deep"].state == "retention"


def test_what_the_prompt_has_set_of_caps_and_sensors_since_stays():
    platform = Platform(
        [Sensor("s", "volt", timestamps=True, intervals=(10, 20))],
        power_caps=[PowerCap("p", cap_range=(10, 50, 10))],
    )
    scmi = Client(platform.agents[0])
    sensor, domain = platform.sensors[0], platform.power_caps[0]
    for name, value in (("enabled", False), ("timestamping", False), ("interval", 20)):
        scmi.ok(SENSOR, 0xA, 0, (20 << 5 | 0x1D) << 11 | 3)
        scmi.ok(POWERCAP, 0x5, 0, 0, 20)
        setattr(sensor, name, value)
        domain.cap = 30
        scmi.ok(BASE, RESET, TRUSTED, 0)
        assert getattr(sensor, name) == value and sensor.interval == 20 and domain.cap == 30
    scmi.ok(POWERCAP, 0x5, 0, 0, 20)
    scmi.ok(BASE, RESET, TRUSTED, 0)
    assert domain.cap == 50


def test_a_rate_that_is_taken_back_is_told():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(CLOCK, 0x5, 0, LIST, RATES[5], 0)
    for clock in (LIST, MUX):
        guest.ok(CLOCK, 0x9, clock, 1)
    scmi.ok(BASE, RESET, GUEST, 0)
    assert guest.events() == [(notification(CLOCK, 0), [0, clock, RATES[0], 0]) for clock in (LIST, MUX)]
