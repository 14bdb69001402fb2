# SPDX-License-Identifier: MIT
"""Nothing is stale: what was changed at the prompt or by a frontend is in the next reply, in every combination."""

from scmi.model.clock import Clock
from scmi.platform import Platform
from scmi.status import PROTOCOL_ERROR
from scmi_client import Client
from scmi_example import CLOCK, DISABLED, FIXED, FULL, LIST, MOVING, MUX, PLAIN, RATES, SENSOR, client

READING, CONFIG_GET, CONFIG_SET = 0x6, 0x9, 0xA
RATE_SET, RATE_GET, CLOCK_CONFIG_SET, CLOCK_CONFIG_GET, PARENT_SET, PARENT_GET = 0x5, 0x6, 0x7, 0xB, 0xD, 0xE

REFUSED = (PROTOCOL_ERROR, [])


def value(scmi, sensor):
    """The value that is read, as a signed number."""
    low, high, _, _ = scmi.ok(SENSOR, READING, sensor, 0)
    found = high << 32 | low
    return found - (1 << 64) if found >> 63 else found


def stamp(scmi, sensor):
    _, _, low, high = scmi.ok(SENSOR, READING, sensor, 0)
    return high << 32 | low


def rate(scmi, clock):
    low, high = scmi.ok(CLOCK, RATE_GET, clock)
    return high << 32 | low


def test_values_of_either_sign_and_any_size():
    scmi = client()
    for wanted in (0, 1, -1, 95_000, (1 << 32) - 1, 1 << 32, -(1 << 32), (1 << 63) - 1, -(1 << 63)):
        scmi.platform.sensors["plain"].value = wanted
        assert value(scmi, PLAIN) == wanted
        scmi.platform.sensors["full"].value = wanted
        scmi.platform.sensors["full"].timestamping = True
        assert value(scmi, FULL) == wanted


def test_moving_values_of_either_sign_and_any_size():
    from scmi.platform import Sensor

    for wanted in (0, -1, (1 << 32) - 1, 1 << 32, -(1 << 40), (1 << 63) - 1, -(1 << 63)):
        scmi = Client(Platform([Sensor("s", "volt", read=lambda wanted=wanted: wanted, timestamps=True)]).agents[0])
        assert value(scmi, 0) == wanted
        assert stamp(scmi, 0) == 0
        scmi.ok(SENSOR, CONFIG_SET, 0, 3)
        assert value(scmi, 0) == wanted and stamp(scmi, 0) > 0


def test_sensor_disabled_and_enabled_at_the_prompt():
    scmi = client()
    for name, number in (("plain", PLAIN), ("moving", MOVING), ("axes", 6)):
        scmi.platform.sensors[name].enabled = False
        assert scmi.call(SENSOR, READING, number, 0) == REFUSED
        assert scmi.ok(SENSOR, CONFIG_GET, number)[0] & 1 == 0
        scmi.platform.sensors[name].enabled = True
        assert len(scmi.ok(SENSOR, READING, number, 0)) >= 4


def test_value_set_while_the_sensor_is_disabled_is_read_once_it_is_enabled():
    scmi = client()
    scmi.platform.sensors["disabled"].value = 77
    assert scmi.call(SENSOR, READING, DISABLED, 0) == REFUSED
    scmi.ok(SENSOR, CONFIG_SET, DISABLED, 1)
    assert value(scmi, DISABLED) == 77


def test_moving_sensor_held_and_let_go():
    scmi = client()
    moving = scmi.platform.sensors["moving"]
    first = value(scmi, MOVING)
    moving.value = -9
    assert [value(scmi, MOVING), value(scmi, MOVING)] == [-9, -9]
    moving.enabled = False
    moving.value = None
    assert scmi.call(SENSOR, READING, MOVING, 0) == REFUSED
    moving.enabled = True
    assert [value(scmi, MOVING), value(scmi, MOVING)] == [first + 1, first + 2]


def test_value_set_while_timestamps_are_on():
    scmi = client()
    scmi.ok(SENSOR, CONFIG_SET, FULL, 3)
    scmi.platform.sensors["full"].value = 5
    assert value(scmi, FULL) == 5 and stamp(scmi, FULL) > 0
    scmi.platform.sensors["full"].timestamping = False
    assert value(scmi, FULL) == 5 and stamp(scmi, FULL) == 0
    assert scmi.ok(SENSOR, CONFIG_GET, FULL)[0] & 2 == 0


def test_axis_set_at_the_prompt():
    scmi = client()
    scmi.platform.sensors["axes"].axes["y"].value = -70
    assert scmi.ok(SENSOR, READING, 6, 0)[4:6] == [0xFFFFFFBA, 0xFFFFFFFF]


def test_rate_set_at_the_prompt_reaches_the_clocks_that_follow():
    scmi = client()
    scmi.platform.clocks["list"].rate = RATES[7]
    assert rate(scmi, LIST) == rate(scmi, MUX) == RATES[7]


def test_rate_set_by_the_frontend_is_seen_at_the_prompt():
    scmi = client()
    scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[9], 0)
    assert scmi.platform.clocks["list"].rate == scmi.platform.clocks["mux"].rate == RATES[9]
    assert rate(scmi, MUX) == RATES[9]


def test_parent_switched_at_the_prompt_and_by_the_frontend():
    scmi = client()
    mux = scmi.platform.clocks["mux"]
    mux.parent = "fixed"
    assert rate(scmi, MUX) == 24_000_000 and scmi.ok(CLOCK, PARENT_GET, MUX) == [FIXED]
    scmi.platform.clocks["list"].rate = RATES[3]
    assert rate(scmi, MUX) == 24_000_000
    scmi.ok(CLOCK, PARENT_SET, MUX, LIST)
    assert rate(scmi, MUX) == mux.rate == RATES[3] and mux.parent.name == "list"


def test_a_chain_of_clocks_follows_its_head():
    clocks = [Clock("c", parents=("b",)), Clock("b", parents=("a", "x")), Clock("a", 1, rates=(1, 2)), Clock("x", 9)]
    soc = Platform(clocks=clocks)
    scmi = Client(soc.agents[0])
    assert rate(scmi, 0) == 1
    soc.clocks["a"].rate = 2
    assert rate(scmi, 0) == 2
    scmi.ok(CLOCK, PARENT_SET, 1, 3)
    assert rate(scmi, 0) == 9
    scmi.ok(0x10, 0xB, 1, 0)
    assert rate(scmi, 0) == rate(scmi, 1) == 2, "the parent is the description's again, the rate that of the prompt"


def test_clock_gated_keeps_its_rate():
    scmi = client()
    scmi.platform.clocks["list"].enabled = False
    assert scmi.ok(CLOCK, CLOCK_CONFIG_GET, LIST, 0)[1] == 0 and rate(scmi, LIST) == RATES[0]
    scmi.platform.clocks["list"].rate = RATES[1]
    scmi.ok(CLOCK, CLOCK_CONFIG_SET, LIST, 1, 0)
    assert scmi.platform.clocks["list"].enabled is True and rate(scmi, LIST) == RATES[1]


class Interrupted:
    """Stands in for `ready_reply` in `module`: in the middle of the first reply that is made, `interrupt()` happens."""

    def __init__(self, module, interrupt):
        self._module = module
        self._make = module.ready_reply
        self._interrupt = interrupt
        module.ready_reply = self

    def __call__(self, *numbers):
        self._module.ready_reply = self._make
        reply = self._make(*numbers)
        self._interrupt()
        return reply


class InterruptedStore:
    """Stands in for the reply that `clock` has ready: after the first number stored in it, `interrupt()` happens."""

    def __init__(self, clock, interrupt):
        self._clock, self._ready, self._interrupt = clock, clock.ready, interrupt
        clock.ready = self

    def load(self, at):
        return self._ready.load(at)

    def store(self, at, number):
        self._clock.ready = self._ready
        self._ready.store(at, number)
        self._interrupt()


def test_rate_set_by_the_frontend_while_the_prompt_sets_it():
    scmi = client()
    InterruptedStore(scmi.platform.clocks["list"], lambda: scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[9], 0))
    scmi.platform.clocks["list"].rate = RATES[3]
    assert rate(scmi, LIST) == rate(scmi, MUX) == scmi.platform.clocks["list"].rate == RATES[9]


def test_sensor_configured_by_the_frontend_while_the_prompt_sets_its_value():
    from scmi.model import sensor as module

    scmi = client()
    Interrupted(module, lambda: scmi.ok(SENSOR, CONFIG_SET, PLAIN, 0))
    scmi.platform.sensors["plain"].value = 5
    assert scmi.call(SENSOR, READING, PLAIN, 0) == REFUSED
    scmi.platform.sensors["plain"].enabled = True
    assert value(scmi, PLAIN) == 5


def test_timestamps_switched_on_by_the_frontend_while_the_prompt_enables_the_sensor():
    from scmi.model import sensor as module

    scmi = client()
    scmi.platform.sensors["full"].enabled = False
    Interrupted(module, lambda: scmi.ok(SENSOR, CONFIG_SET, FULL, 3))
    scmi.platform.sensors["full"].enabled = True
    assert stamp(scmi, FULL) > 0 and scmi.ok(SENSOR, CONFIG_GET, FULL)[0] & 3 == 3


def test_settings_undone_are_read_next():
    scmi = client()
    scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[9], 0)
    scmi.ok(SENSOR, CONFIG_SET, PLAIN, 0)
    scmi.ok(0x10, 0xB, 1, 0)
    assert rate(scmi, LIST) == rate(scmi, MUX) == RATES[0] and value(scmi, PLAIN) == 45_000
