# SPDX-License-Identifier: MIT
"""Alarms on a simulated machine: order, exactness, what a failing function leaves behind."""

from hal.alarm import LONGEST_MS, Alarms
from hal.sim import Machine
from support import raises


class Bench:
    """Alarms that run when the machine says so, and a list of what has happened."""

    def __init__(self):
        self.machine = Machine()
        self.alarms = Alarms(self.machine)
        self.machine.serve(lambda _: self.alarms.run())
        self.done = []

    def after(self, ms, name):
        self.alarms.after(ms, lambda: self.done.append((self.machine.ticks_ms(), name)))

    def advance(self, ms):
        for _ in range(ms):
            self.machine.run_pending()
            self.machine.advance(1)
        self.machine.run_pending()


def test_alarms_come_in_the_order_of_their_time_and_equal_ones_in_that_of_their_making():
    bench = Bench()
    for ms, name in ((30, "c"), (10, "a"), (20, "b"), (10, "A")):
        bench.after(ms, name)
    bench.advance(100)
    assert bench.done == [(10, "a"), (10, "A"), (20, "b"), (30, "c")]
    assert bench.alarms.entries == []


def test_zero_is_soon():
    bench = Bench()
    bench.after(0, "now")
    bench.machine.run_pending()
    assert bench.done == [(0, "now")]


def test_an_alarm_may_set_another():
    bench = Bench()

    def again():
        bench.done.append(bench.machine.ticks_ms())
        if len(bench.done) < 3:
            bench.alarms.after(5, again)

    bench.alarms.after(5, again)
    bench.advance(50)
    assert bench.done == [5, 10, 15]


def test_an_alarm_that_sets_itself_again_at_once_does_not_hold_the_others_up():
    bench = Bench()

    def greedy():
        bench.alarms.after(0, greedy)

    bench.alarms.after(0, greedy)
    bench.after(0, "other")
    bench.machine.run_pending()
    assert bench.done == [(0, "other")]


def test_one_run_calls_one_and_asks_for_another_while_more_are_due():
    bench = Bench()
    for name in ("a", "b", "c"):
        bench.after(0, name)
    for done in range(1, 4):
        assert bench.machine.step()
        assert len(bench.done) == done
        assert bool(bench.alarms.fresh) == (done < 3)
    assert not bench.machine.step()


def test_what_fails_has_had_its_turn_and_the_rest_keeps_its_own():
    bench = Bench()

    def fail():
        raise OSError("no")

    bench.alarms.after(1, fail)
    bench.after(1, "next")
    bench.machine.run_pending()
    bench.machine.advance(1)
    raises(OSError, bench.machine.run_pending)
    bench.machine.notify()
    bench.machine.run_pending()
    assert bench.done == [(1, "next")]


def test_times_and_functions_are_checked():
    alarms = Bench().alarms
    for ms in (-1, LONGEST_MS + 1, 1.5, None):
        raises(ValueError, alarms.after, ms, print)
    raises(TypeError, alarms.after, 1, None)


def test_what_is_repeated_says_when_and_how_long():
    bench = Bench()

    def tick():
        bench.done.append(bench.machine.ticks_ms())
        return (5, 10, 0)[len(bench.done) - 1]

    bench.alarms.repeat(1, tick)
    bench.advance(50)
    assert bench.done == [1, 6, 16]
    assert bench.alarms.entries == []


def test_what_could_not_be_called_in_time_is_called_once():
    bench = Bench()
    bench.alarms.repeat(5, lambda: bench.done.append(bench.machine.ticks_ms()) or 5)
    bench.machine.run_pending()
    bench.machine.advance(23)
    bench.machine.run_pending()
    bench.advance(10)
    assert bench.done == [23, 28, 33]


def test_the_timer_accounts_for_everything_unless_there_is_something_fresh():
    bench = Bench()
    bench.after(3, "later")
    assert bench.alarms.fresh
    bench.machine.run_pending()
    assert not bench.alarms.fresh

    def fail():
        raise OSError("no")

    bench.alarms.after(1, fail)
    bench.machine.run_pending()
    bench.machine.advance(1)
    raises(OSError, bench.machine.run_pending)
    assert bench.alarms.fresh, "the timer was not set again"
