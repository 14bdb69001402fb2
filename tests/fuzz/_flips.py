# SPDX-License-Identifier: MIT
"""The C code of both layouts while another process changes the words that it reads.

`python _flips.py flip FILE LAYOUT SHAPE` is that process, until it is killed; `micropython _flips.py take TURNS LAYOUT
SHAPE`, with FILE in TRAPLESS_MEMORY, pops and pushes meanwhile. LAYOUT: split, packed. SHAPE: direct, indirect.

A word changes between one that is right and one that is refused, so that a chain that is taken has the right lengths,
what is read of it lies in its buffer, and an answer changes nothing but its own. Whoever reads a word once to check it
and once to use it will use one that is refused: a length beyond the pool, where memory is inaccessible, a wrong head.
The side that pops restores the words byte by byte: what is mixed of the bytes of both is either of them, or refused.
"""

import sys
from struct import pack

SIZE = 0x1000
BASE = 0x48200000
ENTRIES = 4
DESC, DRIVER, DEVICE, TABLE, BUFFERS = 0, 0x100, 0x200, 0x300, 0x800
READ, WRITE = 24, 40  # the lengths that are allowed
REQUEST, REPLY = SIZE - READ, SIZE - 0x80  # where one byte of an address makes it a wrong one
FAR = 0x100000  # a length that ends where memory is inaccessible
F_NEXT, F_WRITE, F_INDIRECT, F_AVAIL, F_USED = 1, 2, 4, 1 << 7, 1 << 15
HEADS = {"split": (0,), "packed": (7, 9, 5, 0xFF07, 0xFF05)}
BURST = 2000


def pool(layout, shape):
    """Return the pool's bytes with one right chain of two buffers in it."""
    packed = layout == "packed"
    found = bytearray([0x99] * SIZE)
    found[:BUFFERS] = bytes(BUFFERS)
    found[REQUEST : REQUEST + READ] = bytes([0x11]) * READ
    lists = DESC if shape == "direct" else TABLE
    ring = F_AVAIL if packed and shape == "direct" else 0
    last = 9 if packed else 0
    flags = 0 if packed and shape == "indirect" else F_NEXT
    pieces = (REQUEST, READ, flags | ring, 7 if packed else 1), (REPLY, WRITE, F_WRITE | ring, last)
    for i, piece in enumerate(pieces):
        found[lists + 16 * i : lists + 16 * i + 16] = descriptor(packed, *piece)
    if shape == "indirect":
        found[DESC : DESC + 16] = descriptor(packed, TABLE, 32, F_INDIRECT | (F_AVAIL if packed else 0), 5 * packed)
    if not packed:
        found[DRIVER : DRIVER + 6] = pack("<HHH", 0, 1, 0)
    return found


def descriptor(packed, at, length, flags, number):
    """Return the bytes of a descriptor; `number`: its follower, or its id."""
    return pack("<QIHH", BASE + at, length, *((number, flags) if packed else (flags, number)))


def words(layout, shape):
    """Return the [(offset, bytes of a word, what is wrong there)] to change."""
    packed = layout == "packed"
    flags, number = (14, 12) if packed else (12, 14)
    lists = DESC if shape == "direct" else TABLE
    found = []
    for at, size in ((lists, READ), (lists + 16, WRITE)):
        found += [(at, 8, BASE + SIZE - 8), (at + 8, 4, FAR + size), (at, 8, BASE + SIZE - size + 1)]
    if shape == "indirect":
        found += [
            (DESC, 8, BASE + SIZE - 16),
            (DESC + 8, 4, FAR + 32),
            (DESC + 8, 4, 24),
            (DESC + flags, 2, F_INDIRECT | F_NEXT | (F_AVAIL if packed else 0)),
        ]
    if packed:
        found += [(DESC + number, 2, 0xFF07 if shape == "direct" else 0xFF05)]
        found += [(DESC + flags, 2, F_USED), (DESC + 16 + flags, 2, 0)]
    else:
        found += [(DRIVER + 2, 2, ENTRIES + 1), (DRIVER + 4, 2, 0xFFFF), (lists + number, 2, 0xFFF0)]
    return found


def flip(file, layout, shape):
    """Change one word after another of the pool in `file`, for ever."""
    import mmap

    with open(file, "r+b") as opened:
        shared = mmap.mmap(opened.fileno(), SIZE)
    right = pool(layout, shape)
    while True:
        for at, n, wrong in words(layout, shape):
            view = memoryview(shared).cast({2: "H", 4: "I", 8: "Q"}[n])
            good, index = int.from_bytes(right[at : at + n], "little"), at // n
            for _ in range(BURST):
                view[index] = wrong
                view[index] = good


class Flipped:
    """A pool that another process changes, and new queues in it."""

    def __init__(self, hal, uctypes, layout, shape):
        self.hal = hal
        self.window = hal.map_window(0, SIZE, False)
        self.bytes = uctypes.bytearray_at(self.window.address, SIZE)
        self.make = hal.PackedQueue if layout == "packed" else hal.SplitQueue
        self.heads = HEADS[layout]
        self.right = pool(layout, shape)
        self.rings = bytes(self.right[:BUFFERS])
        self.bytes[:] = self.right
        self.request = bytearray(2 * SIZE)
        self.reply = bytes([0xEE]) * WRITE
        self.met = [0] * 4

    def turn(self):
        """Offer the chain, pop it from a new queue, push it."""
        hal, shared = self.hal, self.bytes
        shared[:BUFFERS] = self.rings
        queue = self.make(self.window, BASE, ENTRIES, BASE + DESC, BASE + DRIVER, BASE + DEVICE, False, True)
        chain = hal.Chain(ENTRIES)
        self.request[:READ] = bytes(READ)
        found = queue.pop(chain, self.request)
        self.met[found] += 1
        assert found not in (hal.TAKEN, hal.MALFORMED) or chain.head in self.heads, "head {}".format(chain.head)
        if found == hal.TAKEN:
            self.check(chain)
            queue.push(chain, chain.writable, self.reply[: chain.writable])
        elif found == hal.MALFORMED:
            queue.push(chain, 0)
        assert shared[REPLY : REPLY + WRITE] in (self.reply, self.right[REPLY : REPLY + WRITE]), "half an answer"
        shared[REPLY : REPLY + WRITE] = self.right[REPLY : REPLY + WRITE]
        assert shared[BUFFERS:] == self.right[BUFFERS:], "something else in the pool was written"

    def check(self, chain):
        """Hold a chain that was taken against the right one."""
        lengths = chain.segments, chain.readable, chain.writable
        assert lengths == (2, READ, WRITE), "{} segments, {} and {} bytes".format(*lengths)
        assert self.request[:READ] == self.right[REQUEST : REQUEST + READ], "read from elsewhere"


def take(turns, layout, shape):
    """Pop and push until `turns` chains were taken and as many pops refused; print what was met."""
    import _hal
    import uctypes

    flipped = Flipped(_hal, uctypes, layout, shape)
    met = flipped.met
    while met[_hal.TAKEN] < turns or met[_hal.MALFORMED] + met[_hal.BROKEN] < turns:
        flipped.turn()
    print("taken {}, malformed {}, broken {}, empty {}".format(*[met[kind] for kind in (1, 2, 3, 0)]))


if __name__ == "__main__":
    mode, first, *rest = sys.argv[1:]
    if mode == "flip":
        flip(first, *rest)
    else:
        take(int(first), *rest)
