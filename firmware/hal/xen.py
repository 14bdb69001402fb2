# SPDX-License-Identifier: MIT
"""Doorbells and shared regions of a guest of Xen on Arm. Sources: Xen's public headers xen.h (hypercalls, shared_info),
event_channel.h, memory.h, arch-arm.h; Linux' binding arm/xen.txt; Xen, docs/misc/arm/device-tree/booting.txt.

A doorbell is an event channel that exists when the guest starts; its port, the cell of `mboxes`, is all that a guest
knows of it. All events come by one interrupt. Xen raises it when it sets EVTCHN_UPCALL_PENDING, and not again before
that is 0; the same holds for the bits of the port and of its word. So all three are latches (`hal.edge.latch`).
"""

from hal import edge
from hal.compat import const
from hal.rung import RungDoorbell

COMPATIBLE = "trapless,xen-evtchn-mailbox"
_REGION = "xen,shared-memory-v1"

_MEMORY_OP = const(12)
_EVENT_CHANNEL_OP = const(32)
_EVTCHN_SEND = const(4)
_ADD_TO_PHYSMAP = const(7)
_REMOVE_FROM_PHYSMAP = const(15)
_SPACE_SHARED_INFO = const(0)
_DOMID_SELF = const(0x7FF0)

# struct shared_info on Arm: one vcpu_info, then a bit for each port.
_UPCALL_PENDING = const(0)
_PENDING_WORDS = const(8)
_PENDING = const(48)
_MASK = const(560)
_PORTS = const(4096)

_PAGE = const(4096)
_PPI = const(16)


def _structure(size, *words):
    """Return a Window of `size` bytes with (offset, bits, value) in them."""
    window = edge.Window(bytearray(size), size)
    for off, bits, value in words:
        (window.w16 if bits == 16 else window.w32 if bits == 32 else window.w64)(off, value)
    return window


def map_page(space, index, frame):
    """Have Xen map page `index` of a map space (memory.h, XENMAPSPACE_) at guest frame `frame`, whatever was there.

    ValueError with Xen's error number (errno.h) if Xen refuses.
    """
    gone = _structure(16, (0, 16, _DOMID_SELF), (8, 64, frame))
    edge.Hypercall(_MEMORY_OP, _REMOVE_FROM_PHYSMAP, gone)()  # refused if nothing is there
    added = _structure(24, (0, 16, _DOMID_SELF), (4, 32, space), (8, 64, index), (16, 64, frame))
    error = edge.Hypercall(_MEMORY_OP, _ADD_TO_PHYSMAP, added)()
    if error < 0:
        raise ValueError("Xen refuses the mapping of a page: error %d" % error)


def spare_frame(node):
    """Return the number of the guest frame that this program maps things to: the last one that `/hypervisor` keeps free
    for the guest's grant table, of which nothing here needs so many."""
    address, size = node.reg()[0]
    return (address + size) // _PAGE - 1


class Hypervisor:
    """The event channels of this guest, and the interrupt that they share. Arguments as for `ivshmem.Hypervisor`.

    ValueError if the device tree has no hypervisor, or if that does not say where events are noted.
    """

    def __init__(self, tree, map_window):
        nodes = tree.compatible("xen,xen")
        if not nodes:
            raise ValueError('device tree: no hypervisor node; the domain needs xen,enhanced = "no-xenstore"')
        frame = spare_frame(nodes[0])
        map_page(_SPACE_SHARED_INFO, 0, frame)
        self._info = map_window(frame * _PAGE, _PAGE, False)
        self._latched = []
        self._latch(_UPCALL_PENDING)
        self._latch(_PENDING_WORDS)
        self.intid = nodes[0].cells("interrupts")[1] + _PPI
        edge.irq_attach(self.intid, False)

    def doorbell(self, node, port):
        """Return the doorbell that is event channel `port`; it rings once. ValueError if there are too many, or no such
        port."""
        if not 0 < port < _PORTS:
            raise ValueError("device tree: there is no event channel %d" % port)
        word = port // 64 * 8
        self._info.w64(_MASK + word, 0)
        self._latch(_PENDING + word)
        bell = EventDoorbell(port)
        if bell.ring() < 0:
            raise ValueError("device tree: this guest has no event channel %d: Xen does not send to it" % port)
        edge.interrupt(self.intid)  # what came before anybody listened holds the interrupt back
        return bell

    def _latch(self, off):
        if off in self._latched:
            return
        if len(self._latched) == edge.LATCHES:
            raise ValueError("device tree: the ports of the event channels are too far apart; use those below 128")
        edge.latch(len(self._latched), self._info, off)
        self._latched.append(off)


class EventDoorbell(RungDoorbell):
    """The doorbell that is event channel `port` of this guest."""

    def __init__(self, port):
        super().__init__(edge.Hypercall(_EVENT_CHANNEL_OP, _EVTCHN_SEND, _structure(8, (0, 32, port))))


def region(tree, name):
    """Return (address, size) of the shared region whose `xen,id` is `name`. ValueError if this guest has none."""
    for node in tree.compatible(_REGION):
        if node.text("xen,id", "") == name:
            return node.reg()[0]
    raise ValueError("device tree: no %s has xen,id '%s'" % (_REGION, name))


def check_regions(tree, link):
    """Check that all pages, the pool and shm of the node `link` lie in the regions that its `trapless,xen-ids` names.

    The rest of the link's region need not be memory at all. A link without that property is not checked. ValueError
    says what lies nowhere.
    """
    if "trapless,xen-ids" not in link.properties:
        return
    regions = [region(tree, name) for name in link.texts("trapless,xen-ids")]
    for node, pieces in [(link, link.reg()[1:])] + [(child, child.reg()) for child in link.children]:
        for at, size in pieces:
            if not any(start <= at and at + size <= start + length for start, length in regions):
                raise ValueError("device tree: %s: 0x%x is in no region of its trapless,xen-ids" % (node.path, at))
