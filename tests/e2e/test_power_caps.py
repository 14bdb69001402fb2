# SPDX-License-Identifier: MIT
"""Linux's powercap framework has the power caps of the backend: /sys/class/powercap/arm-scmi*.

The framework has no use for notifications; `linux/tests/trapless_events.c` hears them.
"""

import pytest

from e2e import consumer
from e2e.notifications import Notifications
from trapless import report

POWERCAP, CAP_CHANGED, MEASUREMENTS_CHANGED = 0x18, 0, 1

ZONES = 'for z in /sys/class/powercap/arm-scmi:*; do echo "$z $(cat $z/name) $(cat $z/constraint_0_min_power_uw)\
 $(cat $z/constraint_0_max_power_uw) $(cat $z/constraint_0_power_limit_uw) $(cat $z/constraint_0_time_window_us)\
 $(cat $z/power_uw)"; done'


@pytest.fixture(scope="module")
def pair_options(request):
    """The pair of the command line with the test module that hears notifications."""
    from trapless.pytest_plugin import command_line_options

    return consumer.equipped(command_line_options(request.config), {}, "trapless_events")


@pytest.fixture(scope="module")
def told(pair):
    """What the frontend is told."""
    return Notifications(pair.frontend)


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


def test_linux_is_told_of_caps_and_intervals(pair, told, backend, write):
    package = pair.platform.power_caps["package"].id
    told.subscribe(POWERCAP, CAP_CHANGED, package)
    write("package", "constraint_0_power_limit_uw", 9_000_000)
    told.wait_for(POWERCAP, CAP_CHANGED, 1, package, 9_000_000, 1_000)
    backend.exec('soc.power_caps["package"].interval = 2_000')
    told.wait_for(POWERCAP, CAP_CHANGED, 0, package, 9_000_000, 2_000)
    backend.exec('soc.power_caps["package"].interval = 1_000')
    write("package", "constraint_0_power_limit_uw", 15_000_000)
    told.wait_for(POWERCAP, CAP_CHANGED, 1, package, 15_000_000, 1_000)
    assert len(told.heard()) == 4
    told.unsubscribe(POWERCAP, CAP_CHANGED, package)


@pytest.mark.parametrize("name", ["cpu-cluster", "package"])
def test_linux_is_told_of_power_that_leaves_its_thresholds(pair, told, backend, read, name):
    """The power of the processor is set at the prompt, that of the package is measured by a function."""
    domain = pair.platform.power_caps[name].id
    usual = read(name, "power_uw")
    told.set_threshold(domain, usual - 100_000, usual + 100_000)
    told.subscribe(POWERCAP, MEASUREMENTS_CHANGED, domain)
    for change in (1, 200_000, 300_000, 0, -200_000, 0):
        backend.exec(f'soc.power_caps["cpu-cluster"].power = {2_400_000 + change}')
        if abs(change) == 200_000:
            told.wait_for(POWERCAP, MEASUREMENTS_CHANGED, 0, domain, usual + change)
    assert len(told.heard()) == 2
    told.unsubscribe(POWERCAP, MEASUREMENTS_CHANGED, domain)


def test_the_kernel_has_nothing_to_complain_about(frontend):
    assert frontend.check("dmesg -r | grep '^<[0-4]>' | grep -E 'scmi|powercap' || true") == ""
