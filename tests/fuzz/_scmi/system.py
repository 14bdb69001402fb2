# SPDX-License-Identifier: MIT
"""Oracle of the system power protocol. Source: DEN0056F, 3.4.2."""

from fuzz._scmi.part import DENIED, INVALID_PARAMETERS, NOT_SUPPORTED, Part


class System(Part):
    """What was last asked of the system: shutdown, cold reset or suspend."""

    ID, NAME, VERSIONS = 0x12, "system", (0x20001, 0x20000, 0x10000)
    SOC = (0,)
    SINCE = {0x10: 0x20001}
    FLAGS = {0x3: (1, 1), 0x5: (1, 1)}

    def __init__(self, oracle):
        self.system = 3
        super().__init__(oracle)

    def draw(self, source, message, words):
        if message == 0x3 and len(words) > 1 and source.below(4):
            words[1] = source.below(6)

    def message_1(self, agent, request, room):
        return [0]

    def message_2(self, agent, request, room):
        return [1 << 30] if request[1] == 3 else super().message_2(agent, request, room)

    def message_3(self, agent, request, room):
        if not self.oracle.may_use(agent, self, 0):
            return DENIED
        if 5 <= request[2] < 1 << 31:
            return INVALID_PARAMETERS
        if request[2] not in (0, 1, 4):
            return NOT_SUPPORTED
        self.system = request[2]
        return []

    def message_4(self, agent, request, room):
        return [self.system] if self.oracle.may_use(agent, self, 0) else DENIED

    def message_5(self, agent, request, room):
        return [] if self.oracle.may_use(agent, self, 0) else DENIED
