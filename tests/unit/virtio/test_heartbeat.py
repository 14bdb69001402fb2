# SPDX-License-Identifier: MIT
"""Heartbeats both ways: docs/transport.md, 4.9."""

import gc

from driver import Mirror, Rig
from hal import edge
from support import without_allocation
from virtio.heartbeat import ALIVE, PERIOD_MS, SILENT, SILENT_AFTER, UNATTACHED, UNKNOWN
from virtio.layout import CAP_HEARTBEAT, DEV_CAPABILITIES, DEV_HEARTBEAT, DEV_HEARTBEAT_PERIOD_MS, DRV_HEARTBEAT


class Beating(Rig):
    """A rig whose frontend beats, if it is told to, whenever a period has passed."""

    def pass_periods(self, count, beats=True):
        for _ in range(count):
            if beats:
                self.frontend.beat()
            self.machine.advance(PERIOD_MS)
            self.run()

    @property
    def count(self):
        return self.drivers[0].load(DEV_HEARTBEAT)

    @property
    def heartbeat(self):
        return self.link.heartbeat


def test_the_page_says_that_and_how_often_it_beats():
    rig = Beating(Mirror(), Mirror())
    assert rig.drivers[0].load(DEV_CAPABILITIES) & CAP_HEARTBEAT
    assert rig.drivers[0].load(DEV_HEARTBEAT_PERIOD_MS) == PERIOD_MS


def test_it_beats_once_a_period_while_a_device_is_in_use():
    rig = Beating(Mirror(), Mirror())
    rig.pass_periods(5)
    assert (rig.count, rig.heartbeat.peer) == (0, UNATTACHED)
    rig.drivers[1].begin()
    rig.pass_periods(5)
    assert (rig.count, rig.heartbeat.peer) == (5, ALIVE)
    rig.drivers[1].reset()
    rig.pass_periods(5)
    assert (rig.count, rig.heartbeat.peer) == (5, UNATTACHED)
    assert not rig.loop._alarms.entries, "an unused link costs nothing"
    rig.drivers[0].begin()
    rig.pass_periods(2)
    assert rig.count == 7


def test_many_batches_start_one_heart():
    rig = Beating(Mirror())
    for _ in range(5):
        rig.drivers[0].begin()
    rig.pass_periods(3)
    assert rig.count == 3


def test_a_frontend_that_stops_is_silent_after_some_periods_and_alive_at_its_next_beat():
    rig = Beating(Mirror())
    rig.drivers[0].begin()
    rig.pass_periods(2)
    for turn in range(1, 4):
        rig.pass_periods(SILENT_AFTER - 1, beats=False)
        assert rig.heartbeat.peer == ALIVE
        rig.pass_periods(1, beats=False)
        assert (rig.heartbeat.peer, rig.heartbeat.silent_ms) == (SILENT, SILENT_AFTER * PERIOD_MS)
        assert rig.heartbeat.describe() == "silent for 2000 ms"
        rig.pass_periods(10, beats=False)
        assert rig.heartbeat.silent_ms == (SILENT_AFTER + 10) * PERIOD_MS
        rig.pass_periods(1)
        assert (rig.heartbeat.peer, rig.heartbeat.silences, rig.heartbeat.silent_ms) == (ALIVE, turn, 0)


def test_silence_stops_nothing():
    rig = Beating(Mirror())
    driver = rig.drivers[0].begin()
    rig.pass_periods(1)
    rig.pass_periods(SILENT_AFTER, beats=False)
    assert driver.request(b"abcd", 4) == b"abcd"


def test_a_frontend_without_heartbeat_is_never_called_silent():
    rig = Beating(Mirror())
    rig.drivers[0].begin()
    rig.pass_periods(10 * SILENT_AFTER, beats=False)
    assert (rig.heartbeat.peer, rig.heartbeat.silences) == (UNKNOWN, 0)


def test_a_backend_that_was_stopped_itself_gives_the_frontend_as_long_as_ever():
    rig = Beating(Mirror())
    rig.drivers[0].begin()
    rig.pass_periods(2)
    rig.machine.advance(100 * PERIOD_MS)
    rig.run()
    assert (rig.heartbeat.peer, rig.count) == (ALIVE, 3), "one look, one beat: nothing is made up for"


def test_the_word_may_wrap_and_a_new_life_may_begin_anywhere():
    rig = Beating(Mirror())
    rig.drivers[0].store(DRV_HEARTBEAT, 0xFFFFFFFE)
    rig.drivers[0].begin()
    rig.pass_periods(4)
    assert rig.heartbeat.peer == ALIVE
    rig.pass_periods(SILENT_AFTER, beats=False)
    (driver,) = rig.start_frontend()
    driver.begin()
    assert (rig.heartbeat.peer, rig.heartbeat.silences) == (UNKNOWN, 1)
    rig.pass_periods(1)
    assert rig.heartbeat.peer == ALIVE


def test_a_beat_allocates_nothing():
    rig = Beating(Mirror())
    rig.drivers[0].begin()
    rig.pass_periods(2)
    run = rig.loop.run
    for turn in range(3):
        rig.machine.advance(PERIOD_MS)
        count = rig.count
        gc.collect()
        if edge.NATIVE and turn:
            without_allocation(lambda: run(True))
        else:
            run(True)
        assert rig.count == count + 1
