# SPDX-License-Identifier: MIT
"""Random traffic on virtqueues of both layouts, well-formed and not: every twin does the same, its counters balance.

Where there is only one twin (CPython), what is left is that nothing crashes and everything balances.
"""

from unit.hal.packed_rings import AVAIL, USED, PackedRings
from unit.hal.rings import INDIRECT, NEXT, POOL, WRITE, Rings
from unit.hal.twins import TWINS, Random

SEEDS = 500
STEPS = 40


def descriptor(random, rings, table, entries, i):
    """Write one descriptor: nine of ten times plausible."""
    flags = random.choice((0, NEXT, NEXT, WRITE, WRITE | NEXT, NEXT, WRITE | NEXT, INDIRECT))
    follower = (i + 1) % entries if random.below(8) else random.below(entries + 2)
    if flags & INDIRECT:
        off, length = rings.data, 16 * (1 + random.below(12))
    else:
        off, length = rings.data + random.below(0x1000), random.below(64)
    if random.chance(24):
        off = random.choice((-1, POOL, POOL - 8, 0, (1 << 64) - 64, 1 << 63, -rings.base))
    if random.chance(24):
        length = random.choice((0, 1, 15, 17, 0xFFFFFFFF, POOL, POOL + 1))
    if random.chance(24):
        flags = random.below(8) | random.below(0x10000) & 0xFFF8
    rings.describe(i, off, length, flags, follower, table)


def scribble(random, rings):
    """Fill the tables anew, the indirect one first."""
    for i in range(12):
        descriptor(random, rings, rings.data, 12, i)
    for i in range(rings.size):
        descriptor(random, rings, 0, rings.size, i)


def violate(random, rings):
    """Break the ring's own rules: a head out of range, a head given twice, an index far ahead."""
    kind = random.below(3)
    if kind == 0:
        rings.offer(rings.size + random.below(1000))
    elif kind == 1:
        head = random.below(rings.size)
        rings.offer(head, head)
    else:
        rings.index = (rings.index + rings.size + 1 + random.below(1000)) & 0xFFFF
        rings.offer(0)


class Play:
    """One run of a twin through the traffic of a seed; `trace` is everything that could be seen from outside."""

    def __init__(self, twin, seed):
        random = self.random = Random(seed)
        self.twin = twin
        event_idx, indirect = random.chance(2), not random.chance(4)
        self.rings = self.make(event_idx, indirect)
        room = random.choice((2, 8, 64))
        self.idle = [twin.Chain(room) for _ in range(self.rings.size + 1)]
        self.out = []
        self.trace = []
        self.taken = 0
        self.given = 0

    def make(self, event_idx, indirect):
        """Return the rings of the layout that is tried."""
        return Rings(self.twin, self.random.choice((1, 2, 8, 16)), event_idx, indirect)

    def scribble(self):
        """Fill the tables anew."""
        scribble(self.random, self.rings)

    def violate(self):
        """Do what no driver may."""
        violate(self.random, self.rings)

    def ask(self):
        """Say which interrupts are wanted."""
        rings, random = self.rings, self.random
        rings.set_flags(random.below(2))
        rings.set_used_event(rings.returned() + random.below(4) - 2)

    def note(self, *what):
        """Add to the trace."""
        self.trace.append(what)

    def offer(self):
        """Make a head available that is not out."""
        busy = [chain.head for chain in self.out]
        free = [head for head in range(self.rings.size) if head not in busy]
        if free and not self.rings.queue.pending():
            self.rings.offer(self.random.choice(free))

    def pop(self):
        """Take a chain, with and without a buffer."""
        chain = self.idle[-1]
        buffer = bytearray(self.random.below(40)) if self.random.chance(2) else None
        result = self.rings.queue.pop(chain, buffer)
        queue = self.rings.queue
        self.note("pop", result, queue.reason, queue.last_avail, queue.in_flight, bytes(buffer or b""))
        if result in (self.twin.TAKEN, self.twin.MALFORMED):
            self.taken += 1
            self.out.append(self.idle.pop())
            self.note(chain.head, chain.readable, chain.writable, chain.segments)

    def push(self):
        """Return one of the chains that are out."""
        if not self.out:
            return
        chain = self.out.pop(self.random.below(len(self.out)))
        data = bytearray([self.random.below(256) for _ in range(min(chain.writable, 50))])
        self.note("copy", chain.read(self.random.below(30), data, len(data)), bytes(data))
        self.note("copy", chain.write(self.random.below(30), data, len(data)))
        if self.random.chance(2):
            self.rings.queue.push(chain, len(data), data)
        else:
            self.rings.queue.push(chain, min(chain.writable, 77))
        self.idle.append(chain)
        self.given += 1

    def look(self):
        """Ask for signals and kicks."""
        self.ask()
        queue = self.rings.queue
        self.note("signal", queue.signal())
        if self.random.chance(2):
            queue.arm()
        else:
            queue.disarm()

    def exclude(self):
        """Have some blocks behind the tables be outside the pool, or none."""
        blocks = bytearray(POOL >> 11)
        for block in range((self.rings.data >> 8) + 2, POOL >> 8):
            blocks[block >> 3] |= self.random.chance(8) << (block & 7)
        self.rings.pool.exclude(blocks if self.random.chance(2) else None, 8)

    def run(self):
        """Play all steps; return the trace and what lies in the pool."""
        self.scribble()
        for _ in range(STEPS):
            if self.random.chance(40):
                self.violate()
            if self.random.chance(6):
                self.scribble()
            if self.random.chance(6):
                self.exclude()
            self.random.choice((self.offer, self.offer, self.pop, self.pop, self.push, self.look))()
            assert self.rings.queue.in_flight == len(self.out) == self.taken - self.given
        return self.trace, bytes(self.rings.memory)


class PackedPlay(Play):
    """The same with a packed queue. Descriptors become available at random places, so lists are mostly short."""

    def make(self, event_idx, indirect):
        return PackedRings(self.twin, self.random.choice((1, 2, 3, 8, 13)), event_idx, indirect)

    def piece(self, rare):
        """Return (pool offset, length, flags), nine of ten times plausible."""
        random, rings = self.random, self.rings
        if not random.below(rare):
            return rings.data + random.below(3), 16 * random.below(12) + random.choice((0, 0, 0, 8)), INDIRECT
        off, length = rings.data + random.below(0x1000), random.below(64)
        if random.chance(24):
            off = random.choice((-1, POOL, POOL - 8, 0, (1 << 64) - 64, 1 << 63, -rings.base))
        if random.chance(24):
            length = random.choice((0, 1, 15, 17, 0xFFFFFFFF, POOL, POOL + 1))
        return off, length, random.choice((0, WRITE, WRITE))

    def scribble(self):
        self.rings.table(self.rings.data, *[self.piece(1000) for _ in range(12)])

    def violate(self):
        random, rings = self.random, self.rings
        off, length, flags = self.piece(10)
        number = random.below(rings.size)
        wrap = random.choice((0, AVAIL, USED, AVAIL | USED))
        rings.describe(16 * number, off, length, flags | wrap | random.choice((0, NEXT)), random.below(0x10000))

    def offer(self):
        """Make a list available while there is none; rarely more than there is room for."""
        random, rings = self.random, self.rings
        if not rings.queue.pending():
            rings.next = rings.queue.last_avail
            pieces = [self.piece(8) for _ in range(1 + random.below(min(3, rings.size)))]
            rings.offer(*pieces, buffer_id=random.below(0x10000))

    def ask(self):
        place = self.rings.advance(self.rings.queue.last_avail, self.random.below(self.rings.size))
        self.rings.set_driver_event(self.random.below(4), place ^ self.random.choice((0, 0, 0x8000)))


def reasons_met(play):
    """Run `play` with every twin and seed: all do the same. Return the results of pop, with their reasons."""
    results = set()
    for seed in range(SEEDS):
        played = [play(twin, seed).run() for twin in TWINS]
        first = played[0]
        for other in played[1:]:
            assert other[0] == first[0], seed
            assert other[1] == first[1], seed
        results.update([event[1:3] for event in first[0] if event[0] == "pop"])
    twin = TWINS[0]
    assert {result for result, _ in results} == {twin.EMPTY, twin.TAKEN, twin.MALFORMED, twin.BROKEN}
    return {reason for result, reason in results if result in (twin.MALFORMED, twin.BROKEN)}


def test_twins_do_the_same():
    twin = TWINS[0]
    assert reasons_met(Play) == set(range(twin.REASON_TOO_LONG, twin.REASON_TWICE + 1))


def test_twins_do_the_same_with_packed_queues():
    twin = TWINS[0]
    never = {twin.REASON_NEXT, twin.REASON_NESTED, twin.REASON_HEAD, twin.REASON_TWICE}
    assert reasons_met(PackedPlay) == set(range(twin.REASON_TOO_LONG, twin.REASON_UNAVAILABLE + 1)) - never
