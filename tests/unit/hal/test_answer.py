# SPDX-License-Identifier: MIT
"""Answer: a message kept ready, with numbers that are asked for at each call."""

from array import array

from support import raises, without_allocation
from unit.hal.twins import for_twins


def message(*words):
    return array("I", words)


@for_twins
def test_the_message_is_copied_behind_the_head(twin):
    source = message(1, 2, 3)
    answer = twin.Answer(source)
    source[1] = 9
    reply = message(0xA5, 0xA5, 0xA5, 0xA5)
    assert answer(0x12345678, reply) is None
    assert list(reply) == [0x12345678, 2, 3, 0xA5]


@for_twins
def test_functions_are_asked_at_each_call(twin):
    given = [5, -1, 1 << 32, -(1 << 63), (1 << 64) - 1]
    stamps = iter(range(100, 200))
    answer = twin.Answer(message(0, 7, 0, 0, 0, 0), 8, lambda: given[0], 16, lambda: next(stamps))
    reply = message(*[0] * 6)
    for count in range(len(given)):
        answer(3, reply)
        low, high = given[0] & 0xFFFFFFFF, given[0] >> 32 & 0xFFFFFFFF
        assert list(reply) == [3, 7, low, high, 100 + count, 0], given[0]
        given.pop(0)


@for_twins
def test_a_function_that_fails_leaves_the_buffer_alone(twin):
    def broken():
        raise LookupError("nothing there")

    reply = message(1, 2, 3, 4)
    raises(LookupError, twin.Answer(message(0, 0, 0, 0), 8, broken), 9, reply)
    for value in (1.5, "1", None):
        raises(TypeError, twin.Answer(message(0, 0, 0, 0), 8, lambda value=value: value), 9, reply)
    assert list(reply) == [1, 2, 3, 4]


@for_twins
def test_a_buffer_that_is_too_small_is_left_alone(twin):
    answer = twin.Answer(message(0, 0, 0))
    reply = message(1, 2)
    raises(ValueError, answer, 9, reply)
    assert list(reply) == [1, 2]
    raises(TypeError, answer, 9, bytes(12))


@for_twins
def test_a_function_may_resize_the_buffer(twin):
    reply = bytearray(16)

    def shrink():
        reply[0:12] = b""
        return 1

    raises(ValueError, twin.Answer(message(0, 0, 0, 0), 8, shrink), 9, reply)
    assert reply == bytes(4)


@for_twins
def test_a_number_stored_is_in_every_answer_from_then_on(twin):
    answer = twin.Answer(message(0, 7, 1, 2, 3, 4), 16, lambda: 5)
    reply = message(*[0] * 6)
    for number in (5, -1, 1 << 32, -(1 << 63), (1 << 64) - 1):
        assert answer.store(8, number) is None
        assert answer.load(8) == number & 0xFFFFFFFFFFFFFFFF
        for _ in range(2):
            answer(3, reply)
            assert list(reply) == [3, 7, number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF, 5, 0], number


@for_twins
def test_a_number_that_cannot_be_stored_changes_nothing(twin):
    answer = twin.Answer(message(0, 7, 1, 2, 3))
    for at in (4, 12, 16, 20, -8, 1 << 40):
        raises(ValueError, answer.store, at, 9)
        raises(ValueError, answer.load, at)
    for number in (1.5, "1", None):
        raises(TypeError, answer.store, 8, number)
    raises(ValueError, twin.Answer(bytes(4)).store, 0, 1)
    reply = message(*[0] * 5)
    answer(0, reply)
    assert list(reply) == [0, 7, 1, 2, 3]


@for_twins
def test_what_cannot_be_an_answer(twin):
    zero = int
    raises(ValueError, twin.Answer, bytes(3))
    raises(ValueError, twin.Answer, bytes(16), 8)
    for at in (4, 12, 16, -8, 1 << 40):
        raises(ValueError, twin.Answer, bytes(16), at, zero)
    raises(ValueError, twin.Answer, bytes(4), 0, zero)
    raises(TypeError, twin.Answer, bytes(16), 8, 5)
    raises(TypeError, twin.Answer, 5)


@for_twins
def test_native_answers_do_not_allocate(twin):
    if twin.__name__ != "_hal":
        return
    answer = twin.Answer(message(0, 0, 0, 0), 8, lambda: -5)
    reply = message(0, 0, 0, 0)
    without_allocation(lambda: answer(1, reply))
    assert reply[2] == 0xFFFFFFFB
    without_allocation(lambda: answer.store(0, 5_000_000_000))
    assert without_allocation(lambda: answer.load(0)) == 5_000_000_000
