# SPDX-License-Identifier: MIT
"""The PL061 driver, on registers that behave as Arm DDI 0190B, 3.3.1 and 3.3.2 say."""

from drivers.pl061 import Pl061
from support import raises, without_allocation

DIR = 0x400


class Registers:
    """GPIODATA and GPIODIR. An input reads what is outside; `seen`: levels of all lines after each store, an input's is
    that of `outside`. `keeps`: whether a line that is an input remembers what is stored to it."""

    def __init__(self, outside=0, keeps=True):
        self.outside = outside
        self.keeps = keeps
        self.data = 0
        self.dir = 0
        self.seen = []

    def levels(self):
        return self.data & self.dir | self.outside & ~self.dir & 0xFF

    def r32(self, at):
        if at == DIR:
            return self.dir
        assert at < DIR and at % 4 == 0
        return self.levels() & at >> 2

    def w32(self, at, value):
        if at == DIR:
            self.dir = value & 0xFF
        else:
            assert at < DIR and at % 4 == 0
            mask = at >> 2 if self.keeps else at >> 2 & self.dir
            self.data = self.data & ~mask | value & mask
        self.seen.append(self.levels())


def test_a_line_is_driven_and_no_other():
    for number in range(8):
        registers = Registers(outside=0xFF)
        line = Pl061(registers).output(number)
        assert (registers.dir, registers.levels(), line.active) == (1 << number, 0xFF & ~(1 << number), False)
        line(True)
        assert (registers.levels(), line.active) == (0xFF, True)
        line(False)
        assert (registers.levels(), line.active) == (0xFF & ~(1 << number), False)


def test_several_lines():
    registers = Registers()
    gpio = Pl061(registers)
    first, second = gpio.output(1, active=True), gpio.output(6)
    second(True)
    first(False)
    assert (registers.dir, registers.levels(), first.active, second.active) == (0x42, 0x40, False, True)


def test_active_low():
    registers = Registers()
    line = Pl061(registers).output(3, active_low=True)
    assert (registers.levels(), line.active) == (8, False)
    line(True)
    assert (registers.levels(), line.active) == (0, True)


def test_an_output_does_not_begin_with_the_other_level():
    registers = Registers(outside=0xFF)
    Pl061(registers).output(4, active=True)
    assert registers.seen == [0xFF, 0xFF, 0xFF]
    registers = Registers(outside=0)
    Pl061(registers).output(4)
    assert registers.seen == [0, 0, 0]


def test_registers_that_keep_no_level_of_an_input():
    registers = Registers(keeps=False)
    assert Pl061(registers).output(4, active=True).active
    assert registers.levels() == 0x10


def test_lines_that_there_are_not():
    for number in (-1, 8):
        assert "lines 0 to 7" in str(raises(ValueError, Pl061(Registers()).output, number))


def test_driving_a_line_allocates_nothing():
    line = Pl061(Registers()).output(0)
    line._window.seen = Forgetful()
    line(True)
    without_allocation(lambda: line(False))


class Forgetful:
    """A list that keeps nothing."""

    def append(self, _):
        pass
