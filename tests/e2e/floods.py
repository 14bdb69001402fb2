# SPDX-License-Identifier: MIT
"""A frontend that lies and floods: a process on the host plays the part of a guest that is paused meanwhile.

Each kind of misbehaviour is a step that is repeated without a pause until the measurement ends.
"""

import contextlib
import mmap
import random
import threading
import time

import driver
from trapless import region
from virtio import layout
from virtio.status import NEEDS_RESET

RNG = 1
WAIT = 0.0002
BATCHES = 64
LONG = layout.ENTRIES_MAX
OK = driver.status(15)
REGISTERS = (0x70, 0x20, 0x44, 0x80)
WRONG = ({}, {}, {"crc": 1}, {"count": 1 << 31}, {"be_epoch": 5})


def pool_address(frontend):
    """Return what a guest that runs takes the address of its link's pool for."""
    return int(frontend.check("basename /sys/firmware/devicetree/base/reserved-memory/pool@*").partition("@")[2], 16)


class HostileFrontend:
    """Plays the driver on the link of `victim`, whose guest is paused and has its pool at `base`."""

    def __init__(self, pair, victim, base):
        link = victim.link
        with region.path(pair.directory, link).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.peer = link.doorbell.backend_peer
        self.bells = victim.doorbells
        pool = driver.Pool(self.memory, link.pool_offset, link.pool_size, base)
        self.random = random.Random()
        seed = self.random.getrandbits(31)  # a life of its own, whatever was before
        self.frontend = driver.Frontend(self.memory, pool, self.ring, lambda: time.sleep(WAIT), seed, attempts=5000)
        self.drivers = [self.frontend.add(link.device_page(one), link.driver_page(one)) for one in link.devices]

    def ring(self):
        """Ring the backend's doorbell."""
        self.bells.ring(self.peer)

    def violate(self, victim):
        """Make an available index jump, so that only a reset helps; a kick tells of it."""
        ring = victim.queues[0]
        ring.pool.store(ring.avail + 2, "<H", ring.next_avail + ring.size + 1 & 0xFFFF)
        victim.store(layout.DRV_KICK_SEQ, victim.sent(layout.DRV_KICK_SEQ) + 1 & 0xFFFFFFFF)
        self.ring()


class Flood:
    """Repeats `step()` until the measurement ends. `steps`: how often; `share`: of one processor of the host."""

    def __init__(self, hostile):
        self.hostile = hostile
        self.steps = 0
        self.share = 0.0

    def prepare(self):
        """Do what need not be done again and again."""

    def step(self):
        """Do it once."""
        raise NotImplementedError

    @contextlib.contextmanager
    def running(self):
        """Flood while the block runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._run, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _run(self, done):
        begin, used = time.monotonic(), time.thread_time()
        while not done.is_set():
            self.step()
            self.steps += 1
        self.share = (time.thread_time() - used) / (time.monotonic() - begin)


class Burn(Flood):
    """Uses as much processor time as `other` did, and sends nothing."""

    def __init__(self, other):
        super().__init__(None)
        self.other = other

    def step(self):
        """A thousandth of a second, part of it busy."""
        until = time.thread_time() + self.other.share / 1000
        while time.thread_time() < until:
            pass
        time.sleep((1 - self.other.share) / 1000)


class Batches(Flood):
    """Publishes one batch after another on all pages."""

    def prepare(self):
        self.batches = [[self.compose(one) for _ in range(BATCHES)] for one in self.hostile.drivers]

    def compose(self, one):
        """Return (token, header, entries)."""
        token = one.token()
        return (token, *one.compose(self.entries(one), token, **self.wrong()))

    def wrong(self):
        """Return what is wrong with the header."""
        return {}

    def step(self):
        for one, batches in zip(self.hostile.drivers, self.batches, strict=True):
            token, header, body = batches[self.steps % BATCHES]
            one.store(layout.DRV_TOKEN, 0)
            one.put(layout.DRV_ENTRIES, body)
            one.put(layout.DRV_TOKEN + 4, header[4:])
            one.store(layout.DRV_TOKEN, token)
            one.store(layout.DRV_REQ, token)
        self.hostile.ring()
        time.sleep(WAIT)


class WrongBatches(Batches):
    """Headers that nobody believes, and entries that are refused."""

    def wrong(self):
        return self.hostile.random.choice(WRONG)

    def entries(self, one):
        """Return the same wrong register write again and again."""
        random = self.hostile.random
        return [driver.entry(random.choice(REGISTERS), random.getrandbits(32))] * LONG


class LongBatches(Batches):
    """A reset, and then nothing that is refused."""

    def entries(self, one):
        """Return as many register writes as there may be."""
        return [driver.status(0)] + [driver.status(3)] * (LONG - 1)


class Lives(Batches):
    """Each batch begins a new life of the frontend, and all devices of the link are reset."""

    def wrong(self):
        return {"fe_epoch": self.hostile.random.getrandbits(32) or 1}

    def entries(self, one):
        """Return what a life begins with."""
        return [driver.status(0)]


class Attachments(Batches):
    """Every device is reset and brought to DRIVER_OK in one batch, again and again."""

    def prepare(self):
        self.hostile.frontend.start()
        for one in self.hostile.drivers:
            one.begin()
        super().prepare()

    def entries(self, one):
        """Return all that a driver writes."""
        queues = [written for queue in one.queues for written in queue.entries()]
        return [driver.status(0), driver.status(3), *driver.features(one.negotiated), driver.status(11), *queues, OK]


class BrokenRings(Flood):
    """A ring is violated, which only a reset helps; then it is violated again."""

    def prepare(self):
        self.hostile.frontend.start()
        self.hostile.drivers[RNG].begin()

    def step(self):
        rng = self.hostile.drivers[RNG]
        self.hostile.violate(rng)
        for _ in range(5000):
            if rng.status & NEEDS_RESET:
                break
            time.sleep(WAIT)
        rng.begin()


class MalformedChains(Flood):
    """The ring is full of chains that loop, are too long or leave the pool."""

    def prepare(self):
        self.hostile.frontend.start()
        rng = self.hostile.drivers[RNG].begin()
        self.ring = rng.queues[0]
        size = self.ring.size
        for index in range(size):
            self.ring.describe(index, self.hostile.frontend.pool.base, 16, driver.NEXT, (index + 1) % size)
        self.ring.describe(size - 1, 0, 0xFFFFFFFF, driver.WRITE)

    def step(self):
        ring = self.ring
        free = ring.size - (ring.next_avail - ring.used_index() & 0xFFFF)
        for _ in range(free):
            ring.offer(ring.next_avail % ring.size)
        ring.driver.store(layout.DRV_KICK_SEQ, self.steps + 1)
        self.hostile.ring()
        time.sleep(WAIT)


class Doorbells(Flood):
    """Rings, and has nothing to say."""

    def step(self):
        self.hostile.ring()


KINDS = (WrongBatches, LongBatches, Lives, Attachments, BrokenRings, MalformedChains, Doorbells)
