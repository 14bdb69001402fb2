# SPDX-License-Identifier: MIT
"""Watch: what is work, in which order it is found, and what is stored before sleep. docs/transport.md, 6.2."""

from hal.compat import ticks_diff, ticks_us
from support import raises
from unit.hal.packed_rings import DESC, DISABLE, ENABLE, WRAP, PackedRings
from unit.hal.rings import NEXT, WRITE, Rings
from unit.hal.twins import for_twins

HUGE = 1 << 70


def page(twin):
    return twin.Window(bytearray(64), 64)


@for_twins
def test_a_word_is_work_when_it_is_neither_0_nor_expected(twin):
    window, watch = page(twin), twin.Watch(2)
    window.w32(8, 5)
    slot = watch.word(window, 8, 5)
    assert watch.scan() == -1
    window.w32(8, 6)
    assert watch.scan() == slot
    assert watch.scan() == slot
    watch.expect(slot, 6)
    assert watch.scan() == -1
    window.w32(8, 0)
    assert watch.scan() == -1
    watch.expect(slot, 0)
    assert watch.scan() == -1
    window.w32(8, 0xFFFFFFFF)
    assert watch.scan() == slot
    assert watch.pending()
    watch.expect(slot, 0xFFFFFFFF)
    assert watch.scan() == -1 and not watch.pending()


@for_twins
def test_a_queue_is_work_when_a_chain_waits(twin):
    rings, watch = Rings(twin), twin.Watch(1)
    slot = watch.queue(rings.queue)
    assert watch.scan() == -1
    rings.describe(0, rings.data, 4, WRITE)
    rings.offer(0)
    assert watch.scan() == slot
    rings.queue.pop(twin.Chain(1))
    assert watch.scan() == -1
    rings.offer(9)
    rings.queue.pop(twin.Chain(1))
    assert watch.scan() == -1  # broken


@for_twins
def test_a_packed_queue_is_watched_too(twin):
    rings, watch = PackedRings(twin, event_idx=True), twin.Watch(1)
    slot = watch.queue(rings.queue)
    assert watch.rest() == -1
    assert rings.device_event() == (DESC, WRAP)
    watch.wake()
    assert rings.device_event() == (DESC, WRAP)  # it is past as soon as something comes
    rings.offer((rings.data, 4, WRITE))
    assert watch.rest() == slot
    rings.queue.pop(twin.Chain(1))
    assert watch.rest() == -1
    assert rings.device_event() == (DESC, 1 | WRAP)
    flags = PackedRings(twin)
    watch.remove(slot)
    slot = watch.queue(flags.queue)
    watch.wake()
    assert flags.device_event()[0] == DISABLE
    assert watch.rest() == -1
    assert flags.device_event()[0] == ENABLE
    flags.put(flags.data, 4, NEXT)
    assert watch.rest() == slot
    assert flags.device_event()[0] == DISABLE
    flags.queue.pop(twin.Chain(1))
    assert watch.rest() == -1  # broken


@for_twins
def test_work_is_found_round_robin(twin):
    window, watch = page(twin), twin.Watch(5)
    slots = [watch.word(window, 4 * i, 0) for i in range(4)]
    for i in (0, 1, 3):
        window.w32(4 * i, 1)
    found = [watch.scan() for _ in range(6)]
    assert found == [slots[0], slots[1], slots[3]] * 2
    window.w32(8, 1)
    assert [watch.scan() for _ in range(4)] == slots
    assert watch.rest() == slots[0]


@for_twins
def test_going_to_rest(twin):
    window, watch = page(twin), twin.Watch(8)
    rings, events = Rings(twin), Rings(twin, event_idx=True)
    rings.queue.disarm()
    events.describe(0, events.data, 4, WRITE)
    events.offer(0)
    events.queue.pop(twin.Chain(1))
    word = watch.word(window, 0, 0)
    watch.flag(window, 8)
    watch.queue(rings.queue)
    watch.queue(events.queue)
    watch.flag(window, 12)
    assert watch.rest() == -1
    assert (window.r32(8), window.r32(12), rings.used_flags(), events.avail_event()) == (1, 1, 0, 1)
    watch.wake()
    assert (window.r32(8), window.r32(12), rings.used_flags(), events.avail_event()) == (0, 0, 1, 1)
    window.w32(0, 7)
    assert watch.rest() == word
    assert (window.r32(8), window.r32(12), rings.used_flags()) == (0, 0, 1)


@for_twins
def test_slots_are_given_again(twin):
    window, watch = page(twin), twin.Watch(3)
    slots = [watch.word(window, 0, 0), watch.flag(window, 4), watch.queue(Rings(twin).queue)]
    assert slots == [0, 1, 2]
    raises(ValueError, watch.word, window, 8, 0)
    raises(ValueError, watch.flag, window, 8)
    raises(ValueError, watch.queue, Rings(twin).queue)
    watch.remove(1)
    raises(IndexError, watch.remove, 1)
    raises(IndexError, watch.expect, 1, 0)
    watch.rest()
    assert window.r32(4) == 0
    assert watch.word(window, 12, 0) == 1
    window.w32(12, 1)
    assert watch.scan() == 1
    for slot in (2, 0, 1):
        watch.remove(slot)
    assert watch.scan() == watch.rest() == -1
    assert watch.flag(window, 0) == 0


@for_twins
def test_arguments(twin):
    window, watch = page(twin), twin.Watch(4)
    for capacity in (0, -1, 1025, HUGE):
        raises(ValueError, twin.Watch, capacity)
    for add in (watch.flag, lambda w, off: watch.word(w, off, 0)):
        for off in (64, 61 + 3, -4, HUGE):
            raises(IndexError, add, window, off)
        raises(ValueError, add, window, 2)
        raises(TypeError, add, bytearray(64), 0)
        raises(TypeError, add, window, None)
    raises(TypeError, watch.word, window, 0, None)
    raises(TypeError, watch.queue, window)
    flag = watch.flag(window, 0)
    raises(ValueError, watch.expect, flag, 0)
    for slot in (-1, 3, 4, HUGE):
        raises(IndexError, watch.remove, slot)
        raises(IndexError, watch.expect, slot, 0)
    raises(TypeError, watch.remove, None)


@for_twins
def test_a_watch_keeps_what_it_looks_at_alive(twin):
    import gc

    watch = twin.Watch(2)
    watch.word(twin.Window(bytearray(64), 64), 0, 0)
    watch.queue(Rings(twin).queue)
    for _ in range(3):
        gc.collect()
        junk = [bytearray(b"\xff" * 64) for _ in range(200)]
        assert len(junk) == 200
    assert watch.scan() == -1


@for_twins
def test_running_handlers(twin):
    window, watch = page(twin), twin.Watch(4)
    words = [watch.word(window, 4 * i, 0) for i in range(3)]
    watch.flag(window, 32)
    called = []

    def handler(i):
        def handle():
            assert window.r32(32) == 0
            called.append(i)
            window.w32(4 * i, 0)

        return handle

    handlers = [handler(i) for i in words]
    assert watch.run(handlers, 5) is False
    assert (called, window.r32(32)) == ([], 1)
    for i in (0, 2):
        window.w32(4 * i, 9)
    assert watch.run(handlers, 5) is False
    assert (called, window.r32(32)) == ([0, 2], 1)
    for i in range(3):
        window.w32(4 * i, 9)
    assert watch.run(handlers, 2) is True
    assert (called, window.r32(32)) == ([0, 2, 0, 1], 0)
    assert watch.run(tuple(handlers), 1) is True
    assert watch.run(handlers, 0) is True
    assert called == [0, 2, 0, 1, 2]


@for_twins
def test_what_a_handler_raises(twin):
    window, watch = page(twin), twin.Watch(4)
    watch.word(window, 0, 0)
    watch.flag(window, 32)
    window.w32(0, 1)

    def fail():
        raise KeyError("x")

    raises(KeyError, watch.run, [fail], 5)
    assert window.r32(32) == 0
    raises(IndexError, watch.run, [], 5)
    raises(TypeError, watch.run, [None], 5)
    raises(TypeError, watch.run, None, 5)
    raises(TypeError, watch.run, [fail], None)


@for_twins
def test_a_handler_may_change_what_is_watched(twin):
    window, watch = page(twin), twin.Watch(4)
    first = watch.word(window, 0, 0)
    handlers = []

    def handle():
        watch.remove(first)
        assert watch.word(window, 4, 0) == first
        handlers[:] = [lambda: window.w32(4, 0)] * 4
        window.w32(4, 1)

    handlers.append(handle)
    window.w32(0, 1)
    assert watch.run(handlers, 5) is False
    assert (window.r32(0), window.r32(4)) == (1, 0)


@for_twins
def test_it_looks_for_more_for_a_while_when_it_has_served_something(twin):
    window, watch = page(twin), twin.Watch(2)
    slot = watch.word(window, 8, 0)
    watch.flag(window, 0)

    def took(spin_us):
        start = ticks_us()
        assert watch.run((lambda: window.w32(8, 0),), 5, spin_us) is False
        assert window.r32(0) == 1
        return ticks_diff(ticks_us(), start)

    assert slot == 0
    assert min(took(20_000) for _ in range(5)) < 20_000  # nothing to serve: it does not spin
    window.w32(8, 1)
    assert took(20_000) >= 20_000
    raises(ValueError, lambda: watch.run((), 1, -1))


@for_twins
def test_what_comes_while_it_spins_is_served_at_once(twin):
    window, watch = page(twin), twin.Watch(2)
    first, second = watch.word(window, 8, 0), watch.word(window, 12, 0)
    seen = []

    def publish():
        window.w32(8, 0)
        window.w32(12, 1)
        seen.append(first)

    def serve():
        window.w32(12, 0)
        seen.append(second)

    window.w32(8, 1)
    assert watch.run((publish, serve), 5, 1) is False
    assert seen == [first, second]
