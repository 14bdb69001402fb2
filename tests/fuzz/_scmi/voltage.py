# SPDX-License-Identifier: MIT
"""Oracle of the voltage domain protocol. Source: DEN0056F, 3.9.2."""

from fuzz._scmi.part import DENIED, INVALID_PARAMETERS, NOT_SUPPORTED, OUT_OF_RANGE, PROTOCOL_ERROR, Part, page
from scmi_example import ALWAYS, BELOW_ZERO, LEVELS, LONG_VOLTAGE, RAIL, SEALED, SOLID, STEPS

VOLTAGE_LEVELS = {
    RAIL: list(range(600_000, 1_200_051, 12_500)),
    STEPS: LEVELS,
    SOLID: [1_800_000],
    BELOW_ZERO: [-5_000_000, -3_300_000],
    ALWAYS: [1_000_000, 1_100_000],
    SEALED: [1_000_000, 1_100_000],
    LONG_VOLTAGE: [5_000_000],
}


class Voltage(Part):
    """Level of each domain and who has set it, and which mode each agent wants."""

    ID, NAME, VERSIONS, COUNT = 0x17, "voltage", (0x20001, 0x20000, 0x10000), 7
    SOC = range(COUNT)
    SINCE = {0x9: 0x20000, 0x10: 0x20001}
    FLAGS = {0x5: (2, 15), 0x7: (2, 1)}
    FORBIDDEN = {0x5: (SEALED,), 0x7: (SEALED,)}

    def __init__(self, oracle):
        self.voltages = {}
        super().__init__(oracle)

    def restore(self, number, agent):
        level = (850_000 if number == RAIL else VOLTAGE_LEVELS[number][0], None)
        if agent is None:
            self.voltages[number] = {"level": level, "wanted": {}}
            return
        self.voltages[number]["wanted"].pop(agent, None)
        if self.voltages[number]["level"][1] == agent:
            self.voltages[number]["level"] = level

    def draw(self, source, message, words):
        if message == 0x7 and len(words) > 2 and source.below(6):
            step = 600_000 + 12_500 * source.below(50)
            words[2] = source.one_of((step, source.one_of(LEVELS), -3_300_000, -5_000_000)) & 0xFFFFFFFF

    def flags_of(self, message, version):
        return (2, 0) if message == 0x7 and version < 0x20000 else super().flags_of(message, version)

    def flags(self, source, message):
        if message == 0x5:
            return source.one_of((0, 7, 7, source.below(16)))
        return super().flags(source, message)

    def message_1(self, agent, request, room):
        return [self.COUNT]

    def message_3(self, agent, request, room):
        return [None] * 5

    def message_4(self, agent, request, room):
        if request[1] == RAIL:
            if request[2]:
                return OUT_OF_RANGE
            return PROTOCOL_ERROR if room < 24 else [1 << 12 | 3, 600_000, 1_200_050, 12_500]
        levels = [[level & 0xFFFFFFFF] for level in VOLTAGE_LEVELS[request[1]]]
        return page(levels, request[2], room, OUT_OF_RANGE, 16)

    def message_5(self, agent, request, room):
        domain, mode = request[1], request[2]
        if mode not in (0, 7):
            return INVALID_PARAMETERS
        if domain == ALWAYS and mode == 0:
            return DENIED
        self.voltages[domain]["wanted"][agent] = mode
        self.note(agent, domain)
        return []

    def message_6(self, agent, request, room):
        wanted = self.voltages[request[1]]["wanted"]
        return [max(wanted.values()) if wanted else 0 if request[1] == LONG_VOLTAGE else 7]

    def message_7(self, agent, request, room):
        domain, level = request[1], request[3]
        if level > 0x7FFFFFFF:
            level -= 0x100000000
        if domain in (SOLID, LONG_VOLTAGE):
            return NOT_SUPPORTED
        if level not in VOLTAGE_LEVELS[domain]:
            return INVALID_PARAMETERS
        if request[2]:
            return NOT_SUPPORTED
        self.voltages[domain]["level"] = (level, agent)
        self.note(agent, domain)
        return []

    def message_8(self, agent, request, room):
        return [self.voltages[request[1]]["level"][0] & 0xFFFFFFFF]

    def message_9(self, agent, request, room):
        return [0] + [None] * 16
