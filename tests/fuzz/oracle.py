# SPDX-License-Identifier: MIT
"""What a backend must do with any ring and any batch, written from the specifications and sharing no code with the
firmware.

Sources: virtio 1.3, 2.7 (`Ring`) and docs/transport.md, 4.4 to 5 (`Page`). `Ring` predicts every byte of the pool;
`Page` the answer, the shadow registers and the counters. The device behind both is `driver.Mirror`.
"""

from struct import pack_into, unpack_from

from driver import ENTRY_SIZE

HANDLERS_PER_RUN = 32
MIRROR_BYTES = 256


class Endless(Exception):
    """The ring rewrites itself so often that it is no case worth waiting for."""


class Ring:
    """A split queue served by a Mirror, in a copy of the pool's bytes; `base`: the frontend's address of its first
    byte.
    """

    def __init__(self, pool, base, size, desc, avail, used, event_idx, indirect):
        self.pool = pool
        self.base = base
        self.size = size
        self.desc = desc - base
        self.avail = avail - base
        self.used = used - base
        self.event_idx = event_idx
        self.indirect = indirect
        self.taken = 0
        self.given = 0
        self.told = 0
        self.broken = False
        self.meanwhile = lambda: None  # what the driver does while a request is being handled
        self.counts = {"returned": 0, "malformed": 0, "unanswerable": 0, "broken": 0, "interrupts": 0}

    def serve(self):
        """Do everything that a backend does after a doorbell, until it sleeps. Endless if that takes too long."""
        for _ in range(10):
            self._ask(False)
            if self._run():
                return
        raise Endless

    def _run(self):
        """One run of the loop; return whether it went to sleep."""
        for _ in range(HANDLERS_PER_RUN):
            if not self._waits():
                if self.broken:
                    return True
                self._ask(True)
                if not self._waits():
                    return True
                self._ask(False)
            self._step()
        return False

    def _u16(self, at):
        return unpack_from("<H", self.pool, at)[0]

    def _waits(self):
        return not self.broken and self._u16(self.avail + 2) != self.taken

    def _ask(self, wanted):
        """Ask for notifications, or say that none is needed."""
        if self.broken:
            return
        if self.event_idx:
            if wanted:
                pack_into("<H", self.pool, self.used + 4 + 8 * self.size, self.taken)
        else:
            pack_into("<H", self.pool, self.used, 0 if wanted else 1)

    def _step(self):
        head = self._u16(self.avail + 4 + 2 * (self.taken % self.size))
        if (self._u16(self.avail + 2) - self.taken) % 65536 > self.size or head >= self.size:
            self.broken = True
            self.counts["broken"] += 1
            return
        self.taken = (self.taken + 1) % 65536
        pieces = self._chain(head)
        self._give(head, self._answer(pieces))

    def _chain(self, head):
        """Return the [(pool offset, length, is writable)] of a chain, None if it is malformed."""
        found = []
        table, entries, index, inside_table = self.desc, self.size, head, False
        while True:
            if index >= entries or len(found) > self.size:
                return None
            address, length, flags, follower = unpack_from("<QIHH", self.pool, table + 16 * index)
            at = address - self.base
            fits = at >= 0 and at + length <= len(self.pool)
            if flags & 4:
                if not self.indirect or inside_table or flags & 1 or length % 16 or not length or not fits:
                    return None
                table, entries, index, inside_table = at, length // 16, 0, True
                continue
            if length and not fits:
                return None
            found.append((at, length, bool(flags & 2)))
            if not flags & 1:
                break
            index = follower
        writable = [piece[2] for piece in found]
        return found if len(found) <= self.size and writable == sorted(writable) else None

    def _answer(self, pieces):
        """Write the Mirror's answer into the pool; return its length."""
        if pieces is None:
            self.counts["malformed"] += 1
            return 0
        asked = b"".join([bytes(self.pool[at : at + n]) for at, n, writable in pieces if n and not writable])
        self.meanwhile()
        room = sum([n for _, n, writable in pieces if writable])
        reply = asked[: min(room, MIRROR_BYTES)]
        if not reply:
            self.counts["unanswerable"] += 1
        left = reply
        for at, n, writable in pieces:
            if n and writable and left:
                part = left[:n]
                self.pool[at : at + len(part)] = part
                left = left[n:]
        return len(reply)

    def _give(self, head, length):
        pack_into("<II", self.pool, self.used + 4 + 8 * (self.given % self.size), head, length)
        self.given = (self.given + 1) % 65536
        pack_into("<H", self.pool, self.used + 2, self.given)
        self.counts["returned"] += 1
        self._tell()

    def _tell(self):
        """Count an interrupt if the driver wants one (2.7.7.2)."""
        if self.event_idx:
            event = self._u16(self.avail + 4 + 2 * self.size)
            wanted = (self.given - event - 1) % 65536 < (self.given - self.told) % 65536
        else:
            wanted = not self._u16(self.avail) & 1
        self.told = self.given
        self.counts["interrupts"] += wanted


OK, VETO, NEEDS_RESET, MALFORMED, BAD_OFFSET, BAD_LENGTH, BAD_SELECTOR, BAD_VALUE, BAD_STATE = range(1, 10)
REQUIRED = 3 << 32
OFFERED = 3 | 1 << 28 | 1 << 29 | REQUIRED | 1 << 36
SIZES = (16, 8)
ADDRESS_REGISTERS = {0x80: (0, 0), 0x84: (0, 1), 0x90: (1, 0), 0x94: (1, 1), 0xA0: (2, 0), 0xA4: (2, 1)}


class Page:
    """The registers of a Mirror behind synchronisation pages, as docs/transport.md describes them.

    `fits(size, desc, avail, used)` tells whether these areas are aligned and inside the pool.
    """

    def __init__(self, fits):
        self.fits = fits
        self.config = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17]
        self.counts = {"batches": 0, "vetoed": 0, "refused": 0, "unbelievable": 0, "torn": 0}
        self.life = 0
        self.clear()

    def clear(self):
        """A reset."""
        self.status = 0
        self.failed = False
        self.words = [0] * 8
        self.queues = [{"size": size, "ready": 0, "at": [0, 0, 0]} for size in SIZES]

    def fail(self):
        """The device needs a reset."""
        self.failed = True

    @property
    def shown(self):
        """The status that the driver sees."""
        return self.status | 64 * self.failed

    def snapshot(self):
        """Return everything that a batch may change."""
        queues = [{"size": q["size"], "ready": q["ready"], "at": list(q["at"])} for q in self.queues]
        return self.status, self.failed, list(self.words), queues, list(self.config)

    def restore(self, snapshot):
        """Take back what was done since `snapshot()`."""
        self.status, self.failed, self.words, self.queues, self.config = snapshot

    def batch(self, life, entries):
        """Take a believable batch of frontend life `life`; return (result, index)."""
        if life != self.life:
            self.life = life
            self.clear()
        self.counts["batches"] += 1
        if not entries:
            result, index = MALFORMED, 0
        elif self.failed and not self._is_reset(entries[0]):
            result, index = NEEDS_RESET, 0
        else:
            result, index = self._apply(entries)
        self.counts["vetoed"] += result == VETO
        self.counts["refused"] += result not in (OK, VETO)
        return result, index

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
        queue_register = offset in (0x38, 0x44) or offset in ADDRESS_REGISTERS
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
            asked = sum([word << (32 * bank) for bank, word in enumerate(self.words)])
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
        if offset == 0x44 and value == 0 and queue["ready"]:
            queue["ready"] = 0
            return OK
        if queue["ready"] or self.status & 12 != 8:
            return BAD_STATE
        if offset == 0x38:
            if value not in (1, 2, 4, 8, 16) or value > SIZES[selector]:
                return BAD_VALUE
            queue["size"] = value
        elif offset == 0x44:
            if value > 1 or (value and not self.fits(queue["size"], *queue["at"])):
                return BAD_VALUE
            queue["ready"] = value
        else:
            which, high = ADDRESS_REGISTERS[offset]
            old = queue["at"][which]
            if length == 4:
                value = old % (1 << 32) + (value << 32) if high else old - old % (1 << 32) + value
            queue["at"][which] = value
        return OK


assert ENTRY_SIZE == 16
