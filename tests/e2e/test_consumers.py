# SPDX-License-Identifier: MIT
"""Drivers of the frontend use clocks, resets, power domains and voltages; the backend has what they asked for.

The model is the default one. Between driver and backend there are only Linux's frameworks and its SCMI drivers.
"""

import pytest

from e2e import consumer
from e2e.consumer import Consumer


@pytest.fixture(scope="module")
def pair_options(request):
    """A pair whose frontend has devices that use the default model's resources."""
    from trapless.pytest_plugin import command_line_options

    options = command_line_options(request.config)
    soc = consumer.platform_of(options)
    ours = {"compatible": consumer.COMPATIBLE}
    nodes = {
        "consumer": {
            **ours,
            **consumer.clocks(soc, *(clock.name for clock in soc.clocks)),
            **consumer.resets(soc, *(reset.name for reset in soc.resets)),
        },
        "consumer-gpu": {**ours, **consumer.power_domain(soc, "gpu")},
        "supply-vdd": {"compatible": "regulator-virtual-consumer", **consumer.supply(soc, "default", "vdd")},
        "supply-sd": {"compatible": "regulator-virtual-consumer", **consumer.supply(soc, "default", "vdd-sd-card")},
        "supply-gpu": {"compatible": "regulator-output", **consumer.supply(soc, "vout", "vdd-gpu")},
    }
    return consumer.equipped(options, nodes, "trapless_consumer")


@pytest.fixture(scope="module")
def device(pair):
    """The device with the clocks and the resets."""
    pair.frontend.check("insmod /host/trapless_consumer.ko")
    return Consumer(pair.frontend, "consumer")


@pytest.mark.parametrize(
    ("name", "wanted", "rate"),
    [
        ("pll", 400_000_000, 400_000_000),
        ("pll", 1_199_999_999, 800_000_000),  # Linux leaves the rounding to the backend, and wants it down
        ("cpu", 1_049_999_999, 1_000_000_000),
        ("pll", 1_200_000_000, 1_200_000_000),
        ("cpu", 800_000_000, 800_000_000),
        ("display-pixel-clock-of-panel-0", 74_250_000, 74_250_000),
    ],
)
def test_a_driver_sets_the_rate_of_a_clock(device, backend, frontend, name, wanted, rate):
    device.write(f"clock-{name}/rate", wanted)
    assert backend.eval(f'soc.clocks["{name}"].rate') == rate
    assert device.read(f"clock-{name}/rate") == str(rate)
    assert frontend.check(f"cat /sys/kernel/debug/clk/{name}/clk_rate") == str(rate)


def test_a_driver_chooses_the_parent_of_a_clock(device, backend, frontend):
    for parent in ("pll", "osc"):
        device.write("clock-uart/parent", parent)
        assert backend.eval('soc.clocks["uart"].parent.name') == parent
        assert device.read("clock-uart/parent") == parent
        assert device.read("clock-uart/rate") == str(backend.eval(f'soc.clocks["{parent}"].rate'))
        assert frontend.check("cat /sys/kernel/debug/clk/uart/clk_parent") == parent
    device.refused("clock-uart/parent", "rtc")


def test_a_driver_gates_a_clock(device, backend):
    gate, running = (
        "clock-display-pixel-clock-of-panel-0/enabled",
        'soc.clocks["display-pixel-clock-of-panel-0"].enabled',
    )
    for enabled in (1, 0):
        device.write(gate, enabled)
        assert backend.eval(running) is bool(enabled)


def test_a_clock_that_is_not_the_drivers_to_change_stays_as_it_is(device, backend):
    described = backend.eval('(soc.clocks["rtc"].rate, soc.clocks["rtc"].enabled)')
    device.write("clock-rtc/enabled", 1)
    device.write("clock-rtc/enabled", 0)
    assert backend.eval('(soc.clocks["rtc"].rate, soc.clocks["rtc"].enabled)') == described


def test_a_driver_sets_a_duty_cycle(device, backend):
    for percent in (25, 50):
        device.write("clock-pwm/duty", percent)
        assert backend.eval('soc.clocks["pwm"].settings[1]') == percent
        assert device.read("clock-pwm/duty") == str(percent)


def test_a_driver_resets_what_it_drives(device, backend):
    before = backend.eval('soc.resets["gpu"].count')
    device.write("reset-gpu", "reset")
    assert backend.eval('(soc.resets["gpu"].count, soc.resets["gpu"].asserted)') == (before + 1, False)
    for what, asserted in (("assert", True), ("deassert", False)):
        device.write("reset-gpu", what)
        assert backend.eval('soc.resets["gpu"].asserted') is asserted


def test_a_reset_that_is_forbidden_fails_in_the_driver(device, backend):
    assert "Permission denied" in device.refused("reset-watchdog", "reset")
    assert backend.eval('soc.resets["watchdog"].count') == 0


def domain(frontend, name):
    """The state of one of Linux's generic power domains."""
    summary = frontend.check("cat /sys/kernel/debug/pm_genpd/pm_genpd_summary").splitlines()
    return next(line.split()[1] for line in summary if line.split()[:1] == [name])


def test_a_power_domain_follows_the_device_in_it(device, backend, frontend):
    gpu = Consumer(frontend, "consumer-gpu")
    for control, expected, linux in (("on", "on", "on"), ("auto", "off", "off-0")):
        gpu.write("sysfs:power/control", control)
        assert backend.eval('soc.power_domains["gpu"].state') == expected
        assert domain(frontend, "gpu") == linux


@pytest.mark.parametrize(
    ("device", "voltage", "low", "high", "level"),
    [
        ("supply-vdd", "vdd", 1_000_000, 1_003_000, 1_000_000),
        ("supply-vdd", "vdd", 848_000, 855_000, 850_000),
        ("supply-sd", "vdd-sd-card", 1_700_000, 2_000_000, 1_800_000),
        ("supply-sd", "vdd-sd-card", 3_200_000, 3_400_000, 3_300_000),
    ],
)
def test_a_driver_sets_a_voltage(backend, frontend, device, voltage, low, high, level):
    supplied = Consumer(frontend, device)
    supplied.write("sysfs:min_microvolts", 0)  # not constrained until both ends are there
    supplied.write("sysfs:max_microvolts", high)
    supplied.write("sysfs:min_microvolts", low)
    assert backend.eval(f'(soc.voltages["{voltage}"].level, soc.voltages["{voltage}"].enabled)') == (level, True)


def test_a_driver_switches_its_supply(backend, frontend):
    supplied = Consumer(frontend, "supply-gpu")
    for state, enabled in (("enabled", True), ("disabled", False)):
        supplied.write("sysfs:state", state)
        assert backend.eval('soc.voltages["vdd-gpu"].enabled') is enabled
        assert supplied.read("sysfs:state") == state


def test_none_of_it_was_an_error_to_linux(device, frontend):
    assert frontend.check("dmesg -r | grep '^<[0-3]>' || true") == ""
