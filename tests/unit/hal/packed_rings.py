# SPDX-License-Identifier: MIT
"""The driver's side of one packed virtqueue, word by word, so that a test can also do what no driver may."""

from hal.compat import const
from unit.hal.rings import BASE, NEXT, POOL

AVAIL = const(1 << 7)
USED = const(1 << 15)
WRAP = const(1 << 15)
ENABLE, DISABLE, DESC = 0, 1, 2


class PackedRings:
    """A pool with a queue of the twin's PackedQueue and what a driver needs to fill it. Buffers start at `self.data`.

    A place is a descriptor's number with the wrap counter in bit 15. `next`: where the driver writes next.
    """

    def __init__(self, twin, size=8, event_idx=False, indirect=True, pool=POOL, base=BASE):
        self.memory = bytearray(pool)
        self.pool = twin.Window(self.memory, pool)
        self.base = base
        self.size = size
        self.driver = 16 * size
        self.device = self.driver + 4
        self.data = (self.device + 4 + 15) & ~15
        self.queue = twin.PackedQueue(
            self.pool, base, size, base, base + self.driver, base + self.device, event_idx, indirect
        )
        self.next = WRAP
        self.used = WRAP

    def advance(self, place, n=1):
        """Return the place `n` descriptors further."""
        number = (place & ~WRAP) + n
        return number | place & WRAP if number < self.size else number - self.size | ~place & WRAP

    def available(self, place=None):
        """Return the flags that make a descriptor available at a place, by default at `next`."""
        return AVAIL if (self.next if place is None else place) & WRAP else USED

    def describe(self, at, off, length, flags=0, buffer_id=0):
        """Write the descriptor at pool offset `at`; `off` is a pool offset, also one outside."""
        self.pool.w64(at, self.base + off)
        self.pool.w32(at + 8, length)
        self.pool.w16(at + 12, buffer_id)
        self.pool.w16(at + 14, flags)

    def put(self, off, length, flags=0, buffer_id=0, wrap=None):
        """Write the next descriptor of the ring, available if `wrap` (its AVAIL and USED flags) does not say else."""
        wrap = self.available() if wrap is None else wrap
        self.describe(16 * (self.next & ~WRAP), off, length, flags | wrap, buffer_id)
        self.next = self.advance(self.next)

    def offer(self, *pieces, buffer_id=0):
        """Make a list of (pool offset, length, flags without NEXT) available; only the last one has the id."""
        for i, (off, length, flags) in enumerate(pieces):
            last = i == len(pieces) - 1
            self.put(off, length, flags | (0 if last else NEXT), buffer_id if last else 0xEEEE)

    def table(self, at, *pieces):
        """Write an indirect table at pool offset `at`; return the piece that refers to it, without its flags."""
        for i, (off, length, flags) in enumerate(pieces):
            self.describe(at + 16 * i, off, length, flags, 0xDDDD)
        return at, 16 * len(pieces)

    def returned(self, slots=1):
        """Return (id, length, has WRITE) of the next used descriptor, of a list of `slots`; None without one."""
        at = 16 * (self.used & ~WRAP)
        flags = self.pool.r16(at + 14)
        if flags & (AVAIL | USED) != (AVAIL | USED if self.used & WRAP else 0):
            return None
        self.used = self.advance(self.used, slots)
        return self.pool.r16(at + 12), self.pool.r32(at + 8), bool(flags & 2)

    def set_driver_event(self, flags, place=0):
        """Write the driver's event suppression structure."""
        self.pool.w32(self.driver, flags << 16 | place)

    def device_event(self):
        """Return (flags, place) of the device's event suppression structure."""
        word = self.pool.r32(self.device)
        return word >> 16, word & 0xFFFF
