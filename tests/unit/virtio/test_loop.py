# SPDX-License-Identifier: MIT
"""The loop: bounded, fair, without lost wake-ups, and without an allocation for a request."""

import gc

from driver import Frontend, Mirror, MirrorBackend, Pool, Rig, entry, features, status
from driver.balloon import BLOCK, FrontendBalloon
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
    CONFIG_SIZE,
    DEV_ACK,
    DEV_BE_EPOCH,
    DEV_BE_SLEEP,
    DEV_CAPABILITIES,
    DEV_ECHO_REPLY,
    DRV_ECHO_REQUEST,
    ENTRIES_MAX,
    QUEUES_MAX,
    REG_CONFIG,
    REG_CONFIG_GENERATION,
    RESULT_NEEDS_RESET,
    RESULT_OK,
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


def test_a_request_waits_for_one_of_the_alarms_that_are_due_at_once():
    rig = Rig(Mirror())
    (driver,) = [driver.begin() for driver in rig.drivers]
    (port,) = rig.link.ports
    before, seen = port.device.returned, []
    for _ in range(4):
        rig.loop.after(5, lambda: seen.append(port.device.returned - before))
    rig.run()
    rig.machine.advance(5)
    flood(driver, 1)
    rig.run()
    assert seen == [0, 1, 1, 1]


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


def raising_once(device, name, error):
    """Have the method `name` of `device` raise `error` when it is called next."""
    method = getattr(device, name)

    def fail(*args):
        setattr(device, name, method)
        raise error

    setattr(device, name, fail)


def test_a_batch_in_which_the_device_raises_is_answered_with_needs_reset_and_nobody_else_notices():
    again = [status(3)] + features(3 << 32) + [status(11)]
    for name, before, batch, shown in (
        ("reset", [], [status(0), status(1)], 64),
        ("accepts", [status(0)], again, 64),
        ("activate", [status(0)], again + [status(15)], 64 | 15),
        ("write_config", [], [entry(REG_CONFIG, 1)], 64 | 15),
    ):
        for error in (KeyError("a fault in a device"), SystemExit("a model that wants to leave")):
            rig = TwoFrontends(2, 1)
            faulty, sound = rig.busy
            if before:
                faulty.must(before)
            raising_once(rig.loop.links[0].ports[0].device, name, error)
            told = faulty.config_changes
            assert faulty.batch(batch) == (RESULT_NEEDS_RESET, 0), name
            assert (faulty.status, faulty.config_changes - told) == (shown, shown & 4 != 0), name
            assert (rig.loop.faults, rig.loop.fault, rig.loop.links[0].batch) == (1, error, None)
            assert faulty.batch([status(1)]) == (RESULT_NEEDS_RESET, 0), "until it is reset"
            for other in (sound, rig.quiet[0]):
                assert (other.status, other.config_changes, other.request(b"abcd", 4)) == (15, 0, b"abcd")
            assert faulty.begin().request(b"abcd", 4) == b"abcd"
            assert rig.loop.faults == 1


def test_a_device_that_raises_in_its_reset_for_a_new_life_alone_needs_a_reset():
    for speaker in (0, 1):
        rig = Rig(Mirror(), Mirror())
        for driver in rig.drivers:
            driver.begin()
        raising_once(rig.link.ports[0].device, "reset", KeyError("a fault in a device"))
        drivers = rig.start_frontend()
        drivers[speaker].must([status(0)])
        assert [driver.status for driver in drivers] == [0 if speaker == 0 else 64, 0]
        assert (rig.loop.faults, rig.link.lives) == (1, 2)
        for driver in drivers:
            assert driver.begin().request(b"abcd", 4) == b"abcd"


class Torn(Mirror):
    """Fails at the second byte that its driver writes."""

    def write_config(self, offset, length, value):
        if offset:
            raise KeyError("a fault in a device")
        super().write_config(offset, length, value)


def test_what_was_written_before_a_device_failed_is_shown():
    """docs/transport.md, 7.3."""
    rig = Rig(Torn())
    (driver,) = rig.drivers
    driver.begin()
    generation = driver.load(REG_CONFIG_GENERATION)
    assert driver.batch([entry(REG_CONFIG, 0xAA, length=1), entry(REG_CONFIG + 1, 0xBB, length=1)])[0] != RESULT_OK
    assert driver.load(REG_CONFIG) & 0xFF == rig.link.ports[0].device.config[0] == 0xAA
    assert driver.load(REG_CONFIG_GENERATION) != generation


def test_a_batch_that_memory_did_not_suffice_to_begin_with_is_begun_later():
    """docs/transport.md, 4.5: no batch that was believed stays without an answer."""
    rig = Rig(Mirror())
    (driver,) = rig.drivers
    driver.begin()
    raising_once(rig.link, "begin", MemoryError("no room for a generator"))
    assert driver.batch([status(0)]) == (RESULT_OK, 0)
    assert rig.loop.faults == 1


def test_a_device_that_its_page_has_no_room_for_is_refused():
    for queues, size in ((QUEUES_MAX + 1, 0), (1, CONFIG_SIZE + 1)):
        device = Mirror()
        device.queue_sizes = (4,) * queues
        device.config = bytearray(size)
        raises(ValueError, Rig, device)


def without_memory(place, name, times):
    """Have the method `name` of `place` find no memory the next `times` times."""
    method, left = getattr(place, name), [times]

    def allocate(*args):
        if left[0]:
            left[0] -= 1
            raise MemoryError("no room for an answer")
        return method(*args)

    setattr(place, name, allocate)


def test_a_batch_that_fails_while_there_is_no_memory_is_answered_when_there_is_some():
    """docs/transport.md, 4.5: also if there is none to give the batch up, to answer it, or to tell of it."""
    for name, where, faults in (
        ("show_config", lambda port: port.sync, 3),
        ("show", lambda port: port.sync, 2),
        ("_count", lambda port: port.sync, 3),
        ("note", lambda port: port.link, 1),
    ):
        rig = TwoFrontends(1, 1)
        (failing,) = rig.busy
        link = rig.loop.links[0]
        raising_once(link.ports[0].device, "write_config", MemoryError("no room for a value"))
        without_memory(where(link.ports[0]), name, 2)
        assert failing.batch([entry(REG_CONFIG, 1)]) == (RESULT_NEEDS_RESET, 0), name
        assert (failing.status, rig.loop.faults, link.batch) == (64 | 15, faults, None), name
        assert rig.quiet[0].request(b"abcd", 4) == b"abcd"
        assert failing.begin().request(b"abcd", 4) == b"abcd", name


class Hasty(Mirror):
    """Comes to need a reset by what its driver writes, and does the write all the same."""

    def write_config(self, offset, length, value):
        super().write_config(offset, length, value)
        self.transport.fail()


def test_a_device_that_comes_to_need_a_reset_between_commit_and_answer_leaves_the_result_as_it_is():
    """docs/transport.md, 4.5."""
    rig = Rig(Hasty())
    (driver,) = rig.drivers
    driver.begin()
    assert driver.batch([entry(REG_CONFIG, 1)]) == (RESULT_OK, 0)
    assert (driver.status, driver.config_changes) == (64 | 15, 1)
    assert driver.batch([entry(REG_CONFIG, 1)]) == (RESULT_NEEDS_RESET, 0)


def test_a_new_life_that_was_met_in_part_is_met_again():
    """docs/transport.md, 10.5: the BE has let go of every block before it acknowledges the first batch of a life."""
    rig = Rig(Mirror(), Mirror(), pool_size=8 * BLOCK)
    for driver in rig.drivers:
        driver.begin()
    rig.link.balloon.ask(2 * BLOCK)
    FrontendBalloon(rig.frontend).look()
    assert rig.link.balloon.given == 2 * BLOCK
    raising_once(rig.link.balloon, "meet", MemoryError("no room for a state"))
    first, second = rig.start_frontend()
    assert first.batch([status(0)]) == (RESULT_NEEDS_RESET, 0)
    second.must([status(0)])
    assert rig.link.balloon.given == 0


class Woken(Mirror):
    """Notes in `order` when it is woken; wakes itself again `again` times."""

    def __init__(self, order, again=0):
        super().__init__()
        self.order = order
        self.again = again

    def woken(self):
        self.order.append(self)
        if self.again:
            self.again -= 1
            self.transport.wake()


def test_what_a_device_was_woken_for_is_not_kept_waiting_by_batches_of_its_frontend():
    order = []
    woken = Woken(order)
    rig = Rig(Mirror(), Mirror(), woken)
    tokens = {}

    def publish():
        for driver in rig.drivers[:2]:
            if len(order) < 100 and tokens.get(driver, driver.load(DEV_ACK)) == driver.load(DEV_ACK):
                order.append("batch")
                tokens[driver] = driver.publish([status(1)])
                driver.frontend.ring()

    publish()
    rig.doorbell.on_ring = publish
    woken.transport.wake()
    rig.run()
    assert order.count("batch") > 90, "there always was one"
    assert order.index(woken) <= 3, order


def test_no_device_that_is_woken_all_the_time_keeps_another_or_a_batch_waiting():
    order = []
    busy, quiet = Woken(order, 200), Woken(order)
    rig = Rig(busy, quiet)
    quiet.transport.wake()
    busy.transport.wake()
    token = rig.drivers[0].publish([status(1)] * ENTRIES_MAX)
    rig.doorbell.on_ring = lambda: order.append("answer") if rig.drivers[0].load(DEV_ACK) == token else None
    rig.doorbell.kick()
    rig.run()
    assert order.index(quiet) <= 1
    slices = ENTRIES_MAX // ENTRIES_PER_SLICE + 3
    assert order.index("answer") <= slices + 2, order


def test_a_device_that_needs_a_reset_is_not_woken():
    order = []
    rig = Rig(Woken(order))
    rig.drivers[0].begin()
    port = rig.link.ports[0]
    port.fail()
    rig.run()
    port.wake()
    rig.run()
    assert order == []
    rig.drivers[0].begin()
    port.wake()
    rig.run()
    assert len(order) == 1


class Interrupted(list):
    """The slots of a port: whoever looks at one is interrupted, once, by a callback in which `reset()` happens."""

    def __init__(self, slots, reset):
        super().__init__(slots)
        self.reset = reset

    def __getitem__(self, index):
        found = super().__getitem__(index)
        reset, self.reset = self.reset, None
        if reset:
            reset()
        return found


def test_a_failure_at_the_prompt_does_not_meet_a_reset_by_the_driver():
    rig = Rig(Mirror())
    driver, port = rig.drivers[0].begin(), rig.link.ports[0]
    plain = port.slots
    port.slots = Interrupted(plain, driver.begin)
    port.fail()
    port.slots = plain
    assert driver.status == 15, "the loop does it"
    rig.run()
    assert (driver.status, rig.loop.faults) == (15 | 64, 0)
    assert driver.begin().request(b"abcd", 4) == b"abcd"


def test_a_reset_before_the_loop_gets_to_a_failure_has_done_what_it_asks_for():
    rig = Rig(Mirror())
    driver, port = rig.drivers[0].begin(), rig.link.ports[0]
    port.fail()
    port.registers.reset()
    rig.run()
    assert port.registers.state.status == 0
    assert driver.begin().request(b"abcd", 4) == b"abcd"


class Wide(Mirror):
    """Has a configuration space of which the driver may write 12 bytes, one of which it cannot."""

    def __init__(self):
        super().__init__()
        self.config = bytearray(16)

    def config_writable(self, offset, length):
        return offset + length <= 12


def test_a_change_of_the_configuration_does_not_show_half_a_batch():
    rig = Rig(Wide(), loop=SmallLoop)
    driver, port = rig.drivers[0].begin(), rig.link.ports[0]
    told = driver.config_changes
    token = driver.publish([entry(REG_CONFIG + at, 0xFF, length=1) for at in range(12)])
    driver.frontend.ring()
    half_written = changes = 0
    while driver.load(DEV_ACK) != token:
        assert rig.machine.step()
        half_written += 0 < sum(port.device.config[:12]) < 12 * 0xFF
        changes += 1
        port.change_config(12, bytes([changes]))
        assert driver.config(0, 12) in (bytes(12), b"\xff" * 12)
    rig.run()
    assert half_written, "there was a moment to be wrong"
    assert driver.config(0, 16) == b"\xff" * 12 + bytes([changes, 0, 0, 0])
    assert driver.config_changes > told


def test_a_change_of_the_configuration_is_shown_by_the_loop():
    """At the prompt it would meet the one that a driver's write makes, and show another content in one generation."""
    rig = Rig(Mirror())
    driver, port = rig.drivers[0].begin(), rig.link.ports[0]
    generation = driver.load(REG_CONFIG_GENERATION)
    port.change_config(0, b"\x01")
    assert driver.load(REG_CONFIG_GENERATION) == generation
    rig.run()
    assert (driver.load(REG_CONFIG_GENERATION), driver.config(0, 1)) == (generation + 2, b"\x01")


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
