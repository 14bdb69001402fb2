# SPDX-License-Identifier: MIT
"""Oracle of the power domain protocol. Source: DEN0056F, 3.3.2."""

from fuzz._scmi.part import INVALID_PARAMETERS, NOT_SUPPORTED, Part
from scmi_example import ALWAYS_ON, DEEP, LONG_DOMAIN, OFF, ON, RETENTION, SLEEP, SWITCHED

# Power states of each domain, the one nearest to "on" first; what the description begins with.
STATES = {SWITCHED: [ON, OFF], DEEP: [ON, RETENTION, SLEEP, OFF], ALWAYS_ON: [ON, OFF], LONG_DOMAIN: [ON, OFF]}
FIRST_STATES = {SWITCHED: ON, DEEP: SLEEP, ALWAYS_ON: ON, LONG_DOMAIN: OFF}


class Power(Part):
    """What each agent wants of the domains."""

    ID, NAME, VERSIONS, COUNT = 0x11, "power", (0x30001, 0x30000, 0x20001, 0x20000), 4
    SOC, EXTRA = range(COUNT), (DEEP,)
    SINCE = {0x8: 0x30000, 0x10: 0x30001}
    FLAGS = {0x4: (1, 1), 0x6: (2, 1), 0x7: (2, 1)}
    SECOND_WORD = (0x4,)
    FORBIDDEN = {0x4: (ALWAYS_ON,)}

    def __init__(self, oracle):
        self.wanted = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        self.wanted.pop((number, agent), None)

    def draw(self, source, message, words):
        if message == 0x4 and len(words) > 2 and source.below(4):
            words[2] = source.one_of((0, 1, SLEEP, OFF))

    def message_1(self, agent, request, room):
        return [self.COUNT, 0, 0, 0]

    def message_3(self, agent, request, room):
        attributes = 1 << 31 | 1 << 28 | (0 if request[1] == ALWAYS_ON else 1 << 29)
        long = request[1] == LONG_DOMAIN and self.version(agent) >= 0x30000
        return [attributes | (1 << 27 if long else 0)] + [None] * 4

    def message_4(self, agent, request, room):
        if request[3] not in STATES[request[2]]:
            return INVALID_PARAMETERS
        if request[1] & 1:
            return NOT_SUPPORTED
        self.wanted[request[2], agent] = request[3]
        self.note(agent, request[2])
        return []

    def message_5(self, agent, request, room):
        for state in STATES[request[1]]:
            if state in (self.wanted.get((request[1], 1)), self.wanted.get((request[1], 2))):
                return [state]
        return [FIRST_STATES[request[1]]]

    def message_6(self, agent, request, room):
        return []

    def message_7(self, agent, request, room):
        return []

    def message_8(self, agent, request, room):
        return [0] + [None] * 16
