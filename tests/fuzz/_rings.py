# SPDX-License-Identifier: MIT
"""What a backend must do with any ring, written from virtio 1.3, 2.7 and 2.8, and sharing no code with the firmware.

A `Split` or `Packed` predicts every byte of the pool, every counter and interrupt. The device behind it is
`driver.Mirror`.
"""

from struct import pack_into, unpack_from

HANDLERS_PER_RUN = 32
MIRROR_BYTES = 256


class Endless(Exception):
    """The ring rewrites itself so often that it is no case worth waiting for."""


class Ring:
    """A queue served by a Mirror, in a copy of the pool's bytes; `base`: the frontend's address of its first byte.

    `taken`, `given`, `told`: chains that were taken and returned, and of which the driver was told; descriptors of the
    ring if it is packed. None of them wraps but where it is compared with what lies in the pool.
    """

    def __init__(self, pool, base, size, areas, event_idx, indirect):
        self.pool = pool
        self.base = base
        self.size = size
        self.desc, self.driver, self.device = [area - base for area in areas]
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

    def _ask(self, wanted):
        """Ask for notifications, or say that none is needed."""
        raise NotImplementedError

    def _waits(self):
        raise NotImplementedError

    def _step(self):
        """Take the next chain, answer it, give it back."""
        raise NotImplementedError

    def _broken(self):
        self.broken = True
        self.counts["broken"] += 1

    def _fits(self, at, length):
        return at >= 0 and at + length <= len(self.pool)

    def _u16(self, at):
        return unpack_from("<H", self.pool, at)[0]

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

    def _given(self, wanted):
        self.counts["returned"] += 1
        self.counts["interrupts"] += wanted


class Split(Ring):
    """Virtio 1.3, 2.7."""

    def _waits(self):
        return not self.broken and self._u16(self.driver + 2) != self.taken

    def _ask(self, wanted):
        """Ask for notifications, or say that none is needed."""
        if self.broken:
            return
        if self.event_idx:
            if wanted:
                pack_into("<H", self.pool, self.device + 4 + 8 * self.size, self.taken)
        else:
            pack_into("<H", self.pool, self.device, 0 if wanted else 1)

    def _step(self):
        head = self._u16(self.driver + 4 + 2 * (self.taken % self.size))
        if (self._u16(self.driver + 2) - self.taken) % 65536 > self.size or head >= self.size:
            self._broken()
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
            fits = self._fits(at, length)
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

    def _give(self, head, length):
        pack_into("<II", self.pool, self.device + 4 + 8 * (self.given % self.size), head, length)
        self.given = (self.given + 1) % 65536
        pack_into("<H", self.pool, self.device + 2, self.given)
        self._given(self._wanted())
        self.told = self.given

    def _wanted(self):
        """Does the driver want an interrupt (2.7.7.2)?"""
        if self.event_idx:
            event = self._u16(self.driver + 4 + 2 * self.size)
            return (self.given - event - 1) % 65536 < (self.given - self.told) % 65536
        return not self._u16(self.driver) & 1


class Packed(Ring):
    """Virtio 1.3, 2.8. The wrap counter of the descriptor that is number `n` since the beginning is that of its lap."""

    def place(self, n):
        """Return the number in the ring, with the wrap counter in bit 15."""
        return n % self.size + (0 if n // self.size % 2 else 32768)

    def _is_available(self, flags, n):
        return (flags >> 7 & 1, flags >> 15 & 1) == ((0, 1) if n // self.size % 2 else (1, 0))

    def _descriptor(self, n):
        return unpack_from("<QIHH", self.pool, self.desc + 16 * (n % self.size))

    def _waits(self):
        return not self.broken and self._is_available(self._descriptor(self.taken)[3], self.taken)

    def _ask(self, wanted):
        if self.broken:
            return
        if not self.event_idx:
            pack_into("<HH", self.pool, self.device, 0, 0 if wanted else 1)
        elif wanted:
            pack_into("<HH", self.pool, self.device, self.place(self.taken), 2)

    def _step(self):
        found = self._list()
        if found is None:
            self._broken()
            return
        self.taken += len(found)
        length = self._answer(self._pieces(found))
        at = self.desc + 16 * (self.given % self.size)
        flags = (0 if self.given // self.size % 2 else 1 << 7 | 1 << 15) | (2 if length else 0)
        pack_into("<IHH", self.pool, at + 8, length, found[-1][2], flags)
        self.given += len(found)
        self._given(self._wanted())
        self.told = self.given

    def _list(self):
        """Return the descriptors of the next list, None if the ring is violated."""
        found = []
        while True:
            n = self.taken + len(found)
            if n - self.given == self.size:
                return None
            found.append(self._descriptor(n))
            if not self._is_available(found[-1][3], n):
                return None
            if not found[-1][3] & 1:
                return found

    def _pieces(self, found):
        """Return the [(pool offset, length, is writable)] of a list, None if it is malformed."""
        if any(flags & 4 for _, _, _, flags in found):
            address, length = found[0][:2]
            at = address - self.base
            if len(found) > 1 or not self.indirect or not length or length % 16 or not self._fits(at, length):
                return None
            found = [unpack_from("<QIHH", self.pool, at + 16 * i) for i in range(length // 16)]
        pieces = [(address - self.base, length, bool(flags & 2)) for address, length, _, flags in found]
        writable = [piece[2] for piece in pieces]
        good = all(self._fits(at, length) for at, length, _ in pieces if length)
        return pieces if good and len(pieces) <= self.size and writable == sorted(writable) else None

    def _wanted(self):
        """Does the driver want an interrupt (2.8.10)?"""
        place, flags = unpack_from("<HH", self.pool, self.driver)
        if flags % 4 != 2 or not self.event_idx:
            return flags % 4 != 1
        lap = self.given // self.size
        same = place >> 15 == self.place(self.given) >> 15
        event = (lap if same else lap - 1) * self.size + place % 32768
        return (self.given - event - 1) % 65536 < self.given - self.told
