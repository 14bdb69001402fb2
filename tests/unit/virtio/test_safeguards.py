# SPDX-License-Identifier: MIT
"""The five safeguards of docs/transport.md, 4.8: each holds, and each attack succeeds once its safeguard is removed.

The CRC makes most of these attacks fail too, but only by chance, one in 2^32 (a CRC says what is damaged, not what is
old or foreign): it is switched off here, so that each safeguard stands alone.
"""

from driver import Frontend, Mirror, NoAnswer, Rig, entry, features, status
from support import raises
from virtio.layout import (
    DEV_ACK,
    DEV_BE_EPOCH,
    DRV_BE_EPOCH,
    DRV_ENTRIES,
    DRV_HEADER,
    DRV_REQ,
    DRV_TOKEN,
    REG_QUEUE_SIZE,
    RESULT_OK,
)


def rig_without_crc(rig=None):
    """Return (rig, driver, sync) whose backend does not check the CRC."""
    rig = rig or Rig(Mirror())
    sync = rig.link.ports[0].sync
    sync._is_intact = lambda: True
    return rig, rig.drivers[0], sync


class Overwritten:
    """The driver page of a frontend that overwrites it just after the backend has copied the header."""

    def __init__(self, page, overwrite):
        self._page = page
        self._overwrite = overwrite
        self.load_acquire = page.load_acquire
        self.r32 = page.r32

    def read(self, offset, buffer, n):
        """Copy, then let the frontend go on."""
        self._page.read(offset, buffer, n)
        if offset == DRV_HEADER:
            self._overwrite()


def torn_copy(mutate):
    """Return the queue sizes after a batch that sets 4 was overwritten, while being copied, by one that sets 2."""
    rig, driver, sync = rig_without_crc()
    mutate(sync)
    driver.must([status(3)] + features(3 << 32) + [status(11)])
    old = [entry(REG_QUEUE_SIZE, 4, 0), entry(REG_QUEUE_SIZE, 4, 1)]
    new = [entry(REG_QUEUE_SIZE, 2, 0), entry(REG_QUEUE_SIZE, 2, 1)]
    page = sync.driver_page

    def overwrite():
        # The frontend has got as far as the first entry of its next batch.
        driver.store(DRV_TOKEN, 0)
        driver.put(DRV_ENTRIES, driver.compose(new, 1)[1][:16])

    sync.driver_page = Overwritten(page, overwrite)
    driver.publish(old)
    rig.doorbell.kick()
    rig.run()
    sync.driver_page = page
    return [queue.size for queue in sync.registers.state.queues], sync.torn


def test_the_token_is_read_again_after_the_copy():
    assert torn_copy(lambda sync: None) == ([16, 8], 1)


def test_without_the_second_look_a_batch_is_applied_half_old_half_new():
    def remove(sync):
        sync._is_still = lambda token: True

    assert torn_copy(remove) == ([2, 4], 0)


def next_batch_half_published(mutate):
    """Return the status after a backend looked at the entries of a batch that its frontend has not published yet."""
    rig, driver, sync = rig_without_crc()
    token = driver.publish([status(1)])
    driver.wait(token)
    # The frontend writes its next batch and dies before it stores DRV_REQ.
    header, body = driver.compose([status(3)], driver.token())
    driver.put(DRV_ENTRIES, body)
    driver.put(DRV_HEADER, header)
    assert driver.sent(DRV_REQ) == token
    sync.examined = 0  # a backend that has not examined this token yet; its epoch stays, so that the echo does not help
    mutate(sync)
    sync.examine()
    rig.doorbell.kick()
    rig.run()
    return sync.registers.state.status


def test_the_token_is_also_in_the_header():
    assert next_batch_half_published(lambda sync: None) == 1


def test_without_the_token_in_the_header_one_batch_meets_the_entries_of_another():
    def remove(sync):
        sync._is_of = lambda token: True
        sync._is_still = lambda token: sync.driver_page.load_acquire(DRV_REQ) == token

    assert next_batch_half_published(remove) == 3


def batch_for_a_former_life(mutate):
    """Return the status after a backend restarted on the last batch of its former life."""
    rig = Rig(Mirror())
    rig.drivers[0].publish([status(3)])
    plain = rig.loop.__class__

    class Mutated(plain):
        def start(self):
            _, _, sync = rig_without_crc(Restarted(self))
            mutate(sync)
            super().start()

    rig._loop_class = Mutated
    rig.start_backend(Mirror())
    return rig.link.ports[0].sync.registers.state.status


class Restarted:
    """What `rig_without_crc` needs of a rig whose loop has not started yet."""

    def __init__(self, loop):
        self.link = loop.links[0]
        self.drivers = [None]


def test_a_batch_names_the_backend_life_it_is_meant_for():
    assert batch_for_a_former_life(lambda sync: None) == 0


def test_without_the_echo_a_restarted_backend_applies_a_batch_for_its_former_life():
    def remove(sync):
        sync._is_for_us = lambda: True

    assert batch_for_a_former_life(remove) == 3


class Counted:
    """Tokens and epochs of a frontend that counts instead of drawing at random."""

    def __init__(self):
        self._next = 0

    def draw(self, avoid=()):
        """Return 1, 2, 3 ..., whatever is to be avoided."""
        self._next += 1
        return self._next


def first_batch_of_a_new_life(counted):
    """Return (answer or None, was it applied) for the first batch of a second frontend life; the backend is stopped."""
    rig = Rig(Mirror())
    if counted:
        rig.frontend.nonces = Counted()
    first = rig.drivers[0].publish([status(0)])
    assert rig.drivers[0].wait(first) == (RESULT_OK, 0)
    (driver,) = rig.start_frontend()
    if counted:
        rig.frontend.nonces = Counted()
    rig.frontend.run = lambda: None  # the backend is stopped
    token = driver.publish([status(3)])
    try:
        answer = driver.wait(token)
    except NoAnswer:
        answer = None
    rig.doorbell.kick()
    rig.run()
    return answer, driver.status == 3


def test_tokens_are_random():
    assert first_batch_of_a_new_life(False) == (None, True)


def test_with_counted_tokens_an_old_answer_is_taken_for_a_new_one_and_the_batch_is_never_examined():
    assert first_batch_of_a_new_life(True) == ((RESULT_OK, 0), False)


def test_a_token_avoids_everything_that_lies_in_the_pages():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    driver.must([status(1)])
    seen = []

    class Noting:
        def draw(self, avoid=()):
            seen.extend(avoid)
            return 77

    rig.frontend.nonces = Noting()
    assert driver.token() == 77
    assert (
        0 in seen and driver.load(DEV_ACK) in seen and driver.sent(DRV_REQ) in seen and driver.sent(DRV_TOKEN) in seen
    )


def test_token_0_is_never_examined():
    rig, driver, sync = rig_without_crc()
    driver.store(DRV_BE_EPOCH, driver.load(DEV_BE_EPOCH))
    raises(NoAnswer, driver.wait, driver.token())
    rig.doorbell.kick()
    rig.run()
    assert (sync.batches, sync.torn, sync.unbelievable) == (0, 0, 0)


def test_without_the_reserved_token_0_a_scrubbed_page_is_taken_for_a_batch():
    rig, _, sync = rig_without_crc()
    sync._is_old = lambda token: False
    sync._is_for_us = lambda: True
    assert sync.examine() == 0
    rig.doorbell.kick()
    rig.run()
    assert sync.batches == 1


def test_with_a_token_of_0_a_fresh_device_page_looks_like_an_answer():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    rig.frontend.run = lambda: None  # the backend never gets to see the batch
    token = driver.publish([status(1)], token=0)
    driver.wait(token)
    assert driver.status == 0


def test_a_frontend_life_is_one_nonce_for_the_whole_link():
    rig = Rig(Mirror(), Mirror())
    assert isinstance(rig.frontend, Frontend)
    for driver in rig.drivers:
        driver.begin()
    assert rig.link.frontend_epoch == rig.frontend.epoch and rig.link.lives == 1
