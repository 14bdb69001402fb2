# SPDX-License-Identifier: MIT
"""Split virtqueues. Source: virtio 1.3, 2.7; clauses are named where they are checked."""

from struct import pack_into, unpack_from

from hal.compat import byteview, const
from hal.pure.arguments import count, integer, writable
from hal.pure.codes import (
    BROKEN,
    EMPTY,
    MALFORMED,
    QUEUE_SIZE_MAX,
    REASON_ADDRESS,
    REASON_HEAD,
    REASON_INDEX,
    REASON_INDIRECT_NEXT,
    REASON_NESTED,
    REASON_NEXT,
    REASON_NONE,
    REASON_ORDER,
    REASON_TABLE,
    REASON_TOO_LONG,
    REASON_TWICE,
    REASON_UNNEGOTIATED,
    TAKEN,
)
from hal.pure.window import Window

_NEXT = const(1)  # VIRTQ_DESC_F_NEXT
_WRITE = const(2)  # VIRTQ_DESC_F_WRITE
_INDIRECT = const(4)  # VIRTQ_DESC_F_INDIRECT
_NO_INTERRUPT = const(1)  # VIRTQ_AVAIL_F_NO_INTERRUPT
_NO_NOTIFY = const(1)  # VIRTQ_USED_F_NO_NOTIFY
_DESC_SIZE = const(16)


class Chain:
    """One descriptor chain: room for `max_segments` segments (1 to QUEUE_SIZE_MAX), used again for every `pop`.

    `head`: descriptor index; `readable`, `writable`: bytes of the two parts; `segments`: how many descriptors carry
    them.
    """

    def __init__(self, max_segments):
        if not 0 < integer(max_segments) <= QUEUE_SIZE_MAX:
            raise ValueError("a chain has 1 to 256 segments")
        self._max = max_segments
        self._queue = None
        self.head = 0
        self._clear()

    def _clear(self):
        self._readable = []
        self._writable = []
        self.readable = 0
        self.writable = 0
        self.segments = 0

    def _add(self, writable, start, length):
        if writable:
            self._writable.append((start, length))
            self.writable += length
        else:
            self._readable.append((start, length))
            self.readable += length
        self.segments += 1

    def _overlap(self, segments, off, n):
        """Yield (pool offset, length) of the pieces of bytes off .. off + n - 1 of a part."""
        for start, length in segments:
            skip = min(off, length)
            off -= skip
            piece = min(n, length - skip)
            n -= piece
            if piece:
                yield start + skip, piece

    def read(self, off, buf, n):
        """Copy up to `n` bytes of the readable part, from its byte `off` on, into `buf`; return how many."""
        view = writable(buf)
        return self._read(off, view, count(n, view))

    def write(self, off, buf, n):
        """Copy up to `n` bytes of `buf` into the writable part, from its byte `off` on; return how many."""
        view = byteview(buf)
        return self._write(off, view, count(n, view))

    def _read(self, off, view, n):
        if integer(off) < 0:
            raise IndexError("outside the chain")
        done = 0
        for start, length in self._overlap(self._readable, off, n):
            view[done : done + length] = self._queue._bytes[start : start + length]
            done += length
        return done

    def _write(self, off, view, n):
        if integer(off) < 0:
            raise IndexError("outside the chain")
        done = 0
        for start, length in self._overlap(self._writable, off, n):
            self._queue._bytes[start : start + length] = view[done : done + length]
            done += length
        return done


class SplitQueue:
    """The device side of a split virtqueue (virtio 1.3, 2.7) whose rings and buffers lie in `pool`.

    `base` is the driver's address of the pool's first byte; `desc`, `avail`, `used` are the driver's addresses of the
    three areas; `size` is a power of two, at most QUEUE_SIZE_MAX. ValueError if an area is misaligned or not inside
    the pool. `event_idx` and `indirect` say whether VIRTIO_F_EVENT_IDX and VIRTIO_F_INDIRECT_DESC were negotiated.
    """

    def __init__(self, pool, base, size, desc, avail, used, event_idx, indirect):
        if not isinstance(pool, Window):
            raise TypeError("pool is not a Window")
        if not 0 < integer(size) <= QUEUE_SIZE_MAX or size & (size - 1):
            raise ValueError("queue size is not a power of two from 1 to 256")
        self._pool = pool
        self._bytes = pool._view
        self._base = integer(base)
        if not 0 <= base <= (1 << 64) - pool.size:
            raise ValueError("the pool does not fit a 64-bit address space")
        self.size = size
        self._desc = self._area(desc, _DESC_SIZE * size, 16)
        self._avail = self._area(avail, 6 + 2 * size, 2)
        self._used = self._area(used, 6 + 8 * size, 4)
        self._event_idx = bool(event_idx)
        self._indirect = bool(indirect)
        self._used_index = 0
        self._signalled = 0
        self._out = [False] * size
        self._broken = False
        self.last_avail = 0
        self.in_flight = 0
        self.reason = REASON_NONE

    def _area(self, address, length, alignment):
        off = integer(address) - self._base
        if address & (alignment - 1) or off & (alignment - 1):
            raise ValueError("ring area is misaligned")
        if not self._inside(address, length):
            raise ValueError("ring area is not inside the pool")
        return off

    def _inside(self, address, length):
        return self._base <= address and address - self._base + length <= self._pool.size

    def _u16(self, off):
        return unpack_from("<H", self._bytes, off)[0]

    def _avail_index(self):
        return self._u16(self._avail + 2)

    def pending(self):
        """Is a chain waiting? A broken ring has none."""
        return not self._broken and self._avail_index() != self.last_avail

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
        head = self._next_head()
        if head < 0:
            return BROKEN if self._broken else EMPTY
        self._take(chain, head)
        reason = self._walk(chain, head)
        if reason:
            self.reason = reason
            chain._clear()
            return MALFORMED
        if view is not None:
            chain._read(0, view, len(view))
        return TAKEN

    def _next_head(self):
        """Return the next available head, or -1 if there is none or the ring is broken."""
        waiting = (self._avail_index() - self.last_avail) & 0xFFFF
        if self._broken or not waiting:
            return -1
        if waiting > self.size:
            return self._break(REASON_INDEX)
        head = self._u16(self._avail + 4 + 2 * (self.last_avail & (self.size - 1)))
        if head >= self.size:
            return self._break(REASON_HEAD)
        if self._out[head]:
            return self._break(REASON_TWICE)
        return head

    def _break(self, reason):
        self._broken = True
        self.reason = reason
        return -1

    def _take(self, chain, head):
        self._out[head] = True
        self.in_flight += 1
        self.last_avail = (self.last_avail + 1) & 0xFFFF
        chain._clear()
        chain._queue = self
        chain.head = head

    def _walk(self, chain, index):
        """Copy and check each descriptor once (2.7.4, 2.7.5.3); return the reason why the chain is malformed, or 0.

        A chain has at most as many descriptors as the queue, and as `chain` has room for; the one that points to an
        indirect table does not count. An empty descriptor may have any address.
        """
        table, entries, nested = self._desc, self.size, False
        while index < entries:
            address, length, flags, follower = unpack_from("<QIHH", self._bytes, table + _DESC_SIZE * index)
            if flags & _INDIRECT:
                reason = self._check_table(nested, address, length, flags)
                table, entries, index, nested = address - self._base, length // _DESC_SIZE, 0, True
            else:
                reason = self._check_segment(chain, address, length, flags)
                chain._add(flags & _WRITE, address - self._base, length)
                index = follower
            if reason or not flags & (_NEXT | _INDIRECT):
                return reason
        return REASON_NEXT

    def _check_table(self, nested, address, length, flags):
        if not self._indirect:
            return REASON_UNNEGOTIATED
        if nested:
            return REASON_NESTED
        if flags & _NEXT:
            return REASON_INDIRECT_NEXT
        if not length or length % _DESC_SIZE or not self._inside(address, length):
            return REASON_TABLE
        return REASON_NONE

    def _check_segment(self, chain, address, length, flags):
        if chain.segments == min(self.size, chain._max):
            return REASON_TOO_LONG
        if chain._writable and not flags & _WRITE:
            return REASON_ORDER
        if length and not self._inside(address, length):
            return REASON_ADDRESS
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

    def _return(self, chain, n):
        element = self._used + 4 + 8 * (self._used_index & (self.size - 1))
        pack_into("<II", self._bytes, element, chain.head, n)
        self._used_index = (self._used_index + 1) & 0xFFFF
        pack_into("<H", self._bytes, self._used + 2, self._used_index)
        self._out[chain.head] = False
        self.in_flight -= 1
        chain._queue = None
        chain._clear()

    def signal(self):
        """Does the driver want an interrupt for what was pushed since the last `signal()`? (2.7.7, 2.7.10)"""
        pushed = (self._used_index - self._signalled) & 0xFFFF
        self._signalled = self._used_index
        if not self._event_idx:
            return bool(pushed) and not self._u16(self._avail) & _NO_INTERRUPT
        used_event = self._u16(self._avail + 4 + 2 * self.size)
        return (self._used_index - used_event - 1) & 0xFFFF < pushed

    def arm(self):
        """Ask the driver to kick for its next chain. Follow it with mb() and pending()."""
        if self._event_idx:
            pack_into("<H", self._bytes, self._used + 4 + 8 * self.size, self.last_avail)
        else:
            pack_into("<H", self._bytes, self._used, 0)

    def disarm(self):
        """Tell the driver that kicks are not needed; with the event index a stale event does that by itself."""
        if not self._event_idx:
            pack_into("<H", self._bytes, self._used, _NO_NOTIFY)
