# SPDX-License-Identifier: MIT
"""What tests of portable code share. Runs under CPython and MicroPython, so it knows nothing of pytest."""

import sys

MICROPYTHON = sys.implementation.name == "micropython"


def raises(expected, function, *args, **kwargs):
    """Call `function(*args, **kwargs)`, demand an exception of `expected` (class or tuple), return it."""
    try:
        result = function(*args, **kwargs)
    except expected as error:
        return error
    raise AssertionError("expected {}, but {} returned {!r}".format(expected, function, result))


def without_allocation(function):
    """Call `function()` and return its result; on MicroPython any allocation on the heap inside it is a failure.

    It takes no arguments (`lambda: handle(request, 12)` binds some), because passing on a tuple of them allocates. The
    first call of anything may allocate (grown dictionaries): warm up before. On CPython, which has no such notion, the
    function is just called.
    """
    if not MICROPYTHON:
        return function()
    import micropython

    allocated = False
    result = None
    micropython.heap_lock()
    try:
        result = function()
    except MemoryError:
        allocated = True
    micropython.heap_unlock()
    assert not allocated, "{} allocated on the heap".format(function)
    return result
