# SPDX-License-Identifier: MIT
"""Reader of a flattened device tree. Source: Devicetree Specification 0.4, chapters 2 (properties) and 5 (DTB format).

The whole structure is read once into `Node` objects; property values stay bytes until somebody asks for their meaning.
"""

from hal.compat import const

_MAGIC = const(0xD00DFEED)
_BEGIN_NODE = const(1)
_END_NODE = const(2)
_PROP = const(3)
_NOP = const(4)
_END = const(9)

_REQUIRED = ()  # default that means "there is none": the property is required


def _u32(data, at):
    return int.from_bytes(data[at : at + 4], "big")


def _string(data, at):
    end = at
    while data[end]:
        end += 1
    return str(bytes(data[at:end]), "utf-8")


class Node:
    """One node: `name` with unit address, `path`, `parent`, `children` (list), `properties` (dict of bytes by name)."""

    def __init__(self, name, parent):
        self.name = name
        self.parent = parent
        self.children = []
        self.properties = {}
        self.path = name if parent is None else parent.path.rstrip("/") + "/" + name

    def child(self, name):
        """Return the child called `name`, with or without its unit address, or None."""
        for node in self.children:
            if node.name == name or node.name.split("@")[0] == name:
                return node
        return None

    def is_available(self):
        """Is the node's `status` absent or "okay"?"""
        return self.text("status", "okay") in ("okay", "ok")

    def _value(self, name, default):
        value = self.properties.get(name)
        if value is None and default is _REQUIRED:
            raise ValueError("device tree: %s has no property '%s'" % (self.path, name))
        return value

    def text(self, name, default=_REQUIRED):
        """Return a property that is a string."""
        value = self._value(name, default)
        return default if value is None else str(value, "utf-8").rstrip("\0")

    def texts(self, name):
        """Return a property that is a list of strings; [] if it is absent."""
        value = self.properties.get(name, b"")
        return str(value, "utf-8").rstrip("\0").split("\0") if value else []

    def cells(self, name):
        """Return a property as a list of 32-bit numbers, or None if it is absent."""
        value = self.properties.get(name)
        return None if value is None else [_u32(value, at) for at in range(0, len(value) - 3, 4)]

    def number(self, name, default=_REQUIRED):
        """Return a property as one big-endian number, whatever its length."""
        value = self._value(name, default)
        return default if value is None else int.from_bytes(value, "big")

    def reg(self):
        """Return `reg` as a list of (address, size), with the parent's cells (2.3.6), without translation."""
        address_cells = self.parent.number("#address-cells", 2)
        size_cells = self.parent.number("#size-cells", 1)
        value = self._value("reg", _REQUIRED)
        stride = 4 * (address_cells + size_cells)
        if not stride or len(value) % stride:
            raise ValueError("device tree: %s: 'reg' does not fit its parent's cells" % self.path)
        return [_pair(value, at, 4 * address_cells, stride) for at in range(0, len(value), stride)]

    def registers(self):
        """Return `reg` with the addresses that the processor uses: through the `ranges` of every bus above (2.3.8)."""
        found, bus = self.reg(), self.parent
        while bus.parent is not None:
            found = [(bus._outside(address, size), size) for address, size in found]
            bus = bus.parent
        return found

    def _outside(self, address, size):
        """Return the address, on the bus that this one is on, of `size` bytes at `address` of this one."""
        value = self._value("ranges", _REQUIRED)
        if not value:
            return address
        inner = 4 * self.number("#address-cells", 2)
        outer = inner + 4 * self.parent.number("#address-cells", 2)
        stride = outer + 4 * self.number("#size-cells", 1)
        for at in range(0, len(value) - stride + 1, stride):
            start, base = _pair(value, at, inner, outer)
            length = int.from_bytes(value[at + outer : at + stride], "big")
            if start <= address and address + size <= start + length:
                return base + address - start
        raise ValueError("device tree: %s has nothing at 0x%x in its 'ranges'" % (self.path, address))

    def named_reg(self, name):
        """Return (address, size) of the entry of `reg` that `reg-names` calls `name`."""
        names = self.texts("reg-names")
        if name not in names:
            raise ValueError("device tree: %s has no '%s' in 'reg-names'" % (self.path, name))
        return self.reg()[names.index(name)]


def _pair(value, at, middle, stride):
    return (
        int.from_bytes(value[at : at + middle], "big"),
        int.from_bytes(value[at + middle : at + stride], "big"),
    )


class Tree:
    """A flattened device tree in the buffer `data`; `root` is its root Node. ValueError if it is none, or damaged."""

    def __init__(self, data):
        data = memoryview(data)
        if len(data) < 40 or _u32(data, 0) != _MAGIC or _u32(data, 4) > len(data):
            raise ValueError("no flattened device tree: no magic number, or shorter than its header says")
        self.root = None
        self._phandles = {}
        try:
            self._read(data, _u32(data, 8), _u32(data, 12))
        except IndexError:
            self.root = None
        if self.root is None:
            raise ValueError("damaged device tree: its structure has no end")

    def _read(self, data, at, strings):
        node = None
        while True:
            token = _u32(data, at)
            at += 4
            if token == _BEGIN_NODE:
                name = _string(data, at)
                at += (len(name) + 4) & ~3
                node = self._begin(name, node)
            elif token == _PROP:
                length = _u32(data, at)
                self._property(node, _string(data, strings + _u32(data, at + 4)), bytes(data[at + 8 : at + 8 + length]))
                at += 8 + ((length + 3) & ~3)
            elif token == _END_NODE:
                if node.parent is None:
                    self.root = node
                    return
                node = node.parent
            elif token != _NOP:
                raise ValueError("damaged device tree: token %d at %d" % (token, at - 4))

    def _begin(self, name, parent):
        node = Node(name or "/", parent)
        if parent is not None:
            parent.children.append(node)
        return node

    def _property(self, node, name, value):
        node.properties[name] = value
        if name == "phandle":
            self._phandles[int.from_bytes(value, "big")] = node

    def find(self, path):
        """Return the node at `path` (unit addresses may be left out), or None."""
        node = self.root
        for name in path.split("/"):
            if name and node is not None:
                node = node.child(name)
        return node

    def phandle(self, number):
        """Return the node with that phandle. ValueError if there is none."""
        if number not in self._phandles:
            raise ValueError("device tree: no node has the phandle %d" % number)
        return self._phandles[number]

    def compatible(self, name):
        """Return all available nodes that are compatible with `name`."""
        return _compatible(self.root, name, [])


def _compatible(node, name, found):
    if name in node.texts("compatible") and node.is_available():
        found.append(node)
    for child in node.children:
        _compatible(child, name, found)
    return found
