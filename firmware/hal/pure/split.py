# SPDX-License-Identifier: MIT
"""Split virtqueues: a table of descriptors and two rings. Source: virtio 1.3, 2.7."""

from hal.compat import const
from hal.pure.codes import (
    EMPTY,
    REASON_HEAD,
    REASON_INDEX,
    REASON_INDIRECT_NEXT,
    REASON_NESTED,
    REASON_NEXT,
    REASON_TWICE,
)
from hal.pure.queue import DESCRIPTOR_SIZE, INDIRECT, NEXT, Queue

_NO_INTERRUPT = const(1)  # VIRTQ_AVAIL_F_NO_INTERRUPT
_NO_NOTIFY = const(1)  # VIRTQ_USED_F_NO_NOTIFY


class SplitQueue(Queue):
    """A split queue: descriptor table, available ring, used ring. `size` is a power of two.

    `last_avail`: the available index up to which chains were taken.
    """

    _AREAS = ((DESCRIPTOR_SIZE, 0, 16), (2, 6, 2), (8, 6, 4))

    def __init__(self, *args):
        super().__init__(*args)
        self._out = [False] * self.size

    def _may_have(self, size):
        return not size & (size - 1)

    def _avail_index(self):
        return self._u16(self._driver + 2)

    def _has_next(self):
        return self._avail_index() != self.last_avail

    def _take(self, chain):
        waiting = (self._avail_index() - self.last_avail) & 0xFFFF
        if not waiting:
            return EMPTY
        if waiting > self.size:
            return self._break(REASON_INDEX)
        head = self._u16(self._driver + 4 + 2 * (self.last_avail & (self.size - 1)))
        if head >= self.size:
            return self._break(REASON_HEAD)
        if self._out[head]:
            return self._break(REASON_TWICE)
        self._out[head] = True
        self.last_avail = (self.last_avail + 1) & 0xFFFF
        chain._clear()
        return self._taken(chain, head, self._walk(chain, head))

    def _walk(self, chain, index):
        """Copy and check each descriptor once (2.7.4, 2.7.5.3); return the reason why the chain is malformed, or 0.

        The descriptor that points to an indirect table adds no segment.
        """
        table, entries, nested = self._desc, self.size, False
        while index < entries:
            address, length, flags, follower = self._load("<QIHH", table + DESCRIPTOR_SIZE * index)
            if flags & INDIRECT:
                reason = self._enter(nested, address, length, flags)
                table, entries, index, nested = address - self._base, length // DESCRIPTOR_SIZE, 0, True
            else:
                reason = self._add(chain, address, length, flags)
                index = follower
            if reason or not flags & (NEXT | INDIRECT):
                return reason
        return REASON_NEXT

    def _enter(self, nested, address, length, flags):
        if nested:
            return REASON_NESTED
        if flags & NEXT:
            return REASON_INDIRECT_NEXT
        return self._check_table(address, length)

    def _return(self, chain, n):
        element = self._device + 4 + 8 * (self._used_index & (self.size - 1))
        self._store("<II", element, chain.head, n)
        self._used_index = (self._used_index + 1) & 0xFFFF
        self._store("<H", self._device + 2, self._used_index)
        self._out[chain.head] = False
        self._pushed += 1

    def _wanted(self, pushed):
        """2.7.7, 2.7.10."""
        if not self._event_idx:
            return bool(pushed) and not self._u16(self._driver) & _NO_INTERRUPT
        used_event = self._u16(self._driver + 4 + 2 * self.size)
        return (self._used_index - used_event - 1) & 0xFFFF < pushed

    def arm(self):
        """Ask the driver to kick for its next chain. Follow it with mb() and pending()."""
        if self._event_idx:
            self._store("<H", self._device + 4 + 8 * self.size, self.last_avail)
        else:
            self._store("<H", self._device, 0)

    def disarm(self):
        """Tell the driver that kicks are not needed; with the event index a stale event does that by itself."""
        if not self._event_idx:
            self._store("<H", self._device, _NO_NOTIFY)
