# SPDX-License-Identifier: MIT
"""Random split rings and chains against the oracle: every byte of the pool, every counter and interrupt must agree."""

from driver import INDIRECT, NEXT, WRITE
from fuzz import _bench, _rings
from fuzz._cases import Source, repeat


class Bench(_bench.Bench):
    """Chains of a split ring, as a driver would write them, and otherwise."""

    ORACLE = _rings.Split
    SIZES = (1, 2, 4, 8, 16)

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
            if not source.below(60):
                flags, follower = flags | NEXT, source.one_of((index, first))
            address, length = self.place()
            if n == count - 1 and source.below(4 if depth == 0 else 30) == 0 and depth < 3:
                address, length, flags = self.write_table(depth)
            self.ring.describe(index, address, length, flags, follower, table)
            index = follower
            if index >= entries:
                return

    def write_table(self, depth):
        """Write an indirect table; return the address, length and flags of the descriptor that points to it."""
        source = self.source
        entries = 1 + source.below(20)
        address = self.free + source.below(0x200)
        self.write_chain(address, entries, 0, depth + 1)
        length = 16 * entries if source.below(20) else source.below(16 * entries + 1)
        extra = 0 if source.below(20) else source.one_of((NEXT, WRITE))
        if not source.below(12):
            address, length = self.edge_table(address, entries)
        return address, length, INDIRECT | extra

    def offer(self):
        """Make some chains available, and rarely violate the ring."""
        source, ring = self.source, self.ring
        for _ in range(1 + source.below(ring.size)):
            head = source.below(ring.size)
            if source.below(3):
                self.write_chain(None, ring.size, head, 0)
            else:
                address, length = self.place()
                ring.describe(head, address, length, source.below(8), source.below(ring.size + 1))
            ring.offer(head if source.below(400) else source.one_of((ring.size, 0xFFFF)))
        if not source.below(150):
            jump = source.one_of((ring.size - 1, ring.size, ring.size + 1, 0x8000, 0xFFFF, source.below(65536)))
            ring.pool.store(ring.avail + 2, "<H", self.oracle.taken + jump & 0xFFFF)
        ring.set_flags(source.below(2))
        ring.want_interrupt_after(ring.next_used + source.below(4) & 0xFFFF)
        ring.pool.write(self.free + source.below(0x400), source.bytes(8))

    def go_on(self):
        """The driver goes on where the device is."""
        self.ring.next_used = self.oracle.given
        self.ring.next_avail = self.ring.pool.load(self.ring.avail + 2, "<H")[0]


def fuzz(seed, count):
    """Run `count` cases; return what kinds of chains there were. AssertionError: a case disagrees, named on the
    output.
    """
    return repeat("rings", Bench(Source(seed)), seed, count)
