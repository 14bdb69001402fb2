# SPDX-License-Identifier: MIT
"""Links on which one side or both poll: everything works, an idle pair costs little, the first answer comes soon."""

import dataclasses
import json
import time

import pytest

from e2e import on_xen
from e2e.places import counted
from e2e.test_pair import (  # noqa: F401 (the same tests, on this pair)
    seen,
    test_a_raw_message_gets_its_answer,
    test_a_sensor_switched_off_on_the_backend_cannot_be_read,
    test_a_value_set_on_the_backend_is_what_linux_reads_next,
    test_a_vote_of_linux_switches_a_power_domain_of_the_backend,
    test_clk_summary_has_the_clocks_of_the_model,
    test_clocks_changed_on_the_backend_are_what_linux_reads_next,
    test_every_steady_sensor_reads_what_the_model_says,
    test_linux_has_the_power_domains_of_the_model,
    test_linux_names_the_platform,
    test_one_waited_round_trip_to_driver_ok,
    test_regulators_have_the_voltages_of_the_model,
    test_the_kernel_has_nothing_to_complain_about,
    test_the_second_device_of_the_link_gives_random_numbers,
)
from trapless import bench, topology
from virtio.loop import IDLE_MS

SECONDS = 10
WINDOWS = 4
SHARE = 0.02
CEILING = 0.03  # on a host on which a wake-up is dear
WAKEUPS = 400
NAPS = 200
MORE = 1.5  # what QEMU does whenever it wakes up, to that and nothing else
FIRST_MS = 20
RESTS = 40
WAYS = {"nobody": [], "backend": ["backend"], "frontend": ["frontend"]}


@pytest.fixture(scope="module", params=WAYS)
def way(request):
    """Who rings."""
    return request.param


@pytest.fixture(scope="module")
def pair_options(pair_options, way, tmp_path_factory):
    plan = topology.find("polled").read_text().replace("rings = []", f"rings = {json.dumps(WAYS[way])}")
    path = tmp_path_factory.mktemp("plan") / "polled.toml"
    path.write_text(plan)
    return dataclasses.replace(pair_options, topology=str(path))


def test_each_side_polls_where_the_other_one_does_not_ring(way, backend, frontend, read_sensor):
    assert "wrong 0" in read_sensor(100)
    hears = "hears" if way == "frontend" else "polls"
    rings = "rings" if way == "backend" else "is polled"
    assert f"link linux0: {hears}, {rings}; " in backend.exec("status()")
    assert bool(counted(frontend, "doorbells")) == (way == "frontend")


@pytest.mark.plain_kernel("it judges time, of which this kernel takes more")
def test_the_first_request_after_a_rest_is_answered_soon(way, frontend, steady):
    taken = []
    for _ in range(RESTS):
        time.sleep(0.25)  # the rest that is spoken of
        line = frontend.check(f"{bench.TOOL} latency {steady} 1 1").split()
        taken.append(int(line[-1]) / 1e6)
    taken.sort()
    p90 = taken[RESTS * 9 // 10]
    print(f"\n{way} rings: first answers p50 {taken[RESTS // 2]:.1f} ms, p90 {p90:.1f} ms, worst {taken[-1]:.1f} ms")
    assert taken[RESTS // 2] <= FIRST_MS, "what is beyond is the host's own business"


@pytest.mark.slow
@pytest.mark.plain_kernel("it judges time, of which this kernel takes more")
@on_xen.ONE_PROCESS
def test_an_idle_pair_costs_little(way, pair):
    """Processor time of both QEMUs, all of it, in a window in which nobody asks for anything.

    Caches and processors are shared with others, who can only make it more: one window of several must do. How often
    somebody wakes up is the pair's own; what that costs, the host's, as a process shows that does nothing else.
    """
    found = []
    while not found or (found[-1] and len(found) < WINDOWS):
        share, wakeups = rested([pair.backend_vm, pair.frontend.vm])
        allowed = SHARE if share <= SHARE else dear_share(wakeups)
        print(f"\n{way} rings: {share:.2%} of a processor, {allowed:.2%} allowed, {wakeups:.0f} wake-ups a second")
        found.append(share > allowed or wakeups > WAKEUPS)
    assert not found[-1], "see the lines above"


def rested(machines):
    """What all `machines` together did in a while: (processor time, wake-ups), both per second."""
    begin, before = time.monotonic(), [(vm.cpu_seconds(), vm.wakeups()) for vm in machines]
    time.sleep(SECONDS)  # the length of the measurement
    passed = time.monotonic() - begin
    after = [(vm.cpu_seconds(), vm.wakeups()) for vm in machines]
    differences = [[new - old for new, old in zip(*both, strict=True)] for both in zip(after, before, strict=True)]
    return tuple(sum(each) / passed for each in zip(*differences, strict=True))


def dear_share(wakeups):
    """What so many wake-ups a second may cost where they are dear: more than SHARE, never more than CEILING."""
    return min(max(SHARE, MORE * wakeups * wakeup_seconds()), CEILING)


def wakeup_seconds():
    """The processor time that this host takes for a process that sleeps as long as the backend, and wakes up."""
    begin = time.thread_time()
    for _ in range(NAPS):
        time.sleep(IDLE_MS / 1000)  # what is measured
    return (time.thread_time() - begin) / NAPS


def test_the_pool_shrinks_and_grows_without_a_doorbell(backend, frontend, read_sensor):
    for size in (1 << 20, 0):
        backend.exec(f'links["linux0"].balloon.ask({size})')
        frontend.wait_for(f"grep -q 'given {size}' /sys/kernel/debug/trapless/*/pool")
    assert "wrong 0" in read_sensor(100)


@on_xen.NO_RESTART
def test_a_backend_that_starts_again_is_found(pair, read_sensor):
    pair.restart_backend()
    pair.wait_probed()
    assert "wrong 0" in read_sensor(100)
