# SPDX-License-Identifier: MIT
"""PackedQueue against virtio 1.3, 2.8: what is taken, refused and why, returned and signalled."""

from hal import edge
from support import raises
from unit.hal.packed_rings import AVAIL, DESC, DISABLE, ENABLE, USED, WRAP, PackedRings
from unit.hal.rings import BASE, INDIRECT, NEXT, POOL, WRITE
from unit.hal.twins import for_twins

HUGE = 1 << 70


@for_twins
def test_an_empty_ring(twin):
    rings = PackedRings(twin)
    assert rings.queue.pop(twin.Chain(4)) == twin.EMPTY
    assert not rings.queue.pending()
    assert (rings.queue.last_avail, rings.queue.in_flight, rings.queue.size) == (WRAP, 0, 8)


@for_twins
def test_a_request_and_its_reply(twin):
    rings = PackedRings(twin)
    data = rings.data
    rings.pool.write(data, b"abcdefgh")
    rings.offer((data, 3, 0), (data + 3, 5, 0), (data + 64, 4, WRITE), (data + 128, 8, WRITE), buffer_id=0xBEEF)
    chain, out = twin.Chain(4), bytearray(12)
    assert rings.queue.pending()
    assert rings.queue.pop(chain, out) == twin.TAKEN
    assert (chain.head, chain.readable, chain.writable, chain.segments) == (0xBEEF, 8, 12, 4)
    assert bytes(out) == b"abcdefgh\0\0\0\0"
    assert (rings.queue.last_avail, rings.queue.in_flight) == (4 | WRAP, 1)
    assert not rings.queue.pending()
    rings.queue.push(chain, 6, b"uvwxyz..")
    assert bytes(rings.memory[data + 64 : data + 69]) == b"uvwx\0"
    assert bytes(rings.memory[data + 128 : data + 131]) == b"yz\0"
    assert (rings.returned(4), rings.returned(), rings.queue.in_flight) == ((0xBEEF, 6, True), None, 0)


@for_twins
def test_a_used_descriptor_tells_whether_anything_was_written(twin):
    rings, chain = PackedRings(twin), twin.Chain(1)
    for n in (0, 1):
        rings.offer((rings.data, 4, WRITE), buffer_id=n)
        assert rings.queue.pop(chain) == twin.TAKEN
        rings.queue.push(chain, n)
        assert rings.returned() == (n, n, n > 0)


@for_twins
def test_the_ring_goes_round_with_any_size(twin):
    for size in (1, 2, 3, 5, 8, 12, 255, 256):
        rings, chain = PackedRings(twin, size), twin.Chain(3)
        for n in range(5 * size):
            slots = min(1 + n % 3, size)
            rings.offer(*[(rings.data, 4, WRITE)] * slots, buffer_id=n)
            assert rings.queue.pop(chain) == twin.TAKEN, (size, n)
            assert (chain.head, chain.segments, rings.queue.last_avail) == (n, slots, rings.next)
            assert not rings.queue.pending()
            rings.queue.push(chain, n & 3)
            assert rings.returned(slots) == (n, n & 3, n & 3 > 0), (size, n)
            assert rings.returned() is None


@for_twins
def test_lists_return_in_any_order(twin):
    rings = PackedRings(twin, size=6)
    for lap in range(5):
        rings.offer((rings.data, 4, WRITE), buffer_id=10)
        rings.offer((rings.data, 4, 0), (rings.data, 4, WRITE), buffer_id=11)
        rings.offer((rings.data, 4, 0), (rings.data, 4, 0), (rings.data, 4, WRITE), buffer_id=12)
        chains = [twin.Chain(3) for _ in range(3)]
        assert [rings.queue.pop(chain) for chain in chains] == [twin.TAKEN] * 3, lap
        assert rings.queue.in_flight == 3
        for i in (1, 2, 0):
            rings.queue.push(chains[i], i)
        assert [rings.returned(slots) for slots in (2, 3, 1)] == [(11, 1, True), (12, 2, True), (10, 0, False)]
    assert rings.queue.in_flight == 0


@for_twins
def test_the_same_id_twice_is_the_drivers_business(twin):
    rings, chains = PackedRings(twin), [twin.Chain(1), twin.Chain(1)]
    for chain in chains:
        rings.offer((rings.data, 4, WRITE), buffer_id=7)
        assert rings.queue.pop(chain) == twin.TAKEN
    for chain in chains:
        rings.queue.push(chain, 0)
        assert rings.returned() == (7, 0, False)


@for_twins
def test_an_indirect_list(twin):
    rings = PackedRings(twin)
    table, data = rings.data + 0x105, rings.data + 0x401  # any alignment
    rings.pool.write(data, b"request")
    entries = ((data, 7, NEXT | INDIRECT | AVAIL | 0x100), (data + 16, 9, WRITE))  # WRITE is the only flag there, 2.8.7
    rings.memory[table : table + 32] = b"\xff" * 32
    aligned = rings.table(rings.data, *entries)
    rings.memory[table : table + 32] = rings.memory[rings.data : rings.data + 32]
    rings.offer((table, aligned[1], INDIRECT | WRITE), buffer_id=5)  # where the table is, WRITE is ignored
    chain, out = twin.Chain(2), bytearray(7)
    assert rings.queue.pop(chain, out) == twin.TAKEN
    assert bytes(out) == b"request"
    assert (chain.head, chain.readable, chain.writable, chain.segments) == (5, 7, 9, 2)
    rings.queue.push(chain, 9)
    assert rings.returned(1) == (5, 9, True)


def malformed(twin, reason, *pieces, segments=8, indirect=True):
    """Offer the pieces as one list: the reason is given, it can be returned, and the queue goes on after it."""
    rings = PackedRings(twin, indirect=indirect)
    rings.table(rings.data, *[(rings.data, 1, 0)] * 9)
    rings.offer(*pieces, buffer_id=9)
    rings.offer((rings.data, 4, WRITE), buffer_id=6)
    chain, out = twin.Chain(segments), bytearray(b"untouched")
    assert rings.queue.pop(chain, out) == twin.MALFORMED
    assert rings.queue.reason == reason, (rings.queue.reason, reason)
    assert bytes(out) == b"untouched"
    assert (chain.head, chain.readable, chain.writable, chain.segments) == (9, 0, 0, 0)
    raises(ValueError, rings.queue.push, chain, 1)
    rings.queue.push(chain, 0)
    assert rings.returned(len(pieces)) == (9, 0, False)
    assert rings.queue.pop(chain) == twin.TAKEN
    rings.queue.push(chain, 4)
    assert (rings.returned(), rings.queue.in_flight) == ((6, 4, True), 0)


@for_twins
def test_a_buffer_outside_the_pool_is_malformed_wherever_it_stands_in_its_list(twin):
    good = (0x800, 4, 0)
    for off, length in (
        (-1, 1),
        (POOL, 1),
        (POOL - 1, 2),
        (0, POOL + 1),
        (-BASE, 1),
        ((1 << 64) - BASE - 1, 0xFFFFFFFF),
    ):
        bad = (off, length, 0)
        for pieces in ((bad,), (bad, good, good), (good, bad, good), (good, good, bad)):
            malformed(twin, twin.REASON_ADDRESS, *pieces)


@for_twins
def test_readable_after_writable_is_malformed(twin):
    malformed(twin, twin.REASON_ORDER, (0x800, 1, WRITE), (0x800, 1, 0), (0x800, 1, WRITE))
    malformed(twin, twin.REASON_ORDER, (0x800, 0, WRITE), (0x800, 0, 0))


@for_twins
def test_a_list_longer_than_the_room_for_it_is_malformed(twin):
    piece, rings = (0x800, 1, 0), PackedRings(twin)
    malformed(twin, twin.REASON_TOO_LONG, piece, piece, piece, segments=2)
    malformed(twin, twin.REASON_TOO_LONG, (rings.data, 9 * 16, INDIRECT), segments=256)


@for_twins
def test_a_list_is_of_one_kind_only(twin):
    rings, piece = PackedRings(twin), (0x800, 1, 0)
    table = (rings.data, 16, INDIRECT)
    for pieces in ((table, piece), (piece, table), (piece, table, piece), (table, table)):
        malformed(twin, twin.REASON_INDIRECT_NEXT, *pieces)


@for_twins
def test_a_bad_indirect_table_is_malformed(twin):
    for off, length in ((0x200, 0), (0x200, 15), (0x200, 17), (POOL - 16, 32), (POOL, 16), (-16, 32), (0, 0xFFFFFFF0)):
        malformed(twin, twin.REASON_TABLE, (off, length, INDIRECT))
    malformed(twin, twin.REASON_UNNEGOTIATED, (0x200, 16, INDIRECT), indirect=False)


@for_twins
def test_an_empty_descriptor_may_have_any_address(twin):
    rings, chain = PackedRings(twin), twin.Chain(3)
    rings.offer((-1, 0, 0), (rings.data, 4, 0), (1 << 40, 0, WRITE))
    assert rings.queue.pop(chain) == twin.TAKEN
    assert (chain.readable, chain.writable, chain.segments) == (4, 0, 3)


def broken(twin, rings, reason):
    chain = twin.Chain(8)
    before = rings.queue.last_avail, rings.queue.in_flight
    assert rings.queue.pending()
    assert rings.queue.pop(chain) == twin.BROKEN
    assert rings.queue.reason == reason, rings.queue.reason
    assert not rings.queue.pending()  # or whoever watches it would never sleep
    assert (rings.queue.last_avail, rings.queue.in_flight) == before
    assert (chain.readable, chain.segments) == (0, 0)
    raises(ValueError, rings.queue.push, chain, 0)
    assert rings.queue.pop(chain) == twin.BROKEN


@for_twins
def test_a_list_that_goes_on_where_nothing_is_available_breaks_the_ring(twin):
    for flags in (0, AVAIL | USED, USED):
        rings = PackedRings(twin)
        rings.put(rings.data, 4, NEXT)
        rings.put(rings.data, 4, WRITE, wrap=flags)
        broken(twin, rings, twin.REASON_UNAVAILABLE)


@for_twins
def test_a_list_longer_than_the_ring_breaks_it(twin):
    rings = PackedRings(twin)
    for _ in range(8):
        rings.put(rings.data, 4, NEXT)
    broken(twin, rings, twin.REASON_INDEX)


@for_twins
def test_a_list_that_runs_into_descriptors_of_the_device_breaks_the_ring(twin):
    rings = PackedRings(twin, size=4)
    rings.offer((rings.data, 4, 0), (rings.data, 4, 0))
    assert rings.queue.pop(twin.Chain(4)) == twin.TAKEN
    for _ in range(3):
        rings.put(rings.data, 4, NEXT)
    broken(twin, rings, twin.REASON_INDEX)


@for_twins
def test_descriptors_that_are_with_the_device_are_not_taken_again(twin):
    rings = PackedRings(twin, size=2)
    for _ in range(2):
        rings.offer((rings.data, 4, WRITE))
        assert rings.queue.pop(twin.Chain(1)) == twin.TAKEN
    assert not rings.queue.pending()
    rings.offer((rings.data, 4, WRITE))
    broken(twin, rings, twin.REASON_INDEX)


@for_twins
def test_flags_of_another_lap_are_not_available(twin):
    rings, chain = PackedRings(twin, size=2), twin.Chain(1)
    for flags in (0, AVAIL | USED, USED):
        rings.describe(0, rings.data, 4, flags)
        assert not rings.queue.pending()
        assert rings.queue.pop(chain) == twin.EMPTY
    for _ in range(2):
        rings.offer((rings.data, 4, WRITE))
        rings.queue.pop(chain)
        rings.queue.push(chain, 0)
    for flags in (0, AVAIL | USED, AVAIL):
        rings.describe(0, rings.data, 4, flags)
        assert not rings.queue.pending()
    rings.describe(0, rings.data, 4, USED)
    assert rings.queue.pop(chain) == twin.TAKEN


@for_twins
def test_a_chain_of_another_queue_is_let_go_when_the_ring_breaks(twin):
    first, second = PackedRings(twin), PackedRings(twin)
    first.offer((first.data, 4, WRITE))
    chain = twin.Chain(8)
    assert first.queue.pop(chain) == twin.TAKEN
    second.put(second.data, 4, NEXT)
    assert second.queue.pop(chain) == twin.BROKEN
    raises(ValueError, first.queue.push, chain, 0)


def push_some(rings, twin, count, slots=1):
    """Take and return `count` lists, one after the other."""
    chain = twin.Chain(slots)
    for _ in range(count):
        rings.offer(*[(rings.data, 4, WRITE)] * slots)
        assert rings.queue.pop(chain) == twin.TAKEN
        rings.queue.push(chain, 0)


@for_twins
def test_signals_by_flags(twin):
    for event_idx in (False, True):
        rings = PackedRings(twin, event_idx=event_idx)
        assert not rings.queue.signal()
        push_some(rings, twin, 2)
        assert rings.queue.signal()
        assert not rings.queue.signal()
        rings.set_driver_event(DISABLE, 2 | WRAP)
        push_some(rings, twin, 1)
        assert not rings.queue.signal()
        rings.set_driver_event(ENABLE)
        assert not rings.queue.signal()  # it was decided when it was asked
        push_some(rings, twin, 1)
        assert rings.queue.signal()


@for_twins
def test_a_place_that_was_not_negotiated_asks_for_every_interrupt(twin):
    rings = PackedRings(twin, event_idx=False)
    rings.set_driver_event(DESC, 6 | WRAP)
    push_some(rings, twin, 1)
    assert rings.queue.signal()


@for_twins
def test_the_reserved_value_and_bits_of_the_flags_do_not_suppress(twin):
    rings = PackedRings(twin, event_idx=True)
    for flags in (3, 0xFFFC):
        rings.set_driver_event(flags)
        push_some(rings, twin, 1)
        assert rings.queue.signal()


@for_twins
def test_signals_at_a_place(twin):
    for size in (1, 3, 8):
        for slots in (1, min(2, size)):
            rings = PackedRings(twin, size, event_idx=True)
            for _ in range(4 * size):
                wanted = rings.used
                rings.set_driver_event(DESC, wanted)
                push_some(rings, twin, 1, slots)
                assert rings.queue.signal(), (size, slots)
                push_some(rings, twin, 1, slots)
                assert not rings.queue.signal() or 2 * slots > size, (size, slots)
                rings.used = rings.next


@for_twins
def test_a_place_ahead_is_not_reached_before_its_lap(twin):
    rings = PackedRings(twin, size=4, event_idx=True)
    rings.set_driver_event(DESC, 1)  # descriptor 1 of the second lap
    for expected in (False, False, False, False, False, True, False):
        push_some(rings, twin, 1)
        assert rings.queue.signal() == expected


@for_twins
def test_an_event_out_of_range_does_no_harm(twin):
    rings = PackedRings(twin, size=4, event_idx=True)
    for place in (0x7FFF, 0xFFFF, 5, 5 | WRAP):
        rings.set_driver_event(DESC, place)
        push_some(rings, twin, 1)
        rings.queue.signal()


@for_twins
def test_arming(twin):
    rings, events = PackedRings(twin), PackedRings(twin, event_idx=True)
    push_some(events, twin, 3)
    for queue in (rings.queue, events.queue):
        queue.disarm()
    assert (rings.device_event()[0], events.device_event()) == (DISABLE, (0, 0))
    for queue in (rings.queue, events.queue):
        queue.arm()
    assert (rings.device_event()[0], events.device_event()) == (ENABLE, (DESC, 3 | WRAP))


@for_twins
def test_areas_of_a_queue_are_checked(twin):
    pool = twin.Window(bytearray(POOL), POOL)
    good = [pool, BASE, 8, BASE, BASE + 128, BASE + 132, False, False]
    twin.PackedQueue(*good)
    twin.PackedQueue(pool, BASE, 7, BASE + POOL - 112, BASE, BASE + POOL - 116, True, True)
    for position, values in (
        (1, (-1, HUGE, (1 << 64) - POOL + 16, BASE + 8)),
        (2, (0, 257, 512, -8, HUGE)),
        (3, (BASE + 8, BASE - 16, BASE + POOL - 112, BASE + POOL, 0, -16, (1 << 64) - 16, HUGE)),
        (4, (BASE + 129, BASE + 130, BASE - 4, BASE + POOL, (1 << 64) - 4, HUGE)),
        (5, (BASE + 129, BASE + 130, BASE - 4, BASE + POOL, (1 << 64) - 4, HUGE)),
    ):
        for value in values:
            raises(ValueError, twin.PackedQueue, *(good[:position] + [value] + good[position + 1 :]))
    raises(TypeError, twin.PackedQueue, bytearray(POOL), *good[1:])
    for position in range(1, 6):
        raises(TypeError, twin.PackedQueue, *(good[:position] + [None] + good[position + 1 :]))


def test_a_queue_keeps_its_pool_alive():
    import gc

    rings = PackedRings(edge)
    rings.offer((rings.data, 4, WRITE))
    queue = rings.queue
    rings = None
    for _ in range(3):
        gc.collect()
        junk = [bytearray(POOL) for _ in range(8)]
        assert len(junk) == 8
    assert queue.pop(edge.Chain(1)) == edge.TAKEN
