# SPDX-License-Identifier: MIT
"""The serving callback, interrupts and the interrupt-level echo; `_hal` scheduled by MicroPython, the twin by hand."""

from support import MICROPYTHON, raises
from unit.hal.twins import for_twins


def settle(twin):
    """Let everything that is scheduled run: MicroPython does it at any backward jump, the twin when it is told."""
    for _ in range(10):
        if hasattr(twin, "run_pending"):
            twin.run_pending()


class Served:
    """A registered callback; `runs` counts, `act(self)` is what it does."""

    def __init__(self, twin, act=None):
        self.twin = twin
        self.runs = 0
        self.act = act
        twin.serve(None)
        settle(twin)  # what an earlier test's interrupts have scheduled
        twin.serve(self)

    def __call__(self, argument):
        assert argument is None
        assert self.twin.serving()
        self.runs += 1
        if self.act is not None:
            self.act(self)


@for_twins
def test_notify_runs_the_callback_once(twin):
    served = Served(twin)
    settle(twin)
    assert served.runs == 0
    twin.notify()
    twin.notify()
    settle(twin)
    assert (served.runs, twin.serving()) == (1, False)
    twin.serve(None)
    twin.notify()
    settle(twin)
    assert served.runs == 1


@for_twins
def test_a_callback_may_ask_for_more(twin):
    def again(served):
        if served.runs < 5:
            twin.notify()

    served = Served(twin, again)
    twin.notify()
    settle(twin)
    assert served.runs == 5
    twin.serve(None)


@for_twins
def test_a_callback_that_always_has_more_leaves_room_for_the_program(twin):
    served = Served(twin, lambda served: twin.notify())
    twin.notify()
    settle(twin)
    assert 2 <= served.runs <= 200
    twin.serve(None)
    settle(twin)


@for_twins
def test_a_fault_is_counted_and_serving_goes_on(twin):
    def fail(served):
        raise ValueError(served.runs)

    served = Served(twin, fail)
    assert (twin.faults(), twin.fault()) == (0, None)
    for i in range(3):
        twin.notify()
        settle(twin)
        assert (served.runs, twin.faults(), twin.fault().args) == (i + 1, i + 1, (i + 1,))
    assert not twin.serving()
    twin.serve(None)
    assert (twin.faults(), twin.fault()) == (0, None)


class Unspeakable(Exception):
    """Fails to say what it is."""

    def __repr__(self):
        raise MemoryError("for saying what it is")

    __str__ = __repr__


@for_twins
def test_a_fault_that_cannot_be_printed_is_a_fault(twin):
    def fail(served):
        raise Unspeakable(served.runs) if served.runs != 2 else SystemExit(Unspeakable())

    for _ in range(2):
        served = Served(twin, fail)
        for i in range(3):
            twin.notify()
            settle(twin)
            assert (served.runs, twin.faults(), twin.serving()) == (i + 1, i + 1, False)
    twin.serve(None)


@for_twins
def test_interrupts_during_more_and_more_work_leave_the_queue_to_the_program(twin):
    """Beside the callback that is asked for again and again, the program can schedule its own functions."""
    served = Served(twin, lambda served: twin.notify())
    twin.irq_attach(80, True)
    for _ in range(20):
        twin.interrupt(80)
        settle(twin)
    assert served.runs >= 20
    if MICROPYTHON:
        import micropython

        ran = []
        micropython.schedule(ran.append, 1)
        settle(twin)
        assert ran == [1]
    twin.irq_detach(80)
    twin.serve(None)
    settle(twin)


@for_twins
def test_only_callables_serve(twin):
    raises(TypeError, twin.serve, 5)


@for_twins
def test_an_attached_interrupt_schedules_the_callback(twin):
    served = Served(twin)
    twin.interrupt(80)
    settle(twin)
    assert served.runs == 0
    twin.irq_attach(80, True)
    twin.irq_attach(1019, False)
    for intid in (80, 81, 1019, 1018):
        twin.interrupt(intid)
        settle(twin)
    assert served.runs == 2
    twin.irq_detach(80)
    twin.irq_detach(1019)
    twin.interrupt(80)
    settle(twin)
    assert served.runs == 2
    twin.serve(None)


@for_twins
def test_interrupt_numbers_are_checked(twin):
    for function in (twin.irq_detach, twin.interrupt, lambda intid: twin.irq_attach(intid, True)):
        for intid in (15, -1, 1020, 1 << 32, 1 << 70):
            raises(ValueError, function, intid)
        raises(TypeError, function, None)


@for_twins
def test_the_echo_answers_at_interrupt_level(twin):
    page = twin.Window(bytearray(32), 32)
    bell = twin.Window(bytearray(16), 16)
    page.w32(0, 7)
    twin.irq_attach(80, True)
    twin.echo(2, page, 0, page, 4, twin.Bell(bell, 12, 0x10000))
    twin.interrupt(80)
    assert (page.r32(4), bell.r32(12)) == (0, 0)  # what stood there before is not new
    page.w32(0, 0xFFFFFFFF)
    twin.interrupt(81)
    assert page.r32(4) == 0
    twin.interrupt(80)
    assert (page.r32(4), bell.r32(12)) == (0xFFFFFFFF, 0x10000)
    bell.w32(12, 0)
    twin.interrupt(80)
    assert bell.r32(12) == 0
    page.w32(0, 0)
    twin.interrupt(80)
    assert (page.r32(4), bell.r32(12)) == (0, 0x10000)
    twin.echo_off(2)
    page.w32(0, 3)
    twin.interrupt(80)
    assert page.r32(4) == 0
    twin.irq_detach(80)


@for_twins
def test_an_echo_needs_no_doorbell(twin):
    page = twin.Window(bytearray(32), 32)
    twin.irq_attach(80, True)
    for slot in range(twin.ECHO_SLOTS):
        twin.echo(slot, page, 0, page, 4, twin.Hypercall(32) if slot else None)
    page.w32(0, 9)
    twin.interrupt(80)
    assert page.r32(4) == 9
    for slot in range(twin.ECHO_SLOTS):
        twin.echo_off(slot)
    twin.irq_detach(80)


@for_twins
def test_arguments_of_the_echo(twin):
    page = twin.Window(bytearray(32), 32)
    good = [0, page, 0, page, 4, None]
    for position, error, value in (
        (0, IndexError, twin.ECHO_SLOTS),
        (0, IndexError, -1),
        (1, TypeError, None),
        (2, IndexError, 32),
        (2, ValueError, 2),
        (3, TypeError, bytearray(8)),
        (4, IndexError, -4),
        (5, TypeError, 5),
        (5, TypeError, page),
        (5, TypeError, len),
    ):
        raises(error, twin.echo, *(good[:position] + [value] + good[position + 1 :]))
    raises(IndexError, twin.echo_off, twin.ECHO_SLOTS)


@for_twins
def test_latches_are_taken_before_the_echoes(twin):
    page = twin.Window(bytearray(64), 64)
    everything = (1 << 64) - 1
    for at in range(0, 64, 8):
        page.w64(at, everything)
    twin.irq_attach(80, False)
    twin.echo(0, page, 32, page, 40, None)
    twin.latch(1, page, 8)
    twin.latch(0, page, 32)
    twin.interrupt(81)
    assert page.r64(8) == everything
    twin.interrupt(80)
    assert (page.r32(40), page.r32(44)) == (0, 0xFFFFFFFF)  # the echo saw what the latch had left
    assert [at for at in range(0, 64, 8) if page.r64(at) == 0] == [8, 32]
    twin.latch(1, page, 48)
    twin.latch_off(0)
    page.w64(8, 5)
    page.w64(32, 6)
    twin.interrupt(80)
    assert [page.r64(at) for at in (8, 32, 48)] == [5, 6, 0]
    twin.latch_off(1)
    twin.echo_off(0)
    twin.irq_detach(80)


@for_twins
def test_arguments_of_a_latch(twin):
    page = twin.Window(bytearray(32), 32)
    for slot in (twin.LATCHES, -1, 1 << 70):
        raises(IndexError, twin.latch, slot, page, 0)
        raises(IndexError, twin.latch_off, slot)
    for off, error in ((28, IndexError), (32, IndexError), (-8, IndexError), (4, ValueError), (None, TypeError)):
        raises(error, twin.latch, 0, page, off)
    raises(TypeError, twin.latch, 0, bytearray(32), 0)
    raises(TypeError, twin.latch, None, page, 0)


@for_twins
def test_entropy(twin):
    first, second = bytearray(32), bytearray(32)
    twin.entropy(first)
    twin.stir(b"old page content")
    twin.entropy(second)
    assert first != second
    assert bytes(32) not in (bytes(first), bytes(second))
    counts = [0] * 256
    many = bytearray(16384)
    twin.entropy(many)
    for byte in many:
        counts[byte] += 1
    assert 20 <= min(counts) <= max(counts) <= 120  # 64 expected, standard deviation 8
    twin.entropy(bytearray(0))
    twin.stir(b"")
    raises(TypeError, twin.entropy, bytes(4))
    raises(TypeError, twin.stir, 4)


@for_twins
def test_timer_and_device_tree(twin):
    twin.timer(5)
    twin.timer(0)
    raises(ValueError, twin.timer, -1)
    raises(TypeError, twin.timer, None)
    assert len(twin.dtb()) == 0


@for_twins
def test_a_lookout_hurries_while_there_is_work_and_rests_when_there_is_none(twin):
    served = Served(twin)
    word = twin.Window(bytearray(4), 4)
    watch = twin.Watch(2)
    watch.word(word, 0, 0)
    assert twin.look() == 0
    twin.lookout(watch, 1, 5, 2)
    assert [twin.look() for _ in range(6)] == [1, 1, 2, 4, 5, 5]
    settle(twin)
    assert served.runs == 0
    word.w32(0, 7)
    assert twin.look() == 1
    settle(twin)
    assert served.runs == 1
    word.w32(0, 0)
    assert [twin.look() for _ in range(4)] == [1, 1, 2, 4]
    twin.lookout(None, 1, 1, 0)
    assert twin.look() == 0


@for_twins
def test_a_look_while_the_callback_runs_leaves_the_slots_alone(twin):
    word = twin.Window(bytearray(4), 4)
    watch = twin.Watch(1)
    watch.word(word, 0, 0)
    word.w32(0, 7)
    found = []
    served = Served(twin, lambda _: found.append(twin.look()))
    twin.lookout(watch, 1, 8, 0)
    twin.notify()
    settle(twin)
    assert (found, served.runs) == ([1], 1)
    twin.lookout(None, 1, 1, 0)


@for_twins
def test_a_lookout_that_makes_no_sense(twin):
    watch = twin.Watch(1)
    for times in ((0, 5, 1), (6, 5, 1), (1, -1, 1), (1, 1 << 40, 1), (1, 5, -1)):
        raises(ValueError, twin.lookout, watch, *times)
    raises(TypeError, twin.lookout, 4, 1, 5, 1)
    assert twin.look() == 0
