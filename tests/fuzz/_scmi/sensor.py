# SPDX-License-Identifier: MIT
"""Oracle of the sensor protocol. Source: DEN0056F, 3.7.2."""

from fuzz._scmi.part import (
    INVALID_PARAMETERS,
    NOT_FOUND,
    NOT_SUPPORTED,
    OUT_OF_RANGE,
    PROTOCOL_ERROR,
    Part,
    nearest,
    page,
    records,
    words,
)
from scmi_example import AXES, DISABLED, FULL, HUGE, LONG, MOVING, NEGATIVE, PLAIN, SEGMENT

VALUES = {PLAIN: 45_000, NEGATIVE: -5, FULL: 1_000, SEGMENT: 7, LONG: 900, DISABLED: 3, HUGE: (1 << 62) + 1}
MS_INTERVALS = {FULL: [10, 100, 1000, 120_000], SEGMENT: list(range(10, 1001, 10))}


def encoded(milliseconds):
    """Return an update interval as the wire has it."""
    value, exponent = milliseconds, -3
    while value > 0xFFFF:
        value, exponent = value // 10, exponent + 1
    return value << 5 | exponent & 0x1F


class Sensor(Part):
    """The configuration of each sensor."""

    ID, NAME, VERSIONS, COUNT = 0x15, "sensor", (0x30001, 0x30000, 0x20000, 0x10000), 9
    SOC, EXTRA = tuple(number for number in range(COUNT) if number != NEGATIVE), (NEGATIVE,)
    SINCE = {
        0x7: 0x20000,
        0x8: 0x20000,
        0x9: 0x20000,
        0xA: 0x20000,
        0xB: 0x20000,
        0xC: 0x30000,
        0xD: 0x30000,
        0x10: 0x30001,
    }
    FLAGS = {0x4: (2, 1), 0x5: (2, 0xFF3), 0x6: (2, 1), 0xA: (2, 0xFFFFFE03), 0xB: (2, 1)}
    NO_RESOURCE = Part.NO_RESOURCE + (0x3,)

    def __init__(self, oracle):
        self.configs, self.owners = {}, {}
        super().__init__(oracle)

    def restore(self, number, agent):
        if agent is None or self.owners.get(number) == agent:
            interval = encoded(10) if number in MS_INTERVALS else 0
            self.configs[number] = interval << 11 | int(number != DISABLED)
            self.owners[number] = None

    def layout(self, message, version):
        name = super().layout(message, version)
        return name + "_v1" if name and message == 0x6 and version < 0x20000 else name

    def least(self, message, version):
        return 16 if message == 0x6 and version >= 0x20000 else 0

    def flags(self, source, message):
        if message == 0xA:
            interval = source.one_of((0, 0, 10 << 5 | 0x1D, source.below(1 << 21)))
            return interval << 11 | source.below(4) << 9 | source.one_of((1, 1, 3, 0))
        return super().flags(source, message)

    def message_1(self, agent, request, room):
        return [self.COUNT, 0, 0, 0]

    def message_3(self, agent, request, room):
        if request[1] >= self.COUNT:
            return INVALID_PARAMETERS
        item, extended = self.size("3_item"), self.size("3_extended") if self.version(agent) >= 0x20000 else 0
        sizes = [item + extended if sensor == FULL else item for sensor in range(self.COUNT)]
        return page(records(sizes), request[1], room, INVALID_PARAMETERS, 16)

    def message_4(self, agent, request, room):
        return []

    def message_5(self, agent, request, room):
        if request[1] != FULL:
            return NOT_SUPPORTED
        if request[2] >> 4 >= 2:
            return INVALID_PARAMETERS
        self.note(agent, request[1])
        return []

    def message_6(self, agent, request, room):
        sensor, config = request[1], self.configs[request[1]]
        if request[2]:
            return NOT_SUPPORTED
        if not config & 1:
            return PROTOCOL_ERROR
        if self.version(agent) < 0x20000:
            return words(1) if sensor == AXES else [None, 0] if sensor == MOVING else words(VALUES[sensor])
        if sensor == AXES:
            if room < 8 + 3 * 16:
                return PROTOCOL_ERROR
            values = [words(1), words(-2), words(9)]
        else:
            values = [[None, 0] if sensor == MOVING else words(VALUES[sensor])]
        stamp = [None, None] if config & 2 else [0, 0]
        return [word for value in values for word in value + stamp]

    def message_7(self, agent, request, room):
        if request[1] != AXES:
            return NOT_SUPPORTED
        if request[2] >= 3:
            return INVALID_PARAMETERS
        item, extended = self.size("7_item"), self.size("7_extended")
        return page(records([item + extended, item, item]), request[2], room, INVALID_PARAMETERS, 26)

    def message_8(self, agent, request, room):
        if request[1] == SEGMENT:
            if request[2]:
                return OUT_OF_RANGE
            return PROTOCOL_ERROR if room < 24 else [1 << 12 | 3, encoded(10), encoded(1000), encoded(10)]
        if request[1] != FULL:
            return NOT_SUPPORTED
        return page([[encoded(value)] for value in MS_INTERVALS[FULL]], request[2], room, OUT_OF_RANGE, 16)

    def message_9(self, agent, request, room):
        return [self.configs[request[1]]]

    def message_10(self, agent, request, room):
        sensor, config = request[1], request[2]
        if config & 2 and sensor not in (FULL, AXES):
            return NOT_SUPPORTED
        interval = self.configs[sensor] >> 11
        if config >> 11:
            if sensor not in MS_INTERVALS:
                return NOT_SUPPORTED
            exponent = config >> 11 & 0x1F
            # Both sides of the comparison as whole numbers of 10^-16 s.
            wanted = (config >> 16) * 10 ** (16 + exponent - (exponent & 0x10) * 2)
            values = [value * 10**13 for value in MS_INTERVALS[sensor]]
            chosen = nearest(values, wanted, config & 1 << 9, config & 1 << 10)
            if chosen is None:
                return INVALID_PARAMETERS
            interval = encoded(chosen // 10**13)
        self.configs[sensor] = interval << 11 | config & 3
        self.owners[sensor] = agent
        self.note(agent, sensor)
        return []

    def message_11(self, agent, request, room):
        return []

    def message_12(self, agent, request, room):
        return [0] + [None] * 16

    def message_13(self, agent, request, room):
        if request[1] != AXES:
            return NOT_SUPPORTED
        if request[2] >= 3:
            return NOT_FOUND
        return page(records([68, 68, 68]), request[2], room, NOT_FOUND, 26)
