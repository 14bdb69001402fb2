# SPDX-License-Identifier: MIT
"""Registers of a virtio-mmio device: what each write may do, one access at a time or a batch of them.

Source: virtio 1.3, 4.2.2 "MMIO Device Register Layout", and docs/transport.md, 4.5 and 5. A hypervisor that traps
drives `RegisterFile.read` and `write`; synchronisation pages drive `RegisterFile.slices`. Both take the same path.
"""

from hal.compat import const
from virtio import features as feature
from virtio import status as st
from virtio.layout import (
    CONFIG_SIZE,
    FEATURE_WORDS,
    MMIO_MAGIC,
    MMIO_VERSION,
    REG_CONFIG,
    REG_CONFIG_GENERATION,
    REG_DEVICE_FEATURES,
    REG_DEVICE_FEATURES_SEL,
    REG_DEVICE_ID,
    REG_DRIVER_FEATURES,
    REG_DRIVER_FEATURES_SEL,
    REG_INTERRUPT_ACK,
    REG_INTERRUPT_STATUS,
    REG_MAGIC_VALUE,
    REG_QUEUE_NOTIFY,
    REG_QUEUE_READY,
    REG_QUEUE_RESET,
    REG_QUEUE_SEL,
    REG_QUEUE_SIZE_MAX,
    REG_SHM_BASE_HIGH,
    REG_SHM_BASE_LOW,
    REG_SHM_LEN_HIGH,
    REG_SHM_LEN_LOW,
    REG_SHM_SEL,
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
from virtio.writes import WRITERS

VENDOR_ID = 0x534C5054
INTERRUPT_USED = 1
INTERRUPT_CONFIG = 2

# Register writes that are validated before others have their turn: what takes about as long as an SCMI request or two.
ENTRIES_PER_SLICE = const(4)


class QueueState:
    """Registers of one queue; `queue` is the working ring as soon as it is ready.

    `reset`: the driver has reset it, and not set it up again (virtio 1.3, 2.6.1).
    """

    def __init__(self, size, reset=0):
        self.size = size
        self.ready = 0
        self.reset = reset
        self.addresses = [0, 0, 0]
        self.queue = None

    def copy(self):
        """Return an independent copy (the ring itself is shared)."""
        other = QueueState(self.size, self.reset)
        other.ready = self.ready
        other.addresses = list(self.addresses)
        other.queue = self.queue
        return other


class State:
    """Everything that a driver can write: status, features, queues. A batch works on a copy of it."""

    def __init__(self, queue_sizes):
        self.status = 0
        self.words = [0] * FEATURE_WORDS
        self.queues = [QueueState(size) for size in queue_sizes]
        self.was_reset = False
        self.config_writes = []

    def copy(self):
        """Return an independent copy to validate a batch against."""
        other = State(())
        other.status = self.status
        other.words = list(self.words)
        other.queues = [queue.copy() for queue in self.queues]
        return other

    def reset_queue(self, index, size):
        """Forget everything about queue `index`, whose size is `size` then."""
        self.queues[index] = QueueState(size, reset=1)

    def features(self):
        """Return the features that the driver has written, as one integer."""
        return sum(word << (32 * bank) for bank, word in enumerate(self.words))


class RegisterFile:
    """The registers of `device`.

    `owner` is the transport: `make_queue(size, desc, driver, device, features)` returns a ring or raises ValueError,
    `reset()`, `start(queues, features)`, `stop(index)` and, for a queue that is set up again while the device runs,
    `enable(index, queue)` follow what the driver did, `config_written()` too; `notified(index)` is a kick by register,
    `fail()` has a running driver told that the device needs a reset. Counters: `attaches`, how often a driver has set
    DRIVER_OK; `failures`, how often the device came to need a reset.
    """

    def __init__(self, device, owner):
        self.device = device
        self.owner = owner
        self.offered = device.features | feature.OFFERED
        self.state = State(device.queue_sizes)
        self.generation = 0
        self.interrupts = 0
        self.attaches = 0
        self.failures = 0
        self._selected = {REG_DEVICE_FEATURES_SEL: 0, REG_DRIVER_FEATURES_SEL: 0, REG_QUEUE_SEL: 0, REG_SHM_SEL: 0}

    def reset(self):
        """Reset the device. Virtio 1.3, 2.4.1 and 4.2.2.1."""
        self.state = State(self.device.queue_sizes)
        self.interrupts = 0
        self.owner.reset()

    def needs_reset(self):
        """Set DEVICE_NEEDS_RESET; return whether the driver must be told by an interrupt. Virtio 1.3, 2.1.2."""
        if not self.state.status & st.NEEDS_RESET:
            self.failures += 1
        self.state.status |= st.NEEDS_RESET
        return self.state.status & st.DRIVER_OK != 0

    def is_running(self):
        """Return whether the driver has set DRIVER_OK and no reset is due."""
        return self.state.status & (st.DRIVER_OK | st.NEEDS_RESET) == st.DRIVER_OK

    def is_writing_config(self):
        """Return whether a batch is being committed, and has written only a part to the configuration space so far."""
        return bool(self.state.config_writes)

    def apply(self, entries):
        """Do what `slices(entries)` does, at once; return what it returns."""
        slices = self.slices(entries)
        while True:
            try:
                next(slices)
            except StopIteration as end:
                return end.value

    def slices(self, entries):
        """Validate `entries` in order against a copy of the state, then commit all, or none; yield after each slice.

        Each entry is (offset, length in bytes, flags, selector, value). Return (result code, index of the entry it
        speaks of). A veto commits the entries up to the one that sets FEATURES_OK. Of several faults in one entry the
        first counts: flags, offset, length, selector, width of the value, state, value. Nobody else may write registers
        meanwhile, but the device may come to need a reset. Source: docs/transport.md, 4.5, 5 and 6.7.
        """
        result, index, draft = RESULT_MALFORMED, 0, None
        for index, entry in enumerate(entries):
            if index % ENTRIES_PER_SLICE == ENTRIES_PER_SLICE - 1:
                yield
            if draft is None:
                draft = self._draft(entry)
                result = self._begin(draft, entry)
            else:
                result = self._apply_one(draft, entry)
            if result != RESULT_OK:
                break
        if result in (RESULT_OK, RESULT_VETO):
            yield
            if draft.was_reset:
                yield from self._commit_reset(draft)
            elif self.state.status & st.NEEDS_RESET:
                result = RESULT_NEEDS_RESET
            else:
                yield from self._commit(draft)
        return result, index if result not in (RESULT_OK, RESULT_NEEDS_RESET) else 0

    def _draft(self, first):
        """Return the State that a batch which begins with the entry `first` is validated against."""
        if not _is_reset(first):
            return self.state.copy()
        draft = State(self.device.queue_sizes)
        draft.was_reset = True
        return draft

    def _begin(self, draft, first):
        if draft.was_reset:
            return RESULT_OK
        return RESULT_NEEDS_RESET if draft.status & st.NEEDS_RESET else self._apply_one(draft, first)

    def write(self, offset, length, value):
        """One register write by a standard driver: what is not allowed has no effect. Virtio 1.3, 4.2.2."""
        if offset in self._selected:
            self._selected[offset] = value
        elif offset == REG_INTERRUPT_ACK:
            self.interrupts &= ~value
        elif offset == REG_QUEUE_NOTIFY:
            self.owner.notified(value)
        else:
            self._write_selected(offset, length, value)

    def _write_selected(self, offset, length, value):
        selector = 0
        if offset == REG_DRIVER_FEATURES:
            selector = self._selected[REG_DRIVER_FEATURES_SEL]
            self._remember_features(selector, value)
        elif REG_QUEUE_SEL < offset < REG_STATUS or REG_STATUS < offset < REG_CONFIG:
            selector = self._selected[REG_QUEUE_SEL]
        self.apply(((offset, length, 0, selector, value),))

    def _remember_features(self, bank, value):
        """Keep a feature that was not offered, so that FEATURES_OK is refused for it. Virtio 1.3, 2.2.2."""
        if bank < FEATURE_WORDS and not self.state.status & st.FEATURES_OK:
            self.state.words[bank] = value

    def read(self, offset, length):
        """One register read by a standard driver; what cannot be read gives 0. Virtio 1.3, 4.2.2."""
        if offset >= REG_CONFIG:
            return self._read_config(offset - REG_CONFIG, length)
        reader = _READERS.get(offset)
        return reader(self) if reader and length == 4 else 0

    def _read_config(self, offset, length):
        config = self.device.config
        if length not in (1, 2, 4) or offset % length or offset + length > len(config):
            return 0
        return int.from_bytes(config[offset : offset + length], "little")

    def selected_queue(self):
        """Return the QueueState that QueueSel names, None without one."""
        index = self._selected[REG_QUEUE_SEL]
        return self.state.queues[index] if index < len(self.state.queues) else None

    def shared_word(self, what, shift):
        """Return 32 bits, from bit `shift` on, of the "length" or "address" of the region that SHMSel names; without
        such a region both are -1."""
        region = self.device.shared.get(self._selected[REG_SHM_SEL])
        return (getattr(region, what) if region else -1) >> shift & 0xFFFFFFFF

    def offered_word(self):
        """Return the offered features of the bank that DeviceFeaturesSel names."""
        bank = self._selected[REG_DEVICE_FEATURES_SEL]
        return self.offered >> (32 * bank) & 0xFFFFFFFF if bank < FEATURE_WORDS else 0

    def accepts(self, features):
        """Return whether the driver's `features` will do. Virtio 1.3, 2.2.2."""
        if features & ~self.offered or features & feature.REQUIRED != feature.REQUIRED:
            return False
        return self.device.accepts(features)

    def _apply_one(self, state, entry):
        offset, length, flags, selector, value = entry
        if flags:
            return RESULT_MALFORMED
        if offset >= REG_CONFIG:
            return self._apply_config(state, entry)
        row = WRITERS.get(offset)
        if row is None:
            return RESULT_BAD_OFFSET
        lengths, limit, writer = row
        if length not in lengths:
            return RESULT_BAD_LENGTH
        if selector >= limit(self):
            return RESULT_BAD_SELECTOR
        if value >> (8 * length):
            return RESULT_BAD_VALUE
        return writer(self, state, entry)

    def _apply_config(self, state, entry):
        offset, length, _, selector, value = entry
        at = offset - REG_CONFIG
        if at >= CONFIG_SIZE or at >= len(self.device.config):
            return RESULT_BAD_OFFSET
        if length not in (1, 2, 4, 8) or at % length or at + length > len(self.device.config):
            return RESULT_BAD_LENGTH
        if not self.device.config_writable(at, length):
            return RESULT_BAD_OFFSET
        if selector:
            return RESULT_BAD_SELECTOR
        if value >> (8 * length):
            return RESULT_BAD_VALUE
        if not state.status & st.FEATURES_OK:
            return RESULT_BAD_STATE
        state.config_writes.append((at, length, value))
        return RESULT_OK

    def _commit_reset(self, draft):
        """Reset the device, then make `draft` the state; yield after each slice.

        A device that comes to need a reset again between the two does not start.
        """
        self.reset()
        yield
        failed = self.state.status & st.NEEDS_RESET
        draft.status |= failed
        yield from self._commit(draft)
        if failed:
            self.owner.fail()

    def _commit(self, draft):
        """Make `draft` the state; yield after each slice."""
        old, self.state = self.state, draft
        for number, write in enumerate(draft.config_writes, 1):
            self.device.write_config(*write)
            if number % ENTRIES_PER_SLICE == 0:
                yield
        if draft.config_writes:
            self.owner.config_written()
            draft.config_writes = []
        self._commit_queues(old)

    def _commit_queues(self, old):
        queues = self.state.queues
        changed = [i for i, queue in enumerate(old.queues) if queue.queue is not queues[i].queue]
        for index in changed:
            if old.queues[index].queue:
                self.owner.stop(index)
        if not self.is_running():
            return
        if not old.status & st.DRIVER_OK:
            self.owner.start([queue.queue for queue in queues], self.state.features())
            self.attaches += 1
            return
        for index in changed:
            if queues[index].queue:
                self.owner.enable(index, queues[index].queue)


def _is_reset(entry):
    offset, length, flags, selector, value = entry
    return offset == REG_STATUS and length == 4 and not flags and not selector and value & ~st.NEEDS_RESET == 0


def _read_size_max(registers):
    index = registers._selected[REG_QUEUE_SEL]
    sizes = registers.device.queue_sizes
    return sizes[index] if index < len(sizes) else 0


def _read_ready(registers):
    queue = registers.selected_queue()
    return queue.ready if queue else 0


def _read_reset(registers):
    queue = registers.selected_queue()
    return queue.reset if queue else 0


_READERS = {
    REG_MAGIC_VALUE: lambda registers: MMIO_MAGIC,
    REG_VERSION: lambda registers: MMIO_VERSION,
    REG_DEVICE_ID: lambda registers: registers.device.device_id,
    REG_VENDOR_ID: lambda registers: VENDOR_ID,
    REG_DEVICE_FEATURES: RegisterFile.offered_word,
    REG_QUEUE_SIZE_MAX: _read_size_max,
    REG_QUEUE_READY: _read_ready,
    REG_QUEUE_RESET: _read_reset,
    REG_INTERRUPT_STATUS: lambda registers: registers.interrupts,
    REG_STATUS: lambda registers: registers.state.status,
    REG_SHM_LEN_LOW: lambda registers: registers.shared_word("length", 0),
    REG_SHM_LEN_HIGH: lambda registers: registers.shared_word("length", 32),
    REG_SHM_BASE_LOW: lambda registers: registers.shared_word("address", 0),
    REG_SHM_BASE_HIGH: lambda registers: registers.shared_word("address", 32),
    REG_CONFIG_GENERATION: lambda registers: registers.generation,
}
