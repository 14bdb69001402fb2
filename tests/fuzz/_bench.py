# SPDX-License-Identifier: MIT
"""What the fuzzers of both layouts share: a Mirror with one ring under test, an oracle beside it, wrong places."""

from driver import F_ACCESS_PLATFORM, F_EVENT_IDX, F_INDIRECT_DESC, F_VERSION_1, Mirror, Rig
from fuzz import _rings
from fuzz._cases import memory
from virtio.layout import PAGE_SIZE

POOL_SIZE = 0x1000
COUNTERS = ("returned", "malformed", "unanswerable", "broken")


class Meddler:
    """Overwrites descriptors, ring and tables in `pool` while a request is handled: the same in both copies."""

    def __init__(self, pool, at, changes):
        self.pool = pool
        self.at = at
        self.changes = list(changes)

    def __call__(self):
        """One more request is being handled."""
        if self.changes:
            offset, data = self.changes.pop(0)
            self.pool[self.at + offset : self.at + offset + len(data)] = data


class Bench:
    """A running Mirror with one ring under test, and the oracle beside it.

    A layout has LAYOUT (its feature bit, or 0), ORACLE (a class of `_rings`), SIZES, `offer()`, which makes some chains
    available, and `go_on()`, after which the driver goes on where the device is.
    """

    LAYOUT = 0
    ORACLE = None
    SIZES = ()

    def __init__(self, source):
        self.source = source
        self.device = Mirror()
        self.rig = Rig(self.device, memory=memory(2 * PAGE_SIZE + POOL_SIZE))
        self.driver = self.rig.drivers[0]
        self.pool_at = len(self.rig.memory) - POOL_SIZE
        self.meddle = Meddler(self.rig.memory, self.pool_at, ())
        self.device.answer_with(self.handle)
        self.begin()

    def handle(self, request, length, reply, room):
        """Answer as the Mirror does, while the driver goes on."""
        size = self.device.backend.handle(request, length, reply, room)
        self.meddle()
        return size

    def begin(self):
        """Reset the device, set it up with other features and another size."""
        optional = self.source.one_of((0, F_EVENT_IDX, F_INDIRECT_DESC, F_EVENT_IDX | F_INDIRECT_DESC))
        size = self.source.one_of(self.SIZES)
        self.driver.begin(F_VERSION_1 | F_ACCESS_PLATFORM | optional | self.LAYOUT, size)
        self.ring = ring = self.driver.queues[0]
        event_idx, indirect = optional & F_EVENT_IDX != 0, optional & F_INDIRECT_DESC != 0
        self.oracle = self.ORACLE(None, ring.pool.base, ring.size, ring.areas, event_idx, indirect)
        self.free = ring.pool.take(16)  # everything from here to the end of the pool is for buffers
        ring.pool.give(self.free, 16)

    def pool(self):
        """Return a copy of the pool's bytes."""
        return bytearray(self.rig.memory[self.pool_at :])

    def changes(self):
        """Return the (offset in the pool, bytes) that the driver writes while the next requests are handled."""
        source, ring = self.source, self.ring
        if source.below(6):
            return ()
        found = []
        for _ in range(1 + source.below(ring.size)):
            base = source.one_of((ring.desc, ring.desc, ring.driver_area, self.free)) - ring.pool.base
            data = source.bytes(1 + source.below(16))
            found.append((base + source.below(16 * ring.size if base == ring.desc - ring.pool.base else 64), data))
        return found

    def place(self):
        """Return the (address, length) of a buffer: mostly short and where buffers are."""
        source, base = self.source, self.ring.pool.base
        address = self.free + source.below(base + POOL_SIZE - self.free - 600)
        length = source.below(600) if source.below(40) < 4 else 1 + source.below(24)
        return (address, length) if source.below(20) else self.wrong_place(address, length)

    def wrong_place(self, address, length):
        """Return an (address, length) at or beyond an edge of what the pool, 32 and 64 bits hold."""
        source, base = self.source, self.ring.pool.base
        choice = source.below(8)
        if choice == 0:
            return source.one_of((0, base - 1, base + POOL_SIZE, (1 << 64) - 1)), source.one_of((0, 1, length))
        if choice == 1:
            return base + source.below(POOL_SIZE), length
        if choice == 2:
            return address, source.one_of((0xFFFFFFFF, 0x80000000, POOL_SIZE, POOL_SIZE + 1))
        if choice == 3:  # around the end of all addresses, into the pool
            return (1 << 64) - max(length, 1), base + length + source.below(POOL_SIZE)
        if choice == 4:  # a sum that is inside, modulo 2^32
            return address, (1 << 32) - 1 - source.below(address - base)
        if choice == 5:  # inside, modulo 2^32
            return address | source.one_of((1 << 32, 1 << 63, 0xFFFFFFFF << 32)), length
        if choice == 6:  # across the pool's beginning
            return base - source.one_of((1, 2, length)), length + source.below(3)
        return base + POOL_SIZE - length, length + source.one_of((0, 1, 1, source.below(64)))  # across its end

    def edge_table(self, address, entries):
        """Return the (address, length) of a table at or beyond an edge, of which the first entry makes a good one."""
        source, end = self.source, self.ring.pool.base + POOL_SIZE
        choice = source.below(3)
        if choice == 0:
            return address, source.one_of((0, end - address & ~15, (end - address & ~15) + 16, 0xFFFFFFF0))
        if choice == 1:
            return address | 1 << 32, 16 * entries
        self.ring.describe(0, self.free, 8, 0, 0, end - 16)
        return end - 16, source.one_of((16, 32, 24))

    def case(self):
        """Compare one case; return what it met, None if it was not worth running."""
        self.offer()
        self.oracle.pool = expected = self.pool()
        self.oracle.counts = dict.fromkeys(self.oracle.counts, 0)
        changes = self.changes()
        self.meddle = Meddler(self.rig.memory, self.pool_at, changes)
        self.oracle.meanwhile = Meddler(expected, 0, changes)
        before = [getattr(self.device, name) for name in COUNTERS]
        interrupts = self.driver.interrupts
        try:
            self.oracle.serve()
        except _rings.Endless:
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
        self.go_on()
        if self.oracle.broken or not self.source.below(50):
            self.begin()
        seen["meddled"] = len(changes) - len(self.meddle.changes)
        return seen
