# SPDX-License-Identifier: MIT
"""Oracle of the pin control protocol. Source: DEN0056F, 3.11.2."""

from fuzz._scmi.part import (
    AGENTS,
    DENIED,
    IN_USE,
    INVALID_PARAMETERS,
    NOT_FOUND,
    NOT_SUPPORTED,
    PROTOCOL_ERROR,
    Part,
    text_words,
)
from scmi_example import (
    GPIO,
    I2C,
    I2C_PADS,
    LED,
    LED_PADS,
    LONG_FUNCTION,
    LONG_GROUP,
    PWM,
    SCL,
    SDA,
    SEALED_PADS,
    SEALED_PIN,
    SPARE,
    STRENGTHS,
    STRONG,
    TRUSTED,
)

PIN, GROUP, FUNCTION = range(3)
NONE = 0xFFFFFFFF
PINS, GROUPS, FUNCTIONS = 7, 4, 4
COUNTS = {PIN: PINS, GROUP: GROUPS, FUNCTION: FUNCTIONS}

MEMBERS = {I2C_PADS: [SDA, SCL], LED_PADS: [LED, STRONG], LONG_GROUP: [SDA, LED, STRONG], SEALED_PADS: [SEALED_PIN]}
GROUPS_OF = {I2C: [I2C_PADS, LONG_GROUP], GPIO: [I2C_PADS, LED_PADS, SEALED_PADS], LONG_FUNCTION: [LED_PADS]}
PINS_OF = {PWM: [LED, STRONG]}

# Types of a pin: bias-disable, high impedance, pull-up and pull-down, open drain, push-pull, drive strength, input mode
# and value, output mode and value.
USUAL = (2, 3, 4, 6, 7, 9, 10, 12, 14, 17, 18)
TYPES = dict.fromkeys(range(PINS), USUAL)
TYPES[STRONG] = (2, 4, 10, 200)
BIASES, DRIVES = range(1, 7), range(7, 10)
ON_OFF = (12, 14, 17, 18)


def rivals(kind):
    """Return the types of which one is in force."""
    return BIASES if kind in BIASES else DRIVES if kind in DRIVES else (kind,)


def first(pin):
    """Return what the description says of a pin: {type: value}."""
    if pin == STRONG:
        return {2: 0, 10: 4, 200: 7}
    values = dict.fromkeys((9, 10, 12, 14, 17, 18), 0)
    values[6 if pin == LED else 2] = 1 if pin == LED else 0
    values[17] = int(pin == LED)
    return values


class Pinctrl(Part):
    """What every pin is configured to, who has done that, who holds it, who may not."""

    ID, NAME, VERSIONS = 0x19, "pinctrl", (0x10000,)
    SOC, EXTRA = [(PIN, pin) for pin in range(PINS) if pin != SPARE], [(PIN, SPARE)]
    SOC += [(GROUP, group) for group in range(GROUPS)] + [(FUNCTION, function) for function in range(FUNCTIONS)]
    FLAGS = {3: (2, 3), 4: (2, 3), 5: (2, 0xFFFFF), 6: (3, 0x7FF), 7: (2, 3), 8: (2, 3), 9: (2, 3), 10: (3, 7)}

    def __init__(self, oracle):
        self.values = {pin: first(pin) for pin in range(PINS)}
        self.functions = dict.fromkeys(range(PINS), NONE)
        self.setters = {}  # (pin, lowest rival of a type or "function"): who has set it last
        self.holders = {}  # (PIN or GROUP, id): who has requested it
        self.refused = set()  # (agent, PIN or GROUP, id)
        self.configs = 0  # of the request that is drawn
        super().__init__(oracle)

    def restore(self, number, agent):
        for (pin, what), setter in list(self.setters.items()):
            if pin == number and setter == agent:
                del self.setters[pin, what]
                if what == "function":
                    self.functions[pin] = NONE
                    continue
                for kind in rivals(what):
                    self.values[pin].pop(kind, None)
                    if kind in first(pin):
                        self.values[pin][kind] = first(pin)[kind]

    def forget(self, agent, permissions):
        self.holders = {what: holder for what, holder in self.holders.items() if holder != agent}
        if permissions:
            self.refused = {entry for entry in self.refused if entry[0] != agent}

    def more(self, message, request, length):
        return 8 * (request[3] >> 2 & 0xFF) if message == 6 and length >= 16 else 0

    def array(self, source, message):
        self.configs = source.below(4) if message == 6 else 0
        return 8 * self.configs

    def draw(self, source, message, words):
        if message == 10 and words:
            words[0] = 1 + source.below(2)
        at = 1 if message == 10 else 0
        if message in range(3, 11) and len(words) > at and source.below(12):
            words[at] = source.below(PINS)
        if message == 4 and len(words) > 2:
            words[2] = source.below(4)
        if message == 6 and len(words) > 1:
            words[1] = source.one_of((0, 1, 2, 3, 4, NONE))
            for at in range(3, len(words) - 1, 2):
                words[at] = source.one_of(USUAL + (200, 1, 15))
                words[at + 1] = source.one_of((0, 1, 1, 2, 4, 8, 3, 0xFFFFFFFF))

    def flags(self, source, message):
        if message == 5:
            return source.below(3) << 18 | source.below(2) << 16 | source.below(4) << 8 | source.one_of(USUAL + (200,))
        if message == 6:
            return source.below(2) << 10 | self.configs << 2 | source.below(2)
        if message == 10:
            return source.one_of((0, 4, 4)) | source.below(2)
        return source.below(3)

    def named(self, agent, request, selectors, identifier_at=1, selector_at=2, shift=0):
        """Return (selector, number), or a status."""
        selector = request[selector_at] >> shift & 3
        if selector not in selectors:
            return INVALID_PARAMETERS
        number = request[identifier_at] & 0xFFFF
        if number >= COUNTS[selector]:
            return NOT_FOUND
        return (selector, number) if self.oracle.may_use(agent, self, (selector, number)) else DENIED

    def pins(self, what):
        """Return the pins of (PIN or GROUP, id)."""
        return [what[1]] if what[0] == PIN else MEMBERS[what[1]]

    def denied(self, agent, what):
        """Return whether an agent may not set or request something."""
        parts = [what] + [(PIN, pin) for pin in self.pins(what)]
        if (PIN, SEALED_PIN) in parts:
            return True
        return any((agent,) + part in self.refused or not self.oracle.may_use(agent, self, part) for part in parts)

    def held(self, agent, what):
        """Return whether another agent holds any of its pins."""
        return any(
            holder != agent and pin in self.pins(held)
            for held, holder in self.holders.items()
            for pin in self.pins(what)
        )

    def settings(self, what):
        """Return what all pins have, as a list of [type, value]."""
        pins = self.pins(what)
        return [
            [kind, value]
            for kind, value in sorted(self.values[pins[0]].items())
            if all(self.values[pin].get(kind) == value for pin in pins)
        ]

    def selected(self, what):
        """Return the function that something has."""
        found = {self.functions[pin] for pin in self.pins(what)}
        function = found.pop() if len(found) == 1 else NONE
        return function if what[0] == PIN or what[1] in GROUPS_OF.get(function, ()) else NONE

    def message_1(self, agent, request, room):
        return [GROUPS << 16 | PINS, FUNCTIONS]

    def message_3(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP, FUNCTION))
        if isinstance(what, int):
            return what
        selector, number = what
        if selector == PIN:
            return [1 | (1 << 31 if number == 5 else 0)] + [None] * 4
        if selector == GROUP:
            return [len(MEMBERS[number]) | (1 << 31 if number == LONG_GROUP else 0)] + [None] * 4
        bits = {I2C: 2, GPIO: 3 | 1 << 17, PWM: 2 | 1 << 16, LONG_FUNCTION: 1 | 1 << 31}
        return [bits[number]] + [None] * 4

    def message_4(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP, FUNCTION))
        if isinstance(what, int):
            return what
        if what[0] == PIN:
            return NOT_SUPPORTED
        number = what[1]
        members = MEMBERS[number] if what[0] == GROUP else GROUPS_OF.get(number) or PINS_OF[number]
        if request[3] >= len(members):
            return INVALID_PARAMETERS
        wanted = members[request[3] :]
        taken = wanted[: (room - 12) // 4 * 2]
        if not taken:
            return PROTOCOL_ERROR
        data = b"".join(bytes((member, 0)) for member in taken)
        return [len(wanted) - len(taken) << 16 | len(taken)] + text_words(data, (len(data) + 3) // 4 * 4)

    def message_5(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP), shift=16)
        if isinstance(what, int):
            return what
        wanted, skip = request[2] >> 18 & 3, request[2] >> 8 & 0xFF
        if wanted == 3:
            return INVALID_PARAMETERS
        if wanted == 2:
            return [self.selected(what), 0]
        settings = self.settings(what)
        if wanted == 0:
            settings, skip = [setting for setting in settings if setting[0] == request[2] & 0xFF], 0
        if skip >= len(settings) and (wanted == 0 or skip or settings):
            return INVALID_PARAMETERS
        taken = settings[skip:][: (room - 16) // 8]
        if settings and not taken:
            return PROTOCOL_ERROR
        payload = [self.selected(what), len(settings) - skip - len(taken) << 24 | len(taken)]
        for setting in taken:
            payload += setting
        return payload

    def message_6(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP), selector_at=3)
        if isinstance(what, int):
            return what
        if self.denied(agent, what):
            return DENIED
        if self.held(agent, what):
            return IN_USE
        attributes, function = request[3], request[2]
        if attributes < 4:
            return INVALID_PARAMETERS
        pairs = [request[4 + 2 * n : 6 + 2 * n] for n in range(attributes >> 2 & 0xFF)]
        status = self.unselectable(what, attributes, function) or self.unfit(what, pairs)
        if status:
            return status
        for pin in self.pins(what):
            for kind, value in pairs:
                for rival in rivals(kind):
                    self.values[pin].pop(rival, None)
                self.values[pin][kind] = value
                self.setters[pin, rivals(kind)[0]] = agent
            if attributes & 1 << 10:
                self.functions[pin] = function
                self.setters[pin, "function"] = agent
            self.note(agent, pin)
        return []

    def unselectable(self, what, attributes, function):
        """Return the status of a function that is not for something, or 0."""
        if not attributes & 1 << 10 or function == NONE:
            return 0
        if function >= FUNCTIONS:
            return INVALID_PARAMETERS
        return 0 if what[1] in (GROUPS_OF if what[0] == GROUP else PINS_OF).get(function, ()) else NOT_SUPPORTED

    def unfit(self, what, pairs):
        """Return the status of the first configuration that is not for these pins, or 0."""
        for kind, value in pairs:
            if kind > 0xFF:
                return INVALID_PARAMETERS
            if kind == 14 or any(kind not in TYPES[pin] for pin in self.pins(what)):
                return NOT_SUPPORTED
            if kind in ON_OFF and value > 1:
                return INVALID_PARAMETERS
            if kind == 10 and STRONG in self.pins(what) and value not in STRENGTHS:
                return INVALID_PARAMETERS
        return 0

    def message_7(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP))
        if isinstance(what, int):
            return what
        if self.denied(agent, what):
            return DENIED
        if self.held(agent, what):
            return IN_USE
        self.holders[what] = agent
        return []

    def message_8(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP))
        if isinstance(what, int):
            return what
        if self.holders.get(what) != agent:
            return INVALID_PARAMETERS
        del self.holders[what]
        return []

    def message_9(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP, FUNCTION))
        return what if isinstance(what, int) else [0] + [None] * 16

    def message_10(self, agent, request, room):
        what = self.named(agent, request, (PIN, GROUP), 2, 3)
        if isinstance(what, int):
            return what
        other = request[1]
        if other not in AGENTS:
            return NOT_FOUND
        if agent != TRUSTED:
            return DENIED
        if request[3] & 4:
            self.refused.discard((other,) + what)
            return []
        self.refused.add((other,) + what)
        for held, holder in list(self.holders.items()):
            if holder == other and set(self.pins(held)) & set(self.pins(what)):
                del self.holders[held]
        return []
