# SPDX-License-Identifier: MIT
"""Window: exact widths, little-endian, bounds, alignment, copies; the same in both twins."""

from array import array

from support import raises
from unit.hal.twins import Random, for_twins

HUGE = 1 << 70


def make(twin, size=64):
    memory = bytearray(size)
    return memory, twin.Window(memory, size)


@for_twins
def test_words_are_little_endian_and_of_their_width(twin):
    memory, window = make(twin)
    window.w8(0, 0x11)
    window.w16(2, 0x2211)
    window.w32(4, 0x44332211)
    window.w64(8, 0x8877665544332211)
    assert bytes(memory[:4]) == b"\x11\x00\x11\x22"
    assert bytes(memory[4:8]) == b"\x11\x22\x33\x44"
    assert bytes(memory[8:16]) == b"\x11\x22\x33\x44\x55\x66\x77\x88"
    assert window.r8(15) == 0x88
    assert window.r16(14) == 0x8877
    assert window.r32(12) == 0x88776655
    assert window.r64(8) == 0x8877665544332211


@for_twins
def test_no_window_reaches_over_all_addresses(twin):
    """An address is a source in the C module only, where a size below 0 must not be taken for a large one."""
    for size in (0, -1, -8, HUGE):
        raises((ValueError, TypeError), twin.Window, 0, size)


@for_twins
def test_what_is_no_integer_is_not_asked_for_one(twin):
    """It might resize the buffer in question then."""

    class Number:
        def __int__(self):
            raise AssertionError("asked")

        __index__ = __int__

    _, window = make(twin)
    for access, arguments in (
        (window.r32, (Number(),)),
        (window.w32, (0, Number())),
        (window.add_release, (0, Number())),
        (window.read, (0, bytearray(4), Number())),
        (window.write, (0, bytearray(4), Number())),
        (window.fill, (0, Number(), 0)),
    ):
        raises(TypeError, access, *arguments)


@for_twins
def test_stores_keep_the_low_bits(twin):
    _, window = make(twin)
    for value in (-1, (1 << 64) - 1, HUGE - 1, -HUGE - 1):
        window.fill(0, 64, 0)
        window.w8(0, value)
        window.w16(8, value)
        window.w32(16, value)
        window.w64(24, value)
        window.store_release(32, value)
        assert (window.r64(0), window.r64(8), window.r64(16)) == (0xFF, 0xFFFF, 0xFFFFFFFF)
        assert (window.r64(24), window.r64(32)) == ((1 << 64) - 1, 0xFFFFFFFF)


@for_twins
def test_ordered_words(twin):
    _, window = make(twin)
    window.store_release(4, 0xFFFFFFFE)
    assert window.load_acquire(4) == 0xFFFFFFFE
    assert window.add_release(4, 3) == 1
    assert window.add_release(4, -2) == 0xFFFFFFFF
    assert window.load_acquire(4) == 0xFFFFFFFF
    assert window.r32(0) == window.r32(8) == 0


def accesses(window):
    """Yield (width, access at an offset)."""
    yield 1, window.r8
    yield 2, window.r16
    yield 4, window.r32
    yield 8, window.r64
    yield 4, window.load_acquire
    yield 1, lambda off: window.w8(off, 0)
    yield 2, lambda off: window.w16(off, 0)
    yield 4, lambda off: window.w32(off, 0)
    yield 8, lambda off: window.w64(off, 0)
    yield 4, lambda off: window.store_release(off, 0)
    yield 4, lambda off: window.add_release(off, 0)


@for_twins
def test_every_access_is_bounds_checked(twin):
    _, window = make(twin, 24)
    for width, access in accesses(window):
        access(24 - width)
        for off in (24, 24 - width + 1, -1, -width, 1 << 31, 1 << 32, 1 << 62, (1 << 64) - width, HUGE, -HUGE):
            raises(IndexError, access, off)


@for_twins
def test_a_window_smaller_than_the_access(twin):
    _, window = make(twin, 1)
    for width, access in accesses(window):
        if width > 1:
            raises(IndexError, access, 0)


@for_twins
def test_every_access_is_naturally_aligned(twin):
    _, window = make(twin)
    for width, access in accesses(window):
        for off in range(width, 2 * width):
            if off % width:
                raises(ValueError, access, off)
            else:
                access(off)


@for_twins
def test_only_integers(twin):
    _, window = make(twin)
    for _, access in accesses(window):
        for off in (None, "0", 1.0, b"\0"):
            raises(TypeError, access, off)
    for store in (window.w8, window.w16, window.w32, window.w64, window.store_release, window.add_release):
        for value in (None, "0", 1.0):
            raises(TypeError, store, 0, value)


@for_twins
def test_copies(twin):
    memory, window = make(twin)
    window.write(3, b"abcdef")
    assert bytes(memory[:10]) == b"\0\0\0abcdef\0"
    window.write(3, b"xyz", 2)
    out = bytearray(8)
    window.read(2, out)
    assert bytes(out) == b"\0xycdef\0"
    window.read(3, out, 1)
    assert bytes(out) == b"xxycdef\0"
    window.read(64, out, 0)
    window.write(64, b"", 0)
    words = array("I", [0, 0])
    window.read(4, words)
    assert words[0] == 0x65646379
    window.write(32, array("I", [0x04030201]))
    assert bytes(memory[32:36]) == b"\1\2\3\4"


@for_twins
def test_copies_are_bounds_checked(twin):
    _, window = make(twin, 16)
    for off in (9, 16, -1, HUGE, 1 << 62):
        raises(IndexError, window.read, off, bytearray(8))
        raises(IndexError, window.write, off, bytes(8))
    raises(IndexError, window.read, 0, bytearray(17))
    for n in (9, -1, 1 << 62, HUGE):
        raises(ValueError, window.read, 0, bytearray(8), n)
        raises(ValueError, window.write, 0, bytes(8), n)


@for_twins
def test_copies_take_buffers_only(twin):
    _, window = make(twin)
    raises(TypeError, window.read, 0, bytes(8))
    raises(TypeError, window.read, 0, 5)
    raises(TypeError, window.write, 0, 5)
    raises(TypeError, window.write, 0, None)
    raises(TypeError, window.read, "0", bytearray(1))
    raises(TypeError, window.read, 0, bytearray(1), "1")


@for_twins
def test_fill(twin):
    memory, window = make(twin, 16)
    window.fill(3, 4, 0x1AB)
    assert bytes(memory) == b"\0\0\0\xab\xab\xab\xab" + bytes(9)
    window.fill(16, 0, 1)
    raises(IndexError, window.fill, 3, 14, 0)
    raises(IndexError, window.fill, -1, 1, 0)
    raises(IndexError, window.fill, 0, HUGE, 0)
    raises(ValueError, window.fill, 0, -1, 0)


@for_twins
def test_a_window_in_a_window(twin):
    memory, window = make(twin)
    inner = window.window(16, 24)
    assert (inner.size, inner.address - window.address) == (24, 16)
    inner.w32(4, 7)
    assert memory[20] == 7
    deepest = inner.window(8, 16)
    deepest.w8(0, 9)
    assert memory[24] == 9
    raises(IndexError, inner.r8, 24)
    raises(IndexError, window.window, 48, 17)
    raises(IndexError, window.window, -8, 8)
    raises(ValueError, window.window, 4, 8)
    raises(ValueError, window.window, 0, 0)
    raises(ValueError, window.window, 0, -8)


@for_twins
def test_sources(twin):
    assert twin.Window(bytearray(16), 9).size == 9
    assert twin.Window(memoryview(bytearray(16)), 16).size == 16
    words = array("I", [1, 2])
    twin.Window(words, 8).w32(4, 0x01020304)
    assert words[1] == 0x01020304
    raises(ValueError, twin.Window, bytearray(16), 17)
    raises(ValueError, twin.Window, bytearray(16), 0)
    raises(ValueError, twin.Window, bytearray(16), -1)
    raises(ValueError, twin.Window, bytearray(16), HUGE)
    raises(TypeError, twin.Window, bytes(16), 16)
    raises(TypeError, twin.Window, "text", 4)
    raises(TypeError, twin.Window, None, 4)
    raises(TypeError, twin.Window, bytearray(16), "16")


@for_twins
def test_a_window_keeps_its_source_alive(twin):
    import gc

    window = twin.Window(bytearray(64), 64).window(8, 8)
    window.w64(0, 0x0123456789ABCDEF)
    for _ in range(3):
        gc.collect()
        junk = [bytearray(64) for _ in range(50)]
        assert len(junk) == 50
    assert window.r64(0) == 0x0123456789ABCDEF


@for_twins
def test_there_are_no_other_attributes(twin):
    _, window = make(twin)
    raises(AttributeError, lambda: window.nothing)


@for_twins
def test_barriers_take_no_arguments_and_return_nothing(twin):
    assert [barrier() for barrier in (twin.mb, twin.rmb, twin.wmb, twin.dsb)] == [None] * 4


@for_twins
def test_excluded_blocks_are_outside(twin):
    _, window = make(twin, 256)
    blocks = bytearray(2)
    window.exclude(blocks, 4)
    inner = window.window(64, 16)
    blocks[0] = 0b10000  # bytes 64 to 79
    for width, access in accesses(window):
        for off in (64, 80 - width):
            raises(IndexError, access, off)
        access(64 - width)
        access(80)
    inner.w32(0, 1)
    raises(IndexError, window.window, 48, 24)
    raises(IndexError, window.read, 0, bytearray(256))
    raises(IndexError, window.fill, 63, 2, 0)
    window.write(80, bytes(176))
    window.write(64, b"")
    blocks[0], blocks[1] = 0, 0x80
    window.write(0, bytes(240))
    raises(IndexError, window.write, 80, bytes(176))
    window.exclude(None, 4)
    window.write(0, bytes(256))


@for_twins
def test_what_excludes_covers_the_window(twin):
    _, window = make(twin, 256)
    for blocks, shift in (
        (bytes(1), 4),
        (bytes(0), 8),
        (bytes(2), 3),
        (bytes(9), 64),
        (bytes(9), -1),
        (bytes(9), HUGE),
    ):
        raises(ValueError, window.exclude, blocks, shift)
    raises(TypeError, window.exclude, 5, 4)
    raises(TypeError, window.exclude, bytes(2), "4")
    for blocks, shift in ((bytes(2), 4), (bytes(1), 8), (bytes(1), 63), (bytes(32), 0)):
        window.exclude(blocks, shift)
        window.write(0, bytes(256))


@for_twins
def test_any_range_is_inside_if_none_of_its_blocks_is_excluded(twin):
    _, window = make(twin, 64)
    random = Random(3)
    for _ in range(2000):
        blocks = bytearray([random.below(256) & random.below(256) & random.below(256) for _ in range(4)])
        window.exclude(blocks, 1)
        off = random.below(64)
        length = 1 + random.below(64 - off)
        excluded = [block for block in range(32) if blocks[block // 8] >> block % 8 & 1]
        if any(off <= 2 * block + 1 and 2 * block < off + length for block in excluded):
            raises(IndexError, window.fill, off, length, 0)
        else:
            window.fill(off, length, 0)
