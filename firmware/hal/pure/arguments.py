# SPDX-License-Identifier: MIT
"""Checks of arguments, as the C module makes them: TypeError and ValueError before anything happens."""

from hal.compat import byteview

WORD = 0xFFFFFFFF


def integer(value):
    if not isinstance(value, int):
        raise TypeError("integer expected")
    return value


def writable(buf):
    view = byteview(buf)
    view[0:0] = b""  # raises TypeError for a read-only buffer
    return view


def count(n, view):
    """Return how many bytes a copy moves: `n`, or all of `view`. ValueError if the buffer does not have them."""
    if n is None:
        return len(view)
    if not 0 <= integer(n) <= len(view):
        raise ValueError("more bytes than the buffer has")
    return n
