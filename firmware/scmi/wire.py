# SPDX-License-Identifier: MIT
"""Writing replies: numbers, names and lists as little-endian 32-bit words. Source: DEN0056F, 3.1."""

from array import array

from hal.compat import const
from hal.edge import Answer
from scmi.status import PROTOCOL_ERROR, SUCCESS

_WORD = const(0xFFFFFFFF)

# Count word of a list that is given as lowest, highest and step: the format, and three numbers.
_SEGMENTED = const(1 << 12 | 3)

SHORT_NAME = const(16)
LONG_NAME = const(64)

# Offset of the first number of a ready reply.
FIRST_NUMBER = const(8)


def low(value):
    """Return bits 31:0 of an integer of either sign."""
    return value & _WORD


def high(value):
    """Return bits 63:32 of an integer of either sign."""
    return value >> 32 & _WORD


def ready_reply(*numbers):
    """Return `write(header, reply)` for a reply of SUCCESS with 64-bit numbers of either sign.

    A number is an integer, or a function that is asked for one whenever the reply is written.
    """
    message = array("I", (0, SUCCESS))
    live = []
    for number in numbers:
        if callable(number):
            live += (4 * len(message), number)
            number = 0
        message.append(low(number))
        message.append(high(number))
    return Answer(message, *live)


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


def paginate(records, first, reply, room, past_end, remaining_shift, format_bits=0, count_at=2):
    """Write as many of `records` as fit, behind a word that counts them: the one paginator of all list messages.

    `records`: sequence of word sequences; `first`: index of the first one wanted; `room`: bytes in the reply buffer;
    `past_end`: status for an index past the end; `remaining_shift`: bit of the count word where the number of records
    left begins (the number returned begins at bit 0); `format_bits`: further bits of that word; `count_at`: the index
    of the word in the reply. Returns the reply's length in bytes, or a status. An empty list answers index 0 with no
    records.
    """
    total = len(records)
    if first >= total and (first or total):
        return past_end
    limit = room_words(reply, room)
    at = count_at + 1
    index = first
    while index < total and at + len(records[index]) <= limit:
        at = put(reply, at, records[index])
        index += 1
    if limit <= count_at or (index == first and total):
        return PROTOCOL_ERROR
    reply[count_at] = total - index << remaining_shift | format_bits | index - first
    return at << 2


def put_range(words, first, reply, room, past_end):
    """Write lowest, highest and step of a range, `words`, as the one record of a list in segmented format.

    The rest as for `paginate`.
    """
    written = paginate((words,), first, reply, room, past_end, 16)
    if written > 0:
        reply[2] = _SEGMENTED
    return written
