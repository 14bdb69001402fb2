# SPDX-License-Identifier: MIT
"""Starts on memory that holds anything: random bytes, what was there before, zeros, ones. docs/transport.md, 4.1, 4.2.

Whatever lies in pages and pool, nothing of it may be taken for a batch, an answer or a ring: the device is reset until
the frontend of this life has spoken, and then works.
"""

from driver import NEXT, Mirror, Rig
from fuzz._cases import Source, repeat
from virtio.layout import DEV_ACK

POOL_SIZE = 0x4000
CHUNK = 1024


class Bench:
    """One region over many lives of both sides."""

    def __init__(self, source):
        self.source = source
        self.noise = source.bytes(CHUNK)
        self.rig = Rig(Mirror(), Mirror(), pool_size=POOL_SIZE)

    def soil(self):
        """Fill the region with one kind of content; return its name."""
        source, memory = self.source, self.rig.memory
        kind = source.one_of(("random", "previous", "zeros", "ones", "patched"))
        if kind == "patched":  # a few wrong bytes in what was a working link
            for _ in range(1 + source.below(32)):
                memory[source.below(len(memory))] = source.below(256)
        elif kind != "previous":
            for at in range(0, len(memory), CHUNK):
                start = source.below(CHUNK)
                random = self.noise[start:] + self.noise[:start]
                data = {"random": random, "zeros": bytes(CHUNK), "ones": b"\xff" * CHUNK}[kind]
                memory[at : at + CHUNK] = data
        return kind

    def case(self):
        """Start both sides in either order on such memory; both devices must work then."""
        source, rig = self.source, self.rig
        kind = self.soil()
        waiting = None
        if source.below(2):
            waiting = rig.start_frontend()[0]
            waiting.publish([])
        rig.start_backend(Mirror(), Mirror())
        for port in rig.link.ports:
            assert port.registers.state.status == 0 and port.sync.batches == 0, kind
        if waiting is None or source.below(2):
            rig.start_frontend()
        for driver in rig.drivers:
            assert driver.is_present() and driver.status == 0 and driver.load(DEV_ACK) == 0, kind
        for driver in rig.drivers:
            driver.begin()
            self.use(driver)
        assert not rig.loop.faults and not any(port.device.failed + port.device.broken for port in rig.link.ports)
        self.leave()
        return {kind: 1, "frontend first": int(waiting is not None)}

    def use(self, driver):
        """Send some requests; each must be answered rightly."""
        for _ in range(1 + self.source.below(3)):
            data = self.source.bytes(1 + self.source.below(40))
            assert driver.request(data, 64) == data

    def leave(self):
        """End this life in the middle of something, often."""
        driver = self.source.one_of(self.rig.drivers)
        way = self.source.below(4)
        if way == 0:
            driver.queues[0].add([b"left behind"], [32])
        elif way == 1:
            driver.publish([(0x70, 4, 0, 0, 0)])
        elif way == 2:
            driver.queues[0].describe(0, driver.queues[0].pool.base, 16, NEXT, 0)
            driver.queues[0].offer(0)
            self.rig.run()


def fuzz(seed, count):
    """Run `count` starts; return what they found. AssertionError: a side took old content for something."""
    return repeat("starts", Bench(Source(seed)), seed, count)
