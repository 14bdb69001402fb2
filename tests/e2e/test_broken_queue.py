# SPDX-License-Identifier: MIT
"""A backend that lives and returns what it was not given: Linux's core breaks the queue, we mend it by a reset.

So we do for a device that fails at its reset, which is no refusal.

Each time later, so that a backend which does nothing else keeps nobody busy (docs/transport.md, 7.1).
"""

import itertools
import time

from e2e import on_xen
from e2e.hostile import BASE, Terms, replaced
from e2e.hostile_rings import Chain
from e2e.places import counted
from trapless.nodes import DEVICE_IDS

TIMES = 4
WAITS = (1, 2, 4)  # seconds, at least, from one set-up to the next
SECONDS = 60
NEVER_GIVEN = Chain(id=0xFFFF, slots=1, buffers=[])
# A new life of the backend, in which the entropy device's first reset fails.
FAILS_ONCE = """
link = links["linux0"]
registers = link.ports[1].registers
slices = registers.slices
def fail(entries):
    registers.slices = slices
    yield
    return 3, 0
registers.slices = fail
link.publish()
link.doorbell.ring()
"""
AGAIN = "dmesg | grep -c 'needs another reset' || true"
TOLD = "dmesg | grep -c 'queue 0 is broken' || true"


def break_each_queue(hostile, page, times, seconds):
    """Spoil the queue of `page` whenever Linux has set it up and uses it; return when each time was."""
    found, spoiled, deadline = [], False, time.monotonic() + seconds
    while len(found) < times:
        assert time.monotonic() < deadline, f"the device was set up {len(found)} times, not {times}"
        hostile.serve(0)
        hostile.refuse()
        spoiled &= page.running
        # Before there is a buffer in it, the driver might write its own over what is returned here.
        if page.running and not spoiled and page.queues[0].take():
            found.append(time.monotonic())
            page.queues[0].give(NEVER_GIVEN, 4)
            hostile.used(page)
            spoiled = True
    return found


@on_xen.NO_PAUSE
def test_a_queue_that_the_backend_breaks_is_mended_each_time_later(pair, frontend):
    before, told = counted(frontend, "broken_queues"), int(frontend.check(TOLD))
    with replaced(pair, frontend) as hostile:
        publish = [page.announce(Terms(epoch=0x12345678, features=BASE)) for page in hostile.pages]
        for step in publish:
            step()
        hostile.ring()
        (rng,) = (page for page in hostile.pages if page.kind == DEVICE_IDS["rng"])
        found = break_each_queue(hostile, rng, TIMES, SECONDS * frontend.patience)
    waited = [after - earlier for earlier, after in itertools.pairwise(found)]
    assert all(wait >= least for wait, least in zip(waited, WAITS, strict=True)), waited
    assert counted(frontend, "broken_queues") - before >= TIMES - 1
    assert int(frontend.check(TOLD)) - told >= TIMES - 1
    frontend.check("head -c 64 /dev/hwrng > /dev/null")


def test_a_device_that_fails_at_its_reset_is_reset_again_and_the_other_one_goes_on(pair, frontend, backend):
    pair.wait_probed()
    told = int(frontend.check(AGAIN))
    backend.exec(FAILS_ONCE)
    frontend.wait_for("grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input")
    frontend.wait_for("[ -e /sys/bus/virtio/drivers/virtio_rng/virtio* ]")
    assert int(frontend.check(AGAIN)) == told + 1
