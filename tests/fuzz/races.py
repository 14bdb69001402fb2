# SPDX-License-Identifier: MIT
"""A driver that changes descriptors, tables and indices between any two reads of the backend (CPython only).

No oracle can say what the backend must see then; but what it has checked must be what it uses. So nothing outside the
pool may change, no exception may leave the device, every chain is given back once, and a run ends.
"""

from fuzz import _bench, packed, rings
from fuzz._cases import Source, repeat
from hal.pure import queue
from virtio.layout import (
    DEV_BE_SLEEP,
    DEV_CONFIG_COUNT,
    DEV_FAILURES,
    DEV_HEARTBEAT,
    DEV_USED_COUNT,
    REG_STATUS,
)

MOST_READS = 100_000
# What the backend stores to its page while it serves rings, and gives a ring up.
STORED = REG_STATUS, DEV_HEARTBEAT, DEV_FAILURES, DEV_USED_COUNT, DEV_CONFIG_COUNT, DEV_BE_SLEEP


class Raced:
    """A ring fuzzer's driver, with changes wherever the backend reads, and invariants for an oracle."""

    def changed(self, at):
        """Change some bytes near what is read at `at`, or in the descriptors, sometimes."""
        source, ring = self.source, self.ring
        if source.below(8):
            return 0
        base = source.one_of((at, at, ring.desc - ring.pool.base, self.free - ring.pool.base))
        first = self.pool_at + min(base + source.below(16), _bench.POOL_SIZE - 8)
        data = source.bytes(1 + source.below(8))
        self.rig.memory[first : first + len(data)] = data
        return 1

    def case(self):
        """Let the backend serve while its every read is raced; return what it met."""
        self.offer()
        pages = bytes(self.rig.memory[: self.pool_at])
        before = [getattr(self.device, name) for name in _bench.COUNTERS]
        reads = changes = 0
        read = queue.unpack_from

        def raced(code, view, at):
            nonlocal reads, changes
            reads += 1
            assert reads < MOST_READS, "the backend does not come to an end"
            changes += self.changed(at)
            return read(code, view, at)

        queue.unpack_from = raced
        try:
            self.rig.doorbell.kick()
            self.rig.run()
        finally:
            queue.unpack_from = read
        met = {name: getattr(self.device, name) - old for name, old in zip(_bench.COUNTERS, before, strict=True)}
        assert not self.rig.loop.faults and not self.device.failed, (self.rig.loop.fault, self.device.error)
        assert self.driver.status == (15 | 64 if met["broken"] else 15)
        assert self.unchanged(pages), "something outside the pool was written"
        self.begin()
        return {**met, "changed": changes}

    def unchanged(self, pages):
        """Are the words that the backend does not count in, of both pages, as they were?"""
        now = self.rig.memory[: self.pool_at]
        device_page = [range(word, word + 4) for word in STORED]
        return all(now[i] == old or any(i in words for words in device_page) for i, old in enumerate(pages))


class SplitBench(Raced, rings.Bench):
    """Split rings."""


class PackedBench(Raced, packed.Bench):
    """Packed rings."""


def fuzz(bench, seed, count):
    """Run `count` cases of a bench; return what they met. AssertionError: an invariant does not hold."""
    return repeat("races", bench(Source(seed)), seed, count)
