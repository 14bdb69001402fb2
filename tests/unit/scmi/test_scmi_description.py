# SPDX-License-Identifier: MIT
"""Platform descriptions: what is refused and how that is said, what is derived from them."""

from scmi.platform import (
    PHASE,
    Agent,
    Axis,
    Clock,
    DescriptionError,
    Device,
    Platform,
    PowerDomain,
    Reset,
    Sensor,
    SystemPower,
    Voltage,
)
from scmi_example import LEVELS, LONG_DOMAIN_NAME, LONG_SENSOR_NAME, RATES, platform
from support import raises


def refused(build, *words):
    """Demand that `build()` is refused with a message that has all `words` in it."""
    message = str(raises(DescriptionError, build))
    for word in words:
        assert word in message, message


def sensor(**options):
    return lambda: Sensor("s", options.pop("unit", "volt"), **options)


def clock(**options):
    return lambda: Clock("c", **options)


def reset(**options):
    return lambda: Reset("r", **options)


def voltage(**options):
    return lambda: Voltage("v", options.pop("level", 1), **options)


def test_names():
    refused(lambda: Sensor("", "volt"), "sensor ''", "1 to 63 bytes")
    refused(lambda: Clock("x" * 64, rate=1), "clock", "1 to 63 bytes")
    refused(lambda: Sensor(5, "volt"), "must be text")
    assert Clock("x" * 63, rate=1).name == "x" * 63


def test_two_of_the_same_name():
    refused(lambda: Platform(sensors=[Sensor("a", "volt"), Sensor("a", "watt")]), "two sensors", "'a'")
    refused(lambda: Platform(clocks=[Clock("a", 1), Clock("a", 2)]), "two clocks", "'a'")


def test_units():
    refused(sensor(unit="parsec"), "sensor 's'", "'parsec'", "celsius")
    for name, code, exponent in (
        ("celsius", 2, 0),
        ("millicelsius", 2, -3),
        ("microvolt", 5, -6),
        ("kilohertz", 0x14, 3),
        ("meter/s2", 0x59, 0),
        ("minute", 0x16, 0),
        ("decibel", 0x36, 0),
    ):
        unit = Sensor("s", name).unit
        assert (unit.code, unit.exponent) == (code, exponent), name


def test_values():
    for value in (1.5, "1", None, True, 1 << 63, -(1 << 63) - 1):
        refused(sensor(value=value), "sensor 's'", "whole number")
    refused(sensor(read=5), "read must be a function")


def test_sensor_options():
    refused(sensor(trip_points=256), "trip_points", "255")
    refused(sensor(limits=(2, 1)), "limits")
    refused(sensor(resolution=(1 << 27, 0)), "resolution")
    refused(sensor(power=-1), "power")
    refused(sensor(intervals=(0,)), "interval")
    refused(sensor(intervals=(65_537,)), "65537 ms")
    refused(sensor(interval_range=(10, 5, 1)), "interval_range")
    refused(sensor(intervals=(1,), interval_range=(1, 2, 1)), "only one")
    refused(sensor(axes=[Axis("x", "volt"), Axis("x", "volt")]), "two axes")


def test_clock_options():
    refused(clock(), "clock 'c'", "rate")
    refused(clock(rate=-1), "whole hertz")
    refused(clock(rate=3, rates=(1, 2)), "rate 3", "1, 2")
    refused(clock(rate=15, rate_range=(10, 20, 10)), "10 to 20 in steps of 10")
    refused(clock(rate=1, rates=(1,), rate_range=(1, 2, 1)), "only one")
    refused(clock(rate=1, rates=(1, 1)), "differ")
    refused(clock(rate=1, forbidden=("speed",)), "'speed'")
    refused(clock(rate=1, settings={3: 1}), "settings")
    refused(clock(rate=1, settings={PHASE: 361}), "360")
    refused(clock(rate=1, change=5), "clock 'c'", "change must be a function")
    for delay in (-1, 1.5, "soon"):
        refused(clock(rate=1, delay=delay), "clock 'c'", "delay")


def test_power_domain_options():
    refused(lambda: PowerDomain(""), "power domain ''", "1 to 63 bytes")
    refused(lambda: PowerDomain("d", "asleep"), "power domain 'd'", "on, off", "'asleep'")
    refused(lambda: PowerDomain("d", states=(("off", 1),)), "power domain 'd'", "different names")
    refused(lambda: PowerDomain("d", states=(("a", 1), ("b", 1))), "different words")
    refused(lambda: PowerDomain("d", states=(("a", 0x40000000),)), "different words", "(off)")
    refused(lambda: PowerDomain("d", states=(("a", 1 << 28),)), "power_state of 'a'")
    refused(lambda: PowerDomain("d", states=(("a", -1),)), "power_state of 'a'")
    refused(lambda: PowerDomain("d", states=(("a",),)), "(name, power_state word)")
    refused(lambda: PowerDomain("d", fixed="yes"), "power domain 'd'", "fixed must be True or False")
    refused(lambda: PowerDomain("d", change=1), "power domain 'd'", "change must be a function")
    refused(lambda: Platform(power_domains=[PowerDomain("d"), PowerDomain("d")]), "two power domains", "'d'")
    refused(lambda: Platform(power_domains=[Clock("c", 1)]), "power domain number 0 is a Clock")


def test_system_power_options():
    refused(lambda: SystemPower(("sleep",)), "system power", "suspend", "'sleep'")
    refused(lambda: SystemPower("suspend"), "system power", "list of names")
    refused(lambda: SystemPower(change=1), "system power", "change must be a function")
    refused(lambda: Platform(system="on"), "platform", "must be a SystemPower", "str")
    refused(lambda: Platform(system=SystemPower(), devices=[Device("d")]), "system power", "none of the devices")


def test_reset_options():
    refused(lambda: Reset(""), "reset ''", "1 to 63 bytes")
    refused(reset(reset=5), "reset 'r'", "reset must be a function")
    refused(reset(signal=5), "reset 'r'", "signal must be a function")
    for latency in (-1, 1 << 32, 0xFFFFFFFF, 1.5):
        refused(reset(latency=latency), "reset 'r'", "latency")
    for state in (1, "cold", 1 << 32):
        refused(reset(states=(state,)), "reset 'r'", "bit 31")
    refused(lambda: Platform(resets=[Reset("a"), Reset("a")]), "two resets", "'a'")
    refused(lambda: Platform(resets=[Clock("a", 1)]), "reset number 0 is a Clock")
    refused(lambda: Platform(resets=[Reset("r")], devices=[]), "reset 'r'", "none of the devices")


def test_voltage_options():
    refused(lambda: Voltage("", 1), "voltage ''", "1 to 63 bytes")
    for level in (1.5, None, True, 1 << 31, -(1 << 31) - 1):
        refused(voltage(level=level), "voltage 'v'", "whole microvolts")
    refused(voltage(levels=(1, "x")), "a level of levels")
    refused(voltage(levels=(2, 3)), "level 1", "2, 3")
    refused(voltage(levels=(1, 1)), "differ")
    refused(voltage(levels=range(1, 4097)), "4095")
    refused(voltage(level_range=(1, 9)), "lowest, highest, step")
    refused(voltage(level_range=(9, 1, 1)), "level_range must rise")
    refused(voltage(level=4, level_range=(1, 9, 2)), "level 4", "1 to 9 in steps of 2")
    refused(voltage(levels=(1, 2), level_range=(1, 9, 2)), "only one")
    refused(voltage(enabled=False, always_on=True), "always_on")
    refused(voltage(forbidden=("rate",)), "'rate'")
    refused(voltage(drive=5), "drive must be a function")
    refused(lambda: Platform(voltages=[Voltage("a", 1), Voltage("a", 2)]), "two voltages", "'a'")
    refused(lambda: Platform(voltages=[Clock("a", 1)]), "voltage number 0 is a Clock")


def test_parents():
    refused(lambda: Platform(clocks=[Clock("a", parents=("b",))]), "clock 'a'", "'b'")
    refused(lambda: Platform(clocks=[Clock("a", parents=("a",))]), "its own parent")
    ring = [Clock("a", parents=("b", "x")), Clock("b", parents=("x", "a")), Clock("x", rate=1)]
    refused(lambda: Platform(clocks=ring), "takes its rate from itself")
    ranged = [Clock("a", parents=("b",)), Clock("b", rate=1, rate_range=(1, 9, 1))]
    refused(lambda: Platform(clocks=ranged), "'b'", "range")


def test_devices():
    refused(lambda: Platform(sensors=[Sensor("s", "volt")], devices=[Device("d", ["t"])]), "device 'd'", "'t'")
    refused(lambda: Platform(sensors=[Sensor("s", "volt")], devices=[Device("d")]), "sensor 's'", "none of the devices")
    stranger = Sensor("s", "volt")
    refused(lambda: Platform([Sensor("s", "volt")], devices=[Device("d", [stranger])]), "device 'd'", "no resource")
    refused(lambda: Platform([Sensor("s", "volt")], devices=[Device("d", [0])]), "device 'd'", "0 is no resource")


def test_devices_tell_apart_what_has_the_same_name():
    def build(*names):
        sensor, clock, other = Sensor("cpu", "volt"), Clock("cpu", 1), Clock("other", 2)
        found = {"sensor": sensor, "clock": clock}
        devices = [Device("all", [sensor, clock, other]), Device("some", [found.get(name, name) for name in names])]
        soc = Platform([sensor], [clock, other], devices=devices)
        return [resource.devices for resource in (sensor, clock, other)], repr(soc.devices)

    refused(lambda: build("cpu"), "device 'some'", "'cpu' may be sensor:cpu, clock:cpu", "the object itself")
    refused(lambda: build("reset:cpu"), "device 'some'", "'reset:cpu' is no resource")
    assert build("clock:cpu")[0] == build("clock")[0] == [(0,), (0, 1), (0,)]
    assert build("sensor:cpu", "sensor")[0] == [(0, 1), (0,), (0,)]
    assert build("other", "clock:other")[0] == [(0,), (0,), (0, 1)]
    assert "cpu, cpu, other" in build("other")[1]


def test_platform_options():
    refused(lambda: Platform(vendor="x" * 16), "vendor", "15 bytes")
    refused(lambda: Platform(implementation_version=1 << 32), "32 bits")
    refused(lambda: Platform(sensors=[Clock("c", 1)]), "sensor number 0 is a Clock")
    refused(lambda: Platform(agents=[Agent("x" * 64)]), "agent")
    refused(lambda: Platform(agents=[Agent("a")]).agent(1), "has 1 agents", "more SCMI devices")


def test_options_that_would_only_fail_when_they_are_asked_for():
    refused(sensor(power=1.5), "sensor 's'", "power")
    for resolution in ((1.5, 0), (1, "x"), (1,), (1, 2, 3)):
        refused(sensor(resolution=resolution), "sensor 's'", "resolution")
    refused(sensor(intervals=(10, 10)), "intervals must differ")
    refused(sensor(interval_range=(1, 100_000, 1)), "sensor 's'", "interval_range", "multiples of 10 ms")
    assert Sensor("s", "volt", interval_range=(10, 100_000, 10)).can_change_interval
    refused(sensor(enabled="no"), "sensor 's'", "enabled")
    refused(sensor(axes=["x"]), "sensor 's'", "axis number 0 is a str")
    refused(sensor(value=5, axes=[Axis("x", "volt")]), "sensor 's'", "axes")
    refused(sensor(limits=(1, 2), axes=[Axis("x", "volt")]), "sensor 's'", "axes")
    for delay in (-1, 1.5, 1 << 32):
        refused(clock(rate=1, enable_delay=delay), "clock 'c'", "enable_delay")
    refused(clock(rate=1, enabled=None), "clock 'c'", "enabled")
    refused(clock(rates=(1, 2), parents=("d",)), "clock 'c'", "must have a rate")
    refused(clock(rate_range=(1, 2, 1), parents=("d",)), "clock 'c'", "must have a rate")
    refused(
        lambda: Platform(clocks=[Clock("c", parents=("d", "d")), Clock("d", 1)]), "clock 'c'", "parents must differ"
    )
    for name in ("a\0b", "a\nb", "a/b", "\x7f"):
        refused(lambda name=name: Clock(name, 1), "clock", "printable")


def test_a_sensor_that_cannot_be_read_does_not_take_the_table_away():
    def broken():
        raise OSError("no bus")

    axes = [Axis("x", "microgauss", -7), Axis("y", "gauss", read=broken)]
    text = repr(Platform([Sensor("a", "volt", 1), Sensor("b", "volt", read=broken), Sensor("c", "gauss", axes=axes)]))
    assert "read failed" in text and "no bus" in text and "a" in text
    assert "x -7 \u00b5G, y read failed" in text and "G, y" in repr(Sensor("c", "gauss", axes=axes))


def test_description_for_the_host():
    described = platform().describe()
    assert [entry["id"] for entry in described["protocols"]] == list(range(0x10, 0x1A))
    assert [entry["version"] for entry in described["protocols"]] == [
        0x20001,
        0x30001,
        0x20001,
        0x40000,
        0x30000,
        0x30001,
        0x30001,
        0x20001,
        0x20000,
        0x10000,
    ]
    values = {entry["name"]: entry["value"] for entry in described["sensors"]}
    assert values["plain"] == 45_000 and values["negative"] == -5 and values["moving"] is None
    assert values["axes"] == [1, -2, 9] and LONG_SENSOR_NAME in values
    assert described["system"] == {"state": "power-up", "states": ["shutdown", "cold-reset", "suspend"]}
    assert Platform().describe()["system"] is None
    states = {entry["name"]: entry["state"] for entry in described["power_domains"]}
    assert states == {"switched": "on", "deep": "sleep", "always-on": "on", LONG_DOMAIN_NAME: "off"}
    rates = {entry["name"]: entry["rate"] for entry in described["clocks"]}
    assert rates["mux"] == RATES[0] and rates["range"] == 5_000_000_000
    core = {"id": 0, "name": "core", "forbidden": [], "latency": 250, "asserted": False}
    assert described["resets"][0] == core
    steps = described["voltages"][1]
    assert (steps["id"], steps["name"], steps["level"], steps["enabled"]) == (1, "steps", LEVELS[0], True)
    indexed = described["performance"][1]
    assert (indexed["id"], indexed["name"], indexed["level"], indexed["limits"]) == (1, "indexed", 35, [10, 60])
    assert indexed["levels"] == [[10, 300, 500, 200_000], [35, 800, 500, 450_000], [60, 0, 0, 800_000]]
    assert described["performance"][3]["forbidden"] == ["limits", "level"]


def test_every_protocol_and_resource_is_described():
    """Devices name every resource of every protocol, and each kind has a list with the same names."""
    soc = platform()
    described = soc.describe()
    named = [name for device in described["devices"] for name in device["resources"]]
    wanted = [
        f"{protocol.NAME}:{resource.name}" for protocol in soc.protocols.values() for resource in protocol.resources
    ]
    assert set(named) == set(wanted)
    kinds = ("sensors", "clocks", "power_domains", "performance", "voltages", "power_caps", "resets")
    listed = [item["name"] for kind in kinds for item in described[kind]]
    listed += [item["name"] for items in described["pins"].values() for item in items] + ["system"]
    assert sorted(listed) == sorted(name.partition(":")[2] for name in wanted)
    served = {node["properties"]["reg"] for node in soc.frontend_nodes()}
    assert served == set(soc.protocols) - {0x10}


def test_nodes_for_the_frontend():
    nodes = {node["name"]: node["properties"] for node in platform().frontend_nodes()}
    regulators = nodes.pop("protocol@17")["regulators"]
    nodes.pop("protocol@19")
    assert nodes == {
        "protocol@11": {"reg": 0x11, "#power-domain-cells": 1},
        "protocol@12": {"reg": 0x12},
        "protocol@13": {"reg": 0x13, "#power-domain-cells": 1},
        "protocol@14": {"reg": 0x14, "#clock-cells": 1},
        "protocol@15": {"reg": 0x15, "#thermal-sensor-cells": 1},
        "protocol@16": {"reg": 0x16, "#reset-cells": 1},
        "protocol@18": {"reg": 0x18},
    }
    assert regulators == {
        "#address-cells": 1,
        "#size-cells": 0,
        "regulator@0": {"reg": 0, "regulator-min-microvolt": 600_000, "regulator-max-microvolt": 1_200_050},
        "regulator@1": {"reg": 1, "regulator-min-microvolt": 100_000, "regulator-max-microvolt": 4_000_000},
        "regulator@2": {"reg": 2},
        "regulator@4": {
            "reg": 4,
            "regulator-min-microvolt": 1_000_000,
            "regulator-max-microvolt": 1_100_000,
            "regulator-always-on": True,
        },
        "regulator@6": {"reg": 6},
    }
    assert Platform(sensors=[Sensor("s", "volt")]).frontend_nodes()[0]["name"] == "protocol@15"
    assert Platform().frontend_nodes() == []


def test_models():
    import models.default
    import models.minimal

    assert models.default.platform.sensors["cpu"].value == 45_000
    assert [sensor.name for sensor in models.default.platform.sensors if sensor.moving] == ["battery"]
    low, high = 3_300_000, 4_200_000
    assert low <= models.default.platform.sensors["battery"].value <= high
    assert models.default.platform.power_domains["always-on"].fixed
    assert models.minimal.platform.clocks["osc"].rate == 24_000_000
