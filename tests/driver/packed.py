# SPDX-License-Identifier: MIT
"""The driver's side of a packed queue. Virtio 1.3, 2.8.

A place in the ring is the number of a descriptor with the wrap counter in bit 15, as in event suppression structures.
"""

from driver.entries import INDIRECT, NEXT
from driver.ring import Ring, linked

AVAIL, USED, WRAP = 1 << 7, 1 << 15, 1 << 15
ENABLE, DISABLE, DESC = 0, 1, 2


class PackedRing(Ring):
    """A descriptor ring and the two event suppression structures."""

    def __init__(self, driver, index, size):
        super().__init__(driver, index, size, (16 * size, 4, 4), WRAP)
        self._ids = list(range(size - 1, -1, -1))
        self._room = size

    def advance(self, place, n=1):
        """Return the place `n` descriptors further."""
        number = (place & ~WRAP) + n
        return number | place & WRAP if number < self.size else number - self.size | ~place & WRAP

    def available(self, place):
        """Return the flags that make a descriptor available at `place`."""
        return AVAIL if place & WRAP else USED

    def describe(self, index, address, length, flags=0, buffer_id=0, table=None):
        """Write descriptor `index` of the ring, or of the table at address `table`; `flags` are all of them."""
        at = (self.desc if table is None else table) + 16 * index
        self.pool.store(at, "<QIHH", address, length, buffer_id, flags)

    def offer(self, *pieces, buffer_id=0):
        """Make a list of (address, length, flags but AVAIL and USED) available, whatever it is."""
        places = [self.advance(self.next_avail, i) for i in range(len(pieces))]
        for place, (address, length, flags) in reversed(list(zip(places, pieces))):  # the first one last: 2.8.6
            self.describe(place & ~WRAP, address, length, flags | self.available(place), buffer_id)
        self.next_avail = self.advance(self.next_avail, len(pieces))

    def place(self, address, length, flags=0):
        """Make a list of one descriptor available, in the place that comes next; buffers return in their order."""
        self.offer((address, length, flags))

    def violate(self):
        """Have a list go on in a descriptor that is not available, which only a reset helps."""
        self.describe(self.next_avail & ~WRAP, self.pool.base, 16, NEXT | self.available(self.next_avail))

    def _offer(self, pieces, indirect):
        slots = 1 if indirect else len(pieces)
        if slots > self._room:
            raise IndexError("no descriptor is free")
        buffer_id = self._ids.pop()
        self._room -= slots
        table = self.pool.take(16 * len(pieces)) if indirect else None
        self._chains[buffer_id] = (pieces, table, slots)
        if indirect:
            for i, (address, length, flags) in enumerate(pieces):
                self.describe(i, address, length, flags, 0, table)
            self.offer((table, 16 * len(pieces), INDIRECT), buffer_id=buffer_id)
        else:
            self.offer(*linked(pieces), buffer_id=buffer_id)
        return buffer_id

    def _retire(self, buffer_id):
        self._ids.append(buffer_id)
        self._room += self._chains[buffer_id][2]
        super()._retire(buffer_id)

    def _distance(self, start, end):
        """Return how many descriptors `end` is ahead of `start`, at most one lap."""
        lap = self.size if (start ^ end) & WRAP else 0
        return (end & ~WRAP) - (start & ~WRAP) + lap

    def wants_kick(self):
        """Does the device want a notification for what was made available since the last kick? Virtio 1.3, 2.8.10."""
        place, flags = self.pool.load(self.device_area, "<HH")
        added = self._distance(self._kicked, self.next_avail)
        if flags != DESC:
            return added > 0 and flags != DISABLE
        return any(self.advance(self._kicked, i) == place for i in range(added))

    def device_event(self):
        """Return (flags, place) by which the device says when it wants a kick."""
        place, flags = self.pool.load(self.device_area, "<HH")
        return flags, place

    def poll_raw(self):
        """Return the (id, length) of each new used descriptor; with the event index, ask for the next interrupt."""
        found = []
        while True:
            _, length, buffer_id, flags = self.pool.load(self.desc + 16 * (self.next_used & ~WRAP), "<QIHH")
            if flags & (AVAIL | USED) != (AVAIL | USED if self.next_used & WRAP else 0):
                break
            found.append((buffer_id, length))
            slots = self._chains[buffer_id][2] if buffer_id in self._chains else 1
            self.next_used = self.advance(self.next_used, slots)
        if self.event_idx:
            self.want_interrupt_after(self.next_used)
        return found

    def want_interrupt_after(self, place):
        """Ask for an interrupt when the descriptor at `place` is used (event index only). Virtio 1.3, 2.8.10."""
        self.pool.store(self.driver_area, "<HH", place, DESC)

    def set_flags(self, value):
        """Write the flags of the driver's event suppression structure (1: no interrupt)."""
        self.pool.store(self.driver_area, "<HH", 0, value)
