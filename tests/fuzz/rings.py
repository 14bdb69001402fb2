# SPDX-License-Identifier: MIT
"""Random rings and chains against the oracle: every byte of the pool, every counter and interrupt must agree."""

from driver import (
    F_ACCESS_PLATFORM,
    F_EVENT_IDX,
    F_INDIRECT_DESC,
    F_VERSION_1,
    INDIRECT,
    NEXT,
    WRITE,
    Mirror,
    Rig,
)
from fuzz import oracle
from fuzz._cases import Source, repeat

POOL_SIZE = 0x1000
SIZES = (1, 2, 4, 8, 16)
COUNTERS = ("returned", "malformed", "unanswerable", "broken")


class Bench:
    """A running Mirror with one ring under test, and the oracle beside it."""

    def __init__(self, source):
        self.source = source
        self.device = Mirror()
        self.rig = Rig(self.device, pool_size=POOL_SIZE)
        self.driver = self.rig.drivers[0]
        self.pool_at = len(self.rig.memory) - POOL_SIZE
        self.begin()

    def begin(self):
        """Reset the device, set it up with other features and another size."""
        optional = self.source.one_of((0, F_EVENT_IDX, F_INDIRECT_DESC, F_EVENT_IDX | F_INDIRECT_DESC))
        size = self.source.one_of(SIZES)
        self.driver.begin(F_VERSION_1 | F_ACCESS_PLATFORM | optional, size)
        self.ring = ring = self.driver.queues[0]
        event_idx, indirect = optional & F_EVENT_IDX != 0, optional & F_INDIRECT_DESC != 0
        self.oracle = oracle.Ring(
            None, ring.pool.base, ring.size, ring.desc, ring.avail, ring.used, event_idx, indirect
        )
        self.free = ring.pool.take(16)  # everything from here to the end of the pool is for buffers
        ring.pool.give(self.free, 16)

    def pool(self):
        """Return a copy of the pool's bytes."""
        return bytearray(self.rig.memory[self.pool_at :])

    def address(self):
        """Return an address: mostly where buffers are, sometimes anywhere."""
        base, choice = self.ring.pool.base, self.source.below(40)
        if choice == 0:
            return self.source.one_of(
                (0, base - 1, base + POOL_SIZE - 1, base + POOL_SIZE, (1 << 64) - 1, (1 << 64) - 16)
            )
        if choice == 1:
            return base + self.source.below(POOL_SIZE)
        return self.free + self.source.below(base + POOL_SIZE - self.free - 600)

    def length(self):
        """Return a length: mostly short, sometimes absurd."""
        choice = self.source.below(40)
        if choice == 0:
            return self.source.one_of((0xFFFFFFFF, 0x80000000, POOL_SIZE, POOL_SIZE + 1))
        return self.source.below(600) if choice < 4 else 1 + self.source.below(24)

    def write_chain(self, table, entries, first, depth):
        """Write a chain that starts at `first` of a table of `entries`, mostly as a driver would."""
        source = self.source
        count = min(entries, 1 + source.below(5))
        writers = min(count - 1, 1 + source.below(3)) if source.below(10) else source.below(count + 1)
        index = first
        for n in range(count):
            follower = (index + 1) % entries if source.below(40) else source.below(entries + 2)
            flags = (WRITE if n >= count - writers else 0) | (NEXT if n < count - 1 else 0)
            if not source.below(50):
                flags = source.below(8)
            address, length = self.address(), self.length()
            if n == count - 1 and depth == 0 and source.below(4) == 0:
                address, length, flags = self.write_table(depth)
            self.ring.describe(index, address, length, flags, follower, table)
            index = follower
            if index >= entries:
                return

    def write_table(self, depth):
        """Write an indirect table; return the address, length and flags of the descriptor that points to it."""
        entries = 1 + self.source.below(20)
        address = self.free + self.source.below(0x200)
        self.write_chain(address, entries, 0, depth + 1)
        length = 16 * entries if self.source.below(20) else self.source.below(16 * entries + 1)
        extra = 0 if self.source.below(20) else self.source.one_of((NEXT, WRITE))
        return address, length, INDIRECT | extra

    def offer(self):
        """Make some chains available, and rarely violate the ring."""
        source, ring = self.source, self.ring
        for _ in range(1 + source.below(ring.size)):
            head = source.below(ring.size)
            if source.below(3):
                self.write_chain(None, ring.size, head, 0)
            else:
                ring.describe(head, self.address(), self.length(), source.below(8), source.below(ring.size + 1))
            ring.offer(head if source.below(400) else source.one_of((ring.size, 0xFFFF)))
        if not source.below(200):
            ring.pool.store(ring.avail + 2, "<H", source.below(65536))
        ring.set_flags(source.below(2))
        ring.want_interrupt_after(ring.next_used + source.below(4) & 0xFFFF)
        ring.pool.write(self.free + source.below(0x400), source.bytes(8))

    def case(self):
        """Compare one case; return what it met, None if it was not worth running."""
        self.offer()
        self.oracle.pool = expected = self.pool()
        self.oracle.counts = dict.fromkeys(self.oracle.counts, 0)
        before = [getattr(self.device, name) for name in COUNTERS]
        interrupts = self.driver.interrupts
        try:
            self.oracle.serve()
        except oracle.Endless:
            self.begin()
            return None
        self.rig.doorbell.kick()
        self.rig.run()
        seen = dict(zip(COUNTERS, [getattr(self.device, name) - old for name, old in zip(COUNTERS, before)]))
        seen["interrupts"] = self.driver.interrupts - interrupts
        assert seen == self.oracle.counts, (seen, self.oracle.counts)
        pool = self.pool()
        assert pool == expected, "the pool differs at {}".format(
            [hex(i) for i in range(POOL_SIZE) if pool[i] != expected[i]]
        )
        assert self.driver.status == (15 | 64 if self.oracle.broken else 15)
        self.ring.next_used = self.oracle.given
        self.ring.next_avail = self.ring.pool.load(self.ring.avail + 2, "<H")[0]
        if self.oracle.broken or not self.source.below(50):
            self.begin()
        return seen


def fuzz(seed, count):
    """Run `count` cases; return what kinds of chains there were. AssertionError: a case disagrees, named on the
    output.
    """
    return repeat("rings", Bench(Source(seed)), seed, count)
