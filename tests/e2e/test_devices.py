# SPDX-License-Identifier: MIT
"""Resources that are devices of the backend's own machine: what a driver of Linux asks for moves QEMU's PL061, and what
Linux reads is QEMU's PL031. QEMU itself is the witness, by its monitor and its trace.
"""

import re

import pytest

from e2e import consumer
from e2e.consumer import Consumer
from trapless import project

GPIO_DATA, GPIO_DIR = 0x090303FC, 0x09030400
BASE_SECONDS = 1_893_456_000  # 2030-01-01


@pytest.fixture(scope="module")
def pair_options(request):
    """The pair of the command line with models.devices, drivers that use its resources, and a clock that begins in
    2030."""
    from trapless.pytest_plugin import command_line_options

    options = command_line_options(request.config)
    options.model = project.FIRMWARE / "models" / "devices.py"
    options.backend_arguments = ["-rtc", "base=2030-01-01T00:00:00,clock=vm"]
    soc = consumer.platform_of(options)
    nodes = {
        "consumer": {"compatible": consumer.COMPATIBLE, **consumer.resets(soc, "hub")},
        "supply": {"compatible": "regulator-output", **consumer.supply(soc, "vout", "hub")},
    }
    return consumer.equipped(options, nodes, "trapless_consumer")


@pytest.fixture(scope="module")
def driver(pair):
    """The device in Linux that has the reset."""
    pair.frontend.check("insmod /host/trapless_consumer.ko")
    return Consumer(pair.frontend, "consumer")


@pytest.fixture
def register(pair):
    """Return a function that reads a register of the backend's machine as QEMU has it."""

    def read(address):
        return int(pair.backend_vm.host.hmp(f"xp /1wx {address:#x}").split(":")[1], 16)

    return read


def test_a_driver_that_asserts_its_reset_moves_a_line(driver, register):
    assert register(GPIO_DIR) == 0b110
    for what, level in (("assert", 0), ("deassert", 0b10)):
        driver.write("reset-hub", what)
        assert register(GPIO_DATA) & 0b10 == level


def test_a_driver_that_resets_its_device_gives_a_pulse(pair, driver):
    with pair.backend_vm.host.traced("pl061_set_output") as lines:
        driver.write("reset-hub", "reset")
    assert [re.search(r"output (\d) to (\d)", line).groups() for line in lines] == [("1", "0"), ("1", "1")]


def test_a_supply_follows_the_driver_and_the_prompt(frontend, backend, register):
    supplied = Consumer(frontend, "supply")
    for state, level in (("enabled", 0b100), ("disabled", 0)):
        supplied.write("sysfs:state", state)
        assert register(GPIO_DATA) & 0b100 == level
    for enabled in (True, False):
        backend.exec(f'soc.voltages["hub"].enabled = {enabled}')
        assert bool(register(GPIO_DATA) & 0b100) == enabled


def test_linux_reads_the_clock(frontend):
    def seconds():
        return int(frontend.check("cat /sys/class/hwmon/hwmon*/energy1_input")) // 1_000_000

    first = seconds()
    assert BASE_SECONDS <= first < BASE_SECONDS + 600
    frontend.wait_for(f"[ $(cat /sys/class/hwmon/hwmon*/energy1_input) -gt {first}999999 ]")
    assert first < seconds() < BASE_SECONDS + 600


def test_a_machine_without_the_device_is_told_at_the_prompt(backend):
    printed = backend.exec(
        "from hal import metal\ntry:\n metal.device('arm,pl011', 7)\nexcept ValueError as e:\n print(e)"
    )
    assert "no device 7 compatible with 'arm,pl011'; there are 1" in printed
