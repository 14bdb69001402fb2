# SPDX-License-Identifier: MIT
"""What else the C module has: entropy, objects that take no further attributes, the device tree."""

from hal.compat import byteview
from hal.pure.arguments import writable

try:
    from os import urandom as _urandom
except ImportError:
    _urandom = None


def entropy(buf):
    """Fill `buf` with random bytes."""
    view = writable(buf)
    if _urandom is None:
        raise NotImplementedError("this interpreter has no os.urandom")
    view[:] = _urandom(len(view))


def stir(buf):
    """Mix the bytes of `buf` into the entropy pool. (Here the operating system keeps the pool.)"""
    byteview(buf)


def _guarded_setattr(instance, name, value):
    accept = instance.__dict__.get("__accept__")
    held = name in instance.__dict__ or isinstance(getattr(type(instance), name, None), property)
    if accept is None or held or accept(instance, name):
        object.__setattr__(instance, name, value)


def seal(instance, accept):
    """Let `instance`, an object of a Python class, take no further attributes but those that are accepted.

    What would give it one calls `accept(instance, name)` first, and is in vain if that raises or returns False.
    Properties, and what it has, work as before. (MicroPython asks no class for `__setattr__`: there only `_hal` can do
    this.)
    """
    if not hasattr(instance, "__dict__") or not callable(accept):
        raise TypeError("not an object of a Python class, or not callable")
    instance.__dict__["__accept__"] = accept
    type(instance).__setattr__ = _guarded_setattr


def dtb():
    """Return the flattened device tree the machine was booted with. Here there is none."""
    return b""
