# SPDX-License-Identifier: MIT
"""Notifications and delayed responses of an agent, and their way through the event queue of the virtio device.

Source: DEN0056F, 3.1.1 and 3.1.2; virtio 1.3, 5.17.6.
"""

from struct import pack, unpack

from driver import Rig
from scmi.delayed import MAX_BEGUN, MAX_OPEN
from scmi.device import ScmiDevice
from scmi.events import LIMIT, Events
from scmi.platform import Agent, Axis, Platform, PowerDomain, Reset, Sensor
from scmi.status import BUSY, GENERIC_ERROR, PROTOCOL_ERROR, Refusal
from scmi_client import Client, delayed, header, notification
from support import raises

POWER, SENSOR, RESET = 0x11, 0x15, 0x16
STATE_SET, STATE_NOTIFY, READING_GET, RESET_DOMAIN = 0x4, 0x6, 0x6, 0x4
OFF = 1 << 30
ROOM = 128 + 8


def events():
    woken = []
    return Events(lambda: woken.append(1)), woken


def test_a_newer_notification_replaces_one_that_waits():
    found, woken = events()
    found.notify(0x15, 1, 7, 0, (1, 7, 100))
    found.notify(0x15, 1, 8, 0, (1, 8, 5))
    found.notify(0x15, 1, 7, 0, (1, 7, 200))
    assert found.take(34) == (notification(0x15, 1), 1, 7, 200)
    assert found.take(34) == (notification(0x15, 1), 1, 8, 5)
    assert found.take(34) == () and (found.merged, found.sent, len(woken)) == (1, 2, 3)


def test_details_are_not_merged():
    found, _ = events()
    found.notify(0x15, 0, 7, 0, (1,))
    found.notify(0x15, 0, 7, 1, (2,))
    assert found.waiting == 2


def test_resources_of_ones_own_protocol_are_not_merged():
    found, _ = events()
    for resource in range(4):
        found.notify(0xFF, 3, resource, 1, (resource,))
    assert [found.take(34)[1] for _ in range(4)] == [0, 1, 2, 3] and found.merged == 0


def test_what_interrupts_a_notification_sends_it_or_leaves_it():
    taken = []

    def serve():
        while found.due():
            taken.append(found.take(34))

    class Order:
        """The list in which the prompt looks whether a notification waits, before and after which it is interrupted."""

        def __init__(self):
            self.items = []
            self.append = self.items.append
            self.pop = self.items.pop

        def __contains__(self, key):
            serve()
            held = key in self.items
            serve()
            return held

        def __getitem__(self, at):
            return self.items[at]

        def __len__(self):
            return len(self.items)

    found, _ = events()
    found._order = Order()
    for value in (1, 2):
        found.notify(0x15, 1, 7, 0, (value,))
    assert taken == [(notification(0x15, 1), 2)], "the latest"
    assert len(found._order) == 1 and not found.due() and found.take(34) == () and len(found._order) == 0


def test_notifications_are_bounded_and_what_is_lost_is_counted():
    found, _ = events()
    for resource in range(LIMIT + 3):
        found.notify(0x15, 1, resource, 0, (resource,))
    assert (found.waiting, found.dropped) == (LIMIT, 3)


def test_delayed_responses_go_first_and_in_a_buffer_that_is_too_small_as_a_status():
    found, _ = events()
    found.notify(0x15, 1, 0, 0, (1, 2, 3))
    for token in (5, 6):
        found.respond(header(POWER, STATE_SET, token), (0, 1, 2))
    assert found.take(1) == () and found.unfit == 1
    assert found.take(3) == (delayed(POWER, STATE_SET, 5), PROTOCOL_ERROR & 0xFFFFFFFF) and found.unfit == 2
    assert found.take(4) == (delayed(POWER, STATE_SET, 6), 0, 1, 2)
    assert found.take(3) == () and found.unfit == 3, "a notification may be lost"
    assert found.waiting == 0


class Bench:
    """Two frontends of a platform whose hardware is done when `done` says so."""

    def __init__(self):
        self.waiting = []
        self.platform = Platform(
            agents=[Agent("one"), Agent("two")],
            resets=[Reset("line", delay=self.waiting.append)],
            power_domains=[PowerDomain("domain"), PowerDomain("slow", delay=3)],
        )
        self.devices = [ScmiDevice(agent) for agent in self.platform.agents]
        self.rig = Rig(*self.devices)
        self.platform.connect(self.rig.loop.after)
        self.drivers = [driver.begin() for driver in self.rig.drivers]
        self.token = 0

    def give(self, agent, sizes):
        """Give event buffers."""
        ring = self.drivers[agent].queues[1]
        for size in sizes:
            ring.add([], [size], False)
        ring.kick()
        self.rig.run()

    def told(self, agent):
        """Return the events that have come, as tuples of words."""
        self.rig.run()
        return [unpack("<%dI" % (len(data) // 4), data) for _, data in self.drivers[agent].queues[1].poll()]

    def send(self, agent, protocol, message, *words):
        """Send a command; return the words of its reply behind the header."""
        self.token += 1
        head = header(protocol, message, self.token)
        data = self.drivers[agent].request(pack("<%dI" % (1 + len(words)), head, *words), ROOM)
        found = unpack("<%dI" % (len(data) // 4), data)
        assert found[0] == head
        return found[1:]


def test_event_reaches_the_other_frontend_and_not_the_one_that_did_not_ask():
    bench = Bench()
    for agent in (0, 1):
        bench.give(agent, [ROOM])
    assert bench.send(1, POWER, STATE_NOTIFY, 0, 1) == (0,)
    assert bench.send(0, POWER, STATE_SET, 0, 0, OFF) == (0,)
    assert bench.told(1) == [(notification(POWER, 0), 1, 0, OFF)]
    assert bench.told(0) == []


def test_events_wait_for_buffers():
    bench = Bench()
    bench.send(1, POWER, STATE_NOTIFY, 0, 1)
    bench.send(1, POWER, STATE_NOTIFY, 1, 1)
    bench.platform.power_domains[0].state = "off"
    bench.platform.power_domains[1].state = "off"
    bench.rig.run()
    bench.platform.power_domains[0].state = "on"
    bench.give(1, [ROOM])
    assert bench.told(1) == [(notification(POWER, 0), 0, 0, 0)], "the latest"
    bench.give(1, [ROOM, ROOM])
    assert bench.told(1) == [(notification(POWER, 0), 0, 1, OFF)]
    assert bench.platform.agents[1].events.waiting == 0


def test_an_event_does_not_overtake_the_reply_to_the_command_that_causes_it():
    bench = Bench()
    order = []
    replies, told = [bench.drivers[0].queues[index] for index in (0, 1)]
    bench.give(0, [ROOM])
    bench.send(0, POWER, STATE_NOTIFY, 0, 1)
    bench.rig.doorbell.on_ring = lambda: order.append((len(replies.poll()), len(told.poll())))
    replies.add([pack("<4I", header(POWER, STATE_SET, 99), 0, 0, OFF)], [ROOM], False)
    replies.kick()
    bench.rig.run()
    assert order[0] == (1, 0) and (0, 1) in order[1:]


def test_many_events_are_sent_in_several_turns():
    bench = Bench()
    names = ["domain %d" % number for number in range(20)]
    platform = Platform(power_domains=[PowerDomain(name) for name in names])
    device = ScmiDevice(platform.agents[0])
    rig = Rig(device)
    driver = rig.drivers[0].begin()
    bench.drivers[0], bench.rig = driver, rig
    for number in range(20):
        bench.send(0, POWER, STATE_NOTIFY, number, 1)
        platform.power_domains[number].state = "off"
    bench.give(0, [ROOM] * 20)
    assert [words[2] for words in bench.told(0)] == list(range(20))


def test_delayed_response_comes_when_the_time_has_come():
    bench = Bench()
    bench.give(0, [ROOM])
    assert bench.send(0, POWER, STATE_SET, 1, 1, OFF) == (0,)
    token = bench.token
    assert bench.told(0) == []
    bench.rig.machine.advance(3)
    assert bench.told(0) == [(delayed(POWER, STATE_SET, token), 0, 1, OFF)]


def test_requests_beyond_the_maximum_are_busy_until_responses_are_taken():
    bench = Bench()
    for _ in range(MAX_OPEN):
        assert bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0) == (0,)
    assert bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0) == (BUSY & 0xFFFFFFFF,)
    assert bench.send(1, RESET, RESET_DOMAIN, 0, 5, 0) == (0,), "the other agent has its own"
    for finish in bench.waiting:
        finish()
    bench.rig.run()
    assert bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0) == (BUSY & 0xFFFFFFFF,), "no response was taken yet"
    bench.give(0, [ROOM] * MAX_OPEN)
    assert len(bench.told(0)) == MAX_OPEN
    assert bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0) == (0,)


def test_a_new_life_of_the_frontend_hears_nothing_of_the_old_one():
    bench = Bench()
    bench.send(0, POWER, STATE_NOTIFY, 0, 1)
    bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0)
    bench.platform.power_domains[0].state = "off"
    bench.drivers[0].begin()
    bench.waiting[0]()
    bench.platform.power_domains[0].state = "on"
    bench.give(0, [ROOM] * 2)
    assert bench.told(0) == []


def test_lives_that_leave_requests_behind_do_not_use_up_memory():
    bench = Bench()
    for _ in range(20):
        bench.drivers[0].begin()
        while bench.send(0, POWER, STATE_SET, 1, 1, OFF) == (0,):
            pass
    assert len(bench.rig.loop._alarms.entries) <= MAX_BEGUN + 1
    bench.rig.machine.advance(3)
    bench.rig.run()
    assert bench.send(0, POWER, STATE_SET, 1, 1, OFF) == (0,)


def test_requests_that_are_done_in_any_order_are_answered_once():
    bench = Bench()
    for _ in range(3):
        bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0)
    for number in (2, 0, 2, 1, 0):
        bench.waiting[number]()
    bench.give(0, [ROOM] * 5)
    assert [words[0] >> 18 for words in bench.told(0)] == [bench.token, bench.token - 2, bench.token - 1]


def test_a_response_of_an_earlier_life_that_is_over_meanwhile():
    bench = Bench()
    bench.send(0, RESET, RESET_DOMAIN, 0, 5, 0)
    bench.platform.resets[0]._reset = lambda state: bench.drivers[0].begin()
    bench.waiting[0]()
    bench.give(0, [ROOM])
    assert bench.told(0) == []


def test_reading_of_many_axes_fits_a_buffer_that_is_large_enough():
    axes = [Axis(str(number), "volt", number) for number in range(63)]
    bench = Bench()
    platform = Platform([Sensor("axes", "volt", axes=axes, delay=0)], agents=[Agent("one")])
    bench.rig = Rig(ScmiDevice(platform.agents[0]))
    platform.connect(bench.rig.loop.after)
    bench.drivers[0] = bench.rig.drivers[0].begin()
    assert [bench.send(0, SENSOR, READING_GET, 0, 1) for _ in range(2)] == [(0,)] * 2
    bench.give(0, [1024, ROOM])
    bench.rig.machine.advance(1)
    whole, short = bench.told(0)
    assert len(whole) == 3 + 4 * 63 and whole[3 + 4 * 62] == 62
    assert short[1:] == (PROTOCOL_ERROR & 0xFFFFFFFF,)


def test_failure_behind_a_delayed_response_is_a_status():
    bench = Bench()

    def broken(domain, state):
        raise OSError("stuck")

    platform = Platform(power_domains=[PowerDomain("stuck", change=broken, delay=lambda finish: finish())])
    client = Client(platform.agents[0])
    client.hear()
    assert client.ok(POWER, STATE_SET, 1, 0, OFF) == []
    assert client.events() == [(delayed(POWER, STATE_SET, client.token), [GENERIC_ERROR & 0xFFFFFFFF])]
    assert platform.agents[0].failures == 1 and bench.platform.agents[0].failures == 0


def test_refusal_behind_a_delayed_response_is_its_status():
    def refuses(domain, state):
        raise Refusal(BUSY)

    platform = Platform(power_domains=[PowerDomain("busy", change=refuses, delay=lambda finish: finish())])
    client = Client(platform.agents[0])
    client.hear()
    assert client.ok(POWER, STATE_SET, 1, 0, OFF) == []
    assert client.events() == [(delayed(POWER, STATE_SET, client.token), [BUSY & 0xFFFFFFFF])]
    assert platform.agents[0].failures == 0


def test_event_buffers_that_are_no_good_are_returned():
    bench = Bench()
    bench.send(0, POWER, STATE_NOTIFY, 0, 1)
    bench.platform.power_domains[0].state = "off"
    bench.give(0, [8])
    assert bench.drivers[0].queues[1].poll()[0][1] == b"" and bench.platform.agents[0].events.unfit == 1
    assert bench.send(0, POWER, STATE_SET, 0, 0, 0) == (0,), "commands are served as before"


def test_versions_are_pinned_by_name():
    error = raises(ValueError, Platform, resets=[Reset("line")], versions={"reset": 0x40000})
    assert "reset" in str(error) and "0x30001" in str(error)
    error = raises(ValueError, Platform, resets=[Reset("line")], versions={"voltage": 0x20001})
    assert "voltage" in str(error) and "base, reset" in str(error)
