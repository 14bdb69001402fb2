# SPDX-License-Identifier: MIT
"""The living system on chip: what follows from load, level, caps and weather, in simulated time."""

from models import living
from scmi.platform import DescriptionError
from scmi_client import notification
from support import raises, without_allocation
from unit.models.living_model import Life

SENSOR, PERFORMANCE, SYSTEM = 0x15, 0x13, 0x12
TRIP_NOTIFY, TRIP_CONFIG, LIMITS_NOTIFY, STATE_NOTIFY = 0x4, 0x5, 0x9, 0x5
CPU = 0
MINUTE = 600
FULL = 4_500_000


def test_load_and_level_make_power():
    life = Life(cpu=0)
    powers = []
    for level, milliwatts in ((500_000, 400), (1_000_000, 1_100), (1_500_000, 2_400), (2_000_000, 4_500)):
        life.soc.performance["cpu"].level = level
        for load in (0, 50, 100):
            processor = life.living.processors[CPU]
            life.living.load("cpu", load)
            idle = milliwatts * 1000 // 8
            assert processor.power() == idle + (milliwatts * 1000 - idle) * load // 100
            assert life.soc.power_caps["cpu"].power == processor.power()
            powers.append(life.soc.sensors["package"].value)
    assert powers[0] == living.UNCORE + 50_000 + 37_500
    assert max(powers) == powers[-1] and life.soc.power_caps["package"].power == powers[-1]


def test_clock_and_voltage_follow_the_level():
    life = Life()
    for level, microvolts in ((1_500_000, 900_000), (500_000, 700_000), (2_000_000, 1_050_000), (1_000_000, 800_000)):
        life.soc.performance["cpu"].level = level
        assert life.soc.clocks["cpu"].rate == level * 1000
        assert life.soc.voltages["vdd-cpu"].level == life.soc.sensors["vdd-cpu"].value == microvolts


def test_a_load_step_warms_up_to_the_steady_state():
    life = Life(cpu=10)
    life.run()
    power, package = life.living.processors[CPU].power(), life.soc.sensors["package"].value
    life.steps(MINUTE // 6)
    between = life.soc.sensors["cpu"].value
    life.steps(4 * MINUTE)
    board = 25_000 + 4 * package // 1000
    cpu = board + 12 * power // 1000
    assert 25_000 < between < cpu
    assert abs(life.soc.sensors["board"].value - board) <= 1, (life.soc.sensors["board"].value, board)
    assert abs(life.soc.sensors["cpu"].value - cpu) <= 1, (life.soc.sensors["cpu"].value, cpu)
    assert life.soc.sensors["fan"].value == 0
    life.living.load("cpu", 0)
    life.steps(MINUTE)
    assert life.soc.sensors["cpu"].value < cpu - 4_000


def test_a_trip_point_fires_once_for_each_crossing():
    life = Life(cpu=0)
    life.run()
    threshold = 50_000
    life.client.ok(SENSOR, TRIP_CONFIG, CPU, 3, threshold, 0)
    life.client.ok(SENSOR, TRIP_NOTIFY, CPU, 1)
    told = []
    for load in (60, 0, 60, 0):
        life.living.load("cpu", load)
        life.steps(MINUTE)
        told += [words for head, words in life.client.events() if head == notification(SENSOR, 0)]
    assert [words[2] >> 16 & 1 for words in told] == [1, 0, 1, 0], told
    assert all(words[1] == CPU for words in told)


def test_a_cap_lowers_the_power_below_it_and_the_limits_are_told():
    life = Life(cpu=100, gpu=100)
    life.run()
    life.run("gpu")
    life.client.ok(PERFORMANCE, LIMITS_NOTIFY, CPU, 1)
    life.steps(10)
    assert life.client.events() == []
    for cap in (6_000_000, 4_000_000, 2_500_000, 1_500_000):
        life.soc.power_caps["package"].cap = cap
        life.steps(4)
        assert life.soc.power_caps["package"].power <= cap
    lowest, highest = life.soc.performance["cpu"].limits
    told = [words for head, words in life.client.events() if head == notification(PERFORMANCE, 0)]
    assert told[-1] == [0, CPU, highest, lowest] and highest < 2_000_000
    life.soc.power_caps["package"].cap = 0
    life.steps(4)
    assert life.soc.performance["cpu"].limits == (500_000, 2_000_000)
    assert life.soc.performance["cpu"].level == 2_000_000 and life.soc.performance["gpu"].level == 80


def test_a_cap_of_one_processor_leaves_the_other_alone():
    life = Life(cpu=100, gpu=100)
    life.run()
    life.run("gpu")
    life.soc.power_caps["cpu"].cap = 2_500_000
    life.steps(4)
    assert life.soc.performance["cpu"].level == 1_500_000
    assert life.soc.performance["gpu"].level == 80


def test_energy_is_the_integral_of_power():
    life = Life(cpu=70)
    life.run()
    expected = 0
    for step in range(50):
        life.living.load("cpu", step)
        expected += life.soc.sensors["package"].value * 100
        life.steps(1)
    assert life.living.energy == expected
    assert life.soc.sensors["energy"].value == expected // 1000


def test_heat_has_the_policy_throttle_before_it_gets_critical():
    life = Life(cpu=100, gpu=100)
    life.run()
    life.run("gpu")
    life.living.ambient(55)
    hottest = 0
    for _ in range(3 * MINUTE):
        life.steps(1)
        hottest = max(hottest, life.soc.sensors["cpu"].value, life.soc.sensors["gpu"].value)
    assert living.HOT <= hottest < living.HOT + 2_000
    assert life.soc.performance["cpu"].limits != (500_000, 2_000_000)
    assert life.soc.sensors["fan"].value == living.FAN_RPM
    assert life.soc.system.state == "power-up"
    life.living.ambient(20)
    life.living.load("cpu", 0)
    life.living.load("gpu", 0)
    life.steps(3 * MINUTE)
    assert life.soc.performance["cpu"].limits == (500_000, 2_000_000)
    assert life.soc.performance["cpu"].level == 2_000_000


def test_what_is_critical_has_the_platform_ask_for_a_shutdown_once():
    life = Life()
    life.client.ok(SYSTEM, STATE_NOTIFY, 1)
    life.soc.sensors["cpu"].value = living.CRITICAL
    life.steps(5)
    assert [(head, words[:3]) for head, words in life.client.events()] == [(notification(SYSTEM, 0), [0, 1, 0])]
    life.soc.sensors["cpu"].value = 40_000
    life.steps(1)
    life.soc.sensors["cpu"].value = living.CRITICAL
    life.steps(1)
    assert len(life.client.events()) == 1


def test_the_battery_drains_and_charges():
    life = Life(cpu=100)
    life.run()
    life.living.plug(False)
    before, power = life.living.charge, life.soc.sensors["package"].value
    life.steps(1)
    assert life.living.charge == before - power // 10
    volts = life.soc.sensors["battery-voltage"].value
    life.steps(2 * MINUTE)
    assert life.soc.sensors["battery"].value < 75 and life.soc.sensors["battery-voltage"].value < volts
    life.living.plug(True)
    life.steps(20 * MINUTE)
    assert life.soc.sensors["battery"].value == 100 and life.soc.sensors["battery-voltage"].value == living.FULL_UV


def test_readings_allocate_nothing():
    life = Life(cpu=100)
    life.steps(20)
    for sensor in life.soc.sensors:
        without_allocation(sensor.read)


def test_what_is_wrong_is_told():
    made = Life().living
    for wrong, words in (
        (lambda: made.load("npu", 1), "'npu'"),
        (lambda: made.load("cpu", 101), "101"),
        (lambda: made.load("cpu", "much"), "'much'"),
        (lambda: made.ambient(1.5), "1.5"),
    ):
        assert words in str(raises(DescriptionError, wrong))
