# SPDX-License-Identifier: MIT
"""Oracle of the clock protocol. Source: DEN0056F, 3.6.2."""

from fuzz._scmi.part import (
    DENIED,
    INVALID_PARAMETERS,
    NOT_SUPPORTED,
    OUT_OF_RANGE,
    PROTOCOL_ERROR,
    Part,
    nearest,
    page,
    words,
)
from scmi_example import FIXED, LIST, LOCKED, LONG_CLOCK, MUX, RANGE, RATES, RUNNING_ONLY, SETTINGS

INITIAL_RATES = {
    FIXED: 24_000_000,
    LIST: RATES[0],
    RANGE: 5_000_000_000,
    SETTINGS: 1_000,
    LOCKED: 100,
    LONG_CLOCK: 1,
    RUNNING_ONLY: 10,
}
CHOICES = {LIST: RATES, LOCKED: [100, 200], RUNNING_ONLY: [10, 20]}
RANGE_LIMITS = (1_000_000_000, 9_000_000_050, 100)
PARENTS = {MUX: [FIXED, LIST], LOCKED: [FIXED, LIST]}
NO_STATE, NO_RATE, NO_PARENT = (LOCKED, RUNNING_ONLY), (LOCKED,), (LOCKED,)


def in_range(limits, wanted, up, closest):
    """Return the supported rate for `wanted`, or None, where every `step` from lowest to highest is supported."""
    lowest, highest, step = limits
    steps = (highest - lowest) // step
    at = min(max((wanted - lowest) // step, 0), steps)
    return nearest([lowest + step * n for n in (at, at + 1) if n <= steps], wanted, up, closest)


class Clock(Part):
    """Rate, state, settings and parent of each clock."""

    ID, NAME, VERSIONS, COUNT = 0x14, "clock", (0x30000,), 8
    SOC, EXTRA = range(COUNT), (FIXED,)
    FLAGS = {0x5: (1, 0xF), 0x7: (2, 0xFF0003), 0x9: (2, 1), 0xA: (2, 1), 0xB: (2, 0xFF)}
    SECOND_WORD = (0x5,)
    FORBIDDEN = {0x5: NO_RATE, 0xD: NO_PARENT}

    def __init__(self, oracle):
        self.clocks = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        self.clocks[number] = {
            "rate": INITIAL_RATES.get(number),
            "on": int(number != LONG_CLOCK),
            "settings": {1: 50, 2: 90, 0x81: 5} if number == SETTINGS else {},
            "parent": {MUX: LIST, LOCKED: FIXED}.get(number),
        }

    def draw(self, source, message, payload):
        if message == 0x5 and len(payload) > 3 and source.below(4):
            payload[2:4] = words(source.one_of(RATES) + source.below(3) - 1)

    def flags(self, source, message):
        if message == 0x7:
            return source.one_of((0, 1, 3)) | source.one_of((0, 0, 1, 2, 0x81, 0x80)) << 16
        return super().flags(source, message)

    def message_1(self, agent, request, room):
        return [self.COUNT]

    def message_3(self, agent, request, room):
        return [None] * 6

    def rates(self, clock):
        if clock == MUX:
            return sorted(RATES + [24_000_000])
        return CHOICES.get(clock) or [INITIAL_RATES[clock]]

    def message_4(self, agent, request, room):
        if request[1] != RANGE:
            return page([words(rate) for rate in self.rates(request[1])], request[2], room, OUT_OF_RANGE, 16)
        if request[2]:
            return OUT_OF_RANGE
        if room < 36:
            return PROTOCOL_ERROR
        return [1 << 12 | 3] + words(RANGE_LIMITS[0]) + words(RANGE_LIMITS[1]) + words(RANGE_LIMITS[2])

    def message_5(self, agent, request, room):
        flags, clock, wanted = request[1], request[2], request[3] | request[4] << 32
        if flags & 1 or (clock not in CHOICES and clock != RANGE):
            return NOT_SUPPORTED
        up, closest = flags & 4, flags & 8
        if clock == RANGE:
            rate = in_range(RANGE_LIMITS, wanted, up, closest)
        else:
            rate = nearest(CHOICES[clock], wanted, up, closest)
        if rate is None:
            return INVALID_PARAMETERS
        self.clocks[clock]["rate"] = rate
        self.note(agent, clock)
        return []

    def message_6(self, agent, request, room):
        clock = self.clocks[request[1]]
        if request[1] == MUX:
            clock = self.clocks[clock["parent"]]
        return words(clock["rate"])

    def message_7(self, agent, request, room):
        clock, state, kind, value = self.clocks[request[1]], request[2] & 3, request[2] >> 16, request[3]
        if state == 2 or (state == 3 and not kind):
            return INVALID_PARAMETERS
        if kind and kind not in clock["settings"]:
            return NOT_SUPPORTED
        if (kind == 1 and value > 100) or (kind == 2 and value > 360):
            return INVALID_PARAMETERS
        if state < 2 and request[1] in NO_STATE:
            return DENIED
        if kind:
            clock["settings"][kind] = value
        if state < 2:
            clock["on"] = state
        self.note(agent, request[1])
        return []

    def message_8(self, agent, request, room):
        return [0] + [None] * 16

    def message_9(self, agent, request, room):
        return NOT_SUPPORTED

    def message_10(self, agent, request, room):
        return NOT_SUPPORTED

    def message_11(self, agent, request, room):
        clock, kind = self.clocks[request[1]], request[2]
        if kind and kind not in clock["settings"]:
            return INVALID_PARAMETERS
        return [0, clock["on"], clock["settings"].get(kind, 0)]

    def message_12(self, agent, request, room):
        if request[1] not in PARENTS:
            return NOT_SUPPORTED
        return page([[parent] for parent in PARENTS[request[1]]], request[2], room, OUT_OF_RANGE, 24)

    def message_13(self, agent, request, room):
        if request[1] not in PARENTS:
            return NOT_SUPPORTED
        if request[2] not in PARENTS[request[1]]:
            return INVALID_PARAMETERS
        self.clocks[request[1]]["parent"] = request[2]
        self.note(agent, request[1])
        return []

    def message_14(self, agent, request, room):
        return [self.clocks[request[1]]["parent"]] if request[1] in PARENTS else NOT_SUPPORTED

    def message_15(self, agent, request, room):
        forbidden = (NO_STATE, NO_PARENT, NO_RATE)
        return [sum(1 << 31 - bit for bit, clocks in enumerate(forbidden) if request[1] not in clocks)]
