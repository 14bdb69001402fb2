# SPDX-License-Identifier: MIT
"""What two frontends and a prompt may do, drawn from a source: messages of any protocol and version, changes.

The shapes of messages come from the firmware's tables, so that a new message is drawn as soon as there is one.
"""

from scmi.message import field_words
from scmi.model.rules import DescriptionError
from scmi_example import EXTRA, LEVELS, OFF, ON, RATES, RETENTION, SLEEP, SOC, SPECIAL_STATE

ONES = 0xFFFFFFFF
LIKELY = (0, 1, 2, 3, 7, 0xFF, 0x10000, ONES, 1 << 31, OFF, SLEEP, SPECIAL_STATE, LEVELS[1], 850_000, 45_000)
NEGOTIATE = 0x10

# What fields of some name often hold.
FIELDS = {
    "agent_id": (1, 2),
    "device_id": (SOC, EXTRA),
    "notify_enable": (0, 1, 1),
    "sensor_event_control": (0, 1, 1),
    "power_state": (ON, OFF, RETENTION, SLEEP),
    "reset_state": (0, SPECIAL_STATE),
    "system_state": (0, 1, 2, 3, 4),
    "voltage_level": tuple(LEVELS[:8]) + (850_000, -3_300_000 & ONES),
    "config": (0, 7),
    "rate*2": tuple(RATES[:8]),
    "performance_level": (5, 7, 20, 35, 300, 800, 1200),
    "range_max": (0, 7, 35, 800, 1200, 3000),
    "range_min": (0, 5, 20, 300, 800),
    "power_cap": (0, 20, 50, 100, 500_000, 2_000_000),
    "pai": (10, 20, 40, 1_000, 1_500),
    "power_thresh_low": (0, 1_000_000),
    "power_thresh_high": (0, 2, 3_000_000, ONES),
}


def word(source):
    """Return a word that means something to some message, or anything."""
    kind = source.below(8)
    if kind < 4:
        return source.below(10)
    if kind < 6:
        return source.one_of(LIKELY)
    if kind == 6:
        return source.one_of(RATES) & ONES
    return source.below(1 << 16) << 16 | source.below(1 << 16)


def message(source, agent):
    """Return (words, length in bytes) of a message that `agent` may send, most of the time one that is sound."""
    protocols = agent.platform.protocols
    number = source.one_of(sorted(protocols)) if source.below(40) else source.below(256)
    kind = 0 if source.below(60) else source.below(4)
    rows = protocols[number].messages(agent.versions[number]) if number in protocols else {}
    wanted = source.one_of(sorted(rows)) if rows and source.below(20) else source.below(256)
    head = source.below(1 << 10) << 18 | number << 10 | kind << 8 | wanted
    words = [head] + (payload(source, protocols[number], rows[wanted]) if wanted in rows else [word(source)])
    length = 4 * len(words)
    if not source.below(15):
        length = source.one_of((0, 1, 3, 4, length + 4, max(length - 4, 0), length - 1, length + 1, source.below(140)))
    return words + [0] * ((length + 3) // 4 - len(words)), length


def payload(source, protocol, row):
    """Return the payload of the message of `row`."""
    found = []
    for field in row[3]:
        count = field_words(field) or source.below(4) * int(field.split("[")[1][:-1])
        values = [word(source) for _ in range(count)]
        if field == protocol.RESOURCE and source.below(12):
            values = [source.below(len(protocol.resources))]
        elif row[6] and field == row[6][0] and source.below(8):
            values = [(source.below(1 << 16) << 16 | source.below(1 << 16) if source.below(2) else 1) & row[6][1]]
        elif field in FIELDS and source.below(6):
            value = source.one_of(FIELDS[field])
            values = [value & ONES, value >> 32][:count]
        found += values
    if row[0] == NEGOTIATE and source.below(6):
        found = [source.one_of(protocol.VERSIONS)]
    if row[1] == "PINCTRL_SETTINGS_CONFIGURE" and source.below(6):
        found[2] = found[2] & ~0x3FC | (len(found) - 3) // 2 << 2
    return found


def _sensor(source, soc):
    source.one_of(list(soc.sensors)).value = source.below(100_000)


def _clock(source, soc):
    source.one_of(list(soc.clocks)).rate = source.one_of(RATES)


def _power(source, soc):
    source.one_of(list(soc.power_domains)).state = source.one_of(("on", "off", "sleep"))


def _reset(source, soc):
    source.one_of(list(soc.resets)).reset()


def _voltage(source, soc):
    source.one_of(list(soc.voltages)).level = source.one_of(LEVELS)


def _performance(source, soc):
    source.one_of(list(soc.performance)).level = source.one_of((5, 7, 20, 300, 800, 1200))


def _power_cap(source, soc):
    source.one_of(list(soc.power_caps)).cap = source.one_of(FIELDS["power_cap"])


def _measurement(source, soc):
    source.one_of(list(soc.power_caps)).power = source.below(5_000_000)


def _system(source, soc):
    soc.system.ask(source.one_of(("shutdown", "cold-reset", "suspend")))


CHANGES = (_sensor, _clock, _power, _reset, _voltage, _performance, _power_cap, _measurement, _system)


def change(source, soc):
    """Change something of the platform `soc`, as at the prompt; what it does not take, it refuses."""
    try:
        source.one_of(CHANGES)(source, soc)
    except DescriptionError:
        pass
