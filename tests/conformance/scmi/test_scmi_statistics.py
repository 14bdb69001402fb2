# SPDX-License-Identifier: MIT
"""Statistics in shared memory, read by the driver mock. Source: virtio 1.3, 5.17 "Shared Memory Operation";
docs/reference/statistics.md."""

from struct import pack, unpack_from

from driver import Rig
from scmi.device import ScmiDevice
from scmi.platform import Agent, Axis, Device, Performance, Platform, PowerDomain, Sensor
from scmi.statistics import PERIOD_MS
from scmi_client import header
from statistics_reader import PERFORMANCE, POWER, SENSOR, attributes, reader
from support import raises
from virtio import features as feature

EVENTS, SHARED_MEMORY = 1 << 0, 1 << 1
WITHOUT = EVENTS | feature.VERSION_1 | feature.ACCESS_PLATFORM
AREA = 0x4000
LEVEL_SET, STATE_SET, SET_DEVICE_PERMISSIONS = 0x7, 0x4, 0x9
BASE = 0x10
OFF = 1 << 30


class Board:
    """Two agents' view of a small platform, of which the trusted one has a driver. `now`: microseconds."""

    def __init__(self, area=AREA):
        self.now = 1_000
        self.broken = False
        self.cpu = Performance("cpu", (100, 200, 300), level=200)
        self.gpu = Performance("gpu", (10, 20), level=10)
        self.cluster = PowerDomain("cluster", states=(("retention", 1),))
        self.isp = PowerDomain("isp", state="off")
        self.sensors = [
            Sensor("hot", "celsius", 45, shared=True),
            Sensor("hidden", "celsius", 20),
            Sensor("box", "celsius", axes=[Axis("x", "celsius", -1), Axis("y", "celsius", -(1 << 62))], shared=True),
            Sensor("odd", "celsius", read=self.read, shared=True),
        ]
        self.platform = Platform(
            sensors=self.sensors,
            performance=[self.cpu, self.gpu],
            power_domains=[self.cluster, self.isp],
            devices=[
                Device("own", ["performance:cpu", "cluster", "hot", "hidden", "box", "odd"]),
                Device("other", ["performance:gpu", "isp"]),
            ],
            agents=[Agent("first", trusted=True), Agent("second")],
        )
        self.platform.statistics.clock = lambda: self.now
        self.rig = Rig(ScmiDevice(self.platform.agents[0]), shared=area)
        self.platform.connect(self.rig.loop.after)

    def read(self):
        if self.broken:
            raise OSError("no bus")
        return 7

    def begin(self, wanted=None):
        self.driver = self.rig.drivers[0].begin(wanted)
        return self

    def send(self, protocol, message, *words):
        request = pack("<{}I".format(1 + len(words)), header(protocol, message), *words)
        return unpack_from("<i", self.driver.request(request, 24), 4)[0]

    def reader(self, protocol):
        return reader(self.rig, self.driver, protocol)

    def domain(self, protocol, number):
        return self.reader(protocol).domain(number)

    def pass_time(self, ms):
        """Let time pass, and the period of the statistics with it."""
        self.now += 1_000 * ms
        self.rig.machine.advance(ms)
        self.rig.run()


def test_5_17_3_device_with_memory_for_them_offers_shared_memory():
    assert Board().rig.drivers[0].offered() & 3 == EVENTS | SHARED_MEMORY
    assert Board(area=0).rig.drivers[0].offered() & 3 == EVENTS


def test_5_17_3_device_with_nothing_to_show_does_not_offer_it():
    platform = Platform(sensors=[Sensor("hidden", "celsius", 20)])
    driver = Rig(ScmiDevice(platform.agents[0]), shared=AREA).drivers[0]
    assert driver.offered() & SHARED_MEMORY == 0
    assert [driver.shared(number) for number in range(16)] == [None] * 16


def test_5_17_6_region_numbers():
    driver = Board().rig.drivers[0]
    assert [driver.shared(number) for number in (1, 2, 3)] == [(0, 0x1000), (0x1000, 0x1000), (0x2000, 0x1000)]
    assert [driver.shared(number) for number in (0,) + tuple(range(4, 16))] == [None] * 13


def test_5_17_6_without_the_feature_there_are_no_statistics():
    board = Board().begin(WITHOUT)
    for protocol in (POWER, PERFORMANCE, SENSOR):
        assert attributes(board.driver, protocol)[1:] == (0, 0)
    assert board.send(PERFORMANCE, LEVEL_SET, 0, 300) == 0
    board.pass_time(PERIOD_MS)
    assert not any(board.rig.shared_bytes(board.rig.shared_base, AREA))
    assert board.cpu.usage is None, "nothing is counted that nobody reads"


def test_link_without_enough_memory_is_refused():
    assert "shm" in str(raises(ValueError, Board, 0x2000))


def test_headers():
    board = Board().begin()
    for protocol, signature, count in ((POWER, 0x504F5752, 2), (PERFORMANCE, 0x50455246, 2), (SENSOR, 0x53454E53, 4)):
        assert board.reader(protocol).header() == (signature, 0, 0, count, 0, 0, 0)
    lengths = [attributes(board.driver, protocol)[2] for protocol in (POWER, PERFORMANCE, SENSOR)]
    assert lengths == [24 + 96 + 72, 24 + 96 + 72, 32 + 16 + 32 + 16]


def test_blocks_do_not_overlap_and_are_aligned():
    board = Board().begin()
    assert [board.reader(POWER).offset(number) for number in (0, 1)] == [24, 120]
    assert [board.reader(PERFORMANCE).offset(number) for number in (0, 1)] == [24, 120]
    assert [board.reader(SENSOR).offset(number) for number in range(4)] == [32, 0, 48, 80]


def test_levels_are_counted():
    board = Board().begin()
    start = board.domain(PERFORMANCE, 0)
    assert (start.state, start.changed, start.states) == (1, 1_000, [(0, 0, 0), (1, 0, 0), (2, 0, 0)])
    board.now += 500
    assert board.send(PERFORMANCE, LEVEL_SET, 0, 300) == 0
    board.now += 20
    assert board.send(PERFORMANCE, LEVEL_SET, 0, 300) == 0, "the same level once more is no change"
    board.now += 3
    assert board.send(PERFORMANCE, LEVEL_SET, 0, 100) == 0
    end = board.domain(PERFORMANCE, 0)
    assert (end.state, end.changed, end.entered, end.residency) == (0, 1_523, [1, 0, 1], [0, 500, 23])
    assert board.domain(PERFORMANCE, 1).entered == [0, 0]


def test_level_that_limits_or_the_prompt_change_is_counted():
    board = Board().begin()
    board.cpu.limits = (100, 100)
    assert board.domain(PERFORMANCE, 0).entered == [1, 0, 0]
    board.cpu.limits = None
    board.cpu.level = 300
    assert board.domain(PERFORMANCE, 0).entered == [1, 1, 1] and board.domain(PERFORMANCE, 0).state == 2


def test_power_states_are_counted_from_on_to_off():
    board = Board().begin()
    assert (board.domain(POWER, 0).state, board.domain(POWER, 1).state) == (0, 1)
    board.now += 10
    assert board.send(POWER, STATE_SET, 0, 0, OFF) == 0
    board.now += 5
    assert board.send(POWER, STATE_SET, 0, 0, 1) == 0
    domain = board.domain(POWER, 0)
    assert (domain.state, domain.changed, domain.entered, domain.residency) == (1, 1_015, [0, 1, 1], [10, 0, 5])


def test_time_passes_in_the_present_state():
    board = Board().begin()
    board.pass_time(PERIOD_MS)
    domain = board.domain(PERFORMANCE, 0)
    assert (domain.changed, domain.residency) == (1_000, [0, 1_000 * PERIOD_MS, 0])
    board.pass_time(PERIOD_MS)
    assert board.domain(POWER, 1).residency == [0, 2_000 * PERIOD_MS]


def test_readings_are_those_of_the_sensors_that_are_marked():
    board = Board().begin()
    readings = board.reader(SENSOR)
    assert readings.readings(0) == ([45], 1_000)
    assert readings.readings(1) is None
    assert readings.readings(2, 2) == ([-1, -(1 << 62)], 1_000)
    assert readings.readings(3) == ([7], 1_000)


def test_readings_follow_the_sensors():
    board = Board().begin()
    board.sensors[0].value = -40
    board.broken = True
    board.sensors[2].enabled = False
    board.pass_time(PERIOD_MS)
    readings = board.reader(SENSOR)
    assert readings.readings(0) == ([-40], 1_000 + 1_000 * PERIOD_MS)
    assert readings.readings(2, 2) is None and readings.readings(3) is None
    board.broken = False
    board.sensors[2].enabled = True
    board.pass_time(PERIOD_MS)
    assert readings.readings(2, 2)[0] == [-1, -(1 << 62)] and readings.readings(3)[0] == [7]


def test_what_an_agent_may_not_use_is_not_shown():
    board = Board().begin()
    assert board.send(BASE, SET_DEVICE_PERMISSIONS, 1, 1, 0) == 0
    for protocol in (POWER, PERFORMANCE):
        region = board.reader(protocol)
        assert region.offset(0) == 24 and region.domain(0)
        assert region.offset(1) == 0
        _, address, length = attributes(board.driver, protocol)
        assert not any(board.rig.shared_bytes(address + 120, length - 120))
    board.gpu.level = 20
    _, address, length = attributes(board.driver, PERFORMANCE)
    assert not any(board.rig.shared_bytes(address + 120, length - 120))
    assert board.send(BASE, SET_DEVICE_PERMISSIONS, 1, 1, 1) == 0
    assert board.domain(PERFORMANCE, 1).entered == [0, 1]


def test_reset_takes_them_away_and_the_next_driver_sees_what_was_counted():
    board = Board().begin()
    assert board.send(PERFORMANCE, LEVEL_SET, 0, 300) == 0
    board.driver.reset()
    assert not any(board.rig.shared_bytes(board.rig.shared_base, AREA))
    board.cpu.level = 100
    board.pass_time(PERIOD_MS)
    assert not any(board.rig.shared_bytes(board.rig.shared_base, AREA))
    assert board.begin().domain(PERFORMANCE, 0).entered == [1, 0, 1]


def test_each_agent_has_a_region_of_its_own():
    board = Board().begin()
    second = Rig(ScmiDevice(board.platform.agents[1]), shared=AREA)
    driver = second.drivers[0].begin()
    assert board.send(PERFORMANCE, LEVEL_SET, 0, 300) == 0
    for entered in (board.domain(PERFORMANCE, 0).entered, reader(second, driver, PERFORMANCE).domain(0).entered):
        assert entered == [0, 0, 1]
    board.driver.reset()
    board.cpu.level = 100
    assert reader(second, driver, PERFORMANCE).domain(0).entered == [1, 0, 1]


class Interrupting:
    """A Window in whose place something happens before one of the stores; `when` counts them down."""

    def __init__(self, window, when, what):
        self._window = window
        self.when = when
        self._what = what

    def _store(self, store, at, value):
        self.when -= 1
        if self.when == 0:
            self._what()
        store(at, value)

    def w16(self, at, value):
        self._store(self._window.w16, at, value)

    def w32(self, at, value):
        self._store(self._window.w32, at, value)

    def w64(self, at, value):
        self._store(self._window.w64, at, value)

    def store_release(self, at, value):
        self._store(self._window.store_release, at, value)

    def fill(self, at, size, byte):
        self._window.fill(at, size, byte)


def interrupted(region, when, what):
    """Return a Board where `what(board)` happens before store number `when` of the next change in `region`."""
    board = Board()
    shared = board.rig.link.ports[0].device.shared[region]
    shared.window = window = Interrupting(shared.window, -1, lambda: what(board))
    board.begin()
    window.when = when
    return board


def test_whoever_reads_in_the_middle_of_a_change_tries_again():
    # The first store makes the sequence number odd; state, time and four figures follow, then it is even again.
    for when in range(2, 9):
        seen = []
        board = interrupted(2, when, lambda board, seen=seen: seen.append(board.domain(PERFORMANCE, 0)))
        board.cpu.level = 300
        assert seen == [None], when
        assert board.domain(PERFORMANCE, 0).entered == [0, 0, 1]


def test_change_that_interrupts_another_one_at_the_prompt_is_stored_too():
    for when in range(1, 9):
        board = interrupted(2, when, lambda board: board.cpu.set_place(0, 1))
        board.cpu.set_place(2, 0)
        domain = board.domain(PERFORMANCE, 0)
        assert (domain.state, domain.entered) == (0, [1, 0, 1]), when


def test_message_that_takes_a_domain_away_in_the_middle_of_a_change_leaves_nothing():
    for when in range(1, 9):
        board = interrupted(2, when, lambda board: board.platform.agents[0].permit_device(0, False))
        board.cpu.level = 300
        _, address, _ = attributes(board.driver, PERFORMANCE)
        assert not any(board.rig.shared_bytes(address + 24, 96)), when
        board.platform.agents[0].permit_device(0, True)
        assert board.domain(PERFORMANCE, 0).entered == [0, 0, 1]


def test_time_of_a_reading_is_0_while_it_is_stored():
    # Three stores for the first sensor, three for the last one; those of the box in between: times 0, values, times.
    for when in range(5, 10):
        seen = []
        board = interrupted(3, when, lambda board, seen=seen: seen.append(board.readings.readings(2, 2)))
        board.readings = board.reader(SENSOR)
        board.pass_time(PERIOD_MS)
        assert seen == [None], when
        assert board.readings.readings(2, 2)


def blocks(regions):
    """How many blocks there are in all regions."""
    found = 0
    for window in [region.window for region in regions.values()]:
        found += sum(window.r32(16 + 4 * number) != 0 for number in range(window.r32(8) & 0xFFFF))
    return found


def test_one_block_comes_in_each_turn():
    """Others wait for that no longer than for a message."""
    board = Board()
    board.begin()
    statistics, agent = board.platform.statistics, board.platform.agents[0]
    regions = board.rig.link.ports[0].device.shared
    all_of_them = blocks(regions)
    assert all_of_them > 3
    statistics.show(agent, regions)
    for shown in range(all_of_them):
        assert blocks(regions) == shown
        assert statistics.go_on(agent)
    assert blocks(regions) == all_of_them and not statistics.go_on(agent)
