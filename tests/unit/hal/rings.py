# SPDX-License-Identifier: MIT
"""The driver's side of one split virtqueue, word by word, so that a test can also do what no driver may."""

from hal.compat import const

NEXT = const(1)
WRITE = const(2)
INDIRECT = const(4)

BASE = 0x48200000
POOL = const(0x4000)


class Rings:
    """A pool with a queue of the twin's SplitQueue and what a driver needs to fill it. Buffers start at `self.data`."""

    def __init__(self, twin, size=8, event_idx=False, indirect=True, pool=POOL, base=BASE):
        self.memory = bytearray(pool)
        self.pool = twin.Window(self.memory, pool)
        self.base = base
        self.size = size
        self.avail = 16 * size
        self.used = (self.avail + 6 + 2 * size + 3) & ~3
        self.data = (self.used + 6 + 8 * size + 15) & ~15
        self.queue = twin.SplitQueue(
            self.pool, base, size, base, base + self.avail, base + self.used, event_idx, indirect
        )
        self.index = 0

    def describe(self, i, off, length, flags=0, follower=0, table=0):
        """Write descriptor `i` of the table at pool offset `table`; `off` is a pool offset, also one outside."""
        at = table + 16 * i
        self.pool.w64(at, self.base + off)
        self.pool.w32(at + 8, length)
        self.pool.w16(at + 12, flags)
        self.pool.w16(at + 14, follower)

    def offer(self, *heads):
        """Make heads available, in order."""
        for head in heads:
            self.pool.w16(self.avail + 4 + 2 * (self.index % self.size), head)
            self.index = (self.index + 1) & 0xFFFF
        self.pool.w16(self.avail + 2, self.index)

    def returned(self):
        """Return the used index."""
        return self.pool.r16(self.used + 2)

    def element(self, i):
        """Return (head, length) of used element number `i`."""
        at = self.used + 4 + 8 * (i % self.size)
        return self.pool.r32(at), self.pool.r32(at + 4)

    def set_flags(self, flags):
        """Set the flags of the available ring."""
        self.pool.w16(self.avail, flags)

    def set_used_event(self, index):
        """Set used_event, the last word of the available ring."""
        self.pool.w16(self.avail + 4 + 2 * self.size, index)

    def avail_event(self):
        """Return avail_event, the last word of the used ring."""
        return self.pool.r16(self.used + 4 + 8 * self.size)

    def used_flags(self):
        """Return the flags of the used ring."""
        return self.pool.r16(self.used)
