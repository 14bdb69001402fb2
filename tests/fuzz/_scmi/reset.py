# SPDX-License-Identifier: MIT
"""Oracle of the reset domain protocol. Source: DEN0056F, 3.8.2."""

from fuzz._scmi.part import INVALID_PARAMETERS, NOT_SUPPORTED, Part, text_words
from scmi_example import CORE, GUARDED, HELD, LONG_RESET, SPECIAL_STATE


class Reset(Part):
    """Which reset signals are asserted."""

    ID, NAME, VERSIONS, COUNT = 0x16, "reset", (0x30001, 0x30000, 0x20000, 0x10000), 4
    SOC = range(COUNT)
    SINCE = {0x6: 0x30000, 0x10: 0x30001}
    FLAGS = {0x4: (2, 7), 0x5: (2, 1)}
    FORBIDDEN = {0x4: (GUARDED,)}

    def __init__(self, oracle):
        self.asserted = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        if agent is None or self.asserted[number][1] == agent:
            self.asserted[number] = (number == HELD, None)

    def draw(self, source, message, words):
        if message == 0x4 and len(words) > 2 and source.below(6):
            words[2] = source.one_of((0, SPECIAL_STATE))

    def message_1(self, agent, request, room):
        return [self.COUNT]

    def message_3(self, agent, request, room):
        names = {CORE: b"core", LONG_RESET: b"a-reset-with-a-", HELD: b"held", GUARDED: b"guarded"}
        long = request[1] == LONG_RESET and self.version(agent) >= 0x30000
        attributes = 1 << 30 | (1 << 29 if long else 0)
        latency = 250 if request[1] == CORE else 0xFFFFFFFF
        return [attributes, latency] + text_words(names[request[1]], 16)

    def message_4(self, agent, request, room):
        domain, flags, state = request[1], request[2], request[3]
        if flags & 5 == 4 or (state and (state, domain) != (SPECIAL_STATE, LONG_RESET)):
            return INVALID_PARAMETERS
        if flags & 4:
            return NOT_SUPPORTED
        self.asserted[domain] = (flags & 3 == 2, agent)
        self.note(agent, domain)
        return []

    def message_5(self, agent, request, room):
        return []

    def message_6(self, agent, request, room):
        return [0] + [None] * 16
