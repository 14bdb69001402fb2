# SPDX-License-Identifier: MIT
"""Writes flattened device trees for tests, independent of the reader. Devicetree Specification 0.4, chapter 5."""

from struct import pack


def cells(*values):
    """Return 32-bit cells."""
    return b"".join(pack(">I", value) for value in values)


def wide(*values):
    """Return 64-bit values, two cells each."""
    return b"".join(pack(">Q", value) for value in values)


def _padded(data):
    return data + bytes(-len(data) % 4)


class _Strings:
    def __init__(self):
        self.data = b""

    def offset(self, name):
        wanted = name.encode() + b"\0"
        at = self.data.find(wanted)
        if at < 0:
            at = len(self.data)
            self.data += wanted
        return at


def _node(strings, name, items):
    out = cells(1) + _padded(name.encode() + b"\0")
    nodes = b""
    for key, value in items:
        if isinstance(value, list):
            nodes += _node(strings, key, value)
        else:
            value = value.encode() + b"\0" if isinstance(value, str) else value
            out += cells(3, len(value), strings.offset(key)) + _padded(value)
    return out + cells(4) + nodes + cells(2)  # a NOP between properties and nodes


def write(items):
    """Return the blob of a root node. `items`: list of (name, value); a list is a node, bytes or str a property."""
    strings = _Strings()
    structure = _node(strings, "", items) + cells(9)
    reserved = bytes(16)
    start = 40 + len(reserved)
    end = start + len(structure)
    total = end + len(strings.data)
    header = cells(0xD00DFEED, total, start, end, 40, 17, 16, 0, len(strings.data), len(structure))
    return header + reserved + structure + strings.data
