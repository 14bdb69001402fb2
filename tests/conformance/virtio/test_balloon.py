# SPDX-License-Identifier: MIT
"""docs/transport.md, 10, from the backend's side: one test per clause, named after it."""

from driver import F_RING_PACKED, INDIRECT, Mirror, Rig, entry, features, status
from driver.balloon import BLOCK, FrontendBalloon, answer, give, take
from support import raises
from virtio.layout import (
    CAP_BALLOON,
    DEV_CAPABILITIES,
    DEV_POOL_GIVEN,
    DEV_POOL_REQUEST,
    DEV_POOL_TARGET,
    PAGE_SIZE,
    REG_POOL_GIVE,
    RESULT_BAD_LENGTH,
    RESULT_BAD_OFFSET,
    RESULT_BAD_SELECTOR,
    RESULT_BAD_STATE,
    RESULT_BAD_VALUE,
    RESULT_MALFORMED,
    RESULT_NEEDS_RESET,
    RESULT_OK,
)
from virtio.loop import Loop

BLOCKS = 8
SPLIT = 3 << 32 | 3 << 28
PACKED = SPLIT | F_RING_PACKED


def negotiated(wanted):
    """Return the entries up to FEATURES_OK."""
    return [status(3)] + features(wanted) + [status(11)]


def running(*devices, keep=0, wanted=SPLIT):
    """Return (rig, frontend's side of the balloon, drivers) with devices at DRIVER_OK in a pool of BLOCKS blocks."""
    rig = Rig(*(devices or (Mirror(),)), pool_size=BLOCKS * BLOCK)
    for driver in rig.drivers:
        driver.begin(wanted)
    return rig, FrontendBalloon(rig.frontend, keep), rig.drivers


def ask(rig, blocks):
    """Have the backend ask for `blocks` in all."""
    rig.link.balloon.ask(blocks * BLOCK)


def test_10_1_nothing_is_asked_at_the_start():
    rig, frontend, (driver,) = running()
    assert driver.load(DEV_CAPABILITIES) & CAP_BALLOON
    assert (driver.load(DEV_POOL_TARGET), driver.load(DEV_POOL_REQUEST), frontend.given) == (0, 0, 0)
    assert not frontend.look()
    assert rig.link.balloon.describe() is None


def test_10_1_a_request_has_a_count_and_rings_a_frontend_that_may_sleep():
    rig, _, (driver,) = running()
    rung = rig.doorbell.rung
    for request, blocks in enumerate((3, 3, 0), 1):
        ask(rig, blocks)
        assert (driver.load(DEV_POOL_TARGET), driver.load(DEV_POOL_REQUEST)) == (blocks, request)
        assert rig.doorbell.rung == rung + request


def test_10_1_the_count_skips_0():
    rig, _, (driver,) = running()
    rig.link.balloon._request = 0xFFFFFFFF
    ask(rig, 1)
    assert driver.load(DEV_POOL_REQUEST) == 1


def test_10_1_only_what_the_pool_has_can_be_asked_for():
    rig, _, (driver,) = running()
    for size in (-1, BLOCKS * BLOCK + 1):
        raises(ValueError, rig.link.balloon.ask, size)
    rig.link.balloon.ask(2 * BLOCK - 1)
    assert (driver.load(DEV_POOL_TARGET), rig.link.balloon.target) == (1, BLOCK)


def test_10_2_the_pool_shrinks_and_grows_while_the_device_is_used():
    for wanted in (SPLIT, PACKED):
        rig, frontend, (driver,) = running(wanted=wanted)
        balloon = rig.link.balloon
        for blocks in (2, 5, 1, 0, 3):
            ask(rig, blocks)
            assert not balloon.is_answered
            assert frontend.look() and not frontend.look()
            assert (frontend.given, balloon.given, balloon.is_answered) == (blocks, blocks * BLOCK, True)
            assert sum(length for _, length in balloon.ranges()) == blocks * BLOCK
            assert driver.request(b"abcdefgh", 8, indirect=True) == b"abcdefgh"


def test_10_2_a_frontend_that_cannot_give_so_much_says_what_it_gave():
    rig, frontend, (driver,) = running(keep=3 * BLOCK)
    ask(rig, BLOCKS)
    frontend.look()
    assert (rig.link.balloon.given, rig.link.balloon.is_answered) == (4 * BLOCK, True), "the rings lie in one block"
    assert "256 of 512 KiB given back, 512 asked for, answered" in rig.link.balloon.describe()
    assert driver.request(b"abcd", 4) == b"abcd"


def test_10_2_nothing_follows_from_silence():
    rig, _, (driver,) = running()
    ask(rig, 4)
    assert driver.request(b"abcd", 4) == b"abcd"
    assert "not answered yet" in rig.link.balloon.describe()


def test_10_2_it_has_nothing_to_do_with_the_status_of_the_device():
    rig, _, (driver,) = running()
    ask(rig, 2)
    driver.must([give(1)])
    rig.link.ports[0].fail()
    rig.run()
    assert driver.batch([status(15)]) == (RESULT_NEEDS_RESET, 0)
    driver.must([give(2), answer(1)])
    driver.must([status(0)])
    assert rig.link.balloon.ranges() == [(BLOCK, 2 * BLOCK)]


def test_10_2_a_late_answer_to_an_earlier_request_is_none():
    rig, _, (driver,) = running()
    ask(rig, 2)
    ask(rig, 2)
    driver.must([answer(1)])
    assert not rig.link.balloon.is_answered
    driver.must([answer(2)])
    assert rig.link.balloon.is_answered


def test_10_2_an_answer_to_a_request_that_is_not_there_yet_is_none():
    rig, _, (driver,) = running()
    for request in (1, 2):
        driver.must([answer(request)])
        ask(rig, 2)
        assert not rig.link.balloon.is_answered
        driver.must([answer(request)])
        assert rig.link.balloon.is_answered


def test_10_2_only_the_page_of_the_first_device_and_no_other_entries():
    rig, _, (first, second) = running(Mirror(), Mirror())
    ask(rig, 2)
    assert second.batch([give(1)]) == (RESULT_BAD_OFFSET, 0)
    assert first.batch([give(1), status(15)]) == (RESULT_BAD_OFFSET, 1)
    assert first.batch([status(15), give(1)]) == (RESULT_BAD_OFFSET, 1)
    assert rig.link.balloon.given == 0


def test_10_3_what_is_refused():
    rig, _, (driver,) = running()
    assert driver.batch([give(1)]) == (RESULT_BAD_STATE, 0), "nobody asked"
    ask(rig, 4)
    driver.must([give(2, 2)])
    for item, result in (
        (give(4, flags=1), RESULT_MALFORMED),
        (entry(REG_POOL_GIVE + 4, 1), RESULT_BAD_OFFSET),
        (entry(REG_POOL_GIVE, 1), RESULT_BAD_LENGTH),
        (give(4, selector=1), RESULT_BAD_SELECTOR),
        (answer(1 << 32), RESULT_BAD_VALUE),
        (give(4, 0), RESULT_BAD_VALUE),
        (give(BLOCKS), RESULT_BAD_VALUE),
        (give(BLOCKS - 1, 2), RESULT_BAD_VALUE),
        (give(0xFFFFFFFF), RESULT_BAD_VALUE),
        (give(2), RESULT_BAD_VALUE),
        (give(3, 2), RESULT_BAD_VALUE),
        (give(0), RESULT_BAD_VALUE),
        (give(4, 3), RESULT_BAD_STATE),
        (give(1, 0xFFFFFFFF), RESULT_BAD_STATE),
        (take(3), RESULT_BAD_STATE),
    ):
        assert driver.batch([answer(1), item]) == (result, 1), (item, result)
    assert (rig.link.balloon.ranges(), rig.link.balloon.is_answered) == ([(2 * BLOCK, 2 * BLOCK)], False)
    assert rig.link.balloon.refused == 16
    assert driver.request(b"abcd", 4) == b"abcd"


def test_10_3_the_highest_blocks_are_taken_first():
    rig, _, (driver,) = running()
    ask(rig, 4)
    driver.must([give(2, 2), give(6), give(4)])
    ask(rig, 2)
    for wrong in (take(4), take(3), take(5, 2), take(6, 2), take(6, 0), take(0), take(1 << 20)):
        assert driver.batch([wrong]) == (RESULT_BAD_VALUE, 0), wrong
    assert driver.batch([take(6), take(3, 2)]) == (RESULT_BAD_STATE, 1)
    driver.must([take(6), take(4)])
    assert rig.link.balloon.ranges() == [(2 * BLOCK, 2 * BLOCK)]


class OneByOne(Loop):
    """A loop that calls one handler in a run."""

    def __init__(self, machine):
        super().__init__(machine, budget=1)


def overtaken(before, batch, asked):
    """Return (result, blocks given then) of `batch`; when its last entry was validated, `asked` blocks are asked for.

    `before`: (blocks asked for, entries) of what comes first.
    """
    rig = Rig(Mirror(), pool_size=BLOCKS * BLOCK, loop=OneByOne)
    driver, balloon = rig.drivers[0].begin(SPLIT), rig.link.balloon
    for blocks, entries in before:
        ask(rig, blocks)
        driver.must(entries)
    apply_one, validated = balloon._apply_one, []
    balloon._apply_one = lambda *args: validated.append(args) or apply_one(*args)
    token = driver.publish(batch)
    driver.ring()
    while len(validated) < len(batch):
        assert rig.machine.step()
    ask(rig, asked)
    return driver.wait(token), balloon.given // BLOCK


def test_10_3_the_target_at_the_commit_counts():
    assert overtaken([(2, [answer(1)])], [give(2), give(3)], 1) == ((RESULT_BAD_STATE, 0), 0)
    assert overtaken([(2, [answer(1)])], [give(2), give(3)], 5) == ((RESULT_OK, 0), 2)
    assert overtaken([(2, [give(2, 2)]), (0, [answer(2)])], [take(3), take(2)], 1) == ((RESULT_BAD_STATE, 0), 2)
    assert overtaken([(2, [give(2, 2)]), (1, [answer(2)])], [take(3)], 0) == ((RESULT_OK, 0), 1)


def place(desc, driver, device):
    """Return the entries that say where the areas of queue 0, of 8 descriptors, lie."""
    return [entry(0x38, 8), entry(0x80, desc, 0, 8), entry(0x90, driver, 0, 8), entry(0xA0, device, 0, 8)]


def test_10_3_no_block_with_a_ring_of_any_device_is_given():
    for wanted, sizes in ((SPLIT, (128, 22, 70)), (PACKED, (128, 4, 4))):
        rig, _, (first, second) = running(Mirror(), Mirror())
        second.must([status(0)])
        second.must(negotiated(wanted))
        ends = [rig.BASE + block * BLOCK for block in (4, 5, 6)]
        at = [end - (size + 15 & ~15) for end, size in zip(ends, sizes)]
        second.must(place(*at) + [entry(0x44, 1)])
        ask(rig, 4)
        for block in (3, 4, 5):
            assert first.batch([give(block)]) == (RESULT_BAD_VALUE, 0)
        first.must([give(6)])
        second.must([entry(0x44, 0)])
        first.must([give(3, 3)])


def test_10_4_a_ring_in_what_is_given_back_is_refused():
    rig, _, (first, second) = running(Mirror(), Mirror())
    second.must([status(0)])
    ask(rig, 1)
    first.must([give(4)])
    second.must(negotiated(SPLIT))
    good, bad = rig.BASE + 5 * BLOCK, rig.BASE + 5 * BLOCK - 64
    for areas in ((bad, good, good), (good, bad, good), (good, good, bad)):
        assert second.batch(place(*areas) + [entry(0x44, 1)]) == (RESULT_BAD_VALUE, 4)
    ask(rig, 0)
    first.must([take(4)])
    second.must(place(*areas) + [entry(0x44, 1)])


def lost(driver, address, length, flags=0):
    """Return what comes back of a chain of one descriptor."""
    ring = driver.queues[0]
    ring.describe(0, address, length, flags)
    ring.offer(0)
    ring.kick()
    driver.frontend.run()
    return ring.poll_raw()


def test_10_4_a_descriptor_that_points_there_is_malformed():
    rig, _, (driver,) = running()
    device = rig.link.ports[0].device
    ask(rig, 1)
    driver.must([give(4)])
    at = rig.BASE + 4 * BLOCK
    places = ((at, 16), (at - 8, 16), (at + BLOCK - 8, 16), (at - 8, BLOCK + 16), (rig.BASE, BLOCKS * BLOCK))
    for count, (address, length) in enumerate(places, 1):
        assert lost(driver, address, length) == [(0, 0)]
        assert device.malformed == count
    assert lost(driver, at, 16, INDIRECT) == [(0, 0)]
    assert device.malformed == len(places) + 1
    for address in (at - 16, at + BLOCK):
        assert lost(driver, address, 16) == [(0, 0)]
    assert device.malformed == len(places) + 1, "beside it lies the pool"
    ask(rig, 0)
    driver.must([take(4)])
    lost(driver, at, 16)
    assert device.malformed == len(places) + 1


class Later:
    """A backend that holds every chain."""

    def __init__(self):
        self.device = None
        self.held = []

    def handle(self, request, length, reply, room):
        self.held.append(self.device.hold())


def test_10_4_a_chain_that_is_out_is_not_written_there():
    backend = Later()
    backend.device = Mirror(backend)
    rig, _, (driver,) = running(backend.device)
    ring = driver.queues[0]
    at = rig.BASE + 5 * BLOCK
    rig.frontend.pool.write(at - 4, b"________")
    ring.describe(0, at - 4, 8, 2)
    ring.offer(0)
    ring.kick()
    rig.run()
    ask(rig, 1)
    driver.must([give(5)])
    backend.device.reply[0] = backend.device.reply[1] = 0x61616161
    backend.held[0].answer(8)
    assert rig.frontend.pool.read(at, 4) == b"____", "the block is somebody else's"


def test_10_4_what_is_given_back_is_not_touched():
    rig, frontend, (driver,) = running()
    ask(rig, 6)
    frontend.look()
    balloon = rig.link.balloon
    begin = 2 * PAGE_SIZE
    for offset, length in balloon.ranges():
        rig.memory[begin + offset : begin + offset + length] = b"\x5a" * length
    for _ in range(200):
        assert driver.request(b"abcdefgh", 8, indirect=True) == b"abcdefgh"
    assert sum(length for _, length in balloon.ranges()) == 6 * BLOCK
    for offset, length in balloon.ranges():
        assert bytes(rig.memory[begin + offset : begin + offset + length]) == b"\x5a" * length


class NoRoom:
    """A map of the blocks that cannot be changed for want of memory."""

    def __len__(self):
        return 1

    def __setitem__(self, at, content):
        raise MemoryError("no room for a map")


def test_10_3_a_batch_for_which_there_is_no_memory_needs_a_reset_and_gives_nothing():
    rig, _, (driver,) = running()
    balloon = rig.link.balloon
    ask(rig, 1)
    blocks, balloon._map = balloon._map, NoRoom()
    assert driver.batch([give(7)]) == (RESULT_NEEDS_RESET, 0)
    balloon._map = blocks
    assert (balloon.given, balloon.ranges(), driver.load(DEV_POOL_GIVEN)) == (0, [], 0)


def test_10_5_a_new_life_of_the_frontend_has_the_whole_pool_and_the_request():
    rig, frontend, (driver,) = running()
    ask(rig, 2)
    frontend.look()
    (driver,) = rig.start_frontend()
    driver.begin()
    assert (rig.link.balloon.given, driver.load(DEV_POOL_GIVEN), rig.link.balloon.is_answered) == (0, 0, False)
    again = FrontendBalloon(rig.frontend)
    assert again.look()
    assert rig.link.balloon.given == 2 * BLOCK and rig.link.balloon.is_answered


def test_10_5_a_reset_of_the_device_is_no_new_life():
    rig, frontend, (driver,) = running()
    ask(rig, 2)
    frontend.look()
    driver.begin()
    assert rig.link.balloon.given == 2 * BLOCK and rig.link.balloon.is_answered


def test_10_5_a_new_life_of_the_backend_knows_of_nothing():
    rig, frontend, (driver,) = running()
    ask(rig, 2)
    frontend.look()
    rig.start_backend(Mirror())
    assert (driver.load(DEV_POOL_TARGET), driver.load(DEV_POOL_REQUEST), frontend.given) == (0, 0, 0)
    (driver,) = rig.start_frontend()
    driver.begin()
    assert lost(driver, rig.BASE + frontend.blocks[0] * BLOCK, 16) == [(0, 0)]
    assert rig.link.ports[0].device.malformed == 0
