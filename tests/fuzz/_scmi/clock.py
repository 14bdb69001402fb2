# SPDX-License-Identifier: MIT
"""Oracle of the clock protocol. Source: DEN0056F, 3.6.2."""

from fuzz._scmi.part import (
    DENIED,
    INVALID_PARAMETERS,
    MOST_OPEN,
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
FIRST_SETTINGS = {1: 50, 2: 90, 0x81: 5}
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
    """Rate, parent, settings (by their type) of each clock, who wants it to run, and who has set what."""

    ID, NAME, VERSIONS, COUNT = 0x14, "clock", (0x30000, 0x20000, 0x10000), 8
    SINCE = {
        0x8: 0x20000,
        0x9: 0x20000,
        0xA: 0x20000,
        0xB: 0x30000,
        0xC: 0x30000,
        0xD: 0x30000,
        0xE: 0x30000,
        0xF: 0x30000,
        0x10: 0x30000,
    }
    SOC, EXTRA = range(COUNT), (FIXED,)
    FLAGS = {0x5: (1, 0xF), 0x7: (2, 0xFF0003), 0x9: (2, 1), 0xA: (2, 1), 0xB: (2, 0xFF)}
    SECOND_WORD = (0x5,)
    FORBIDDEN = {0x5: NO_RATE, 0xD: NO_PARENT}

    def __init__(self, oracle):
        self.clocks = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        initial = {
            "rate": INITIAL_RATES.get(number),
            "parent": {MUX: LIST, LOCKED: FIXED}.get(number),
            "wanted": {},
            "by": {},
        }
        if number == SETTINGS:
            initial.update(FIRST_SETTINGS)
        if agent is None:
            self.clocks[number] = initial
            return
        clock = self.clocks[number]
        clock["wanted"].pop(agent, None)
        for what in [what for what, by in clock["by"].items() if by == agent]:
            clock[what] = initial[what]
            del clock["by"][what]

    def set(self, agent, number, what, value):
        """Have `agent` set something of a clock."""
        self.clocks[number][what] = value
        self.clocks[number]["by"][what] = agent
        self.note(agent, number)

    def runs(self, number):
        """Return 1 if a clock runs, 0 if not."""
        wanted = self.clocks[number]["wanted"]
        return max(wanted.values()) if wanted else int(number != LONG_CLOCK)

    def layout(self, message, version):
        name = super().layout(message, version)
        older = (message == 0x3 and version < 0x20000) or (message == 0x7 and version < 0x30000)
        return name + "_v1" if name and older else name

    def flags_of(self, message, version):
        return (2, 1) if message == 0x7 and version < 0x30000 else super().flags_of(message, version)

    def draw(self, source, message, payload):
        if message == 0x5 and len(payload) > 3 and source.below(4):
            payload[2:4] = words(source.one_of(RATES) + source.below(3) - 1)

    def flags(self, source, message):
        if message == 0x7:
            return source.one_of((0, 1, 3)) | source.one_of((0, 0, 1, 2, 0x81, 0x80)) << 16
        return super().flags(source, message)

    def message_1(self, agent, request, room):
        return [MOST_OPEN << 16 | self.COUNT]

    def message_3(self, agent, request, room):
        clock, version = request[1], self.version(agent)
        attributes = self.runs(clock)
        if version >= 0x20000:
            attributes |= (1 << 31) * (clock in CHOICES or clock in (RANGE, MUX))
            attributes |= (1 << 30) * (clock in CHOICES or clock == RANGE) | (1 << 29) * (clock == LONG_CLOCK)
        if version >= 0x30000:
            attributes |= (1 << 28) * (clock in PARENTS) | (1 << 27) * (clock == SETTINGS)
            attributes |= 2 * (clock in (LOCKED, RUNNING_ONLY))
        delay = [77 if clock == RANGE else 0] if version >= 0x20000 else []
        return [attributes] + [None] * 4 + delay

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
        if clock not in CHOICES and clock != RANGE:
            return NOT_SUPPORTED
        up, closest = flags & 4, flags & 8
        if clock == RANGE:
            rate = in_range(RANGE_LIMITS, wanted, up, closest)
        else:
            rate = nearest(CHOICES[clock], wanted, up, closest)
        if rate is None:
            return INVALID_PARAMETERS
        if flags & 1:
            return self.later(agent)
        self.set(agent, clock, "rate", rate)
        return []

    def message_6(self, agent, request, room):
        clock = self.clocks[request[1]]
        if request[1] == MUX:
            clock = self.clocks[clock["parent"]]
        return words(clock["rate"])

    def message_7(self, agent, request, room):
        clock = self.clocks[request[1]]
        if self.version(agent) < 0x30000:
            if request[1] in NO_STATE:
                return DENIED
            clock["wanted"][agent] = request[2]
            self.note(agent, request[1])
            return []
        state, kind, value = request[2] & 3, request[2] >> 16, request[3]
        if state == 2 or (state == 3 and not kind):
            return INVALID_PARAMETERS
        if kind and kind not in clock:
            return NOT_SUPPORTED
        if (kind == 1 and value > 100) or (kind == 2 and value > 360):
            return INVALID_PARAMETERS
        if state < 2 and request[1] in NO_STATE:
            return DENIED
        if kind:
            self.set(agent, request[1], kind, value)
        if state < 2:
            clock["wanted"][agent] = state
        self.note(agent, request[1])
        return []

    def message_8(self, agent, request, room):
        return [0] + [None] * 16

    def message_9(self, agent, request, room):
        return [] if request[1] in CHOICES or request[1] in (RANGE, MUX) else NOT_SUPPORTED

    def message_10(self, agent, request, room):
        return [] if request[1] in CHOICES or request[1] == RANGE else NOT_SUPPORTED

    def message_11(self, agent, request, room):
        clock, kind = self.clocks[request[1]], request[2]
        if kind and kind not in clock:
            return INVALID_PARAMETERS
        return [0, self.runs(request[1]), clock.get(kind, 0)]

    def message_12(self, agent, request, room):
        if request[1] not in PARENTS:
            return NOT_SUPPORTED
        return page([[parent] for parent in PARENTS[request[1]]], request[2], room, OUT_OF_RANGE, 24)

    def message_13(self, agent, request, room):
        if request[1] not in PARENTS:
            return NOT_SUPPORTED
        if request[2] not in PARENTS[request[1]]:
            return INVALID_PARAMETERS
        self.set(agent, request[1], "parent", request[2])
        return []

    def message_14(self, agent, request, room):
        return [self.clocks[request[1]]["parent"]] if request[1] in PARENTS else NOT_SUPPORTED

    def message_15(self, agent, request, room):
        forbidden = (NO_STATE, NO_PARENT, NO_RATE)
        return [sum(1 << 31 - bit for bit, clocks in enumerate(forbidden) if request[1] not in clocks)]
