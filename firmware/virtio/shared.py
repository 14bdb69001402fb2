# SPDX-License-Identifier: MIT
"""Shared-memory regions: pieces of the link's area. Source: virtio 1.3, 2.10, and docs/transport.md, 2 and 9."""

from virtio.layout import PAGE_SIZE


class Region:
    """A region: `window`, its bytes; `length`; `offset` in the link's area; `address` as the frontend sees it."""

    def __init__(self, window, offset, address):
        self.window = window
        self.length = window.size
        self.offset = offset
        self.address = address


class Area:
    """The memory of a link that the backend stores to and the frontend reads, handed out in whole pages.

    `window`: that memory, None if the link has none; `address`: its first byte as the frontend sees it.
    """

    def __init__(self, window, address):
        self._window = window
        self._address = address
        self._used = 0

    def regions(self, sizes):
        """Return {id: Region} for {id: bytes}, {} if the link has no such memory. ValueError: too little."""
        if self._window is None:
            return {}
        return {number: self._take(size) for number, size in sizes.items()}

    def _take(self, size):
        offset, length = self._used, (size + PAGE_SIZE - 1) // PAGE_SIZE * PAGE_SIZE
        left = self._window.size - offset
        if length > left:
            raise ValueError(f"the link's shm has {left} bytes left, and a device needs {length}")
        self._used += length
        return Region(self._window.window(offset, length), offset, self._address + offset)
