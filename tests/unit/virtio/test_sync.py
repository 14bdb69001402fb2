# SPDX-License-Identifier: MIT
"""Batches that are answered, batches that are not, and what a new life on either side does."""

from driver import Driver, LinkBroken, Mirror, NoAnswer, Refused, Rig, entry, status
from support import raises
from virtio.layout import (
    CAP_ANY_SUBSET,
    DEV_ACK,
    DEV_ACK_FE_EPOCH,
    DEV_ATTACHES,
    DEV_BE_EPOCH,
    DEV_CAPABILITIES,
    DEV_FAILURES,
    DEV_FE_LIVES,
    DEV_QUEUE_READY,
    DEV_QUEUES,
    DEV_RESULT,
    DRV_FE_SLEEP,
    DRV_REQ,
    ENTRIES_MAX,
    REG_CONFIG,
    REG_CONFIG_GENERATION,
    REG_STATUS,
    RESULT_BAD_OFFSET,
    RESULT_OK,
    RESULT_VETO,
)


def unanswered(**wrong):
    """A batch with these wrong header fields gets no answer, is counted once, and the next one is served."""
    rig = Rig(Mirror())
    driver, sync = rig.drivers[0], rig.link.ports[0].sync
    raises(NoAnswer, driver.wait, driver.publish([status(1)], **wrong), driver.load(DEV_BE_EPOCH))
    assert (driver.status, driver.load(DEV_ACK), sync.unbelievable, sync.batches) == (0, 0, 1, 0)
    assert driver.batch([status(1)]) == (RESULT_OK, 0)


def test_a_wrong_layout_is_not_answered():
    unanswered(layout=2)


def test_a_wrong_crc_is_not_answered():
    unanswered(crc=0x12345678)


def test_too_many_entries_are_not_answered():
    unanswered(count=ENTRIES_MAX + 1)
    unanswered(count=0xFFFFFFFF)


def test_a_wrong_number_of_entries_is_not_answered():
    unanswered(count=2)


def test_a_frontend_epoch_of_0_is_not_answered():
    unanswered(fe_epoch=0)


def test_a_batch_for_another_backend_life_is_not_answered():
    unanswered(be_epoch=1)


def test_the_largest_batch():
    driver = Rig(Mirror()).drivers[0]
    assert driver.batch([status(1)] * ENTRIES_MAX) == (RESULT_OK, 0)
    assert driver.batch([status(1)] * (ENTRIES_MAX - 1) + [entry(0, 0)]) == (RESULT_BAD_OFFSET, ENTRIES_MAX - 1)


def test_results_are_counted():
    rig = Rig(Mirror())
    driver, sync = rig.drivers[0], rig.link.ports[0].sync
    assert driver.batch([status(1)])[0] == RESULT_OK
    assert driver.batch([status(11)])[0] == RESULT_VETO
    assert driver.batch([entry(0, 0)])[0] == RESULT_BAD_OFFSET
    assert (sync.batches, sync.vetoed, sync.refused, sync.torn, sync.unbelievable) == (3, 1, 1, 0, 0)


def test_each_batch_is_taken_once_however_often_the_backend_looks():
    rig = Rig(Mirror())
    rig.drivers[0].must([status(1)])
    for _ in range(5):
        rig.doorbell.kick()
        rig.run()
    assert rig.link.ports[0].sync.batches == 1


def test_a_page_of_noise_is_looked_at_once():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    for offset in range(0, 0x400, 4):
        driver.store(offset, 0x9E3779B9 * (offset + 1) & 0xFFFFFFFF)
    rig.start_backend(Mirror())
    rig.doorbell.kick()
    rig.run()
    assert rig.link.ports[0].sync.torn == 1
    driver.begin()
    assert driver.status == 15


def test_a_new_frontend_life_resets_every_device_of_the_link():
    devices = [Mirror(), Mirror()]
    rig = Rig(*devices)
    for driver in rig.drivers:
        driver.begin()
    old = rig.drivers[1]
    first, second = rig.start_frontend()
    assert second.status == 15
    first.must([status(1)])
    assert second.status == 0
    assert rig.link.lives == 2
    raises(NoAnswer, old.request, b"abcd", 4)
    assert devices[1].returned == 0
    assert second.begin().request(b"abcd", 4) == b"abcd"


def test_a_new_frontend_life_resets_even_if_its_first_batch_is_refused():
    rig = Rig(Mirror())
    rig.drivers[0].begin()
    (driver,) = rig.start_frontend()
    assert driver.batch([entry(0, 0)])[0] == RESULT_BAD_OFFSET
    assert driver.status == 0


def test_the_same_life_goes_on_without_a_reset():
    rig = Rig(Mirror(), Mirror())
    first, second = [driver.begin() for driver in rig.drivers]
    second.reset()
    assert (first.status, second.status, rig.link.lives) == (15, 0, 1)


def test_the_answer_names_the_life_that_it_answers():
    driver = Rig(Mirror()).drivers[0]
    driver.must([status(1)])
    assert driver.load(DEV_ACK_FE_EPOCH) == driver.frontend.epoch


def test_a_frontend_that_is_awake_is_not_rung():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    driver.store(DRV_FE_SLEEP, 0)
    rung = rig.doorbell.rung
    driver.must([status(1)])
    assert rig.doorbell.rung == rung
    driver.store(DRV_FE_SLEEP, 1)
    driver.must([status(3)])
    assert rig.doorbell.rung == rung + 1


def test_a_scrubbed_driver_page_does_no_harm():
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    driver.put(0, bytes(0x1000))
    rig.doorbell.kick()
    rig.run()
    assert driver.status == 15
    assert driver.request(b"abcd", 4) == b"abcd"


def test_a_scrubbed_device_page_breaks_the_link():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    rig.memory[0:0x1000] = bytes(0x1000)
    assert not driver.is_present()
    raises(LinkBroken, driver.wait, driver.publish([status(1)], be_epoch=5))


def test_a_restarted_backend_forgets_its_former_life():
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    epoch = driver.load(DEV_BE_EPOCH)
    rig.start_backend(Mirror())
    assert driver.load(DEV_BE_EPOCH) not in (0, epoch)
    assert [driver.load(offset) for offset in (DEV_ACK, DEV_RESULT, REG_STATUS)] == [0, 0, 0]
    assert rig.link.ports[0].sync.unbelievable == 1  # the last batch still lies there, for another life
    assert driver.begin().request(b"abcdefgh", 8) == b"abcdefgh"


def test_every_backend_start_rings():
    rig = Rig(Mirror())
    assert rig.doorbell.rung >= 1


def test_a_page_can_be_anything_when_the_backend_starts():
    rig = Rig(Mirror(), memory=bytearray(b"\xff" * 0x12000))
    assert rig.drivers[0].begin().request(b"abcd", 4) == b"abcd"


def test_what_the_driver_writes_to_the_configuration_is_seen_in_the_page():
    driver = Rig(Mirror()).drivers[0].begin()
    generation = driver.load(REG_CONFIG_GENERATION)
    driver.must([entry(REG_CONFIG + 2, 0xBEEF, length=2)])
    assert driver.config(0, 8) == b"\x10\x11\xef\xbe\x14\x15\x16\x17"
    assert driver.load(REG_CONFIG_GENERATION) not in (generation, generation + 1)
    assert driver.config_changes == 0


def test_probe_to_driver_ok_waits_twice():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    driver.must([status(0)])
    driver.batches = 0
    driver.negotiate()
    driver.make_queues()
    driver.enable_queues()
    assert (driver.status, driver.batches) == (15, 2)


class Willing(Mirror):
    """Takes every subset of its features, and says so."""

    any_subset = True

    def accepts(self, features):
        """Whatever it is."""
        return True


def test_with_any_subset_one_batch_does():
    driver = Rig(Willing()).drivers[0]
    assert driver.load(DEV_CAPABILITIES) & CAP_ANY_SUBSET
    driver.must([status(0)])
    driver.batches = 0
    driver.make_queues()
    batch = [status(3), entry(0x20, 1), entry(0x20, 3, selector=1), status(11)]
    for queue in driver.queues:
        batch += queue.entries()
    driver.must(batch + [status(15)])
    assert (driver.status, driver.batches) == (15, 1)
    assert driver.request(b"abcd", 4) == b"abcd"


def test_without_any_subset_one_batch_may_be_vetoed_and_nothing_behind_the_features_is_done():
    driver = Rig(Mirror()).drivers[0]
    assert not driver.load(DEV_CAPABILITIES) & CAP_ANY_SUBSET
    driver.must([status(0)])
    driver.make_queues()
    batch = [status(3), entry(0x20, 2), entry(0x20, 3, selector=1), status(11)]
    for queue in driver.queues:
        batch += queue.entries()
    assert driver.batch(batch + [status(15)]) == (RESULT_VETO, 3)
    assert (driver.status, driver.load(DEV_QUEUES + DEV_QUEUE_READY)) == (3, 0)


def test_a_refused_batch_says_so_to_the_driver():
    driver = Rig(Mirror()).drivers[0]
    refusal = raises(Refused, driver.must, [status(1), entry(0, 0)])
    assert (refusal.result, refusal.index) == (RESULT_BAD_OFFSET, 1)
    assert isinstance(driver, Driver) and driver.sent(DRV_REQ) != 0


def test_the_page_counts_lives_attaches_and_failures():
    rig = Rig(Mirror(), Mirror())

    def shown():
        return [[driver.load(word) for word in (DEV_FE_LIVES, DEV_ATTACHES, DEV_FAILURES)] for driver in rig.drivers]

    assert shown() == [[0, 0, 0]] * 2
    first, _ = [driver.begin() for driver in rig.drivers]
    assert shown() == [[1, 1, 0]] * 2
    first.begin()
    assert shown() == [[1, 2, 0], [1, 1, 0]]
    for _ in range(2):
        rig.link.ports[0].fail()
        rig.run()
    assert shown() == [[1, 2, 1], [1, 1, 0]], "it needs a reset but once"
    rig.start_frontend()[0].begin()
    assert shown() == [[2, 3, 1], [2, 1, 0]]
