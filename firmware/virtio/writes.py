# SPDX-License-Identifier: MIT
"""What a write to each register of a device does to a `registers.State`, and whether it may.

Source: virtio 1.3, 4.2.2 "MMIO Device Register Layout", and docs/transport.md, 4.5 and 5.
"""

from virtio import features as feature
from virtio import status as st
from virtio.layout import (
    FEATURE_WORDS,
    REG_DRIVER_FEATURES,
    REG_QUEUE_DESC_HIGH,
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DEVICE_HIGH,
    REG_QUEUE_DEVICE_LOW,
    REG_QUEUE_DRIVER_HIGH,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_READY,
    REG_QUEUE_RESET,
    REG_QUEUE_SIZE,
    REG_STATUS,
    RESULT_BAD_STATE,
    RESULT_BAD_VALUE,
    RESULT_OK,
    RESULT_VETO,
)


def _write_status(registers, state, entry):
    value = entry[4] & ~st.NEEDS_RESET
    if value & ~st.DEFINED:
        return RESULT_BAD_VALUE
    if not value or not st.may_become(state.status, value):  # a reset comes first in a batch, and not here
        return RESULT_BAD_STATE
    if value & ~state.status & st.FEATURES_OK and not registers.accepts(state.features()):
        state.status = value & ~(st.FEATURES_OK | st.DRIVER_OK)
        return RESULT_VETO
    state.status = value
    return RESULT_OK


def _write_features(registers, state, entry):
    bank, value = entry[3], entry[4]
    if state.status & st.FEATURES_OK:
        return RESULT_BAD_STATE
    if value & ~(registers.offered >> (32 * bank)):
        return RESULT_BAD_VALUE
    state.words[bank] = value
    return RESULT_OK


def _may_change(state, queue):
    """A queue that is not ready is set up between FEATURES_OK and DRIVER_OK, or after it was reset.

    Virtio 1.3, 3.1.1, 4.2.2.2 and 2.6.1.
    """
    if queue.ready:
        return False
    return queue.reset or state.status & (st.FEATURES_OK | st.DRIVER_OK) == st.FEATURES_OK


def _write_queue_size(registers, state, entry):
    queue, value = state.queues[entry[3]], entry[4]
    if not _may_change(state, queue):
        return RESULT_BAD_STATE
    if value == 0 or value > registers.device.queue_sizes[entry[3]]:
        return RESULT_BAD_VALUE
    if value & (value - 1) and not state.features() & feature.RING_PACKED:
        return RESULT_BAD_VALUE
    queue.size = value
    return RESULT_OK


def _write_queue_address(registers, state, entry):
    offset, length, _, selector, value = entry
    queue = state.queues[selector]
    if not _may_change(state, queue):
        return RESULT_BAD_STATE
    which = (offset - REG_QUEUE_DESC_LOW) >> 4
    if length == 4 and offset & 4:
        value = value << 32 | queue.addresses[which] & 0xFFFFFFFF
    elif length == 4:
        value |= queue.addresses[which] >> 32 << 32
    queue.addresses[which] = value
    return RESULT_OK


def _write_queue_ready(registers, state, entry):
    queue, value = state.queues[entry[3]], entry[4]
    if value == 0:  # in any status: drivers store it after a reset, when no queue is ready any more
        queue.ready, queue.queue = 0, None
        return RESULT_OK
    if not _may_change(state, queue):
        return RESULT_BAD_STATE
    return _make_ready(registers, state, queue) if value == 1 else RESULT_BAD_VALUE


def _make_ready(registers, state, queue):
    desc, driver, device = queue.addresses
    try:
        queue.queue = registers.owner.make_queue(queue.size, desc, driver, device, state.features())
    except ValueError:
        return RESULT_BAD_VALUE
    queue.ready, queue.reset = 1, 0
    return RESULT_OK


def _write_queue_reset(registers, state, entry):
    """Virtio 1.3, 2.6.1: all of the queue's state is what it was after a reset of the device."""
    index, value = entry[3], entry[4]
    if not (state.status & st.FEATURES_OK and state.features() & feature.RING_RESET):
        return RESULT_BAD_STATE
    if value != 1:
        return RESULT_BAD_VALUE
    state.reset_queue(index, registers.device.queue_sizes[index])
    return RESULT_OK


def _no_selector(registers):
    return 1


def _banks(registers):
    return FEATURE_WORDS


def _queues(registers):
    return len(registers.device.queue_sizes)


# Register: (lengths, number of selectors, writer). Virtio 1.3, 4.2.2; everything else is not writable by a batch.
WRITERS = {
    REG_STATUS: ((4,), _no_selector, _write_status),
    REG_DRIVER_FEATURES: ((4,), _banks, _write_features),
    REG_QUEUE_SIZE: ((4,), _queues, _write_queue_size),
    REG_QUEUE_READY: ((4,), _queues, _write_queue_ready),
    REG_QUEUE_RESET: ((4,), _queues, _write_queue_reset),
    REG_QUEUE_DESC_LOW: ((4, 8), _queues, _write_queue_address),
    REG_QUEUE_DESC_HIGH: ((4,), _queues, _write_queue_address),
    REG_QUEUE_DRIVER_LOW: ((4, 8), _queues, _write_queue_address),
    REG_QUEUE_DRIVER_HIGH: ((4,), _queues, _write_queue_address),
    REG_QUEUE_DEVICE_LOW: ((4, 8), _queues, _write_queue_address),
    REG_QUEUE_DEVICE_HIGH: ((4,), _queues, _write_queue_address),
}
