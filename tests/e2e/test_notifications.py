# SPDX-License-Identifier: MIT
"""What happens on the platform is told to Linux, whoever caused it; Linux's SCMI core takes the notifications apart.

The model is the default one. In a report agent 0 is the platform itself, and agent 1 the frontend.
"""

import struct

import pytest

from e2e import consumer
from e2e.notifications import Notifications
from trapless import bench
from trapless.bench import TOOL as SCMI_RAW

POWER, CLOCK, SENSOR, RESET, POWER_CAP = 0x11, 0x14, 0x15, 0x16, 0x18
RISEN = 1 << 16
ON, OFF = 0, 1 << 30


@pytest.fixture(scope="module")
def pair_options(request):
    """The pair of the command line with the test modules and scmi-raw in the frontend."""
    from trapless.pytest_plugin import command_line_options

    options = bench.with_tool(command_line_options(request.config))
    soc = consumer.platform_of(options)
    device = {
        "compatible": consumer.COMPATIBLE,
        **consumer.clocks(soc, "pll"),
        **consumer.resets(soc, "gpu"),
        **consumer.power_domain(soc, "gpu"),
    }
    return consumer.equipped(options, {"consumer": device}, "trapless_consumer", "trapless_events")


@pytest.fixture(scope="module")
def soc(pair):
    """The model, for ids."""
    return pair.platform


@pytest.fixture(scope="module")
def told(pair):
    """What the frontend is told."""
    return Notifications(pair.frontend)


@pytest.fixture(scope="module")
def device(pair):
    """A device with a clock, with the reset of the GPU and in its power domain."""
    pair.frontend.check("insmod /host/trapless_consumer.ko")
    return consumer.Consumer(pair.frontend, "consumer")


def send(frontend, protocol, message, *words):
    """Send a raw message; its answer must be SUCCESS."""
    header = protocol << 10 | message
    answer = frontend.check(f"{SCMI_RAW} send {struct.pack(f'<{len(words) + 1}I', header, *words).hex()}")
    assert bytes.fromhex(answer)[:8] == struct.pack("<II", header, 0)


def test_a_power_domain_changed_by_a_driver(soc, told, device):
    gpu = soc.power_domains["gpu"].id
    told.subscribe(POWER, 0, gpu)
    for control, state in (("on", ON), ("auto", OFF)):
        device.write("sysfs:power/control", control)
        told.wait_for(POWER, 0, 1, gpu, state)
    assert told.heard() == [(POWER, 0, 1, gpu, ON), (POWER, 0, 1, gpu, OFF)]
    told.unsubscribe(POWER, 0, gpu)


def test_a_power_domain_changed_at_the_prompt(soc, told, backend):
    gpu = soc.power_domains["gpu"].id
    told.subscribe(POWER, 0)
    for name, state in (("on", ON), ("off", OFF)):
        backend.exec(f'soc.power_domains["gpu"].state = "{name}"')
        told.wait_for(POWER, 0, 0, gpu, state)
    told.unsubscribe(POWER, 0)


def test_a_rate_changed_by_a_driver_and_at_the_prompt(soc, told, device, backend):
    pll = soc.clocks["pll"].id
    told.subscribe(CLOCK, 0, pll)
    device.write("clock-pll/rate", 800_000_000)
    told.wait_for(CLOCK, 0, 1, pll, 800_000_000)
    backend.exec('soc.clocks["pll"].rate = 1_200_000_000')
    told.wait_for(CLOCK, 0, 0, pll, 1_200_000_000)
    told.unsubscribe(CLOCK, 0, pll)


def test_a_reset_by_a_driver_and_by_a_raw_message(soc, told, device, frontend):
    gpu = soc.resets["gpu"].id
    told.subscribe(RESET, 0, gpu)
    device.write("reset-gpu", "reset")
    told.wait_for(RESET, 0, 1, gpu, 0)
    told.subscribe(RESET, 0)  # forgets what was heard
    send(frontend, RESET, 0x4, gpu, 1, 0)
    told.wait_for(RESET, 0, 1, gpu, 0)
    told.unsubscribe(RESET, 0)
    told.unsubscribe(RESET, 0, gpu)


def test_a_trip_point_that_is_crossed_both_ways(soc, told, backend):
    cpu = soc.sensors["cpu"].id
    told.subscribe(SENSOR, 0, cpu)
    for number, value in ((0, 80_000), (1, 90_000)):
        told.set_trip(cpu, number, value)
    backend.exec('soc.sensors["cpu"].value = 85_000')
    told.wait_for(SENSOR, 0, 0, cpu, RISEN | 0)
    backend.exec('soc.sensors["cpu"].value = 95_000')
    told.wait_for(SENSOR, 0, 0, cpu, RISEN | 1)
    backend.exec('soc.sensors["cpu"].value = 45_000')
    told.wait_for(SENSOR, 0, 0, cpu, 0)
    told.wait_for(SENSOR, 0, 0, cpu, 1)
    assert len(told.heard()) == 4
    told.unsubscribe(SENSOR, 0, cpu)


def test_a_sensor_that_is_set_and_one_that_moves(soc, told, backend):
    board, battery = soc.sensors["board"].id, soc.sensors["battery"].id
    told.subscribe(SENSOR, 1, board)
    backend.exec('soc.sensors["board"].value = 40_000')
    told.wait_for(SENSOR, 1, 0, board, 40_000)
    told.unsubscribe(SENSOR, 1, board)
    told.subscribe(SENSOR, 1, battery)
    told.wait_for(SENSOR, 1, 0, battery)
    told.unsubscribe(SENSOR, 1, battery)


def test_a_power_cap_and_a_power_beyond_its_thresholds(soc, told, backend, frontend):
    (gpu,) = (cap["id"] for cap in soc.describe()["power_caps"] if cap["name"] == "gpu")
    told.subscribe(POWER_CAP, 0, gpu)
    zone = frontend.check("dirname $(grep -lx gpu /sys/class/powercap/arm-scmi:*/name)")
    frontend.check(f"echo 1000000 >{zone}/constraint_0_power_limit_uw; echo 1 >{zone}/enabled")
    told.wait_for(POWER_CAP, 0, 1, gpu, 1_000_000)
    told.unsubscribe(POWER_CAP, 0, gpu)
    told.set_threshold(gpu, 500_000, 900_000)
    told.subscribe(POWER_CAP, 1, gpu)
    for power in (950_000, 100_000):
        backend.exec(f'soc.power_caps["gpu"].power = {power}')
        told.wait_for(POWER_CAP, 1, 0, gpu, power)
    told.unsubscribe(POWER_CAP, 1, gpu)


def test_what_is_not_subscribed_to_is_not_told(soc, told, device):
    gpu = soc.power_domains["gpu"].id
    told.subscribe(RESET, 0)
    told.unsubscribe(RESET, 0)
    told.subscribe(POWER, 0, gpu)
    device.write("reset-gpu", "reset")
    device.write("sysfs:power/control", "on")
    told.wait_for(POWER, 0, 1, gpu, ON)
    assert told.heard() == [(POWER, 0, 1, gpu, ON)], "notifications keep their order, so a reset would be here"
    device.write("sysfs:power/control", "auto")
    told.unsubscribe(POWER, 0, gpu)


def test_none_of_it_was_an_error_to_linux(told, device, frontend):
    assert frontend.check("dmesg -r | grep '^<[0-3]>' || true") == ""
