# SPDX-License-Identifier: MIT
"""A thermal zone of the model's description: Linux reads its sensor, slows its processor down, and shuts down at last.

Linux 6.12 polls the sensor (its scmi-hwmon has no use for SCMI's trip points); what it does then is a matter of the
zone's trips and of cpufreq, whose levels arrive at the backend.
"""

import pytest

from e2e import on_xen
from trapless.errors import MachineError

MODEL = """
from scmi.platform import Frontend, Performance, Platform, Sensor, ThermalZone

platform = Platform(
    sensors=[Sensor("ambient", "celsius", 21), Sensor("die", "millicelsius", 45_000)],
    performance=[Performance("cpu", [(400_000, 80), (800_000, 190), (1_600_000, 520)])],
    frontend=Frontend(
        cpus="cpu",
        zones=[
            ThermalZone("room", "ambient", every=0),
            ThermalZone("soc", "die", [(85_000, "passive", 5_000), (110_000, "critical")], every=50, every_passive=20),
        ],
    ),
)
"""
ZONES = "/sys/class/thermal/thermal_zone*"


@pytest.fixture(scope="module")
def pair_options(request, tmp_path_factory):
    """The pair of the command line with a model that has thermal zones."""
    from trapless.pytest_plugin import command_line_options

    options = command_line_options(request.config)
    options.model = tmp_path_factory.mktemp("model") / "zoned.py"
    options.model.write_text(MODEL)
    return options


@pytest.fixture(scope="module")
def zone(pair):
    """The folder of the zone of the die."""
    return pair.frontend.check(f"dirname $(grep -lx soc-thermal {ZONES}/type)")


def set_die(backend, value):
    backend.exec(f'soc.sensors["die"].value = {value}')


def level(backend):
    return backend.eval('soc.performance["cpu"].level')


def test_linux_has_the_zones_of_the_model(pair, frontend, zone):
    described = pair.platform.describe()["frontend"]["zones"]
    names = frontend.check(f"cat {ZONES}/type").splitlines()
    assert sorted(names) == sorted(f"{one['name']}-thermal" for one in described)
    for number, (temperature, kind, hysteresis) in enumerate(described[1]["trips"]):
        found = [frontend.check(f"cat {zone}/trip_point_{number}_{what}") for what in ("temp", "type", "hyst")]
        assert found == [str(temperature), kind, str(hysteresis)]


def test_a_zone_has_the_temperature_of_its_sensor(backend, frontend, zone):
    for value in (45_000, 60_000, -3_000):
        set_die(backend, value)
        assert frontend.check(f"cat {zone}/temp") == str(value)
    room = frontend.check(f"dirname $(grep -lx room-thermal {ZONES}/type)")
    assert frontend.check(f"cat {room}/temp") == "21000"


@on_xen.NO_CPUFREQ
def test_linux_slows_its_processor_down_while_it_is_hot(backend, frontend, zone, until):
    """The governor step_wise goes down a step when it gets hotter, up a step when it gets cooler, and up at once below
    the trip and its hysteresis."""
    path = ((45_000, 1_600_000), (88_000, 800_000), (92_000, 400_000), (82_000, 800_000), (60_000, 1_600_000))
    for steps, (temperature, expected) in zip((0, 1, 2, 1, 0), path, strict=True):
        set_die(backend, temperature)
        until(lambda expected=expected: level(backend) == expected, f"level {expected} at {temperature}")
        assert frontend.check(f"cat {zone}/cdev0/cur_state") == str(steps)


@on_xen.NO_RESTART
def test_linux_shuts_down_when_it_is_too_hot(backend, frontend, until):
    set_die(backend, 115_000)
    with pytest.raises(MachineError, match="ended"):
        frontend.run("sleep 60")
    until(lambda: not frontend.vm.alive(), "the frontend's machine is off")
