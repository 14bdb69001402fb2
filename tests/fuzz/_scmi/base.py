# SPDX-License-Identifier: MIT
"""Oracle of the base protocol. Source: DEN0056F, 3.2.2."""

from fuzz._scmi.part import (
    AGENTS,
    DENIED,
    INVALID_PARAMETERS,
    NOT_FOUND,
    PROTOCOL_ERROR,
    Part,
    text_words,
)
from scmi_example import TRUSTED

DEVICES = 2


class Base(Part):
    """Permissions of the agents, and what is told of the platform."""

    ID, NAME, VERSIONS = 0x10, "base", (0x20001, 0x20000)
    SINCE = {0x10: 0x20001}
    FLAGS = {0x8: (1, 1), 0x9: (3, 1), 0xA: (4, 1), 0xB: (2, 1)}

    def draw(self, source, message, words):
        if message in (0x9, 0xA, 0xB) and source.below(8):
            ids = (source.below(3), source.below(3), source.one_of(sorted(self.oracle.parts)))
            for index in range(min(len(ids), len(words) - 1)):
                words[index] = ids[index]

    def message_1(self, agent, request, room):
        return [len(AGENTS) << 8 | len(self.oracle.parts) - 1]

    def message_3(self, agent, request, room):
        return text_words(b"Vendor", 16)

    def message_4(self, agent, request, room):
        return text_words(b"Sub", 16)

    def message_5(self, agent, request, room):
        return [0x12345678]

    def message_6(self, agent, request, room):
        listed = sorted(self.oracle.parts)[1:]
        if request[1] >= len(listed):
            return INVALID_PARAMETERS
        if room < 16:
            return PROTOCOL_ERROR
        taken = listed[request[1] :][: (room - 12) // 4 * 4]
        return [len(taken)] + text_words(bytes(taken), (len(taken) + 3) // 4 * 4)

    def message_7(self, agent, request, room):
        number = agent if request[1] == 0xFFFFFFFF else request[1]
        names = {0: b"platform", 1: b"trusted", 2: b"guest"}
        if number not in names:
            return NOT_FOUND
        return [number] + text_words(names[number], 16)

    def message_8(self, agent, request, room):
        return []

    def permit(self, agent, request, what, allowed):
        if agent != TRUSTED:
            return DENIED
        if allowed:
            self.oracle.revoked[request[1]].discard(what)
        else:
            self.oracle.revoked[request[1]].add(what)
        return []

    def message_9(self, agent, request, room):
        if request[1] not in AGENTS or request[2] >= DEVICES:
            return NOT_FOUND
        return self.permit(agent, request, (request[2], None), request[3])

    def message_10(self, agent, request, room):
        known = request[3] != self.ID and request[3] in self.oracle.parts
        if request[1] not in AGENTS or request[2] >= DEVICES or not known:
            return NOT_FOUND
        return self.permit(agent, request, (request[2], request[3]), request[4])

    def message_11(self, agent, request, room):
        if request[1] not in AGENTS:
            return NOT_FOUND
        if agent != TRUSTED and (request[1] != agent or request[2]):
            return DENIED
        self.oracle.restore(request[1])
        self.oracle.forget(request[1], request[2])
        return []
