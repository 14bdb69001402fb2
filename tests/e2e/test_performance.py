# SPDX-License-Identifier: MIT
"""Linux's cpufreq and a driver set the levels of performance domains; the backend has them, and may set limits.

The model is the default one: the frontend's processor runs in its domain "cpu", and a device of these tests in "gpu",
whose levels Linux names by their index.
"""

import pytest

from e2e import consumer, on_xen
from e2e.consumer import Consumer
from e2e.notifications import Notifications

PERFORMANCE = 0x13
POLICY = "/sys/devices/system/cpu/cpufreq/policy0"


@pytest.fixture(scope="module")
def pair_options(request):
    """A pair whose frontend has a device in the performance domain of the GPU."""
    from trapless.pytest_plugin import command_line_options

    options = command_line_options(request.config)
    soc = consumer.platform_of(options)
    device = {"compatible": consumer.COMPATIBLE, **consumer.performance_domain(soc, "gpu")}
    return consumer.equipped(options, {"consumer": device}, "trapless_consumer", "trapless_events")


@pytest.fixture(scope="module")
def domains(pair):
    """The model's performance domains by name; the rows of "levels" are (level, power, latency, frequency)."""
    return {domain["name"]: domain for domain in pair.platform.describe()["performance"]}


@pytest.fixture(scope="module")
def told(pair):
    """What the frontend is told."""
    return Notifications(pair.frontend)


@pytest.fixture
def governed(frontend):
    """Return a function that has a governor decide; afterwards it is the one that Linux began with."""

    def choose(governor):
        frontend.check(f"echo {governor} >{POLICY}/scaling_governor")

    yield choose
    choose("performance")


def level(backend, name="cpu"):
    """The level of a domain."""
    return backend.eval(f'soc.performance["{name}"].level')


@on_xen.NO_CPUFREQ
def test_cpufreq_has_the_levels_of_the_model(domains, frontend):
    assert frontend.check(f"cat {POLICY}/scaling_driver") == "scmi"
    frequencies = [row[3] for row in domains["cpu"]["levels"]]
    found = frontend.check(f"cat {POLICY}/scaling_available_frequencies").split()
    assert [int(word) for word in found] == frequencies
    slowest = max(row[2] for row in domains["cpu"]["levels"])
    assert int(frontend.check(f"cat {POLICY}/cpuinfo_transition_latency")) == slowest * 1000


@on_xen.NO_CPUFREQ
def test_the_energy_model_has_the_powers_of_the_model(domains, frontend):
    folder = "/sys/kernel/debug/energy_model/cpu0"
    for _, milliwatts, _, frequency in domains["cpu"]["levels"]:
        assert int(frontend.check(f"cat {folder}/ps:{frequency}/power")) == milliwatts * 1000


@on_xen.NO_CPUFREQ
def test_user_space_sets_the_frequency(domains, governed, backend, frontend):
    governed("userspace")
    for wanted, _, _, frequency in domains["cpu"]["levels"]:
        frontend.check(f"echo {frequency} >{POLICY}/scaling_setspeed")
        assert level(backend) == wanted
        assert int(frontend.check(f"cat {POLICY}/cpuinfo_cur_freq")) == frequency


@on_xen.NO_CPUFREQ
def test_governors_go_to_the_ends(domains, governed, backend):
    levels = [row[0] for row in domains["cpu"]["levels"]]
    for governor, expected in (("powersave", levels[0]), ("performance", levels[-1])):
        governed(governor)
        assert level(backend) == expected


@on_xen.NO_CPUFREQ
def test_the_limits_of_the_policy_hold(domains, governed, backend, frontend):
    second, third = (domains["cpu"]["levels"][place] for place in (1, 2))
    frontend.check(f"echo {third[3]} >{POLICY}/scaling_max_freq; echo {second[3]} >{POLICY}/scaling_min_freq")
    for governor, expected in (("performance", third[0]), ("powersave", second[0])):
        governed(governor)
        assert level(backend) == expected
    ends = [domains["cpu"]["levels"][place][3] for place in (0, -1)]
    frontend.check(f"echo {ends[0]} >{POLICY}/scaling_min_freq; echo {ends[1]} >{POLICY}/scaling_max_freq")


@pytest.fixture(scope="module")
def gpu(pair):
    """The device in the performance domain of the GPU, awake."""
    pair.frontend.check("insmod /host/trapless_consumer.ko")
    device = Consumer(pair.frontend, "consumer")
    device.write("sysfs:power/control", "on")
    return device


def test_a_driver_sets_the_level_of_its_domain(domains, gpu, backend, frontend):
    for row in domains["gpu"]["levels"]:
        gpu.write("level", row[0])
        assert level(backend, "gpu") == row[0]


def test_a_driver_has_the_frequencies_of_its_domain(domains, gpu, frontend):
    found = frontend.check("ls -d /sys/kernel/debug/opp/*consumer*/opp:*").splitlines()
    assert sorted(int(name.rpartition(":")[2]) for name in found) == [row[3] * 1000 for row in domains["gpu"]["levels"]]


def test_a_level_that_a_driver_sets_is_told(domains, gpu, told):
    domain, (low, high) = domains["gpu"]["id"], (domains["gpu"]["levels"][place] for place in (0, 1))
    gpu.write("level", low[0])
    told.subscribe(PERFORMANCE, 1, domain)
    gpu.write("level", high[0])
    told.wait_for(PERFORMANCE, 1, 1, domain, 2, high[3] * 1000)  # its index, and what Linux makes of that
    told.unsubscribe(PERFORMANCE, 1, domain)


@on_xen.NO_CPUFREQ
def test_limits_of_the_platform_are_told_and_hold(domains, governed, backend, frontend, told):
    governed("powersave")
    domain, levels = domains["cpu"]["id"], [row[0] for row in domains["cpu"]["levels"]]
    told.subscribe(PERFORMANCE, 0, domain)
    backend.exec(f'soc.performance["cpu"].limits = ({levels[0]}, {levels[1]})')
    told.wait_for(PERFORMANCE, 0, 0, domain, levels[1], levels[0])
    frontend.run(f"echo performance >{POLICY}/scaling_governor")
    assert level(backend) == levels[0], "the highest level is refused, and Linux 6.12 tries no other"
    backend.exec('soc.performance["cpu"].limits = None')
    told.wait_for(PERFORMANCE, 0, 0, domain, levels[-1], levels[0])
    told.unsubscribe(PERFORMANCE, 0, domain)
