# SPDX-License-Identifier: MIT
"""docs/transport.md from the backend's side: one test per clause, named after it."""

from driver import INDIRECT, NEXT, WRITE, LinkBroken, Mirror, NoAnswer, Rig, entry, features, status
from hal.sim import Machine, SimDoorbell
from support import raises
from virtio import layout
from virtio.layout import (
    CAP_BALLOON,
    CAP_ECHO,
    CAP_HEARS_DOORBELL,
    CAP_HEARTBEAT,
    CAP_RINGS_DOORBELL,
    DEV_ACK,
    DEV_ACK_FE_EPOCH,
    DEV_ADVISED_TIMEOUT_MS,
    DEV_BE_EPOCH,
    DEV_BE_SLEEP,
    DEV_CAPABILITIES,
    DEV_CONFIG_COUNT,
    DEV_ECHO_REPLY,
    DEV_FEATURES,
    DEV_HEARTBEAT,
    DEV_HEARTBEAT_PERIOD_MS,
    DEV_MAGIC,
    DEV_NUM_QUEUES,
    DEV_QUEUE_STRIDE,
    DEV_QUEUES,
    DEV_RESULT,
    DEV_RESULT_INDEX,
    DEV_SHM,
    DEV_USED_COUNT,
    DEV_VERSION,
    DRV_BE_EPOCH,
    DRV_COUNT,
    DRV_ECHO_REQUEST,
    DRV_ENTRIES,
    DRV_FE_EPOCH,
    DRV_REQ,
    DRV_TOKEN,
    PAGE_SIZE,
    REG_CONFIG_GENERATION,
    REG_DEVICE_ID,
    REG_MAGIC_VALUE,
    REG_STATUS,
    REG_VENDOR_ID,
    REG_VERSION,
    RESULT_BAD_LENGTH,
    RESULT_BAD_OFFSET,
    RESULT_BAD_SELECTOR,
    RESULT_BAD_STATE,
    RESULT_BAD_VALUE,
    RESULT_MALFORMED,
    RESULT_NEEDS_RESET,
    RESULT_OK,
    RESULT_VETO,
)
from virtio.link import Link
from virtio.loop import Loop

NEGOTIATED = [status(3)] + features(3 << 32) + [status(11)]


def mirror():
    """Return (rig, device, driver) of a running Mirror."""
    device = Mirror()
    rig = Rig(device)
    return rig, device, rig.drivers[0].begin()


class Recorder:
    """A page (Window) that notes every store, by offset."""

    def __init__(self, page, notes):
        self._page = page
        self._notes = notes

    def __getattr__(self, name):
        method = getattr(self._page, name)
        if name not in ("w32", "store_release", "add_release", "fill", "write"):
            return method

        def noted(offset, *rest):
            self._notes.append((name, offset) + rest)
            return method(offset, *rest)

        return noted


def recorded(port, notes):
    """Have every store of `port` to its device page noted."""
    port.sync.device_page = Recorder(port.sync.device_page, notes)


def test_1_no_word_is_stored_by_both_sides():
    rig, _, driver = mirror()
    page = driver.driver_at, driver.driver_at + PAGE_SIZE
    before = bytes(rig.memory[page[0] : page[1]])
    rig.doorbell.kick()
    rig.run()
    rig.link.ports[0].change_config(0, b"\x01")
    rig.run()
    rig.link.ports[0].fail()
    rig.run()
    rig.start_backend(Mirror())
    assert bytes(rig.memory[page[0] : page[1]]) == before


def test_1_a_page_may_hold_anything_at_start():
    for byte in (0x00, 0x5A, 0xFF):
        rig = Rig(Mirror(), memory=bytearray(bytes([byte]) * 0x12000))
        assert rig.drivers[0].begin().request(b"abcd", 4) == b"abcd"


def test_2_the_device_page_is_a_read_shadow_of_the_registers():
    driver = Rig(Mirror()).drivers[0]
    shadow = [driver.load(offset) for offset in (REG_MAGIC_VALUE, REG_VERSION, REG_DEVICE_ID, REG_VENDOR_ID)]
    assert shadow[:3] == [0x74726976, 2, 0x7F] and shadow[3] != 0
    head = [driver.load(offset) for offset in (DEV_MAGIC, DEV_VERSION, DEV_NUM_QUEUES)]
    assert head == [layout.SYNC_MAGIC, 1, 2]
    offered = [driver.load(DEV_FEATURES + 4 * bank) for bank in range(8)]
    assert offered == [3 | 3 << 28, 1 | 2 | 4 | 16 | 256, 0, 0, 0, 0, 0, 0]
    assert 10 <= driver.load(DEV_ADVISED_TIMEOUT_MS) <= 5000
    queues = [driver.load(DEV_QUEUES + DEV_QUEUE_STRIDE * index) for index in range(4)]
    assert queues == [16, 8, 0, 0]


def test_2_absent_shared_memory_regions_have_length_minus_1():
    driver = Rig(Mirror()).drivers[0]
    for index in range(16):
        assert [driver.load(DEV_SHM + 16 * index + at) for at in (0, 4, 8, 12)] == [0xFFFFFFFF, 0xFFFFFFFF, 0, 0]


def test_2_shared_memory_regions_lie_one_after_another_and_begin_with_zeros():
    class Shared(Mirror):
        def shared_sizes(self):
            return {0: 1, 15: 0x1001}

    memory = bytearray(b"\xa5" * 0x18000)
    rig = Rig(Shared(), Shared(), memory=memory, shared=0x8000)
    assert [driver.shared(number) for driver in rig.drivers for number in (0, 1, 15)] == [
        (0, 0x1000),
        None,
        (0x1000, 0x2000),
        (0x3000, 0x1000),
        None,
        (0x4000, 0x2000),
    ]
    shm = rig.shared_bytes(rig.shared_base, 0x8000)
    assert not any(shm[:0x6000]) and shm[0x6000:] == b"\xa5" * 0x2000, "nothing but the regions is touched"


def test_2_what_is_not_named_is_0():
    driver = Rig(Mirror(), memory=bytearray(b"\xa5" * 0x12000)).drivers[0]
    for offset in (0x010, 0x034, 0x0B0, 0x108, 0x810, 0x850, 0x890, 0x8D0, 0x908, 0xCFC, 0xE00, 0xFFC):
        assert driver.load(offset) == 0, offset


def test_2_the_queues_say_whether_they_are_ready():
    _, _, driver = mirror()
    assert [driver.load(DEV_QUEUES + DEV_QUEUE_STRIDE * index + 4) for index in range(3)] == [1, 1, 0]
    driver.must([status(0)])
    assert [driver.load(DEV_QUEUES + DEV_QUEUE_STRIDE * index + 4) for index in range(3)] == [0, 0, 0]


def test_2_1_capabilities():
    bits = Rig(Mirror()).drivers[0].load(DEV_CAPABILITIES)
    assert bits == CAP_HEARS_DOORBELL | CAP_RINGS_DOORBELL | CAP_ECHO | CAP_HEARTBEAT | CAP_BALLOON


def test_4_9_the_backend_beats_with_its_period_and_rings_nobody():
    rig, _, driver = mirror()
    period = driver.load(DEV_HEARTBEAT_PERIOD_MS)
    assert 100 <= period <= 10_000
    rung = rig.doorbell.rung
    for beats in range(1, 4):
        assert driver.load(DEV_HEARTBEAT) == beats - 1
        rig.machine.advance(period)
        rig.run()
    driver.must([status(0)])
    beats = driver.load(DEV_HEARTBEAT)
    rig.machine.advance(10 * period)
    rig.run()
    assert driver.load(DEV_HEARTBEAT) == beats, "nobody uses it"
    assert rig.doorbell.rung == rung + 1, "the answer"


def test_4_9_four_looks_without_a_change_are_silence_and_nothing_follows():
    rig, _, driver = mirror()

    def pass_periods(count, beats):
        for _ in range(count):
            if beats:
                rig.frontend.beat()
            rig.machine.advance(driver.load(DEV_HEARTBEAT_PERIOD_MS))
            rig.run()
        return rig.link.heartbeat.describe()

    assert pass_periods(8, False) == "no heartbeat", "it need not beat"
    assert pass_periods(1, True) == pass_periods(3, False) == "alive"
    assert pass_periods(1, False) == "silent for 2000 ms"
    assert driver.request(b"abcd", 4) == b"abcd"
    assert pass_periods(1, True) == "alive"


def test_3_at_most_240_entries():
    driver = Rig(Mirror()).drivers[0]
    assert driver.batch([status(1)] * 240) == (RESULT_OK, 0)
    raises(NoAnswer, driver.batch, [status(1)] * 241)


def test_3_the_crc_is_over_header_and_entries():
    driver = Rig(Mirror()).drivers[0]
    for offset in (DRV_FE_EPOCH, DRV_ENTRIES + 8, DRV_COUNT):
        token = driver.publish([status(1)])
        driver.store(offset, driver.sent(offset) ^ 1)
        raises(NoAnswer, driver.wait, token)


def test_4_1_the_epoch_is_0_while_the_page_is_filled_and_stored_last():
    rig = Rig(Mirror(), Mirror())
    notes = [[], []]
    for port, note in zip(rig.link.ports, notes):
        recorded(port, note)
    rig.link.publish()
    for note in notes:
        assert note[0] == ("w32", DEV_BE_EPOCH, 0)
        assert note[-1] == ("w32", DEV_BE_EPOCH, rig.link.epoch)
        assert all(offset != DEV_BE_EPOCH for _, offset, *_ in note[2:-1])


def test_4_1_all_pages_of_a_link_have_one_epoch():
    rig = Rig(Mirror(), Mirror())
    first, second = rig.drivers
    assert first.load(DEV_BE_EPOCH) == second.load(DEV_BE_EPOCH) == rig.link.epoch != 0


def test_4_1_the_epoch_avoids_every_epoch_that_lies_in_the_pages():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    driver.must([status(1)])
    avoided = []

    class Noting(Machine):
        def nonce(self, avoid=()):
            avoided.extend(avoid)
            return super().nonce(avoid)

    rig.link._machine = Noting()
    lying_there = [driver.load(DEV_BE_EPOCH), driver.sent(DRV_BE_EPOCH), driver.sent(DRV_FE_EPOCH)]
    rig.link.publish()
    assert avoided == lying_there and rig.link.epoch not in lying_there


def test_4_1_the_backend_rings_every_link_after_it_has_published_all():
    machine = Machine()
    links, seen = [], []

    def on_ring():
        seen.append([link.devices[0][1].r32(DEV_BE_EPOCH) != 0 for link in links])

    loop = Loop(machine)
    for name in ("linux0", "linux1"):
        description = machine.add_link(name, [("mock", None)], doorbell=SimDoorbell(machine, on_ring=on_ring))
        links.append(description)
        loop.add(Link(description, machine)).add(Mirror(), description.devices[0][1], description.devices[0][2])
    loop.start()
    assert seen == [[True, True], [True, True]]


def test_4_1_the_backend_examines_every_page_at_start_without_being_rung():
    rig = Rig(Mirror())
    rig.doorbell.kick = lambda: None
    rig.drivers[0].publish([status(1)])
    rig.start_backend(Mirror())
    assert rig.link.ports[0].sync.unbelievable == 1


def test_4_1_the_pool_is_not_touched_before_driver_ok():
    rig = Rig(Mirror())
    pool, noise = 2 * PAGE_SIZE, b"\xa5" * (len(rig.memory) - 2 * PAGE_SIZE)
    rig.memory[pool:] = noise
    driver = rig.drivers[0]
    base = rig.BASE
    driver.must([status(0)])
    driver.must(NEGOTIATED)
    driver.must(
        [entry(0x38, 8), entry(0x80, base, 0, 8), entry(0x90, base + 0x100, 0, 8), entry(0xA0, base + 0x200, 0, 8)]
    )
    driver.must([entry(0x44, 1)])
    assert bytes(rig.memory[pool:]) == noise


def test_4_4_nothing_is_done_for_0_or_a_token_already_examined():
    rig = Rig(Mirror())
    driver, sync = rig.drivers[0], rig.link.ports[0].sync
    driver.must([status(1)])
    for value in (0, driver.sent(DRV_REQ)):
        driver.store(DRV_REQ, value)
        sync.examine()
    assert (sync.batches, sync.torn, sync.unbelievable) == (1, 0, 0)


def test_4_4_the_header_must_carry_the_token():
    rig = Rig(Mirror())
    driver, sync = rig.drivers[0], rig.link.ports[0].sync
    token = driver.publish([status(1)])
    driver.store(DRV_TOKEN, token ^ 1)
    raises(NoAnswer, driver.wait, token)
    assert (sync.torn, driver.status) == (1, 0)


def test_4_4_a_torn_copy_is_not_remembered_as_examined():
    rig = Rig(Mirror())
    driver, sync = rig.drivers[0], rig.link.ports[0].sync
    token = driver.publish([status(1)])
    driver.store(DRV_TOKEN, 0)
    sync.examine()
    driver.store(DRV_TOKEN, token)
    sync.examine()
    rig.doorbell.kick()
    rig.run()
    assert (sync.torn, driver.status, driver.load(DEV_ACK)) == (1, 1, token)


def test_4_4_a_batch_in_which_nothing_can_be_believed_gets_no_answer():
    for wrong in ({"layout": 2}, {"count": 241}, {"crc": 1}, {"fe_epoch": 0}, {"be_epoch": 1}):
        rig = Rig(Mirror())
        driver = rig.drivers[0]
        token = driver.publish([status(1)], **wrong)
        raises(NoAnswer, driver.wait, token, driver.load(DEV_BE_EPOCH))
        assert (rig.link.ports[0].sync.unbelievable, driver.status) == (1, 0)


def test_4_4_a_new_frontend_epoch_resets_all_devices_of_the_link_before_the_answer():
    rig = Rig(Mirror(), Mirror())
    for driver in rig.drivers:
        driver.begin()
    first, second = rig.start_frontend()
    notes = []
    for port in rig.link.ports:
        recorded(port, notes)
    first.must([status(1)])
    order = [offset for _, offset, *_ in notes if offset in (REG_STATUS, DEV_ACK)]
    assert order == [REG_STATUS, REG_STATUS, REG_STATUS, DEV_ACK]
    assert (first.status, second.status) == (1, 0)


def test_4_5_a_refused_entry_commits_nothing():
    driver = Rig(Mirror()).drivers[0]
    assert driver.batch(NEGOTIATED + [entry(0x38, 3)]) == (RESULT_BAD_VALUE, len(NEGOTIATED))
    assert driver.status == 0


def test_4_5_a_veto_commits_up_to_features_ok_without_the_bit():
    driver = Rig(Mirror()).drivers[0]
    assert driver.batch([status(3)] + features(2) + [status(11), status(15)]) == (RESULT_VETO, 3)
    assert driver.status == 3


class Unfit(Mirror):
    """Needs a reset again as soon as it was reset; it cannot be started."""

    def reset(self):
        super().reset()
        self.transport.fail()

    def activate(self, queues):
        raise KeyError("it should not have been started")


def test_4_5_a_device_that_needs_a_reset_again_after_that_of_a_batch_does_not_start():
    rig = Rig(Unfit())
    driver = rig.drivers[0]
    told = driver.config_changes
    assert driver.batch([status(0)] + NEGOTIATED + [status(15)]) == (RESULT_OK, 0)
    assert (driver.status, driver.config_changes, rig.loop.faults) == (15 | 64, told + 1, 0)


def test_4_5_a_batch_in_which_the_device_fails_is_answered():
    _, device, driver = mirror()

    def fail():
        raise KeyError("a fault in a device")

    device.reset = fail
    assert driver.batch([status(0)]) == (RESULT_NEEDS_RESET, 0)
    assert driver.status == 64
    del device.reset
    assert driver.begin().request(b"abcd", 4) == b"abcd"


def test_4_6_the_acknowledgement_is_stored_last_and_with_release():
    rig = Rig(Mirror())
    notes = []
    recorded(rig.link.ports[0], notes)
    rig.drivers[0].must([status(1)])
    names = [(name, offset) for name, offset, *_ in notes if offset != DEV_BE_SLEEP]
    assert names[-4:] == [
        ("w32", DEV_ACK_FE_EPOCH),
        ("w32", DEV_RESULT),
        ("w32", DEV_RESULT_INDEX),
        ("store_release", DEV_ACK),
    ]


def test_4_6_the_frontend_is_rung_if_it_may_sleep():
    rig = Rig(Mirror())
    rung = rig.doorbell.rung
    rig.drivers[0].must([status(1)])
    assert rig.doorbell.rung == rung + 1


def test_4_7_an_answer_of_another_backend_life_is_void():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    token = driver.publish([status(1)])
    rig.start_backend(Mirror())
    raises(LinkBroken, driver.wait, token)


def result(before, wrong):
    """Return the result of the entry `wrong` after the batch `before`."""
    driver = Rig(Mirror()).drivers[0]
    driver.must(before or [status(0)])
    return driver.batch(wrong)[0]


def test_5_result_1_ok():
    assert result([], [status(1)]) == RESULT_OK == 1


def test_5_result_2_veto():
    assert result([], [status(11)]) == RESULT_VETO == 2


def test_5_result_3_needs_reset():
    rig, _, driver = mirror()
    rig.link.ports[0].fail()
    rig.run()
    assert driver.batch([status(15)]) == (RESULT_NEEDS_RESET, 0)
    assert driver.batch([status(0)]) == (RESULT_OK, 0)
    assert driver.status == 0


def test_5_result_4_malformed():
    assert result([], []) == RESULT_MALFORMED == 4
    assert result([], [entry(REG_STATUS, 1, flags=128)]) == RESULT_MALFORMED


def test_5_result_5_bad_offset():
    for offset in (0x050, 0x064, 0x034, 0x104, 0x800):
        assert result(NEGOTIATED, [entry(offset, 0)]) == RESULT_BAD_OFFSET == 5


def test_5_result_6_bad_length():
    assert result([], [entry(REG_STATUS, 1, length=8)]) == RESULT_BAD_LENGTH == 6


def test_5_result_7_bad_selector():
    assert result([status(3)], [entry(0x20, 0, selector=8)]) == RESULT_BAD_SELECTOR == 7
    assert result(NEGOTIATED, [entry(0x38, 4, selector=2)]) == RESULT_BAD_SELECTOR


def test_5_result_8_bad_value():
    assert result([status(3)], [entry(0x20, 1 << 20)]) == RESULT_BAD_VALUE == 8
    assert result(NEGOTIATED, [entry(0x38, 7)]) == RESULT_BAD_VALUE
    for address in (0, Rig.BASE - 16, Rig.BASE + 8, Rig.BASE + 0xFFF0, 0xFFFFFFFFFFFFFFF0):
        assert result(NEGOTIATED + [entry(0x80, address, 0, 8)], [entry(0x44, 1)]) == RESULT_BAD_VALUE


def test_5_result_9_bad_state():
    assert result(NEGOTIATED, [status(3)]) == RESULT_BAD_STATE == 9
    assert result(NEGOTIATED, [entry(0x20, 0)]) == RESULT_BAD_STATE
    assert result([status(3)], [entry(0x100, 0)]) == RESULT_BAD_STATE


def test_5_status_0_is_the_first_entry_if_it_is_there_at_all():
    assert result([], [status(0), status(1)]) == RESULT_OK
    assert result([], [status(1), status(0)]) == RESULT_BAD_STATE


def test_5_needs_reset_in_a_written_status_is_ignored():
    driver = Rig(Mirror()).drivers[0]
    driver.must([status(1 | 64)])
    assert driver.status == 1


def test_6_access_platform_must_be_negotiated():
    assert result([status(3)] + features(1 << 32), [status(11)]) == RESULT_VETO


def test_6_1_the_flag_of_the_frontend_decides_whether_it_is_rung():
    rig, _, driver = mirror()
    driver.store(layout.DRV_FE_SLEEP, 0)
    rung = rig.doorbell.rung
    driver.request(b"abcd", 4)
    assert (rig.doorbell.rung, driver.interrupts) == (rung, 1)


def test_6_3_interrupts_are_counted_and_the_counters_are_never_set_back():
    _, _, driver = mirror()
    driver.request(b"abcd", 4)
    before = driver.load(DEV_USED_COUNT), driver.load(DEV_CONFIG_COUNT)
    driver.begin()
    assert (driver.load(DEV_USED_COUNT), driver.load(DEV_CONFIG_COUNT)) == before == (1, 0)


def test_6_5_a_spurious_doorbell_is_harmless():
    rig, device, driver = mirror()
    for _ in range(10):
        rig.doorbell.kick()
        rig.run()
    assert (device.returned, driver.interrupts, driver.status) == (0, 0, 15)


def test_6_5_one_doorbell_serves_every_device_of_the_link():
    rig = Rig(Mirror(), Mirror())
    rings = [driver.begin().queues[0] for driver in rig.drivers]
    for ring in rings:
        ring.add([b"abcd"], [4])
    rig.doorbell.kick()
    rig.run()
    assert [len(ring.poll()) for ring in rings] == [1, 1]


def malformed(*descriptors):
    """A chain of these descriptors (flags and so on as in `describe`) is returned with length 0 and counted."""
    rig, device, driver = mirror()
    ring = driver.queues[0]
    for index, fields in enumerate(descriptors):
        ring.describe(index, *fields)
    ring.offer(0)
    rig.doorbell.kick()
    rig.run()
    assert ring.poll_raw() == [(0, 0)]
    assert (device.malformed, device.returned, driver.status) == (1, 1, 15)
    assert device.broken == 0


def test_6_6_a_chain_that_leaves_the_pool():
    malformed((Rig.BASE - 1, 4))
    malformed((Rig.BASE + 0x10000 - 3, 4))
    malformed((0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF))


def test_6_6_a_chain_that_loops():
    malformed((Rig.BASE, 4, NEXT, 1), (Rig.BASE, 4, NEXT, 0))


def test_6_6_a_chain_longer_than_the_queue():
    rig, device, driver = mirror()
    ring = driver.queues[0]
    table = ring.pool.take(16 * (ring.size + 1))
    for index in range(ring.size + 1):
        ring.describe(index, Rig.BASE, 1, NEXT if index < ring.size else 0, index + 1, table)
    ring.describe(0, table, 16 * (ring.size + 1), INDIRECT)
    ring.offer(0)
    rig.doorbell.kick()
    rig.run()
    assert (ring.poll_raw(), device.malformed) == ([(0, 0)], 1)


def test_6_6_a_chain_with_a_readable_descriptor_after_a_writable_one():
    malformed((Rig.BASE, 4, NEXT | WRITE, 1), (Rig.BASE, 4))


def test_6_6_a_chain_with_a_bad_indirect_table():
    malformed((Rig.BASE, 24, INDIRECT))
    malformed((Rig.BASE, 0, INDIRECT))
    malformed((Rig.BASE - 16, 16, INDIRECT))


def test_6_6_a_malformed_ring_sets_needs_reset():
    for violate in (
        lambda ring: ring.pool.store(ring.avail + 2, "<H", ring.size + 1),
        lambda ring: ring.offer(ring.size),
        lambda ring: ring.offer(0xFFFF),
    ):
        rig, device, driver = mirror()
        violate(driver.queues[0])
        rig.doorbell.kick()
        rig.run()
        assert (driver.status, device.broken, device.returned) == (15 | 64, 1, 0)


def test_7_1_until_the_reset_no_queue_is_served():
    rig, device, driver = mirror()
    rung = rig.doorbell.rung
    rig.link.ports[0].fail()
    rig.run()
    assert (driver.config_changes, rig.doorbell.rung) == (1, rung + 1)
    raises(NoAnswer, driver.request, b"abcd", 4)
    assert device.returned == 0


def test_7_2_the_generation_is_odd_while_the_space_changes():
    rig, _, driver = mirror()
    notes = []
    recorded(rig.link.ports[0], notes)
    before = driver.load(REG_CONFIG_GENERATION)
    rig.link.ports[0].change_config(0, b"\x01")
    rig.run()
    stores = [(offset, rest) for _, offset, *rest in notes[:3]]
    assert (before & 1, stores[0], stores[2]) == (
        0,
        (REG_CONFIG_GENERATION, [before + 1]),
        (REG_CONFIG_GENERATION, [before + 2]),
    )
    assert stores[1][0] == layout.REG_CONFIG


class Open(Mirror):
    """The driver may write all of its configuration space."""

    def config_writable(self, offset, length):
        return True


def test_7_3_a_configuration_write_is_one_batch_after_features_ok():
    _, _, driver = mirror()
    driver.must([entry(0x100, 0x04030201)])
    assert driver.config(0, 4) == b"\x01\x02\x03\x04"


def test_7_3_a_configuration_write_has_1_2_4_or_8_bytes_and_is_naturally_aligned():
    for length in range(1, 10):
        for at in range(8):
            driver = Rig(Open()).drivers[0].begin()
            before = driver.config(0, 8)
            fits = length in (1, 2, 4, 8) and at % length == 0
            result = driver.batch([entry(0x100 + at, 0, length=length)])
            assert result == ((RESULT_OK, 0) if fits else (RESULT_BAD_LENGTH, 0)), (at, length)
            after = before[:at] + bytes(length) + before[at + length :] if fits else before
            assert driver.config(0, 8) == after, (at, length)


def test_7_4_at_driver_ok_all_queues_are_looked_at_without_a_kick():
    driver = Rig(Mirror()).drivers[0]
    driver.reset()
    driver.negotiate()
    driver.make_queues()
    driver.queues[0].add([b"abcd"], [4])
    driver.enable_queues()
    assert [reply for _, reply in driver.queues[0].poll()] == [b"abcd"]


def test_8_the_echo_is_answered_by_the_interrupt_handler():
    rig, _, driver = mirror()
    rig.machine.serve(None)
    for value in (1, 0xFFFFFFFF, 7):
        rung = rig.doorbell.rung
        driver.store(DRV_ECHO_REQUEST, value)
        rig.doorbell.kick()
        assert (driver.load(DEV_ECHO_REPLY), rig.doorbell.rung) == (value, rung + 1)


def test_8_an_echo_word_that_did_not_change_is_not_answered():
    rig, _, driver = mirror()
    driver.store(DRV_ECHO_REQUEST, 5)
    rig.doorbell.kick()
    rung = rig.doorbell.rung
    rig.doorbell.kick()
    assert rig.doorbell.rung == rung
