# SPDX-License-Identifier: MIT
"""Doorbell and memory of QEMU's ivshmem devices. Source: QEMU, docs/specs/ivshmem-spec, "Device Specification".

BAR 0: IVPosition (offset 8) is this side's id; a store of `peer << 16 | vector` to Doorbell (offset 12) interrupts
that peer. Only vector 0 is used, in both directions. There is no INTx, and doorbells are dropped until MSI-X is
enabled. The function sits behind a `pci-host-ecam-generic` bridge, its interrupts come through the `arm,gic-v2m-frame`.
BAR 2, where the device has one, is memory that the devices share; it is where the BAR is programmed to be.
"""

from hal import edge, pci
from hal.compat import const
from hal.rung import RungDoorbell

COMPATIBLE = "pci1af4,1110"

_IDS = const(0x11101AF4)
_POSITION = const(8)
_DOORBELL = const(12)
_MEMORY = const(2)


class Hypervisor:
    """The ivshmem functions of a machine: each of them, each host bridge, and the message frame exists once.

    `tree`: hal.fdt.Tree; `map_window(address, size, device)` makes a Window of physical memory.
    """

    def __init__(self, tree, map_window):
        self._tree = tree
        self._map = map_window
        self._hosts = {}
        self._functions = {}
        self._frame = None

    def doorbell(self, node, peer):
        """Return the doorbell of the ivshmem function at `node` that rings `peer`. ValueError if it cannot be one."""
        return IvshmemDoorbell(self._function(node), peer, self._message_frame())

    def memory(self, node):
        """Map the memory of the ivshmem function at `node`; return its (address, size). ValueError if it has none."""
        return self._function(node).memory(_MEMORY)

    def _function(self, node):
        if node.path not in self._functions:
            self._functions[node.path] = self._host(node.parent).function(node)
        return self._functions[node.path]

    def _host(self, node):
        if node.path not in self._hosts:
            self._hosts[node.path] = pci.Host(node, self._map)
        return self._hosts[node.path]

    def _message_frame(self):
        if self._frame is None:
            frames = self._tree.compatible("arm,gic-v2m-frame")
            if not frames:
                raise ValueError("device tree: no GICv2m frame, which the ivshmem doorbell needs (gic-version=2)")
            self._frame = pci.MessageFrame(frames[0], self._map)
        return self._frame


class IvshmemDoorbell(RungDoorbell):
    """The doorbell between this side and `peer`. `function`: pci.Function; `frame`: pci.MessageFrame.

    The interrupt is attached: it schedules the serving callback. ValueError if the function is another device, or
    `peer` is this side itself.
    """

    def __init__(self, function, peer, frame):
        if function.ids != _IDS:
            raise ValueError("ivshmem: %08x is another device" % function.ids)
        registers = function.bar(0)
        if registers.r32(_POSITION) == peer:
            raise ValueError("ivshmem: peer %d, to be rung, is this side itself" % peer)
        super().__init__(edge.Bell(registers, _DOORBELL, peer << 16))
        self.intid = frame.take()
        edge.irq_attach(self.intid, True)
        function.enable_message(frame.register, self.intid)
