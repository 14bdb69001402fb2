# SPDX-License-Identifier: MIT
"""A backend that returns each event buffer as soon as Linux has given it back: who takes them never comes to an end.

Linux's SCMI driver goes on as long as there is one (`scmi_vio_complete_cb()`), and the transport has no place in that
loop. It ends all the same (`linux/trapless_events.c`), and Linux has its processor meanwhile.
"""

import struct
import time

import pytest

from e2e import on_xen
from e2e.hostile import BASE, HostileBackend, Terms, replaced
from trapless.nodes import DEVICE_IDS

EVENTS = 1
EVENT = struct.pack("<III", 0x15 << 10 | 3 << 8, 0, 0)  # a notification that nobody has asked for
SECONDS = 90
CALM = 0.1  # seconds without a batch or a message: Linux has what it asks for at first
TURN = 2  # seconds, between two looks at anything else: longer than Linux goes on, less than it waits for a batch
SILENCE = 0.01  # seconds without a buffer: Linux came to an end of them
PATIENCE_MS = 5000
TOLD = "dmesg | grep -c 'queue 1 is broken' || true"


class Endless(HostileBackend):
    """Answers well, and returns event buffers as fast as it can."""

    def asked(self):
        """What Linux has asked for so far."""
        return [(page.seen, [queue.next for queue in page.queues.values()]) for page in self.pages]

    def behave_until_calm(self, deadline):
        """Answer until Linux has an event queue and asks for nothing for a while."""
        seen, since = [], 0
        while time.monotonic() < deadline:
            self.serve(0)
            self.obey()
            if self.asked() != seen:
                seen, since = self.asked(), time.monotonic()
            elif any(EVENTS in page.queues for page in self.pages) and time.monotonic() - since > CALM:
                return

    def race(self, page, deadline):
        """Return every event buffer that there is, again and again; tell Linux when it takes no more of them."""
        queue = page.queues[EVENTS]
        now, since = time.monotonic(), 0
        while now < deadline:
            for chain in queue.take():
                place, _ = chain.find(writable=True)
                self.memory[place : place + len(EVENT)] = EVENT
                queue.give(chain, len(EVENT))
                since = now
            if now - since > SILENCE:
                self.used(page)
                since = now
            now = time.monotonic()


@pytest.fixture
def endless(pair, frontend):
    """It in the place of the good backend, which is back in the end."""
    with replaced(pair, frontend, Endless) as endless:
        yield endless


@on_xen.NO_PAUSE
def test_events_without_end_are_ended(endless, frontend):
    told = int(frontend.check(TOLD))
    endless.well = True
    terms = Terms(epoch=0x12345678, features=BASE, size=256, timeout_ms=PATIENCE_MS)
    for step in [page.announce(terms) for page in endless.pages]:
        step()
    endless.ring()
    (scmi,) = (page for page in endless.pages if page.kind == DEVICE_IDS["scmi"])
    deadline = time.monotonic() + SECONDS
    while int(frontend.check(TOLD)) == told:
        assert time.monotonic() < deadline, (
            f"Linux never broke the queue in {SECONDS} s (this machine needs two processors that are free)"
        )
        endless.behave_until_calm(deadline)
        endless.race(scmi, time.monotonic() + TURN)
