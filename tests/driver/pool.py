# SPDX-License-Identifier: MIT
"""What a frontend draws on: random numbers, and memory that the backend sees too."""

from struct import pack_into, unpack_from


class Nonces:
    """Pseudo-random 32-bit numbers, never 0 (xorshift32, Marsaglia 2003), the same for the same `seed`."""

    def __init__(self, seed):
        self._state = (seed * 2654435761 + 0x9E3779B9) & 0xFFFFFFFF or 1

    def draw(self, avoid=()):
        """Return the next one that is not in `avoid`."""
        while True:
            x = self._state
            x ^= x << 13 & 0xFFFFFFFF
            x ^= x >> 17
            x ^= x << 5 & 0xFFFFFFFF
            self._state = x
            if x not in avoid:
                return x


class Pool:
    """Hands out pieces of the link's pool: `base` is the frontend's address of the byte at `offset` of `memory`."""

    def __init__(self, memory, offset, size, base):
        self.memory = memory
        self.offset = offset
        self.size = size
        self.base = base
        self._free = [(0, size)]

    def take(self, size, alignment=16):
        """Return the address of `size` free bytes, zeroed. MemoryError without them."""
        size = max(size, 1) + 15 & ~15
        for i, (start, length) in enumerate(self._free):
            at = start + alignment - 1 & ~(alignment - 1)
            if at + size <= start + length:
                self._free[i : i + 1] = [(start, at - start), (at + size, start + length - at - size)]
                self._free = [piece for piece in self._free if piece[1]]
                self.write(self.base + at, bytes(size))
                return self.base + at
        raise MemoryError("the link's pool is full")

    def give(self, address, size):
        """Take back what `take(size)` returned."""
        self._free.append((address - self.base, max(size, 1) + 15 & ~15))
        self._free.sort()
        merged = []
        for start, length in self._free:
            if merged and merged[-1][0] + merged[-1][1] == start:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((start, length))
        self._free = merged

    def at(self, address):
        """Return the index in `memory` of a frontend address."""
        return address - self.base + self.offset

    def read(self, address, size):
        """Return `size` bytes at a frontend address."""
        return bytes(self.memory[self.at(address) : self.at(address) + size])

    def write(self, address, data):
        """Store bytes at a frontend address."""
        self.memory[self.at(address) : self.at(address) + len(data)] = data

    def load(self, address, code):
        """Return the tuple of `struct` format `code` at a frontend address."""
        return unpack_from(code, self.memory, self.at(address))

    def store(self, address, code, *values):
        """Store values of `struct` format `code` at a frontend address."""
        pack_into(code, self.memory, self.at(address), *values)
