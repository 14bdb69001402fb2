# SPDX-License-Identifier: MIT
"""A finished description takes no further attributes: a slip of the pen at the prompt is an error, not a new attribute.

>>> soc.sensors["cpu"].vaule = 5
AttributeError: sensor 'cpu' has no 'vaule'; it has: axes, enabled, ...
"""

from hal.edge import seal


def seal_all(objects):
    """Seal `objects`, and the axes and trip points of sensors with them."""
    for item in objects:
        seal(item, _accept)
        seal_all(getattr(item, "axes", ()))
        seal_all(getattr(item, "trip_points", ()))


def _accept(item, name):
    """Accept an attribute that the class of `item` has a default for, and nothing else."""
    if _is_data(type(item), name):
        return True
    subject = getattr(item, "subject", "a " + type(item).__name__)
    raise AttributeError(f"{subject} has no {name!r}; it has: {', '.join(attributes(item))}")


def attributes(item):
    """Return the names of what `item` holds and of its properties, without asking any of them for its value."""
    names = set(item.__dict__)
    names.update(name for name in dir(type(item)) if _is_data(type(item), name))
    return sorted(name for name in names if not name.startswith("_") and not name.isupper())


def _is_data(cls, name):
    """Return whether `name` is a property of `cls`, or something else that is not called."""
    return hasattr(cls, name) and not callable(getattr(cls, name))
