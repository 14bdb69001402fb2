# SPDX-License-Identifier: MIT
"""A frontend that lies and floods hurts nobody but itself: NEEDS_RESET, a counter, silence. The others get answers.

The guest of the second link is paused; a process on the host plays its part, with the mapped region and the doorbell.
"""

import dataclasses
import mmap
import random
import statistics
import threading
import time

import pytest

import driver
from trapless import bench, region
from virtio import layout
from virtio.status import NEEDS_RESET

PROBED = "grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input"
RNG = 1
ROUNDS = 500
BLOCKS = 5
WAIT = 0.0005


@pytest.fixture(scope="module")
def pair_options(pair_options):
    """The pair of the command line with a second frontend."""
    return dataclasses.replace(pair_options, topology="two-frontends")


class HostileFrontend:
    """Plays the driver on a link whose guest is paused. `idle`: spend the time, but leave memory and doorbell alone."""

    def __init__(self, pair, victim, idle=False):
        link = victim.link
        with region.path(pair.directory, link).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        if idle:
            self.memory = bytearray(self.memory)
        self.peer = link.doorbell.backend_peer
        self.bells = None if idle else victim.doorbells
        base = int(victim.check("basename /sys/firmware/devicetree/base/reserved-memory/pool@*").partition("@")[2], 16)
        pool = driver.Pool(self.memory, link.pool_offset, link.pool_size, base)
        self.frontend = driver.Frontend(self.memory, pool, self.ring, lambda: time.sleep(WAIT), attempts=2000)
        self.drivers = [self.frontend.add(link.device_page(one), link.driver_page(one)) for one in link.devices]
        self.random = random.Random(1)
        self.done = threading.Event()
        self.wrongs = 0

    def ring(self):
        """Ring the backend's doorbell."""
        if self.bells:
            self.bells.ring(self.peer)

    def violate(self, victim):
        """Make an available index jump, so that only a reset helps; a kick tells of it."""
        ring = victim.queues[0]
        ring.pool.store(ring.avail + 2, "<H", ring.next_avail + ring.size + 1 & 0xFFFF)
        victim.store(layout.DRV_KICK_SEQ, victim.sent(layout.DRV_KICK_SEQ) + 1 & 0xFFFFFFFF)
        self.ring()

    def flood(self):
        """Publish nonsense and ring, without a pause, until `done` is set."""
        while not self.done.is_set():
            for one in self.drivers:
                one.put(layout.DRV_HEADER, self.random.randbytes(64))
                entries = [(self.random.choice((0x70, 0x20, 0x44, 0x80)), 4, 0, 0, self.random.getrandbits(32))] * 240
                one.publish(entries, **self.random.choice(({}, {}, {"crc": 1}, {"count": 1 << 31}, {"be_epoch": 5})))
                self.ring()
                self.wrongs += 1

    def __enter__(self):
        self.thread = threading.Thread(target=self.flood)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


@pytest.fixture
def paused(pair, frontends):
    """The second guest, paused; afterwards it runs, and the backend has begun a new life for it."""
    second = frontends["frontend1"]
    yield second
    second.vm.resume()
    pair.restart_backend()
    for one in frontends.values():
        one.wait_for(PROBED)


def test_a_violated_ring_needs_a_reset_and_gets_silence(pair, frontend, paused, read_sensor):
    hostile = HostileFrontend(pair, paused)
    paused.vm.pause()
    hostile.frontend.start()
    rng = hostile.drivers[RNG].begin()
    assert len(rng.request(b"", 64)) == 64
    hostile.violate(rng)
    deadline = time.monotonic() + 10
    while not rng.status & NEEDS_RESET:
        assert time.monotonic() < deadline, "no NEEDS_RESET"
        time.sleep(WAIT)  # nothing wakes us; the deadline bounds it
    assert "broken 1" in pair.backend.exec("status()")
    told = rng.interrupts
    for _ in range(20):
        hostile.violate(rng)
        assert rng.batch([driver.status(11)]) == (layout.RESULT_NEEDS_RESET, 0)
    assert rng.interrupts == told
    assert "wrong 0" in read_sensor(100)
    assert len(rng.begin().request(b"", 64)) == 64, "a reset helps"


@pytest.mark.plain_kernel("it judges time, of which this kernel takes more")
def test_a_flood_of_wrong_batches_leaves_the_other_its_answers(pair, frontend, paused, steady):
    """Every request is answered, and right. A batch is examined as a whole, and one of 240 entries takes milliseconds,
    so the p99 is printed beside that of a run in which the flooding process works as much and sends nothing."""
    hostile, idle = [lambda idle=idle: HostileFrontend(pair, paused, idle) for idle in (False, True)]
    made = {"flood": [hostile() for _ in range(BLOCKS)], "control": [idle() for _ in range(BLOCKS)]}
    paused.vm.pause()
    p99 = {"flood": [], "control": []}
    for block in range(BLOCKS):
        for kind, values in p99.items():
            with made[kind][block] as load:
                text = frontend.check(f"{bench.TOOL} latency {steady} {ROUNDS} {ROUNDS}", 120)
            assert load.wrongs > 100, "that is no flood"
            assert len(text.splitlines()) == ROUNDS
            values.append(bench.percentile(sorted(int(line.split()[1]) for line in text.splitlines()), 99))
    ratio = statistics.median(flood / control for flood, control in zip(*p99.values(), strict=True))
    print(f"p99 ratio {ratio:.2f}, ns: {p99}")
