# SPDX-License-Identifier: MIT
"""Checks of a platform description. A broken rule names the object and says what is allowed.

The limits are those of the fields that carry the values: DEN0056F, 3.6.2 and 3.7.2.
"""

from hal.compat import const

# A rate or a reading is 64 bits on the wire.
_SIGNED_LIMIT = const(1 << 63)


class DescriptionError(ValueError):
    """A platform description that breaks a rule; the text names the object and the rule."""


def require(holds, subject, rule):
    """Raise DescriptionError "`subject`: `rule`" unless `holds`."""
    if not holds:
        raise DescriptionError(f"{subject}: {rule}")


def is_integer(value):
    """Return whether `value` is an int and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def require_flag(value, subject, what):
    """Check something that is on or off; return it as a bool."""
    require(value in (0, 1), subject, f"{what} must be True or False, not {value!r}")
    return bool(value)


def require_text(text, subject, what, least, most):
    """Check a text of `least` to `most` bytes in UTF-8, which has no surrogates."""
    holds = isinstance(text, str) and not any(0xD800 <= ord(sign) < 0xE000 for sign in text)
    holds = holds and least <= len(text.encode()) <= most
    require(holds, subject, f"{what} must be text of {least} to {most} bytes, not {text!r}")


def require_name(name, subject):
    """Check a name: printable text of 1 to 63 bytes, as a reply has 64 bytes with a zero at the end."""
    require_text(name, subject, "name", 1, 63)
    require(
        all(ord(sign) >= 0x20 and sign not in "/\x7f" for sign in name),
        subject,
        f"name {name!r} must be printable and without '/', as Linux makes file names of it",
    )


def items_of(values, subject, what, form="a list"):
    """Return the items of a list, or of anything else that is neither text nor a dict, as a tuple."""
    try:
        found = None if isinstance(values, (str, bytes, dict)) else iter(values)
    except TypeError:
        found = None
    if found is None:
        raise DescriptionError(f"{subject}: {what} must be {form}, not {values!r}")
    return tuple(found)


def names_of(values, subject, what):
    """Return a list of texts as a tuple."""
    names = items_of(values, subject, what, "a list of names")
    for name in names:
        require(isinstance(name, str), subject, f"{what} must be a list of names, not of {name!r}")
    return names


def integers_of(values, subject, what, form):
    """Return whole numbers as a tuple; `form` shows them, such as "(lowest, highest) in hertz"."""
    numbers = items_of(values, subject, what, form)
    holds = len(numbers) == form.count(",") + 1 and all(is_integer(number) for number in numbers)
    require(holds, subject, f"{what} must be {form}, in whole numbers, not {values!r}")
    return numbers


def entries_of(values, subject, what):
    """Return a dict; None stands for an empty one."""
    if not (values is None or isinstance(values, dict)):
        raise DescriptionError(f"{subject}: {what} must be a dict, not {values!r}")
    return values or {}


def require_rate(rate, subject, what):
    """Check a clock rate in hertz."""
    require(
        is_integer(rate) and 0 <= rate < _SIGNED_LIMIT, subject, f"{what} must be whole hertz from 0 on, not {rate!r}"
    )


def require_reading(value, subject, what="value"):
    """Check a sensor value: a whole number of 64 bits in the sensor's own unit."""
    holds = is_integer(value) and -_SIGNED_LIMIT <= value < _SIGNED_LIMIT
    require(holds, subject, f"{what} must be a whole number of 64 bits, not {value!r}")


def require_unique(objects, subject, what):
    """Check that no two of `objects` have the same name."""
    names = set()
    for item in objects:
        require(item.name not in names, subject, f"two {what} are called {item.name!r}; names must differ")
        names.add(item.name)
