# SPDX-License-Identifier: MIT
"""Numbers: what `in` finds."""

from hal import edge
from support import raises, without_allocation
from unit.hal.twins import Random, for_twins

LARGEST = (1 << 64) - 1


def holds(numbers, inside, outside):
    for number in inside:
        assert number in numbers, number
    for number in outside:
        assert number not in numbers, number


@for_twins
def test_a_list(twin):
    holds(twin.Numbers([]), [], [0, 1, LARGEST])
    holds(twin.Numbers([0]), [0], [1, -1, LARGEST, LARGEST + 1])
    holds(twin.Numbers((3, 1 << 62, LARGEST)), [3, 1 << 62, LARGEST], [0, 2, 4, (1 << 62) + 1, LARGEST - 1, -1])


@for_twins
def test_any_list(twin):
    random = Random(7)
    for size in range(12):
        found = sorted({random.below(40) * 100_000_000 for _ in range(size)})
        numbers = twin.Numbers(found)
        for number in range(0, 4_100_000_000, 50_000_000):
            assert (number in numbers) == (number in found), (number, found)


@for_twins
def test_a_range(twin):
    holds(twin.Numbers(5, 14, 3), [5, 8, 11, 14], [0, 2, 4, 6, 13, 15, 17, -1, 5 - (1 << 64), LARGEST])
    holds(twin.Numbers(5, 13, 3), [5, 8, 11], [2, 13, 14])
    holds(twin.Numbers(7, 7, 1), [7], [6, 8])
    holds(twin.Numbers(0, LARGEST, 1), [0, 1 << 62, 1 << 63, LARGEST], [-1, LARGEST + 1])


@for_twins
def test_what_is_refused(twin):
    for wrong in ([2, 1], [1, 1], [-1], [LARGEST + 1]):
        raises(ValueError, twin.Numbers, wrong)
    for wrong in ((2, 1, 1), (1, 2, 0), (-1, 2, 1), (0, LARGEST + 1, 1)):
        raises(ValueError, twin.Numbers, *wrong)
    for wrong in ((), (1, 2), (1, 2, 3, 4), (5,), (None,), (["1"],), ("1", 2, 3)):
        raises(TypeError, twin.Numbers, *wrong)
    for numbers in (twin.Numbers([1]), twin.Numbers(1, 2, 1)):
        for wrong in ("1", None, 1.0):
            raises(TypeError, lambda numbers=numbers, wrong=wrong: wrong in numbers)


def test_nothing_is_allocated():
    if edge.NATIVE:
        rates, steps = edge.Numbers([100, 200]), edge.Numbers(100, 200, 100)

        def look():
            return 200 in rates and 200 in steps and 150 not in rates and 150 not in steps

        assert look()
        without_allocation(look)
