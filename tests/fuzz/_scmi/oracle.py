# SPDX-License-Identifier: MIT
"""What an SCMI server must answer, told a second time: from DEN0056F and the list of bad input, not from the
firmware's tables. Each protocol has its file; sizes come from `scmi_layout`.
"""

from fuzz._scmi.base import Base
from fuzz._scmi.clock import Clock
from fuzz._scmi.part import AGENTS, DENIED, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from fuzz._scmi.performance import Performance
from fuzz._scmi.pinctrl import Pinctrl
from fuzz._scmi.power import Power
from fuzz._scmi.powercap import Powercap
from fuzz._scmi.reset import Reset
from fuzz._scmi.sensor import Sensor
from fuzz._scmi.system import System
from fuzz._scmi.voltage import Voltage
from scmi_layout import sizes

PARTS = (Base, Power, System, Performance, Clock, Sensor, Reset, Voltage, Powercap, Pinctrl)


class Oracle:
    """The state of the example platform, and what each message must be answered with. `parts`: protocols by id."""

    def __init__(self):
        self.sizes = sizes()
        self.revoked = {agent: set() for agent in AGENTS}
        self.changed = {agent: set() for agent in AGENTS}
        self.open, self.versions = {}, {}
        self.begun = dict.fromkeys(AGENTS, 0)
        self.parts = {part.ID: part(self) for part in PARTS}
        for agent in AGENTS:
            self.begin(agent)

    def begin(self, agent):
        """The frontend of `agent` begins a new life: the newest versions, no request open, no exclusive control."""
        self.forget(agent, False)
        self.open[agent] = 0
        self.versions[agent] = {part.ID: part.VERSIONS[0] for part in PARTS}

    def restore(self, agent):
        """Forget what `agent` has set."""
        for protocol, number in self.changed[agent]:
            self.parts[protocol].restore(number, agent)
        self.changed[agent] = set()

    def forget(self, agent, permissions):
        """Forget what `agent` controls alone, and with `permissions` what it has been refused."""
        for part in self.parts.values():
            part.forget(agent, permissions)
        if permissions:
            self.revoked[agent] = set()

    def layout(self, agent, protocol, message):
        """Return the name of a message's structures at the version that `agent` uses, or None."""
        part = self.parts.get(protocol)
        return part and part.layout(message, part.version(agent))

    def messages(self, agent, protocol):
        """Return the ids of the messages that `agent` has of a protocol."""
        return [message for message in range(0x11) if self.layout(agent, protocol, message)]

    def answer(self, agent, request, length, room):
        """Return (status, payload words, of which None may be any) for the request words of `agent`, or None if it has
        no answer."""
        if length < 4 or room < 8:
            return None
        protocol, message = request[0] >> 10 & 0xFF, request[0] & 0xFF
        if request[0] >> 8 & 3:
            return PROTOCOL_ERROR, []
        if protocol not in self.parts:
            return NOT_SUPPORTED, []
        name = self.layout(agent, protocol, message)
        if not name:
            return NOT_FOUND, []
        part = self.parts[protocol]
        status = self.refusal(agent, part, message, name, request, length, room)
        if status:
            return status, []
        found = getattr(part, "message_{}".format(message))(agent, request, room)
        return (found, []) if isinstance(found, int) else (0, found)

    def refusal(self, agent, part, message, name, request, length, room):
        """Return the status of a message that is refused for its form, its resource or the permissions; 0 if it is
        not."""
        if length != 4 + self.sizes[name + "_request"] + part.more(message, request, length):
            return PROTOCOL_ERROR
        at, allowed = part.flags_of(message, part.version(agent))
        if at and request[at] & ~allowed & 0xFFFFFFFF:
            return INVALID_PARAMETERS
        if part.COUNT and message not in part.NO_RESOURCE:
            number = request[2 if message in part.SECOND_WORD else 1]
            if number >= part.COUNT:
                return NOT_FOUND
            if not self.may_use(agent, part, number) or number in part.FORBIDDEN.get(message, ()):
                return DENIED
        least = self.sizes[name + "_reply"] + part.least(message, part.version(agent))
        return PROTOCOL_ERROR if room < 8 + least else 0

    def may_use(self, agent, part, number):
        """Return whether a device that is not revoked gives access."""
        for device, members in ((0, part.SOC), (1, part.EXTRA)):
            revoked = {(device, None), (device, part.ID)} & self.revoked[agent]
            if number in members and not revoked:
                return True
        return False
