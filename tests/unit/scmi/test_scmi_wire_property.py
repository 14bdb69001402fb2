# SPDX-License-Identifier: MIT
"""Properties of rounding, names and pages, whatever the numbers are."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from scmi.model import rounding
from scmi.status import OUT_OF_RANGE, PROTOCOL_ERROR
from scmi.wire import paginate, text_words

DOWN, UP, NEAREST = 0, 1, 2
VALUES = st.lists(st.integers(0, 1000), min_size=1, max_size=30, unique=True).map(sorted)


def brute(values, wanted, mode):
    """The supported value by looking at all of them; of two that are as near, the lower."""
    if mode == NEAREST:
        return min(values, key=lambda value: (abs(value - wanted), value))
    fitting = [value for value in values if (value >= wanted if mode == UP else value <= wanted)]
    return None if not fitting else min(fitting) if mode == UP else max(fitting)


@given(VALUES, st.integers(-10, 1010), st.sampled_from((DOWN, UP, NEAREST)))
def test_rounding_in_a_list(values, wanted, mode):
    assert rounding.from_list(values, wanted, mode) == brute(values, wanted, mode)


@given(st.integers(0, 500), st.integers(1, 500), st.integers(1, 50), st.integers(-10, 1100), st.sampled_from((0, 1, 2)))
def test_rounding_in_a_range(lowest, span, step, wanted, mode):
    values = range(lowest, lowest + span + 1, step)
    assert rounding.from_range(lowest, lowest + span, step, wanted, mode) == brute(values, wanted, mode)


@given(st.text(max_size=80), st.sampled_from((16, 64)))
def test_names_are_whole_characters_and_end_with_a_zero(text, size):
    data = b"".join(word.to_bytes(4, "little") for word in text_words(text, size))
    assert len(data) == size and data[-1] == 0
    encoded = text.encode()
    assert data.startswith(encoded) if len(encoded) < size else encoded.startswith(data.rstrip(b"\0"))
    data.decode()


@given(
    st.lists(st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=6), max_size=12),
    st.integers(0, 200),
    st.integers(3, 40),
)
def test_pages_put_together_are_the_list(records, room, words):
    found = []
    while len(found) < len(records):
        reply = array("I", [0] * words)
        written = paginate(records, len(found), reply, room, OUT_OF_RANGE, 16)
        if written == PROTOCOL_ERROR:
            assert 12 + 4 * len(records[len(found)]) > min(room, 4 * words)
            return
        count, left = reply[2] & 0xFFFF, reply[2] >> 16
        assert count > 0 and count + left == len(records) - len(found) and written <= min(room, 4 * words)
        at = 3
        for record in records[len(found) : len(found) + count]:
            assert list(reply[at : at + len(record)]) == record
            at += len(record)
            found.append(record)
        assert written == 4 * at
