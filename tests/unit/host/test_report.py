# SPDX-License-Identifier: MIT
"""What Linux's files say becomes values with units (Documentation/hwmon/sysfs-interface.rst, clk_summary)."""

import io

import pytest
from rich.console import Console

from trapless import report
from trapless.report import Clock, Sensor

GATHERED = """\
version\tSCMI Protocol v2.1 'Trapless:MicroPython' Firmware version 0x1
device\t0x00000014\tscmi_dev.3\tscmi-clocks
device\t0x00000015\tscmi_dev.4\t
sensor\tscmi_sensors\ttemp1_input\tcpu\t45000
sensor\tiio\tin_accel_x_raw\taccelerometer\t9806\t0.001
clock\t osc                 1       1        0        24000000 0 0 50000 Y  deviceless no_connection_id
clock\t    uart             0       0        0        12000000 0 0 50000 N deviceless of_clk_get
"""


def test_everything_is_parsed():
    seen = report.parse(GATHERED)
    assert seen.devices == [(0x14, "scmi_dev.3", "scmi-clocks")], "a device without a driver is nothing Linux uses"
    assert [sensor.label for sensor in seen.sensors] == ["cpu", "accelerometer"]
    assert seen.clocks == [Clock("osc", 1, 24_000_000), Clock("uart", 0, 12_000_000)]
    assert "Trapless:MicroPython" in seen.version


@pytest.mark.parametrize(
    ("chip", "attribute", "value", "scale", "shown"),
    [
        ("scmi_sensors", "temp1_input", "-7500", "", "-7.5 °C"),
        ("scmi_sensors", "in0_input", "850", "", "0.85 V"),
        ("scmi_sensors", "curr12_input", "1200", "", "1.2 A"),
        ("scmi_sensors", "power1_input", "1020000", "", "1.02 W"),
        ("scmi_sensors", "energy1_input", "1", "", "1e-06 J"),
        ("iio", "in_accel_x_raw", "9806", "0.001", "9.806"),
        ("scmi_sensors", "temp1_input", "", "", "no reading"),
    ],
)
def test_readings_have_units(chip, attribute, value, scale, shown):
    assert Sensor(chip, attribute, "label", value, scale).reading() == shown


def test_the_tables_show_all_of_it():
    screen = io.StringIO()
    report.show(report.parse(GATHERED), Console(file=screen, width=100))
    for text in ("scmi-clocks", "45 °C", "24,000,000 Hz", "accelerometer"):
        assert text in screen.getvalue()
