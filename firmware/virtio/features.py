# SPDX-License-Identifier: MIT
"""Feature bits that belong to the transport and the queues, not to a device. Virtio 1.3, 6."""

from hal.compat import const

INDIRECT_DESC = const(1 << 28)
EVENT_IDX = const(1 << 29)
VERSION_1 = const(1 << 32)
ACCESS_PLATFORM = const(1 << 33)
RING_PACKED = const(1 << 34)
ORDER_PLATFORM = const(1 << 36)
RING_RESET = const(1 << 40)

OFFERED = const((1 << 28) | (1 << 29) | (1 << 32) | (1 << 33) | (1 << 34) | (1 << 36) | (1 << 40))
# Without ACCESS_PLATFORM a driver would put addresses outside the pool into its rings (docs/transport.md, 6).
REQUIRED = const((1 << 32) | (1 << 33))
