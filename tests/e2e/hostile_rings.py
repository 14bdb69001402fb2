# SPDX-License-Identifier: MIT
"""A packed ring in a link's region from the side of a backend that may lie (virtio 1.3, 2.8).

There are no split ones: Linux takes none of a backend that is not trusted.
"""

import struct
from typing import NamedTuple

NEXT, WRITE, INDIRECT = 1, 2, 4
AVAILABLE, USED = 1 << 7, 1 << 15
DESCRIPTOR = 16
STEPS = 4  # buffers of a chain that are looked at: Linux's drivers here make two


class Chain(NamedTuple):
    """What the driver has made available: its id, the descriptors it takes in the ring, [(place, length, writable)]."""

    id: int
    slots: int
    buffers: list

    def find(self, writable):
        """The first buffer that the device may write to, or must not: (place, length), or None."""
        return next(((place, length) for place, length, write in self.buffers if write == writable), None)


class Queue:
    """A queue: `areas` are addresses of the driver's for descriptors, its own area and the device's."""

    def __init__(self, memory, shift, size, random, word):
        self.memory = memory
        self.shift = shift
        self.size = size
        self.areas = [0, 0, 0]
        self.random = random
        self.word = word
        self.next = 0  # of the driver's, counted on over the end: the wrap counter is the quotient's last bit
        self.index = 0  # of ours

    def place(self, area, offset=0, length=DESCRIPTOR):
        """Where that is in the memory; its end if it is outside."""
        at = self.areas[area] - self.shift + offset
        return at if 0 <= at <= len(self.memory) - length else len(self.memory) - DESCRIPTOR

    def buffer(self, address, length, flags):
        """A buffer of a chain; none if it is not in the memory: somebody has written into the descriptors."""
        at = address - self.shift
        return [(at, length, flags & WRITE != 0)] if 0 <= at <= len(self.memory) - length else []

    def table(self, address, length):
        """The buffers of an indirect table, whose descriptors are used in turn."""
        buffers, at = [], address - self.shift
        for n in range(min(length // DESCRIPTOR, STEPS)):
            if not 0 <= at <= len(self.memory) - length:
                break
            address, size, _, flags = struct.unpack_from("<QIHH", self.memory, at + n * DESCRIPTOR)
            buffers += self.buffer(address, size, flags)
        return buffers

    def scribble(self):
        """Write into descriptors of buffers that are out."""
        for _ in range(self.random.choice((1, 4, self.size))):
            at = self.place(0, DESCRIPTOR * self.random.randrange(self.size))
            name, flags = self.word() & 0xFFFF, self.word() & 0xFFFF
            struct.pack_into("<QIHH", self.memory, at, self.random.getrandbits(64), self.word(), name, flags)

    def at(self, position):
        return self.place(0, DESCRIPTOR * (position % self.size))

    def wrapped(self, position):
        return position // self.size % 2 == 1

    def take(self):
        """The chains that were made available since the last time."""
        chains = []
        while len(chains) < self.size:
            flags = struct.unpack_from("<QIHH", self.memory, self.at(self.next))[3]
            if bool(flags & AVAILABLE) == self.wrapped(self.next) or bool(flags & USED) != self.wrapped(self.next):
                break
            chains.append(self.follow())
        return chains

    def follow(self):
        first, buffers = self.next, []
        while True:
            address, length, name, flags = struct.unpack_from("<QIHH", self.memory, self.at(self.next))
            self.next += 1
            buffers += self.table(address, length) if flags & INDIRECT else self.buffer(address, length, flags)
            if not flags & NEXT or self.next - first == self.size:
                return Chain(name, self.next - first, buffers)

    def give(self, chain, length):
        """Return a chain."""
        flags = 0 if self.wrapped(self.index) else AVAILABLE | USED
        struct.pack_into("<IHH", self.memory, self.at(self.index) + 8, length, chain.id & 0xFFFF, flags)
        self.index += chain.slots

    def lie(self):
        """Return what was never made available, with any flags, out of turn; write the event suppression areas."""
        for _ in range(1 + self.random.randrange(3)):
            position = self.random.choice((self.index, self.index, self.index, self.random.randrange(self.size)))
            name = self.random.choice((self.random.randrange(self.size), self.word() & 0xFFFF))
            wrap = self.wrapped(position) != (not self.random.randrange(4))
            flags = 0 if wrap else AVAILABLE | USED
            flags = self.random.choice((flags, flags | NEXT, flags | INDIRECT | WRITE, self.word() & 0xFFFF))
            struct.pack_into("<IHH", self.memory, self.at(position) + 8, self.word(), name, flags)
            self.index += self.random.choice((0, 1, 1, 2))
        for area in self.random.choice(((), (2,), (1, 2))):
            struct.pack_into("<HH", self.memory, self.place(area), self.word() & 0xFFFF, self.word() & 0xFFFF)
