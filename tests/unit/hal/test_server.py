# SPDX-License-Identifier: MIT
"""Server: one chain a call, answered by a function; what is no answer is returned empty and reported."""

from array import array

from hal import edge
from support import raises, without_allocation
from unit.hal.packed_rings import DISABLE, PackedRings
from unit.hal.rings import NEXT, WRITE, Rings
from unit.hal.twins import for_twins


class Served:
    """A queue with a server on it; `handle` is what answers, `reported` and `interrupts` what came of it."""

    def __init__(self, twin, handle, event_idx=False):
        self.twin = twin
        self.rings = rings = Rings(twin, event_idx=event_idx)
        self.chain = twin.Chain(4)
        self.request = array("I", [0] * 4)
        self.reply = array("I", [0] * 4)
        self.reported = []
        self.interrupts = 0
        self.serve = twin.Server(
            rings.queue, self.chain, self.request, self.reply, handle, self.interrupt, self.reported.append
        )
        rings.pool.write(rings.data, b"ping")
        rings.describe(0, rings.data, 4, NEXT, 1)
        rings.describe(1, rings.data + 64, 12, WRITE)

    def interrupt(self):
        self.interrupts += 1


def echo(request, length, reply, room):
    reply[0] = request[0]
    reply[1] = length << 8 | room
    return 8


@for_twins
def test_a_chain_is_answered(twin):
    served = Served(twin, echo)
    assert served.serve() is None
    assert (served.serve.returned, served.interrupts, served.reported) == (0, 0, [])
    served.rings.offer(0)
    assert served.serve() is None
    data = served.rings.data + 64
    assert bytes(served.rings.memory[data : data + 9]) == b"ping\x0c\x04\0\0\0"
    assert (served.rings.returned(), served.rings.element(0)) == (1, (0, 8))
    assert (served.serve.returned, served.interrupts, served.reported) == (1, 1, [])
    served.rings.set_flags(1)
    served.rings.offer(0)
    served.serve()
    assert (served.serve.returned, served.interrupts) == (2, 1)


@for_twins
def test_one_chain_a_call(twin):
    served = Served(twin, echo, event_idx=True)
    for head in (2, 3):
        served.rings.describe(head, served.rings.data, 4)
    served.rings.offer(0, 2, 3)
    served.serve()
    assert (served.rings.returned(), served.rings.queue.last_avail) == (1, 1)


@for_twins
def test_a_packed_queue_is_served(twin):
    rings, interrupts, reported = PackedRings(twin), [], []
    serve = twin.Server(
        rings.queue,
        twin.Chain(4),
        array("I", [0] * 4),
        array("I", [0] * 4),
        echo,
        lambda: interrupts.append(1),
        reported.append,
    )
    rings.pool.write(rings.data, b"ping")
    for n in range(5):
        rings.offer((rings.data, 4, 0), (rings.data + 64, 12, WRITE), buffer_id=n)
        serve()
        assert bytes(rings.memory[rings.data + 64 : rings.data + 73]) == b"ping\x0c\x04\0\0\0"
        assert rings.returned(2) == (n, 8, True)
    rings.offer((-1, 4, 0), (rings.data + 64, 12, WRITE), buffer_id=9)
    serve()
    assert (rings.returned(2), serve.returned, len(interrupts), reported) == ((9, 0, False), 6, 6, [twin.MALFORMED])
    rings.set_driver_event(DISABLE)
    rings.offer((rings.data, 4, 0), (rings.data + 64, 12, WRITE))
    rings.put(rings.data, 4, NEXT)
    for _ in range(3):
        serve()
    assert (serve.returned, len(interrupts), reported) == (7, 6, [twin.MALFORMED, twin.BROKEN, twin.BROKEN])


def no_answer(request, length, reply, room):
    return -1


def fail(request, length, reply, room):
    raise KeyError(length)


def too_much(request, length, reply, room):
    return room + 1


def more_than_the_reply(request, length, reply, room):
    return 17


def not_a_number(request, length, reply, room):
    return None


@for_twins
def test_what_is_no_answer_is_returned_empty_and_reported(twin):
    for handle, code, error in (
        (no_answer, twin.UNANSWERED, None),
        (fail, twin.FAILED, KeyError),
        (too_much, twin.FAILED, ValueError),
        (not_a_number, twin.FAILED, TypeError),
    ):
        served = Served(twin, handle)
        served.rings.offer(0)
        served.serve()
        assert (served.reported, served.serve.returned, served.interrupts) == ([code], 1, 1)
        assert served.rings.element(0) == (0, 0)
        assert served.serve.error is None if error is None else isinstance(served.serve.error, error)
        served.rings.offer(0)
        served.serve()
        assert (served.reported, served.rings.queue.in_flight) == ([code] * 2, 0)


@for_twins
def test_a_reply_larger_than_its_buffer_fails(twin):
    served = Served(twin, more_than_the_reply)
    served.rings.describe(1, served.rings.data + 64, 32, WRITE)
    served.rings.offer(0)
    served.serve()
    assert (served.reported, served.rings.element(0)) == ([twin.FAILED], (0, 0))


@for_twins
def test_a_malformed_chain(twin):
    served = Served(twin, echo)
    served.rings.describe(0, -1, 4)
    served.rings.offer(0)
    served.serve()
    assert (served.reported, served.serve.returned, served.interrupts) == ([twin.MALFORMED], 1, 1)
    assert served.rings.element(0) == (0, 0)


@for_twins
def test_a_broken_ring(twin):
    served = Served(twin, echo)
    served.rings.offer(9)
    served.serve()
    assert (served.reported, served.serve.returned, served.interrupts) == ([twin.BROKEN], 0, 0)


@for_twins
def test_an_exit_is_not_swallowed(twin):
    def leave(request, length, reply, room):
        raise SystemExit

    served = Served(twin, leave)
    served.rings.offer(0)
    raises(SystemExit, served.serve)
    assert (served.rings.element(0), served.rings.queue.in_flight) == ((0, 0), 0)


@for_twins
def test_a_function_that_returns_the_chain_itself(twin):
    def push(request, length, reply, room):
        served.rings.queue.push(served.chain, 2)
        return 3

    served = Served(twin, push)
    served.rings.offer(0)
    served.serve()
    assert (served.reported, served.rings.returned(), served.rings.element(0)) == ([twin.FAILED], 1, (0, 2))


@for_twins
def test_a_chain_can_be_put_aside_and_returned_later(twin):
    aside = []

    def put_aside(request, length, reply, room):
        aside.append(served.serve.chain)
        served.serve.chain = twin.Chain(4)

    served = Served(twin, put_aside)
    rings = served.rings
    rings.describe(2, rings.data, 4, NEXT, 3)
    rings.describe(3, rings.data + 128, 12, WRITE)
    rings.offer(0)
    served.serve()
    assert (rings.returned(), served.serve.returned, served.interrupts, served.reported) == (0, 0, 0, [])
    assert aside == [served.chain] and served.serve.queue is rings.queue
    served.serve.handle = echo
    rings.offer(2)
    served.serve()
    assert (rings.returned(), rings.element(0), served.serve.returned) == (1, (2, 8), 1)
    rings.queue.push(aside[0], 4, served.reply)
    assert (rings.returned(), rings.element(1), rings.queue.in_flight) == (2, (0, 4), 0)


@for_twins
def test_what_a_server_is_given_later_is_checked(twin):
    served = Served(twin, echo)
    raises(AttributeError, setattr, served.serve, "handle", 5)
    raises(TypeError, setattr, served.serve, "chain", 5)
    assert served.serve.chain is served.chain
    served.rings.offer(0)
    served.serve()
    assert served.rings.element(0) == (0, 8)


@for_twins
def test_arguments(twin):
    served = Served(twin, echo)
    good = [served.rings.queue, served.chain, served.request, served.reply, echo, echo, echo]
    twin.Server(*good)
    for position in range(7):
        raises(TypeError, twin.Server, *(good[:position] + [None] + good[position + 1 :]))
    raises(TypeError, twin.Server, good[0], good[1], bytes(4), *good[3:])
    raises(TypeError, served.serve, 1)


def test_serving_allocates_nothing():
    served = Served(edge, echo)

    def turn():
        served.rings.pool.w16(served.rings.avail + 2, served.rings.queue.last_avail + 1)
        served.serve()

    turn()
    for _ in range(10):
        without_allocation(turn)
    assert (served.serve.returned, served.interrupts) == (11, 11)
