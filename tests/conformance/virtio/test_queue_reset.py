# SPDX-License-Identifier: MIT
"""Virtio 1.3, 2.6.1 and 4.2.2, and docs/transport.md, 6.9: a queue is reset alone. One test per clause."""

from driver import F_RING_PACKED, F_RING_RESET, Mirror, NoAnswer, Rig, entry
from scmi.device import ScmiDevice
from scmi_client import header
from scmi_example import SENSOR, platform
from support import raises
from virtio.layout import (
    DEV_QUEUE_READY,
    DEV_QUEUE_RESET,
    DEV_QUEUE_STRIDE,
    DEV_QUEUES,
    REG_QUEUE_READY,
    REG_QUEUE_RESET,
    REG_QUEUE_SEL,
    REG_QUEUE_SIZE,
    RESULT_BAD_SELECTOR,
    RESULT_BAD_STATE,
    RESULT_BAD_VALUE,
    RESULT_OK,
)

PLAIN = 3 << 32
LAYOUTS = (PLAIN | F_RING_RESET, PLAIN | F_RING_RESET | F_RING_PACKED)


def mirror(wanted, size=None):
    """Return (rig, device, driver) of a running Mirror."""
    device = Mirror()
    rig = Rig(device)
    return rig, device, rig.drivers[0].begin(wanted, size)


def words(driver, index=0):
    """Return (ready, reset) of a queue, as the device page shows them."""
    at = DEV_QUEUES + index * DEV_QUEUE_STRIDE
    return driver.load(at + DEV_QUEUE_READY), driver.load(at + DEV_QUEUE_RESET)


def test_2_6_1_1_a_queue_that_was_reset_is_neither_served_nor_touched():
    for wanted in LAYOUTS:
        rig, device, driver = mirror(wanted)
        ring = driver.queues[0]
        assert driver.request(b"abcd", 4) == b"abcd"
        driver.must([entry(REG_QUEUE_RESET, 1)])
        before, interrupts = bytes(rig.memory[rig.shared_at :]), driver.interrupts
        ring.add([b"abcd"], [4])
        offered = bytes(rig.memory[rig.shared_at :])
        rig.doorbell.kick()
        rig.run()
        assert offered != before and bytes(rig.memory[rig.shared_at :]) == offered
        assert (device.returned, driver.interrupts, driver.status) == (1, interrupts, 15)


def test_2_6_1_1_requests_in_flight_end_with_the_reset():
    for wanted in LAYOUTS:
        rig, device, driver = mirror(wanted)
        held = []

        def hold(request, length, reply, room):
            held.append(device.hold())  # noqa: B023

        device.answer_with(hold)
        driver.queues[0].add([b"abcd"], [4])
        driver.queues[0].kick()
        rig.run()
        driver.reset_queue(0)
        device.answer_with(None)
        driver.enable_queue(0)
        before = bytes(rig.memory)
        assert not held[0].is_open()
        held[0].answer(4)
        assert bytes(rig.memory) == before
        assert driver.request(b"wxyz", 4) == b"wxyz"


def test_2_6_1_2_a_queue_can_be_enabled_again_with_another_size_and_place():
    for wanted in LAYOUTS:
        _, device, driver = mirror(wanted, 4)
        for n, size in enumerate((16, 2, 8)):
            driver.reset_queue(0)
            assert words(driver) == (0, 1)
            driver.frontend.pool.take(48)
            driver.enable_queue(0, size)
            assert words(driver) == (1, 0)
            for i in range(20):
                assert driver.request(bytes([i]), 4) == bytes([i])
            assert device.returned == 20 * (n + 1)


def test_2_6_1_2_what_waits_in_a_queue_is_served_when_it_is_enabled():
    for wanted in LAYOUTS:
        rig, _, driver = mirror(wanted)
        driver.reset_queue(0)
        ring = driver.queues[0] = driver.make_queue(0)
        head = ring.add([b"abcd"], [4])
        driver.must(ring.entries())
        rig.run()
        assert ring.poll() == [(head, b"abcd")]


def test_2_6_1_the_state_of_a_queue_is_the_default_one():
    _, _, driver = mirror(LAYOUTS[1], 4)
    ready = [entry(REG_QUEUE_RESET, 1), entry(REG_QUEUE_READY, 1)]
    assert driver.batch(ready) == (RESULT_BAD_VALUE, 1)  # its areas are at address 0, outside of the pool
    assert words(driver) == (1, 0)
    rig, _, driver = mirror(LAYOUTS[0], 4)
    driver.reset_queue(0)
    assert rig.link.ports[0].registers.state.queues[0].size == 16


def test_6_9_reset_and_enabled_in_one_batch():
    for wanted in LAYOUTS:
        rig, device, driver = mirror(wanted)
        old = driver.queues[0]
        new = driver.make_queue(0, 8)
        driver.must([entry(REG_QUEUE_RESET, 1)] + new.entries())
        driver.queues[0] = new
        assert words(driver) == (1, 0)
        old.add([b"abcd"], [4])
        rig.doorbell.kick()
        rig.run()
        assert device.returned == 0
        assert driver.request(b"abcd", 4) == b"abcd"


def test_6_9_the_other_queues_and_devices_go_on():
    first, second = Mirror(), Mirror()
    rig = Rig(first, second)
    one, two = [driver.begin(LAYOUTS[1]) for driver in rig.drivers]
    one.reset_queue(0)
    assert two.request(b"abcd", 4) == b"abcd"
    assert words(one, 1) == (1, 0)


def test_6_9_the_queue_of_events_is_reset_while_commands_are_answered():
    for wanted in LAYOUTS:
        device = ScmiDevice(platform().agents["trusted"])
        rig = Rig(device)
        driver = rig.drivers[0].begin(wanted | 1)
        for _ in range(3):
            driver.reset_queue(1)
            assert len(driver.request(header(SENSOR, 0).to_bytes(4, "little"), 12)) == 12
            driver.enable_queue(1)
            driver.queues[1].add([], [64])
            driver.queues[1].kick()
            rig.run()
            assert (driver.status, driver.queues[1].poll()) == (15, [])


def test_6_9_without_the_feature_there_is_no_reset():
    _, _, driver = mirror(PLAIN)
    assert driver.batch([entry(REG_QUEUE_RESET, 1)]) == (RESULT_BAD_STATE, 0)
    assert driver.request(b"abcd", 4) == b"abcd"


def test_6_9_wrong_values_and_queues_are_refused():
    _, _, driver = mirror(LAYOUTS[0])
    for value in (0, 2, 0xFFFFFFFF):
        assert driver.batch([entry(REG_QUEUE_RESET, value)]) == (RESULT_BAD_VALUE, 0)
    assert driver.batch([entry(REG_QUEUE_RESET, 1, 2)]) == (RESULT_BAD_SELECTOR, 0)
    driver.reset()
    driver.negotiate(3 << 32)
    assert driver.batch([entry(REG_QUEUE_RESET, 1)]) == (RESULT_BAD_STATE, 0)


def test_6_9_a_queue_that_was_taken_back_without_a_reset_stays_away():
    _, _, driver = mirror(LAYOUTS[0])
    driver.must([entry(REG_QUEUE_READY, 0)])
    assert words(driver) == (0, 0)
    assert driver.batch([entry(REG_QUEUE_SIZE, 4)]) == (RESULT_BAD_STATE, 0)
    driver.reset_queue(0)
    driver.enable_queue(0)
    assert driver.request(b"abcd", 4) == b"abcd"


def test_6_9_a_refused_batch_resets_nothing():
    _, _, driver = mirror(LAYOUTS[0])
    assert driver.batch([entry(REG_QUEUE_RESET, 1), entry(REG_QUEUE_RESET, 1, 9)]) == (RESULT_BAD_SELECTOR, 1)
    assert words(driver) == (1, 0)
    assert driver.request(b"abcd", 4) == b"abcd"


def test_4_2_2_1_a_reset_of_the_device_clears_the_queues_reset():
    _, _, driver = mirror(LAYOUTS[0])
    driver.must([entry(REG_QUEUE_RESET, 1)])
    assert words(driver) == (0, 1)
    driver.reset()
    assert words(driver) == (0, 0)


def test_4_2_2_1_the_register_is_read_back_where_accesses_trap():
    rig, _, _ = mirror(LAYOUTS[0])
    registers = rig.link.ports[0].registers
    for index in (1, 0):
        registers.write(REG_QUEUE_SEL, 4, index)
        assert registers.read(REG_QUEUE_RESET, 4) == 0
        registers.write(REG_QUEUE_RESET, 4, 1)
        assert (registers.read(REG_QUEUE_RESET, 4), registers.read(REG_QUEUE_READY, 4)) == (1, 0)
    registers.write(REG_QUEUE_SEL, 4, 2)
    assert registers.read(REG_QUEUE_RESET, 4) == 0


def test_a_driver_notices_a_queue_that_was_not_reset():
    rig, _, driver = mirror(LAYOUTS[0])

    def accept(entries):
        yield
        return RESULT_OK, 0

    rig.link.ports[0].registers.slices = accept
    raises(NoAnswer, driver.reset_queue, 0)
