# SPDX-License-Identifier: MIT
"""The bare machine: everything is found in the device tree it was booted with. See `hal` for the contract.

Doorbells are chosen by the `compatible` of the node that a link's `mboxes` points to: `pci1af4,1110` is ivshmem behind
a `pci-host-ecam-generic` bridge, with interrupts through the `arm,gic-v2m-frame`.
"""

import _hal

from hal import edge, ivshmem, pci
from hal.compat import const, ticks_diff, ticks_ms, ticks_us  # noqa: F401 (the clock is part of the contract)
from hal.contract import Doorbell, draw, find_device, read_links
from hal.fdt import Tree

_CHUNK = const(256)

_word = bytearray(4)


class _Board:
    """The device tree and what was made from it: each host bridge and message frame exists once."""

    def __init__(self):
        self.tree = Tree(_hal.dtb())
        self._hosts = {}
        self._frame = None
        self._stir_seeds()
        self.links = read_links(self.tree, self._memory, self._doorbell)

    def _stir_seeds(self):
        chosen = self.tree.find("/chosen")
        for name in ("rng-seed", "kaslr-seed"):
            if chosen is not None and name in chosen.properties:
                edge.stir(chosen.properties[name])

    def _memory(self, address, size):
        return _hal.map_window(address, size, False)

    def _doorbell(self, mboxes):
        if mboxes is None:
            return Doorbell()
        node = self.tree.phandle(mboxes[0])
        if ivshmem.COMPATIBLE not in node.texts("compatible"):
            raise ValueError("device tree: no driver for the doorbell %s" % node.path)
        return ivshmem.IvshmemDoorbell(self._host(node.parent).function(node), mboxes[1], self._message_frame())

    def _host(self, node):
        if node.path not in self._hosts:
            self._hosts[node.path] = pci.Host(node, _hal.map_window)
        return self._hosts[node.path]

    def _message_frame(self):
        if self._frame is None:
            frames = self.tree.compatible("arm,gic-v2m-frame")
            if not frames:
                raise ValueError("device tree: no GICv2m frame, which the ivshmem doorbell needs (gic-version=2)")
            self._frame = pci.MessageFrame(frames[0], _hal.map_window)
        return self._frame


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
reset = _hal.reset
off = _hal.off
