# SPDX-License-Identifier: MIT
"""What the two layouts of a virtqueue share. Source: virtio 1.3, 2.7 and 2.8; clauses stand where they are checked."""

from struct import pack_into, unpack_from

from hal.compat import byteview, const
from hal.pure.arguments import count, integer, writable
from hal.pure.chain import Chain
from hal.pure.codes import (
    BROKEN,
    MALFORMED,
    QUEUE_SIZE_MAX,
    REASON_ADDRESS,
    REASON_NONE,
    REASON_ORDER,
    REASON_TABLE,
    REASON_TOO_LONG,
    REASON_UNNEGOTIATED,
    TAKEN,
)
from hal.pure.window import Window

# Flags of descriptors: VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE, VIRTQ_DESC_F_INDIRECT.
NEXT = const(1)
WRITE = const(2)
INDIRECT = const(4)
DESCRIPTOR_SIZE = const(16)


class Queue:
    """The device side of a virtqueue whose areas and buffers lie in `pool`: a `SplitQueue` or a `PackedQueue`.

    `base` is the driver's address of the pool's first byte; `desc`, `driver`, `device` are its addresses of the three
    areas; `size` is at most QUEUE_SIZE_MAX. ValueError if an area is misaligned or not inside the pool.
    `event_idx` and `indirect` say whether VIRTIO_F_EVENT_IDX and VIRTIO_F_INDIRECT_DESC were negotiated.

    A layout has `_AREAS`, (bytes for each entry, other bytes, alignment) of each area, and `_START`, the first
    `last_avail`; `_has_next()`, `_take(chain)`, as `pop`, `_return(chain, n)`, `_wanted(pushed)`, `arm()`, `disarm()`.
    """

    _AREAS = ()
    _START = 0

    def __init__(self, pool, base, size, desc, driver, device, event_idx, indirect):
        if not isinstance(pool, Window):
            raise TypeError("pool is not a Window")
        if not 0 < integer(size) <= QUEUE_SIZE_MAX or not self._may_have(size):
            raise ValueError("a queue has 1 to 256 entries; a split one a power of two")
        self._pool = pool
        self._bytes = pool._view
        self._base = integer(base)
        if not 0 <= base <= (1 << 64) - pool.size:
            raise ValueError("the pool does not fit a 64-bit address space")
        self.size = size
        self._desc = self._area(desc, 0)
        self._driver = self._area(driver, 1)
        self._device = self._area(device, 2)
        self._event_idx = bool(event_idx)
        self._indirect = bool(indirect)
        self._used_index = self._START
        self._pushed = 0
        self._broken = False
        self.last_avail = self._START
        self.in_flight = 0
        self.reason = REASON_NONE

    def _may_have(self, size):
        return True

    def _area(self, address, which):
        entry, fixed, alignment = self._AREAS[which]
        off = integer(address) - self._base
        if address & (alignment - 1) or off & (alignment - 1):
            raise ValueError("ring area is misaligned")
        if not self._inside(address, entry * self.size + fixed):
            raise ValueError("ring area is not inside the pool")
        return off

    def _inside(self, address, length):
        return self._base <= address and self._pool._has(address - self._base, length)

    def _load(self, code, off):
        return unpack_from(code, self._bytes, off)

    def _u16(self, off):
        return self._load("<H", off)[0]

    def _store(self, code, off, *values):
        pack_into(code, self._bytes, off, *values)

    def pending(self):
        """Is a chain waiting? A broken ring has none."""
        return not self._broken and self._has_next()

    def pop(self, chain, buf=None):
        """Take the next chain into `chain`; gather its readable bytes into `buf`, up to its size.

        EMPTY; TAKEN; MALFORMED: `chain` has its head and no segment, push it with 0; BROKEN: the ring is violated, and
        stays so. ValueError if `chain` is one of this queue's that was not pushed yet.
        """
        view = None if buf is None else writable(buf)
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        if chain._queue is self:
            raise ValueError("chain is still out")
        found = BROKEN if self._broken else self._take(chain)
        if found == TAKEN and view is not None:
            chain._read(0, view, len(view))
        return found

    def _break(self, reason):
        self._broken = True
        self.reason = reason
        return BROKEN

    def _taken(self, chain, head, reason):
        self.in_flight += 1
        chain._queue = self
        chain.head = head
        if not reason:
            return TAKEN
        self.reason = reason
        chain._clear()
        return MALFORMED

    def _check_table(self, address, length):
        if not self._indirect:
            return REASON_UNNEGOTIATED
        if not length or length % DESCRIPTOR_SIZE or not self._inside(address, length):
            return REASON_TABLE
        return REASON_NONE

    def _add(self, chain, address, length, flags):
        """Add a segment if it is right; return the reason why the chain is malformed, or 0.

        A chain has at most as many segments as the queue descriptors, and as `chain` has room for. An empty segment may
        have any address.
        """
        if chain.segments == min(self.size, chain._max):
            return REASON_TOO_LONG
        if chain._writable and not flags & WRITE:
            return REASON_ORDER
        if length and not self._inside(address, length):
            return REASON_ADDRESS
        chain._add(flags & WRITE, address - self._base, length)
        return REASON_NONE

    def push(self, chain, n, buf=None):
        """Return `chain` to the driver with `n` bytes written, after scattering the first `n` bytes of `buf`, if given.

        ValueError if `chain` is not out of this queue, or `n` is more than it has room for, or than `buf` has.
        """
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        if chain._queue is not self:
            raise ValueError("chain is not out of this queue")
        if not 0 <= integer(n) <= chain.writable:
            raise ValueError("more bytes than the chain has room for")
        if buf is not None:
            view = byteview(buf)
            chain._write(0, view, count(n, view))
        self._return(chain, n)
        self.in_flight -= 1
        chain._queue = None
        chain._clear()

    def signal(self):
        """Does the driver want an interrupt for what was pushed since the last `signal()`?"""
        pushed, self._pushed = self._pushed, 0
        return self._wanted(pushed)

    def arm(self):
        """Ask the driver to kick for its next chain. Follow it with mb() and pending()."""
        raise NotImplementedError

    def disarm(self):
        """Tell the driver that kicks are not needed."""
        raise NotImplementedError
