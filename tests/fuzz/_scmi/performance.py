# SPDX-License-Identifier: MIT
"""Oracle of the performance protocol. Source: DEN0056F, 3.5.6, as far as version 4.0 has it."""

from fuzz._scmi.part import INVALID_PARAMETERS, NOT_SUPPORTED, OUT_OF_RANGE, Part, page, text_words
from scmi_example import (
    CPU,
    CPU_LEVELS,
    INDEXED,
    INDEXED_LEVELS,
    LONG_PERFORMANCE,
    LONG_PERFORMANCE_NAME,
    MANY,
    MANY_LEVELS,
    RIGID,
)

ENTRIES = {
    CPU: CPU_LEVELS,
    INDEXED: INDEXED_LEVELS,
    MANY: [(level, 0, 0, level * 1000) for level in MANY_LEVELS],
    RIGID: [(5, 0, 0, 0), (7, 0, 0, 0)],
    LONG_PERFORMANCE: [(1, 0, 0, 1)],
}
LEVELS = {domain: [entry[0] for entry in entries] for domain, entries in ENTRIES.items()}
FIRST_LEVELS = {CPU: 800, INDEXED: 35, MANY: 3000, RIGID: 5, LONG_PERFORMANCE: 1}
# Attributes that all versions have, rate limit, sustained frequency and level, name.
ATTRIBUTES = {
    CPU: (0xF << 28, 1000, 1_200_000, 1200, b"cpu"),
    INDEXED: (0xF << 28, 0, 800_000, 60, b"indexed"),
    MANY: (0xF << 28, 0, 3_200_000, 3200, b"many"),
    RIGID: (0x3 << 28, 0, 0, 7, b"rigid"),
    LONG_PERFORMANCE: (0xF << 28, 0, 1, 1, LONG_PERFORMANCE_NAME.encode()),
}


class Performance(Part):
    """What each agent allows, and who asked last for which level."""

    ID, NAME, VERSIONS, COUNT = 0x13, "performance", (0x40000, 0x30000, 0x20000, 0x10000), 5
    SOC = range(COUNT)
    SINCE = {0xB: 0x20000, 0xC: 0x30000, 0x10: 0x40000}
    FLAGS = {0x9: (2, 1), 0xA: (2, 1)}
    FORBIDDEN = {0x5: (RIGID,), 0x7: (RIGID,)}

    def __init__(self, oracle):
        self.limits = {(MANY, 0): (300, 3000)}
        self.wanted = dict(FIRST_LEVELS)
        self.setters = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        self.limits.pop((number, agent), None)
        if agent and self.setters.get(number) == agent:
            self.wanted[number] = FIRST_LEVELS[number]
            self.setters[number] = None

    def resource(self, source):
        return source.one_of((CPU, CPU, INDEXED, source.below(self.COUNT)))

    def draw(self, source, message, words):
        if message in (0x5, 0x7) and len(words) > 1 and words[0] < self.COUNT and source.below(8):
            known = LEVELS[words[0]] + ([0, 1, 2, 3] if words[0] == INDEXED else [0])
            for at in range(1, len(words)):
                words[at] = source.one_of(known) + (0 if source.below(8) else source.below(3) - 1) & 0xFFFFFFFF

    def allowed(self, number):
        """Return (lowest, highest) level that all agents allow together."""
        lowest, highest = LEVELS[number][0], LEVELS[number][-1]
        for agent in (0, 1, 2):
            if (number, agent) in self.limits:
                low, high = self.limits[number, agent]
                lowest, highest = max(lowest, low), min(highest, high)
        return min(lowest, highest), highest

    def level(self, number):
        """Return the level of a domain: what was asked for last, moved into what is allowed."""
        lowest, highest = self.allowed(number)
        if self.wanted[number] > highest:
            return max(level for level in LEVELS[number] if level <= highest)
        if self.wanted[number] < lowest:
            above = [level for level in LEVELS[number] if level >= lowest]
            return above[0] if above[0] <= highest else max(level for level in LEVELS[number] if level <= highest)
        return self.wanted[number]

    def by_index(self, agent, number):
        return number == INDEXED and self.version(agent) == 0x40000

    def told(self, agent, number, level):
        """Return what a level is called towards `agent`."""
        return LEVELS[number].index(level) + 1 if self.by_index(agent, number) else level

    def meant(self, agent, number, word):
        """Return the level that `agent` means, or None: there is none with that index."""
        if not self.by_index(agent, number):
            return word
        return LEVELS[number][word - 1] if 1 <= word <= len(LEVELS[number]) else None

    def message_1(self, agent, request, room):
        return [1 << 16 | self.COUNT, 0, 0, 0]

    def message_3(self, agent, request, room):
        bits, rate_limit, frequency, level, name = ATTRIBUTES[request[1]]
        if request[1] == LONG_PERFORMANCE and self.version(agent) >= 0x30000:
            bits |= 1 << 26
        if self.by_index(agent, request[1]):
            bits |= 1 << 25
        return [bits, rate_limit, frequency, level] + text_words(name[:15], 16)

    def message_4(self, agent, request, room):
        entries = [list(entry) for entry in ENTRIES[request[1]]]
        if self.version(agent) < 0x40000:
            entries = [entry[:3] for entry in entries]
        else:
            for at, entry in enumerate(entries):
                entry.append(at + 1 if request[1] == INDEXED else 0)
        return page(entries, request[2], room, INVALID_PARAMETERS, 16)

    def message_5(self, agent, request, room):
        number, highest, lowest = request[1:4]
        levels = LEVELS[number]
        own_lowest, own_highest = self.limits.get((number, agent), (levels[0], levels[-1]))
        stays = self.version(agent) >= 0x30000
        if stays and not highest and not lowest:
            return OUT_OF_RANGE
        highest = own_highest if stays and not highest else self.meant(agent, number, highest)
        lowest = own_lowest if stays and not lowest else self.meant(agent, number, lowest)
        for limit in (highest, lowest):
            if limit is None or not levels[0] <= limit <= levels[-1]:
                return OUT_OF_RANGE
        if lowest > highest:
            return INVALID_PARAMETERS
        if not [level for level in levels if lowest <= level <= highest]:
            return OUT_OF_RANGE
        self.limits[number, agent] = (lowest, highest)
        self.note(agent, number)
        return []

    def message_6(self, agent, request, room):
        lowest, highest = self.allowed(request[1])
        if not self.by_index(agent, request[1]):
            return [highest, lowest]
        found = [level for level in LEVELS[request[1]] if level <= highest]
        above = [level for level in LEVELS[request[1]] if level >= lowest]
        return [self.told(agent, request[1], level) for level in (found[-1], min(above[0], found[-1]))]

    def message_7(self, agent, request, room):
        number, level = request[1], self.meant(agent, request[1], request[2])
        lowest, highest = self.allowed(number)
        top = max(known for known in LEVELS[number] if known <= highest)
        if level not in LEVELS[number] or (level != top and not lowest <= level <= highest):
            return OUT_OF_RANGE
        self.wanted[number] = level
        self.setters[number] = agent
        self.note(agent, number)
        return []

    def message_8(self, agent, request, room):
        return [self.told(agent, request[1], self.level(request[1]))]

    def message_9(self, agent, request, room):
        return []

    def message_10(self, agent, request, room):
        return []

    def message_11(self, agent, request, room):
        return NOT_SUPPORTED

    def message_12(self, agent, request, room):
        return [0] + text_words(ATTRIBUTES[request[1]][4], 64)
