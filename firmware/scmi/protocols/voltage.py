# SPDX-License-Identifier: MIT
"""Voltage domain management protocol 2.1, 2.0 and 1.0, which has neither asynchronous requests nor long names.

Source: DEN0056F, 3.9. An agent that switches off a domain which another agent wants on gets SUCCESS, as its vote has
been taken; the domain stays on, and VOLTAGE_CONFIG_GET tells so.
"""

from hal.compat import const
from scmi.message import ACCESS_RATE, ACCESS_STATE, row
from scmi.protocols.common import Protocol, common_messages, name_get
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_SUPPORTED, OUT_OF_RANGE
from scmi.wire import SHORT_NAME, low, paginate, put, put_range, text_words

PROTOCOL_ID = const(0x17)

_DELAYS = const(1 << 31)
_EXTENDED_NAME = const(1 << 30)
_SECOND = const(0x20000)
_ASYNCHRONOUS = const(1 << 0)

# Modes that the specification defines (3.9.2.7).
_OFF = const(0)
_ON = const(7)


def domain_attributes(agent, domain, request, reply, room):
    """VOLTAGE_DOMAIN_ATTRIBUTES (3.9.2.5)."""
    reply[2] = 0
    if agent.versions[PROTOCOL_ID] >= _SECOND:
        reply[2] = _EXTENDED_NAME if len(domain.name.encode()) >= SHORT_NAME else 0
        reply[2] |= _DELAYS if agent.hears and domain.delay is not None and domain.can_change_level else 0
    return put(reply, 3, text_words(domain.name, SHORT_NAME)) << 2


def describe_levels(agent, domain, request, reply, room):
    """VOLTAGE_DESCRIBE_LEVELS (3.9.2.6): an ascending list, or lowest, highest and step in one piece."""
    if domain.level_range:
        triplet = [low(level) for level in domain.level_range]
        return put_range(triplet, request[2], reply, room, OUT_OF_RANGE)
    records = [(low(level),) for level in domain.levels]
    return paginate(records, request[2], reply, room, OUT_OF_RANGE, 16)


def config_set(agent, domain, request, reply, room):
    """VOLTAGE_CONFIG_SET (3.9.2.7): on or off; there are no modes of the platform's own."""
    mode = request[2]
    if mode != _ON and mode != _OFF:
        return INVALID_PARAMETERS
    if mode == _OFF and domain.always_on:
        return DENIED
    domain.vote(agent.id, mode == _ON)
    agent.note(domain)
    return 8


def config_get(agent, domain, request, reply, room):
    """VOLTAGE_CONFIG_GET (3.9.2.8)."""
    reply[2] = _ON if domain.enabled else _OFF
    return 12


def level_set(agent, domain, request, reply, room):
    """VOLTAGE_LEVEL_SET (3.9.2.9): a level is taken as it is or not at all, the clause knows no rounding."""
    if not domain.can_change_level:
        return NOT_SUPPORTED
    level = request[3]
    if level >> 31:
        level -= 1 << 32
    if not domain.accepts(level):
        return INVALID_PARAMETERS
    if request[2] & _ASYNCHRONOUS:
        return agent.later(request[0], domain, lambda: _finish(agent, domain, level))
    domain.set_level(level, agent.id)
    agent.note(domain)
    return 8


def _finish(agent, domain, level):
    """Carry out an asynchronous VOLTAGE_LEVEL_SET; return the payload of VOLTAGE_LEVEL_SET_COMPLETE (3.9.3.1)."""
    domain.set_level(level, agent.id)
    agent.note(domain)
    return (domain.id, low(domain.level))


def level_get(agent, domain, request, reply, room):
    """VOLTAGE_LEVEL_GET (3.9.2.10)."""
    reply[2] = low(domain.level)
    return 12


class VoltageProtocol(Protocol):
    """The voltage domain protocol of a platform; resources are `scmi.model.voltage.Voltage` objects."""

    ID = PROTOCOL_ID
    NAME = "voltage"
    VERSIONS = (0x20001, _SECOND, 0x10000)
    RESOURCE = "domain_id"
    MESSAGES = common_messages(("attributes",), 0x20001) + (
        row(0x3, "VOLTAGE_DOMAIN_ATTRIBUTES", 0x10000, ("domain_id",), ("attributes", "name*4"), domain_attributes),
        row(
            0x4,
            "VOLTAGE_DESCRIBE_LEVELS",
            0x10000,
            ("domain_id", "level_index"),
            ("num_levels_flags", "levels[1]"),
            describe_levels,
        ),
        row(
            0x5,
            "VOLTAGE_CONFIG_SET",
            0x10000,
            ("domain_id", "config"),
            (),
            config_set,
            flags=("config", 0xF),
            access=ACCESS_STATE,
        ),
        row(0x6, "VOLTAGE_CONFIG_GET", 0x10000, ("domain_id",), ("config",), config_get),
        row(
            0x7,
            "VOLTAGE_LEVEL_SET",
            0x10000,
            ("domain_id", "flags", "voltage_level"),
            (),
            level_set,
            flags=("flags", 0),
            access=ACCESS_RATE,
        ),
        row(
            0x7,
            "VOLTAGE_LEVEL_SET",
            _SECOND,
            ("domain_id", "flags", "voltage_level"),
            (),
            level_set,
            flags=("flags", 1),
            access=ACCESS_RATE,
            asynchronous=1,
        ),
        row(0x8, "VOLTAGE_LEVEL_GET", 0x10000, ("domain_id",), ("voltage_level",), level_get),
        row(0x9, "VOLTAGE_DOMAIN_NAME_GET", _SECOND, ("domain_id",), ("flags", "name*16"), name_get),
    )

    def attributes(self, agent):
        """Number of voltage domains."""
        return (len(self.resources),)
