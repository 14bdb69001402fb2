# SPDX-License-Identifier: MIT
"""Doorbell over QEMU's ivshmem-doorbell device. Source: QEMU, docs/specs/ivshmem-spec, "Device Specification".

BAR 0: IVPosition (offset 8) is this side's id; a store of `peer << 16 | vector` to Doorbell (offset 12) interrupts
that peer. Only vector 0 is used, in both directions. There is no INTx, and doorbells are dropped until MSI-X is
enabled.
"""

from hal import edge
from hal.compat import const
from hal.contract import Doorbell

COMPATIBLE = "pci1af4,1110"

_IDS = const(0x11101AF4)
_POSITION = const(8)
_DOORBELL = const(12)


class IvshmemDoorbell(Doorbell):
    """The doorbell between this side and `peer`. `function`: pci.Function; `frame`: pci.MessageFrame.

    The interrupt is attached: it schedules the serving callback. ValueError if the function is another device, or
    `peer` is this side itself.
    """

    hears = True
    rings = True
    _echo_used = [False] * edge.ECHO_SLOTS  # the slots are the machine's, not one doorbell's

    def __init__(self, function, peer, frame):
        if function.ids != _IDS:
            raise ValueError("ivshmem: %08x is another device" % function.ids)
        self._registers = function.bar(0)
        if self._registers.r32(_POSITION) == peer:
            raise ValueError("ivshmem: peer %d, to be rung, is this side itself" % peer)
        self._value = peer << 16
        self.ring = edge.Bell(self._registers, _DOORBELL, self._value)
        self.intid = frame.take()
        edge.irq_attach(self.intid, True)
        function.enable_message(frame.register, self.intid)

    def echo(self, request, request_off, reply, reply_off):
        """Have the interrupt handler answer a changed request word; see Doorbell."""
        used = self._echo_used
        if False not in used:
            return -1
        slot = used.index(False)
        edge.echo(slot, request, request_off, reply, reply_off, self._registers, _DOORBELL, self._value)
        used[slot] = True
        return slot

    def echo_off(self, slot):
        """Stop the echo of `slot`."""
        edge.echo_off(slot)
        self._echo_used[slot] = False
