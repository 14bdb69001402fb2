# SPDX-License-Identifier: MIT
"""Links without a doorbell: looked at soon while they are busy, seldom while they rest. docs/transport.md, 6.8."""

from driver import Frontend, Mirror, Pool, Rig
from hal.sim import Machine, SimDoorbell
from virtio.layout import PAGE_SIZE
from virtio.link import Link
from virtio.loop import IDLE_MS, PATIENCE, POLL_MS, Loop


class Polled:
    """One device on a link on which nobody rings; `looks` counts how often the machine looked, `runs` how often the
    backend ran."""

    def __init__(self):
        memory = bytearray(2 * PAGE_SIZE + 0x10000)
        self.machine = Machine()
        bell = SimDoorbell(self.machine, hears=False, rings=False)
        described = self.machine.add_link("linux0", [("mock", None)], memory, 2 * PAGE_SIZE, Rig.BASE, doorbell=bell)
        self.loop = Loop(self.machine)
        _, device_page, driver_page, _, _ = described.devices[0]
        self.loop.add(Link(described, self.machine)).add(Mirror(), device_page, driver_page)
        self.loop.start()
        self.machine.run_pending()
        self.looks = self.runs = 0
        self.look, self.machine._lookout.look = self.machine._lookout.look, self.count
        pool = Pool(memory, 2 * PAGE_SIZE, 0x10000, Rig.BASE)
        self.frontend = Frontend(memory, pool, bell.kick, self.wait, attempts=IDLE_MS + 1)
        self.driver = self.frontend.add(0, PAGE_SIZE)
        self.frontend.start()

    def count(self):
        self.looks += 1
        return self.look()

    def wait(self, ms=1):
        for _ in range(ms):
            self.machine.advance(1)
            self.runs += self.machine.run_pending()

    def looks_in(self, ms):
        before = self.looks
        self.wait(ms)
        return self.looks - before


def test_everything_is_found_without_a_doorbell():
    rig = Polled()
    driver = rig.driver.begin()
    for i in range(50):
        assert driver.request(bytes([i] * 4), 4) == bytes([i] * 4)


def test_a_busy_link_is_looked_at_every_millisecond_and_an_idle_one_seldom():
    rig = Polled()
    driver = rig.driver.begin()
    assert rig.looks_in(PATIENCE) == PATIENCE // POLL_MS
    rig.wait(100)
    assert rig.looks_in(1000) <= 1000 // IDLE_MS + 1
    driver.request(b"abcd", 4)
    assert rig.looks_in(PATIENCE) == PATIENCE // POLL_MS


def test_the_first_request_after_a_rest_waits_for_one_look():
    rig = Polled()
    driver = rig.driver.begin()
    for phase in range(2 * IDLE_MS):
        rig.wait(500 + phase)
        began = rig.machine.ticks_ms()
        assert driver.request(b"abcd", 4) == b"abcd"
        assert rig.machine.ticks_ms() - began <= IDLE_MS


def test_a_look_that_finds_nothing_runs_no_python():
    rig = Polled()
    runs = rig.runs
    rig.wait(300)
    assert rig.looks > 10 and rig.runs == runs
