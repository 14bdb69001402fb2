# SPDX-License-Identifier: MIT
"""What an SCMI server must answer, told a second time: from DEN0056F and the list of bad input, not from the
firmware's tables.

It knows the platform of `scmi_example` by heart and follows what the agents do to it. Sizes come from `scmi_layout`.
"""

from scmi_example import (
    ALWAYS,
    ALWAYS_ON,
    AXES,
    BELOW_ZERO,
    CORE,
    DEEP,
    FIXED,
    FULL,
    GUARDED,
    HELD,
    LEVELS,
    LIST,
    LOCKED,
    LONG_DOMAIN,
    LONG_RESET,
    LONG_VOLTAGE,
    MOVING,
    MUX,
    OFF,
    ON,
    RAIL,
    RANGE,
    RATES,
    RETENTION,
    SEALED,
    SEGMENT,
    SETTINGS,
    SLEEP,
    SOLID,
    SPECIAL_STATE,
    STEPS,
    SWITCHED,
    TRUSTED,
)
from scmi_layout import sizes

NOT_SUPPORTED, INVALID_PARAMETERS, DENIED, NOT_FOUND, OUT_OF_RANGE = -1, -2, -3, -4, -5
PROTOCOL_ERROR = -10

PROTOCOLS = {0x10: "base", 0x11: "power", 0x12: "system", 0x14: "clock", 0x15: "sensor", 0x16: "reset", 0x17: "voltage"}
VERSIONS = {0x10: 0x20001, 0x11: 0x30001, 0x12: 0x20001, 0x14: 0x30000, 0x15: 0x30001, 0x16: 0x30001, 0x17: 0x20001}
SUBSCRIPTIONS = (
    (0x10, 0x8),
    (0x11, 0x6),
    (0x11, 0x7),
    (0x12, 0x5),
    (0x14, 0x9),
    (0x14, 0xA),
    (0x15, 0x4),
    (0x15, 0xB),
    (0x16, 0x5),
)

# (protocol, message): (word of the flags, bits that may be set).
FLAGS = {
    (0x10, 0x8): (1, 1),
    (0x10, 0x9): (3, 1),
    (0x10, 0xA): (4, 1),
    (0x10, 0xB): (2, 1),
    (0x11, 0x4): (1, 1),
    (0x11, 0x6): (2, 1),
    (0x11, 0x7): (2, 1),
    (0x12, 0x3): (1, 1),
    (0x12, 0x5): (1, 1),
    (0x14, 0x5): (1, 0xF),
    (0x14, 0x7): (2, 0xFF0003),
    (0x14, 0x9): (2, 1),
    (0x14, 0xA): (2, 1),
    (0x14, 0xB): (2, 0xFF),
    (0x15, 0x4): (2, 1),
    (0x15, 0x5): (2, 0xFF3),
    (0x15, 0x6): (2, 1),
    (0x15, 0xA): (2, 0xFFFFFE03),
    (0x15, 0xB): (2, 1),
    (0x16, 0x4): (2, 7),
    (0x16, 0x5): (2, 1),
    (0x17, 0x5): (2, 15),
    (0x17, 0x7): (2, 1),
}

# Messages whose resource id is the second word.
SECOND_WORD = ((0x11, 0x4), (0x14, 0x5))

CLOCKS, SENSORS, DOMAINS, RESETS, VOLTAGES, DEVICES, AGENTS = 8, 9, 4, 4, 7, 2, 2
COUNTS = {0x11: DOMAINS, 0x14: CLOCKS, 0x15: SENSORS, 0x16: RESETS, 0x17: VOLTAGES}

# What belongs to the device "soc", and to "extra".
IN_SOC = {protocol: set(range(count)) for protocol, count in COUNTS.items()}
IN_SOC[0x12] = {0}
IN_SOC[0x15].remove(1)
IN_EXTRA = {0x11: {DEEP}, 0x12: set(), 0x14: {FIXED}, 0x15: {1}, 0x16: set(), 0x17: set()}

# Power states of each domain, the one nearest to "on" first; what the description begins with; those that are fixed.
STATES = {SWITCHED: [ON, OFF], DEEP: [ON, RETENTION, SLEEP, OFF], ALWAYS_ON: [ON, OFF], LONG_DOMAIN: [ON, OFF]}
FIRST_STATES = {SWITCHED: ON, DEEP: SLEEP, ALWAYS_ON: ON, LONG_DOMAIN: OFF}
FIXED_DOMAINS = {ALWAYS_ON}

VALUES = {0: 45_000, 1: -5, FULL: 1_000, SEGMENT: 7, 5: 900, 7: 3, 8: (1 << 62) + 1}
INITIAL_RATES = {FIXED: 24_000_000, LIST: RATES[0], RANGE: 5_000_000_000, SETTINGS: 1_000, LOCKED: 100, 6: 1, 7: 10}
CHOICES = {LIST: RATES, LOCKED: [100, 200], 7: [10, 20]}
RANGE_LIMITS = (1_000_000_000, 9_000_000_050, 100)
PARENTS = {MUX: [FIXED, LIST], LOCKED: [FIXED, LIST]}
NO_STATE, NO_RATE, NO_PARENT = {LOCKED, 7}, {LOCKED}, {LOCKED}
RAIL_LEVELS = list(range(600_000, 1_200_051, 12_500))
VOLTAGE_LEVELS = {
    RAIL: RAIL_LEVELS,
    STEPS: LEVELS,
    SOLID: [1_800_000],
    BELOW_ZERO: [-5_000_000, -3_300_000],
    ALWAYS: [1_000_000, 1_100_000],
    SEALED: [1_000_000, 1_100_000],
    LONG_VOLTAGE: [5_000_000],
}
MS_INTERVALS = {FULL: [10, 100, 1000, 120_000], SEGMENT: list(range(10, 1001, 10))}


def words(value):
    """Return a 64-bit number as two words."""
    return [value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF]


def nearest(values, wanted, up, closest):
    """Return the supported value for `wanted`, or None."""
    if closest:
        return min(values, key=lambda value: (abs(value - wanted), value))
    candidates = [value for value in values if (value >= wanted if up else value <= wanted)]
    return (min(candidates) if up else max(candidates)) if candidates else None


def in_range(limits, wanted, up, closest):
    """The same for every `step` from lowest to highest."""
    lowest, highest, step = limits
    steps = (highest - lowest) // step
    at = min(max((wanted - lowest) // step, 0), steps)
    return nearest([lowest + step * n for n in (at, at + 1) if n <= steps], wanted, up, closest)


def encoded(milliseconds):
    """Return an update interval as the wire has it."""
    value, exponent = milliseconds, -3
    while value > 0xFFFF:
        value, exponent = value // 10, exponent + 1
    return value << 5 | exponent & 0x1F


def records(sizes):
    """Return records of these sizes in bytes: their number, then words that may be anything."""
    return [[number] + [None] * (size // 4 - 1) for number, size in enumerate(sizes)]


class Oracle:
    """The state of the example platform, and what each message must be answered with."""

    def __init__(self):
        self.sizes = sizes()
        self.revoked = {1: set(), 2: set()}
        self.changed = {1: set(), 2: set()}
        self.clocks = {}
        self.sensors = {}
        self.wanted = {}
        self.system = 3
        self.resets = {}
        self.voltages = {}
        for clock in range(CLOCKS):
            self.restore((0x14, clock))
        for sensor in range(SENSORS):
            self.restore((0x15, sensor))
        for reset in range(RESETS):
            self.restore((0x16, reset))
        for voltage in range(VOLTAGES):
            self.restore((0x17, voltage))

    def restore(self, resource, agent=None):
        """Set a resource to what the description says; of what agents share, only the wish of `agent` is forgotten."""
        protocol, number = resource
        if protocol == 0x11:
            self.wanted.pop((number, agent), None)
        elif protocol == 0x14:
            settings = {1: 50, 2: 90, 0x81: 5} if number == SETTINGS else {}
            parent = {MUX: LIST, LOCKED: FIXED}.get(number)
            self.clocks[number] = {
                "rate": INITIAL_RATES.get(number),
                "on": int(number != 6),
                "settings": settings,
                "parent": parent,
            }
        elif protocol == 0x16:
            self.resets[number] = number == HELD
        elif protocol == 0x17:
            level = 850_000 if number == RAIL else VOLTAGE_LEVELS[number][0]
            self.voltages[number] = {"level": level, "mode": 0 if number == LONG_VOLTAGE else 7}
        else:
            interval = encoded(10) if number in MS_INTERVALS else 0
            self.sensors[number] = {"config": interval << 11 | int(number != 7)}

    def answer(self, agent, request, length, room):
        """Return (status, payload words, of which None may be any) for the request words of `agent`, or None if it has
        no answer."""
        if length < 4 or room < 8:
            return None
        protocol, message = request[0] >> 10 & 0xFF, request[0] & 0xFF
        if request[0] >> 8 & 3:
            return PROTOCOL_ERROR, []
        if protocol not in PROTOCOLS:
            return NOT_SUPPORTED, []
        name = "{}_{}".format(PROTOCOLS[protocol], message)
        if name + "_request" not in self.sizes:
            return NOT_FOUND, []
        status = self.refusal(agent, protocol, message, name, request, length, room)
        if status:
            return status, []
        found = getattr(self, name)(agent, request, room)
        return (found, []) if isinstance(found, int) else (0, found)

    def refusal(self, agent, protocol, message, name, request, length, room):
        """Return the status of a message that is refused for its form, its resource or the permissions; 0 if it is
        not."""
        if length != 4 + self.sizes[name + "_request"]:
            return PROTOCOL_ERROR
        at, allowed = FLAGS.get((protocol, message), (0, 0))
        if at and request[at] & ~allowed & 0xFFFFFFFF:
            return INVALID_PARAMETERS
        if self.names_a_resource(protocol, message):
            number = request[2 if (protocol, message) in SECOND_WORD else 1]
            if number >= COUNTS[protocol]:
                return NOT_FOUND
            if not self.may_use(agent, protocol, number):
                return DENIED
            if protocol == 0x14 and (
                (message == 0x5 and number in NO_RATE) or (message == 0xD and number in NO_PARENT)
            ):
                return DENIED
            if (protocol, message) == (0x11, 0x4) and number in FIXED_DOMAINS:
                return DENIED
            if (protocol, message, number) in ((0x16, 0x4, GUARDED), (0x17, 0x5, SEALED), (0x17, 0x7, SEALED)):
                return DENIED
        least = self.sizes[name + "_reply"] + (16 if name == "sensor_6" else 0)
        return PROTOCOL_ERROR if room < 8 + least else 0

    def names_a_resource(self, protocol, message):
        """Return whether the message has the id of a resource in it."""
        return protocol in COUNTS and message not in (0, 1, 2, 0x10) and (protocol, message) != (0x15, 0x3)

    def may_use(self, agent, protocol, number):
        """Return whether a device that is not revoked gives access."""
        for device, members in ((0, IN_SOC), (1, IN_EXTRA)):
            revoked = {(device, None), (device, protocol)} & self.revoked[agent]
            if number in members[protocol] and not revoked:
                return True
        return False

    def page(self, records, first, room, past_end, shift, extra=0):
        """Return a list reply, or a status. Records are lists of words."""
        if first >= len(records) and (first or records):
            return past_end
        taken, used = 0, 12
        while first + taken < len(records) and used + 4 * len(records[first + taken]) <= room:
            used += 4 * len(records[first + taken])
            taken += 1
        if records and not taken:
            return PROTOCOL_ERROR
        payload = [len(records) - first - taken << shift | extra | taken]
        for record in records[first : first + taken]:
            payload += record
        return payload

    def message_attributes(self, protocol, message):
        name = "{}_{}_request".format(PROTOCOLS[protocol], message)
        known = message <= 0xFF and name in self.sizes and (protocol, message) not in SUBSCRIPTIONS
        return [0] if known else NOT_FOUND

    def negotiate(self, protocol, version):
        return [] if version == VERSIONS[protocol] else NOT_SUPPORTED

    # Base.

    def base_0(self, agent, request, room):
        return [0x20001]

    def base_1(self, agent, request, room):
        return [AGENTS << 8 | len(PROTOCOLS) - 1]

    def base_2(self, agent, request, room):
        return self.message_attributes(0x10, request[1])

    def base_3(self, agent, request, room):
        return [0x646E6556, 0x726F, 0, 0]

    def base_4(self, agent, request, room):
        return [0x627553, 0, 0, 0]

    def base_5(self, agent, request, room):
        return [0x12345678]

    def base_6(self, agent, request, room):
        listed = sorted(PROTOCOLS)[1:]
        if request[1] >= len(listed):
            return INVALID_PARAMETERS
        if room < 16:
            return PROTOCOL_ERROR
        taken = listed[request[1] :][: (room - 12) // 4 * 4]
        found = bytes(taken) + bytes(-len(taken) % 4)
        return [len(taken)] + [int.from_bytes(found[at : at + 4], "little") for at in range(0, len(found), 4)]

    def base_7(self, agent, request, room):
        number = agent if request[1] == 0xFFFFFFFF else request[1]
        names = {0: b"platform", 1: b"trusted", 2: b"guest"}
        if number not in names:
            return NOT_FOUND
        name = names[number] + bytes(16 - len(names[number]))
        return [number] + [int.from_bytes(name[at : at + 4], "little") for at in range(0, 16, 4)]

    def base_8(self, agent, request, room):
        return NOT_SUPPORTED

    def permit(self, agent, request, what, allowed):
        if agent != TRUSTED:
            return DENIED
        if allowed:
            self.revoked[request[1]].discard(what)
        else:
            self.revoked[request[1]].add(what)
        return []

    def base_9(self, agent, request, room):
        if request[1] not in (1, 2) or request[2] >= DEVICES:
            return NOT_FOUND
        return self.permit(agent, request, (request[2], None), request[3])

    def base_10(self, agent, request, room):
        if request[1] not in (1, 2) or request[2] >= DEVICES or request[3] not in IN_SOC:
            return NOT_FOUND
        return self.permit(agent, request, (request[2], request[3]), request[4])

    def base_11(self, agent, request, room):
        if request[1] not in (1, 2):
            return NOT_FOUND
        if agent != TRUSTED and (request[1] != agent or request[2]):
            return DENIED
        for resource in self.changed[request[1]]:
            self.restore(resource, request[1])
        self.changed[request[1]] = set()
        if request[2]:
            self.revoked[request[1]] = set()
        return []

    def base_16(self, agent, request, room):
        return self.negotiate(0x10, request[1])

    # Power domain.

    def power_0(self, agent, request, room):
        return [0x30001]

    def power_1(self, agent, request, room):
        return [DOMAINS, 0, 0, 0]

    def power_2(self, agent, request, room):
        return self.message_attributes(0x11, request[1])

    def power_3(self, agent, request, room):
        return [None] * 5

    def power_4(self, agent, request, room):
        if request[1] & 1:
            return NOT_SUPPORTED
        if request[3] not in STATES[request[2]]:
            return INVALID_PARAMETERS
        self.wanted[request[2], agent] = request[3]
        self.changed[agent].add((0x11, request[2]))
        return []

    def power_5(self, agent, request, room):
        for state in STATES[request[1]]:
            if state in (self.wanted.get((request[1], 1)), self.wanted.get((request[1], 2))):
                return [state]
        return [FIRST_STATES[request[1]]]

    def power_6(self, agent, request, room):
        return NOT_SUPPORTED

    def power_7(self, agent, request, room):
        return NOT_SUPPORTED

    def power_8(self, agent, request, room):
        return [0] + [None] * 16

    def power_16(self, agent, request, room):
        return self.negotiate(0x11, request[1])

    # System power.

    def system_0(self, agent, request, room):
        return [0x20001]

    def system_1(self, agent, request, room):
        return [0]

    def system_2(self, agent, request, room):
        return [1 << 30] if request[1] == 3 else self.message_attributes(0x12, request[1])

    def system_3(self, agent, request, room):
        if not self.may_use(agent, 0x12, 0):
            return DENIED
        if 5 <= request[2] < 1 << 31:
            return INVALID_PARAMETERS
        if request[2] not in (0, 1, 4):
            return NOT_SUPPORTED
        self.system = request[2]
        return []

    def system_4(self, agent, request, room):
        return [self.system] if self.may_use(agent, 0x12, 0) else DENIED

    def system_5(self, agent, request, room):
        return NOT_SUPPORTED if self.may_use(agent, 0x12, 0) else DENIED

    def system_16(self, agent, request, room):
        return self.negotiate(0x12, request[1])

    # Clock.

    def clock_0(self, agent, request, room):
        return [0x30000]

    def clock_1(self, agent, request, room):
        return [CLOCKS]

    def clock_2(self, agent, request, room):
        return self.message_attributes(0x14, request[1])

    def clock_3(self, agent, request, room):
        return [None] * 6

    def rates(self, clock):
        if clock == MUX:
            return sorted(RATES + [24_000_000])
        return CHOICES.get(clock) or [INITIAL_RATES[clock]]

    def clock_4(self, agent, request, room):
        if request[1] != RANGE:
            return self.page([words(rate) for rate in self.rates(request[1])], request[2], room, OUT_OF_RANGE, 16)
        if request[2]:
            return OUT_OF_RANGE
        if room < 36:
            return PROTOCOL_ERROR
        return [1 << 12 | 3] + words(RANGE_LIMITS[0]) + words(RANGE_LIMITS[1]) + words(RANGE_LIMITS[2])

    def clock_5(self, agent, request, room):
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
        self.changed[agent].add((0x14, clock))
        return []

    def clock_6(self, agent, request, room):
        clock = self.clocks[request[1]]
        if request[1] == MUX:
            clock = self.clocks[clock["parent"]]
        return words(clock["rate"])

    def clock_7(self, agent, request, room):
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
        self.changed[agent].add((0x14, request[1]))
        return []

    def clock_8(self, agent, request, room):
        return [0] + [None] * 16

    def clock_9(self, agent, request, room):
        return NOT_SUPPORTED

    def clock_10(self, agent, request, room):
        return NOT_SUPPORTED

    def clock_11(self, agent, request, room):
        clock, kind = self.clocks[request[1]], request[2]
        if kind and kind not in clock["settings"]:
            return INVALID_PARAMETERS
        return [0, clock["on"], clock["settings"].get(kind, 0)]

    def clock_12(self, agent, request, room):
        if request[1] not in PARENTS:
            return NOT_SUPPORTED
        return self.page([[parent] for parent in PARENTS[request[1]]], request[2], room, OUT_OF_RANGE, 24)

    def clock_13(self, agent, request, room):
        if request[1] not in PARENTS:
            return NOT_SUPPORTED
        if request[2] not in PARENTS[request[1]]:
            return INVALID_PARAMETERS
        self.clocks[request[1]]["parent"] = request[2]
        self.changed[agent].add((0x14, request[1]))
        return []

    def clock_14(self, agent, request, room):
        return [self.clocks[request[1]]["parent"]] if request[1] in PARENTS else NOT_SUPPORTED

    def clock_15(self, agent, request, room):
        forbidden = (NO_STATE, NO_PARENT, NO_RATE)
        return [sum(1 << 31 - bit for bit, clocks in enumerate(forbidden) if request[1] not in clocks)]

    def clock_16(self, agent, request, room):
        return self.negotiate(0x14, request[1])

    # Sensor.

    def sensor_0(self, agent, request, room):
        return [0x30001]

    def sensor_1(self, agent, request, room):
        return [SENSORS, 0, 0, 0]

    def sensor_2(self, agent, request, room):
        return self.message_attributes(0x15, request[1])

    def sensor_3(self, agent, request, room):
        if request[1] >= SENSORS:
            return INVALID_PARAMETERS
        item, extended = self.sizes["sensor_3_item"], self.sizes["sensor_3_extended"]
        sizes = [item + extended if sensor == FULL else item for sensor in range(SENSORS)]
        return self.page(records(sizes), request[1], room, INVALID_PARAMETERS, 16)

    def sensor_4(self, agent, request, room):
        return NOT_SUPPORTED

    def sensor_5(self, agent, request, room):
        if request[1] != FULL:
            return NOT_SUPPORTED
        if request[2] >> 4 >= 2:
            return INVALID_PARAMETERS
        self.changed[agent].add((0x15, request[1]))
        return []

    def sensor_6(self, agent, request, room):
        sensor, config = request[1], self.sensors[request[1]]["config"]
        if request[2]:
            return NOT_SUPPORTED
        if not config & 1:
            return PROTOCOL_ERROR
        if sensor == AXES:
            if room < 8 + 3 * 16:
                return PROTOCOL_ERROR
            values = [words(1), words(-2), words(9)]
        else:
            values = [[None, 0] if sensor == MOVING else words(VALUES[sensor])]
        stamp = [None, None] if config & 2 else [0, 0]
        return [word for value in values for word in value + stamp]

    def sensor_7(self, agent, request, room):
        if request[1] != AXES:
            return NOT_SUPPORTED
        if request[2] >= 3:
            return INVALID_PARAMETERS
        item, extended = self.sizes["sensor_7_item"], self.sizes["sensor_7_extended"]
        return self.page(records([item + extended, item, item]), request[2], room, INVALID_PARAMETERS, 26)

    def sensor_8(self, agent, request, room):
        if request[1] == SEGMENT:
            if request[2]:
                return OUT_OF_RANGE
            return PROTOCOL_ERROR if room < 24 else [1 << 12 | 3, encoded(10), encoded(1000), encoded(10)]
        if request[1] != FULL:
            return NOT_SUPPORTED
        return self.page([[encoded(value)] for value in MS_INTERVALS[FULL]], request[2], room, OUT_OF_RANGE, 16)

    def sensor_9(self, agent, request, room):
        return [self.sensors[request[1]]["config"]]

    def sensor_10(self, agent, request, room):
        sensor, config = request[1], request[2]
        if config & 2 and sensor not in (FULL, AXES):
            return NOT_SUPPORTED
        interval = self.sensors[sensor]["config"] >> 11
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
        self.sensors[sensor]["config"] = interval << 11 | config & 3
        self.changed[agent].add((0x15, sensor))
        return []

    def sensor_11(self, agent, request, room):
        return NOT_SUPPORTED

    def sensor_12(self, agent, request, room):
        return [0] + [None] * 16

    def sensor_13(self, agent, request, room):
        if request[1] != AXES:
            return NOT_SUPPORTED
        if request[2] >= 3:
            return NOT_FOUND
        return self.page(records([68, 68, 68]), request[2], room, NOT_FOUND, 26)

    def sensor_16(self, agent, request, room):
        return self.negotiate(0x15, request[1])

    # Reset.

    def reset_0(self, agent, request, room):
        return [0x30001]

    def reset_1(self, agent, request, room):
        return [RESETS]

    def reset_2(self, agent, request, room):
        return self.message_attributes(0x16, request[1])

    def reset_3(self, agent, request, room):
        names = {CORE: b"core", LONG_RESET: b"a-reset-with-a-", HELD: b"held", GUARDED: b"guarded"}
        name = names[request[1]] + bytes(16 - len(names[request[1]]))
        attributes = 1 << 29 if request[1] == LONG_RESET else 0
        latency = 250 if request[1] == CORE else 0xFFFFFFFF
        return [attributes, latency] + [int.from_bytes(name[at : at + 4], "little") for at in range(0, 16, 4)]

    def reset_4(self, agent, request, room):
        domain, flags, state = request[1], request[2], request[3]
        if flags & 4:
            return NOT_SUPPORTED if flags & 1 else INVALID_PARAMETERS
        if state and (state, domain) != (SPECIAL_STATE, LONG_RESET):
            return INVALID_PARAMETERS
        self.resets[domain] = flags & 3 == 2
        self.changed[agent].add((0x16, domain))
        return []

    def reset_5(self, agent, request, room):
        return NOT_SUPPORTED

    def reset_6(self, agent, request, room):
        return [0] + [None] * 16

    def reset_16(self, agent, request, room):
        return self.negotiate(0x16, request[1])

    # Voltage.

    def voltage_0(self, agent, request, room):
        return [0x20001]

    def voltage_1(self, agent, request, room):
        return [VOLTAGES]

    def voltage_2(self, agent, request, room):
        return self.message_attributes(0x17, request[1])

    def voltage_3(self, agent, request, room):
        return [None] * 5

    def voltage_4(self, agent, request, room):
        if request[1] == RAIL:
            if request[2]:
                return OUT_OF_RANGE
            return PROTOCOL_ERROR if room < 24 else [1 << 12 | 3, 600_000, 1_200_050, 12_500]
        levels = [[level & 0xFFFFFFFF] for level in VOLTAGE_LEVELS[request[1]]]
        return self.page(levels, request[2], room, OUT_OF_RANGE, 16)

    def voltage_5(self, agent, request, room):
        domain, mode = request[1], request[2]
        if mode not in (0, 7):
            return INVALID_PARAMETERS
        if domain == ALWAYS and mode == 0:
            return DENIED
        self.voltages[domain]["mode"] = mode
        self.changed[agent].add((0x17, domain))
        return []

    def voltage_6(self, agent, request, room):
        return [self.voltages[request[1]]["mode"]]

    def voltage_7(self, agent, request, room):
        domain, level = request[1], request[3]
        if level > 0x7FFFFFFF:
            level -= 0x100000000
        if request[2] or domain in (SOLID, LONG_VOLTAGE):
            return NOT_SUPPORTED
        if level not in VOLTAGE_LEVELS[domain]:
            return INVALID_PARAMETERS
        self.voltages[domain]["level"] = level
        self.changed[agent].add((0x17, domain))
        return []

    def voltage_8(self, agent, request, room):
        return [self.voltages[request[1]]["level"] & 0xFFFFFFFF]

    def voltage_9(self, agent, request, room):
        return [0] + [None] * 16

    def voltage_16(self, agent, request, room):
        return self.negotiate(0x17, request[1])
