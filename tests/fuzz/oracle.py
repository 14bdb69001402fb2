# SPDX-License-Identifier: MIT
"""What a backend must do with any batch, written from docs/transport.md, 4.4 to 5 and 10, alone.

`Page` predicts the answer, the shadow registers and the counters; it shares no code with the firmware. The device is
`driver.Mirror`.
"""

from virtio.layout import ENTRY_SIZE

OK, VETO, NEEDS_RESET, MALFORMED, BAD_OFFSET, BAD_LENGTH, BAD_SELECTOR, BAD_VALUE, BAD_STATE = range(1, 10)
REQUIRED = 3 << 32
PACKED, RING_RESET = 1 << 34, 1 << 40
OFFERED = 3 | 1 << 28 | 1 << 29 | REQUIRED | PACKED | 1 << 36 | RING_RESET
SIZES = (16, 8)
GIVE, TAKE, ANSWER = 0x860, 0x868, 0x870
ADDRESS_REGISTERS = {0x80: (0, 0), 0x84: (0, 1), 0x90: (1, 0), 0x94: (1, 1), 0xA0: (2, 0), 0xA4: (2, 1)}


class Page:
    """The registers of a Mirror behind synchronisation pages, as docs/transport.md describes them.

    `place(packed, size, desc, driver, device)` returns the blocks of the pool in which these areas lie, None if they
    are misaligned or outside of it; it has `blocks` of them. `given`: those that are given back.
    """

    def __init__(self, place, blocks):
        self.place = place
        self.blocks = blocks
        self.given = set()
        self.target = self.request = self.answer = 0
        self.config = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17]
        self.counts = {"batches": 0, "vetoed": 0, "refused": 0, "unbelievable": 0, "torn": 0}
        self.life = 0
        self.clear()

    def clear(self):
        """A reset."""
        self.status = 0
        self.failed = False
        self.words = [0] * 8
        self.queues = [{"size": size, "ready": 0, "at": [0, 0, 0], "reset": 0} for size in SIZES]

    def features(self):
        """The features that the driver has written."""
        return sum([word << (32 * bank) for bank, word in enumerate(self.words)])

    def fail(self):
        """The device needs a reset."""
        self.failed = True

    @property
    def shown(self):
        """The status that the driver sees."""
        return self.status | 64 * self.failed

    def snapshot(self):
        """Return everything that a batch may change."""
        queues = [dict(queue, at=list(queue["at"])) for queue in self.queues]
        return self.status, self.failed, list(self.words), queues, list(self.config)

    def restore(self, snapshot):
        """Take back what was done since `snapshot()`."""
        self.status, self.failed, self.words, self.queues, self.config = snapshot

    def batch(self, life, entries):
        """Take a believable batch of frontend life `life`; return (result, index)."""
        if life != self.life:
            self.life = life
            self.given, self.answer = set(), 0
            self.clear()
        self.counts["batches"] += 1
        if not entries:
            result, index = MALFORMED, 0
        elif entries[0][0] in (GIVE, TAKE, ANSWER):
            result, index = self._pool(entries)
        elif self.failed and not self._is_reset(entries[0]):
            result, index = NEEDS_RESET, 0
        else:
            result, index = self._apply(entries)
        self.counts["vetoed"] += result == VETO
        self.counts["refused"] += result not in (OK, VETO)
        return result, index

    def ask(self, target):
        """The backend asks for so many blocks."""
        self.target = target
        self.request += 1

    @property
    def is_answered(self):
        """Has the last request been answered?"""
        return self.answer == self.request

    def _pool(self, entries):
        before = set(self.given), self.answer
        for index, item in enumerate(entries):
            result = self._pool_entry(*item)
            if result != OK:
                self.given, self.answer = before
                return result, index
        return OK, 0

    def _pool_entry(self, offset, length, flags, selector, value):
        if flags:
            return MALFORMED
        if offset not in (GIVE, TAKE, ANSWER):
            return BAD_OFFSET
        if length != (4 if offset == ANSWER else 8):
            return BAD_LENGTH
        if selector:
            return BAD_SELECTOR
        if value >= 1 << (8 * length):
            return BAD_VALUE
        if offset == ANSWER:
            if value == self.request:  # another value answers nothing
                self.answer = value
            return OK
        first, count = value % (1 << 32), value >> 32
        if offset == GIVE and len(self.given) + count > self.target:
            return BAD_STATE
        if offset == TAKE and len(self.given) - count < self.target:
            return BAD_STATE
        if count == 0 or first + count > self.blocks:
            return BAD_VALUE
        return self._move(offset, set(range(first, first + count)))

    def _move(self, offset, blocks):
        if offset == GIVE and not blocks & (self.given | self._rings()):
            self.given |= blocks
            return OK
        highest = set(sorted(self.given)[-len(blocks) :])
        if offset == TAKE and blocks == highest:
            self.given -= blocks
            return OK
        return BAD_VALUE

    def _rings(self):
        """The blocks in which rings lie."""
        packed, found = self.features() & PACKED != 0, set()
        for queue in self.queues:
            if queue["ready"]:
                found |= self.place(packed, queue["size"], *queue["at"])
        return found

    def _fits(self, packed, queue):
        blocks = self.place(packed, queue["size"], *queue["at"])
        return blocks is not None and not blocks & self.given

    def _apply(self, entries):
        before = self.snapshot()
        for index, item in enumerate(entries):
            result = self._entry(index, item)
            if result == VETO:
                return VETO, index
            if result != OK:
                self.restore(before)
                return result, index
        return OK, 0

    def _entry(self, index, item):
        offset, length, flags, selector, value = item
        if flags:
            return MALFORMED
        if index == 0 and self._is_reset(item):
            self.clear()
            return OK
        if offset >= 0x100:
            return self._config(offset - 0x100, length, selector, value)
        queue_register = offset in (0x38, 0x44, 0xC0) or offset in ADDRESS_REGISTERS
        if offset not in (0x70, 0x20) and not queue_register:
            return BAD_OFFSET
        if length != 4 and not (length == 8 and offset in (0x80, 0x90, 0xA0)):
            return BAD_LENGTH
        if selector >= (2 if queue_register else 8 if offset == 0x20 else 1):
            return BAD_SELECTOR
        if value >= 1 << (8 * length):
            return BAD_VALUE
        if queue_register:
            return self._queue(offset, length, selector, value)
        return self._features(selector, value) if offset == 0x20 else self._status(value & ~64)

    def _is_reset(self, item):
        offset, length, flags, selector, value = item
        return (offset, length, flags, selector, value & ~64) == (0x70, 4, 0, 0, 0)

    def _config(self, at, length, selector, value):
        if at >= 8:
            return BAD_OFFSET
        if length not in (1, 2, 4, 8) or at % length or at + length > 8:
            return BAD_LENGTH
        if at + length > 4:
            return BAD_OFFSET
        if selector:
            return BAD_SELECTOR
        if value >= 1 << (8 * length):
            return BAD_VALUE
        if not self.status & 8:
            return BAD_STATE
        self.config[at : at + length] = [value >> (8 * i) & 255 for i in range(length)]
        return OK

    def _status(self, new):
        if new & ~(1 | 2 | 4 | 8 | 128):
            return BAD_VALUE
        old = self.status
        grown = new & ~old
        wrong = not new or old & ~new or (old & 128 and grown) or (grown & 2 and not new & 1)
        wrong = wrong or (grown & 8 and new & 3 != 3) or (grown & 4 and new & 11 != 11)
        if wrong:
            return BAD_STATE
        if grown & 8:
            asked = self.features()
            if asked & ~OFFERED or asked & REQUIRED != REQUIRED or asked & 3 == 2:
                self.status = new & ~(8 | 4)
                return VETO
        self.status = new
        return OK

    def _features(self, bank, value):
        if self.status & 8:
            return BAD_STATE
        if value & ~(OFFERED >> (32 * bank) & 0xFFFFFFFF):
            return BAD_VALUE
        self.words[bank] = value
        return OK

    def _queue(self, offset, length, selector, value):
        queue = self.queues[selector]
        packed = self.features() & PACKED != 0
        if offset == 0xC0:
            if not self.status & 8 or not self.features() & RING_RESET:
                return BAD_STATE
            if value != 1:
                return BAD_VALUE
            queue.update({"size": SIZES[selector], "ready": 0, "at": [0, 0, 0], "reset": 1})
            return OK
        if offset == 0x44 and value == 0:
            queue["ready"] = 0
            return OK
        if queue["ready"] or not (queue["reset"] or self.status & 12 == 8):
            return BAD_STATE
        if offset == 0x38:
            if not 0 < value <= SIZES[selector] or not (packed or value in (1, 2, 4, 8, 16)):
                return BAD_VALUE
            queue["size"] = value
        elif offset == 0x44:
            if value > 1 or not self._fits(packed, queue):
                return BAD_VALUE
            queue["ready"], queue["reset"] = 1, 0
        else:
            which, high = ADDRESS_REGISTERS[offset]
            old = queue["at"][which]
            if length == 4:
                value = old % (1 << 32) + (value << 32) if high else old - old % (1 << 32) + value
            queue["at"][which] = value
        return OK


assert ENTRY_SIZE == 16
