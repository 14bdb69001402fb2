# SPDX-License-Identifier: MIT
"""A doorbell that both sides ring, by what `_hal` can do at interrupt level too. See `hal.contract.Doorbell`."""

from hal import edge
from hal.contract import Doorbell

_used = [False] * edge.ECHO_SLOTS  # the slots are the machine's, not one doorbell's


class RungDoorbell(Doorbell):
    """`ring`: an edge.Bell or edge.Hypercall that rings the frontend."""

    hears = True
    rings = True

    def __init__(self, ring):
        self.ring = ring

    def echo(self, request, request_off, reply, reply_off):
        """Have the interrupt handler answer a changed request word; see Doorbell."""
        if False not in _used:
            return -1
        slot = _used.index(False)
        edge.echo(slot, request, request_off, reply, reply_off, self.ring)
        _used[slot] = True
        return slot

    def echo_off(self, slot):
        """Stop the echo of `slot`."""
        edge.echo_off(slot)
        _used[slot] = False
