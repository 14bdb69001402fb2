# SPDX-License-Identifier: MIT
"""Linux's powercap framework has the power caps of the backend: /sys/class/powercap/arm-scmi*."""

import pytest

from trapless import report

ZONES = 'for z in /sys/class/powercap/arm-scmi:*; do echo "$z $(cat $z/name) $(cat $z/constraint_0_min_power_uw)\
 $(cat $z/constraint_0_max_power_uw) $(cat $z/constraint_0_power_limit_uw) $(cat $z/constraint_0_time_window_us)\
 $(cat $z/power_uw)"; done'


@pytest.fixture(scope="module")
def zones(pair):
    """Linux's zones: {name: directory}."""
    rows = [line.split() for line in pair.frontend.check(ZONES).splitlines()]
    return {row[1]: row[0] for row in rows}


@pytest.fixture
def read(frontend, zones):
    """Return a function that reads attribute `what` of the zone called `name`."""
    return lambda name, what: int(frontend.check(f"cat {zones[name]}/{what}"))


@pytest.fixture
def write(frontend, zones):
    """Return a function that writes `value` to attribute `what` of the zone called `name`."""
    return lambda name, what, value: frontend.check(f"echo {value} > {zones[name]}/{what}")


def test_the_powercap_driver_has_the_protocol(pair):
    drivers = {number: driver for number, _, driver in report.gather(pair.frontend).devices}
    assert drivers[0x18] == "scmi-powercap"


def test_linux_has_the_zones_of_the_model(pair, frontend, zones):
    described = {domain["name"]: domain for domain in pair.platform.describe()["power_caps"]}
    assert described and set(zones) == set(described)
    for line in frontend.check(ZONES).splitlines():
        _, name, lowest, highest, cap, interval, power = line.split()
        domain = described[name]
        assert [int(lowest), int(highest)] == domain["limits"][:2], name
        assert (int(cap), int(interval)) == (domain["cap"], domain["interval"]), name
        assert domain["power"] in (None, int(power)), name


def test_zones_are_nested_as_in_the_model(pair, zones):
    for domain in pair.platform.describe()["power_caps"]:
        above = zones[domain["name"]].rpartition(":")[0]
        assert above == (zones[domain["parent"]] if domain["parent"] else "/sys/class/powercap/arm-scmi")


@pytest.mark.parametrize("name", ["package", "cpu-cluster"])
def test_a_cap_of_linux_arrives(backend, read, write, name):
    """The package sets it with a delayed response, the processor at once; Linux rounds down to the step."""
    before = read(name, "constraint_0_power_limit_uw")
    for wanted, got in ((4_000_000, 4_000_000), (5_049_000, 5_000_000), (before, before)):
        write(name, "constraint_0_power_limit_uw", wanted)
        assert read(name, "constraint_0_power_limit_uw") == got
        assert int(backend.exec(f'print(soc.power_caps["{name}"].cap)')) == got


def test_an_averaging_interval_of_linux_arrives(backend, read, write):
    for wanted in (20_000, 1_000):
        write("cpu-cluster", "constraint_0_time_window_us", wanted)
        assert read("cpu-cluster", "constraint_0_time_window_us") == wanted
        assert int(backend.exec('print(soc.power_caps["cpu-cluster"].interval)')) == wanted


def test_power_and_cap_set_on_the_backend_are_what_linux_reads_next(backend, read):
    rest = read("package", "power_uw") - read("cpu-cluster", "power_uw")
    for power in (3_100_000, 2_400_000):
        backend.exec(f'soc.power_caps["cpu-cluster"].power = {power}')
        assert read("cpu-cluster", "power_uw") == power
        assert read("package", "power_uw") == power + rest
    for cap in (1_000_000, 8_000_000):
        backend.exec(f'soc.power_caps["cpu-cluster"].cap = {cap}')
        assert read("cpu-cluster", "constraint_0_power_limit_uw") == cap


def test_linux_switches_a_zone_off_and_on(backend, read, write):
    write("cpu-cluster", "constraint_0_power_limit_uw", 6_000_000)
    for enabled, cap in ((0, 0), (1, 6_000_000)):
        write("cpu-cluster", "enabled", enabled)
        assert read("cpu-cluster", "enabled") == enabled
        assert int(backend.exec('print(soc.power_caps["cpu-cluster"].cap)')) == cap


def test_a_zone_that_begins_without_a_cap_takes_one(read, write):
    assert (read("gpu", "enabled"), read("gpu", "constraint_0_power_limit_uw")) == (0, 0)
    write("gpu", "constraint_0_power_limit_uw", 3_000_000)
    assert read("gpu", "constraint_0_power_limit_uw") == 0, "Linux keeps it until the zone is switched on"
    write("gpu", "enabled", 1)
    assert (read("gpu", "enabled"), read("gpu", "constraint_0_power_limit_uw")) == (1, 3_000_000)
    write("gpu", "enabled", 0)
    assert read("gpu", "enabled") == 0
