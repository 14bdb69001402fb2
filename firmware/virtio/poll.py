# SPDX-License-Identifier: MIT
"""When to look at links whose frontend cannot ring: soon while it asks, less often while it rests.

Source: docs/transport.md, 6.8.
"""

from hal.compat import const
from virtio.layout import DRV_KICK_SEQ, DRV_REQ

POLL_MS = const(1)
IDLE_MS = const(16)
PATIENCE = const(20)


class Poll:
    """The next look at `links`: `tick()` returns after how many ms, and is called then (`hal.alarm.Alarms.repeat`).

    Whoever runs it looks for work afterwards; here it is only seen whether frontends have published something: their
    counts of kicks and their requests. A tick allocates nothing.
    """

    def __init__(self, links):
        self._pages = [port.sync.driver_page for link in links for port in link.ports]
        self._seen = 0
        self._idle = 0
        self._ms = POLL_MS

    def tick(self):
        """Return how many milliseconds later the next look is due."""
        words = 0
        for page in self._pages:
            words += page.r32(DRV_KICK_SEQ) + page.r32(DRV_REQ)
        if words != self._seen:
            self._seen = words
            self._idle = 0
            self._ms = POLL_MS
        elif self._idle < PATIENCE:
            self._idle += 1
        else:
            self._ms = min(2 * self._ms, IDLE_MS)
        return self._ms
