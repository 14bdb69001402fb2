# SPDX-License-Identifier: MIT
"""What differs between the two interpreters that run the firmware's Python: CPython and MicroPython."""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        """Return `value`; MicroPython's compiler folds names bound to const(...)."""
        return value
