# SPDX-License-Identifier: MIT
"""Oracle of the power capping protocol. Source: DEN0056F, 3.10."""

from fuzz._scmi.part import INVALID_PARAMETERS, NOT_SUPPORTED, Part, text_words
from scmi_example import BOX, CORES, LOAD, LONG_CAP, METER, SLOW, TIED

NAMES = ("box", "cores", "slow", "load", "meter", "tied", "a-power-cap-wit")
SECOND = 1_000_000
ONES = 0xFFFFFFFF

# Lowest, highest and step of caps and of averaging intervals, where there is a choice; what holds at first.
CAPS = {
    BOX: (1_000_000, 15_100_000, 250_000),
    CORES: (500_000, 8_000_000, 100_000),
    SLOW: (10, 100, 10),
    LOAD: (1, 9, 1),
    TIED: (10, 30, 10),
}
INTERVALS = {BOX: (1_000, 10_000, 500), METER: (20, 40, 20), TIED: (10, 30, 10)}
FIRST_CAPS = (15_000_000, 500_000, 100, 0, 0, 20, 7_000)
FIRST_INTERVALS = (1_000, SECOND, SECOND, 7, 40, 10, SECOND)

# Powers; None: it moves. Those that are not here are not measured.
POWERS = {BOX: 4_000_000, CORES: 2_500_000, LOAD: None, METER: ONES, LONG_CAP: 6_000}
PARENTS = {CORES: BOX, SLOW: CORES, TIED: BOX, LONG_CAP: BOX}
UNITS = {SLOW: 2, LOAD: 0}

# Requests that wait for their delayed response: time stands still here, so that none ever gets it.


def choices(limits):
    """Return every value from lowest to highest."""
    return range(limits[0], limits[1] + 1, limits[2])


class Powercap(Part):
    """What each agent wants of each domain, and its averaging interval."""

    ID, NAME, VERSIONS, COUNT = 0x18, "powercap", (0x20000, 0x10000), 7
    SINCE = {0x10: 0x20000}
    SOC = range(COUNT)
    FLAGS = {0x5: (2, 3), 0x7: (2, 0), 0xA: (2, 1), 0xB: (2, 1)}
    FORBIDDEN = {0x5: (TIED,), 0x7: (TIED,)}

    def __init__(self, oracle):
        self.wanted = {}
        self.intervals = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        if agent is None:
            self.wanted[number] = {}
        else:
            self.wanted[number].pop(agent, None)
        if agent is None or self.intervals[number][1] == agent:
            self.intervals[number] = (FIRST_INTERVALS[number], None)

    def cap(self, number):
        """Return the cap that is enforced."""
        wanted = self.wanted[number]
        caps = [cap for cap in wanted.values() if cap]
        return min(caps) if caps else 0 if wanted else FIRST_CAPS[number]

    def draw(self, source, message, words):
        if message in (0x5, 0x7) and len(words) > 2 and source.below(6):
            table = CAPS if message == 0x5 else INTERVALS
            values = choices(table.get(words[0], (0, 1, 1)))
            words[2] = values[source.below(len(values))] if source.below(6) else 0
        if message == 0xB and len(words) > 3 and source.below(6):
            words[3] = words[2] + source.below(1 << 20) & ONES
        if message == 0x10 and words and source.below(16):
            words[0] = self.VERSIONS[0]  # there is no way back from 1.0

    def flags(self, source, message):
        if message == 0x5:
            return source.one_of((0, 0, 1, 2, 3))
        return super().flags(source, message)

    def message_1(self, agent, request, room):
        return [self.COUNT]

    def message_3(self, agent, request, room):
        number = request[1]
        bits = UNITS.get(number, 1) << 23
        for bit, holds in (
            (31, number in CAPS or number in INTERVALS),
            (30, number in POWERS),
            (29, number == SLOW),
            (28, number == LONG_CAP),
            (27, number in CAPS),
            (26, number in POWERS),
            (25, number in INTERVALS),
        ):
            bits |= int(holds) << bit
        interval, cap = FIRST_INTERVALS[number], FIRST_CAPS[number] or ONES
        found = [bits] + text_words(NAMES[number].encode(), 16)
        found += INTERVALS.get(number, (interval, interval, 0))
        found += CAPS.get(number, (cap, cap, 0))
        return found + ([9_000_000, 1_500] if number == BOX else [0, 0]) + [PARENTS.get(number, ONES)]

    def message_4(self, agent, request, room):
        return [self.cap(request[1])]

    def message_5(self, agent, request, room):
        number, flags, cap = request[1], request[2], request[3]
        if number not in CAPS or (flags & 2 and number != SLOW):
            return NOT_SUPPORTED
        disables = cap == 0 and self.version(agent) >= 0x20000
        if not disables and cap not in choices(CAPS[number]):
            return INVALID_PARAMETERS
        if flags & 2:
            return self.later(agent)
        self.wanted[number][agent] = cap
        self.note(agent, number)
        return []

    def message_6(self, agent, request, room):
        return [self.intervals[request[1]][0]]

    def message_7(self, agent, request, room):
        number, interval = request[1], request[3]
        if number not in INTERVALS:
            return NOT_SUPPORTED
        if interval not in choices(INTERVALS[number]):
            return INVALID_PARAMETERS
        self.intervals[number] = (interval, agent)
        self.note(agent, number)
        return []

    def message_8(self, agent, request, room):
        return [0] + [None] * 16

    def message_9(self, agent, request, room):
        number = request[1]
        return [POWERS[number], self.intervals[number][0]] if number in POWERS else NOT_SUPPORTED

    def message_10(self, agent, request, room):
        return [] if request[1] in CAPS or request[1] in INTERVALS else NOT_SUPPORTED

    def message_11(self, agent, request, room):
        if request[1] not in POWERS:
            return NOT_SUPPORTED
        return [] if request[3] <= request[4] else INVALID_PARAMETERS

    def message_12(self, agent, request, room):
        return NOT_SUPPORTED
