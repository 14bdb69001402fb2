# SPDX-License-Identifier: MIT
"""Windows of memory. Source: docs/transport.md, 2, for what their accesses must do."""

from struct import pack_into, unpack_from

from hal.compat import byteview
from hal.pure.arguments import WORD, count, integer, writable


class Window:
    """Bounds-checked little-endian access to `size` bytes of a writable buffer.

    Offsets are in bytes: IndexError outside the window, ValueError where an access is not naturally aligned. Values are
    unsigned; stores keep the low bits. The source must not be resized while a window on it lives.
    """

    def __init__(self, source, size):
        if isinstance(source, int):
            raise TypeError("an address needs the C module; give a buffer")
        view = writable(source)
        if not 0 < integer(size) <= len(view):
            raise ValueError("window size is 0 or beyond the end of its source")
        self._source = source
        self._view = view[:size]
        self.size = size
        self.address = 0
        self._holes = None
        self._holes_shift = 0

    def exclude(self, blocks, shift):
        """Have the blocks of 2^`shift` bytes whose bits are set in `blocks` be outside the window; None: no more.

        `blocks` is a buffer with bit 0 of byte 0 for the first block; what is set in it later counts too, and it must
        not be resized. Windows made of this one keep what they have. ValueError if it is too short.
        """
        shift = integer(shift)
        if blocks is None:
            self._holes = None
            return
        view = byteview(blocks)
        if not 0 <= shift < 64 or len(view) <= (self.size - 1) >> shift >> 3:
            raise ValueError("the map does not cover the window")
        self._holes, self._holes_shift = view, shift

    def _has(self, off, n):
        """Are these bytes the window's?"""
        return 0 <= off <= self.size - n and not (self._holes and n and self._excludes(off, n))

    def _excludes(self, off, n):
        blocks = range(off >> self._holes_shift, (off + n - 1 >> self._holes_shift) + 1)
        return any(self._holes[block >> 3] >> (block & 7) & 1 for block in blocks)

    def _at(self, off, n):
        if not self._has(integer(off), n):
            raise IndexError("outside the window")
        return off

    def _aligned(self, off, n):
        self._at(off, n)
        if off & (n - 1):
            raise ValueError("access is not naturally aligned")
        return off

    def _load(self, code, off, n):
        return unpack_from(code, self._view, self._aligned(off, n))[0]

    def _store(self, code, off, n, value):
        pack_into(code, self._view, self._aligned(off, n), integer(value) & ((1 << (8 * n)) - 1))

    def r8(self, off):
        """Load 8 bits."""
        return self._load("<B", off, 1)

    def r16(self, off):
        """Load 16 bits."""
        return self._load("<H", off, 2)

    def r32(self, off):
        """Load 32 bits."""
        return self._load("<I", off, 4)

    def r64(self, off):
        """Load 64 bits."""
        return self._load("<Q", off, 8)

    def w8(self, off, value):
        """Store 8 bits."""
        self._store("<B", off, 1, value)

    def w16(self, off, value):
        """Store 16 bits."""
        self._store("<H", off, 2, value)

    def w32(self, off, value):
        """Store 32 bits."""
        self._store("<I", off, 4, value)

    def w64(self, off, value):
        """Store 64 bits."""
        self._store("<Q", off, 8, value)

    def load_acquire(self, off):
        """Load 32 bits; later accesses stay behind it."""
        return self.r32(off)

    def store_release(self, off, value):
        """Store 32 bits; earlier accesses stay before it."""
        self.w32(off, value)

    def add_release(self, off, n):
        """Add `n` to 32 bits, modulo 2^32, with release; return the new value."""
        value = (self.r32(off) + integer(n)) & WORD
        self.w32(off, value)
        return value

    def read(self, off, buf, n=None):
        """Copy `n` bytes (default: as many as `buf` has) from the window to the start of `buf`."""
        view = writable(buf)
        n = count(n, view)
        self._at(off, n)
        view[:n] = self._view[off : off + n]

    def write(self, off, buf, n=None):
        """Copy the first `n` bytes of `buf` (default: all) into the window."""
        view = byteview(buf)
        n = count(n, view)
        self._at(off, n)
        self._view[off : off + n] = view[:n]

    def fill(self, off, n, byte):
        """Set `n` bytes to the low 8 bits of `byte`."""
        byte = integer(byte) & 0xFF
        if integer(n) < 0:
            raise ValueError("negative length")
        self._at(off, n)
        for i in range(off, off + n):
            self._view[i] = byte

    def window(self, off, size):
        """Return a window on `size` bytes of this one, from a multiple of 8 on."""
        if integer(size) <= 0:
            raise ValueError("window size is 0 or beyond the end of its source")
        self._at(off, size)
        if off & 7:
            raise ValueError("access is not naturally aligned")
        inner = Window(self._view[off : off + size], size)
        inner.address = self.address + off
        return inner


def word_at(window, off):
    if not isinstance(window, Window):
        raise TypeError("not a Window")
    window.r32(off)  # raises what an access there would raise


def word64_at(window, off):
    word_at(window, off)
    window.r64(off)
