# SPDX-License-Identifier: MIT
"""Ballooning: a link's pool shrinks and grows while the link runs. Source: docs/transport.md, 10.

The backend asks for an amount, the frontend chooses the blocks and says which by a batch. What it has given back is
outside the pool from the batch's commit on: for rings, descriptors and chains that are out.
"""

from virtio.layout import (
    DEV_POOL_GIVEN,
    DEV_POOL_REQUEST,
    DEV_POOL_TARGET,
    POOL_BLOCK_SHIFT,
    REG_POOL_ANSWER,
    REG_POOL_GIVE,
    REG_POOL_TAKE,
    RESULT_BAD_LENGTH,
    RESULT_BAD_OFFSET,
    RESULT_BAD_SELECTOR,
    RESULT_BAD_STATE,
    RESULT_BAD_VALUE,
    RESULT_MALFORMED,
    RESULT_OK,
)
from virtio.registers import ENTRIES_PER_SLICE

_WORD = 0xFFFFFFFF


class State:
    """Bit n of `blocks`: block n is given back; `count` are. `answer`: the request that was answered last.

    Of a batch that is validated: `least` and `most` are the targets for which its TAKEs and its GIVEs are allowed.
    """

    def __init__(self, blocks=0, count=0, answer=0):
        self.blocks = blocks
        self.count = count
        self.answer = answer
        self.least = 0
        self.most = _WORD

    def allows(self, target):
        """Return whether it may be committed when `target` blocks are asked for. docs/transport.md, 10.3."""
        return self.least <= target <= self.most


class Balloon:
    """What the frontend of a link has given back of `pool` (a Window), block by block.

    `ports` are the link's, whose rings lie in the pool as the frontend sees it, from `base` on. `refused`: batches that
    were not done. Only a multiple of the block, 64 KiB, is ever given.
    """

    def __init__(self, pool, base, ports):
        self.refused = 0
        self._pool = pool
        self._base = base
        self._ports = ports
        self._blocks = pool.size >> POOL_BLOCK_SHIFT
        self._map = bytearray((pool.size - 1 >> POOL_BLOCK_SHIFT + 3) + 1)
        self._state = State()
        self._target = 0
        self._request = 0

    @property
    def target(self):
        """Bytes that the frontend was asked to give back in all."""
        return self._target << POOL_BLOCK_SHIFT

    @property
    def given(self):
        """Bytes that it has given back."""
        return self._state.count << POOL_BLOCK_SHIFT

    @property
    def is_answered(self):
        """Has the frontend done what it can about the last `ask`?"""
        return self._state.answer == self._request

    def ask(self, size):
        """Ask the frontend to have given back `size` bytes of the pool, in all; 0: to take everything again.

        Returns at once. What is lost of `given` are the blocks with the highest numbers: they must not be in use any
        more. ValueError if the pool is not that large.
        """
        if not 0 <= size <= self._pool.size:
            raise ValueError("the pool has %d bytes" % self._pool.size)
        self._target = size >> POOL_BLOCK_SHIFT
        self._request = self._request + 1 & _WORD or 1
        sync = self._ports[0].sync
        sync.device_page.w32(DEV_POOL_TARGET, self._target)
        sync.device_page.store_release(DEV_POOL_REQUEST, self._request)
        sync.tell()

    def ranges(self):
        """Return [(offset in the pool, bytes)] of what is given back: nobody uses it but the backend."""
        found, start = [], None
        for block in range(self._blocks + 1):
            is_given = self._state.blocks >> block & 1
            if is_given and start is None:
                start = block
            elif start is not None and not is_given:
                found.append((start << POOL_BLOCK_SHIFT, block - start << POOL_BLOCK_SHIFT))
                start = None
        return found

    def describe(self):
        """Return in words what was asked and given; None if nobody ever asked."""
        if not self._request:
            return None
        answered = "answered" if self.is_answered else "not answered yet"
        return "%d of %d KiB given back, %d asked for, %s; %d batches refused" % (
            self.given >> 10,
            self._pool.size >> 10,
            self.target >> 10,
            answered,
            self.refused,
        )

    def __repr__(self):
        return "<Balloon: %s>" % (self.describe() or "nothing asked for")

    def meet(self):
        """This is another life of the frontend: it has the whole pool, and hears of what is asked as a new one."""
        self._commit(State())

    def announce(self):
        """A backend life begins: the frontend has the whole pool, and nothing is asked."""
        self._target = self._request = 0
        self._commit(State())

    def takes(self, offset):
        """Return whether a batch that begins with an entry for `offset` is for the pool."""
        return offset in _LENGTHS

    def slices(self, entries):
        """Validate `entries` as `RegisterFile.slices` does, then commit all, or none; return (result, index).

        All are held against the target as it is at the commit, too: `ask()` may have changed it in between.
        """
        state = self._state
        draft = State(state.blocks, state.count, state.answer)
        pinned = self._rings()
        for index, entry in enumerate(entries):
            if index % ENTRIES_PER_SLICE == ENTRIES_PER_SLICE - 1:
                yield
            result = self._apply_one(draft, pinned, entry)
            if result != RESULT_OK:
                self.refused += 1
                return result, index
        yield
        if not draft.allows(self._target):
            self.refused += 1
            return RESULT_BAD_STATE, 0
        self._commit(draft)
        return RESULT_OK, 0

    def _apply_one(self, draft, pinned, entry):
        offset, length, flags, selector, value = entry
        if flags:
            return RESULT_MALFORMED
        if offset not in _LENGTHS:
            return RESULT_BAD_OFFSET
        if length != _LENGTHS[offset]:
            return RESULT_BAD_LENGTH
        if selector:
            return RESULT_BAD_SELECTOR
        if value >> (8 * length):
            return RESULT_BAD_VALUE
        if offset == REG_POOL_ANSWER:
            if value == self._request:  # an answer to a request to come would stand when that is made
                draft.answer = value
            return RESULT_OK
        first, count = value & _WORD, value >> 32
        if offset == REG_POOL_GIVE:
            return self._give(draft, pinned, first, count)
        return self._take(draft, first, count)

    def _give(self, draft, pinned, first, count):
        draft.least = max(draft.least, draft.count + count)
        if not draft.allows(self._target):
            return RESULT_BAD_STATE
        if not count or first + count > self._blocks:
            return RESULT_BAD_VALUE
        mask = (1 << count) - 1 << first
        if mask & (draft.blocks | pinned):
            return RESULT_BAD_VALUE
        draft.blocks |= mask
        draft.count += count
        return RESULT_OK

    def _take(self, draft, first, count):
        draft.most = min(draft.most, draft.count - count)
        if not draft.allows(self._target):
            return RESULT_BAD_STATE
        if not count or first + count > self._blocks:
            return RESULT_BAD_VALUE
        mask = (1 << count) - 1
        if draft.blocks >> first != mask:  # all of them given, and none above
            return RESULT_BAD_VALUE
        draft.blocks ^= mask << first
        draft.count -= count
        return RESULT_OK

    def _rings(self):
        """Return the blocks in which rings lie that are ready."""
        found = 0
        for port in self._ports:
            for address, size in port.ring_areas():
                first = address - self._base >> POOL_BLOCK_SHIFT
                last = address - self._base + size - 1 >> POOL_BLOCK_SHIFT
                found |= (1 << last - first + 1) - 1 << first
        return found

    def _commit(self, state):
        # What may run out of memory comes first: nothing is changed then.
        self._map[:] = state.blocks.to_bytes(len(self._map), "little")  # at once, however large the pool is
        self._pool.exclude(self._map if state.blocks else None, POOL_BLOCK_SHIFT)
        self._state = state
        self._ports[0].sync.device_page.w32(DEV_POOL_GIVEN, state.count)


_LENGTHS = {REG_POOL_GIVE: 8, REG_POOL_TAKE: 8, REG_POOL_ANSWER: 4}
