# SPDX-License-Identifier: MIT
"""Properties of the register file under any sequence of batches and single accesses (hypothesis, CPython only)."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from driver import Mirror, entry, features, status
from virtio import features as feature
from virtio import status as bits
from virtio.layout import RESULT_OK, RESULT_VETO
from virtio.registers import RegisterFile

STATUSES = st.sampled_from((1, 3, 11, 15, 3 | 128, 2, 8, 64, 255))
ADDRESSES = st.sampled_from((0, 0x1000, 0x1001, 0xBAD, 1 << 40))
QUEUE = st.integers(0, 2)
ENTRIES = st.one_of(
    STATUSES.map(status),
    st.builds(entry, st.just(0x20), st.sampled_from((0, 1, 2, 3, 4)), st.integers(0, 2)),
    st.builds(entry, st.just(0x38), st.sampled_from((1, 3, 8, 16, 32)), QUEUE),
    st.builds(entry, st.sampled_from((0x80, 0x90, 0xA0)), ADDRESSES, QUEUE, st.sampled_from((4, 8))),
    st.builds(entry, st.sampled_from((0x84, 0x94, 0xA4)), st.integers(0, 2), QUEUE),
    st.builds(entry, st.just(0x44), st.integers(0, 2), QUEUE),
    st.builds(entry, st.just(0xC0), st.integers(0, 2), QUEUE),
    st.builds(
        entry, st.sampled_from((0x100, 0x102, 0x104, 0x50)), st.integers(0, 255), length=st.sampled_from((1, 2, 4))
    ),
)
BATCHES = st.builds(
    lambda reset, negotiated, rest: reset + negotiated + rest,
    st.sampled_from(([], [status(0)])),
    st.sampled_from(
        (
            [],
            [status(3)] + features(3 << 32 | 1) + [status(11)],
            [status(3)] + features(3 << 32 | 1 << 40) + [status(11)],
        )
    ),
    st.lists(ENTRIES, max_size=6),
)


class Owner:
    """A transport that remembers whether the device runs."""

    def __init__(self):
        self.running = False

    def make_queue(self, size, desc, driver, device, features):
        if 0xBAD in (desc, driver, device):
            raise ValueError("ring area is misaligned")
        return object()

    def reset(self):
        self.running = False

    def start(self, queues, features):
        assert not self.running, "started twice without a reset"
        self.running = True

    def enable(self, index, queue):
        assert self.running

    def stop(self, index):
        pass

    def config_written(self):
        pass


def seen(file):
    """Everything that a driver can have changed."""
    queues = [(queue.size, queue.ready, queue.reset, list(queue.addresses)) for queue in file.state.queues]
    return file.state.status, list(file.state.words), queues, bytes(file.device.config)


class Registers(RuleBasedStateMachine):
    """One register file driven by batches, a second one by the same writes one at a time."""

    def __init__(self):
        super().__init__()
        self.file = RegisterFile(Mirror(), Owner())
        self.single = RegisterFile(Mirror(), Owner())

    @rule(batch=BATCHES)
    def apply(self, batch):
        before, due = seen(self.file), self.file.state.status & bits.NEEDS_RESET
        result, index = self.file.apply(batch)
        if result == RESULT_OK:
            committed = batch
        elif result == RESULT_VETO:
            committed = batch[: index + 1]
            assert not self.file.state.status & (bits.FEATURES_OK | bits.DRIVER_OK)
        else:
            committed = []
            assert seen(self.file) == before
        if due and result == RESULT_OK:
            assert batch[0][0] == 0x70 and batch[0][4] & ~bits.NEEDS_RESET == 0
        for one in committed:
            assert self.single.apply([one])[0] in (RESULT_OK, RESULT_VETO)

    @rule()
    def reset(self):
        for file in (self.file, self.single):
            file.reset()
        assert self.file.state.status == 0 and not any(queue.ready for queue in self.file.state.queues)

    @precondition(lambda self: self.file.state.status)
    @rule()
    def need_a_reset(self):
        for file in (self.file, self.single):
            file.needs_reset()

    @invariant()
    def a_batch_is_its_writes_one_at_a_time(self):
        assert seen(self.file) == seen(self.single)

    @invariant()
    def the_status_is_one_that_the_table_allows(self):
        value = self.file.state.status & ~bits.NEEDS_RESET
        assert value == 0 or bits.may_become(0, value)

    @invariant()
    def negotiated_features_are_offered_and_complete(self):
        if self.file.state.status & bits.FEATURES_OK:
            assert self.file.state.features() & ~self.file.offered == 0
            assert self.file.state.features() & feature.REQUIRED == feature.REQUIRED

    @invariant()
    def the_device_runs_exactly_when_driver_ok_is_set(self):
        assert self.file.owner.running == bool(self.file.state.status & bits.DRIVER_OK)

    @invariant()
    def a_ready_queue_has_a_ring(self):
        for queue in self.file.state.queues:
            assert (queue.queue is not None) == bool(queue.ready)
            assert not (queue.ready and queue.reset)


TestRegisters = Registers.TestCase
TestRegisters.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
