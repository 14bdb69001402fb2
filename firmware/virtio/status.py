# SPDX-License-Identifier: MIT
"""Device status: its bits and which of them may be set when, as a table. Virtio 1.3, 2.1 and 3.1.1."""

from hal.compat import const

ACKNOWLEDGE = const(1)
DRIVER = const(2)
DRIVER_OK = const(4)
FEATURES_OK = const(8)
NEEDS_RESET = const(64)
FAILED = const(128)

# (bit, name, bits that must be set before it or with it). A driver that has set FAILED sets nothing more.
TABLE = (
    (ACKNOWLEDGE, "ACKNOWLEDGE", 0),
    (DRIVER, "DRIVER", ACKNOWLEDGE),
    (FEATURES_OK, "FEATURES_OK", ACKNOWLEDGE | DRIVER),
    (DRIVER_OK, "DRIVER_OK", ACKNOWLEDGE | DRIVER | FEATURES_OK),
    (FAILED, "FAILED", 0),
)
DEFINED = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK | FAILED


def may_become(old, new):
    """Return whether a driver may write status `new`, not 0, over `old`; NEEDS_RESET in neither. Virtio 1.3, 2.1.1."""
    if old & ~new or (old & FAILED and new != old):
        return False
    needed = 0
    for bit, _, needs in TABLE:
        if new & ~old & bit:
            needed |= needs
    return new & needed == needed


def names(status):
    """Return the names of the bits set in `status`, in the order in which a driver sets them."""
    return [name for bit, name, _ in TABLE + ((NEEDS_RESET, "NEEDS_RESET", 0),) if status & bit]
