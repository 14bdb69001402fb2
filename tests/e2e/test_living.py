# SPDX-License-Identifier: MIT
"""The living system on chip: what a person does at the prompt warms Linux's thermal zone, and Linux and the platform
answer with less frequency. At the end it gets too hot, and the platform has Linux shut down.

Linux 6.12's cpufreq takes no notice of SCMI's limits; those of its policy fall as its thermal zone slows down the
processor (`models/living.py` gives the zone a trip below the temperature where the platform's own policy begins).
"""

import pytest

from e2e import on_xen
from trapless import project
from trapless.errors import MachineError

ZONE = "/sys/class/thermal/thermal_zone0"
POLICY = "/sys/devices/system/cpu/cpufreq/policy0"
TOP = 2_000_000
PASSIVE = 75_000


@pytest.fixture(scope="module")
def pair_options(request):
    """The pair of the command line with the living model."""
    from trapless.pytest_plugin import command_line_options

    options = command_line_options(request.config)
    options.model = project.FIRMWARE / "models" / "living.py"
    return options


@pytest.fixture
def number(frontend):
    """Return a function that reads a number from a file of the frontend."""
    return lambda path: int(frontend.check(f"cat {path}"))


@on_xen.NO_CPUFREQ
def test_load_warms_linux_up_and_slows_it_down_until_it_ends(backend, number, until):
    assert number(f"{POLICY}/scaling_max_freq") == TOP
    before = number(f"{ZONE}/temp")
    backend.exec('model.load("cpu", 100)')
    until(lambda: number(f"{ZONE}/temp") > before + 20_000, "it gets hotter", 60)
    until(lambda: number(f"{POLICY}/scaling_max_freq") < TOP, "Linux allows itself less", 60)
    until(lambda: backend.eval('soc.performance["cpu"].level') < TOP, "the platform runs slower", 60)
    assert number(f"{ZONE}/temp") < PASSIVE + 10_000
    backend.exec('model.load("cpu", 0)')
    until(lambda: number(f"{POLICY}/scaling_max_freq") == TOP, "Linux allows itself everything again", 60)
    until(lambda: number(f"{ZONE}/temp") < 60_000, "it cools down", 60)
    until(lambda: backend.eval('soc.performance["cpu"].level') == TOP, "the platform runs at full speed", 60)


@on_xen.NO_CPUFREQ
def test_a_cap_that_linux_sets_holds(backend, frontend, number, until):
    (zone,) = frontend.check("dirname $(grep -lx package /sys/class/powercap/arm-scmi:*/name)").splitlines()
    backend.exec('model.load("gpu", 100); model.load("cpu", 60)')
    until(lambda: number(f"{zone}/power_uw") > 2_000_000, "it draws more than it will be allowed")
    frontend.check(f"echo 2000000 >{zone}/constraint_0_power_limit_uw")
    until(lambda: number(f"{zone}/power_uw") <= 2_000_000, "the cap holds")
    until(lambda: number(f"{POLICY}/cpuinfo_cur_freq") < TOP, "Linux sees the lower level")
    frontend.check(f"echo 8000000 >{zone}/constraint_0_power_limit_uw")
    until(lambda: number(f"{POLICY}/cpuinfo_cur_freq") == TOP, "Linux sees the old level again", 60)


def test_energy_and_voltage_are_seen(backend, frontend, number):
    folder = frontend.check("grep -l scmi_sensors /sys/class/hwmon/*/name").rpartition("/")[0]
    first = number(f"{folder}/energy1_input")
    assert number(f"{folder}/energy1_input") >= first > 0
    assert frontend.check(f"cat {folder}/in0_label {folder}/in1_label").split()[0] == "vdd-cpu"


@on_xen.NO_RESTART
def test_the_platform_has_linux_shut_down_when_it_is_critical(backend, frontend, until):
    backend.exec("""soc.after(300, lambda: soc.sensors["cpu"].hold(110_000))""")
    with pytest.raises(MachineError, match="ended"):
        frontend.run("sleep 60")
    until(lambda: not frontend.vm.alive(), "the frontend's machine is off")
    assert "The system is going down NOW!" in frontend.vm.tail(), "user space was asked"
