# SPDX-License-Identifier: MIT
"""What tells the peer: a doorbell register, a hypercall, a counter. Source: docs/transport.md, 6."""

from hal.compat import const
from hal.pure.arguments import integer
from hal.pure.barrier import dsb, mb
from hal.pure.window import Window, word_at

_ARGUMENTS = const(5)
_ENOSYS = const(-38)


class Bell:
    """Called, stores the 32-bit `value` to the doorbell register at `off` of `window`, after all earlier stores."""

    def __init__(self, window, off, value):
        word_at(window, off)
        self._window = window
        self._off = off
        self._value = integer(value)

    def __call__(self):
        dsb()
        self._window.w32(self._off, self._value)


class Hypercall:
    """Called, calls the hypervisor after all earlier stores and returns its answer, negative if it refuses.

    `number`, and at most five `arguments`: integers from 0 to 2^64 - 1, or Windows for their addresses. (Here nobody
    answers: ENOSYS.)
    """

    def __init__(self, number, *arguments):
        if len(arguments) > _ARGUMENTS:
            raise TypeError("a hypercall has five arguments at most")
        for argument in (number,) + arguments:
            if not isinstance(argument, Window) and not 0 <= integer(argument) < 1 << 64:
                raise ValueError("not 0 .. 2^64 - 1")

    def __call__(self):
        return _ENOSYS


class Notifier:
    """Called, adds 1 (with release) at `off` of `count`; calls `ring()` if the peer's word at `sleep_off` is not 0."""

    def __init__(self, count, off, sleep, sleep_off, ring):
        word_at(count, off)
        word_at(sleep, sleep_off)
        if not callable(ring):
            raise TypeError("not callable")
        self._count, self._off = count, off
        self._sleep, self._sleep_off = sleep, sleep_off
        self._ring = ring

    def __call__(self):
        self._count.add_release(self._off, 1)
        mb()  # pairs with the peer's barrier between its flag and its look at the counter
        if self._sleep.r32(self._sleep_off):
            self._ring()
