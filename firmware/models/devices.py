# SPDX-License-Identifier: MIT
"""A platform whose resources are devices of the backend's own machine: a PL061, line 1 of which holds a USB hub in
reset while line 2 supplies it, and a PL031, whose seconds are the joules that a load of one watt has drawn.

QEMU's virt machine has both; Linux has no hwmon attribute for seconds.
"""

from drivers.pl031 import Pl031
from drivers.pl061 import Pl061
from scmi.platform import Platform, Reset, Sensor, Voltage


def build(machine):
    """Return the platform on `machine` (see `hal`). ValueError if it lacks one of the devices."""
    gpio = Pl061(machine.device("arm,pl061"))
    clock = Pl031(machine.device("arm,pl031"))
    hub_reset = gpio.output(1, active_low=True)
    hub_supply = gpio.output(2)

    def pulse(state):
        hub_reset(True)
        hub_reset(False)

    def supply(level, enabled):
        hub_supply(enabled)

    return Platform(
        sensors=[Sensor("lamp", "joule", read=clock.seconds)],
        resets=[Reset("hub", reset=pulse, signal=hub_reset)],
        voltages=[Voltage("hub", 5_000_000, enabled=False, drive=supply)],
    )
