# SPDX-License-Identifier: MIT
"""The loop: bounded, fair, without lost wake-ups, and without an allocation for a request."""

import gc

from driver import Frontend, Mirror, MirrorBackend, NoAnswer, Pool, Rig, status
from hal import edge
from hal.sim import Machine, SimDoorbell
from support import MICROPYTHON, raises, without_allocation
from virtio.layout import (
    CAP_ANY_SUBSET,
    CAP_BALLOON,
    CAP_ECHO,
    CAP_HEARS_DOORBELL,
    CAP_HEARTBEAT,
    CAP_RINGS_DOORBELL,
    DEV_ACK,
    DEV_BE_EPOCH,
    DEV_BE_SLEEP,
    DEV_CAPABILITIES,
    DEV_ECHO_REPLY,
    DRV_ECHO_REQUEST,
    ENTRIES_MAX,
)
from virtio.link import Link
from virtio.loop import POLL_MS, Loop
from virtio.registers import ENTRIES_PER_SLICE


class SmallLoop(Loop):
    """A loop that gives the prompt its turn after every second handler."""

    def __init__(self, machine):
        super().__init__(machine, budget=2)


def flood(driver, count):
    """Make `count` requests available at once, in one descriptor each."""
    ring = driver.queues[0]
    for i in range(count):
        ring.add([bytes([i, 0, 0, 0])], [4], True)
    ring.kick()


def test_a_run_does_a_bounded_amount_of_work_and_asks_for_another():
    rig = Rig(Mirror(), Mirror(), Mirror(), loop=SmallLoop)
    drivers = [driver.begin() for driver in rig.drivers]
    for driver in drivers:
        flood(driver, 16)
    for runs in range(1, 4):
        assert rig.machine.step()
        assert sum(port.device.returned for port in rig.link.ports) == 2 * runs
    rig.run()
    assert [len(driver.queues[0].poll()) for driver in drivers] == [16, 16, 16]


def test_a_flood_in_one_queue_does_not_keep_another_waiting():
    order = []

    class Noting(MirrorBackend):
        def __init__(self, name):
            self.name = name

        def handle(self, request, length, reply, room):
            order.append(self.name)
            return super().handle(request, length, reply, room)

    rig = Rig(Mirror(Noting("busy")), Mirror(Noting("quiet")))
    busy, quiet = [driver.begin() for driver in rig.drivers]
    for turn in range(1, 4):
        flood(busy, 16)
        flood(quiet, 1)
        rig.run()
        assert order.count("quiet") == turn
        assert "quiet" in order[-17:-15], "at most one request of the other queue goes first"
        busy.queues[0].poll()
        quiet.queues[0].poll()


class TwoFrontends:
    """Two links on one loop, as many devices on each as asked for.

    `order` has whose requests were served; `on_request()` is called after each was noted there.
    """

    def __init__(self, *devices, loop=Loop):
        self.order = []
        self.on_request = lambda: None
        self.machine = Machine()
        self.loop = loop(self.machine)
        described = [self.describe(name, count) for name, count in zip(("busy", "quiet"), devices)]
        self.loop.start()
        self.busy, self.quiet = [self.drivers(*one) for one in described]

    def describe(self, name, count):
        pool_at = 0x2000 * count
        memory = bytearray(pool_at + 0x10000)
        description = self.machine.add_link(name, [("mock", None)] * count, memory, pool_at, Rig.BASE)
        link = self.loop.add(Link(description, self.machine))
        for _, device_page, driver_page, _, _ in description.devices:
            link.add(Mirror(NotingBackend(self, name)), device_page, driver_page)
        return memory, pool_at, description.doorbell

    def drivers(self, memory, pool_at, doorbell):
        pool = Pool(memory, pool_at, len(memory) - pool_at, Rig.BASE)
        frontend = Frontend(memory, pool, doorbell.kick, self.machine.run_pending, seed=pool_at)
        drivers = [frontend.add(at, at + 0x1000) for at in range(0, pool_at, 0x2000)]
        frontend.start()
        return [driver.begin() for driver in drivers]


class NotingBackend(MirrorBackend):
    """Notes whose device it is whenever it answers."""

    def __init__(self, rig, name):
        self.rig = rig
        self.name = name

    def handle(self, request, length, reply, room):
        self.rig.order.append(self.name)
        self.rig.on_request()
        return super().handle(request, length, reply, room)


def longest_run(order, name):
    """How often `name` comes without a break."""
    longest = run = 0
    for one in order:
        run = run + 1 if one == name else 0
        longest = max(longest, run)
    return longest


def test_one_request_of_each_queue_of_a_flood_is_served_between_two_of_another_frontend():
    """The bound of docs/transport.md, 6.7: whatever the budget of a run, and however many devices flood."""
    for loop in (Loop, SmallLoop):
        for devices in (1, 2, 3):
            rig = TwoFrontends(devices, 1, loop=loop)
            for driver in rig.busy:
                flood(driver, 16)
            flood(rig.quiet[0], 4)
            rig.machine.run_pending()
            assert len(rig.order) == 16 * devices + 4
            until_quiet_was_served = rig.order[: 4 * (devices + 1)]
            assert until_quiet_was_served.count("quiet") == 4, rig.order
            assert longest_run(until_quiet_was_served, "busy") <= devices, rig.order


def test_a_request_that_comes_during_a_flood_waits_for_one_request_of_each_queue_at_most():
    for under_way in (7, 8):
        rig = TwoFrontends(2, 1)

        def come(rig=rig, under_way=under_way):
            if len(rig.order) == under_way:
                flood(rig.quiet[0], 1)

        rig.on_request = come
        for driver in rig.busy:
            flood(driver, 16)
        rig.machine.run_pending()
        assert "quiet" in rig.order[under_way : under_way + 3], rig.order


def note_entries(rig):
    """Have `rig.order` say "entry" for each that is validated for a device of the busy link."""
    for port in rig.loop.links[0].ports:

        def noted(draft, item, apply_one=port.registers._apply_one):
            rig.order.append("entry")
            return apply_one(draft, item)

        port.registers._apply_one = noted


def test_a_batch_is_applied_in_slices_between_which_another_frontend_is_served():
    for devices in (1, 3):
        rig = TwoFrontends(devices, 1)
        note_entries(rig)
        tokens = [driver.publish([status(0)] + [status(1)] * (ENTRIES_MAX - 1)) for driver in rig.busy]
        rig.busy[0].ring()
        flood(rig.quiet[0], 16)
        rig.machine.run_pending()
        assert rig.order.count("entry") == devices * (ENTRIES_MAX - 1)
        last_request = len(rig.order) - rig.order[::-1].index("quiet")
        assert longest_run(rig.order[:last_request], "entry") <= ENTRIES_PER_SLICE, rig.order[:last_request]
        assert [driver.load(DEV_ACK) for driver in rig.busy] == tokens


def test_a_new_life_resets_one_device_in_a_turn():
    rig = TwoFrontends(3, 1)
    for port in rig.loop.links[0].ports:
        port.device.reset = lambda: rig.order.append("reset")
    rig.busy[0].publish([status(1)], fe_epoch=77)
    rig.busy[0].ring()
    flood(rig.quiet[0], 16)
    rig.machine.run_pending()
    assert rig.order.count("reset") == 3 and longest_run(rig.order, "reset") == 1, rig.order


def test_one_batch_of_a_link_is_under_way_at_a_time():
    """Two lives that speak at once: each resets all devices, none in the middle of the other one's batch."""
    rig = TwoFrontends(2, 1)
    first, second = rig.busy
    for driver, life in ((first, 77), (second, 78)):
        driver.publish([status(1)] * 20, fe_epoch=life)
    first.ring()
    rig.machine.run_pending()
    link = rig.loop.links[0]
    assert [port.sync.batches for port in link.ports] == [4, 4], "the three of begin() and this one"
    assert link.lives == 3 and link.frontend_epoch in (77, 78)
    assert sorted(driver.status for driver in rig.busy) == [0, 1], "the last life's own"


def test_a_batch_that_raises_is_dropped_and_the_next_one_applied():
    rig = TwoFrontends(1, 1)
    (driver,), device = rig.busy, rig.loop.links[0].ports[0].device
    reset = device.reset

    def fail():
        device.reset = reset
        raise KeyError("a fault in a device")

    device.reset = fail
    raises(NoAnswer, driver.batch, [status(0)])
    assert rig.loop.faults == 1
    driver.begin()
    assert driver.status == 15


def test_no_slot_is_found_and_then_skipped():
    """With a budget of 2 and 3 busy slots, a loop that dropped what it had found last would starve one of them."""
    rig = Rig(Mirror(), Mirror(), Mirror(), loop=SmallLoop)
    drivers = [driver.begin() for driver in rig.drivers]
    for turn in range(1, 6):
        for driver in drivers:
            flood(driver, 1)
        for _ in range(2):
            rig.machine.step()
        assert [port.device.returned for port in rig.link.ports] == [turn] * 3
        for driver in drivers:
            driver.queues[0].poll()


def test_the_sleep_flag_is_set_at_rest_and_only_then():
    rig = Rig(Mirror())
    driver = rig.drivers[0]
    assert driver.load(DEV_BE_SLEEP) == 1
    seen = []

    class Noting(MirrorBackend):
        def handle(self, request, length, reply, room):
            seen.append(driver.load(DEV_BE_SLEEP))
            return super().handle(request, length, reply, room)

    rig.link.ports[0].device.backend = Noting()
    driver.begin().request(b"abcd", 4)
    assert (seen, driver.load(DEV_BE_SLEEP)) == ([0], 1)


def test_a_handler_that_raises_does_not_stop_the_others():
    for error in (KeyError("a fault in a device"), SystemExit("a model that wants to leave")):
        rig = Rig(Mirror(), Mirror())
        faulty, sound = [driver.begin() for driver in rig.drivers]
        slot = rig.link.ports[0].slots[0]
        served = rig.loop._handlers[slot]

        def fail(handlers=rig.loop._handlers, slot=slot, served=served, error=error):
            handlers[slot] = served
            raise error

        rig.loop._handlers[slot] = fail
        flood(faulty, 1)
        flood(sound, 1)
        rig.run()
        assert (rig.loop.faults, rig.loop.fault) == (1, error)
        assert (len(faulty.queues[0].poll()), len(sound.queues[0].poll())) == (1, 1)


def test_an_exception_that_cannot_be_described_does_not_end_the_serving():
    class Unspeakable(SystemExit):
        def __repr__(self):
            raise MemoryError("for saying what it is")

    class Broken(MirrorBackend):
        def handle(self, request, length, reply, room):
            raise Unspeakable()

    rig = Rig(Mirror(), Mirror())
    rig.link.ports[0].device.backend = Broken()
    faulty, sound = [driver.begin() for driver in rig.drivers]
    flood(faulty, 3)
    flood(sound, 3)
    rig.run()
    assert rig.loop.faults == 3
    assert (len(faulty.queues[0].poll()), len(sound.queues[0].poll())) == (3, 3)


def test_every_link_is_published_before_one_is_rung():
    machine = Machine()
    loop = Loop(machine)
    described, seen = [], []

    def on_ring():
        seen.append([link.devices[0][1].r32(DEV_BE_EPOCH) != 0 for link in described])

    for name in ("linux0", "linux1"):
        described.append(machine.add_link(name, [("mock", None)], doorbell=SimDoorbell(machine, on_ring=on_ring)))
    for description in described:
        link = loop.add(Link(description, machine))
        link.add(Mirror(), description.devices[0][1], description.devices[0][2])
    loop.start()
    assert seen == [[True, True], [True, True]]
    assert loop.links[0].epoch != loop.links[1].epoch


def test_without_a_doorbell_the_loop_polls():
    machine = Machine()
    silent = SimDoorbell(machine, hears=False, rings=False)
    rig = Rig(Mirror())
    description = machine.add_link("linux0", [("mock", None)], rig.memory, 0x2000, doorbell=silent)
    loop = Loop(machine)
    loop.add(Link(description, machine)).add(Mirror(), description.devices[0][1], description.devices[0][2])
    loop.start()

    def wait():
        machine.advance(POLL_MS)
        machine.run_pending()

    wait()
    rig.frontend.run = wait
    assert rig.drivers[0].load(DEV_CAPABILITIES) == CAP_HEARTBEAT | CAP_BALLOON
    assert rig.drivers[0].begin().request(b"abcd", 4) == b"abcd"
    machine.advance(1000)
    assert machine.step(), "the timer is set again after every run"


def test_the_capabilities_say_what_the_link_can_do():
    class Willing(Mirror):
        any_subset = True

    everything = CAP_HEARS_DOORBELL | CAP_RINGS_DOORBELL | CAP_ECHO | CAP_HEARTBEAT | CAP_BALLOON
    assert Rig(Mirror()).drivers[0].load(DEV_CAPABILITIES) == everything
    assert Rig(Willing()).drivers[0].load(DEV_CAPABILITIES) == everything | CAP_ANY_SUBSET


def test_the_doorbell_answers_the_echo_word_of_the_first_device_without_the_loop():
    rig = Rig(Mirror(), Mirror())
    driver = rig.drivers[0]
    driver.store(DRV_ECHO_REQUEST, 0x1234)
    rung = rig.doorbell.rung
    rig.doorbell.kick()
    assert (driver.load(DEV_ECHO_REPLY), rig.doorbell.rung) == (0x1234, rung + 1)


def test_a_machine_without_links_is_served():
    machine = Machine()
    Loop(machine).start()
    assert machine.run_pending() == 1


def test_a_request_allocates_nothing():
    rig = Rig(Mirror())
    driver = rig.drivers[0].begin()
    run = rig.loop.run
    for turn in range(3):
        flood(driver, 2)
        gc.collect()
        if edge.NATIVE and turn:
            without_allocation(lambda: run(None))
        else:
            run(None)
        assert len(driver.queues[0].poll()) == 2


def test_the_native_edge_is_what_micropython_runs():
    assert edge.NATIVE == MICROPYTHON
