# SPDX-License-Identifier: MIT
"""Virtio 1.3, 2.8: what a device does with packed queues. One test per clause."""

from driver import F_EVENT_IDX, F_INDIRECT_DESC, F_RING_PACKED, INDIRECT, NEXT, WRITE, Mirror, PackedRing, Rig, status
from driver.packed import AVAIL, DESC, DISABLE, ENABLE, USED, WRAP
from virtio.layout import RESULT_BAD_VALUE
from virtio.rng import Rng

PLAIN = 3 << 32 | F_RING_PACKED


def mirror(wanted=PLAIN, size=None):
    """Return (rig, device, driver) of a running Mirror."""
    device = Mirror()
    rig = Rig(device)
    return rig, device, rig.drivers[0].begin(wanted, size)


def exchange(driver):
    """Let the device run; return the used descriptors."""
    driver.queues[0].kick()
    driver.frontend.run()
    return driver.queues[0].poll_raw()


def test_2_8_the_layout_is_negotiated():
    rig = Rig(Mirror())
    for wanted, packed in ((PLAIN, True), (3 << 32, False), (PLAIN, True)):
        driver = rig.drivers[0].begin(wanted)
        assert isinstance(driver.queues[0], PackedRing) == packed
        assert driver.request(b"abcd", 4) == b"abcd"


def test_2_8_1_wrap_counters_start_at_1_and_change_with_every_lap():
    for size in (1, 2, 3, 7, 16):
        _, device, driver = mirror(PLAIN, size)
        ring = driver.queues[0]
        for n in range(4 * size + 3):
            if size > 1:
                assert driver.request(bytes([n]), 1) == bytes([n])
            else:
                ring.add([], [1])
                assert exchange(driver) == [(0, 0)]
                ring._retire(0)
        assert device.returned == 4 * size + 3
        assert ring.next_used == ring.next_avail


def test_2_8_3_a_used_descriptor_says_with_write_whether_there_is_data():
    _, _, driver = mirror()
    ring = driver.queues[0]
    for data, expected in ((b"", 0), (b"ab", WRITE)):
        at = ring.desc + 16 * (ring.next_avail & ~WRAP)
        ring.add([data] if data else [], [4])
        exchange(driver)
        assert ring.pool.load(at + 14, "<H")[0] == AVAIL | USED | expected


def test_2_8_5_a_list_is_as_long_as_the_queue_at_most():
    _, device, driver = mirror(PLAIN, 4)
    ring = driver.queues[0]
    ring.add([b"a", b"b", b"c"], [4])
    ring.kick()
    driver.frontend.run()
    assert ring.poll() == [(0, b"abc")]
    piece = (ring.pool.take(4), 1, NEXT)
    ring.offer(*[piece] * 4)
    driver.frontend.ring()
    driver.frontend.run()
    assert (driver.status, device.broken) == (15 | 64, 1)


def test_2_8_6_the_id_of_a_list_is_that_of_its_last_descriptor():
    _, _, driver = mirror()
    ring = driver.queues[0]
    source, target = ring.pool.take(4), ring.pool.take(4)
    ring.pool.write(source, b"wxyz")
    ring.offer((source, 4, NEXT), (target, 4, WRITE), buffer_id=0xABCD)
    ring.describe(0, source, 4, NEXT | AVAIL, 0x1111)
    ring._chains[0xABCD] = ((), None, 2)
    assert exchange(driver) == [(0xABCD, 4)]
    assert ring.pool.read(target, 4) == b"wxyz"


def test_2_8_6_nothing_is_taken_before_the_first_descriptor_is_available():
    _, device, driver = mirror()
    ring = driver.queues[0]
    place = ring.next_avail & ~WRAP
    at = ring.pool.take(4)
    ring.describe(place + 1, at, 4, WRITE | AVAIL, 5)
    ring.describe(place, at, 4, NEXT)
    driver.frontend.ring()
    driver.frontend.run()
    assert (device.returned, driver.status) == (0, 15)
    ring.describe(place, at, 4, NEXT | AVAIL)
    ring._chains[5] = ((), None, 2)
    driver.frontend.ring()
    driver.frontend.run()
    assert ring.poll_raw() == [(5, 4)]


def test_2_8_7_only_write_counts_in_an_indirect_table():
    _, _, driver = mirror(PLAIN | F_INDIRECT_DESC)
    ring = driver.queues[0]
    source, target, table = ring.pool.take(4), ring.pool.take(4), ring.pool.take(32)
    ring.pool.write(source, b"wxyz")
    ring.describe(0, source, 4, 0xFFFF & ~WRITE, 0xFFFF, table)
    ring.describe(1, target, 4, WRITE | INDIRECT, 0, table)
    ring.offer((table, 32, INDIRECT | WRITE), buffer_id=3)
    assert exchange(driver) == [(3, 4)]
    assert ring.pool.read(target, 4) == b"wxyz"


def test_2_8_10_without_event_index_the_flags_suppress_used_buffer_notifications():
    for event_idx in (0, F_EVENT_IDX):
        _, _, driver = mirror(PLAIN | event_idx)
        for flags, expected in ((ENABLE, 1), (DISABLE, 1), (ENABLE, 2)):
            driver.queues[0].set_flags(flags)
            driver.request(b"abcd", 4)
            assert driver.interrupts == expected


def test_2_8_10_with_event_index_the_device_notifies_when_the_place_is_used():
    _, _, driver = mirror(PLAIN | F_EVENT_IDX, 4)
    ring = driver.queues[0]
    places = [ring.advance(WRAP, n) for n in range(1, 9)]
    for place, expected in ((WRAP, 1), (places[2], 0), (places[2], 0), (places[2], 1), (places[5], 0), (places[5], 0)):
        ring.want_interrupt_after(place)
        before = driver.interrupts
        ring.add([b"abcd"], [])
        ring.kick()
        driver.frontend.run()
        assert driver.interrupts - before == expected
        ring.poll()


def test_2_8_10_a_device_at_rest_asks_for_notifications():
    for wanted in (PLAIN, PLAIN | F_EVENT_IDX):
        _, _, driver = mirror(wanted, 3)
        ring = driver.queues[0]
        for n in range(11):
            assert ring.device_event() == ((DESC, ring.next_avail) if wanted & F_EVENT_IDX else (ENABLE, 0))
            ring.add([b"ab"], [4])
            assert ring.kick(), "request {} goes unnoticed".format(n)
            driver.frontend.run()
            assert len(ring.poll()) == 1


def test_2_8_11_sizes_need_not_be_powers_of_two():
    for size in (3, 5, 12, 15):
        _, _, driver = mirror(PLAIN, size)
        assert driver.request(b"abcd", 4) == b"abcd"
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    driver.reset()
    driver.negotiate(3 << 32)
    assert driver.batch([(0x38, 4, 0, 0, 3)]) == (RESULT_BAD_VALUE, 0)


def test_2_8_12_lists_are_used_in_the_order_in_which_they_complete():
    rig, device, driver = mirror()
    ring, held = driver.queues[0], []

    def hold(request, length, reply, room):
        held.append(device.hold())

    device.answer_with(hold)
    ids = [ring.add([b"ab", b"cd"][: 1 + n % 2], [4]) for n in range(3)]
    ring.kick()
    rig.run()
    assert ring.poll() == []
    for n in (2, 0, 1):
        held[n].answer(n)
    assert [buffer_id for buffer_id, _ in ring.poll()] == [ids[2], ids[0], ids[1]]
    device.answer_with(None)
    assert driver.request(b"abcd", 4) == b"abcd"


def test_2_8_14_a_device_does_not_write_to_a_readable_buffer():
    _, _, driver = mirror()
    ring = driver.queues[0]
    address = ring.desc + 16 * (ring.next_avail & ~WRAP)
    ring.add([b"abcdefgh"], [8])
    buffer = ring.pool.load(address, "<Q")[0]
    exchange(driver)
    assert ring.pool.read(buffer, 8) == b"abcdefgh"


def test_2_8_19_no_indirect_descriptor_in_a_list_and_none_unless_negotiated():
    for wanted, pieces in (
        (PLAIN | F_INDIRECT_DESC, ((0, 16, INDIRECT | NEXT), (0, 4, 0))),
        (PLAIN | F_INDIRECT_DESC, ((0, 4, NEXT), (0, 16, INDIRECT))),
        (PLAIN, ((0, 16, INDIRECT),)),
    ):
        _, device, driver = mirror(wanted)
        ring = driver.queues[0]
        table = ring.pool.take(16)
        ring.describe(0, table, 4, 0, 0, table)
        ring.offer(*[(table, length, flags) for _, length, flags in pieces], buffer_id=7)
        ring._chains[7] = ((), None, len(pieces))
        assert exchange(driver) == [(7, 0)]
        assert device.malformed == 1
        assert driver.request(b"abcd", 4) == b"abcd"


def test_3_1_1_buffers_that_wait_are_served_at_driver_ok():
    driver = Rig(Mirror()).drivers[0]
    driver.reset()
    driver.negotiate(PLAIN)
    driver.make_queues()
    entries = []
    for queue in driver.queues:
        entries += queue.entries()
    driver.must(entries)
    buffer_id = driver.queues[0].add([b"abcd"], [4])
    driver.frontend.ring()
    driver.frontend.run()
    assert driver.queues[0].poll_raw() == []
    driver.must([status(15)])
    assert driver.queues[0].poll() == [(buffer_id, b"abcd")]


def test_5_4_6_the_entropy_device_on_a_packed_queue():
    driver = Rig(Rng()).drivers[0].begin(PLAIN)
    assert {len(driver.request(b"", 64)) for _ in range(200)} == {64}


def test_an_area_that_is_misaligned_or_outside_is_refused():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    for offset, wrong in ((0x80, 8), (0x90, 2), (0xA0, 1), (0x90, 1 << 30), (0xA0, 1 << 30)):
        driver.reset()
        driver.negotiate(PLAIN)
        driver.make_queues()
        entries = driver.queues[0].entries()
        bad = [(at, n, flags, sel, value + (wrong if at == offset else 0)) for at, n, flags, sel, value in entries]
        assert driver.batch(bad) == (RESULT_BAD_VALUE, 4)
