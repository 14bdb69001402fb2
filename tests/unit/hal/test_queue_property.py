# SPDX-License-Identifier: MIT
"""Every descriptor table gets the verdict of an oracle that was written from virtio 1.3, 2.7.4 and 2.7.5 alone.

The oracle follows the chain with unbounded integers over a list of tuples, first collects all of it, then judges; it
shares no code with `hal.pure`.
"""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from hal import pure
from unit.hal.rings import BASE, POOL, Rings

NEXT, WRITE, INDIRECT = 1, 2, 4
SIZE = 8


@dataclass
class Descriptor:
    address: int
    length: int
    flags: int
    next: int


addresses = st.one_of(
    st.integers(BASE, BASE + POOL + 64),
    st.sampled_from([0, BASE - 1, BASE + POOL - 1, BASE + POOL, (1 << 64) - 1, (1 << 64) - 16, 1 << 63]),
    st.integers(0, (1 << 64) - 1),
)
lengths = st.one_of(st.integers(0, 64), st.sampled_from([POOL, POOL + 1, 0xFFFFFFFF, 1 << 31]))
descriptors = st.builds(
    Descriptor, addresses, lengths, st.integers(0, 7) | st.integers(0, 0xFFFF), st.integers(0, 9) | st.just(0xFFFF)
)
tables = st.lists(descriptors, min_size=SIZE, max_size=SIZE)


def inside(address, length):
    """Does [address, address + length) lie in the pool?"""
    return address >= BASE and address + length <= BASE + POOL


def follow(direct, indirect, indirect_address, negotiated):
    """Return the data descriptors of the chain that begins at index 0, or None if it cannot be followed to its end."""
    found, table, index, nested = [], direct, 0, False
    while len(found) <= SIZE:
        if index >= len(table):
            return None
        descriptor = table[index]
        if descriptor.flags & INDIRECT:
            whole = descriptor.length and descriptor.length % 16 == 0 and inside(descriptor.address, descriptor.length)
            if nested or not negotiated or descriptor.flags & NEXT or not whole:
                return None
            assert descriptor.address == indirect_address, "the generator points indirect descriptors at its table"
            table, index, nested = indirect[: descriptor.length // 16], 0, True
            continue
        found.append(descriptor)
        if not descriptor.flags & NEXT:
            return found
        index = descriptor.next
    return None


def judge(found, room):
    """Return (readable, writable) parts, or None if the chain is malformed."""
    if found is None or len(found) > min(SIZE, room):
        return None
    order = [bool(descriptor.flags & WRITE) for descriptor in found]
    if order != sorted(order) or not all(inside(d.address, d.length) for d in found if d.length):
        return None
    readable = [d for d in found if not d.flags & WRITE]
    return readable, found[len(readable) :]


def content(memory, segments):
    """Return the bytes of segments, by the driver's addresses."""
    return b"".join(memory[d.address - BASE : d.address - BASE + d.length] for d in segments if d.length)


@settings(max_examples=400, deadline=None)
@given(tables, tables, st.booleans(), st.integers(1, 10), st.integers(0, 200), st.data())
def test_every_chain_gets_the_verdict_of_the_oracle(direct, indirect, negotiated, room, size, data):
    rings = Rings(pure, SIZE, indirect=negotiated)
    rings.memory[rings.data :] = bytes((7 * i) & 0xFF for i in range(POOL - rings.data))
    table = rings.data
    for descriptor in direct:
        if descriptor.flags & INDIRECT:
            descriptor.length = data.draw(st.sampled_from([16, 32, 64, 128, 0, 8, 17, POOL]))
            descriptor.address = BASE + table
    for at, rows in ((table, indirect), (0, direct)):
        for i, d in enumerate(rows):
            rings.describe(i, d.address - BASE, d.length, d.flags, d.next, at)
    expected = judge(follow(direct, indirect, BASE + table, negotiated), room)
    rings.offer(0)
    before = bytes(rings.memory)
    chain, buffer = pure.Chain(room), bytearray(size)
    result = rings.queue.pop(chain, buffer)
    assert result == (pure.MALFORMED if expected is None else pure.TAKEN)
    assert (rings.queue.last_avail, rings.queue.in_flight) == (1, 1)
    if expected is None:
        assert chain.readable == chain.writable == chain.segments == 0
        return
    readable, writable = expected
    assert chain.readable == sum(d.length for d in readable)
    assert chain.writable == sum(d.length for d in writable)
    wanted = content(before, readable)[:size]
    assert bytes(buffer) == wanted + bytes(size - len(wanted))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 40), st.integers(0, 0xFFFF))
def test_the_event_index_follows_the_formula_of_the_specification(start, event, pushed, other):
    """2.7.10: (u16)(new - event - 1) < (u16)(new - old)."""
    rings = Rings(pure, SIZE, event_idx=True)
    rings.queue._pushed = pushed
    rings.set_flags(other)
    rings.set_used_event(event)
    rings.queue._used_index = (start + pushed) & 0xFFFF
    crossed = any((start + i) & 0xFFFF == event for i in range(pushed))
    assert rings.queue.signal() == crossed
