# SPDX-License-Identifier: MIT
"""Names, numbers and the paginator."""

from array import array

from scmi.status import OUT_OF_RANGE, PROTOCOL_ERROR
from scmi.wire import high, low, paginate, text_words
from scmi_client import text


def reply():
    return array("I", [0xA5] * 16)


def test_numbers_of_either_sign():
    for value in (0, 1, -1, 0x7FFFFFFF, 0x80000000, -0x80000000, (1 << 62) + 5, -(1 << 63)):
        assert (high(value) << 32 | low(value)) == value & 0xFFFFFFFFFFFFFFFF


def test_text_is_padded_with_zeros():
    assert text_words("ab", 16) == (0x6261, 0, 0, 0)
    assert text_words("", 16) == (0, 0, 0, 0)


def test_text_is_cut_before_the_last_byte():
    assert text(text_words("0123456789abcdefgh", 16)) == "0123456789abcde"


def test_text_is_never_cut_inside_a_character():
    assert text(text_words("0123456789abc" + "\u00b0C", 16)) == "0123456789abc" + "\u00b0"
    assert text(text_words("0123456789abcd" + "\u00b0C", 16)) == "0123456789abcd"


def test_page_counts_what_it_returns_and_what_is_left():
    buffer = reply()
    assert paginate([(1,), (2,), (3,)], 0, buffer, 20, OUT_OF_RANGE, 16) == 20
    assert list(buffer[2:5]) == [1 << 16 | 2, 1, 2]


def test_last_page():
    buffer = reply()
    assert paginate([(1,), (2,), (3,)], 2, buffer, 64, OUT_OF_RANGE, 24) == 16
    assert list(buffer[2:5]) == [1, 3, 0xA5]


def test_records_of_different_length():
    buffer = reply()
    assert paginate([(1, 1), (2, 2, 2), (3,)], 0, buffer, 4 * 7, OUT_OF_RANGE, 16) == 20
    assert list(buffer[2:6]) == [2 << 16 | 1, 1, 1, 0xA5]


def test_array_smaller_than_the_room():
    buffer = reply()
    assert paginate([(n,) for n in range(100)], 0, buffer, 4096, OUT_OF_RANGE, 16) == 64
    assert buffer[2] == 87 << 16 | 13


def test_index_past_the_end():
    for first in (3, 4, 1 << 31):
        assert paginate([(1,), (2,), (3,)], first, reply(), 64, OUT_OF_RANGE, 16) == OUT_OF_RANGE


def test_empty_list_has_an_empty_first_page():
    buffer = reply()
    assert paginate([], 0, buffer, 12, OUT_OF_RANGE, 16) == 12
    assert buffer[2] == 0
    assert paginate([], 1, buffer, 12, OUT_OF_RANGE, 16) == OUT_OF_RANGE


def test_record_that_does_not_fit():
    assert paginate([(1, 2, 3)], 0, reply(), 20, OUT_OF_RANGE, 16) == PROTOCOL_ERROR
    assert paginate([], 0, reply(), 8, OUT_OF_RANGE, 16) == PROTOCOL_ERROR
