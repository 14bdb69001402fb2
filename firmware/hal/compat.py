# SPDX-License-Identifier: MIT
"""What differs between the two interpreters that run the firmware's Python: CPython and MicroPython."""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        """Return `value`; MicroPython's compiler folds names bound to const(...)."""
        return value


try:
    from uctypes import addressof as _addressof
    from uctypes import bytearray_at as _bytearray_at
except ImportError:  # CPython

    def byteview(buf):
        """Return a memoryview of the bytes of `buf`, whatever its item type. TypeError if it is no buffer."""
        return memoryview(buf).cast("B")

else:

    def byteview(buf):
        """Return a memoryview of the bytes of `buf`, whatever its item type. TypeError if it is no buffer."""
        view = memoryview(buf)
        item_size = len(bytes(view[0:1]))
        if item_size <= 1:
            return view
        return memoryview(_bytearray_at(_addressof(buf), item_size * len(view)))


try:
    from time import ticks_add, ticks_diff, ticks_ms, ticks_us
except ImportError:  # CPython
    from time import monotonic_ns as _monotonic_ns

    def ticks_ms():
        """Return milliseconds of a monotonic clock."""
        return _monotonic_ns() // 1000000

    def ticks_us():
        """Return microseconds of a monotonic clock."""
        return _monotonic_ns() // 1000

    def ticks_add(ticks, delta):
        """Return the tick value `delta` after `ticks`."""
        return ticks + delta

    def ticks_diff(end, start):
        """Return `end - start`, in the unit of both."""
        return end - start
