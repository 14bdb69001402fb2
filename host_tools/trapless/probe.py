# SPDX-License-Identifier: MIT
"""What Linux must show once it has probed a platform; what is missing if it does not."""

from __future__ import annotations

import shlex
from typing import Any

# Sensor types (DEN0056F, SENSOR_DESCRIPTION_GET) that Linux's scmi-hwmon takes: temperature, voltage, current, power,
# energy.
_HWMON_TYPES = (0x2, 0x5, 0x6, 0x7, 0x8)
# Linux 6.12 never removes the device of this protocol (drivers/firmware/arm_scmi/bus.c), so that in one life of the
# frontend there is none for a second life of the backend.
_ONCE = "SystemPower protocol device must be unique"


def conditions(platform: Any) -> dict[str, str]:
    """Return shell tests that hold in the frontend as soon as Linux has probed what the model offers.

    Each has as its key what is wrong, in words, when it does not hold.
    """
    tests = {
        "the transport is not loaded (/sys/kernel/debug/trapless)": "[ -d /sys/kernel/debug/trapless ]",
        "a device of the link is not up": "trapless-settle 0 2>/dev/null",
        "SCMI is not there, or its raw mode (CONFIG_ARM_SCMI_RAW_MODE_SUPPORT)": (
            "[ -e /sys/kernel/debug/scmi/*/raw/message ]"
        ),
    }
    described = platform.describe()
    if described["clocks"]:
        last = shlex.quote(described["clocks"][-1]["name"])
        tests["the model's last clock is missing"] = f"grep -qwF {last} /sys/kernel/debug/clk/clk_summary"
    if any(sensor["type"] in _HWMON_TYPES for sensor in described["sensors"]):
        tests["no sensor is in /sys/class/hwmon"] = '[ -n "$(ls /sys/class/hwmon)" ]'
    if described["system"]:
        tests["scmi-system-power has no device"] = (
            "{ [ -e /sys/bus/scmi_protocol/drivers/scmi-system-power/scmi_dev.* ] ||"
            f" dmesg | grep -q {shlex.quote(_ONCE)}; }}"
        )
    if described["performance"]:
        tests["scmi-perf-domain has no device"] = "[ -e /sys/bus/scmi_protocol/drivers/scmi-perf-domain/scmi_dev.* ]"
    if described["resets"]:
        tests["scmi-reset has no device"] = "[ -e /sys/bus/scmi_protocol/drivers/scmi-reset/scmi_dev.* ]"
    if described["voltages"]:
        tests["scmi-regulator has no device"] = "[ -e /sys/bus/scmi_protocol/drivers/scmi-regulator/scmi_dev.* ]"
    if described["power_caps"]:
        tests["scmi-powercap has no device"] = "[ -e /sys/bus/scmi_protocol/drivers/scmi-powercap/scmi_dev.* ]"
    if described["pins"]["pins"]:
        tests["scmi-pinctrl has no device"] = "[ -e /sys/bus/scmi_protocol/drivers/scmi-pinctrl/scmi_dev.* ]"
    return tests
