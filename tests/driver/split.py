# SPDX-License-Identifier: MIT
"""The driver's side of a split queue. Virtio 1.3, 2.7."""

from driver.entries import INDIRECT
from driver.ring import Ring, linked


class SplitRing(Ring):
    """A descriptor table, an available ring and a used ring."""

    def __init__(self, driver, index, size):
        super().__init__(driver, index, size, (16 * size, 6 + 2 * size, 6 + 8 * size), 0)
        self.avail, self.used = self.driver_area, self.device_area
        self._free = list(range(size - 1, -1, -1))

    def describe(self, index, address, length, flags=0, follower=0, table=None):
        """Write descriptor `index` of the ring's table, or of the one at address `table`."""
        self.pool.store((self.desc if table is None else table) + 16 * index, "<QIHH", address, length, flags, follower)

    def offer(self, head):
        """Make `head` available, whatever it is."""
        self.pool.store(self.avail + 4 + 2 * (self.next_avail % self.size), "<H", head)
        self.next_avail = self.next_avail + 1 & 0xFFFF
        self.pool.store(self.avail + 2, "<H", self.next_avail)

    def place(self, address, length, flags=0):
        """Make a chain of one descriptor available, in the place that comes next; buffers return in their order."""
        head = self.next_avail % self.size
        self.describe(head, address, length, flags)
        self.offer(head)

    def violate(self):
        """Have the available index jump, which only a reset helps."""
        self.pool.store(self.avail + 2, "<H", self.next_avail + self.size + 1 & 0xFFFF)

    def _offer(self, pieces, indirect):
        table = self.pool.take(16 * len(pieces)) if indirect else None
        heads = [self._free.pop() for _ in (pieces[:1] if indirect else pieces)]
        places = list(range(len(pieces))) if indirect else heads
        for i, (address, length, flags) in enumerate(linked(pieces)):
            self.describe(places[i], address, length, flags, places[i + 1] if i + 1 < len(pieces) else 0, table)
        if indirect:
            self.describe(heads[0], table, 16 * len(pieces), INDIRECT)
        self._chains[heads[0]] = (pieces, table, heads)
        self.offer(heads[0])
        return heads[0]

    def _retire(self, head):
        self._free += self._chains[head][2]
        super()._retire(head)

    def wants_kick(self):
        """Does the device want a notification for what was made available since the last kick? Virtio 1.3, 2.7.10."""
        new, old = self.next_avail, self._kicked
        if not self.event_idx:
            return new != old and not self.pool.load(self.used, "<H")[0] & 1
        event = self.pool.load(self.used + 4 + 8 * self.size, "<H")[0]
        return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF

    def used_index(self):
        """Return the index of the used ring."""
        return self.pool.load(self.used + 2, "<H")[0]

    def poll_raw(self):
        """Return the new used elements, (head, length) each."""
        found = []
        while self.next_used != self.used_index():
            found.append(self.pool.load(self.used + 4 + 8 * (self.next_used % self.size), "<II"))
            self.next_used = self.next_used + 1 & 0xFFFF
        if self.event_idx:
            self.want_interrupt_after(self.next_used)
        return found

    def want_interrupt_after(self, index):
        """Ask for an interrupt when the used index passes `index` (event index only). Virtio 1.3, 2.7.7.2."""
        self.pool.store(self.avail + 4 + 2 * self.size, "<H", index)

    def set_flags(self, value):
        """Write the flags of the available ring (1: no interrupt)."""
        self.pool.store(self.avail, "<H", value)
