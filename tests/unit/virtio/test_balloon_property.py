# SPDX-License-Identifier: MIT
"""Whatever a frontend publishes about the pool, the backend's record is that of a set of blocks; so is its window."""

from hypothesis import given
from hypothesis import strategies as st

from driver import Mirror, Rig
from driver.balloon import BLOCK, answer, give, take
from virtio.layout import RESULT_BAD_STATE, RESULT_BAD_VALUE, RESULT_OK

BLOCKS = 8
numbers = st.integers(0, BLOCKS + 1)
entries = st.one_of(
    st.tuples(st.sampled_from(["give", "take"]), numbers, numbers),
    st.tuples(st.just("answer"), st.integers(0, 3), st.just(0)),
)
batches = st.lists(entries, min_size=1, max_size=4)
steps = st.lists(st.integers(0, BLOCKS) | batches, max_size=12)
ENTRIES = {"give": give, "take": take, "answer": lambda request, _: answer(request)}


def verdict(kind, blocks, given_back, target):
    """Return the result that an entry gets, from sets of blocks alone."""
    after = len(given_back) + len(blocks) if kind == "give" else len(given_back) - len(blocks)
    if after > target if kind == "give" else after < target:
        return RESULT_BAD_STATE
    if not blocks or not blocks <= set(range(BLOCKS)):
        return RESULT_BAD_VALUE
    if kind == "give":
        return RESULT_BAD_VALUE if blocks & (given_back | {0}) else RESULT_OK
    return RESULT_OK if blocks == set(sorted(given_back)[-len(blocks) :]) else RESULT_BAD_VALUE


def expected(batch, given_back, target):
    """Return (result, index, what is given back after it)."""
    after = set(given_back)
    for index, (kind, first, count) in enumerate(batch):
        if kind == "answer":
            continue
        blocks = set(range(first, first + count))
        result = verdict(kind, blocks, after, target)
        if result != RESULT_OK:
            return result, index, given_back
        after ^= blocks
    return RESULT_OK, 0, after


def reachable(pool, block):
    """Is the block in the backend's window of the pool?"""
    try:
        pool.r8(block * BLOCK)
        pool.r8((block + 1) * BLOCK - 1)
    except IndexError:
        return False
    return True


@given(steps)
def test_the_record_is_a_set_of_blocks(steps):
    rig = Rig(Mirror(), pool_size=BLOCKS * BLOCK)
    driver = rig.drivers[0].begin()
    balloon, given_back, target = rig.link.balloon, set(), 0
    for step in steps:
        if isinstance(step, int):
            target = step
            balloon.ask(target * BLOCK)
        else:
            result, index, given_back = expected(step, given_back, target)
            batch = [ENTRIES[kind](first, count) for kind, first, count in step]
            assert driver.batch(batch) == (result, index)
        listed = [range(at // BLOCK, (at + length) // BLOCK) for at, length in balloon.ranges()]
        assert {block for blocks in listed for block in blocks} == given_back
        assert balloon.given == len(given_back) * BLOCK
        assert [reachable(rig.link.pool, block) for block in range(BLOCKS)] == [
            n not in given_back for n in range(BLOCKS)
        ]
    assert driver.request(b"abcd", 4) == b"abcd"
