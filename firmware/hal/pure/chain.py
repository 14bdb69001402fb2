# SPDX-License-Identifier: MIT
"""The segments of one list of descriptors, of a queue of either layout. Source: virtio 1.3, 2.7.4 and 2.8.5."""

from hal.compat import byteview
from hal.pure.arguments import count, integer, writable
from hal.pure.codes import QUEUE_SIZE_MAX


class Chain:
    """One descriptor chain: room for `max_segments` segments (1 to QUEUE_SIZE_MAX), used again for every `pop`.

    `head`: descriptor index, of a packed queue the buffer's id; `readable`, `writable`: bytes of the two parts;
    `segments`: how many descriptors carry them.
    """

    def __init__(self, max_segments):
        if not 0 < integer(max_segments) <= QUEUE_SIZE_MAX:
            raise ValueError("a chain has 1 to 256 segments")
        self._max = max_segments
        self._queue = None
        self._slots = 0
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
                if not self._queue._pool._has(start + skip, piece):
                    break  # excluded since it was checked
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
