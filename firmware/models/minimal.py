# SPDX-License-Identifier: MIT
"""The smallest useful platform: one sensor and one clock."""

from scmi.platform import Clock, Platform, Sensor

platform = Platform(
    sensors=[Sensor("cpu", unit="millicelsius", value=45_000)],
    clocks=[Clock("osc", rate=24_000_000)],
)
