# SPDX-License-Identifier: MIT
"""Every packed ring gets the verdict of an oracle that was written from virtio 1.3, 2.8 alone.

The oracle collects a list to its end, then judges; it shares no code with `hal.pure`.
"""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from hal import pure
from unit.hal.packed_rings import DESC, PackedRings
from unit.hal.rings import BASE, POOL

NEXT, WRITE, INDIRECT, AVAIL, USED = 1, 2, 4, 1 << 7, 1 << 15
TABLE = 0x200


@dataclass
class Descriptor:
    address: int
    length: int
    flags: int
    available: bool
    buffer_id: int


addresses = st.one_of(
    st.integers(BASE, BASE + POOL + 64),
    st.sampled_from([0, BASE - 1, BASE + POOL - 1, BASE + POOL, (1 << 64) - 1, 1 << 63, BASE + (1 << 32)]),
)
lengths = st.one_of(st.integers(0, 64), st.sampled_from([POOL, POOL + 1, 0xFFFFFFFF, 1 << 31]))
others = st.sampled_from([0, 0, 0, 0x7F78])
flags = st.builds(lambda low, high: low | high, st.sampled_from([0, NEXT, NEXT, WRITE, NEXT | WRITE, 4, 5, 7]), others)
descriptors = st.builds(Descriptor, addresses, lengths, flags, st.integers(0, 15).map(bool), st.integers(0, 0xFFFF))


def inside(address, length):
    """Does [address, address + length) lie in the pool?"""
    return address >= BASE and address + length <= BASE + POOL


def collect(ring, start, free):
    """Return the descriptors of the list that begins at `start`, or None if the ring is violated."""
    found = []
    while True:
        descriptor = ring[(start + len(found)) % len(ring)]
        if len(found) == free or not descriptor.available:
            return None
        found.append(descriptor)
        if not descriptor.flags & NEXT:
            return found


def judge(found, table, negotiated, room, size):
    """Return the segments as (address, length, is writable), or None if the list is malformed."""
    if any(d.flags & INDIRECT for d in found):
        whole = found[0].length and found[0].length % 16 == 0 and inside(found[0].address, found[0].length)
        if len(found) > 1 or not negotiated or not whole:
            return None
        found = table[: found[0].length // 16]
    segments = [(d.address, d.length, bool(d.flags & WRITE)) for d in found]
    writable = [segment[2] for segment in segments]
    good = all(inside(address, length) for address, length, _ in segments if length)
    return segments if good and writable == sorted(writable) and len(segments) <= min(room, size) else None


@settings(max_examples=600, deadline=None)
@given(
    st.lists(descriptors, min_size=1, max_size=9),
    st.lists(descriptors, min_size=12, max_size=12),
    st.booleans(),
    st.integers(1, 10),
    st.integers(0, 20),
    st.data(),
)
def test_every_list_gets_the_verdict_of_the_oracle(ring, table, negotiated, room, before, data):
    size = len(ring)
    rings = PackedRings(pure, size, indirect=negotiated)
    chain = pure.Chain(room)
    for _ in range(before):
        rings.offer((rings.data, 0, 0))
        assert rings.queue.pop(chain) == pure.TAKEN
        rings.queue.push(chain, 0)
    kept = data.draw(st.integers(0, size - 1))
    for _ in range(kept):
        rings.offer((rings.data, 0, 0))
        assert rings.queue.pop(pure.Chain(1)) == pure.TAKEN
    for d in ring:
        if d.flags & INDIRECT:
            d.address = BASE + TABLE
            d.length = data.draw(st.sampled_from([16, 32, 64, 192, 0, 8, 17, POOL]))
    rings.table(TABLE, *[(d.address - BASE, d.length, d.flags) for d in table])
    start, place = rings.next & 0x7FFF, rings.next
    for i in range(size):
        d = ring[(start + i) % size]
        flags = rings.available(place) if d.available else data.draw(st.sampled_from([0, AVAIL | USED]))
        rings.describe(16 * ((start + i) % size), d.address - BASE, d.length, d.flags | flags, d.buffer_id)
        place = rings.advance(place)
    found = collect(ring, start, size - kept)
    result = rings.queue.pop(chain)
    if not ring[start].available:
        assert result == pure.EMPTY
    elif found is None:
        assert result == pure.BROKEN
    else:
        expected = judge(found, table, negotiated, room, size)
        assert result == (pure.MALFORMED if expected is None else pure.TAKEN)
        assert (chain.head, rings.queue.in_flight) == (found[-1].buffer_id, kept + 1)
        assert rings.queue.last_avail == rings.advance(rings.next, len(found))
        parts = [sum(n for _, n, write in expected or () if write is wanted) for wanted in (False, True)]
        assert [chain.readable, chain.writable] == parts


@given(st.integers(1, 20), st.integers(0, 60), st.integers(1, 20), st.integers(0, 40), st.booleans())
def test_an_interrupt_is_sent_when_the_place_is_used(size, start, pushed, ahead, idle):
    """2.8.10: when the descriptor at the place, in the lap of its wrap counter, is one of those that were just used."""
    pushed, ahead = min(pushed, size), ahead % (2 * size)
    rings = PackedRings(pure, size, event_idx=True)
    chain = pure.Chain(1)

    def push():
        rings.offer((rings.data, 0, 0))
        rings.queue.pop(chain)
        rings.queue.push(chain, 0)

    for _ in range(start):
        push()
    rings.queue.signal()
    place = rings.next
    for _ in range(ahead):
        place = rings.advance(place)
    rings.set_driver_event(DESC, place)
    for _ in range(0 if idle else pushed):
        push()
    assert rings.queue.signal() == (not idle and ahead < pushed)
