# SPDX-License-Identifier: MIT
"""A device tree in memory, edited by libfdt. Format: Devicetree Specification 0.4."""

from __future__ import annotations

import struct
from typing import Any

import libfdt

from trapless.errors import TopologyError
from trapless.topology import Range

_ROOM = 16384


class Cells(list[int]):
    """A property of 64-bit numbers, two cells each."""


Node = dict[str, Any]
"""Properties and sub-nodes (dicts) by name. A property is an int (one cell), a list of ints (cells), Cells, a str, a
list of strs, bytes, or True (empty)."""


class Tree:
    """A device tree being edited."""

    def __init__(self, blob: bytes) -> None:
        self._fdt = libfdt.Fdt(blob)
        self._fdt.resize(len(blob) + _ROOM)

    def blob(self) -> bytes:
        """Return the packed tree."""
        packed = libfdt.Fdt(bytes(self._fdt.as_bytearray()))
        packed.pack()
        return bytes(packed.as_bytearray()[: packed.totalsize()])

    def graft(self, path: str, content: Node) -> None:
        """Add properties and sub-nodes to the node at `path`; a sub-node that exists is extended.

        libfdt inserts at the front, so going backwards keeps the order of `content`.
        """
        for name, value in reversed(content.items()):
            if isinstance(value, dict):
                if name not in self.children(path):
                    self._fdt.add_subnode(self._at(path), name)
                self.graft(_join(path, name), value)
            else:
                self._fdt.setprop(self._at(path), name, encode(value))

    def remove(self, path: str) -> None:
        """Remove a node."""
        self._fdt.del_node(self._at(path))

    def drop(self, path: str, name: str) -> None:
        """Remove a property if it is there."""
        if self.has(path, name):
            self._fdt.delprop(self._at(path), name)

    def has(self, path: str, name: str) -> bool:
        """Tell whether the node has a property, which may be empty."""
        return bool(self._fdt.hasprop(self._at(path), name))

    def phandle(self, path: str) -> int:
        """Return the node's phandle, giving it one if it has none."""
        present = self._fdt.get_phandle(self._at(path))
        if present:
            return int(present)
        fresh = self.fresh_phandle()
        self._fdt.setprop_u32(self._at(path), "phandle", fresh)
        return fresh

    def fresh_phandle(self) -> int:
        """Return the first phandle behind all that the tree has."""
        return 1 + max(int(self._fdt.get_phandle(self._at(path))) for path in self.paths())

    def paths(self) -> list[str]:
        """Return the path of every node."""
        found, stack = [], ["/"]
        while stack:
            path = stack.pop()
            found.append(path)
            stack += [_join(path, name) for name in self.children(path)]
        return found

    def children(self, path: str) -> list[str]:
        """Return the names of a node's sub-nodes."""
        names = []
        offset = self._fdt.first_subnode(self._at(path), quiet=[libfdt.NOTFOUND])
        while offset >= 0:
            names.append(self._fdt.get_name(offset))
            offset = self._fdt.next_subnode(offset, quiet=[libfdt.NOTFOUND])
        return names

    def property(self, path: str, name: str) -> bytes:
        """Return a property's bytes, empty if it is not there."""
        found = self._fdt.getprop(self._at(path), name, quiet=[libfdt.NOTFOUND])
        return b"" if isinstance(found, int) else bytes(found)

    def _at(self, path: str) -> int:
        return int(self._fdt.path_offset(path))

    def memory(self) -> list[Range]:
        """Return the memory nodes by NUMA node: private memory first, then the regions in the order of the links."""
        nodes = []
        for name in self.children("/"):
            if name.startswith("memory@"):
                start, size = struct.unpack(">QQ", self.property(f"/{name}", "reg"))
                number = struct.unpack(">I", self.property(f"/{name}", "numa-node-id"))[0]
                nodes.append((number, Range(f"memory node {number}", start, size)))
        return [found for _, found in sorted(nodes, key=lambda node: node[0])]

    def compatible(self, wanted: str) -> str:
        """Return the path of the first node compatible with `wanted`.

        Raises:
            TopologyError: there is none.
        """
        for path in self.paths():
            if wanted.encode() in self.property(path, "compatible").split(b"\0"):
                return path
        raise TopologyError(f"QEMU's device tree has no node compatible with {wanted}")


def _join(path: str, name: str) -> str:
    return f"{path.rstrip('/')}/{name}"


def encode(value: Any) -> bytes:
    """Return a property's bytes; `Node` tells what `value` may be.

    Raises:
        TypeError: it is none of these.
    """
    if value is True:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return struct.pack(">I", value)
    if isinstance(value, str):
        return value.encode() + b"\0"
    if isinstance(value, Cells):
        return struct.pack(f">{len(value)}Q", *value)
    if isinstance(value, (list, tuple)):
        return b"".join(encode(item) for item in value)
    raise TypeError(f"no device-tree property: {value!r}")
