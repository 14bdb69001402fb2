# SPDX-License-Identifier: MIT
"""models.devices: what a frontend asks for moves the registers of the machine, and what they have is what it reads."""

from hal.edge import Window
from hal.sim import Machine
from models import devices
from scmi_client import Client
from support import raises
from unit.drivers.test_pl061 import Registers
from unit.hal.blob import cells, write

SENSOR, RESET, VOLTAGE = 0x15, 0x16, 0x17


def made():
    """Return (client, GPIO registers, clock registers)."""
    gpio, clock = Registers(), Window(bytearray(0x1000), 0x1000)
    platform = devices.build(Machine(devices={"arm,pl061": [gpio], "arm,pl031": [clock]}))
    return Client(platform.agents[0]), gpio, clock


def test_a_reset_moves_line_1_which_is_active_low():
    client, gpio, _ = made()
    assert gpio.levels() == 2
    client.ok(RESET, 0x4, 0, 2, 0)
    assert gpio.levels() == 0
    client.ok(RESET, 0x4, 0, 0, 0)
    assert gpio.levels() == 2
    gpio.seen.clear()
    client.ok(RESET, 0x4, 0, 1, 0)
    assert gpio.seen == [0, 2]


def test_a_supply_moves_line_2():
    client, gpio, _ = made()
    for config in (7, 0):
        client.ok(VOLTAGE, 0x5, 0, config)
        assert gpio.levels() == (6 if config else 2)


def test_the_clock_is_read():
    client, _, clock = made()
    for seconds in (7_340, 0xFFFFFFFF):
        clock.w32(0, seconds)
        assert client.ok(SENSOR, 0x6, 0, 0) == [seconds, 0, 0, 0]


def test_the_model_can_be_looked_at_on_a_machine_without_devices():
    described = devices.build(Machine()).describe()
    assert described["sensors"][0]["value"] is None
    assert (described["resets"][0]["asserted"], described["voltages"][0]["enabled"]) == (False, False)


def test_a_machine_that_lacks_a_device_is_refused():
    error = raises(ValueError, devices.build, Machine(write([("#address-cells", cells(2))])))
    assert "arm,pl061" in str(error)
