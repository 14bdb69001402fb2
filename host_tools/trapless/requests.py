# SPDX-License-Identifier: MIT
"""The SCMI requests that drivers send all the time, as raw messages for a platform. Source: DEN0056F, 3.1.1 and the
clauses of the messages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_PERFORMANCE, _CLOCK, _SENSOR = 0x13, 0x14, 0x15


def message(protocol: int, number: int, *words: int) -> str:
    """Return a command as hexadecimal bytes, with token 0; `words`: payload, 32 bits each."""
    return struct.pack(f"<{1 + len(words)}I", protocol << 10 | number, *words).hex()


def read_sensor(number: int) -> str:
    """Return SENSOR_READING_GET of the sensor with id `number`."""
    return message(_SENSOR, 0x6, number, 0)


def common(described: dict[str, Any]) -> dict[str, list[str]]:
    """Return the common requests that a platform has: what each is called, and messages to be sent in turn.

    Those that set something set two values in turn, so that each changes something.

    Args:
        described: `Platform.describe()`.
    """
    found: dict[str, list[str]] = {}
    for name, messages in (*_sensors(described), *_clocks(described), *_performance(described)):
        found.setdefault(name, messages)
    return found


def _sensors(described: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for sensor in described["sensors"]:
        if not isinstance(sensor["value"], list):
            moves = sensor["value"] is None
            yield f"read a sensor that {'moves' if moves else 'holds still'}", [read_sensor(sensor["id"])]


def _clocks(described: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for clock in described["clocks"]:
        yield "get the rate of a clock", [message(_CLOCK, 0x6, clock["id"])]
        if len(clock["rates"]) > 1:
            rates = (clock["rates"][0], clock["rates"][-1])
            yield (
                "set the rate of a clock",
                [message(_CLOCK, 0x5, 0, clock["id"], rate & 0xFFFFFFFF, rate >> 32) for rate in rates],
            )


def _performance(described: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for domain in described.get("performance", ()):
        levels = domain["levels"]
        if len(levels) > 1:
            ends = (levels[0][0], levels[-1][0])
            yield "set a performance level", [message(_PERFORMANCE, 0x7, domain["id"], level) for level in ends]
