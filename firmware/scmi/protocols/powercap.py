# SPDX-License-Identifier: MIT
"""Power capping protocol 2.0, and 1.0, in which agents cannot ask for no cap. Source: DEN0056F, 3.10, without what came
later than 2.0: several limits of one domain, and intervals of their own for measuring and for capping.

Values that a domain does not take are INVALID_PARAMETERS (3.10.3.8, 3.10.3.10), although SCP-firmware says
OUT_OF_RANGE: Linux sends none of them.
"""

from hal.compat import const
from scmi.message import ACCESS_RATE, ACCESS_STATE, event, row
from scmi.model.powercap import NO_PARENT
from scmi.protocols.common import Protocol, common_messages, name_get, notify_row
from scmi.status import INVALID_PARAMETERS, NOT_SUPPORTED
from scmi.wire import SHORT_NAME, put, text_words

PROTOCOL_ID = const(0x18)

_DISABLES_SINCE = const(0x20000)

# Attributes of a domain (3.10.3.5).
_TELLS_CAP = const(1 << 31)
_TELLS_POWER = const(1 << 30)
_ASYNCHRONOUS_CAP = const(1 << 29)
_EXTENDED_NAME = const(1 << 28)
_CAP_CHANGES = const(1 << 27)
_MEASURED = const(1 << 26)
_INTERVAL_CHANGES = const(1 << 25)
_UNIT_SHIFT = const(23)

# Flags of CAP_SET (3.10.3.8).
_ASYNCHRONOUS = const(1 << 1)
_NO_RESPONSE = const(1 << 0)

_CAP_CHANGED = const(0)
_MEASUREMENTS_CHANGED = const(1)

# Power that moves by itself is compared with thresholds once in its averaging interval, but not more often than this.
_SHORTEST_POLL_MS = const(10)


def _delays(agent, domain):
    return agent.hears and domain.delay is not None


def domain_attributes(agent, domain, request, reply, room):
    """POWERCAP_DOMAIN_ATTRIBUTES (3.10.3.5)."""
    bits = domain.unit_code << _UNIT_SHIFT
    for holds, bit in (
        (agent.hears and domain.can_tell("cap"), _TELLS_CAP),
        (agent.hears and domain.can_tell("power"), _TELLS_POWER),
        (_delays(agent, domain), _ASYNCHRONOUS_CAP),
        (len(domain.name.encode()) >= SHORT_NAME, _EXTENDED_NAME),
        (domain.can_change_cap, _CAP_CHANGES),
        (domain.measured, _MEASURED),
        (domain.can_change_interval, _INTERVAL_CHANGES),
    ):
        if holds:
            bits |= bit
    reply[2] = bits
    at = put(reply, 3, text_words(domain.name, SHORT_NAME))
    at = put(reply, at, domain.interval_limits)
    at = put(reply, at, domain.limits)
    parent = domain.parent.id if domain.parent else NO_PARENT
    return put(reply, at, (domain.sustainable, domain.accuracy, parent)) << 2


def cap_get(agent, domain, request, reply, room):
    """POWERCAP_CAP_GET (3.10.3.7): what is enforced, whoever has asked for it."""
    reply[2] = domain.cap
    return 12


def cap_set(agent, domain, request, reply, room):
    """POWERCAP_CAP_SET (3.10.3.8): ask for a cap; since 2.0 an agent may ask for none."""
    flags, cap = request[2], request[3]
    if not domain.can_change_cap or (flags & _ASYNCHRONOUS and not _delays(agent, domain)):
        return NOT_SUPPORTED
    disables = cap == 0 and agent.versions[PROTOCOL_ID] >= _DISABLES_SINCE
    if not disables and not domain.accepts_cap(cap):
        return INVALID_PARAMETERS
    if flags & _ASYNCHRONOUS:
        silent = flags & _NO_RESPONSE != 0
        return agent.delayed.begin(request[0], domain.delay, lambda: _finish(agent, domain, cap), silent)
    agent.note(domain)
    domain.set_cap(cap, agent.id)
    return 8


def _finish(agent, domain, cap):
    """Carry out an asynchronous CAP_SET; return the payload of POWERCAP_CAP_SET_COMPLETE (3.10.4.1)."""
    agent.note(domain)
    domain.set_cap(cap, agent.id)
    return (domain.id, domain.cap)


def interval_get(agent, domain, request, reply, room):
    """POWERCAP_PAI_GET (3.10.3.9)."""
    reply[2] = domain.interval
    return 12


def interval_set(agent, domain, request, reply, room):
    """POWERCAP_PAI_SET (3.10.3.10)."""
    if not domain.can_change_interval:
        return NOT_SUPPORTED
    if not domain.accepts_interval(request[3]):
        return INVALID_PARAMETERS
    agent.note(domain)
    domain.set_interval(request[3], agent.id)
    return 8


def measurements_get(agent, domain, request, reply, room):
    """POWERCAP_MEASUREMENTS_GET (3.10.3.14)."""
    if not domain.measured:
        return NOT_SUPPORTED
    reply[2] = domain.power
    reply[3] = domain.interval
    return 16


def measurements_notify(agent, domain, request, reply, room):
    """POWERCAP_MEASUREMENTS_NOTIFY (3.10.3.16): tell when the power leaves what is between two thresholds."""
    if not agent.hears or not domain.can_tell("power"):
        return NOT_SUPPORTED
    low, high = request[3], request[4]
    if low > high:
        return INVALID_PARAMETERS
    agent.platform.protocols[PROTOCOL_ID].watch(agent, domain, Thresholds(low, high) if request[2] else None)
    return 8


def no_fast_channel(agent, domain, request, reply, room):
    """POWERCAP_DESCRIBE_FASTCHANNEL (3.10.3.17): virtio has none, and no attribute says otherwise."""
    return NOT_SUPPORTED


def cap_changed(domain, agent):
    """Return the payload of POWERCAP_CAP_CHANGED (3.10.5.1)."""
    return (agent, domain.id, domain.cap, domain.interval)


def measurements_changed(domain, agent, power):
    """Return the payload of POWERCAP_MEASUREMENTS_CHANGED (3.10.5.2)."""
    return (agent, domain.id, power)


class Thresholds:
    """What one agent considers usual for the power of one domain: from `low` to `high`, both included."""

    def __init__(self, low, high):
        self._low = low
        self._high = high
        self._side = 0

    def left(self, power):
        """Return whether `power` is outside, and was not outside on this side when last asked."""
        before = self._side
        self._side = -1 if power < self._low else 1 if power > self._high else 0
        return self._side not in (0, before)


class PowercapProtocol(Protocol):
    """The power capping protocol of a platform; resources are `scmi.model.powercap.PowerCap` objects."""

    ID = PROTOCOL_ID
    NAME = "powercap"
    VERSIONS = (0x20000, 0x10000)
    RESOURCE = "domain_id"
    EVENTS = (
        event(
            _CAP_CHANGED,
            "cap",
            "POWERCAP_CAP_CHANGED",
            0x10000,
            ("agent_id", "domain_id", "power_cap", "pai"),
            cap_changed,
        ),
        event(
            _MEASUREMENTS_CHANGED,
            "power",
            "POWERCAP_MEASUREMENTS_CHANGED",
            0x10000,
            ("agent_id", "domain_id", "power"),
            measurements_changed,
        ),
    )
    MESSAGES = common_messages(("attributes",), 0x20000) + (
        row(
            0x3,
            "POWERCAP_DOMAIN_ATTRIBUTES",
            0x10000,
            ("domain_id",),
            (
                "attributes",
                "name*4",
                "min_pai",
                "max_pai",
                "pai_step",
                "min_power_cap",
                "max_power_cap",
                "power_cap_step",
                "sustainable_power",
                "accuracy",
                "parent_id",
            ),
            domain_attributes,
        ),
        row(0x4, "POWERCAP_CAP_GET", 0x10000, ("domain_id",), ("power_cap",), cap_get),
        row(
            0x5,
            "POWERCAP_CAP_SET",
            0x10000,
            ("domain_id", "flags", "power_cap"),
            (),
            cap_set,
            flags=("flags", _ASYNCHRONOUS | _NO_RESPONSE),
            access=ACCESS_RATE,
            asynchronous=_ASYNCHRONOUS,
        ),
        row(0x6, "POWERCAP_PAI_GET", 0x10000, ("domain_id",), ("pai",), interval_get),
        row(
            0x7,
            "POWERCAP_PAI_SET",
            0x10000,
            ("domain_id", "flags", "pai"),
            (),
            interval_set,
            flags=("flags", 0),
            access=ACCESS_STATE,
        ),
        row(0x8, "POWERCAP_DOMAIN_NAME_GET", 0x10000, ("domain_id",), ("flags", "name*16"), name_get),
        row(0x9, "POWERCAP_MEASUREMENTS_GET", 0x10000, ("domain_id",), ("power", "pai"), measurements_get),
        notify_row(0xA, "POWERCAP_CAP_NOTIFY", 0x10000, _CAP_CHANGED, "cap"),
        row(
            0xB,
            "POWERCAP_MEASUREMENTS_NOTIFY",
            0x10000,
            ("domain_id", "notify_enable", "power_thresh_low", "power_thresh_high"),
            (),
            measurements_notify,
            flags=("notify_enable", 1),
            notifies=_MEASUREMENTS_CHANGED,
        ),
        row(
            0xC,
            "POWERCAP_DESCRIBE_FASTCHANNEL",
            0x10000,
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
    )

    def __init__(self, platform, resources=()):
        """`resources`: PowerCap objects; see Protocol."""
        super().__init__(platform, resources)
        self._polled = set()

    def attributes(self, agent):
        """Number of power capping domains."""
        return (len(self.resources),)

    def watch(self, agent, domain, thresholds):
        """Tell `agent` from now on when the power of `domain` leaves `thresholds`, also if it has; None: no more."""
        power = domain.power if thresholds else 0
        agent.events.subscribe(self.ID, _MEASUREMENTS_CHANGED, domain.id, thresholds)
        if thresholds is None:
            return
        domain.observer = self
        self.tell(domain, "power", 0, (power,))
        if domain.sampled and domain.id not in self._polled:
            self._polled.add(domain.id)
            self._poll_later(domain)

    def _poll_later(self, domain):
        def poll():
            if not any(self._thresholds(agent, domain) for agent in self.platform.agents):
                self._polled.remove(domain.id)
                return
            self._poll_later(domain)
            self.tell(domain, "power", 0, (domain.power,))

        self.platform.after(max(domain.interval // 1000, _SHORTEST_POLL_MS), poll)

    def _thresholds(self, agent, domain):
        return agent.events.subscribed(self.ID, _MEASUREMENTS_CHANGED, domain.id)

    def tell(self, domain, what, cause, details):
        """Send a notification; that of measurements only to agents whose thresholds the power has left."""
        if what != "power":
            super().tell(domain, what, cause, details)
            return
        (power,) = details
        for agent in self.platform.agents:
            thresholds = self._thresholds(agent, domain)
            if thresholds and agent.hears and agent.may_use(self, domain) and thresholds.left(power):
                words = measurements_changed(domain, cause, power)
                agent.events.notify(self.ID, _MEASUREMENTS_CHANGED, domain.id, 0, words)
