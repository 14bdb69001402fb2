# SPDX-License-Identifier: MIT
"""Requests through a queue: what is answered, counted, refused, and when the driver is told."""

from driver import F_EVENT_IDX, F_INDIRECT_DESC, INDIRECT, NEXT, WRITE, Mirror, MirrorBackend, NoAnswer, Rig
from support import raises
from virtio.device import MAX_HELD
from virtio.layout import DEV_CONFIG_COUNT, RESULT_NEEDS_RESET


def mirror(wanted=None, size=None, backend=None):
    """Return (rig, device, driver) of a running Mirror."""
    device = Mirror(backend)
    rig = Rig(device)
    return rig, device, rig.drivers[0].begin(wanted, size)


def test_a_handler_that_is_called_for_nothing_does_nothing():
    _, device, driver = mirror()
    device.handler(0)()
    assert (device.returned, device.broken, driver.status) == (0, 0, 15)


def test_requests_of_every_shape():
    plain = 3 << 32
    for wanted in (plain, plain | F_EVENT_IDX, plain | F_INDIRECT_DESC, plain | F_EVENT_IDX | F_INDIRECT_DESC):
        _, device, driver = mirror(wanted, 4)
        for n in range(1, 60):
            data = bytes([i + n & 0xFF for i in range(n)])
            assert driver.request(data, 64, indirect=wanted & F_INDIRECT_DESC and n & 1) == data
        assert device.returned == 59


def test_a_chain_of_several_pieces():
    _, _, driver = mirror()
    ring = driver.queues[0]
    ring.add([b"ab", b"", b"cdefg"], [1, 0, 3, 9])
    ring.kick()
    driver.frontend.run()
    assert ring.poll()[0][1] == b"abcdefg"


def test_a_request_longer_than_the_buffers_is_told_its_length():
    seen = []

    class Noting(MirrorBackend):
        def handle(self, request, length, reply, room):
            seen.append((length, room))
            return super().handle(request, length, reply, room)

    driver = mirror(backend=Noting())[2]
    assert driver.request(bytes(1000), 2000) == bytes(256)
    assert seen == [(1000, 2000)]


def test_an_unanswerable_request_is_returned_empty_and_counted():
    _, device, driver = mirror()
    assert driver.request(b"", 8) == b""
    assert (device.returned, device.unanswerable) == (1, 1)


def test_a_backend_that_raises_costs_one_request():
    class Faulty(MirrorBackend):
        def handle(self, request, length, reply, room):
            if length == 3:
                raise KeyError("broken")
            return room + 1 if length == 5 else super().handle(request, length, reply, room)

    _, device, driver = mirror(backend=Faulty())
    assert driver.request(b"abc", 8) == b""
    assert driver.request(b"abcde", 8) == b""
    assert driver.request(b"abcd", 8) == b"abcd"
    assert (device.returned, device.failed, device.unanswerable) == (3, 2, 0)
    assert isinstance(device.error, ValueError)


def test_a_backend_is_told_of_features_and_resets():
    class Remembering(MirrorBackend):
        told = ()

        def activate(self, features):
            self.told += (features,)

        def reset(self):
            self.told += ("reset",)

    _, device, driver = mirror(3 << 32 | 1, backend=Remembering())
    driver.reset()
    assert device.backend.told[-2:] == (3 << 32 | 1, "reset")


def test_a_malformed_chain_is_returned_empty_and_counted():
    _, device, driver = mirror()
    ring = driver.queues[0]
    wrong = (
        (0x1000, 16, 0, 0),  # outside the pool
        (ring.pool.base, 16, NEXT, 16),  # next descriptor outside the table
        (ring.pool.base, 16, NEXT, 5),  # a loop
        (ring.pool.base, 24, INDIRECT, 0),  # an indirect table of one and a half entries
    )
    for count, fields in enumerate(wrong):
        ring.describe(5, *fields)
        ring.offer(5)
        ring.kick()
        driver.frontend.run()
        assert ring.poll_raw() == [(5, 0)]
        assert (device.malformed, device.returned) == (count + 1, count + 1)
    assert driver.status == 15
    assert driver.request(b"abcd", 4) == b"abcd"


def test_readable_after_writable_is_malformed():
    _, device, driver = mirror()
    ring = driver.queues[0]
    ring.describe(3, ring.pool.base, 4, NEXT | WRITE, 4)
    ring.describe(4, ring.pool.base, 4, 0)
    ring.offer(3)
    ring.kick()
    driver.frontend.run()
    assert (ring.poll_raw(), device.malformed) == ([(3, 0)], 1)


def broken_ring(violate):
    """Violate the ring of a running device: it needs a reset, says so, and works again after it."""
    rig, device, driver = mirror()
    changes, ring = driver.load(DEV_CONFIG_COUNT), driver.queues[0]
    violate(ring)
    rig.doorbell.kick()
    rig.run()
    assert (driver.status, device.broken, driver.load(DEV_CONFIG_COUNT)) == (15 | 64, 1, changes + 1)
    assert driver.batch([(0x70, 4, 0, 0, 15)]) == (RESULT_NEEDS_RESET, 0)
    raises(NoAnswer, driver.request, b"abcd", 4)
    assert driver.begin().request(b"abcd", 4) == b"abcd"


def test_an_available_index_too_far_ahead_needs_a_reset():
    broken_ring(lambda ring: ring.pool.store(ring.avail + 2, "<H", ring.size + 1))


def test_a_head_outside_the_table_needs_a_reset():
    broken_ring(lambda ring: ring.offer(ring.size))


def test_a_broken_ring_disturbs_no_other_device():
    rig = Rig(Mirror(), Mirror())
    first, second = [driver.begin() for driver in rig.drivers]
    first.queues[0].offer(999)
    rig.doorbell.kick()
    rig.run()
    assert (first.status, second.status) == (79, 15)
    assert second.request(b"abcd", 4) == b"abcd"


def test_a_failure_before_driver_ok_is_not_announced():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    driver.must([(0x70, 4, 0, 0, 3)])
    rig.link.ports[0].fail()
    rig.run()
    assert (driver.status, driver.config_changes) == (3 | 64, 0)


def interrupts(wanted, prepare):
    """Return how many interrupts three requests at once give after `prepare(ring)`."""
    _, _, driver = mirror(wanted)
    ring = driver.queues[0]
    prepare(ring)
    before = driver.interrupts
    for _ in range(3):
        ring.add([b"abcd"], [4])
    ring.kick()
    driver.frontend.run()
    assert len(ring.poll()) == 3
    return driver.interrupts - before


def test_interrupts_follow_the_flag_of_the_available_ring():
    assert interrupts(3 << 32, lambda ring: ring.set_flags(0)) == 3
    assert interrupts(3 << 32, lambda ring: ring.set_flags(1)) == 0


def test_interrupts_follow_the_used_event():
    event = 3 << 32 | F_EVENT_IDX
    for after, expected in ((0, 1), (1, 1), (2, 1), (3, 0), (0xFFFF, 0)):
        assert interrupts(event, lambda ring, after=after: ring.want_interrupt_after(after)) == expected, after


def test_a_driver_that_sleeps_is_rung_and_one_that_is_awake_is_not():
    rig, _, driver = mirror()
    rung = rig.doorbell.rung
    driver.request(b"abcd", 4)
    assert rig.doorbell.rung == rung + 1
    driver.store(0xC4, 0)
    driver.request(b"abcd", 4)
    assert rig.doorbell.rung == rung + 1
    assert driver.interrupts == 2


def test_buffers_of_a_queue_that_is_not_served_just_wait():
    rig, device, driver = mirror()
    driver.queues[1].add([], [32])
    driver.queues[1].kick()
    rig.run()
    assert (driver.queues[1].poll(), device.returned) == ([], 0)


def test_a_queue_that_was_taken_back_is_not_served():
    _, device, driver = mirror()
    driver.must([(0x44, 4, 0, 0, 0)])
    raises(NoAnswer, driver.request, b"abcd", 4)
    assert device.returned == 0


def test_a_queue_may_stay_unused():
    driver = Rig(Mirror()).drivers[0]
    driver.reset()
    driver.negotiate()
    driver.enable_queues()
    assert driver.status == 15


def test_changed_configuration_is_announced_to_a_running_driver_only():
    rig = Rig(Mirror())
    driver, port = rig.drivers[0], rig.link.ports[0]
    port.change_config(4, b"\xaa\xbb")
    rig.run()
    assert (driver.config(4, 4), driver.config_changes) == (b"\xaa\xbb\x16\x17", 0)
    driver.begin()
    rung = rig.doorbell.rung
    port.change_config(7, b"\xcc")
    rig.run()
    assert (driver.config(4, 4), driver.config_changes, rig.doorbell.rung) == (b"\xaa\xbb\x16\xcc", 1, rung + 1)


def test_the_generation_is_odd_while_configuration_changes():
    rig = Rig(Mirror())
    sync, driver = rig.link.ports[0].sync, rig.drivers[0]
    seen = []
    page = sync.device_page

    class Watched:
        def __getattr__(self, name):
            return getattr(page, name)

        def write(self, offset, data):
            seen.append(driver.load(0xFC))
            page.write(offset, data)

    before = driver.load(0xFC)
    sync.device_page = Watched()
    rig.link.ports[0].change_config(0, b"\x01")
    rig.run()
    sync.device_page = page
    assert (before & 1, seen, driver.load(0xFC)) == (0, [before + 1], before + 2)


class Holding(MirrorBackend):
    """Holds the requests that begin with "h"."""

    def __init__(self):
        self.device = None
        self.held = []

    def handle(self, request, length, reply, room):
        if request[0] & 0xFF == ord("h"):
            held = self.device.hold()
            if held:
                self.held.append(held)
                return None
        return super().handle(request, length, reply, room)


def holding():
    """Return (rig, device, driver, backend) of a running Mirror that holds what begins with "h"."""
    backend = Holding()
    backend.device = device = Mirror(backend)
    rig = Rig(device)
    return rig, device, rig.drivers[0].begin(), backend


def put(driver, data):
    """Send a request without waiting for its answer."""
    driver.queues[0].add([data], [8])
    driver.queues[0].kick()
    driver.frontend.run()


def answers(driver):
    """Return the answers that have come."""
    return [bytes(data) for _, data in driver.queues[0].poll()]


def test_a_request_that_is_held_blocks_no_other():
    _, device, driver, backend = holding()
    put(driver, b"hold")
    assert driver.request(b"abcd", 8) == b"abcd"
    assert device.returned == 1 and len(backend.held) == 1 and backend.held[0].room == 8
    device.reply[0] = int.from_bytes(b"done", "little")
    backend.held[0].answer(4)
    assert answers(driver) == [b"done"] and device.returned == 2
    backend.held[0].answer(4)
    assert answers(driver) == [] and device.returned == 2, "once is enough"
    assert driver.request(b"abcd", 8) == b"abcd"


def test_a_request_that_is_held_and_answered_with_too_much_is_returned_empty():
    _, device, driver, backend = holding()
    put(driver, b"hold")
    backend.held[0].answer(9)
    assert answers(driver) == [b""] and (device.returned, device.failed) == (1, 1)
    assert isinstance(device.error, ValueError) and not backend.held[0].is_open()


def test_a_request_that_is_held_may_stay_unanswered():
    _, device, driver, backend = holding()
    put(driver, b"hold")
    backend.held[0].answer(-1)
    assert answers(driver) == [b""] and (device.returned, device.unanswerable) == (1, 1)


def test_what_is_held_is_bounded():
    _, device, driver, backend = holding()

    for _ in range(5):
        put(driver, b"hold")
    device._held += [None] * (MAX_HELD - 5)
    assert driver.request(b"hope", 8) == b"hope", "handled at once"
    device._held = device._held[:5]
    for held in backend.held:
        held.answer(0)
    assert answers(driver) == [b""] * 5 and device.returned == 6


def test_a_reset_takes_back_what_is_held():
    _, device, driver, backend = holding()
    put(driver, b"hold")
    driver = driver.begin()
    backend.held[0].answer(4)
    assert answers(driver) == [] and device.returned == 0
    assert driver.request(b"abcd", 8) == b"abcd"


def test_another_function_may_answer():
    _, device, driver = mirror()

    def shout(request, length, reply, room):
        reply[0] = int.from_bytes(b"HEY!", "little")
        return 4

    device.answer_with(shout)
    assert driver.request(b"abcd", 8) == b"HEY!"
    driver = driver.begin()
    assert driver.request(b"abcd", 8) == b"HEY!", "also after a reset"
    device.answer_with(None)
    assert driver.request(b"abcd", 8) == b"abcd"
    assert device.returned == 3
