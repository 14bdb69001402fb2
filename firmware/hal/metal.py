# SPDX-License-Identifier: MIT
"""The bare machine: everything is found in the device tree it was booted with. See `hal` for the contract.

What a hypervisor does for a link, its doorbell and memory that is mapped on demand, is chosen by the `compatible` of
the node that the link's `mboxes` or `trapless,memory` points to.
"""

import _hal

from hal import edge, ivshmem, xen
from hal.compat import const, ticks_diff, ticks_ms, ticks_us  # noqa: F401 (the clock is part of the contract)
from hal.contract import Doorbell, backends, draw, find_device, read_links
from hal.fdt import Tree

_CHUNK = const(256)

_word = bytearray(4)

_HYPERVISORS = {ivshmem.COMPATIBLE: ivshmem.Hypervisor, xen.COMPATIBLE: xen.Hypervisor}


class _Board:
    """The device tree and what was made from it."""

    def __init__(self):
        self.tree = Tree(_hal.dtb())
        self._hypervisors = {}
        self._stir_seeds()
        for node in backends(self.tree):
            for link in node.children:
                xen.check_regions(self.tree, link)
        self.links = read_links(self.tree, self._window, self._doorbell, self._memory)

    def _stir_seeds(self):
        for node in [self.tree.find("/chosen")] + backends(self.tree):
            for name in ("rng-seed", "kaslr-seed"):
                if node is not None and name in node.properties:
                    edge.stir(node.properties[name])

    def _window(self, address, size):
        return _hal.map_window(address, size, False)

    def _doorbell(self, mboxes):
        if mboxes is None:
            return Doorbell()
        node = self.tree.phandle(mboxes[0])
        return self._hypervisor(node, "doorbell").doorbell(node, mboxes[1])

    def _memory(self, handle):
        node = self.tree.phandle(handle)
        return self._hypervisor(node, "memory").memory(node)

    def _hypervisor(self, node, what):
        for kind in node.texts("compatible"):
            if kind in _HYPERVISORS and hasattr(_HYPERVISORS[kind], what):
                if kind not in self._hypervisors:
                    self._hypervisors[kind] = _HYPERVISORS[kind](self.tree, _hal.map_window)
                return self._hypervisors[kind]
        raise ValueError("device tree: no driver for the %s %s" % (what, node.path))


_board = None


def _get_board():
    global _board
    if _board is None:
        _board = _Board()
    return _board


def tree():
    """Return the device tree (hal.fdt.Tree)."""
    return _get_board().tree


def links():
    """Return the list of Links; their doorbells are enabled. ValueError tells what is wrong in the device tree."""
    return _get_board().links


def device(compatible, index=0):
    """Return a Window of the registers of device `index` of those compatible with `compatible`; ValueError if there is
    none."""
    return _hal.map_window(*find_device(tree(), compatible, index), True)


def nonce(avoid=()):
    """Return a random integer, 1 to 2^32 - 1, not in `avoid`."""
    return draw(edge.entropy, _word, avoid)


def stir(window):
    """Mix the content of a Window into the pool that nonces come from."""
    chunk = bytearray(_CHUNK)
    for at in range(0, window.size - _CHUNK + 1, _CHUNK):
        window.read(at, chunk)
        edge.stir(chunk)


serve = edge.serve
notify = edge.notify
timer = edge.timer
lookout = edge.lookout
reset = _hal.reset
off = _hal.off
