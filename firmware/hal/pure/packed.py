# SPDX-License-Identifier: MIT
"""Packed virtqueues: one ring that both sides write to. Source: virtio 1.3, 2.8.

A place in the ring is the number of a descriptor with the wrap counter in bit 15, as in event suppression structures.
"""

from hal.compat import const
from hal.pure.codes import BROKEN, EMPTY, REASON_INDEX, REASON_INDIRECT_NEXT, REASON_NONE, REASON_UNAVAILABLE
from hal.pure.queue import DESCRIPTOR_SIZE, INDIRECT, NEXT, WRITE, Queue

_AVAIL = const(1 << 7)  # VIRTQ_DESC_F_AVAIL
_USED = const(1 << 15)  # VIRTQ_DESC_F_USED
_WRAP = const(1 << 15)
_FLAGS = const(14)  # where they are in a descriptor
_ENABLE = const(0)  # RING_EVENT_FLAGS_ENABLE, _DISABLE and _DESC
_DISABLE = const(1)
_DESC = const(2)


def _is_available(flags, place):
    """2.8.1: AVAIL is the wrap counter, USED is not."""
    return flags & (_AVAIL | _USED) == (_AVAIL if place & _WRAP else _USED)


class PackedQueue(Queue):
    """A packed queue: descriptor ring, and the event suppression structures of the driver and of the device.

    `last_avail`: the place that is looked at next. A chain's `head` is the buffer's id, which is the driver's business.
    """

    _AREAS = ((DESCRIPTOR_SIZE, 0, 16), (0, 4, 4), (0, 4, 4))
    _START = _WRAP

    def __init__(self, *args):
        super().__init__(*args)
        self._slots = 0  # descriptors with the device: those from _used_index up to last_avail

    def _at(self, place):
        return self._desc + DESCRIPTOR_SIZE * (place & ~_WRAP)

    def _advance(self, place, n):
        number = (place & ~_WRAP) + n
        if number < self.size:
            return number | place & _WRAP
        return number - self.size | ~place & _WRAP

    def _next_flags(self):
        return self._u16(self._at(self.last_avail) + _FLAGS)

    def _has_next(self):
        return _is_available(self._next_flags(), self.last_avail)

    def _take(self, chain):
        flags = self._next_flags()
        if not _is_available(flags, self.last_avail):
            return EMPTY
        chain._clear()
        chain._queue = None
        found = self._take_list(chain, flags)
        if found == BROKEN:
            chain._clear()
        return found

    def _take_list(self, chain, flags):
        """Copy and check each descriptor once (2.8.6). `flags`: those of the first, which are not read again.

        A list has to be followed to its end even if something is wrong in it: only there are its id and its length,
        without which it cannot be returned.
        """
        place, slots, reason = self.last_avail, 0, REASON_NONE
        while True:
            if self._slots + slots == self.size:
                return self._break(REASON_INDEX)
            address, length, buffer_id, seen = self._load("<QIHH", self._at(place))
            flags = seen if slots else flags
            if not _is_available(flags, place):
                return self._break(REASON_UNAVAILABLE)
            reason = reason or self._add_any(chain, address, length, flags, not slots)
            slots += 1
            place = self._advance(place, 1)
            if not flags & NEXT:
                break
        self.last_avail = place
        self._slots += slots
        chain._slots = slots
        return self._taken(chain, buffer_id, reason)

    def _add_any(self, chain, address, length, flags, first):
        if not flags & INDIRECT:
            return self._add(chain, address, length, flags)
        if flags & NEXT or not first:
            return REASON_INDIRECT_NEXT
        return self._check_table(address, length) or self._add_table(chain, address - self._base, length)

    def _add_table(self, chain, table, length):
        """2.8.7: WRITE is the only flag in a table, which has no list but its order."""
        for at in range(table, table + length, DESCRIPTOR_SIZE):
            address, length, _, flags = self._load("<QIHH", at)
            reason = self._add(chain, address, length, flags)
            if reason:
                return reason
        return REASON_NONE

    def _return(self, chain, n):
        at = self._at(self._used_index)
        flags = _AVAIL | _USED if self._used_index & _WRAP else 0
        self._store("<IH", at + 8, n, chain.head)
        self._store("<H", at + _FLAGS, flags | (WRITE if n else 0))
        self._used_index = self._advance(self._used_index, chain._slots)
        self._slots -= chain._slots
        self._pushed += chain._slots

    def _wanted(self, pushed):
        """2.8.10."""
        place, flags = self._load("<HH", self._driver)
        flags &= 3
        if flags != _DESC or not self._event_idx:
            return bool(pushed) and flags != _DISABLE
        lap = self.size if (place ^ self._used_index) & _WRAP else 0
        return (self._used_index & ~_WRAP) + lap - (place & ~_WRAP) - 1 & 0xFFFF < pushed

    def arm(self):
        """Ask the driver to kick for its next chain. Follow it with mb() and pending()."""
        if self._event_idx:
            self._store("<HH", self._device, self.last_avail, _DESC)
        else:
            self._store("<HH", self._device, 0, _ENABLE)

    def disarm(self):
        """Tell the driver that kicks are not needed; with the event index a place that is past does that by itself."""
        if not self._event_idx:
            self._store("<HH", self._device, 0, _DISABLE)
