# SPDX-License-Identifier: MIT
"""What is under way on a link, as the region shows it to somebody who only looks: batches, requests, notifications.

Source: docs/transport.md, 2 to 4 and 6; the packed ring: virtio 1.3, 2.8. Linux gives each buffer of SCMI one
descriptor: that of an indirect table to a command, its own to an event. So descriptors are counted, not chains.
"""

import mmap
import struct

from e2e.places import place
from trapless import region
from virtio import layout

INDIRECT, AVAILABLE, USED = 4, 1 << 7, 1 << 15
DESCRIPTOR = struct.Struct("<QIHH")
COMMANDS, EVENTS = 0, 1
KIND = 0x3FFFF  # protocol, type and message of an SCMI header
READING_GET = 0x15 << 10 | 0x06
SENSOR_UPDATE = 0x15 << 10 | 3 << 8 | 1
RESET = (layout.REG_STATUS, 0)
DRIVER_OK = (layout.REG_STATUS, 15)
MARK = layout.PAGE_SIZE - 4  # a word that nobody looks at: docs/transport.md, 2


class Watch:
    """The SCMI device of `frontend`, while Linux runs there. What is asked of it is read anew each time."""

    def __init__(self, frontend):
        link = frontend.link
        (device,) = (one for one in link.devices if one.kind == "scmi")
        with region.path(frontend.vm.directory, link).open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._device = link.device_page(device)
        self._driver = link.driver_page(device)
        self._shift = place(frontend, "pool")[0] - link.pool_offset

    def close(self):
        """Give the region back."""
        self._memory.close()

    def shown(self, offset):
        """A word of the device page."""
        return struct.unpack_from("<I", self._memory, self._device + offset)[0]

    def sent(self, offset):
        """A word of the driver page."""
        return struct.unpack_from("<I", self._memory, self._driver + offset)[0]

    def batch(self):
        """The token of a batch that is published and not answered, 0 if there is none."""
        token = self.sent(layout.DRV_REQ)
        published = token == self.sent(layout.DRV_TOKEN) and self.sent(layout.DRV_BE_EPOCH) == self._epoch()
        return token if published and token != self.shown(layout.DEV_ACK) else 0

    def entries(self):
        """What the last batch writes, published or answered: [(register, selector, value)]."""
        at = self._driver + layout.DRV_ENTRIES
        rows = (struct.unpack_from("<HBBIQ", self._memory, at + layout.ENTRY_SIZE * n) for n in range(self._count()))
        return [(offset, selector, value) for offset, _, _, selector, value in rows]

    def statuses(self):
        """The statuses among them: [(REG_STATUS, value)]."""
        return [(offset, value) for offset, _, value in self.entries() if offset == layout.REG_STATUS]

    def commands(self, kind=READING_GET):
        """How many commands of a kind the device has not given back."""
        rows = [row for row in self._ring(COMMANDS) if not _is_used(row)]
        return sum(self._header(row) & KIND == kind for row in rows)

    def events(self):
        """The messages that the driver has not taken, since all buffers are with the device else: [words]."""
        rows = [row for row in self._ring(EVENTS) if _is_used(row)]
        return [struct.unpack_from(f"<{length // 4}I", self._memory, at - self._shift) for at, length, _, _ in rows]

    def event_buffers(self):
        """How many buffers for events there are."""
        return len(self._ring(EVENTS))

    def _epoch(self):
        return self.shown(layout.DEV_BE_EPOCH)

    def _count(self):
        return min(self.sent(layout.DRV_COUNT), layout.ENTRIES_MAX)

    def _ring(self, queue):
        """The descriptors of a queue, in the order of the ring; the batch that set it up is still to be seen."""
        registers = {(offset, selector): value for offset, selector, value in self.entries()}
        size = registers[layout.REG_QUEUE_SIZE, queue]
        at = registers[layout.REG_QUEUE_DESC_LOW, queue] - self._shift
        return [DESCRIPTOR.unpack_from(self._memory, at + DESCRIPTOR.size * n) for n in range(size)]

    def _header(self, row):
        at, flags = row[0] - self._shift, row[3]
        if flags & INDIRECT:
            at = DESCRIPTOR.unpack_from(self._memory, at)[0] - self._shift
        return struct.unpack_from("<I", self._memory, at)[0]


def _is_used(row):
    """Whether the device has given it back; also of one that was never made available."""
    return bool(row[3] & AVAILABLE) == bool(row[3] & USED)
