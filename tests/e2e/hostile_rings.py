# SPDX-License-Identifier: MIT
"""Split and packed rings in a link's region from the side of a backend that may lie (virtio 1.3, 2.7 and 2.8)."""

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


class Ring:
    """A queue: `areas` are addresses of the driver's for descriptors, its own area and the device's."""

    def __init__(self, memory, shift, size, random, word):
        self.memory = memory
        self.shift = shift
        self.size = size
        self.areas = [0, 0, 0]
        self.random = random
        self.word = word

    def place(self, area, offset=0, length=DESCRIPTOR):
        """Where that is in the memory; its end if it is outside."""
        at = self.areas[area] - self.shift + offset
        return at if 0 <= at <= len(self.memory) - length else len(self.memory) - DESCRIPTOR

    def buffer(self, address, length, flags):
        """A buffer of a chain; none if it is not in the memory: somebody has written into the descriptors."""
        at = address - self.shift
        return [(at, length, flags & WRITE != 0)] if 0 <= at <= len(self.memory) - length else []

    def table(self, address, length):
        """The buffers of an indirect table, of either kind: the driver of Linux uses its descriptors in turn."""
        buffers, at = [], address - self.shift
        for n in range(min(length // DESCRIPTOR, STEPS)):
            if not 0 <= at <= len(self.memory) - length:
                break
            address, size, second, third = struct.unpack_from("<QIHH", self.memory, at + n * DESCRIPTOR)
            buffers += self.buffer(address, size, self.flags(second, third))
        return buffers

    def scribble(self):
        """Write into descriptors of buffers that are out."""
        for _ in range(self.random.choice((1, 4, self.size))):
            at = self.place(0, DESCRIPTOR * self.random.randrange(self.size))
            second, third = self.halves()
            struct.pack_into("<QIHH", self.memory, at, self.random.getrandbits(64), self.word(), second, third)


class Split(Ring):
    """A split ring."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.taken = 0
        self.index = 0

    @staticmethod
    def flags(second, _third):
        return second

    def halves(self):
        """Flags and next, without NEXT: why, docs/transport.md, 6.6, tells."""
        return self.word() & 0xFFFF & ~NEXT, self.word() & 0xFFFF

    def take(self):
        """The chains that were made available since the last time."""
        (index,) = struct.unpack_from("<H", self.memory, self.place(1, 2))
        chains = []
        for _ in range(min(index - self.taken & 0xFFFF, self.size)):
            (head,) = struct.unpack_from("<H", self.memory, self.place(1, 4 + 2 * (self.taken % self.size)))
            chains.append(Chain(head, 1, self.follow(head)))
            self.taken += 1
        self.taken = index
        return chains

    def follow(self, head):
        buffers = []
        for _ in range(STEPS):
            at = self.place(0, DESCRIPTOR * (head % self.size))
            address, length, flags, head = struct.unpack_from("<QIHH", self.memory, at)
            if flags & INDIRECT:
                return self.table(address, length)
            buffers += self.buffer(address, length, flags)
            if not flags & NEXT:
                break
        return buffers

    def give(self, chain, length):
        """Return a chain."""
        at = self.place(2, 4 + 8 * (self.index % self.size))
        struct.pack_into("<II", self.memory, at, chain.id, length)
        self.index += 1
        struct.pack_into("<H", self.memory, self.place(2, 2), self.index & 0xFFFF)

    def lie(self):
        """Return what was never made available, with an index that jumps and any flags."""
        for _ in range(1 + self.random.randrange(3)):
            head = self.random.choice((self.random.randrange(self.size), self.word()))
            at = self.place(2, 4 + 8 * (self.index % self.size))
            struct.pack_into("<II", self.memory, at, head, self.word())
            self.index += self.random.choice((1, 1, 1, 2, self.size, self.random.getrandbits(16)))
        struct.pack_into("<HH", self.memory, self.place(2), self.word() & 0xFFFF, self.index & 0xFFFF)
        struct.pack_into("<H", self.memory, self.place(2, 4 + 8 * self.size), self.word() & 0xFFFF)


class Packed(Ring):
    """A packed ring."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.next = 0  # of the driver's, counted on over the end: the wrap counter is the quotient's last bit
        self.index = 0  # of ours

    @staticmethod
    def flags(_second, third):
        return third

    def halves(self):
        """Id and flags."""
        return self.word() & 0xFFFF, self.word() & 0xFFFF

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
            position = self.random.choice((self.index, self.index, self.random.randrange(self.size)))
            name = self.random.choice((self.random.randrange(self.size), self.word() & 0xFFFF))
            wrap = AVAILABLE | USED if self.random.randrange(2) else 0
            flags = self.random.choice((wrap, wrap | NEXT, wrap | INDIRECT | WRITE, self.word() & 0xFFFF))
            struct.pack_into("<IHH", self.memory, self.at(position) + 8, self.word(), name, flags)
            self.index += self.random.choice((0, 1, 1, 2, self.size, self.random.randrange(1 << 15)))
        for area in self.random.choice(((), (2,), (1, 2))):
            struct.pack_into("<HH", self.memory, self.place(area), self.word() & 0xFFFF, self.word() & 0xFFFF)
