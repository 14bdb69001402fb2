# SPDX-License-Identifier: MIT
"""What the driver's sides of a split and of a packed queue share."""

from driver.entries import F_EVENT_IDX, NEXT, WRITE, entry
from virtio.layout import (
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DEVICE_LOW,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_READY,
    REG_QUEUE_SIZE,
)


class Ring:
    """The driver's side of queue `index` of `driver`, with `size` entries, in the pool. Addresses are the frontend's.

    A layout gives the sizes in bytes of its `areas` (descriptors, driver, device), and `_offer(pieces, indirect)`,
    `wants_kick()`, `poll_raw()`. `next_avail`: what is made available next; `next_used`: what is looked at next.
    """

    def __init__(self, driver, index, size, areas, start):
        self.driver = driver
        self.index = index
        self.size = size
        self.pool = driver.frontend.pool
        self.event_idx = driver.negotiated & F_EVENT_IDX != 0
        self._sizes = areas
        self.desc, self.driver_area, self.device_area = self.areas = [self.pool.take(n) for n in areas]
        self.next_avail = start
        self.next_used = start
        self.kicks = 0
        self._chains = {}
        self._kicked = start

    def release(self):
        """Give the memory back to the pool. Only after the device, or the queue, was reset."""
        for head in list(self._chains):
            self._retire(head)
        for address, size in zip(self.areas, self._sizes):
            self.pool.give(address, size)

    def entries(self):
        """Return the batch entries that set the queue up."""
        return [
            entry(REG_QUEUE_SIZE, self.size, self.index),
            entry(REG_QUEUE_DESC_LOW, self.desc, self.index, 8),
            entry(REG_QUEUE_DRIVER_LOW, self.driver_area, self.index, 8),
            entry(REG_QUEUE_DEVICE_LOW, self.device_area, self.index, 8),
            entry(REG_QUEUE_READY, 1, self.index),
        ]

    def add(self, readable, writable, indirect=False):
        """Make a chain available: `readable` is a list of bytes, `writable` a list of lengths; return its head or id.

        IndexError if no descriptor is free.
        """
        pieces = [(self._place(data), len(data), 0) for data in readable]
        pieces += [(self.pool.take(length), length, WRITE) for length in writable]
        return self._offer(pieces, indirect)

    def _place(self, data):
        address = self.pool.take(len(data))
        self.pool.write(address, data)
        return address

    def kick(self):
        """Notify the device if it wants that; return whether it did. docs/transport.md, 6.1 and 6.4."""
        wanted = self.wants_kick()
        self._kicked = self.next_avail
        if wanted:
            self.kicks += 1
            self.driver.kick()
        return wanted

    def poll(self):
        """Return what the device has returned of the chains of `add`: (head, bytes written by the device) each."""
        return [(head, self._collect(head, length)) for head, length in self.poll_raw()]

    def _collect(self, head, length):
        pieces = self._chains[head][0]
        data = b"".join([self.pool.read(address, size) for address, size, flags in pieces if flags & WRITE])
        self._retire(head)
        return data[:length]

    def _retire(self, head):
        """Give back what a chain took: self._chains[head] is (pieces, address of its table or None, ...)."""
        pieces, table = self._chains.pop(head)[:2]
        for address, size, _ in pieces:
            self.pool.give(address, size)
        if table is not None:
            self.pool.give(table, 16 * len(pieces))


def linked(pieces):
    """Return the pieces with NEXT in the flags of all but the last one."""
    return [(at, n, flags | (NEXT if i < len(pieces) - 1 else 0)) for i, (at, n, flags) in enumerate(pieces)]
