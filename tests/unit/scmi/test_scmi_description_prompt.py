# SPDX-License-Identifier: MIT
"""Platforms at the prompt: what can be set, what is refused and how that is said, how things are shown."""

from scmi.platform import (
    PHASE,
    Clock,
    DescriptionError,
    Platform,
    Sensor,
    SystemPower,
)
from scmi_example import LONG_CLOCK_NAME, RATES, platform
from support import raises


def refused(build, *words):
    """Demand that `build()` is refused with a message that has all `words` in it."""
    message = str(raises(DescriptionError, build))
    for word in words:
        assert word in message, message


def test_switching_things_at_the_prompt():
    soc = platform()
    refused(lambda: setattr(soc.sensors["plain"], "enabled", "off"), "sensor 'plain'", "True or False")
    refused(lambda: setattr(soc.sensors["plain"], "timestamping", True), "sensor 'plain'", "no timestamps")
    refused(lambda: setattr(soc.clocks["list"], "enabled", "off"), "clock 'list'", "True or False")
    refused(lambda: setattr(soc.clocks["mux"], "parent", "range"), "clock 'mux'", "'range'", "fixed, list")
    refused(lambda: setattr(soc.clocks["fixed"], "parent", None), "clock 'fixed'", "none")
    soc.clocks["mux"].parent = "fixed"
    assert soc.clocks["mux"].parent is soc.clocks["fixed"] and soc.clocks["mux"].rate == 24_000_000
    soc.clocks["mux"].parent = soc.clocks["list"]
    assert soc.clocks["mux"].rate == RATES[0]


def test_setting_a_value_at_the_prompt():
    soc = platform()
    soc.sensors["plain"].value = -1
    assert soc.sensors["plain"].value == -1 and soc.sensors[0].value == -1
    assert "45000" not in repr(soc.sensors["plain"])
    refused(lambda: setattr(soc.sensors["plain"], "value", "hot"), "sensor 'plain'", "whole number")
    refused(lambda: setattr(soc.sensors["plain"], "value", None), "no read function")
    refused(lambda: setattr(soc.sensors["axes"], "value", 1), ".axes['x'].value")
    soc.sensors["axes"].axes["x"].value = 7
    assert soc.sensors["axes"].value == [7, -2, 9]


def test_a_moving_sensor_can_be_held_and_let_go():
    moving = platform().sensors["moving"]
    assert moving.moving and moving.value + 1 == moving.value
    moving.value = 5
    assert not moving.moving and moving.value == moving.value == 5
    moving.value = None
    assert moving.moving


def test_setting_a_rate_at_the_prompt():
    soc = platform()
    soc.clocks["list"].rate = RATES[3]
    assert soc.clocks["mux"].rate == RATES[3]
    refused(lambda: setattr(soc.clocks["list"], "rate", 5), "clock 'list'", "rate 5")
    refused(lambda: setattr(soc.clocks["mux"], "rate", RATES[0]), "takes its rate from its parent")


def test_setting_a_power_state_at_the_prompt():
    domain = platform().power_domains["deep"]
    domain.state = "off"
    assert domain.state == "off" and domain.word == 0x40000000
    refused(lambda: setattr(domain, "state", "asleep"), "power domain 'deep'", "on, retention, sleep, off")
    domain.vote(1, 1)
    assert domain.wanted == {1: "retention"} and "agent 1 wants retention" in repr(domain)


def test_what_the_platform_asks_of_its_agents_is_checked_and_seen():
    soc = Platform(system=SystemPower(("shutdown", "suspend")))
    refused(lambda: soc.system.ask("cold-reset"), "system power", "shutdown, suspend", "'cold-reset'")
    refused(lambda: soc.system.ask("shutdown", timeout=-1), "system power", "timeout", "-1")
    refused(lambda: soc.system.ask("shutdown", graceful=2), "system power", "graceful", "2")
    soc.system.ask("shutdown", timeout=1000)
    assert repr(soc.system) == "system  shutdown  asked for by the platform, gracefully"
    assert (soc.system.agent, soc.system.requests) == (0, 0)


def test_what_an_agent_has_asked_of_the_system_is_seen_at_the_prompt():
    soc = platform()
    assert soc.system.state == "power-up" and "power-up" in repr(soc)
    soc.system.request(2, 0, True)
    assert (soc.system.state, soc.system.agent, soc.system.graceful) == ("shutdown", 2, True)
    assert "asked for by agent 2, gracefully" in repr(soc)
    soc.system.state = "power-up"
    assert soc.system.agent is None and soc.system.requests == 1
    refused(lambda: setattr(soc.system, "state", "on"), "system power", "'on'")


def test_resets_at_the_prompt():
    soc, said = platform(), []
    core = soc.resets["core"]
    core._reset, core._signal = lambda state: said.append(("reset", state)), said.append
    core.asserted = True
    assert core.asserted and "asserted" in repr(core)
    core.reset()
    assert said == [True, ("reset", 0)] and not core.asserted
    assert (core.count, core.last_state) == (1, 0) and "1 resets" in repr(core)
    refused(lambda: core.reset(1), "reset 'core'", "state 1", "one of (0,)")


def test_setting_a_voltage_at_the_prompt():
    soc, said = platform(), []
    rail = soc.voltages["rail"]
    rail._drive = lambda level, enabled: said.append((level, enabled))
    rail.level = 600_000
    rail.enabled = False
    assert (rail.level, rail.enabled) == (600_000, False) and said == [(600_000, True), (600_000, False)]
    assert "600000" in repr(rail) and "off" in repr(rail)
    refused(lambda: setattr(rail, "level", 600_001), "voltage 'rail'", "level 600001", "steps of 12500")
    refused(lambda: setattr(rail, "level", "high"), "voltage 'rail'", "whole microvolts")
    refused(lambda: setattr(soc.voltages["solid"], "level", 1), "voltage 'solid'", "1800000")


def test_names_that_do_not_exist():
    soc = platform()
    assert "plain" in soc.sensors and "nothing" not in soc.sensors
    assert "there are: plain, negative" in str(raises(KeyError, lambda: soc.sensors["nothing"]))
    assert "cannot be replaced" in str(raises(TypeError, lambda: soc.sensors.__setitem__("plain", 5)))
    assert "no clock 8; there are 8" in str(raises(IndexError, lambda: soc.clocks[8]))


def test_repr_is_a_table():
    text = repr(platform())
    for word in ("Vendor", "plain", "45000", "m\u00b0C", "moving", "disabled", "from list", LONG_CLOCK_NAME, "trusted"):
        assert word in text, word
    for word in ("power domains", "switched", "sleep", "fixed"):
        assert word in text, word
    assert repr(platform().clocks).count("\n") == 7


def test_update_intervals_are_milliseconds_at_the_prompt():
    listed = Sensor("listed", "volt", intervals=(1000, 10, 120_000))
    ranged = Sensor("ranged", "volt", interval_range=(10, 100, 30))
    assert (listed.interval, listed.intervals, listed.interval_range) == (10, (10, 1000, 120_000), None)
    assert (ranged.interval, ranged.intervals, ranged.interval_range) == (10, (), (10, 100, 30))
    for sensor, allowed, wrong in (
        (listed, (1000, 120_000), (0, 11, -10, "10", 10.0, True, 65_537)),
        (ranged, (40, 70, 100), (9, 20, 101, 130, None)),
    ):
        for ms in allowed:
            sensor.interval = ms
            assert sensor.interval == ms
        for ms in wrong:
            refused(lambda sensor=sensor, ms=ms: setattr(sensor, "interval", ms), sensor.name, "milliseconds")
        assert sensor.interval == allowed[-1]
    refused(lambda: setattr(Sensor("none", "volt"), "interval", 10), "no update interval")


def test_settings_of_a_clock_are_checked_at_the_prompt():
    made = []
    pwm = Clock("pwm", 1, settings={PHASE: 0, 0x80: 7}, change=lambda clock, what, value: made.append((what, value)))
    Platform(clocks=[pwm])
    pwm.settings[PHASE] = 180
    pwm.settings[0x80] = 0xFFFFFFFF
    assert made == [(PHASE, 180), (0x80, 0xFFFFFFFF)] and pwm.settings[PHASE] == 180
    for kind, value, word in (
        (PHASE, 361, "360"),
        (0x80, 1 << 32, "0x80"),
        (PHASE, "1", "'1'"),
        (0x81, 1, "0x2, 0x80"),
    ):
        refused(lambda kind=kind, value=value: pwm.settings.__setitem__(kind, value), "clock 'pwm'", word)
    raises(AttributeError, setattr, pwm, "settings", {})
    assert (len(pwm.settings), sorted(pwm.settings), 0x81 in pwm.settings) == (2, [PHASE, 0x80], False)
    assert repr(Clock("c", 1, settings={PHASE: 3}).settings) == "{2: 3}"
