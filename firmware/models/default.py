# SPDX-License-Identifier: MIT
"""The default platform: a small system on chip with every kind of clock, some power and performance domains, sensors,
resets, voltages, a tree of power caps, pins, and a system that can be asked to shut down or to restart.

All sensors hold what they were set to, except `battery`, which moves by itself. The power of the package is what its
parts draw.
"""

from hal.compat import const
from scmi.platform import (
    DUTY_CYCLE,
    PHASE,
    Axis,
    Clock,
    Frontend,
    Function,
    Group,
    Performance,
    Pin,
    Pins,
    PinState,
    Platform,
    PowerCap,
    PowerDomain,
    Reset,
    Sensor,
    SystemPower,
    Voltage,
)
from scmi.ticks import milliseconds

_PERIOD_MASK = const(0xFFFF)
_HALF_PERIOD = const(0x8000)
_EMPTY_UV = const(3_300_000)
_UV_PER_MS = const(27)


def battery_voltage():
    """Return microvolts of a battery that is charged and emptied every 65.5 s: 3.3 V to 4.18 V and back."""
    phase = milliseconds() & _PERIOD_MASK
    if phase & _HALF_PERIOD:
        phase ^= _PERIOD_MASK
    return _EMPTY_UV + phase * _UV_PER_MS


# What the package draws besides the parts that have a power cap of their own.
_UNCORE_UW = const(350_000)

parts = [
    PowerCap(
        "cpu-cluster",
        cap_range=(500_000, 8_000_000, 100_000),
        interval_range=(1_000, 100_000, 1_000),
        power=2_400_000,
        sustainable=6_000_000,
        accuracy=1_000,
        parent="package",
    ),
    PowerCap("gpu", 0, cap_range=(250_000, 5_000_000, 50_000), power=0, parent="package"),
    PowerCap("image-signal-processor-of-the-rear-camera", power=120_000, parent="package"),
]


def package_power():
    """Return microwatts that the whole package draws."""
    return _UNCORE_UW + sum(part.power for part in parts)


platform = Platform(
    sensors=[
        Sensor(
            "cpu",
            "millicelsius",
            45_000,
            limits=(-40_000, 125_000),
            trip_points=2,
            intervals=(10, 100, 1000),
            shared=True,
        ),
        Sensor("board", "millicelsius", 31_500, limits=(-40_000, 125_000), trip_points=1),
        Sensor("vdd-core", "millivolt", 850, interval_range=(10, 1000, 10)),
        Sensor("battery", "microvolt", read=battery_voltage, timestamps=True, resolution=(1, -3)),
        Sensor("core-current", "milliampere", 1_200, intervals=(10, 100)),
        Sensor("core-power", "microwatt", 1_020_000, power=350, resolution=(1, -3), limits=(0, 15_000_000)),
        Sensor("total-energy", "microjoule", 7_340_000_000),
        Sensor("cooling-fan-behind-the-front-panel", "rpm", 1_500),
        Sensor(
            "compass",
            "microgauss",
            axes=[
                Axis("x", "microgauss", 210_000, limits=(-2_000_000, 2_000_000)),
                Axis("y", "microgauss", -15_000, limits=(-2_000_000, 2_000_000)),
                Axis("z", "microgauss", 430_000, limits=(-2_000_000, 2_000_000)),
            ],
            timestamps=True,
        ),
        # A name that ends in _X, _Y or _Z tells Linux which axis it is; the buffer of its IIO device switches it on.
        Sensor(
            "accelerometer",
            "millimeter/s2",
            axes=[
                Axis("acceleration_X", "millimeter/s2", 120, limits=(-39_227, 39_227), resolution=(1, -3)),
                Axis("acceleration_Y", "millimeter/s2", -340, limits=(-39_227, 39_227), resolution=(1, -3)),
                Axis("acceleration_Z", "millimeter/s2", 9_807, limits=(-39_227, 39_227), resolution=(1, -3)),
            ],
            intervals=(10, 20, 100, 1000),
            timestamps=True,
            enabled=False,
        ),
    ],
    clocks=[
        Clock("osc", rate=24_000_000),
        Clock("rtc", rate=32_768, forbidden="all"),
        Clock("pll", rate=1_200_000_000, rates=(400_000_000, 800_000_000, 1_200_000_000, 1_600_000_000)),
        Clock("cpu", rate=800_000_000, rate_range=(100_000_000, 2_000_000_000, 50_000_000), enable_delay=120),
        Clock("uart", parents=("osc", "pll")),
        Clock(
            "display-pixel-clock-of-panel-0", rate=148_500_000, rate_range=(25_000_000, 594_000_000, 1), enabled=False
        ),
        Clock(
            "pwm", rate=1_000_000, rates=(100_000, 1_000_000, 10_000_000), settings={DUTY_CYCLE: 50, PHASE: 0, 0x80: 7}
        ),
        Clock("crypto", rate=200_000_000, forbidden=("state",), enabled=True),
    ],
    power_domains=[
        PowerDomain("cpu-cluster", states=(("retention", 0x1),)),
        PowerDomain("gpu", state="off"),
        PowerDomain("display"),
        PowerDomain("always-on", fixed=True),
        PowerDomain("image-signal-processor-of-the-rear-camera", state="off"),
    ],
    system=SystemPower(),
    frontend=Frontend(cpus="cpu"),
    performance=[
        Performance(
            "cpu",
            # kilohertz, milliwatts, microseconds
            [(500_000, 90, 120), (1_000_000, 260, 120), (1_500_000, 580, 120), (2_000_000, 1_150, 150)],
            level=1_000_000,
        ),
        Performance(
            "gpu",
            # a scale of its own, milliwatts, microseconds, kilohertz
            [(20, 150, 400, 200_000), (45, 420, 400, 450_000), (80, 1_300, 500, 850_000)],
            level=20,
            indexed=True,
        ),
    ],
    resets=[
        Reset("gpu", latency=250),
        Reset("usb-controller-on-the-carrier-board", asserted=True),
        Reset("watchdog", forbidden=True),
    ],
    voltages=[
        Voltage("vdd", 850_000, level_range=(600_000, 1_200_000, 6_250), always_on=True),
        Voltage("vdd-gpu", 900_000, level_range=(700_000, 1_100_000, 12_500), enabled=False),
        Voltage("vdd-sd-card", 3_300_000, levels=(1_800_000, 3_300_000)),
        Voltage("vdd-of-the-expansion-connector", 5_000_000),
        Voltage("vdd-fuses", 1_800_000, enabled=False, forbidden="all"),
    ],
    power_caps=[
        PowerCap(
            "package",
            cap_range=(2_000_000, 15_000_000, 250_000),
            interval_range=(1_000, 1_000_000, 1_000),
            power=package_power,
            sustainable=10_000_000,
            delay=5,
        ),
    ]
    + parts,
    pins=Pins(
        [
            Pin("gpio-0", {"bias-pull-up": 1, "drive-strength": 4}, choices={"drive-strength": (2, 4, 8, 12)}),
            Pin("gpio-1", {"bias-pull-up": 1, "drive-strength": 4}, choices={"drive-strength": (2, 4, 8, 12)}),
            Pin("gpio-2"),
            Pin("gpio-3"),
            Pin("status-led-on-the-front-panel", {"output-mode": 1}),
            Pin("reset-in", {"bias-pull-up": 1, "input-mode": 1}, supports=("input-value",), forbidden=True),
        ],
        groups=[Group("i2c0-pads", ("gpio-0", "gpio-1")), Group("uart0-pads", ("gpio-2", "gpio-3"))],
        functions=[
            Function("i2c0", ("i2c0-pads",)),
            Function("uart0", ("uart0-pads",)),
            Function("gpio", ("i2c0-pads", "uart0-pads"), gpio=True),
        ],
        states=[
            PinState("i2c0", groups=("i2c0-pads",), function="i2c0", properties={"drive-strength": 8}),
            PinState("uart0", groups=("uart0-pads",), function="uart0"),
            PinState("led-on", pins=("status-led-on-the-front-panel",), properties={"output-high": True}),
        ],
    ),
)
