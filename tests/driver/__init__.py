# SPDX-License-Identifier: MIT
"""A driver-side mock: plays the frontend of a link, so that a device is tested without a virtual machine.

Follows docs/transport.md from the frontend's side and virtio 1.3, 2.7 and 2.8 for the rings. It knows nothing of the
firmware but the numbers of `virtio.layout`; it works on the shared memory as bytes. For a device in one process:

    rig = Rig(Rng())                    # a simulated machine with one link, one device on it
    rng = rig.drivers[0].begin()        # reset, features, queues, DRIVER_OK
    data = rng.request(b"", 64)         # one chain through queue 0

`Frontend` is one frontend life on a link, `Driver` one device of it, `SplitRing` or `PackedRing` one of its queues.
`PagePort` has the registers of such a device for a driver that reads and writes one after the other.
What a well-behaved driver would not do is done with `publish(..., keywords)`, `Driver.store`, `describe` and `offer` of
a ring.
"""

from driver.entries import (
    ACKNOWLEDGE,
    DRIVER,
    DRIVER_OK,
    F_ACCESS_PLATFORM,
    F_EVENT_IDX,
    F_INDIRECT_DESC,
    F_RING_PACKED,
    F_RING_RESET,
    F_VERSION_1,
    FEATURES_OK,
    INDIRECT,
    NEXT,
    WRITE,
    entry,
    features,
    status,
)
from driver.frontend import Driver, Frontend, LinkBroken, NoAnswer, Refused
from driver.mirror import Mirror, MirrorBackend
from driver.packed import PackedRing
from driver.pool import Nonces, Pool
from driver.port import PagePort
from driver.rig import Rig
from driver.split import SplitRing
