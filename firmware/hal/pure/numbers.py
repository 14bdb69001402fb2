# SPDX-License-Identifier: MIT
"""Numbers that `in` finds."""

from hal.pure.arguments import integer


def _number(value):
    if not 0 <= integer(value) < 1 << 64:
        raise ValueError("not 0 .. 2^64 - 1")
    return value


class Numbers:
    """Whole numbers from 0 to 2^64 - 1, for `number in numbers`, which allocates nothing and is fast for all of them.

    `Numbers(rising)`: those of a list or tuple, ascending; `Numbers(lowest, highest, step)`: these two, and what is a
    multiple of `step` above `lowest` in between; `highest` only if it is one, too. ValueError if they do not rise.
    """

    def __init__(self, *numbers):
        if len(numbers) not in (1, 3):
            raise TypeError("give a list, or lowest, highest and step")
        self._list = None if len(numbers) == 3 else numbers[0]
        if self._list is None:
            self._lowest, self._highest, self._step = [_number(number) for number in numbers]
            rise = self._lowest <= self._highest and self._step
        else:
            if not isinstance(self._list, (list, tuple)):
                raise TypeError("not a list")
            self._list = tuple([_number(number) for number in self._list])
            rise = all(self._list[i - 1] < self._list[i] for i in range(1, len(self._list)))
        if not rise:
            raise ValueError("numbers must rise")

    def __contains__(self, number):
        integer(number)
        if self._list is not None:
            return number in self._list
        return self._lowest <= number <= self._highest and (number - self._lowest) % self._step == 0
