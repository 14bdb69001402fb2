# SPDX-License-Identifier: MIT
"""A system on chip that lives: load and performance level draw power, power makes heat, and a policy answers.

    >>> model.load("cpu", 90)          percent of the time that the processors are busy
    >>> model.ambient(45)              degrees Celsius around the board
    >>> model.plug(False)              the battery feeds it

Every 100 ms the state moves on, in whole numbers. A processor draws what its level draws at full load, of which an
eighth is drawn when idle too. It heats itself over the board, and everything heats the board over what is around it:
first-order masses both. A fan cools the board. The policy lowers the highest level that is allowed while a power cap is
exceeded or a processor is hot, and asks for a shutdown where one gets critical; it reads the sensors, so a value that
somebody holds at the prompt has its consequences. Clock and voltage of a processor follow its level.

The numbers are those of no real chip.
"""

from hal.compat import const
from scmi.model.rules import is_integer, require
from scmi.platform import (
    Clock,
    Frontend,
    Performance,
    Platform,
    PowerCap,
    Sensor,
    SystemPower,
    ThermalZone,
    Voltage,
)

STEP_MS = const(100)

# Millidegrees Celsius. The policy lets go when it is COOLER than HOT by so much.
HOT = const(85_000)
COOLER = const(5_000)
CRITICAL = const(105_000)

# Microwatts of everything that is no processor, and of the charger.
UNCORE = const(350_000)
CHARGER = const(10_000_000)

# Microjoules, microvolts of the empty and of the full battery.
CAPACITY = const(3_600_000_000)
EMPTY_UV, FULL_UV = const(3_300_000), const(4_200_000)

# The fan: off at the first temperature of the board and at its fastest at the second; revolutions a minute.
FAN_OFF, FAN_FASTEST = const(35_000), const(55_000)
FAN_RPM = const(4_000)
FAN_SLEW = const(200)


class Mass:
    """Something that warms up: `temperature` in microdegrees Celsius."""

    def __init__(self, temperature, tau):
        """`tau`: time constant in milliseconds."""
        self.temperature = temperature
        self._tau = tau

    def step(self, target):
        """Move on by one step towards `target`, the temperature where it would stay."""
        self.temperature += (target - self.temperature) * STEP_MS // self._tau

    def read(self):
        """Return millidegrees Celsius."""
        return self.temperature // 1000


class Processor:
    """What runs at a level: `domain`, with its `clock`, its `supply`, its power `cap` and its temperature `sensor`."""

    def __init__(self, name, levels, volts, resistance, load):
        """`levels`: as for Performance, all four numbers of each; `volts`: microvolts of each; `resistance`: kelvin per
        watt towards the board; `load`: percent."""
        self.name = name
        self.load = load
        self.heat = Mass(25_000_000, 4_000)
        self._full = [milliwatts * 1000 for _, milliwatts, _, _ in levels]
        self._rates = {level: kilohertz * 1000 for level, _, _, kilohertz in levels}
        self._volts = {entry[0]: level for entry, level in zip(levels, volts)}
        self._resistance = resistance
        self._before = 0
        rates = tuple(entry[3] * 1000 for entry in levels)
        self.domain = Performance(name, levels, level=levels[0][0], change=self._scale)
        self.clock = Clock(name, rates[0], rates=rates, forbidden="all")
        self.supply = Voltage("vdd-" + name, volts[0], levels=volts, always_on=True, forbidden=("level",))
        self.cap = PowerCap(
            name,
            cap_range=(500_000, self._full[-1], 50_000),
            power=self.power,
            interval=STEP_MS * 1000,
            parent="package",
        )
        self.sensor = Sensor(
            name, "millicelsius", read=self.heat.read, limits=(-40_000, 150_000), trip_points=2, intervals=(100, 1000)
        )
        self.top = self._highest = len(levels) - 1

    def _scale(self, domain, level):
        """Follow the level: the voltage rises before the clock does, and falls behind it."""
        if level > domain.level:
            self.supply.set_level(self._volts[level], 0)
            self.clock.set_rate(self._rates[level], 0)
        else:
            self.clock.set_rate(self._rates[level], 0)
            self.supply.set_level(self._volts[level], 0)

    def power_at(self, place):
        """Return the microwatts that it would draw at the level at `place`, 0 being the lowest."""
        idle = self._full[place] // 8
        return idle + (self._full[place] - idle) * self.load // 100

    def power(self):
        """Return the microwatts that it draws."""
        return self.power_at(self.domain.index - 1)

    def allow(self, top):
        """Allow the levels up to that at place `top`."""
        if top != self.top:
            self.top = top
            lowest, highest = self.domain.level_at(1), self.domain.level_at(top + 1)
            self.domain.limits = None if top == self._highest else (lowest, highest)

    def step(self, board):
        """Warm up for one step over the temperature of the board."""
        self._before = self.sensor.read()
        self.heat.step(board + self.power() * self._resistance)

    def govern(self, exceeds):
        """Allow a level more or less; `exceeds(power)` tells whether a cap forbids that it draws so much."""
        now = self.sensor.read()
        if exceeds(self.power()) or (now >= HOT and now >= self._before):
            self.allow(max(min(self.top, self.domain.index - 1) - 1, 0))
        elif self.top < self._highest and now < HOT - COOLER and not exceeds(self.power_at(self.top + 1)):
            self.allow(self.top + 1)


class Living:
    """The state of everything: `platform` shows it to frontends. `processors`; `board`, a Mass; `fan` in revolutions a
    minute; `energy` drawn so far in nanojoules; `charge` of the battery in microjoules."""

    def __init__(self):
        cpu = Processor(
            "cpu",
            # kilohertz, milliwatts, microseconds, kilohertz
            [
                (500_000, 400, 120, 500_000),
                (1_000_000, 1_100, 120, 1_000_000),
                (1_500_000, 2_400, 120, 1_500_000),
                (2_000_000, 4_500, 150, 2_000_000),
            ],
            (700_000, 800_000, 900_000, 1_050_000),
            resistance=12,
            load=5,
        )
        gpu = Processor(
            "gpu",
            # a scale of its own, milliwatts, microseconds, kilohertz
            [(20, 300, 400, 200_000), (45, 900, 400, 450_000), (80, 2_400, 500, 800_000)],
            (700_000, 800_000, 950_000),
            resistance=14,
            load=0,
        )
        self.processors = processors = (cpu, gpu)
        self.board = Mass(25_000_000, 20_000)
        self.fan = 0
        self.energy = 0
        self.charge = CAPACITY * 3 // 4
        self._ambient = 25_000_000
        self._plugged = True
        self._critical = False
        self._package = PowerCap(
            "package", cap_range=(1_500_000, 8_000_000, 250_000), power=self.power, interval=STEP_MS * 1000
        )
        self._system = SystemPower()
        self.platform = Platform(
            sensors=[processor.sensor for processor in processors]
            + [
                Sensor("board", "millicelsius", read=self.board.read, trip_points=1, intervals=(100, 1000)),
                Sensor("fan", "rpm", read=lambda: self.fan, limits=(0, FAN_RPM)),
                Sensor("package", "microwatt", read=self.power, intervals=(100, 1000)),
                Sensor("energy", "microjoule", read=lambda: self.energy // 1000),
                Sensor("vdd-cpu", "microvolt", read=lambda: cpu.supply.level),
                Sensor("battery", "percent", read=lambda: self.charge * 100 // CAPACITY, limits=(0, 100)),
                Sensor("battery-voltage", "microvolt", read=self.battery_voltage),
            ],
            clocks=[processor.clock for processor in processors],
            performance=[processor.domain for processor in processors],
            voltages=[processor.supply for processor in processors],
            power_caps=[self._package] + [processor.cap for processor in processors],
            system=self._system,
            frontend=Frontend(
                cpus="cpu",
                zones=[ThermalZone("cpu", "cpu", [(75_000, "passive")], every=500, every_passive=500)],
            ),
        )
        self.platform.every(STEP_MS, self.step)

    def power(self):
        """Return the microwatts that the package draws."""
        total = UNCORE
        for processor in self.processors:
            total += processor.power()
        return total

    def battery_voltage(self):
        """Return microvolts of the battery, which fall as it empties."""
        return EMPTY_UV + (FULL_UV - EMPTY_UV) * self.charge // CAPACITY

    def load(self, name, percent):
        """Have the processors called `name`, "cpu" or "gpu", busy `percent` of the time."""
        found = [processor for processor in self.processors if processor.name == name]
        require(found, "load", f"there are cpu and gpu, but no {name!r}")
        require(is_integer(percent) and 0 <= percent <= 100, "load", f"must be 0 to 100 percent, not {percent!r}")
        found[0].load = percent

    def ambient(self, celsius):
        """Have it `celsius` degrees warm around the board."""
        holds = is_integer(celsius) and -40 <= celsius <= 125
        require(holds, "ambient", f"must be -40 to 125 degrees Celsius, not {celsius!r}")
        self._ambient = celsius * 1_000_000

    def plug(self, plugged):
        """Feed it from the charger, or from the battery."""
        self._plugged = bool(plugged)

    def step(self):
        """Let 100 ms pass."""
        power = self.power()
        self.energy += power * STEP_MS
        flow = (CHARGER if self._plugged else 0) - power
        self.charge = max(0, min(CAPACITY, self.charge + flow * STEP_MS // 1000))
        for processor in self.processors:
            processor.step(self.board.temperature)
        self.board.step(self._ambient + power * self.resistance() // 1000)
        self._blow()
        for processor in self.processors:
            processor.govern(lambda power, processor=processor: self._exceeds(processor, power))
        self._guard()

    def resistance(self):
        """Return thousandths of a kelvin per watt from the board to what is around it; the fan halves them."""
        return 4_000 - 2_000 * self.fan // FAN_RPM

    def _blow(self):
        """Let the fan come nearer to the speed that the board's temperature wants."""
        warm = max(0, min(FAN_FASTEST - FAN_OFF, self.board.read() - FAN_OFF))
        wanted = FAN_RPM * warm // (FAN_FASTEST - FAN_OFF)
        self.fan += max(-FAN_SLEW, min(FAN_SLEW, wanted - self.fan))

    def _exceeds(self, processor, power):
        """Return whether a cap forbids that `processor` draws `power`."""
        package = self.power() - processor.power() + power
        return _above(processor.cap.cap, power) or _above(self._package.cap, package)

    def _guard(self):
        """Ask for a shutdown where it gets critical, once until it is no longer hot."""
        hottest = max(processor.sensor.read() for processor in self.processors)
        if hottest >= CRITICAL and not self._critical:
            self._critical = True
            self._system.ask("shutdown", timeout=10_000)
        elif hottest < HOT:
            self._critical = False


def _above(cap, power):
    return 0 < cap < power


soc = Living()
platform = soc.platform
load = soc.load
ambient = soc.ambient
plug = soc.plug
