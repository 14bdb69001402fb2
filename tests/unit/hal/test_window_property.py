# SPDX-License-Identifier: MIT
"""Whatever is done to a Window, the bytes are those of a plain bytearray, and nothing outside changes."""

from hypothesis import given
from hypothesis import strategies as st

from hal import pure

SIZE = 96
WIDTHS = {"8": 1, "16": 2, "32": 4, "64": 8}
offsets = st.integers(-16, SIZE + 16)
values = st.integers(-(1 << 70), 1 << 70)
words = st.tuples(st.sampled_from(sorted(WIDTHS)), offsets, values)
copies = st.tuples(st.just("copy"), offsets, st.binary(max_size=40))


@given(st.lists(words | copies, max_size=30), st.integers(0, 4))
def test_a_window_is_a_bounds_checked_bytearray(steps, eighths):
    memory = bytearray(SIZE)
    model = bytearray(SIZE)
    start = 8 * eighths
    window = pure.Window(memory, SIZE).window(start, SIZE - start - 8)
    for kind, off, value in steps:
        data = value if kind == "copy" else (value % (1 << 8 * WIDTHS[kind])).to_bytes(WIDTHS[kind], "little")
        expected = None
        if not 0 <= off <= window.size - len(data):
            expected = IndexError
        elif kind != "copy" and off % len(data):
            expected = ValueError
        try:
            if kind == "copy":
                window.write(off, data)
            else:
                getattr(window, "w" + kind)(off, value)
                assert getattr(window, "r" + kind)(off) == int.from_bytes(data, "little")
        except (IndexError, ValueError) as error:
            assert expected is type(error)
            continue
        assert expected is None
        model[start + off : start + off + len(data)] = data
    assert memory == model
