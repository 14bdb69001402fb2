# SPDX-License-Identifier: MIT
"""A backend that has another device than the frontend's device tree names: no driver of Linux meets it."""

import time

from e2e import on_xen
from e2e.hostile import BASE, Terms, replaced
from trapless.nodes import DEVICE_IDS
from virtio import layout

BLOCK = 2
SECONDS = 30
REFUSED = f"dmesg | grep -q 'the backend has virtio device {BLOCK}, which trapless,device-ids does not name'"
REGISTERED = f"dmesg | grep -q 'virtio device {BLOCK} registered'"


@on_xen.NO_PAUSE
def test_a_device_that_is_not_expected_is_refused(pair, frontend):
    with replaced(pair, frontend) as hostile:
        publish = [page.announce(Terms(epoch=0x12345678, features=BASE)) for page in hostile.pages]
        (rng,) = (page for page in hostile.pages if page.kind == DEVICE_IDS["rng"])
        rng.store(layout.REG_DEVICE_ID, BLOCK)
        for step in publish:
            step()
        hostile.ring()
        deadline = time.monotonic() + SECONDS
        while frontend.run(REFUSED).status:
            assert time.monotonic() < deadline, "Linux has refused nothing"
            hostile.attach(0.1, wrong=0, hasty=0)
        assert frontend.run(REGISTERED).status, "and it has registered nothing"
    frontend.check("head -c 64 /dev/hwrng > /dev/null")
