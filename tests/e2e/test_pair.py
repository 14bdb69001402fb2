# SPDX-License-Identifier: MIT
"""An unmodified Linux uses what the backend serves: sensors, clocks, power domains, random numbers."""

import re
import struct

import pytest

from trapless import bench, report
from trapless.bench import TOOL as SCMI_RAW

HWMON = {0x2: ("temp", -3), 0x5: ("in", -3), 0x6: ("curr", -3), 0x7: ("power", -6), 0x8: ("energy", -6)}


def expected_in_hwmon(sensor):
    """The value of a described sensor in hwmon's unit (Documentation/hwmon/sysfs-interface.rst)."""
    shift = sensor["exponent"] - HWMON[sensor["type"]][1]
    return sensor["value"] * 10**shift if shift >= 0 else sensor["value"] // 10**-shift


@pytest.fixture(scope="module")
def seen(pair):
    return report.gather(pair.frontend)


def test_every_steady_sensor_reads_what_the_model_says(pair, seen):
    found = {sensor.label: int(sensor.value) for sensor in seen.sensors if sensor.chip != "iio"}
    steady = [
        sensor
        for sensor in pair.platform.describe()["sensors"]
        if sensor["type"] in HWMON and isinstance(sensor["value"], int)
    ]
    assert steady, "the model has no steady sensor that hwmon takes"
    assert {s["name"]: found[s["name"]] for s in steady} == {s["name"]: expected_in_hwmon(s) for s in steady}


def test_the_moving_sensor_moves(frontend):
    frontend.check("head -1 /sys/class/hwmon/hwmon*/in1_label | grep -q battery")
    frontend.wait_for(
        'a=$(cat /sys/class/hwmon/hwmon*/in1_input); b=$(cat /sys/class/hwmon/hwmon*/in1_input); [ "$a" != "$b" ]'
    )


def test_a_value_set_on_the_backend_is_what_linux_reads_next(backend, frontend):
    for value in (95_000, -7_000, 45_000):
        backend.exec(f'soc.sensors["cpu"].value = {value}')
        assert frontend.check("cat /sys/class/hwmon/hwmon*/temp1_input") == str(value)


def test_a_sensor_switched_off_on_the_backend_cannot_be_read(backend, frontend):
    for name, attribute in (("cpu", "temp1_input"), ("battery", "in1_input")):
        read = f"cat /sys/class/hwmon/hwmon*/{attribute}"
        backend.exec(f'soc.sensors["{name}"].enabled = False')
        assert frontend.run(read).status != 0
        backend.exec(f'soc.sensors["{name}"].enabled = True')
        frontend.check(read)


def test_a_moving_sensor_that_is_held_reads_what_it_was_set_to(backend, frontend):
    backend.exec('soc.sensors["battery"].value = 3_500_000')
    assert frontend.check("cat /sys/class/hwmon/hwmon*/in1_input") == "3500"
    backend.exec('soc.sensors["battery"].value = None')


def test_clocks_changed_on_the_backend_are_what_linux_reads_next(backend, frontend):
    def rate(name):
        return int(frontend.check(f"cat /sys/kernel/debug/clk/{name}/clk_rate"))

    for pll in (400_000_000, 1_600_000_000, 1_200_000_000):
        backend.exec(f'soc.clocks["pll"].rate = {pll}; soc.clocks["uart"].parent = "pll"')
        assert (rate("pll"), rate("uart")) == (pll, pll)
        backend.exec('soc.clocks["pll"].enabled = False; soc.clocks["uart"].parent = "osc"')
        assert (rate("pll"), rate("uart")) == (pll, 24_000_000)
        backend.exec('soc.clocks["pll"].enabled = True')


def test_clk_summary_has_the_clocks_of_the_model(pair, seen):
    found = {clock.name: clock.rate for clock in seen.clocks}
    for clock in pair.platform.describe()["clocks"]:
        assert found[clock["name"]] == clock["rate"], clock


def power_domains(frontend):
    """{name: status} of Linux's generic power domains."""
    summary = frontend.check("cat /sys/kernel/debug/pm_genpd/pm_genpd_summary").splitlines()[3:]
    return {line.split()[0]: line.split()[1] for line in summary}


def test_linux_has_the_power_domains_of_the_model(pair, frontend):
    described = pair.platform.describe()["power_domains"]
    assert described, "the model has no power domains"
    expected = {domain["name"]: "off-0" if domain["state"] == "off" else "on" for domain in described}
    found = power_domains(frontend)
    assert {name: found[name] for name in expected} == expected, "the others are performance domains"


def test_a_vote_of_linux_switches_a_power_domain_of_the_backend(pair, backend, frontend):
    (gpu,) = (domain for domain in pair.platform.describe()["power_domains"] if domain["name"] == "gpu")
    for word, state in ((0, "on"), (1 << 30, "off")):
        message = struct.pack("<IIII", 0x4404, 0, gpu["id"], word).hex()
        answer = bytes.fromhex(frontend.check(f"{SCMI_RAW} send {message}"))
        assert answer == struct.pack("<II", 0x4404, 0), "header, SUCCESS"
        assert backend.exec('print(soc.power_domains["gpu"].state)').strip() == state


def test_linux_names_the_platform(pair, seen):
    described = pair.platform.describe()
    assert f"'{described['vendor']}:{described['sub_vendor']}'" in seen.version
    assert {number for number, _, _ in seen.devices} == {
        protocol["id"] for protocol in described["protocols"] if protocol["id"] != 0x10
    }


def test_the_reset_driver_has_the_resets(seen):
    assert "scmi-reset" in [driver for number, _, driver in seen.devices if number == 0x16]


def test_a_reset_of_the_frontend_arrives(backend, frontend):
    """No driver of the guest has a reset line, so the message (RESET, autonomous and then asserted) is sent raw."""
    for flags, expected in ((1, "1 False"), (2, "1 True"), (0, "1 False")):
        message = struct.pack("<4I", 0x16 << 10 | 0x4, 0, flags, 0).hex()
        assert bytes.fromhex(frontend.check(f"{SCMI_RAW} send {message}")) == struct.pack("<Ii", 0x16 << 10 | 0x4, 0)
        assert backend.exec('gpu = soc.resets["gpu"]; print(gpu.count, gpu.asserted)').strip() == expected


REGULATORS = 'for r in /sys/class/regulator/*; do echo "$(cat $r/name) $(cat $r/microvolts) $(cat $r/state)"; done'


def regulators(frontend):
    """What Linux reads of its regulators: {name: (microvolts, state)}."""
    rows = [line.split() for line in frontend.check(REGULATORS).splitlines() if len(line.split()) == 3]
    return {name: (int(level), state) for name, level, state in rows}


def test_regulators_have_the_voltages_of_the_model(pair, frontend):
    """Linux switches off what nobody uses half a minute after its start, so only what stays is compared."""
    found = regulators(frontend)
    for voltage in pair.platform.describe()["voltages"]:
        assert found[voltage["name"]][0] == voltage["level"], voltage
        if not voltage["enabled"]:
            assert found[voltage["name"]][1] == "disabled", voltage
    assert found["vdd"][1] == "enabled"


def test_a_voltage_set_on_the_backend_is_what_linux_reads_next(backend, frontend):
    for level in (1_100_000, 850_000):
        backend.exec(f'soc.voltages["vdd"].level = {level}')
        assert regulators(frontend)["vdd"][0] == level


def test_the_second_device_of_the_link_gives_random_numbers(frontend):
    assert frontend.check("cat /sys/class/misc/hw_random/rng_current").startswith("virtio_rng")
    first, second = (frontend.run("head -c 64 /dev/hwrng").stdout for _ in range(2))
    assert len(first) == len(second) == 64 and first != second


def test_one_waited_round_trip_to_driver_ok(pair):
    """The devices take every subset of their features: tests/e2e/test_features.py has one that does not."""
    counts = bench.waited(pair)
    assert len(counts) == len(pair.frontend.link.devices)
    assert set(counts.values()) == {1}, counts


def test_a_raw_message_gets_its_answer(pair, frontend):
    (base,) = (protocol for protocol in pair.platform.describe()["protocols"] if protocol["id"] == 0x10)

    version = frontend.check(f"{SCMI_RAW} send 00400000")
    assert bytes.fromhex(version) == struct.pack("<III", 0x4000, 0, base["version"]), "header, SUCCESS, version"


def test_a_report_of_damage_in_the_kernels_log_is_found_once(frontend):
    frontend.check("echo '<6>WARNING: it is only said' > /dev/kmsg")
    assert [report.splitlines()[0] for report in frontend.splats()] == ["WARNING: it is only said"]
    frontend.check("echo '<6>another line' > /dev/kmsg")
    assert frontend.splats() == []


def test_the_kernel_has_nothing_to_complain_about(frontend):
    """No error of any kind, and no warning that names SCMI, virtio or one of the model's drivers."""
    assert frontend.check("dmesg -r | grep '^<[0-3]>' || true") == ""
    warnings = frontend.check("dmesg -r | grep '^<4>' || true")
    assert [line for line in warnings.splitlines() if re.search("scmi|virtio|hwmon|iio|clk|trapless", line)] == []
