# SPDX-License-Identifier: MIT
"""A backend that returns each event buffer as soon as Linux has given it back: who takes them never comes to an end.

Linux's SCMI driver goes on as long as there is one (`scmi_vio_complete_cb()`), and the transport has no place in that
loop. It ends all the same (`linux/trapless_events.c`), and Linux has its processor meanwhile.
"""

import struct
import time
from concurrent import futures

import pytest

from e2e import on_xen
from e2e.hostile import BASE, HostileBackend, Terms
from trapless.nodes import DEVICE_IDS

EVENTS = 1
EVENT = struct.pack("<III", 0x15 << 10 | 3 << 8, 0, 0)  # a notification that nobody has asked for
TIMES = 1
SECONDS = 90
CALM = 0.1  # seconds without a batch or a message: Linux has what it asks for at first
TURN = 1  # second, between two looks at anything else: longer than Linux goes on, far less than it waits for a batch
PATIENCE_MS = 5000
TOLD = "dmesg | grep -c 'queue 1 is broken' || true"


class Endless(HostileBackend):
    """Answers well, and returns event buffers as fast as it can."""

    def asked(self):
        """What Linux has asked for so far."""
        return [(page.seen, [queue.next for queue in page.queues.values()]) for page in self.pages]

    def race(self, page, seconds):
        """Return every event buffer that there is, again and again, for so long; Linux is told of the first ones."""
        deadline = time.monotonic() + seconds
        self.used(page)
        while time.monotonic() < deadline:
            queue = page.queues.get(EVENTS)
            if queue is None:
                return
            for chain in queue.take():
                place, _ = chain.find(writable=True)
                self.memory[place : place + len(EVENT)] = EVENT
                queue.give(chain, len(EVENT))


@pytest.fixture
def endless(pair, frontend):
    """It in the place of the good backend, which is back in the end."""
    pair.wait_probed()
    base = int(frontend.check("basename /sys/firmware/devicetree/base/reserved-memory/pool@*").partition("@")[2], 16)
    pair.backend_vm.pause()
    endless = Endless(frontend, base, seed=1)
    yield endless
    endless.close()
    pair.restart_backend()
    pair.wait_probed()


@on_xen.NO_PAUSE
def test_events_without_end_are_ended(endless, frontend):
    told = int(frontend.check(TOLD))
    endless.well = True
    terms = Terms(epoch=0x12345678, features=BASE, size=256, timeout_ms=PATIENCE_MS)
    for step in [page.announce(terms) for page in endless.pages]:
        step()
    endless.ring()
    (scmi,) = (page for page in endless.pages if page.kind == DEVICE_IDS["scmi"])
    with futures.ThreadPoolExecutor(1) as executor:
        asked = executor.submit(frontend.wait_for, f"[ $({TOLD}) -ge {told + TIMES} ]", SECONDS)
        seen, since = [], 0
        while not asked.done():
            endless.serve(0)
            endless.obey()
            if endless.asked() != seen:
                seen, since = endless.asked(), time.monotonic()
            elif EVENTS in scmi.queues and time.monotonic() - since > CALM:
                endless.race(scmi, TURN)
        asked.result()
