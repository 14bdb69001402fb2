# SPDX-License-Identifier: MIT
"""A platform for tests that has one of everything, with ids that tests may rely on."""

from scmi.platform import (
    DUTY_CYCLE,
    PHASE,
    Agent,
    Axis,
    Clock,
    Device,
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
from scmi_client import Client, Time

BASE, POWER, SYSTEM, PERFORMANCE, CLOCK, SENSOR, RESET, VOLTAGE, POWERCAP, PINCTRL = range(0x10, 0x1A)

# Sensors.
PLAIN, NEGATIVE, FULL, MOVING, SEGMENT, LONG, AXES, DISABLED, HUGE = range(9)
LONG_SENSOR_NAME = "a-sensor-with-a-name-of-more-than-sixteen-bytes"

# Clocks.
FIXED, LIST, RANGE, MUX, SETTINGS, LOCKED, LONG_CLOCK, RUNNING_ONLY = range(8)
LONG_CLOCK_NAME = "a-clock-with-a-name-of-more-than-sixteen-bytes"
RATES = [100_000_000 * step for step in range(1, 41)]

# Power domains.
SWITCHED, DEEP, ALWAYS_ON, LONG_DOMAIN = range(4)
LONG_DOMAIN_NAME = "a-power-domain-with-a-name-of-more-than-sixteen-bytes"
ON, RETENTION, SLEEP, OFF = 0, 0x1, 0x4000000A, 0x40000000

# System power: warm reset is not supported.
SHUTDOWN, COLD_RESET, WARM_RESET, POWER_UP, SUSPEND = range(5)

# Resets.
CORE, LONG_RESET, HELD, GUARDED = range(4)
LONG_RESET_NAME = "a-reset-with-a-name-of-more-than-sixteen-bytes"
SPECIAL_STATE = 1 << 31 | 5

# Voltages.
RAIL, STEPS, SOLID, BELOW_ZERO, ALWAYS, SEALED, LONG_VOLTAGE = range(7)
LONG_VOLTAGE_NAME = "a-voltage-with-a-name-of-more-than-sixteen-bytes"
LEVELS = [100_000 * step for step in range(1, 41)]

# Power caps: BOX holds the others but LOAD and METER, SLOW sets caps a while later, METER is measured and not limited.
BOX, CORES, SLOW, LOAD, METER, TIED, LONG_CAP = range(7)
LONG_CAP_NAME = "a-power-cap-with-a-name-of-more-than-sixteen-bytes"
CAP_DELAY_MS = 20

# Performance domains: of levels with power, latency and frequency, of levels with an index, of one level.
CPU, INDEXED, MANY, RIGID, LONG_PERFORMANCE = range(5)
LONG_PERFORMANCE_NAME = "a-performance-domain-with-a-name-of-more-than-sixteen-bytes"
CPU_LEVELS = [(400, 90, 50, 400_000), (800, 210, 60, 800_000), (1200, 480, 70, 1_200_000), (1600, 1100, 80, 1_600_000)]
INDEXED_LEVELS = [(10, 300, 500, 200_000), (35, 800, 500, 450_000), (60, 0, 0, 800_000)]
MANY_LEVELS = [100 * step for step in range(1, 33)]

# Pins, groups and functions.
SDA, SCL, LED, STRONG, SEALED_PIN, LONG_PIN, SPARE = range(7)
I2C_PADS, LED_PADS, LONG_GROUP, SEALED_PADS = range(4)
I2C, GPIO, PWM, LONG_FUNCTION = range(4)
LONG_PIN_NAME = "a-pin-with-a-name-of-more-than-sixteen-bytes"
LONG_GROUP_NAME = "a-group-with-a-name-of-more-than-sixteen-bytes"
LONG_FUNCTION_NAME = "a-function-with-a-name-of-more-than-sixteen-bytes"
STRENGTHS = (2, 4, 8)

# Devices: everything but the sensor NEGATIVE and the pin SPARE is in "soc"; "extra" has these, the clock FIXED and the
# power domain DEEP.
SOC, EXTRA = range(2)

TRUSTED, GUEST = 1, 2


def sensors():
    """Return the sensors, in the order of their ids."""
    return [
        Sensor("plain", "millicelsius", 45_000),
        Sensor("negative", "millivolt", -5),
        Sensor(
            "full",
            "microwatt",
            1_000,
            limits=(-7, 1 << 40),
            resolution=(3, -2),
            power=250,
            trip_points=2,
            intervals=(1000, 10, 100, 120_000),
            timestamps=True,
        ),
        Sensor("moving", "volt", read=_Ramp()),
        Sensor("segment", "ampere", 7, interval_range=(10, 1000, 10)),
        Sensor(LONG_SENSOR_NAME, "rpm", 900),
        Sensor(
            "axes",
            "meter/s2",
            axes=[
                Axis("x", "meter/s2", 1, limits=(-10, 10), resolution=(1, -3)),
                Axis("y", "meter/s2", -2),
                Axis("z-axis-with-a-name-of-more-than-sixteen-bytes", "meter/s2", 9),
            ],
            timestamps=True,
        ),
        Sensor("disabled", "lux", 3, enabled=False),
        Sensor("huge", "joule", (1 << 62) + 1),
    ]


class _Ramp:
    """A value that is one higher at every reading."""

    def __init__(self):
        self.value = 0

    def __call__(self):
        self.value += 1
        return self.value


def clocks():
    """Return the clocks, in the order of their ids."""
    return [
        Clock("fixed", rate=24_000_000),
        Clock("list", rate=RATES[0], rates=RATES),
        Clock("range", rate=5_000_000_000, rate_range=(1_000_000_000, 9_000_000_050, 100), enable_delay=77, delay=5),
        Clock("mux", parents=("list", "fixed")),
        Clock("settings", rate=1_000, settings={DUTY_CYCLE: 50, PHASE: 90, 0x81: 5}),
        Clock("locked", rate=100, rates=(100, 200), parents=("fixed", "list"), forbidden="all"),
        Clock(LONG_CLOCK_NAME, rate=1, enabled=False),
        Clock("running-only", rate=10, rates=(10, 20), forbidden=("state",)),
    ]


def power_domains():
    """Return the power domains, in the order of their ids."""
    return [
        PowerDomain("switched"),
        PowerDomain("deep", "sleep", states=(("retention", RETENTION), ("sleep", SLEEP))),
        PowerDomain("always-on", fixed=True),
        PowerDomain(LONG_DOMAIN_NAME, "off"),
    ]


def resets():
    """Return the reset domains, in the order of their ids."""
    return [
        Reset("core", latency=250),
        Reset(LONG_RESET_NAME, states=(SPECIAL_STATE,)),
        Reset("held", asserted=True),
        Reset("guarded", forbidden=True),
    ]


def voltages():
    """Return the voltage domains, in the order of their ids."""
    return [
        Voltage("rail", 850_000, level_range=(600_000, 1_200_050, 12_500)),
        Voltage("steps", LEVELS[0], levels=LEVELS),
        Voltage("solid", 1_800_000),
        Voltage("below-zero", -5_000_000, levels=(-3_300_000, -5_000_000)),
        Voltage("always", 1_000_000, levels=(1_000_000, 1_100_000), always_on=True),
        Voltage("sealed", 1_000_000, levels=(1_000_000, 1_100_000), forbidden="all"),
        Voltage(LONG_VOLTAGE_NAME, 5_000_000, enabled=False),
    ]


def power_caps():
    """Return the power capping domains, in the order of their ids."""
    return [
        PowerCap(
            "box",
            cap_range=(1_000_000, 15_100_000, 250_000),
            interval_range=(1_000, 10_000, 500),
            power=4_000_000,
            sustainable=9_000_000,
            accuracy=1_500,
        ),
        PowerCap("cores", 500_000, cap_range=(500_000, 8_000_000, 100_000), parent="box", power=2_500_000),
        PowerCap("slow", cap_range=(10, 100, 10), unit="milliwatt", parent="cores", delay=CAP_DELAY_MS),
        PowerCap("load", 0, cap_range=(1, 9, 1), unit="abstract", power=_Ramp(), interval=7),
        PowerCap("meter", power=0xFFFFFFFF, interval_range=(20, 40, 20), interval=40),
        PowerCap("tied", 20, cap_range=(10, 30, 10), interval_range=(10, 30, 10), forbidden="all", parent="box"),
        PowerCap(LONG_CAP_NAME, 7_000, power=6_000, parent="box"),
    ]


def pins():
    """Return the pins, in the order of their ids, and what they can do."""
    return Pins(
        [
            "sda",
            "scl",
            Pin("led", {"output-mode": 1, "bias-pull-down": 1}),
            Pin(
                "strong", {"drive-strength": 4, 200: 7}, ("bias-disable", "bias-pull-up"), {"drive-strength": STRENGTHS}
            ),
            Pin("sealed", forbidden=True),
            LONG_PIN_NAME,
            "spare",
        ],
        groups=[
            Group("i2c-pads", ("sda", "scl")),
            Group("led-pads", ("led", "strong")),
            Group(LONG_GROUP_NAME, ("sda", "strong", "led")),
            Group("sealed-pads", ("sealed",)),
        ],
        functions=[
            Function("i2c", ("i2c-pads", LONG_GROUP_NAME)),
            Function("gpio", ("i2c-pads", "led-pads", "sealed-pads"), gpio=True),
            Function("pwm", pins=("led", "strong")),
            Function(LONG_FUNCTION_NAME, ("led-pads",)),
        ],
        states=[
            PinState("i2c", ("i2c-pads",), function="i2c", properties={"drive-strength": 4}),
            PinState("keys", pins=("sda", "led"), properties={"bias-pull-up": True}),
        ],
    )


def performance():
    """Return the performance domains, in the order of their ids."""
    return [
        Performance("cpu", CPU_LEVELS, level=800, sustained=1200, rate_limit=1000),
        Performance("indexed", INDEXED_LEVELS, level=35, indexed=True),
        Performance("many", MANY_LEVELS, sustained_frequency=3_200_000, limits=(300, 3000)),
        Performance("rigid", (5, 7), level=5, sustained_frequency=0, forbidden="all"),
        Performance(LONG_PERFORMANCE_NAME, (1,)),
    ]


def platform(versions=None):
    """Return a new platform with a trusted and an ordinary agent."""
    all_sensors, all_clocks, all_domains, all_resets = sensors(), clocks(), power_domains(), resets()
    all_voltages, all_caps, all_performance, all_pins = voltages(), power_caps(), performance(), pins()
    resources = all_sensors + all_clocks + all_domains + all_resets + all_voltages + all_caps + all_performance
    resources += all_pins.resources()
    return Platform(
        all_sensors,
        all_clocks,
        agents=[Agent("trusted", trusted=True), Agent("guest")],
        devices=[
            Device("soc", [item for item in resources if item.name not in ("negative", "spare")] + ["system"]),
            Device("extra", ["negative", "fixed", "deep", "spare"]),
        ],
        vendor="Vendor",
        sub_vendor="Sub",
        implementation_version=0x12345678,
        power_domains=all_domains,
        system=SystemPower(("shutdown", "cold-reset", "suspend")),
        resets=all_resets,
        voltages=all_voltages,
        pins=all_pins,
        versions=versions,
        power_caps=all_caps,
        performance=all_performance,
    )


def client(hears=True, versions=None):
    """Return a Client of the trusted agent of a new platform; `.platform` is the platform, `.time` its Time.

    `hears`: it takes events; `versions`: as for Platform.
    """
    example = platform(versions)
    made = Client(example.agents["trusted"])
    made.platform = example
    made.time = Time(example)
    made.hear(hears)
    return made


def guest_of(trusted):
    """Return a Client of the other agent of the platform that `trusted`, a Client, belongs to."""
    made = Client(trusted.platform.agents["guest"])
    made.platform, made.time = trusted.platform, trusted.time
    made.hear(trusted.backend.hears)
    return made
