# SPDX-License-Identifier: MIT
"""Resources that are devices of the backend's own machine: what Linux asks for moves QEMU's PL061, and what Linux reads
is QEMU's PL031. QEMU itself is the witness, by its monitor and its trace.

No driver of the guest has a reset line or switches a supply by itself, so these messages are raw ones.
"""

import re
import struct

import pytest

from trapless import bench, project
from trapless.bench import TOOL as SCMI_RAW

GPIO_DATA, GPIO_DIR = 0x090303FC, 0x09030400
RESET, VOLTAGE_CONFIG_SET = 0x16 << 10 | 0x4, 0x17 << 10 | 0x5
BASE_SECONDS = 1_893_456_000  # 2030-01-01


@pytest.fixture(scope="module")
def pair_options(request):
    """The pair of the command line with models.devices, scmi-raw in the frontend, and a clock that begins in 2030."""
    from trapless.pytest_plugin import command_line_options

    options = bench.with_tool(command_line_options(request.config))
    options.model = project.FIRMWARE / "models" / "devices.py"
    options.backend_arguments = ["-rtc", "base=2030-01-01T00:00:00,clock=vm"]
    return options


@pytest.fixture
def register(pair):
    """Return a function that reads a register of the backend's machine as QEMU has it."""

    def read(address):
        return int(pair.backend_vm.hmp(f"xp /1wx {address:#x}").split(":")[1], 16)

    return read


def send(frontend, *words):
    """Send a raw message that must succeed."""
    answer = frontend.check(f"{SCMI_RAW} send {struct.pack(f'<{len(words)}I', *words).hex()}")
    assert bytes.fromhex(answer) == struct.pack("<II", words[0], 0)


def test_a_reset_of_the_frontend_moves_a_line(frontend, register):
    assert register(GPIO_DIR) == 0b110
    for flags, level in ((2, 0), (0, 0b10)):
        send(frontend, RESET, 0, flags, 0)
        assert register(GPIO_DATA) & 0b10 == level


def test_an_autonomous_reset_is_a_pulse(pair, frontend):
    with pair.backend_vm.traced("pl061_set_output") as lines:
        send(frontend, RESET, 0, 1, 0)
    assert [re.search(r"output (\d) to (\d)", line).groups() for line in lines] == [("1", "0"), ("1", "1")]


def test_a_supply_follows_the_frontend_and_the_prompt(frontend, backend, register):
    for config, level in ((7, 0b100), (0, 0)):
        send(frontend, VOLTAGE_CONFIG_SET, 0, config)
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
