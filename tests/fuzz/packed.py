# SPDX-License-Identifier: MIT
"""Random packed rings and lists against the oracle: every byte of the pool, every counter and interrupt must agree."""

from driver import F_RING_PACKED, INDIRECT, NEXT, WRITE
from driver.packed import AVAIL, USED
from fuzz import _bench, _rings
from fuzz._cases import Source, repeat


class Bench(_bench.Bench):
    """Lists of a packed ring, as a driver would write them, and otherwise."""

    LAYOUT = F_RING_PACKED
    ORACLE = _rings.Packed
    SIZES = (1, 2, 3, 5, 8, 16)

    def list(self, most):
        """Return a list of pieces (address, length, flags), mostly as a driver would make it."""
        source = self.source
        count = max(1, min(most, 1 + source.below(4)))
        writers = min(count - 1, 1 + source.below(2)) if source.below(10) else source.below(count + 1)
        pieces = [self.place() + (WRITE if n >= count - writers else 0,) for n in range(count)]
        if not source.below(30):
            at, length, flags = pieces.pop()
            pieces.append((at, length, flags ^ source.one_of((WRITE, INDIRECT, INDIRECT | WRITE, 0x78))))
        if not source.below(3):
            pieces[: len(pieces) if source.below(8) else 1] = [self.table()]
        return pieces

    def table(self):
        """Write an indirect table; return the piece that refers to it."""
        source = self.source
        entries = 1 + source.below(20) if not source.below(4) else 1 + source.below(4)
        address = self.free + source.below(0x200)
        for i in range(entries):
            at, length = self.place()
            flags = (WRITE if i else 0) if source.below(20) else source.below(65536)
            self.ring.describe(i, at, length, flags, source.below(65536), address)
        length = 16 * entries if source.below(20) else source.below(16 * entries + 1)
        if not source.below(12):
            address, length = self.edge_table(address, entries)
        return address, length, INDIRECT | (0 if source.below(20) else WRITE)

    def offer(self):
        """Make some lists available, and rarely violate the ring."""
        source, ring = self.source, self.ring
        room = ring.size
        for _ in range(1 + source.below(ring.size)):
            pieces = self.list(room)
            pieces = [(at, n, flags | (NEXT if i < len(pieces) - 1 else 0)) for i, (at, n, flags) in enumerate(pieces)]
            if not source.below(200):
                at, n, flags = pieces.pop()
                pieces.append((at, n, flags | NEXT))
            ring.offer(*pieces, buffer_id=source.below(65536))
            room -= len(pieces)
            if room <= 0 and source.below(100):
                break
        if not source.below(100):
            at = ring.desc + 16 * source.below(ring.size) + 14
            ring.pool.store(at, "<H", ring.pool.load(at, "<H")[0] ^ source.one_of((NEXT, AVAIL, USED, AVAIL | USED)))
        event = self.oracle.place(self.oracle.taken + source.below(2 * ring.size))
        ring.pool.store(ring.driver_area, "<HH", event, source.one_of((0, 1, 2, 2, 2, 3, source.below(65536))))
        ring.pool.write(self.free + source.below(0x400), source.bytes(8))

    def go_on(self):
        """The driver goes on where the device is."""
        self.ring.next_used = self.oracle.place(self.oracle.given)
        self.ring.next_avail = self.oracle.place(self.oracle.taken)


def fuzz(seed, count):
    """Run `count` cases; return what there was. AssertionError: a case disagrees, named on the output."""
    return repeat("packed", Bench(Source(seed)), seed, count)
