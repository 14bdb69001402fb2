# SPDX-License-Identifier: MIT
"""Performance domain management protocol 4.0, and 3.0, 2.0 and 1.0. Source: DEN0056F, 3.5, without what came later than
4.0: autonomous levels and quality of service.

Fast channels are areas of memory of their own, which virtio does not have: none is described.
"""

from hal.compat import const
from scmi.message import ACCESS_RATE, ACCESS_STATE, event, row
from scmi.model.performance import POWER_UNITS
from scmi.protocols.common import Protocol, common_messages, name_get, notify_row
from scmi.status import INVALID_PARAMETERS, NOT_SUPPORTED, OUT_OF_RANGE
from scmi.wire import SHORT_NAME, paginate, put, text_words

PROTOCOL_ID = const(0x13)

# Versions that brought fast channels; names of 64 bytes, microwatts and limits that stay; indices of levels.
_V2 = const(0x20000)
_V3 = const(0x30000)
_V4 = const(0x40000)

# Attributes of a domain (3.5.6.5). Bit 27 stays 0: no fast channels.
_SETS_LIMITS = const(1 << 31)
_SETS_LEVEL = const(1 << 30)
_TELLS_LIMITS = const(1 << 29)
_TELLS_LEVEL = const(1 << 28)
_EXTENDED_NAME = const(1 << 26)
_INDEXED = const(1 << 25)

_MILLIWATT = const(1 << 16)

# Performance.now.
_PLACE = const(0)
_WANTED = const(1)
_SETTER = const(2)

_LIMITS_CHANGED = const(0)
_LEVEL_CHANGED = const(1)


def _named_by_index(agent, domain):
    return domain.indexed and agent.versions[PROTOCOL_ID] >= _V4


def domain_attributes(agent, domain, request, reply, room):
    """PERFORMANCE_DOMAIN_ATTRIBUTES (3.5.6.5)."""
    long_name = agent.versions[PROTOCOL_ID] >= _V3 and len(domain.name.encode()) >= SHORT_NAME
    bits = 0
    for holds, bit in (
        (not domain.forbidden & ACCESS_STATE, _SETS_LIMITS),
        (not domain.forbidden & ACCESS_RATE, _SETS_LEVEL),
        (agent.hears, _TELLS_LIMITS | _TELLS_LEVEL),
        (long_name, _EXTENDED_NAME),
        (_named_by_index(agent, domain), _INDEXED),
    ):
        if holds:
            bits |= bit
    at = put(reply, 2, (bits, domain.rate_limit, domain.sustained_frequency, domain.sustained))
    return put(reply, at, text_words(domain.name, SHORT_NAME)) << 2


def describe_levels_before_4(agent, domain, request, reply, room):
    """PERFORMANCE_DESCRIBE_LEVELS of 1.0 to 3.0: level, power cost, latency."""
    return paginate([entry[:3] for entry in domain.levels], request[2], reply, room, INVALID_PARAMETERS, 16)


def describe_levels(agent, domain, request, reply, room):
    """PERFORMANCE_DESCRIBE_LEVELS (3.5.6.8): also frequency and index, 0 where levels are not named by it."""
    records = [entry + (0,) for entry in domain.levels]
    if domain.indexed:
        records = [entry + (index,) for index, entry in enumerate(domain.levels, 1)]
    return paginate(records, request[2], reply, room, INVALID_PARAMETERS, 16)


def _set_limits(agent, domain, lowest, highest):
    if not (domain.spans(lowest) and domain.spans(highest)):
        return OUT_OF_RANGE
    if lowest > highest:
        return INVALID_PARAMETERS
    if not domain.has_level(lowest, highest):
        return OUT_OF_RANGE
    agent.note(domain)
    domain.set_limits(lowest, highest, agent.id)
    return 8


def limits_set_before_3(agent, domain, request, reply, room):
    """PERFORMANCE_LIMITS_SET of 1.0 and 2.0: both limits."""
    return _set_limits(agent, domain, request[3], request[2])


def limits_set(agent, domain, request, reply, room):
    """PERFORMANCE_LIMITS_SET (3.5.6.9): a limit of 0 stays as this agent has set it, but not both."""
    highest, lowest = request[2], request[3]
    if not highest and not lowest:
        return OUT_OF_RANGE
    if _named_by_index(agent, domain):
        highest, lowest = highest and domain.level_at(highest), lowest and domain.level_at(lowest)
        if highest is None or lowest is None:
            return OUT_OF_RANGE
    least, most = domain.requested(agent.id)
    return _set_limits(agent, domain, lowest or least, highest or most)


def limits_get(agent, domain, request, reply, room):
    """PERFORMANCE_LIMITS_GET (3.5.6.10): what all agents allow together."""
    reply[3], reply[2] = domain.limit_indices if _named_by_index(agent, domain) else domain.limits
    return 16


def level_set_before_4(agent, domain, request, reply, room):
    """PERFORMANCE_LEVEL_SET of 1.0 to 3.0, where levels have no index."""
    place = domain.places.get(request[2])
    if place is None or not domain.lowest <= place <= domain.highest:
        return OUT_OF_RANGE
    if domain.set_place(place, agent.id):
        agent.note(domain)
    return 8


def level_set(agent, domain, request, reply, room):
    """PERFORMANCE_LEVEL_SET (3.5.6.11). A level that is not described is out of every range.

    Governors send it all the time, and calls are what costs most, so what nobody is to hear of is done here.
    """
    try:
        place = domain.allowed[request[2]]
    except KeyError:
        return OUT_OF_RANGE
    now = domain.now
    if domain.observer is None and domain.change is None and domain.usage is None and now[_SETTER] == agent.id:
        now[_PLACE] = place
        now[_WANTED] = place
    elif domain.set_place(place, agent.id):
        agent.note(domain)
    return 8


def level_get(agent, domain, request, reply, room):
    """PERFORMANCE_LEVEL_GET (3.5.6.12)."""
    reply[2] = domain.index if _named_by_index(agent, domain) else domain.level
    return 12


def no_fast_channel(agent, domain, request, reply, room):
    """PERFORMANCE_DESCRIBE_FASTCHANNEL (3.5.6.18)."""
    return NOT_SUPPORTED


def limits_changed_before_4(domain, agent):
    """Return the payload of PERFORMANCE_LIMITS_CHANGED of 1.0 to 3.0."""
    lowest, highest = domain.limits
    return (agent, domain.id, highest, lowest)


def limits_changed(domain, agent):
    """Return the payload of PERFORMANCE_LIMITS_CHANGED (3.5.8.1)."""
    lowest, highest = domain.limit_indices if domain.indexed else domain.limits
    return (agent, domain.id, highest, lowest)


def level_changed_before_4(domain, agent):
    """Return the payload of PERFORMANCE_LEVEL_CHANGED of 1.0 to 3.0."""
    return (agent, domain.id, domain.level)


def level_changed(domain, agent):
    """Return the payload of PERFORMANCE_LEVEL_CHANGED (3.5.8.2)."""
    return (agent, domain.id, domain.index if domain.indexed else domain.level)


_LIMITS_FIELDS = ("agent_id", "domain_id", "range_max", "range_min")
_LEVEL_FIELDS = ("agent_id", "domain_id", "performance_level")


class PerformanceProtocol(Protocol):
    """The performance protocol of a platform; resources are `scmi.model.performance.Performance` objects."""

    ID = PROTOCOL_ID
    NAME = "performance"
    VERSIONS = (_V4, _V3, _V2, 0x10000)
    RESOURCE = "domain_id"
    MESSAGES = common_messages(("attributes", "statistics_address*2", "statistics_len"), _V4) + (
        row(
            0x3,
            "PERFORMANCE_DOMAIN_ATTRIBUTES",
            0x10000,
            ("domain_id",),
            ("attributes", "rate_limit", "sustained_freq", "sustained_perf_level", "name*4"),
            domain_attributes,
        ),
        row(
            0x4,
            "PERFORMANCE_DESCRIBE_LEVELS",
            0x10000,
            ("domain_id", "skip_index"),
            ("num_levels", "perf_levels[3]"),
            describe_levels_before_4,
        ),
        row(
            0x4,
            "PERFORMANCE_DESCRIBE_LEVELS",
            _V4,
            ("domain_id", "skip_index"),
            ("num_levels", "perf_levels[5]"),
            describe_levels,
        ),
        row(
            0x5,
            "PERFORMANCE_LIMITS_SET",
            0x10000,
            ("domain_id", "range_max", "range_min"),
            (),
            limits_set_before_3,
            access=ACCESS_STATE,
        ),
        row(
            0x5,
            "PERFORMANCE_LIMITS_SET",
            _V3,
            ("domain_id", "range_max", "range_min"),
            (),
            limits_set,
            access=ACCESS_STATE,
        ),
        row(0x6, "PERFORMANCE_LIMITS_GET", 0x10000, ("domain_id",), ("range_max", "range_min"), limits_get),
        row(
            0x7,
            "PERFORMANCE_LEVEL_SET",
            0x10000,
            ("domain_id", "performance_level"),
            (),
            level_set_before_4,
            access=ACCESS_RATE,
        ),
        row(
            0x7,
            "PERFORMANCE_LEVEL_SET",
            _V4,
            ("domain_id", "performance_level"),
            (),
            level_set,
            access=ACCESS_RATE,
        ),
        row(0x8, "PERFORMANCE_LEVEL_GET", 0x10000, ("domain_id",), ("performance_level",), level_get),
        notify_row(0x9, "PERFORMANCE_NOTIFY_LIMITS", 0x10000, _LIMITS_CHANGED, "limits"),
        notify_row(0xA, "PERFORMANCE_NOTIFY_LEVEL", 0x10000, _LEVEL_CHANGED, "level"),
        row(
            0xB,
            "PERFORMANCE_DESCRIBE_FASTCHANNEL",
            _V2,
            ("domain_id", "message_id"),
            (
                "attributes",
                "rate_limit",
                "chan_addr*2",
                "chan_size",
                "doorbell_addr*2",
                "doorbell_set_mask*2",
                "doorbell_preserve_mask*2",
            ),
            no_fast_channel,
        ),
        row(0xC, "PERFORMANCE_DOMAIN_NAME_GET", _V3, ("domain_id",), ("flags", "name*16"), name_get),
    )
    EVENTS = (
        event(
            _LIMITS_CHANGED, "limits", "PERFORMANCE_LIMITS_CHANGED", 0x10000, _LIMITS_FIELDS, limits_changed_before_4
        ),
        event(_LIMITS_CHANGED, "limits", "PERFORMANCE_LIMITS_CHANGED", _V4, _LIMITS_FIELDS, limits_changed),
        event(_LEVEL_CHANGED, "level", "PERFORMANCE_LEVEL_CHANGED", 0x10000, _LEVEL_FIELDS, level_changed_before_4),
        event(_LEVEL_CHANGED, "level", "PERFORMANCE_LEVEL_CHANGED", _V4, _LEVEL_FIELDS, level_changed),
    )

    def attributes(self, agent):
        """Number of domains and the unit of their power costs; address and length of their statistics in shared memory
        (three words, 3.5.6.3).

        Before 3.0 microwatts are just one of the linear scales.
        """
        unit = POWER_UNITS[self.resources[0].power_unit]
        if unit != _MILLIWATT and agent.versions[self.ID] < _V3:
            unit = 0
        return (unit | len(self.resources),) + self.platform.statistics.words(agent, self.ID)
