# SPDX-License-Identifier: MIT
"""However the output of a command arrives, what is passed on is exactly what came before the marker."""

from hypothesis import given
from hypothesis import strategies as st

from trapless.guest import _Stream

MARKER = b"0123456789abcdef\n"
OUTPUT = st.lists(st.one_of(st.binary(max_size=8), st.integers(0, len(MARKER) - 1).map(lambda n: MARKER[:n]))).map(
    b"".join
)


@given(OUTPUT.filter(lambda output: MARKER not in output + MARKER[:-1]), st.lists(st.integers(1, 20)))
def test_any_arrival(output, sizes):
    pieces = []
    stream = _Stream(MARKER, pieces.append)
    data = output + MARKER
    for size in sizes:
        stream.feed(data[:size])
        data = data[size:]
    stream.feed(data)
    assert stream.ended and output == b"".join(pieces)
