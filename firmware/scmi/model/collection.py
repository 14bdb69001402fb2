# SPDX-License-Identifier: MIT
"""Resources by id or by name, in the order of their ids, with a readable repr."""


class Collection:
    """An unchanging list of named objects: `sensors[0]`, `sensors["cpu"]`, `for sensor in sensors`."""

    def __init__(self, items, kind):
        """`items`: objects with `.name` and `.row()`; `kind`: what one is called, for error messages."""
        self._items = tuple(items)
        self._kind = kind

    def __getitem__(self, wanted):
        if isinstance(wanted, int):
            if not 0 <= wanted < len(self._items):
                raise IndexError(f"no {self._kind} {wanted}; there are {len(self._items)}")
            return self._items[wanted]
        for item in self._items:
            if item.name == wanted:
                return item
        raise KeyError(f"no {self._kind} {wanted!r}; there are: {', '.join(self.keys())}")

    def __setitem__(self, wanted, value):
        raise TypeError(f"a {self._kind} cannot be replaced; set one of its attributes, such as value or rate")

    def __contains__(self, name):
        return name in self.keys()

    def __iter__(self):
        return iter(self._items)

    def __len__(self):
        return len(self._items)

    def keys(self):
        """Return the names in the order of the ids."""
        return [item.name for item in self._items]

    def __repr__(self):
        return table([item.row() for item in self._items]) or f"(no {self._kind}s)"


def table(rows):
    """Return rows of texts as lines with aligned columns."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[column] + " " * (widths[column] - len(row[column])) for column in range(len(row))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
