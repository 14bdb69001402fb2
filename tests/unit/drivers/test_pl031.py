# SPDX-License-Identifier: MIT
"""The PL031 driver, on a Window of memory. Arm DDI 0224B, 3.3.1."""

from drivers.pl031 import Pl031
from hal.edge import Window
from support import without_allocation


def test_seconds():
    registers = Window(bytearray(0x1000), 0x1000)
    clock = Pl031(registers)
    for seconds in (0, 1, 0xFFFFFFFF):
        registers.w32(0, seconds)
        assert clock.seconds() == seconds
    without_allocation(clock.seconds)
