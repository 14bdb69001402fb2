# SPDX-License-Identifier: MIT
"""Entries of a batch, and the numbers of virtio 1.3 that a driver writes: status bits, features, descriptor flags."""

from virtio.layout import (
    REG_DRIVER_FEATURES,
    REG_STATUS,
)

NEXT = 1
WRITE = 2
INDIRECT = 4

ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
F_INDIRECT_DESC = 1 << 28
F_EVENT_IDX = 1 << 29
F_VERSION_1 = 1 << 32
F_ACCESS_PLATFORM = 1 << 33
F_RING_PACKED = 1 << 34
F_RING_RESET = 1 << 40


def entry(offset, value, selector=0, length=4, flags=0):
    """Return one entry of a batch: a register write."""
    return (offset, length, flags, selector, value)


def status(value):
    """Return the entry that writes the device status."""
    return entry(REG_STATUS, value)


def features(value):
    """Return the entries that write the driver features (an integer)."""
    return [entry(REG_DRIVER_FEATURES, value >> (32 * bank) & 0xFFFFFFFF, bank) for bank in range(2)]
