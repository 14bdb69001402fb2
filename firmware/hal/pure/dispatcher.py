# SPDX-License-Identifier: MIT
"""Finding the handler of a message by its first word, once it is sound."""

from hal.compat import byteview
from hal.pure.arguments import WORD, integer, writable


class Row:
    """What a `Dispatcher` knows of one kind of message. Words are counted from its first one, 0.

    `size`: bytes of the request; `least`: bytes of the shortest reply; `flags_at`: word of the flags (0: none), of
    which the bits `reserved` may not be set; `id_at`: word of the number of the item that the message is for, in the
    list `items`, in which None stands for one that cannot be used; 0: `items` is the item. `handler(subject, item,
    request, reply, room)` writes the reply from word 2 on and returns its whole length in bytes, 8 or more as far as
    there is room; anything else is a refusal. With `ready`, and no flag set, the item's attribute `ready` is called
    with the first word and the reply instead, unless it is None: it writes `least` bytes. `fits(request, length)`, if
    it is not None, says whether a request of `length` bytes, `size` or more, has the right length.
    """

    def __init__(self, size, least, flags_at, reserved, id_at, items, handler, ready, fits):
        if not (4 <= integer(size) <= 0xFFFF and size % 4 == 0 and 8 <= integer(least) <= 0xFFFF):
            raise ValueError("a request has whole words from 4 bytes on, a reply 8 bytes or more")
        for at in (flags_at, id_at):
            if not 0 <= integer(at) < size // 4:
                raise ValueError("the message has no such word")
        if id_at and not isinstance(items, list):
            raise TypeError("items with numbers must be a list")
        if not (callable(handler) and (fits is None or callable(fits))):
            raise TypeError("not callable")
        self.size, self.least = size, least
        self.flags_at, self.reserved = flags_at, integer(reserved) & WORD
        self.id_at, self.items = id_at, items
        self._handler, self._ready, self.fits = handler, bool(ready), fits

    def item(self, request):
        """Return the item of a request, None if it has none that can be used."""
        if not self.id_at:
            return self.items
        number = request[self.id_at]
        return self.items[number] if number < len(self.items) else None

    def is_sound(self, request, length, reply, room):
        """Return whether nothing is wrong with the form of a message."""
        if not self.size <= length <= len(byteview(request)) or not self.least <= min(room, len(writable(reply))):
            return False
        if self.flags_at and request[self.flags_at] & self.reserved:
            return False
        return self.fits(request, length) if self.fits else length == self.size

    def run(self, subject, item, request, reply, room):
        """Have a sound message answered; return what its handler returns."""
        if self._ready and not (self.flags_at and request[self.flags_at]):
            ready = item.ready
            if ready is not None:
                ready(request[0], reply)
                return self.least
        reply[0] = request[0]
        reply[1] = 0
        return self._handler(subject, item, request, reply, room)


class Dispatcher:
    """Called with (request, length, reply, room), answers a message with what the `Row` of its kind says.

    `request`, `reply`: `array("I")`; `length`, `room`: bytes, which may be more than the arrays have. `rows`: a dict of
    Rows by the bits `mask` of the first word. `subject`: passed to the handlers. A message that is not sound in every
    respect goes to `otherwise(request, length, reply, room)`, a refusal to `refuse(reply, status)`, an Exception to
    `fail(request, reply, error)`; each returns what the call returns.
    """

    def __init__(self, mask, subject, otherwise, refuse, fail):
        for function in (otherwise, refuse, fail):
            if not callable(function):
                raise TypeError("not callable")
        self.rows = {}
        self._mask = integer(mask) & WORD
        self._subject = subject
        self._otherwise = otherwise
        self._refuse = refuse
        self._fail = fail

    def __call__(self, request, length, reply, room):
        row = self.rows.get(request[0] & self._mask) if len(byteview(request)) >= 4 else None
        if row is not None and row.is_sound(request, length, reply, room):
            item = row.item(request)
            if item is not None:
                return self._run(row, item, request, reply, room)
        return self._otherwise(request, length, reply, room)

    def _run(self, row, item, request, reply, room):
        try:
            written = row.run(self._subject, item, request, reply, room)
        except Exception as error:
            return self._fail(request, reply, error)
        if type(written) is int and 8 <= written <= min(room, len(byteview(reply))):
            return written
        return self._refuse(reply, written)
