# SPDX-License-Identifier: MIT
"""The frontend's side of ballooning, for the driver-side mock: docs/transport.md, 10."""

from driver.entries import entry
from virtio.layout import (
    DEV_POOL_GIVEN,
    DEV_POOL_REQUEST,
    DEV_POOL_TARGET,
    POOL_BLOCK_SHIFT,
    REG_POOL_ANSWER,
    REG_POOL_GIVE,
    REG_POOL_TAKE,
)

BLOCK = 1 << POOL_BLOCK_SHIFT


def give(first, count=1, **wrong):
    """Return the entry that gives blocks back."""
    return entry(REG_POOL_GIVE, count << 32 | first, length=8, **wrong)


def take(first, count=1, **wrong):
    """Return the entry that takes blocks again."""
    return entry(REG_POOL_TAKE, count << 32 | first, length=8, **wrong)


def answer(request, **wrong):
    """Return the entry that answers a request."""
    return entry(REG_POOL_ANSWER, request, **wrong)


class FrontendBalloon:
    """Answers requests of the backend: takes blocks out of the mock's pool, or puts them back. One life of a frontend.

    `blocks`: those that are given back, in the order of their numbers; `keep`: how many bytes of the pool it does not
    give.
    """

    def __init__(self, frontend, keep=0):
        self.frontend = frontend
        self.driver = frontend.drivers[0]
        self.pool = frontend.pool
        self.keep = keep
        self.blocks = []
        self.answered = 0

    @property
    def given(self):
        """Blocks given back, as the backend says."""
        return self.driver.load(DEV_POOL_GIVEN)

    def look(self):
        """Do what is asked, if it is new; return whether it was."""
        request = self.driver.load(DEV_POOL_REQUEST)
        target = self.driver.load(DEV_POOL_TARGET)
        if request in (0, self.answered):
            return False
        fewer = max(len(self.blocks) - target, 0)
        taken, self.blocks = self.blocks[len(self.blocks) - fewer :], self.blocks[: len(self.blocks) - fewer]
        given = self._find(target - len(self.blocks))
        entries = [take(block) for block in reversed(taken)] + [give(block) for block in given]
        self.driver.must(entries + [answer(request)])
        self.blocks = sorted(self.blocks + given)
        for block in taken:
            self.pool.give(self.pool.base + block * BLOCK, BLOCK)
        self.answered = request
        return True

    def _find(self, count):
        found = []
        reserve = self.pool.take(self.keep) if self.keep else None
        while len(found) < count:
            try:
                address = self.pool.take(BLOCK, BLOCK)
            except MemoryError:
                break
            found.append((address - self.pool.base) >> POOL_BLOCK_SHIFT)
        if reserve is not None:
            self.pool.give(reserve, self.keep)
        return found
