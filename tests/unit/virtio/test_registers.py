# SPDX-License-Identifier: MIT
"""Every writable register, its refusals and the results that name them, without any pages."""

from driver import DRIVER_OK, FEATURES_OK, Mirror, entry, features, status
from support import raises
from virtio.device import Device
from virtio.layout import (
    ENTRIES_MAX,
    REG_CONFIG,
    REG_DEVICE_FEATURES,
    REG_DRIVER_FEATURES,
    REG_INTERRUPT_ACK,
    REG_MAGIC_VALUE,
    REG_QUEUE_DESC_HIGH,
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_NOTIFY,
    REG_QUEUE_READY,
    REG_QUEUE_RESET,
    REG_QUEUE_SIZE,
    REG_STATUS,
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
from virtio.registers import ENTRIES_PER_SLICE, RegisterFile

WANTED = 3 << 32
NEGOTIATED = [status(3)] + features(WANTED) + [status(3 | FEATURES_OK)]
READY = [entry(REG_QUEUE_DESC_LOW, 0x1000, 0, 8), entry(REG_QUEUE_READY, 1)]
RUNNING = NEGOTIATED + READY + [status(3 | FEATURES_OK | DRIVER_OK)]


class Owner:
    """Notes what the registers make the transport do; a ring at address 0xbad is none."""

    def __init__(self):
        self.calls = []

    def make_queue(self, size, desc, driver, device, features):
        if desc == 0xBAD:
            raise ValueError("ring area is misaligned")
        return (size, desc, driver, device)

    def reset(self):
        self.calls.append("reset")

    def start(self, queues, features):
        self.calls.append(("start", queues, features))

    def enable(self, index, queue):
        self.calls.append(("enable", index, queue[0]))

    def stop(self, index):
        self.calls.append(("stop", index))

    def config_written(self):
        self.calls.append("config")

    def notified(self, index):
        self.calls.append(("notified", index))

    def fail(self):
        self.calls.append("fail")


def registers(entries=()):
    """Return the registers of a Mirror after `entries`, which must be accepted."""
    file = RegisterFile(Mirror(), Owner())
    if entries:
        assert file.apply(list(entries)) == (RESULT_OK, 0)
    return file


def refused(before, wrong, result):
    """`wrong` after `before` gets `result`, its index is told, and nothing is committed."""
    file = registers(before)
    seen = (file.state.status, file.state.features(), bytes(file.device.config), list(file.owner.calls))
    assert file.apply([status(file.state.status or 1), wrong]) == (result, 1), wrong
    assert (file.state.status, file.state.features(), bytes(file.device.config), file.owner.calls) == seen


def test_an_empty_batch_is_malformed():
    assert registers().apply([]) == (RESULT_MALFORMED, 0)


def test_flags_are_malformed():
    refused([], entry(REG_STATUS, 3, flags=1), RESULT_MALFORMED)


def test_what_is_not_writable_by_a_batch_is_a_bad_offset():
    for offset in (REG_MAGIC_VALUE, REG_DEVICE_FEATURES, REG_INTERRUPT_ACK, REG_QUEUE_NOTIFY, 0x014, 0x030, 0x02, 0xFC):
        refused(NEGOTIATED, entry(offset, 0), RESULT_BAD_OFFSET)
    for offset in (REG_CONFIG + 4, REG_CONFIG + 8, 0x7FC, 0x800, 0xFFFC):
        refused(NEGOTIATED, entry(offset, 0), RESULT_BAD_OFFSET)


def test_lengths():
    for offset in (REG_STATUS, REG_DRIVER_FEATURES, REG_QUEUE_SIZE, REG_QUEUE_READY, REG_QUEUE_DESC_HIGH):
        for length in (0, 1, 2, 3, 8, 255):
            refused([], entry(offset, 0, length=length), RESULT_BAD_LENGTH)
    for length in (0, 1, 2, 3, 5, 16):
        refused([], entry(REG_QUEUE_DESC_LOW, 0, length=length), RESULT_BAD_LENGTH)
    refused(NEGOTIATED, entry(REG_CONFIG + 1, 0, length=2), RESULT_BAD_LENGTH)
    refused(NEGOTIATED, entry(REG_CONFIG, 0, length=3), RESULT_BAD_LENGTH)


def test_selectors():
    refused([], entry(REG_STATUS, 3, selector=1), RESULT_BAD_SELECTOR)
    refused([status(3)], entry(REG_DRIVER_FEATURES, 0, selector=8), RESULT_BAD_SELECTOR)
    refused(NEGOTIATED, entry(REG_QUEUE_SIZE, 4, selector=2), RESULT_BAD_SELECTOR)
    refused(NEGOTIATED, entry(REG_QUEUE_READY, 1, selector=0xFFFFFFFF), RESULT_BAD_SELECTOR)
    refused(NEGOTIATED, entry(REG_CONFIG, 1, selector=1), RESULT_BAD_SELECTOR)


def test_values():
    refused([], entry(REG_STATUS, 1 << 32), RESULT_BAD_VALUE)
    refused([], entry(REG_STATUS, 3 | 16), RESULT_BAD_VALUE)
    refused([status(3)], entry(REG_DRIVER_FEATURES, 4), RESULT_BAD_VALUE)
    refused([status(3)], entry(REG_DRIVER_FEATURES, 1, selector=7), RESULT_BAD_VALUE)
    for size in (0, 3, 12, 32, 0xFFFFFFFF):
        refused(NEGOTIATED, entry(REG_QUEUE_SIZE, size), RESULT_BAD_VALUE)
    refused(NEGOTIATED, entry(REG_QUEUE_SIZE, 16, selector=1), RESULT_BAD_VALUE)
    refused(NEGOTIATED, entry(REG_QUEUE_READY, 2), RESULT_BAD_VALUE)
    refused(NEGOTIATED, entry(REG_CONFIG, 0x100, length=1), RESULT_BAD_VALUE)


def test_a_ring_that_is_none_is_a_bad_value():
    refused(NEGOTIATED + [entry(REG_QUEUE_DESC_LOW, 0xBAD, 0, 8)], entry(REG_QUEUE_READY, 1), RESULT_BAD_VALUE)


def test_states():
    refused(NEGOTIATED, status(3), RESULT_BAD_STATE)
    refused([], status(0), RESULT_BAD_STATE)
    refused([], status(DRIVER_OK | 3), RESULT_BAD_STATE)
    refused(NEGOTIATED, entry(REG_DRIVER_FEATURES, 0), RESULT_BAD_STATE)
    refused([status(3)], entry(REG_CONFIG, 1), RESULT_BAD_STATE)
    for change in (entry(REG_QUEUE_SIZE, 4), entry(REG_QUEUE_DRIVER_LOW, 16, 0, 8), entry(REG_QUEUE_READY, 1)):
        refused([status(3)], change, RESULT_BAD_STATE)
        refused(NEGOTIATED + READY, change, RESULT_BAD_STATE)
        refused(RUNNING, change, RESULT_BAD_STATE)


def test_a_refused_batch_commits_nothing_of_it():
    file = registers()
    assert file.apply(RUNNING + [entry(0, 0)]) == (RESULT_BAD_OFFSET, len(RUNNING))
    assert (file.state.status, file.owner.calls) == (0, [])


def test_a_veto_commits_up_to_features_ok_without_the_bit():
    for wrong in (0, 1 << 32, 1 << 33, WANTED | 2):
        file = registers()
        batch = [status(3)] + features(wrong) + [status(3 | FEATURES_OK), entry(REG_QUEUE_SIZE, 4)]
        assert file.apply(batch) == (RESULT_VETO, 3)
        assert (file.state.status, file.state.features()) == (3, wrong)


def test_a_veto_takes_driver_ok_of_the_same_write_back():
    file = registers()
    assert file.apply([status(3 | FEATURES_OK | DRIVER_OK)]) == (RESULT_VETO, 0)
    assert (file.state.status, file.owner.calls) == (3, [])


def test_needs_reset_in_a_written_status_is_ignored():
    file = registers()
    assert file.apply([status(3 | 64)]) == (RESULT_OK, 0)
    assert file.state.status == 3
    assert file.apply([status(64)]) == (RESULT_OK, 0)
    assert (file.state.status, file.owner.calls) == (0, ["reset"])


def test_while_a_reset_is_due_only_a_reset_is_taken():
    file = registers(RUNNING)
    assert file.needs_reset()
    assert not file.is_running()
    assert file.apply([status(15)]) == (RESULT_NEEDS_RESET, 0)
    assert file.state.status == 15 | 64
    assert file.apply([status(0)] + RUNNING) == (RESULT_OK, 0)
    assert file.is_running()


def test_a_device_that_does_not_run_need_not_be_told_that_a_reset_is_due():
    assert not registers(NEGOTIATED).needs_reset()


def test_driver_ok_starts_the_device_once():
    file = registers(RUNNING)
    assert file.owner.calls == [("start", [(16, 0x1000, 0, 0), None], WANTED)]
    assert file.apply([status(15)]) == (RESULT_OK, 0)
    assert len(file.owner.calls) == 1


def test_a_batch_may_reset_and_start_again():
    file = registers(RUNNING)
    assert file.apply([status(0)] + RUNNING) == (RESULT_OK, 0)
    assert file.owner.calls[1:] == ["reset", ("start", [(16, 0x1000, 0, 0), None], WANTED)]


def test_a_reset_comes_first_in_a_batch_or_not_at_all():
    for value in (0, 64):
        file = registers([])
        assert file.apply(features(WANTED) + [status(value)]) == (RESULT_BAD_STATE, 2)
        assert not any(file.state.words)
        assert file.apply([status(0), status(value)]) == (RESULT_BAD_STATE, 1)


def test_an_address_is_written_whole_or_in_halves():
    halves = [entry(REG_QUEUE_DESC_HIGH, 0x12345678), entry(REG_QUEUE_DESC_LOW, 0x9ABCDEF0)]
    for batch in (halves, halves[::-1], [entry(REG_QUEUE_DESC_LOW, 0x123456789ABCDEF0, 0, 8)]):
        assert registers(NEGOTIATED + batch).state.queues[0].addresses[0] == 0x123456789ABCDEF0


def test_a_queue_can_be_taken_back():
    file = registers(RUNNING + [entry(REG_QUEUE_READY, 0)])
    assert file.owner.calls == [("start", [None, None], WANTED)]
    file = registers(RUNNING)
    assert file.apply([entry(REG_QUEUE_READY, 0)]) == (RESULT_OK, 0)
    assert file.owner.calls[1:] == [("stop", 0)]


def test_taking_back_a_queue_that_is_not_ready_changes_nothing():
    for entries in ([], [status(3)], NEGOTIATED, RUNNING + [entry(REG_QUEUE_READY, 0)], RESETTABLE + AGAIN[:1]):
        file = registers(entries)
        calls, reset = len(file.owner.calls), file.state.queues[0].reset
        assert file.apply([entry(REG_QUEUE_READY, 0)]) == (RESULT_OK, 0)
        assert (len(file.owner.calls), file.state.queues[0].reset) == (calls, reset)


RESETTABLE = [status(3)] + features(WANTED | 1 << 40) + [status(3 | FEATURES_OK)] + RUNNING[4:]
AGAIN = [entry(REG_QUEUE_RESET, 1), entry(REG_QUEUE_SIZE, 4)] + READY


def test_a_queue_is_stopped_and_enabled_again_alone():
    for batches in ([AGAIN], [AGAIN[:1], AGAIN[1:]]):
        file = registers(RESETTABLE)
        for batch in batches:
            assert file.apply(batch) == (RESULT_OK, 0)
        assert file.owner.calls[1:] == [("stop", 0), ("enable", 0, 4)]


def test_a_queue_that_changes_before_driver_ok_is_started_once():
    file = registers(RESETTABLE[:-1])
    assert file.apply(AGAIN + RESETTABLE[-1:]) == (RESULT_OK, 0)
    assert [call[0] for call in file.owner.calls] == ["stop", "start"]


def test_configuration_is_written_after_everything_was_validated():
    file = registers(NEGOTIATED)
    assert file.apply([entry(REG_CONFIG, 0xAB, length=1), entry(REG_CONFIG + 2, 0xCDEF, length=2)]) == (RESULT_OK, 0)
    assert bytes(file.device.config[:4]) == b"\xab\x11\xef\xcd"
    assert file.owner.calls == ["config"]


def test_a_device_refuses_writes_to_its_configuration_unless_it_says_otherwise():
    device = Device()
    device.config = bytearray(4)
    file = RegisterFile(device, Owner())
    assert file.apply(NEGOTIATED + [entry(REG_CONFIG, 1)]) == (RESULT_BAD_OFFSET, len(NEGOTIATED))


def test_a_device_with_a_queue_must_serve_it():
    raises(NotImplementedError, Device().handler(0))


def applied(file, entries, between):
    """Apply `entries`; call `between()` after each slice; return (result, index)."""
    slices = file.slices(entries)
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return end.value
        between()


def test_a_device_that_comes_to_need_a_reset_during_a_batch_commits_nothing_of_it():
    file = registers(RUNNING)
    assert applied(file, [status(15)] * 20, lambda: file.needs_reset()) == (RESULT_NEEDS_RESET, 0)
    assert file.state.status == 15 | 64


def test_a_device_that_needs_a_reset_again_during_its_reset_does_not_start():
    file = registers(RUNNING)
    calls = len(file.owner.calls)

    def need_reset():
        if file.state.status == 0:
            file.needs_reset()

    assert applied(file, [status(0)] + RUNNING, need_reset) == (RESULT_OK, 0), "the batch begins with a reset"
    assert file.state.status == 15 | 64
    assert file.owner.calls[calls:] == ["reset", "fail"]


def test_no_slice_validates_or_writes_more_than_a_few_entries():
    file = registers(NEGOTIATED)
    for batch in ([status(11)] * ENTRIES_MAX, [entry(REG_CONFIG, 1, length=1)] * ENTRIES_MAX):
        done = []
        apply_one, write_config = file._apply_one, file.device.write_config
        file._apply_one = lambda *args, apply_one=apply_one, done=done: done.append("entry") or apply_one(*args)
        file.device.write_config = lambda *args, write=write_config, done=done: done.append("write") or write(*args)
        between = [0]
        applied(file, batch, lambda done=done, between=between: between.append(len(done)))
        between.append(len(done))
        assert between[-1] >= ENTRIES_MAX
        assert all(between[i] - between[i - 1] <= ENTRIES_PER_SLICE for i in range(1, len(between)))
        file._apply_one, file.device.write_config = apply_one, write_config
