# SPDX-License-Identifier: MIT
"""Dispatcher and Row: a sound message reaches its handler, everything else the function that it is for."""

from array import array

from support import raises, without_allocation
from unit.hal.twins import TWINS, Random, for_twins

MASK = 0xFF
PLAIN, NUMBERED, READY, FLAGGED, LONGER = 1, 2, 3, 4, 5


class Item:
    """Something that messages are for."""

    def __init__(self, name):
        self.name = name
        self.ready = None


class Bench:
    """A dispatcher with a row of each kind, and a list of what has been called."""

    def __init__(self, twin):
        self.calls = []
        self.result = 12
        self.items = [Item("a"), None, Item("c")]
        self.reply = array("I", [7] * 8)
        self.dispatcher = twin.Dispatcher(MASK, "subject", self.otherwise, self.refuse, self.fail)
        self.dispatcher.rows = {
            PLAIN: twin.Row(4, 12, 0, 0, 0, "the item", self.handler, False, None),
            NUMBERED: twin.Row(12, 8, 0, 0, 2, self.items, self.handler, False, None),
            READY: twin.Row(12, 16, 2, 0xFFFFFFFE, 1, self.items, self.handler, True, None),
            LONGER: twin.Row(8, 8, 0, 0, 0, "longer", self.handler, False, self.fits),
            FLAGGED: twin.Row(8, 8, 1, 0x80000000, 0, "flags", self.handler, False, None),
        }

    def handler(self, subject, item, request, reply, room):
        assert subject == "subject" and list(reply[:2]) == [request[0], 0]
        self.calls.append(("handler", item if isinstance(item, str) else item.name, room))
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def fits(self, request, length):
        return length == 8 + 4 * request[1]

    def otherwise(self, request, length, reply, room):
        self.calls.append(("otherwise", length, room))
        return -1

    def refuse(self, reply, status):
        self.calls.append(("refuse", status))
        return 8

    def fail(self, request, reply, error):
        self.calls.append(("fail", repr(error)))
        return 8

    def call(self, *words, length=None, room=32):
        """Send a message; return what came back and what was called."""
        self.calls = []
        request = array("I", words)
        length = 4 * len(words) if length is None else length
        return self.dispatcher(request, length, self.reply, room), self.calls


@for_twins
def test_sound_message_reaches_its_handler(twin):
    bench = Bench(twin)
    assert bench.call(0xABCD00 | PLAIN) == (12, [("handler", "the item", 32)])
    assert list(bench.reply[:3]) == [0xABCD00 | PLAIN, 0, 7]
    assert bench.call(NUMBERED, 9, 2) == (12, [("handler", "c", 32)])
    assert bench.call(FLAGGED, 0x7FFFFFFF, room=12) == (12, [("handler", "flags", 12)])


@for_twins
def test_request_of_no_fixed_length(twin):
    bench = Bench(twin)
    for words in ((LONGER, 0), (LONGER, 2, 9, 9)):
        assert bench.call(*words) == (12, [("handler", "longer", 32)])
    for words in ((LONGER, 1), (LONGER, 0, 9), (LONGER,)):
        assert bench.call(*words) == (-1, [("otherwise", 4 * len(words), 32)])
    assert bench.call(LONGER, 1, length=12)[1] == [("otherwise", 12, 32)], "beyond the array"


@for_twins
def test_everything_else_goes_otherwise(twin):
    bench = Bench(twin)
    for words, options in (
        ((9,), {}),
        ((), {}),
        ((PLAIN, 0), {}),
        ((PLAIN,), {"length": 5}),
        ((PLAIN,), {"length": 0}),
        ((PLAIN,), {"room": 11}),
        ((PLAIN,), {"room": 0}),
        ((NUMBERED, 0, 1), {}),
        ((NUMBERED, 0, 3), {}),
        ((NUMBERED, 0, 0xFFFFFFFF), {}),
        ((NUMBERED, 0), {"length": 12}),
        ((NUMBERED, 0), {"length": 1 << 40}),
        ((FLAGGED, 0x80000000), {}),
        ((READY, 0, 2), {}),
    ):
        bench.reply[0] = 7
        returned, calls = bench.call(*words, **options)
        assert returned == -1 and [name for name, *_ in calls] == ["otherwise"], (words, options)
        assert bench.reply[0] == 7


@for_twins
def test_reply_that_is_shorter_than_its_array_must_be_goes_otherwise(twin):
    bench = Bench(twin)
    bench.reply = array("I", [7, 7])
    assert bench.call(PLAIN)[1] == [("otherwise", 4, 32)]


@for_twins
def test_refusals_and_failures(twin):
    bench = Bench(twin)
    for result in (-3, 0, None, 7, 36, 1 << 70):
        bench.result = result
        assert bench.call(PLAIN) == (8, [("handler", "the item", 32), ("refuse", result)])
    bench.result = LookupError("gone")
    assert bench.call(PLAIN)[1][1] == ("fail", repr(bench.result))
    bench.result = SystemExit()
    raises(SystemExit, bench.call, PLAIN)


@for_twins
def test_ready_reply_is_taken_instead_of_the_handler(twin):
    bench = Bench(twin)
    item = bench.items[0]
    assert bench.call(READY, 0, 0)[1] == [("handler", "a", 32)], "there is none"

    def ready(head, reply):
        bench.calls.append(("ready", head))
        reply[1] = 5

    item.ready = ready
    assert bench.call(READY, 0, 0) == (16, [("ready", READY)]) and bench.reply[1] == 5
    assert bench.call(READY, 0, 1)[1] == [("handler", "a", 32)], "a flag is set"
    assert bench.call(READY, 2, 0)[1] == [("handler", "c", 32)]

    def broken(head, reply):
        raise OSError(5)

    item.ready = broken
    assert bench.call(READY, 0, 0) == (8, [("fail", repr(OSError(5)))])
    bench.items[2] = "no attribute"
    assert [name for name, _ in bench.call(READY, 2, 0)[1]] == ["fail"]


@for_twins
def test_rows_say_what_they_are(twin):
    items = [None]
    row = twin.Row(16, 24, 2, 0xF0000001, 1, items, print, True, None)
    assert (row.size, row.least, row.flags_at, row.reserved, row.id_at) == (16, 24, 2, 0xF0000001, 1)
    assert row.items is items


@for_twins
def test_what_cannot_be_a_row(twin):
    for size, least in ((0, 8), (6, 8), (1 << 16, 8), (-4, 8), (4, 4), (4, 1 << 16)):
        raises(ValueError, twin.Row, size, least, 0, 0, 0, None, print, False, None)
    for at in (3, -1):
        raises(ValueError, twin.Row, 12, 8, at, 0, 0, [], print, False, None)
        raises(ValueError, twin.Row, 12, 8, 0, 0, at, [], print, False, None)
    raises(TypeError, twin.Row, 12, 8, 0, 0, 1, (), print, False, None)
    raises(TypeError, twin.Row, 12, 8, 0, 0, 0, None, 5, False, None)
    raises(TypeError, twin.Dispatcher, 1, None, print, print, 5)


@for_twins
def test_items_may_come_and_go(twin):
    bench = Bench(twin)
    bench.items.append(Item("d"))
    assert bench.call(NUMBERED, 0, 3)[1] == [("handler", "d", 32)]
    bench.items[:] = []
    assert bench.call(NUMBERED, 0, 0)[1] == [("otherwise", 12, 32)]


def trace(twin, seed):
    """Return what a twin makes of random messages."""
    random, bench, seen = Random(seed), Bench(twin), []
    for _ in range(300):
        words = [random.below(7)] + [random.choice((0, 1, 2, 3, 1 << 31)) for _ in range(random.below(4))]
        bench.result = random.choice((12, 12, -1, 0, LookupError("x")))
        length = 4 * len(words) if random.below(8) else random.below(20)
        seen.append((bench.call(*words, length=length, room=random.choice((0, 8, 11, 12, 16, 32))), list(bench.reply)))
    return seen


def test_twins_do_the_same():
    for seed in range(20):
        traces = [trace(twin, seed) for twin in TWINS]
        assert traces.count(traces[0]) == len(traces), seed


@for_twins
def test_native_dispatch_does_not_allocate(twin):
    if twin.__name__ != "_hal":
        return
    reply = array("I", [0] * 8)
    request = array("I", [1, 0])

    def handler(subject, item, request, reply, room):
        return 8

    dispatcher = twin.Dispatcher(MASK, None, print, print, print)
    dispatcher.rows = {1: twin.Row(8, 8, 0, 0, 1, [Item("a")], handler, False, None)}
    dispatcher(request, 8, reply, 32)
    assert without_allocation(lambda: dispatcher(request, 8, reply, 32)) == 8
