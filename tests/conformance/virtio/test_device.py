# SPDX-License-Identifier: MIT
"""Virtio 1.3, 2.1 to 2.7, 3 and 5.4: what a device does with status, features and queues. One test per clause."""

from driver import F_EVENT_IDX, F_INDIRECT_DESC, INDIRECT, NEXT, WRITE, Mirror, Rig, features, status
from support import raises
from virtio.layout import DEV_CONFIG_COUNT, DEV_USED_COUNT, RESULT_BAD_STATE, RESULT_VETO
from virtio.rng import Rng

PLAIN = 3 << 32


def mirror(wanted=None, size=None):
    """Return (rig, device, driver) of a running Mirror."""
    device = Mirror()
    rig = Rig(device)
    return rig, device, rig.drivers[0].begin(wanted, size)


def exchange(driver, queue=0):
    """Let the device run; return the used elements."""
    driver.queues[queue].kick()
    driver.frontend.run()
    return driver.queues[queue].poll_raw()


def test_2_1_1_a_driver_must_not_clear_a_status_bit():
    driver = Rig(Mirror()).drivers[0]
    driver.must([status(3)])
    assert driver.batch([status(1)])[0] == RESULT_BAD_STATE


def test_2_1_1_after_failed_the_driver_must_reset():
    driver = Rig(Mirror()).drivers[0]
    driver.must([status(3 | 128)])
    assert driver.batch([status(11 | 128)])[0] == RESULT_BAD_STATE
    assert driver.begin().status == 15


def test_2_1_2_no_buffer_is_consumed_before_driver_ok():
    driver = Rig(Mirror()).drivers[0]
    driver.reset()
    driver.negotiate()
    driver.make_queues()
    entries = []
    for queue in driver.queues:
        entries += queue.entries()
    driver.must(entries)
    head = driver.queues[0].add([b"abcd"], [4])
    driver.frontend.ring()
    driver.frontend.run()
    assert (driver.queues[0].poll_raw(), driver.interrupts) == ([], 0)
    driver.must([status(15)])
    assert driver.queues[0].poll() == [(head, b"abcd")]


def test_2_1_2_needs_reset_after_driver_ok_sends_a_configuration_notification():
    rig, _, driver = mirror()
    before = driver.load(DEV_CONFIG_COUNT)
    rig.link.ports[0].fail()
    rig.run()
    assert (driver.status, driver.load(DEV_CONFIG_COUNT)) == (15 | 64, before + 1)


def test_2_2_2_features_ok_is_not_set_when_the_device_refuses():
    driver = Rig(Mirror()).drivers[0]
    driver.must([status(3)])
    assert driver.batch(features(PLAIN | 2) + [status(11)]) == (RESULT_VETO, 2)
    assert driver.status == 3


def test_2_4_1_a_reset_reinitialises_the_status():
    _, _, driver = mirror()
    driver.must([status(0)])
    assert driver.status == 0


def test_2_4_1_after_a_reset_the_device_neither_notifies_nor_touches_its_queues():
    rig, _, driver = mirror()
    ring, used = driver.queues[0], driver.load(DEV_USED_COUNT)
    driver.must([status(0)])
    ring.add([b"abcd"], [4])
    rig.doorbell.kick()
    rig.run()
    rig.link.ports[0].change_config(0, b"\x01")
    rig.run()
    assert (ring.poll_raw(), driver.load(DEV_USED_COUNT), driver.config_changes) == ([], used, 0)


def test_2_5_2_configuration_can_be_read_before_features_ok():
    assert Rig(Mirror()).drivers[0].config(0, 8) == b"\x10\x11\x12\x13\x14\x15\x16\x17"


def test_2_7_4_2_a_device_does_not_write_to_a_readable_buffer():
    _, _, driver = mirror()
    ring = driver.queues[0]
    address = ring.pool.load(ring.desc + 16 * ring.add([b"abcdefgh"], [8]), "<Q")[0]
    exchange(driver)
    assert ring.pool.read(address, 8) == b"abcdefgh"


def test_2_7_5_3_1_indirect_is_not_followed_unless_negotiated():
    _, device, driver = mirror(PLAIN | F_EVENT_IDX)
    head = driver.queues[0].add([b"abcd"], [4], True)
    assert exchange(driver) == [(head, 0)]
    assert device.malformed == 1


def test_2_7_5_3_1_no_indirect_descriptor_inside_an_indirect_table():
    _, device, driver = mirror()
    ring = driver.queues[0]
    table = ring.pool.take(32)
    ring.describe(0, table, 32, INDIRECT, 0, table)
    ring.describe(0, table, 32, INDIRECT)
    ring.offer(0)
    assert exchange(driver) == [(0, 0)]
    assert device.malformed == 1


def test_2_7_5_3_1_no_indirect_and_next_together():
    _, device, driver = mirror()
    ring = driver.queues[0]
    ring.describe(0, ring.pool.take(16), 16, INDIRECT | NEXT, 1)
    ring.offer(0)
    assert exchange(driver) == [(0, 0)]
    assert device.malformed == 1


def test_2_7_5_3_2_the_device_ignores_write_in_the_descriptor_of_an_indirect_table():
    _, _, driver = mirror()
    ring = driver.queues[0]
    head = ring.add([b"abcd"], [4], True)
    table = ring.pool.load(ring.desc + 16 * head, "<Q")[0]
    ring.describe(head, table, 32, INDIRECT | WRITE)
    assert exchange(driver) == [(head, 4)]


def test_2_7_5_3_2_ordinary_descriptors_may_precede_an_indirect_one():
    _, _, driver = mirror()
    ring = driver.queues[0]
    source, target = ring.pool.take(4), ring.pool.take(4)
    ring.pool.write(source, b"wxyz")
    table = ring.pool.take(16)
    ring.describe(0, target, 4, WRITE, 0, table)
    ring.describe(0, source, 4, NEXT, 1)
    ring.describe(1, table, 16, INDIRECT)
    ring.offer(0)
    assert exchange(driver) == [(0, 4)]
    assert ring.pool.read(target, 4) == b"wxyz"


def test_2_7_6_1_the_device_does_not_fault_on_an_event_index_that_was_not_negotiated():
    _, _, driver = mirror(PLAIN | F_INDIRECT_DESC)
    driver.queues[0].want_interrupt_after(0x1234)
    driver.request(b"abcd", 4)
    assert driver.interrupts == 1


def test_2_7_7_2_without_event_index_the_flag_suppresses_used_buffer_notifications():
    _, _, driver = mirror(PLAIN)
    driver.queues[0].set_flags(1)
    driver.request(b"abcd", 4)
    assert driver.interrupts == 0


def test_2_7_7_2_with_event_index_the_flag_is_ignored():
    _, _, driver = mirror(PLAIN | F_EVENT_IDX)
    driver.queues[0].set_flags(1)
    driver.request(b"abcd", 4)
    assert driver.interrupts == 1


def test_2_7_7_2_with_event_index_the_device_notifies_when_the_index_passes_used_event():
    _, _, driver = mirror(PLAIN | F_EVENT_IDX)
    ring = driver.queues[0]
    for used_event, expected in ((0, 1), (3, 0), (3, 0), (3, 1), (3, 0)):
        ring.want_interrupt_after(used_event)
        before = driver.interrupts
        ring.add([b"abcd"], [], True)
        ring.kick()
        driver.frontend.run()
        assert driver.interrupts - before == expected


def test_2_7_8_2_the_used_length_is_what_was_written():
    _, _, driver = mirror()
    assert [len(driver.request(bytes(n), 64)) for n in (1, 4, 63, 64, 100)] == [1, 4, 63, 64, 64]


def test_2_7_8_2_elements_and_indices_wrap():
    _, device, driver = mirror(None, 2)
    for n in range(70):
        assert driver.request(bytes([n]), 1) == bytes([n])
    assert (driver.queues[0].used_index(), device.returned) == (70, 70)


def test_2_7_10_2_a_device_at_rest_asks_for_notifications():
    for wanted in (PLAIN, PLAIN | F_EVENT_IDX):
        _, _, driver = mirror(wanted)
        ring = driver.queues[0]
        for n in range(5):
            ring.add([b"abcd"], [4])
            assert ring.kick(), "request {} goes unnoticed".format(n)
            driver.frontend.run()
            assert len(ring.poll()) == 1


def test_3_1_1_a_driver_follows_the_steps_of_initialisation():
    driver = Rig(Mirror()).drivers[0]
    driver.must([status(0)])
    for value in (1, 3):
        driver.must([status(value)])
    driver.must(features(PLAIN))
    driver.must([status(11)])
    driver.must([status(15)])
    assert driver.status == 15


def test_3_1_1_a_step_left_out_is_refused():
    for value in (2, 4, 8, 12):
        assert Rig(Mirror()).drivers[0].batch([status(value)])[0] == RESULT_BAD_STATE


def test_5_4_6_1_a_device_readable_buffer_gets_no_entropy():
    driver = Rig(Rng()).drivers[0].begin()
    assert driver.request(b"readable", 0) == b""


def test_5_4_6_2_at_least_one_random_byte_is_placed_in_the_buffer():
    driver = Rig(Rng()).drivers[0].begin()
    pieces = [driver.request(b"", room) for room in (1, 16, 16, 1000)]
    assert [len(piece) for piece in pieces] == [1, 16, 16, 256]
    assert pieces[1] != pieces[2]


def test_5_4_2_and_5_4_3_the_entropy_device_has_one_queue_and_no_features():
    rng = Rng()
    assert (rng.device_id, len(rng.queue_sizes), rng.features) == (4, 1, 0)
    driver = Rig(rng).drivers[0].begin()
    assert driver.offered() & 0xFFFFFF == 0
    raises(IndexError, driver.request, b"", 4, 1)
