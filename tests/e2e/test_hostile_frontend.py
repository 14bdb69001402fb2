# SPDX-License-Identifier: MIT
"""A frontend that lies and floods hurts nobody but itself: NEEDS_RESET, a counter, silence; the others keep their pace.

The guest of the second link is paused; a process on the host plays its part, with the mapped region and the doorbell.
"""

import dataclasses
import statistics
import time

import pytest

import driver
from e2e import floods, on_xen
from e2e.places import place
from trapless import bench
from virtio import layout
from virtio.status import NEEDS_RESET

ROUNDS = 400
BLOCKS = 9
MOST = 3
# Further ones for a host that others use: a backend that is kept busy then gets less of it, which the control does not
# show. With twice as many runnable threads as processors the ratio of the same flood was anything from 1 to 10.
ATTEMPTS = 5


@pytest.fixture(scope="module")
def pair_options(pair_options):
    """The pair of the command line with a second frontend."""
    return dataclasses.replace(pair_options, topology="two-frontends")


@pytest.fixture(scope="module")
def victim(pair):
    """The second guest: it is paused, and stays so, since nothing of its memory is what it was afterwards."""
    second = pair.frontends["frontend1"]
    base = place(second, "pool")[0]
    second.vm.pause()
    yield second, base
    second.vm.resume()


@pytest.fixture
def hostile(pair, victim):
    """A life of the frontend that plays the second guest's part."""
    return floods.HostileFrontend(pair, *victim)


@pytest.mark.parametrize("wanted", [floods.SPLIT, floods.PACKED], ids=["split", "packed"])
@on_xen.NO_PAUSE
def test_a_violated_ring_needs_a_reset_and_gets_silence(hostile, read_sensor, wanted):
    broken = hostile.counted()["broken"]
    rng = hostile.drivers[floods.RNG].begin(wanted)
    assert len(rng.request(b"", 64)) == 64
    hostile.violate(rng)
    deadline = time.monotonic() + 10
    while not rng.status & NEEDS_RESET:
        assert time.monotonic() < deadline, "no NEEDS_RESET"
        time.sleep(floods.WAIT)  # nothing wakes us; the deadline bounds it
    assert hostile.counted()["broken"] == broken + 1
    told = rng.interrupts
    for _ in range(20):
        hostile.violate(rng)
        assert rng.batch([driver.status(11)]) == (layout.RESULT_NEEDS_RESET, 0)
    assert rng.interrupts == told
    assert "wrong 0" in read_sensor(100)
    assert len(rng.begin().request(b"", 64)) == 64, "a reset helps"


def p99_under(load, frontend, steady):
    """The p99 of readings in ns while `load` runs; each has its answer."""
    with load.running():
        lines = frontend.check(f"{bench.TOOL} latency {steady} {ROUNDS} {ROUNDS}", 120).splitlines()
    assert len(lines) == ROUNDS
    return bench.percentile(sorted(int(line.split()[1]) for line in lines), 99)


def pace_under(flood, frontend, steady):
    """The p99 under the flood, as a ratio to that of the control: medians of blocks of each, in turns."""
    control = floods.Burn(flood)
    blocks = [[p99_under(load, frontend, steady) for load in (flood, control)] for _ in range(BLOCKS)]
    under, without = [statistics.median(column) for column in zip(*blocks, strict=True)]
    print(f"{type(flood).__name__}: {under / without:.2f}, {under / 1000:.0f} us to {without / 1000:.0f} us")
    return under / without


@pytest.mark.plain_kernel("it judges time, of which this kernel takes more")
@pytest.mark.parametrize("kind", floods.KINDS)
@on_xen.NO_PAUSE
def test_a_flood_leaves_the_other_its_pace(hostile, frontend, steady, kind):
    """At most three times the p99 of a run in which the flooding process works as much and sends nothing."""
    flood = kind(hostile)
    flood.prepare()
    try:
        before = flood.counted()
        is_kept = any(pace_under(flood, frontend, steady) <= MOST for _ in range(ATTEMPTS))
        rate = (flood.counted() - before) / flood.seconds
    finally:
        flood.end()
    print(
        f"{flood.steps / flood.seconds:.0f} steps, {rate:.0f} {flood.counter} per second, processor {flood.share:.2f}"
    )
    assert rate >= flood.least, "that is no flood"
    assert is_kept
