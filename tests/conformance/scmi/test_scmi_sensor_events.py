# SPDX-License-Identifier: MIT
"""Trip points, updates, asynchronous readings and older versions of the sensor protocol. Source: DEN0056F, 3.7.2.8,
3.7.2.9, 3.7.2.12, 3.7.2.13, 3.7.3 and 3.7.4."""

from scmi.platform import Agent, Axis, Platform, Sensor
from scmi.status import HARDWARE_ERROR, NOT_SUPPORTED, PROTOCOL_ERROR, Refusal
from scmi_client import Client, Time, delayed, notification, text
from scmi_example import AXES, FULL, HUGE, LONG, LONG_SENSOR_NAME, NEGATIVE, PLAIN, SENSOR, client, guest_of

DESCRIPTION, TRIP_NOTIFY, TRIP_CONFIG, READING, AXIS_DESCRIPTION = 0x3, 0x4, 0x5, 0x6, 0x7
CONFIG_SET, UPDATE_NOTIFY = 0xA, 0xB

DELAYS, UPDATES = 1 << 31, 1 << 30
RISING, FALLING, BOTH = 1, 2, 3
TRIPPED, UPDATED = notification(SENSOR, 0x0), notification(SENSOR, 0x1)
ENABLED = 1


class Bench:
    """Two agents of a platform with one sensor; the first is the one that listens."""

    def __init__(self, *arguments, **options):
        self.soc = Platform([Sensor("s", *arguments, **options)], agents=[Agent("one", trusted=True), Agent("two")])
        self.sensor = self.soc.sensors[0]
        self.scmi, self.other = [Client(agent) for agent in self.soc.agents]
        self.time = Time(self.soc)
        self.scmi.hear()
        self.other.hear()

    def trip(self, number, control, value):
        """Set a trip point."""
        self.scmi.ok(SENSOR, TRIP_CONFIG, 0, number << 4 | control, value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF)

    def told(self):
        """Return the trip points that the listener is told of, as (number, risen)."""
        found = self.scmi.events()
        for head, payload in found:
            assert head == TRIPPED and payload[:2] == [0, 0]
        return [(payload[2] & 0xFF, payload[2] >> 16) for _, payload in found]


def test_3_7_4_1_trip_points_are_told_in_their_direction():
    bench = Bench("volt", -5, trip_points=3)
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 1)
    bench.trip(0, RISING, 10)
    bench.trip(1, FALLING, -10)
    bench.trip(2, BOTH, 0)
    for value, told in (
        (9, [(2, 1)]),
        (10, [(0, 1)]),
        (11, []),
        (10, []),
        (-9, [(2, 0)]),
        (-10, [(1, 0)]),
        (-11, []),
        (100, [(0, 1), (2, 1)]),
    ):
        bench.sensor.value = value
        assert bench.told() == told, value
    assert bench.other.events() == []


def test_3_7_2_9_trip_point_that_is_off_is_not_told():
    bench = Bench("volt", 0, trip_points=1)
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 1)
    bench.trip(0, 0, 5)
    bench.sensor.value = 10
    assert bench.told() == []


def test_3_7_2_8_only_who_has_subscribed_is_told():
    bench = Bench("volt", 0, trip_points=1)
    bench.trip(0, RISING, 5)
    bench.sensor.value = 10
    assert bench.told() == []
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 1)
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 0)
    bench.sensor.value = 0
    bench.sensor.value = 10
    assert bench.told() == []


def test_3_7_4_1_sensor_that_moves_by_itself_is_looked_at_while_somebody_listens():
    readings = []
    value = [0]

    def read():
        readings.append(value[0])
        return value[0]

    bench = Bench("volt", read=read, trip_points=1, intervals=(10, 100))
    bench.trip(0, RISING, 5)
    bench.time.advance(50)
    assert not readings
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 1)
    value[0] = 7
    bench.time.advance(9)
    assert bench.told() == []
    bench.time.advance(1)
    assert bench.told() == [(0, 1)]
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 0)
    bench.time.advance(20)
    readings[:] = []
    bench.time.advance(50)
    assert not readings and not bench.time.alarms.entries


def test_3_7_4_1_who_subscribes_or_configures_hides_no_crossing_from_others():
    value = [0]
    bench = Bench("volt", read=lambda: value[0], trip_points=1, intervals=(10, 100))
    bench.trip(0, RISING, 5)
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 1)
    for do in (
        lambda: bench.other.ok(SENSOR, TRIP_NOTIFY, 0, 1),
        lambda: bench.other.ok(SENSOR, TRIP_NOTIFY, 0, 0),
        lambda: bench.other.ok(SENSOR, CONFIG_SET, 0, ENABLED),
    ):
        value[0] = 0
        bench.time.advance(10)
        assert bench.told() == []
        value[0] = 7
        do()
        bench.time.advance(10)
        assert bench.told() == [(0, 1)]


def test_3_7_4_1_crossing_of_a_sensor_that_is_disabled_is_not_told():
    bench = Bench("volt", 0, trip_points=1, intervals=(10,))
    bench.trip(0, RISING, 5)
    bench.scmi.ok(SENSOR, TRIP_NOTIFY, 0, 1)
    bench.time.advance(5)
    bench.scmi.ok(SENSOR, CONFIG_SET, 0, 0)
    bench.sensor.value = 7
    bench.scmi.ok(SENSOR, CONFIG_SET, 0, ENABLED)
    bench.time.advance(20)
    assert bench.told() == []


def test_3_7_4_2_shorter_interval_counts_at_once_and_costs_no_more_alarms_than_it_must():
    bench = Bench("volt", 3, intervals=(10, 60_000))
    long, short = [interval << 11 | ENABLED for interval in (6 << 5 | 1, 10 << 5 | 0x1D)]
    bench.scmi.ok(SENSOR, CONFIG_SET, 0, long)
    assert bench.sensor.interval == 60_000
    bench.scmi.ok(SENSOR, UPDATE_NOTIFY, 0, 1)
    bench.time.advance(5)
    bench.scmi.ok(SENSOR, CONFIG_SET, 0, short)
    for _ in range(3):
        bench.time.advance(10)
        assert bench.scmi.events() == [(UPDATED, [0, 0, 3, 0, 0, 0])]
    for _ in range(50):
        bench.scmi.ok(SENSOR, CONFIG_SET, 0, long)
        bench.time.advance(10)
        bench.scmi.ok(SENSOR, CONFIG_SET, 0, short)
    assert len(bench.time.alarms.entries) <= 4


def test_3_7_4_2_sensor_is_read_for_those_who_have_subscribed_and_no_others():
    readings = []
    bench = Bench("volt", read=lambda: readings.append(1) or 5, intervals=(10,))
    bench.other.ok(SENSOR, UPDATE_NOTIFY, 0, 1)
    bench.time.advance(9)
    readings[:] = []
    bench.time.advance(1)
    assert len(bench.other.events()) == 1 and bench.scmi.events() == []
    assert len(readings) == 2, "for the trip points and for one agent"


def test_3_7_4_2_update_at_every_change_of_a_value_that_is_set():
    bench = Bench("volt", 0)
    bench.scmi.ok(SENSOR, UPDATE_NOTIFY, 0, 1)
    bench.sensor.value = -1
    assert bench.scmi.events() == [(UPDATED, [0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0])]
    bench.time.advance(5000)
    assert bench.scmi.events() == []


def test_3_7_4_2_update_at_every_interval():
    bench = Bench("volt", 3, intervals=(10, 100))
    bench.scmi.ok(SENSOR, UPDATE_NOTIFY, 0, 1)
    for _ in range(3):
        bench.time.advance(10)
        assert bench.scmi.events() == [(UPDATED, [0, 0, 3, 0, 0, 0])]
    bench.other.ok(SENSOR, CONFIG_SET, 0, (100 << 5 | 0x1D) << 11 | ENABLED)
    bench.time.advance(10)
    bench.scmi.events()
    bench.time.advance(99)
    assert bench.scmi.events() == []
    bench.time.advance(1)
    assert len(bench.scmi.events()) == 1


def test_3_7_4_2_disabled_sensor_tells_nothing():
    bench = Bench("volt", 3, intervals=(10,), trip_points=1)
    bench.scmi.ok(SENSOR, UPDATE_NOTIFY, 0, 1)
    bench.scmi.ok(SENSOR, CONFIG_SET, 0, 0)
    bench.time.advance(30)
    bench.sensor.value = 7
    assert bench.scmi.events() == []


def test_3_7_4_2_updates_of_axes():
    bench = Bench("gauss", axes=[Axis("x", "gauss", 1), Axis("y", "gauss", -1)])
    bench.scmi.ok(SENSOR, UPDATE_NOTIFY, 0, 1)
    bench.sensor.axes["x"].value = 2
    assert bench.scmi.events() == [(UPDATED, [0, 0, 2, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0])]


def test_3_7_4_events_of_a_sensor_that_may_not_be_used_any_more_are_not_sent():
    trusted = client()
    guest = guest_of(trusted)
    guest.ok(SENSOR, UPDATE_NOTIFY, PLAIN, 1)
    trusted.ok(0x10, 0x9, 2, 0, 0)
    trusted.platform.sensors[PLAIN].value = 1
    assert guest.events() == []


def test_3_7_2_8_and_13_without_event_channel():
    scmi = client(hears=False)
    for message in (TRIP_NOTIFY, UPDATE_NOTIFY):
        for enable in (0, 1):
            assert scmi.call(SENSOR, message, FULL, enable) == (NOT_SUPPORTED, [])


def test_3_7_2_5_events_are_offered_to_those_who_hear():
    for hears, expected in ((True, UPDATES | DELAYS), (False, 0)):
        bench = Bench("volt", 3, delay=5)
        bench.scmi.hear(hears)
        assert bench.scmi.ok(SENSOR, DESCRIPTION, 0)[2] == expected
        assert bench.scmi.ok(SENSOR, 0x1)[0] == (8 << 16 | 1 if hears else 1)


def test_3_7_3_3_asynchronous_reading():
    bench = Bench("volt", -3, delay=5)
    assert bench.scmi.ok(SENSOR, READING, 0, 1) == []
    token = bench.scmi.token
    bench.time.advance(4)
    bench.sensor.value = -2
    assert bench.scmi.events() == []
    bench.time.advance(1)
    head = delayed(SENSOR, READING, token)
    assert bench.scmi.events() == [(head, [0, 0, 0xFFFFFFFE, 0xFFFFFFFF, 0, 0])], "the value when it is done"
    bench.scmi.ok(SENSOR, 0x10, 0x30001)


def test_3_7_3_3_asynchronous_reading_of_a_sensor_that_is_disabled_meanwhile():
    bench = Bench("volt", 3, delay=5)
    bench.scmi.ok(SENSOR, READING, 0, 1)
    token = bench.scmi.token
    bench.sensor.enabled = False
    assert bench.scmi.call(SENSOR, READING, 0, 1) == (PROTOCOL_ERROR, [])
    bench.time.advance(5)
    assert bench.scmi.events() == [(delayed(SENSOR, READING, token), [PROTOCOL_ERROR & 0xFFFFFFFF])]


def test_3_2_2_13_configuration_of_another_agent_stays():
    bench = Bench("volt", 3, trip_points=2, intervals=(10, 100))
    bench.trip(0, RISING, 5)
    bench.other.ok(SENSOR, TRIP_CONFIG, 0, 1 << 4 | FALLING, 7, 0)
    bench.scmi.ok(SENSOR, CONFIG_SET, 0, 0)
    bench.other.ok(SENSOR, CONFIG_SET, 0, (100 << 5 | 0x1D) << 11 | ENABLED)
    bench.scmi.ok(0x10, 0xB, 1, 0)
    assert [point.control for point in bench.sensor.trip_points] == [0, FALLING]
    assert bench.sensor.interval == 100
    bench.scmi.ok(0x10, 0xB, 2, 0)
    assert [point.control for point in bench.sensor.trip_points] == [0, 0]
    assert bench.sensor.interval == 10


def test_first_version_reads_a_value_without_time():
    scmi = client(versions={"sensor": 0x10000})
    assert scmi.ok(SENSOR, READING, PLAIN, 0) == [45_000, 0]
    assert scmi.ok(SENSOR, READING, NEGATIVE, 0) == [0xFFFFFFFB, 0xFFFFFFFF]
    assert scmi.ok(SENSOR, READING, AXES, 0, room=16) == [1, 0], "the first axis"
    assert scmi.ok(SENSOR, READING, HUGE, 0) == [1, 1 << 30]
    assert scmi.call(SENSOR, READING, 7, 0) == (PROTOCOL_ERROR, []), "disabled"
    assert scmi.call(SENSOR, READING, PLAIN, 1) == (NOT_SUPPORTED, [])


def test_first_version_reads_asynchronously():
    bench = Bench("volt", -3, delay=1)
    bench.scmi.ok(SENSOR, 0x10, 0x10000)
    assert bench.scmi.ok(SENSOR, READING, 0, 1) == []
    bench.time.advance(1)
    assert bench.scmi.events() == [(delayed(SENSOR, READING, bench.scmi.token), [0, 0, 0xFFFFFFFD, 0xFFFFFFFF])]


def test_first_version_describes_with_an_interval():
    scmi = client(versions={"sensor": 0x10000})
    payload = scmi.ok(SENSOR, DESCRIPTION, FULL)
    assert payload[1:3] == [FULL, 2], "no timestamps, nothing extended"
    assert payload[3] == 0x1A << 11 | 7 | 10 << 27 | 0x1D << 22, "10 ms"
    payload = scmi.ok(SENSOR, DESCRIPTION, AXES)
    assert payload[3] == 0x59 and payload[2] == 0


def test_long_names_are_announced_from_the_third_version_on():
    for version, expected in ((0x10000, 0), (0x20000, UPDATES), (0x30000, UPDATES | 1 << 29)):
        scmi = client(versions={"sensor": version})
        payload = scmi.ok(SENSOR, DESCRIPTION, LONG)
        assert payload[2] == expected and text(payload[4:8]) == LONG_SENSOR_NAME[:15]
        if version >= 0x20000:
            third = scmi.ok(SENSOR, AXIS_DESCRIPTION, AXES, 2)
            assert bool(third[2] & 1 << 9) == (version >= 0x30000)


def test_3_7_3_3_failure_of_the_hardware_is_told_later():
    def read():
        raise Refusal(HARDWARE_ERROR)

    bench = Bench("volt", read=read, delay=1)
    bench.scmi.ok(SENSOR, READING, 0, 1)
    bench.time.advance(1)
    assert bench.scmi.events() == [(delayed(SENSOR, READING, bench.scmi.token), [HARDWARE_ERROR & 0xFFFFFFFF])]
