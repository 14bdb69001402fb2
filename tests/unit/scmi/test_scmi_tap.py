# SPDX-License-Identifier: MIT
"""Faults that are injected and the log of messages, from the prompt to the rings of a frontend."""

from struct import pack, unpack

from driver import Rig
from scmi.device import ScmiDevice
from scmi.platform import Agent, Clock, Platform, PowerDomain, Sensor
from scmi.status import BUSY, DENIED, GENERIC_ERROR
from scmi_client import header
from support import raises
from virtio.device import MAX_HELD

SENSOR, CLOCK, POWER = 0x15, 0x14, 0x11
READ, RATE_SET, STATE_SET, STATE_NOTIFY = 0x6, 0x5, 0x4, 0x6
OFF = 1 << 30
ROOM = 128 + 8


class Bench:
    """Two frontends and what their prompt has."""

    def __init__(self):
        self.platform = Platform(
            agents=[Agent("one"), Agent("two")],
            sensors=[Sensor("cpu", "millicelsius", 45_000)],
            clocks=[Clock("pll", 100, rates=(100, 200))],
            power_domains=[PowerDomain("domain", delay=3)],
        )
        self.faults, self.log = self.platform.faults, self.platform.log
        self.devices = [ScmiDevice(agent) for agent in self.platform.agents]
        self.rig = Rig(*self.devices)
        self.platform.connect(self.rig.loop.after)
        self.drivers = [driver.begin() for driver in self.rig.drivers]
        self.token = 0

    def put(self, protocol, message, *words, **options):
        """Send a command without waiting for its reply; return its header."""
        self.token += 1
        head = header(protocol, message, self.token)
        ring = self.drivers[options.get("agent", 0)].queues[0]
        ring.add([pack("<%dI" % (1 + len(words)), head, *words)], [options.get("room", ROOM)], False)
        ring.kick()
        self.rig.run()
        return head

    def replies(self, agent=0, queue=0):
        """Return the buffers that have come back, as tuples of words."""
        self.rig.run()
        found = self.drivers[agent].queues[queue].poll()
        return [unpack("<%dI" % (len(data) // 4), data) for _, data in found]

    def ask(self, protocol, message, *words, **options):
        """Send a command; return the words of its reply behind the header, None if its buffer comes back empty."""
        head = self.put(protocol, message, *words, **options)
        (reply,) = self.replies(options.get("agent", 0))
        assert not reply or reply[0] == head
        return reply[1:] or None

    def read(self, **options):
        """Read the sensor."""
        return self.ask(SENSOR, READ, 0, 0, **options)

    def event_buffers(self, count, agent=0):
        """Give event buffers."""
        ring = self.drivers[agent].queues[1]
        for _ in range(count):
            ring.add([], [ROOM], False)
        ring.kick()
        self.rig.run()


GOOD = (0, 45_000, 0, 0, 0)


def test_refuse():
    bench = Bench()
    bench.faults.refuse("sensor", "SENSOR_READING_GET", "BUSY", times=2)
    assert [bench.read() for _ in range(3)] == [(BUSY & 0xFFFFFFFF,), (BUSY & 0xFFFFFFFF,), GOOD]
    bench.faults.refuse(SENSOR, READ, DENIED)
    assert [bench.read() for _ in range(2)] == [(DENIED & 0xFFFFFFFF,)] * 2
    bench.faults.clear("sensor", "SENSOR_READING_GET")
    assert bench.read() == GOOD and len(bench.faults) == 0
    assert bench.platform.agents[0].refused == {}


def test_what_is_refused_changes_nothing():
    bench = Bench()
    bench.faults.refuse("clock", None)
    assert bench.ask(CLOCK, RATE_SET, 0, 0, 200, 0) == (GENERIC_ERROR & 0xFFFFFFFF,)
    assert bench.platform.clocks["pll"].rate == 100
    assert bench.read() == GOOD, "another protocol"


def test_refuse_without_room_for_a_status():
    bench = Bench()
    bench.faults.refuse(None, None)
    assert bench.read(room=4) is None and bench.read(room=8) == (GENERIC_ERROR & 0xFFFFFFFF,)


def test_only_one_agent():
    bench = Bench()
    bench.faults.refuse(None, None, agent="two")
    assert bench.read() == GOOD and bench.read(agent=1) == (GENERIC_ERROR & 0xFFFFFFFF,)


def test_delay_keeps_no_message_that_was_answered():
    bench = Bench()
    bench.faults.delay("clock", "CLOCK_RATE_SET", 1)
    for _ in range(20):
        bench.put(CLOCK, RATE_SET, 0, 0, 200, 0)
        bench.rig.machine.advance(1)
        assert len(bench.replies()) == 1
    (fault,) = bench.faults._list
    assert len(fault._waiting) == 1


def test_delay_holds_one_message_and_no_other():
    bench = Bench()
    bench.faults.delay("clock", "CLOCK_RATE_SET", 50, times=1)
    head = bench.put(CLOCK, RATE_SET, 0, 0, 200, 0)
    assert bench.replies() == [] and bench.platform.clocks["pll"].rate == 100
    assert bench.read() == GOOD
    assert bench.ask(CLOCK, RATE_SET, 0, 0, 100, 0) == (0,), "once only"
    assert "holds 1" in repr(bench.faults)
    bench.rig.machine.advance(49)
    assert bench.replies() == []
    bench.rig.machine.advance(1)
    assert bench.replies() == [(head, 0)] and bench.platform.clocks["pll"].rate == 200
    assert repr(bench.faults) == "(no faults)"
    assert bench.devices[0].returned == 3


def test_timeout_ends_when_it_is_cleared():
    bench = Bench()
    bench.faults.timeout("clock", "CLOCK_RATE_SET")
    head = bench.put(CLOCK, RATE_SET, 0, 0, 200, 0)
    bench.rig.machine.advance(1 << 20)
    assert bench.replies() == [] and bench.platform.clocks["pll"].rate == 100
    bench.faults.clear()
    assert bench.replies() == [(head, 0)] and bench.platform.clocks["pll"].rate == 200


def test_a_reset_forgets_what_is_held():
    for method, details in (("timeout", ()), ("delay", (50,))):
        bench = Bench()
        getattr(bench.faults, method)("clock", "CLOCK_RATE_SET", *details, times=1)
        bench.put(CLOCK, RATE_SET, 0, 0, 200, 0)
        bench.drivers[0].begin()
        bench.rig.machine.advance(100)
        bench.faults.clear()
        assert bench.replies() == [] and bench.platform.clocks["pll"].rate == 100
        assert bench.read() == GOOD and len(bench.faults) == 0


def test_what_is_held_is_bounded_and_the_rest_answered():
    bench = Bench()
    bench.faults.timeout("sensor", None)
    for _ in range(MAX_HELD):
        bench.put(SENSOR, READ, 0, 0)
    assert bench.replies() == []
    assert bench.read() == GOOD
    assert "holds {}, missed 1".format(MAX_HELD) in repr(bench.faults)
    bench.put(SENSOR, READ, 0, 0, agent=1)
    assert bench.replies(agent=1) == [], "the other device holds its own"
    bench.faults.clear()
    assert len(bench.replies()) == MAX_HELD and len(bench.replies(agent=1)) == 1


def test_drop_does_what_is_asked_and_loses_the_reply():
    bench = Bench()
    bench.faults.drop("clock", "CLOCK_RATE_SET", times=1)
    assert bench.ask(CLOCK, RATE_SET, 0, 0, 200, 0) is None
    assert bench.platform.clocks["pll"].rate == 200 and bench.devices[0].unanswerable == 1


def test_wrong_length():
    bench = Bench()
    for size, expected in ((8, (0,)), (12, (0, 45_000)), (32, GOOD + (0, 0)), (1024, GOOD + (0,) * 28)):
        bench.faults.length("sensor", "SENSOR_READING_GET", size, times=1)
        assert bench.read() == expected
    bench.faults.length("sensor", "SENSOR_READING_GET", 0, times=1)
    assert bench.read() is None
    bench.faults.length("sensor", "SENSOR_READING_GET", 8, times=1)
    assert bench.read(room=4) is None, "no room for a header and a status: no answer"


def test_without_faults_and_log_nothing_is_in_the_way():
    bench = Bench()
    seen = []
    bench.devices[0].answer_with = seen.append
    bench.faults.refuse(None, None, times=1)
    assert seen[-1] is not None
    bench.log(True)
    bench.faults.clear()
    assert seen[-1] is not None
    bench.log(False)
    assert seen[-1] is None


def test_faults_are_checked():
    faults = Bench().faults
    for wrong, words in (
        (lambda: faults.refuse("sensors", None), "spoken are: base, clock, power, sensor"),
        (lambda: faults.refuse("sensor", "SENSOR_READ"), "SENSOR_READING_GET"),
        (lambda: faults.refuse(None, "SENSOR_READING_GET"), "its protocol"),
        (lambda: faults.refuse("sensor", 0x100), "256"),
        (lambda: faults.refuse("sensor", None, "LAZY"), "BUSY"),
        (lambda: faults.refuse("sensor", None, 0), "negative"),
        (lambda: faults.refuse("sensor", None, "SUCCESS"), "negative"),
        (lambda: faults.refuse("sensor", None, times=0), "times"),
        (lambda: faults.delay("sensor", None, -1), "milliseconds"),
        (lambda: faults.length("sensor", None, 1025), "1024"),
    ):
        assert words in str(raises(ValueError, wrong)), words
    raises(KeyError, faults.refuse, "sensor", None, "BUSY", None, "three")
    assert len(faults) == 0


def test_faults_are_a_table():
    bench = Bench()
    bench.faults.refuse("sensor", "SENSOR_READING_GET", "BUSY", times=3)
    bench.faults.delay("clock", None, 20, agent="one")
    bench.read()
    assert repr(bench.faults).split("\n") == [
        "any agent  sensor  SENSOR_READING_GET  refuse BUSY           2 left  hit 1",
        "one        clock   any                 delay 20 ms, holds 0  always  hit 0",
    ]
    bench.faults.clear("sensor")
    assert len(bench.faults) == 1


def logged(bench):
    """Return the lines of the log without times."""
    return [" ".join(word for word in line.split(" ")[2:] if word) for line in bench.log.lines()]


def test_the_log_has_messages_in_words():
    bench = Bench()
    bench.log(True)
    bench.read()
    bench.ask(CLOCK, RATE_SET, 8, 0, 200, 0)
    bench.ask(SENSOR, 0x99, 1)
    bench.ask(0x99, 0)
    bench.ask(SENSOR, READ, 0)
    bench.ask(0x10, 0x3)
    lines = [line.rsplit(" ", 2)[0] for line in logged(bench)]
    assert lines == [
        "one sensor SENSOR_READING_GET #1 sensor_id=0 flags=0x0 -> SUCCESS value=45000 timestamp=0",
        "one clock CLOCK_RATE_SET #2 flags=0x8 clock_id=0 rate=200 -> SUCCESS",
        "one sensor 0x99 #3 [0x1] -> NOT_FOUND",
        "one protocol 0x99 0x0 #4 -> NOT_SUPPORTED",
        "one sensor SENSOR_READING_GET #5 sensor_id=0 -> PROTOCOL_ERROR",
        "one base BASE_DISCOVER_VENDOR #6 -> SUCCESS vendor='Trapless'",
    ]
    assert all(line.endswith(" us") for line in bench.log.lines())


def test_the_log_has_what_is_sent_without_being_asked():
    bench = Bench()
    bench.event_buffers(2)
    bench.ask(POWER, STATE_NOTIFY, 0, 1)
    bench.log(True)
    bench.ask(POWER, STATE_SET, 1, 0, OFF)
    bench.rig.machine.advance(3)
    assert len(bench.replies(queue=1)) == 2
    lines = logged(bench)
    assert lines[0].startswith("one power POWER_STATE_SET #2 flags=0x1 domain_id=0 power_state=0x40000000 -> SUCCESS")
    told = sorted(lines[1:])
    assert told[0] == "one power POWER_STATE_CHANGED #0 notification agent_id=1 domain_id=0 power_state=0x40000000"
    assert told[1] == "one power POWER_STATE_SET #2 delayed response SUCCESS [0x0, 0x40000000]"


def test_the_log_names_faults_and_what_has_no_reply():
    bench = Bench()
    bench.log(True)
    bench.faults.drop("sensor", None, times=1)
    bench.faults.delay("sensor", None, 30, times=1)
    bench.read()
    bench.put(SENSOR, READ, 0, 0)
    bench.rig.machine.advance(30)
    bench.replies()
    bench.put(SENSOR, READ, 0, 0, room=4)
    first, second, third = logged(bench)
    assert "-> no reply" in first and first.endswith("(drop)")
    assert "-> SUCCESS value=45000" in second and "(delay 30 ms" in second
    assert "-> no reply" in third and third.endswith(" us")


def test_the_log_is_bounded_and_can_be_switched_off():
    bench = Bench()
    assert bench.log.lines() == ["the log is off; log(True) switches it on"]
    bench.log(True, last=3)
    assert bench.log.lines() == ["nothing kept"]
    for _ in range(5):
        bench.read()
    assert [line.split("#")[1].split(" ")[0] for line in bench.log.lines()] == ["3", "4", "5"]
    bench.log(False)
    bench.read()
    assert len(bench.log.lines()) == 3
    bench.log(True)
    assert bench.log.lines() == ["nothing kept"]
    for wrong in (0, 1001, True):
        raises(ValueError, bench.log, True, wrong)
    bench.read()
    assert bench.log() is None and "SENSOR_READING_GET" in repr(bench.log)


def test_an_unreasonable_message_is_logged():
    bench = Bench()
    bench.log(True)
    ring = bench.drivers[0].queues[0]
    for data in (b"\1", pack("<64I", header(SENSOR, READ, 5), *range(63))):
        ring.add([data], [ROOM], False)
        ring.kick()
        bench.rig.run()
    first, second = logged(bench)
    assert "-> no reply" in first
    assert "sensor SENSOR_READING_GET #5 sensor_id=0 flags=0x1 [0x2, " in second and "...]" in second
