# SPDX-License-Identifier: MIT
"""Writing replies: numbers, names and lists as little-endian 32-bit words. Source: DEN0056F, 3.1."""

from array import array

from hal.compat import const
from hal.edge import Window
from scmi.status import PROTOCOL_ERROR, SUCCESS

_WORD = const(0xFFFFFFFF)

SHORT_NAME = const(16)
LONG_NAME = const(64)


def low(value):
    """Return bits 31:0 of an integer of either sign."""
    return value & _WORD


def high(value):
    """Return bits 63:32 of an integer of either sign."""
    return value >> 32 & _WORD


def ready_reply(value, more=()):
    """Return `copy(offset, reply, bytes)` for a reply of SUCCESS with a 64-bit `value` and the words `more` behind
    it."""
    words = array("I", (0, SUCCESS, value & _WORD, value >> 32 & _WORD) + more)
    return Window(words, 4 * len(words)).read


def live_reply(source, clock=None):
    """Return `copy(offset, reply, bytes)` for a reading of what `source()` returns then, a whole number, and of what
    `clock()` returns, or 0 without one.

    What the inner functions need are default arguments: a closure over three names is called with six arguments, for
    which MicroPython takes memory from the heap, and gives it back, at every call.
    """
    words = array("I", bytes(24))
    window = Window(words, 24)

    def unstamped(offset, reply, length, store=window.w64, copy=window.read, source=source):
        store(8, source())
        copy(offset, reply, length)

    def stamped(offset, reply, length, store=window.w64, copy=window.read, source=source, clock=clock):
        store(8, source())
        store(16, clock())
        copy(offset, reply, length)

    return stamped if clock else unstamped


def text_words(text, size):
    """Return `text` as a tuple of words: at most `size` - 1 bytes of it, padded with zeros to `size` bytes.

    The cut never falls inside a UTF-8 sequence.
    """
    data = text.encode()
    end = min(len(data), size - 1)
    while 0 < end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    data = data[:end] + bytes(size - end)
    return tuple(int.from_bytes(data[at : at + 4], "little") for at in range(0, size, 4))


def put(reply, at, words):
    """Copy `words` into `reply` from word `at` on; return the index of the word behind them."""
    for word in words:
        reply[at] = word
        at += 1
    return at


def room_words(reply, room):
    """Return how many words of `reply` may be written: `room` bytes, but never more than the array has."""
    return min(room >> 2, len(reply))


def paginate(records, first, reply, room, past_end, remaining_shift, format_bits=0):
    """Write as many of `records` as fit, behind a word that counts them: the one paginator of all list messages.

    `records`: sequence of word sequences; `first`: index of the first one wanted; `room`: bytes in the reply buffer;
    `past_end`: status for an index past the end; `remaining_shift`: bit of the count word where the number of records
    left begins (the number returned begins at bit 0); `format_bits`: further bits of that word. Returns the reply's
    length in bytes, or a status. An empty list answers index 0 with no records.
    """
    total = len(records)
    if first >= total and (first or total):
        return past_end
    limit = room_words(reply, room)
    at = 3
    index = first
    while index < total and at + len(records[index]) <= limit:
        at = put(reply, at, records[index])
        index += 1
    if limit < 3 or (index == first and total):
        return PROTOCOL_ERROR
    reply[2] = total - index << remaining_shift | format_bits | index - first
    return at << 2
