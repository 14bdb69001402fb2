# SPDX-License-Identifier: MIT
"""Chain and SplitQueue against virtio 1.3, 2.7: what is taken, refused and why, returned and signalled."""

from array import array

from hal import edge
from support import raises
from unit.hal.rings import BASE, INDIRECT, NEXT, POOL, WRITE, Rings
from unit.hal.twins import for_twins

HUGE = 1 << 70


@for_twins
def test_an_empty_ring(twin):
    rings = Rings(twin)
    assert rings.queue.pop(twin.Chain(4)) == twin.EMPTY
    assert not rings.queue.pending()
    assert (rings.queue.last_avail, rings.queue.in_flight, rings.queue.size) == (0, 0, 8)


def request(rings):
    """Offer a chain of 3 + 5 readable and 4 + 8 writable bytes, head 1."""
    data = rings.data
    rings.pool.write(data, b"abcdefgh")
    rings.describe(1, data, 3, NEXT, 4)
    rings.describe(4, data + 3, 5, NEXT, 0)
    rings.describe(0, data + 64, 4, NEXT | WRITE, 7)
    rings.describe(7, data + 128, 8, WRITE)
    rings.offer(1)
    return data


@for_twins
def test_a_request_and_its_reply(twin):
    rings = Rings(twin)
    data = request(rings)
    chain = twin.Chain(4)
    out = array("I", [0, 0, 0])
    assert rings.queue.pending()
    assert rings.queue.pop(chain, out) == twin.TAKEN
    assert (chain.head, chain.readable, chain.writable, chain.segments) == (1, 8, 12, 4)
    assert (out[0], out[1], out[2]) == (0x64636261, 0x68676665, 0)
    assert (rings.queue.last_avail, rings.queue.in_flight) == (1, 1)
    assert not rings.queue.pending()
    rings.queue.push(chain, 6, b"uvwxyz..")
    assert bytes(rings.memory[data + 64 : data + 69]) == b"uvwx\0"
    assert bytes(rings.memory[data + 128 : data + 131]) == b"yz\0"
    assert (rings.returned(), rings.element(0), rings.queue.in_flight) == (1, (1, 6), 0)
    assert (chain.readable, chain.writable, chain.segments) == (0, 0, 0)


@for_twins
def test_gathering_stops_at_the_size_of_the_buffer(twin):
    rings = Rings(twin)
    request(rings)
    out = bytearray(5)
    chain = twin.Chain(4)
    assert rings.queue.pop(chain, out) == twin.TAKEN
    assert bytes(out) == b"abcde"
    assert chain.readable == 8


@for_twins
def test_a_chain_is_read_and_written_piece_by_piece(twin):
    rings = Rings(twin)
    data = request(rings)
    chain = twin.Chain(8)
    rings.queue.pop(chain)
    out = bytearray(b"........")
    assert chain.read(2, out, 4) == 4
    assert bytes(out) == b"cdef...."
    assert chain.read(6, out, 8) == 2
    assert bytes(out) == b"ghef...."
    assert chain.read(8, out, 8) == 0
    assert chain.read(HUGE, out, 8) == 0
    assert chain.write(3, b"123456", 6) == 6
    assert bytes(rings.memory[data + 64 : data + 68]) == b"\0\0\0" + b"1"
    assert bytes(rings.memory[data + 128 : data + 134]) == b"23456\0"
    assert chain.write(11, b"xy", 2) == 1
    assert chain.write(12, b"xy", 2) == 0
    rings.queue.push(chain, 12)
    assert rings.element(0) == (1, 12)
    assert chain.read(0, out, 8) == 0
    assert chain.write(0, out, 8) == 0


@for_twins
def test_arguments_of_a_chain(twin):
    rings = Rings(twin)
    request(rings)
    chain = twin.Chain(8)
    rings.queue.pop(chain)
    out = bytearray(4)
    for n in (5, -1, HUGE):
        raises(ValueError, chain.read, 0, out, n)
        raises(ValueError, chain.write, 0, out, n)
    raises(IndexError, chain.read, -1, out, 1)
    raises(IndexError, chain.write, -1, out, 1)
    raises(TypeError, chain.read, 0, bytes(4), 4)
    raises(TypeError, chain.write, 0, 7, 1)
    raises(TypeError, chain.read, None, out, 1)
    for segments in (0, -1, 257, HUGE):
        raises(ValueError, twin.Chain, segments)
    raises(TypeError, twin.Chain, "4")


@for_twins
def test_arguments_of_pop_and_push(twin):
    rings = Rings(twin)
    request(rings)
    queue, chain = rings.queue, twin.Chain(4)
    raises(TypeError, queue.pop, None)
    raises(TypeError, queue.pop, chain, bytes(4))
    raises(TypeError, queue.push, None, 0)
    raises(ValueError, queue.push, chain, 0)
    assert queue.pop(chain) == twin.TAKEN
    raises(ValueError, queue.pop, chain)
    for n in (13, -1, HUGE):
        raises(ValueError, queue.push, chain, n)
    raises(ValueError, queue.push, chain, 12, bytes(11))
    raises(TypeError, queue.push, chain, 0, 5)
    raises(TypeError, queue.push, chain, None)
    assert rings.returned() == 0
    assert queue.in_flight == 1
    queue.push(chain, 12, bytes(12))
    raises(ValueError, queue.push, chain, 0)
    assert rings.returned() == 1


@for_twins
def test_a_chain_of_another_queue_is_not_taken_back(twin):
    first, second = Rings(twin), Rings(twin)
    request(first)
    request(second)
    chain = twin.Chain(4)
    first.queue.pop(chain)
    raises(ValueError, second.queue.push, chain, 0)
    assert second.queue.pop(chain) == twin.TAKEN  # as after a reset, when the first queue is gone
    raises(ValueError, first.queue.push, chain, 0)
    second.queue.push(chain, 0)


@for_twins
def test_chains_return_in_any_order(twin):
    rings = Rings(twin)
    for head in range(3):
        rings.describe(head, rings.data, 4, WRITE)
    rings.offer(2, 0, 1)
    chains = [twin.Chain(1) for _ in range(3)]
    assert [rings.queue.pop(chain) for chain in chains] == [twin.TAKEN] * 3
    assert rings.queue.in_flight == 3
    for i in (1, 2, 0):
        rings.queue.push(chains[i], i)
    assert [rings.element(i) for i in range(3)] == [(0, 1), (1, 2), (2, 0)]
    rings.offer(0)
    assert rings.queue.pop(chains[0]) == twin.TAKEN


@for_twins
def test_an_indirect_chain(twin):
    rings = Rings(twin)
    table, data = rings.data, rings.data + 0x101  # any alignment of the buffers
    rings.pool.write(data, b"request")
    rings.describe(0, data, 7, NEXT, 2, table)
    rings.describe(2, data + 16, 9, WRITE, 0, table)
    rings.describe(5, table, 48, INDIRECT | WRITE)  # the WRITE flag is ignored, 2.7.5.3.2
    rings.offer(5)
    chain, out = twin.Chain(2), bytearray(7)
    assert rings.queue.pop(chain, out) == twin.TAKEN
    assert bytes(out) == b"request"
    assert (chain.head, chain.readable, chain.writable, chain.segments) == (5, 7, 9, 2)


@for_twins
def test_an_unaligned_indirect_table(twin):
    rings = Rings(twin)
    rings.describe(0, 0x800, 5, WRITE, 0, rings.data)
    rings.memory[rings.data + 0x103 : rings.data + 0x113] = rings.memory[rings.data : rings.data + 16]
    rings.describe(0, rings.data + 0x103, 16, INDIRECT)
    rings.offer(0)
    chain = twin.Chain(1)
    assert rings.queue.pop(chain) == twin.TAKEN
    assert chain.writable == 5


@for_twins
def test_descriptors_before_an_indirect_one(twin):
    rings = Rings(twin)
    rings.describe(0, rings.data + 64, 4, WRITE, 0, rings.data)
    rings.describe(1, rings.data + 128, 3, NEXT, 2)
    rings.describe(2, rings.data, 16, INDIRECT)
    rings.offer(1)
    chain = twin.Chain(2)
    assert rings.queue.pop(chain) == twin.TAKEN
    assert (chain.readable, chain.writable) == (3, 4)


@for_twins
def test_an_empty_descriptor_may_have_any_address(twin):
    rings = Rings(twin)
    rings.describe(0, -1, 0, NEXT, 1)
    rings.describe(1, rings.data, 4, NEXT, 2)
    rings.describe(2, 1 << 40, 0, WRITE)
    rings.offer(0)
    chain, out = twin.Chain(3), bytearray(8)
    assert rings.queue.pop(chain, out) == twin.TAKEN
    assert (chain.readable, chain.writable, chain.segments) == (4, 0, 3)
    assert chain.write(0, b"x", 1) == 0
    rings.queue.push(chain, 0)


@for_twins
def test_the_last_byte_of_the_pool_is_inside(twin):
    rings = Rings(twin)
    rings.describe(0, POOL - 8, 8, WRITE)
    rings.offer(0)
    chain = twin.Chain(1)
    assert rings.queue.pop(chain) == twin.TAKEN
    rings.queue.push(chain, 8, b"the last")
    assert bytes(rings.memory[-8:]) == b"the last"


@for_twins
def test_a_pool_at_the_end_of_the_address_space(twin):
    base = (1 << 64) - POOL
    rings = Rings(twin, base=base)
    rings.describe(0, POOL - 4, 4, WRITE)
    rings.describe(1, POOL - 4, 0xFFFFFFFF, WRITE)
    rings.offer(0, 1)
    chain = twin.Chain(1)
    assert rings.queue.pop(chain) == twin.TAKEN
    rings.queue.push(chain, 4)
    assert rings.queue.pop(chain) == twin.MALFORMED
    assert rings.queue.reason == twin.REASON_ADDRESS


def malformed(twin, reason, build, segments=8, indirect=True):
    """Offer what `build(rings)` made with head 0: the reason is given, it can be returned, and the queue goes on."""
    rings = Rings(twin, indirect=indirect)
    build(rings)
    rings.describe(6, rings.data, 4, WRITE)
    rings.offer(0, 6)
    chain, out = twin.Chain(segments), bytearray(b"untouched")
    assert rings.queue.pop(chain, out) == twin.MALFORMED
    assert rings.queue.reason == reason
    assert bytes(out) == b"untouched"
    assert (chain.head, chain.readable, chain.writable, chain.segments) == (0, 0, 0, 0)
    raises(ValueError, rings.queue.push, chain, 1)
    rings.queue.push(chain, 0)
    assert rings.element(0) == (0, 0)
    assert rings.queue.pop(chain) == twin.TAKEN
    rings.queue.push(chain, 4)
    assert (rings.element(1), rings.queue.in_flight) == ((6, 4), 0)


@for_twins
def test_a_loop_is_malformed(twin):
    def to_itself(rings):
        rings.describe(0, rings.data, 1, NEXT, 0)

    def around(rings):
        for i in range(5):
            rings.describe(i, rings.data, 1, NEXT | WRITE, (i + 1) % 5)

    def in_the_table(rings):
        rings.describe(0, rings.data, 0, NEXT, 1, rings.data)
        rings.describe(1, rings.data, 0, NEXT, 0, rings.data)
        rings.describe(0, rings.data, 32, INDIRECT)

    for build in (to_itself, around, in_the_table):
        malformed(twin, twin.REASON_TOO_LONG, build)


@for_twins
def test_a_chain_longer_than_the_queue_or_the_room_for_it_is_malformed(twin):
    def long(rings):
        for i in range(9):
            rings.describe(i, rings.data, 1, NEXT if i < 8 else 0, i + 1, rings.data)
        rings.describe(0, rings.data, 9 * 16, INDIRECT)

    def three(rings):
        for i in range(3):
            rings.describe(i, rings.data, 1, NEXT if i < 2 else 0, i + 1)

    malformed(twin, twin.REASON_TOO_LONG, long, segments=256)
    malformed(twin, twin.REASON_TOO_LONG, three, segments=2)


@for_twins
def test_a_chain_as_long_as_the_queue(twin):
    rings = Rings(twin)
    for i in range(8):
        rings.describe(i, rings.data, 1, NEXT if i < 7 else 0, i + 1, rings.data)
    rings.describe(3, rings.data, 8 * 16, INDIRECT)
    rings.offer(3)
    chain = twin.Chain(8)
    assert rings.queue.pop(chain) == twin.TAKEN
    assert chain.segments == 8


@for_twins
def test_a_next_index_outside_the_table_is_malformed(twin):
    for index in (8, 255, 0xFFFF):

        def direct(rings):
            rings.describe(0, rings.data, 1, NEXT, index)  # noqa: B023

        def in_the_table(rings):
            rings.describe(0, rings.data, 1, NEXT, 2, rings.data)
            rings.describe(0, rings.data, 32, INDIRECT)

        malformed(twin, twin.REASON_NEXT, direct)
        malformed(twin, twin.REASON_NEXT, in_the_table)


@for_twins
def test_a_buffer_outside_the_pool_is_malformed(twin):
    for off, length in (
        (-1, 1),
        (-1, 2),
        (POOL, 1),
        (POOL - 1, 2),
        (POOL - 1, 0xFFFFFFFF),
        (0, POOL + 1),
        (-BASE, 1),
        ((1 << 64) - BASE - 1, 2),
        ((1 << 64) - BASE - 1, 0xFFFFFFFF),
        ((1 << 63) - BASE, 16),
    ):

        def build(rings):
            rings.describe(0, off, length, WRITE)  # noqa: B023

        malformed(twin, twin.REASON_ADDRESS, build)


@for_twins
def test_readable_after_writable_is_malformed(twin):
    def build(rings):
        rings.describe(0, rings.data, 1, NEXT | WRITE, 1)
        rings.describe(1, rings.data, 1)

    def empty(rings):
        rings.describe(0, rings.data, 0, NEXT | WRITE, 1)
        rings.describe(1, rings.data, 1)

    malformed(twin, twin.REASON_ORDER, build)
    malformed(twin, twin.REASON_ORDER, empty)


@for_twins
def test_indirect_that_was_not_negotiated_is_malformed(twin):
    def build(rings):
        rings.describe(0, rings.data, 4, WRITE, 0, rings.data)
        rings.describe(0, rings.data, 16, INDIRECT)

    malformed(twin, twin.REASON_UNNEGOTIATED, build, indirect=False)


@for_twins
def test_an_indirect_table_in_a_table_is_malformed(twin):
    def build(rings):
        rings.describe(0, rings.data, 16, INDIRECT, 0, rings.data)
        rings.describe(0, rings.data, 16, INDIRECT)

    malformed(twin, twin.REASON_NESTED, build)


@for_twins
def test_indirect_with_next_is_malformed(twin):
    def build(rings):
        rings.describe(0, rings.data, 16, INDIRECT | NEXT, 1)
        rings.describe(1, rings.data, 1)

    malformed(twin, twin.REASON_INDIRECT_NEXT, build)


@for_twins
def test_a_bad_indirect_table_is_malformed(twin):
    for off, length in (
        (0x200, 0),
        (0x200, 15),
        (0x200, 17),
        (POOL - 16, 32),
        (POOL, 16),
        (-16, 16),
        (-16, 32),
        (0, 0xFFFFFFF0),
        ((1 << 64) - BASE - 16, 32),
    ):

        def build(rings):
            rings.describe(0, off, length, INDIRECT)  # noqa: B023

        malformed(twin, twin.REASON_TABLE, build)


def broken(twin, reason, violate):
    rings = Rings(twin)
    for i in range(8):
        rings.describe(i, rings.data, 4, WRITE)
    rings.offer(3)
    chain = twin.Chain(1)
    assert rings.queue.pop(chain) == twin.TAKEN
    violate(rings)
    assert rings.queue.pending()
    second = twin.Chain(1)
    assert rings.queue.pop(second) == twin.BROKEN
    assert rings.queue.reason == reason
    assert not rings.queue.pending()  # or whoever watches it would never sleep
    assert (rings.queue.last_avail, rings.queue.in_flight) == (1, 1)
    raises(ValueError, rings.queue.push, second, 0)
    rings.offer(4)
    assert rings.queue.pop(second) == twin.BROKEN


@for_twins
def test_an_available_index_too_far_ahead_breaks_the_ring(twin):
    broken(twin, twin.REASON_INDEX, lambda rings: rings.pool.w16(rings.avail + 2, 10))
    broken(twin, twin.REASON_INDEX, lambda rings: rings.pool.w16(rings.avail + 2, 0))


@for_twins
def test_a_head_out_of_range_breaks_the_ring(twin):
    broken(twin, twin.REASON_HEAD, lambda rings: rings.offer(8))
    broken(twin, twin.REASON_HEAD, lambda rings: rings.offer(0xFFFF))


@for_twins
def test_a_head_that_is_out_already_breaks_the_ring(twin):
    broken(twin, twin.REASON_TWICE, lambda rings: rings.offer(3))


def test_indices_wrap_around():
    twin = edge  # the fastest there is: it takes 65536 chains
    rings = Rings(twin, size=4)
    rings.describe(1, rings.data, 4, WRITE)
    chain = twin.Chain(1)
    pop, push, offer = rings.queue.pop, rings.queue.push, rings.offer
    for i in range(65540):
        offer(1)
        if pop(chain) != twin.TAKEN:
            raise AssertionError(i)
        push(chain, i & 3)
    assert (rings.queue.last_avail, rings.returned(), rings.queue.in_flight) == (4, 4, 0)
    assert rings.element(65539) == (1, 3)


def push_some(rings, twin, count):
    """Take and return `count` chains, one after the other."""
    chain = twin.Chain(1)
    rings.describe(0, rings.data, 4, WRITE)
    for _ in range(count):
        rings.offer(0)
        assert rings.queue.pop(chain) == twin.TAKEN
        rings.queue.push(chain, 0)


@for_twins
def test_signals_by_flags(twin):
    rings = Rings(twin)
    assert not rings.queue.signal()
    push_some(rings, twin, 2)
    assert rings.queue.signal()
    assert not rings.queue.signal()
    rings.set_flags(1)
    push_some(rings, twin, 1)
    assert not rings.queue.signal()
    rings.set_flags(0)
    assert not rings.queue.signal()  # it was decided when it was asked
    push_some(rings, twin, 1)
    assert rings.queue.signal()


@for_twins
def test_signals_by_event_index(twin):
    rings = Rings(twin, event_idx=True)
    rings.set_flags(1)  # ignored with the event index, 2.7.7.2
    push_some(rings, twin, 1)
    assert rings.queue.signal()
    assert not rings.queue.signal()
    push_some(rings, twin, 1)
    assert not rings.queue.signal()  # used_event is still 0
    rings.set_used_event(4)
    push_some(rings, twin, 2)
    assert not rings.queue.signal()
    push_some(rings, twin, 1)
    assert rings.queue.signal()


def test_the_event_index_wraps_around():
    twin = edge
    rings = Rings(twin, size=2, event_idx=True)
    push_some(rings, twin, 65534)
    rings.queue.signal()
    rings.set_used_event(65535)
    push_some(rings, twin, 1)
    assert not rings.queue.signal()
    push_some(rings, twin, 1)
    assert (rings.returned(), rings.queue.signal()) == (0, True)
    rings.set_used_event(1)
    push_some(rings, twin, 1)
    assert not rings.queue.signal()
    push_some(rings, twin, 3)
    assert rings.queue.signal()


@for_twins
def test_arming_by_flags(twin):
    rings = Rings(twin)
    assert rings.used_flags() == 0
    rings.queue.disarm()
    assert rings.used_flags() == 1
    rings.queue.arm()
    assert rings.used_flags() == 0


@for_twins
def test_arming_by_event_index(twin):
    rings = Rings(twin, event_idx=True)
    push_some(rings, twin, 3)
    rings.queue.disarm()
    assert (rings.used_flags(), rings.avail_event()) == (0, 0)
    rings.queue.arm()
    assert (rings.used_flags(), rings.avail_event()) == (0, 3)


@for_twins
def test_areas_of_a_queue_are_checked(twin):
    pool = twin.Window(bytearray(POOL), POOL)
    good = [pool, BASE, 8, BASE, BASE + 128, BASE + 152, False, False]
    twin.SplitQueue(*good)
    for position, values in (
        (1, (-1, HUGE, (1 << 64) - POOL + 16, BASE + 8)),
        (2, (0, 3, 512, -8, HUGE)),
        (3, (BASE + 8, BASE - 16, BASE + POOL - 112, BASE + POOL, 0, -16, (1 << 64) - 16, HUGE)),
        (4, (BASE + 129, BASE - 2, BASE + POOL - 20, (1 << 64) - 2, HUGE)),
        (5, (BASE + 154, BASE - 4, BASE + POOL - 68, (1 << 64) - 4, HUGE)),
    ):
        for value in values:
            bad = good[:position] + [value] + good[position + 1 :]
            raises(ValueError, twin.SplitQueue, *bad)
    raises(TypeError, twin.SplitQueue, bytearray(POOL), *good[1:])
    for position in range(1, 6):
        raises(TypeError, twin.SplitQueue, *(good[:position] + [None] + good[position + 1 :]))


@for_twins
def test_the_areas_may_touch_the_end_of_the_pool(twin):
    pool = twin.Window(bytearray(512), 512)
    queue = twin.SplitQueue(pool, BASE, 4, BASE + 448, BASE, BASE + 16, True, True)
    assert not queue.pending()


@for_twins
def test_a_queue_keeps_its_pool_alive(twin):
    import gc

    rings = Rings(twin)
    rings.describe(0, rings.data, 4, WRITE)
    rings.offer(0)
    queue = rings.queue
    rings = None
    for _ in range(3):
        gc.collect()
        junk = [bytearray(POOL) for _ in range(8)]
        assert len(junk) == 8
    chain = twin.Chain(1)
    assert queue.pop(chain) == twin.TAKEN
