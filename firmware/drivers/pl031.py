# SPDX-License-Identifier: MIT
"""PL031: a real time clock. Source: Arm DDI 0224B, 3.3.1 (RTCDR)."""

from hal.compat import const

_DATA = const(0x000)


class Pl031:
    """A PL031. `window`: its registers."""

    def __init__(self, window):
        self._window = window

    def seconds(self):
        """Return the seconds that it has counted, 32 bits, usually since 1970: a `read` of a Sensor."""
        return self._window.r32(_DATA)
