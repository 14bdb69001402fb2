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


def require_name(name, subject):
    """Check a name: printable text of 1 to 63 bytes, as a reply has 64 bytes with a zero at the end."""
    require(isinstance(name, str), subject, f"name must be text, not {name!r}")
    require(0 < len(name.encode()) < 64, subject, f"name {name!r} must have 1 to 63 bytes")
    require(
        all(ord(sign) >= 0x20 and sign not in "/\x7f" for sign in name),
        subject,
        f"name {name!r} must be printable and without '/', as Linux makes file names of it",
    )


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
