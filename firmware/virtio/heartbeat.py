# SPDX-License-Identifier: MIT
"""Heartbeats of one link: this side's, and what the frontend's say of it. Source: docs/transport.md, 4.9."""

from hal.compat import const
from virtio.layout import DEV_HEARTBEAT, DEV_HEARTBEAT_PERIOD_MS, DRV_HEARTBEAT

PERIOD_MS = const(500)
SILENT_AFTER = const(4)

UNATTACHED = "not attached"
UNKNOWN = "no heartbeat"
ALIVE = "alive"
SILENT = "silent"


class Heartbeat:
    """The heartbeats of a link, which are those of the first of its `ports`.

    It beats, and looks at the frontend's, while a driver uses one of the devices. `silences`: how often a frontend that
    had beaten fell silent. Nothing else follows from it.
    """

    def __init__(self, ports):
        self.silences = 0
        self._ports = ports
        self._repeat = None
        self._tick = self._beat  # made once: a bound method is allocated
        self._beating = False
        self._seen = 0
        self._heard = False
        self._missed = 0

    @property
    def peer(self):
        """What is known of the frontend: UNATTACHED, UNKNOWN (it has not beaten in this life), ALIVE or SILENT."""
        if not self._beating:
            return UNATTACHED
        if not self._heard:
            return UNKNOWN
        return SILENT if self._missed >= SILENT_AFTER else ALIVE

    @property
    def silent_ms(self):
        """For how long the frontend has been silent, in ms and to a period; 0 unless it is SILENT."""
        return self._missed * PERIOD_MS if self.peer == SILENT else 0

    def describe(self):
        """Return what is known of the frontend in words."""
        return "silent for %d ms" % self.silent_ms if self.peer == SILENT else self.peer

    def attach(self, repeat):
        """Use `repeat(ms, function)` (`hal.alarm.Alarms`) from now on."""
        self._repeat = repeat

    def announce(self):
        """Say in the device page how often it beats; to be followed by the publishing of the page."""
        self._ports[0].sync.device_page.w32(DEV_HEARTBEAT_PERIOD_MS, PERIOD_MS)

    def meet(self):
        """Forget what was known: this is another life of the frontend."""
        self._listen()

    def awake(self):
        """A driver has written registers: beat if one of the devices is in use, and not yet."""
        if self._repeat and not self._beating and self._in_use():
            self._beating = True
            self._listen()
            self._repeat(PERIOD_MS, self._tick)

    def _listen(self):
        self._seen = self._ports[0].sync.driver_page.r32(DRV_HEARTBEAT)
        self._heard = False
        self._missed = 0

    def _in_use(self):
        statuses = 0
        for port in self._ports:
            statuses |= port.registers.state.status
        return statuses != 0

    def _beat(self):
        """Beat once and look once; return in how many ms again, 0: not. Allocates nothing."""
        self._beating = self._in_use()
        if self._beating:
            self._ports[0].sync.device_page.add_release(DEV_HEARTBEAT, 1)
            self._look()
        return PERIOD_MS if self._beating else 0

    def _look(self):
        """Count looks, not time: a backend that was stopped itself gives the frontend as many as ever."""
        word = self._ports[0].sync.driver_page.r32(DRV_HEARTBEAT)
        if word != self._seen:
            self._seen = word
            self._heard = True
            self._missed = 0
            return
        self._missed += 1
        if self._heard and self._missed == SILENT_AFTER:
            self.silences += 1
