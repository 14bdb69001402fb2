# SPDX-License-Identifier: MIT
"""What the queues report; the C module has the same numbers. Source: virtio 1.3, 2.7 and 2.8 for the reasons."""

from hal.compat import const

EMPTY = const(0)
TAKEN = const(1)
MALFORMED = const(2)
BROKEN = const(3)
# What a Server reports besides MALFORMED and BROKEN.
UNANSWERED = const(4)
FAILED = const(5)

# `reason` of a queue. Up to REASON_TABLE: one chain is malformed; from REASON_INDEX on: the ring is broken.
REASON_NONE = const(0)
REASON_TOO_LONG = const(1)
REASON_NEXT = const(2)
REASON_ADDRESS = const(3)
REASON_ORDER = const(4)
REASON_UNNEGOTIATED = const(5)
REASON_NESTED = const(6)
REASON_INDIRECT_NEXT = const(7)
REASON_TABLE = const(8)
REASON_INDEX = const(9)
REASON_HEAD = const(10)
REASON_TWICE = const(11)
REASON_UNAVAILABLE = const(12)

QUEUE_SIZE_MAX = const(256)
