# SPDX-License-Identifier: MIT
"""Time since an arbitrary start, for timestamps and for sensors that move by themselves.

Nothing here allocates under MicroPython on a 64-bit target: small integers have 63 bits.
"""

try:
    from time import ticks_ms as milliseconds
    from time import ticks_us as microseconds
except ImportError:  # CPython
    from time import monotonic_ns as _nanoseconds

    def milliseconds():
        """Return milliseconds since an arbitrary start."""
        return _nanoseconds() // 1_000_000

    def microseconds():
        """Return microseconds since an arbitrary start."""
        return _nanoseconds() // 1_000
