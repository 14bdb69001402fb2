# SPDX-License-Identifier: MIT
"""The description of a system on chip: what a model file builds, and what is derived from it.

    from scmi.platform import Clock, Platform, Sensor

    platform = Platform(
        sensors=[Sensor("cpu", unit="millicelsius", value=45_000)],
        clocks=[Clock("osc", rate=24_000_000)],
    )

Sources: DEN0056F, 3.2 (vendor, agents, devices), and for the frontend's nodes the device-tree binding `arm,scmi.yaml`.
"""

from scmi import description
from scmi.agent import Agent
from scmi.model.clock import Clock
from scmi.model.collection import Collection
from scmi.model.devices import Device, group
from scmi.model.frontend import Frontend, ThermalZone
from scmi.model.own import FIRST_OWN, own_protocols
from scmi.model.performance import Performance, require_one_unit
from scmi.model.pin import Group, Pin
from scmi.model.pinctrl import Function, Pins, PinState
from scmi.model.power_domain import PowerDomain
from scmi.model.powercap import PowerCap, grow
from scmi.model.reset import Reset
from scmi.model.rules import (
    DescriptionError,
    entries_of,
    is_integer,
    items_of,
    require,
    require_flag,
    require_text,
    require_unique,
)
from scmi.model.sealed import seal_all
from scmi.model.sensor import Axis, Sensor
from scmi.model.setting import DUTY_CYCLE, PHASE
from scmi.model.system_power import SystemPower
from scmi.model.voltage import Voltage
from scmi.protocols.base import MAX_REPORTS, BaseProtocol
from scmi.protocols.clock import ClockProtocol
from scmi.protocols.performance import PerformanceProtocol
from scmi.protocols.pinctrl import PinctrlProtocol
from scmi.protocols.power import PowerProtocol
from scmi.protocols.powercap import PowercapProtocol
from scmi.protocols.reset import ResetProtocol
from scmi.protocols.sensor import SensorProtocol
from scmi.protocols.system import SystemProtocol
from scmi.protocols.voltage import VoltageProtocol
from scmi.statistics import Statistics
from scmi.tap import Taps

__all__ = [
    "DUTY_CYCLE",
    "PHASE",
    "Agent",
    "Axis",
    "Clock",
    "DescriptionError",
    "Device",
    "Frontend",
    "Function",
    "Group",
    "Performance",
    "Pin",
    "PinState",
    "Pins",
    "Platform",
    "PowerCap",
    "PowerDomain",
    "Reset",
    "Sensor",
    "SystemPower",
    "ThermalZone",
    "Voltage",
]


class Platform:
    """A system on chip: resources, `agents` and `devices` by name or id, and `protocols` by id.

    Resources are `sensors`, `clocks`, `power_domains`, `performance`, `resets`, `voltages`, `power_caps`, `pins`, and
    `system`, which is a SystemPower or None; those of protocols of one's own are in `own`, as (class, Collection).
    `frontend`: the Frontend.
    """

    def __init__(
        self,
        sensors=(),
        clocks=(),
        agents=None,
        devices=None,
        vendor="Trapless",
        sub_vendor="MicroPython",
        implementation_version=1,
        power_domains=(),
        system=None,
        resets=(),
        voltages=(),
        performance=(),
        protocols=None,
        versions=None,
        power_caps=(),
        pins=None,
        frontend=None,
    ):
        """Describe a system on chip; DescriptionError with the object and the rule if one is broken.

        `sensors`, `clocks`, `power_domains`, `performance`, `resets`, `voltages`, `power_caps`: in the order of their
        ids. `agents`: frontends in the order of their ids, which begin at 1; without any, `agent()` makes them.
        `devices`: groups for permissions, in the order of their ids; without any, one device "soc" holds everything.
        `vendor`, `sub_vendor`: at most 15 bytes. `implementation_version`: 32 bits. `system`: a SystemPower if
        frontends may ask for shutdown, reset and suspend. `protocols`: protocols of your own as {class: its resources},
        see scmi.model.own. `versions`: {name of a protocol: the newest version to offer}, such as {"clock": 0x20000}.
        `pins`: a Pins, if there are any. `frontend`: a Frontend, if the frontends' systems have thermal zones, or
        processors whose frequency is the platform's affair.
        """
        self._versions = entries_of(versions, "platform", "versions")
        self._after = None
        self._waiting = []
        self.taps = Taps(self)
        self.statistics = Statistics(self)
        for what, text in (("vendor", vendor), ("sub_vendor", sub_vendor)):
            require_text(text, "platform", what, 0, 15)
        holds = is_integer(implementation_version) and 0 <= implementation_version < 1 << 32
        require(holds, "platform", "implementation_version must fit 32 bits")
        self.vendor = vendor
        self.sub_vendor = sub_vendor
        self.implementation_version = implementation_version
        self.sensors = _numbered(sensors, "sensor", 0, 0xFFFF, Sensor)
        self.clocks = _numbered(clocks, "clock", 0, 0xFFFF, Clock)
        for clock in self.clocks:
            clock.connect(self.clocks)
        for clock in self.clocks:
            clock.check_rate_source()
        for clock in self.clocks:
            clock.refresh()
        self.power_domains = _numbered(power_domains, "power domain", 0, 0xFFFF, PowerDomain)
        holds = system is None or isinstance(system, SystemPower)
        require(holds, "platform", f"system must be a SystemPower, not a {type(system).__name__}")
        self.system = system
        self.resets = _numbered(resets, "reset", 0, 0xFFFF, Reset)
        self.voltages = _numbered(voltages, "voltage", 0, 0xFFFF, Voltage)
        self.power_caps = _numbered(power_caps, "power cap", 0, 0xFFFF, PowerCap)
        grow(self.power_caps)
        holds = pins is None or isinstance(pins, Pins)
        require(holds, "platform", f"pins must be a Pins, not a {type(pins).__name__}")
        self.pins = pins or Pins()
        self.own = own_protocols(protocols)
        self.performance = _numbered(performance, "performance domain", 0, 0xFFFF, Performance)
        require_one_unit(self.performance)
        holds = frontend is None or isinstance(frontend, Frontend)
        require(holds, "platform", f"frontend must be a Frontend, not a {type(frontend).__name__}")
        self.frontend = frontend or Frontend()
        self.frontend.describe(self.performance, self.sensors)  # refuses a name that is not known
        self.devices = self._grouped(devices)
        self.protocols = self._spoken()
        agents = () if agents is None else items_of(agents, "platform", "agents")
        self._any_agents = not agents
        self.agents = _numbered(agents or [Agent("linux", trusted=True)], "agent", 1, 0xFF, Agent)
        for agent in self.agents:
            agent.join(self, agent.id)
        seal_all(resource for _, resources in self._kinds() for resource in resources)
        seal_all((self,))

    def agent(self, index):
        """Return the agent for the SCMI device `index`, counted from 0 over all links in the order of the device tree.

        Without agents in the description, the first device has the trusted agent "linux", and each further one
        brings an ordinary agent: "linux1", "linux2" and so on. DescriptionError if the description has agents, but too
        few.
        """
        while self._any_agents and index >= len(self.agents):
            more = Agent(f"linux{len(self.agents)}")
            agents = list(self.agents)
            agents.append(more)
            self.agents = _numbered(agents, "agent", 1, 0xFF, Agent)
            more.join(self, more.id)
        found = len(self.agents)
        require(index < found, "platform", f"has {found} agents, but more SCMI devices; give it more agents")
        return self.agents[index]

    @property
    def faults(self):
        """What is injected into the messages of the agents (scmi.faults)."""
        return self.taps.faults

    @property
    def log(self):
        """The last messages of the agents (scmi.log)."""
        return self.taps.log

    def newest(self, protocol):
        """Return the newest version of `protocol` (a Protocol) that is offered."""
        wanted = self._versions.get(protocol.NAME, protocol.VERSIONS[0])
        known = ", ".join(f"{version:#x}" for version in protocol.VERSIONS)
        require(wanted in protocol.VERSIONS, "platform", f"versions: {protocol.NAME} has {known}, not {wanted!r}")
        return wanted

    def connect(self, after):
        """Live from now on: `after(ms, function)` has a function called later, in the serving context."""
        self._after = after
        waiting, self._waiting = self._waiting, []
        for ms, function in waiting:
            after(ms, function)

    def after(self, ms, function):
        """Have `function()` called once, in `ms` whole milliseconds; before `connect` that time does not begin.

        What it raises goes to who serves, and is reported as an error of the platform.
        """

        def call():
            try:
                function()
            except Exception:
                self.report_error()
                raise

        if self._after:
            self._after(ms, call)
        else:
            self._waiting.append((ms, call))

    def every(self, ms, function):
        """Have `function()` called every `ms` whole milliseconds."""

        def tick():
            self.after(ms, tick)
            function()

        self.after(ms, tick)

    def report_error(self, agent=0, fatal=False, commands=()):
        """Tell the agents that have asked for it (BASE_NOTIFY_ERRORS) of a failure that no reply tells.

        `agent`: id of the agent that has caused it, 0: the platform; `fatal`: the platform serves no more commands;
        `commands`: those that have failed, at most 15 pairs of their header and a status of `scmi.status`.
        """
        require(agent == 0 or agent in [known.id for known in self.agents], "platform", f"there is no agent {agent!r}")
        require(len(commands) <= MAX_REPORTS, "platform", f"an error may report {MAX_REPORTS} commands at most")
        self.protocols[BaseProtocol.ID].report(agent, require_flag(fatal, "platform", "fatal"), commands)

    def _kinds(self):
        """Return each kind of resource with the protocol that serves it."""
        return (
            (SensorProtocol, self.sensors),
            (ClockProtocol, self.clocks),
            (PowerProtocol, self.power_domains),
            (SystemProtocol, (self.system,) if self.system else ()),
            (ResetProtocol, self.resets),
            (VoltageProtocol, self.voltages),
            (PowercapProtocol, self.power_caps),
            (PinctrlProtocol, self.pins.resources()),
            (PerformanceProtocol, self.performance),
        ) + self.own

    def _grouped(self, devices):
        kinds = self._kinds()
        if devices is None:
            devices = [Device("soc", [resource for _, resources in kinds for resource in resources])]
        devices = _numbered(devices, "device", 0, 0xFFFF, Device)
        group(devices, kinds)
        return devices

    def _spoken(self):
        protocols = {BaseProtocol.ID: BaseProtocol(self)}
        for kind, resources in self._kinds():
            if len(resources) or kind.ID >= FIRST_OWN:
                protocols[kind.ID] = kind(self, resources)
        names = [protocol.NAME for protocol in protocols.values()]
        for name in self._versions:
            require(name in names, "platform", f"versions: no protocol {name!r}; there are: {', '.join(names)}")
        return protocols

    def describe(self):
        """Return what a frontend should see, as lists and dicts of plain data (scmi.description)."""
        return description.describe(self)

    def frontend_nodes(self):
        """Return the protocol nodes of the frontend's device tree as dicts of node name and properties."""
        return description.frontend_nodes(self)

    def __repr__(self):
        return description.overview(self)


def _numbered(items, kind, first, highest, expected):
    """Give `items` their ids from `first` on and return them as a Collection."""
    items = items_of(items, "platform", f"{kind}s")
    require(len(items) <= highest, "platform", f"may have {highest} {kind}s at most")
    for number, item in enumerate(items):
        require(
            isinstance(item, expected), "platform", f"{kind} number {number} is a {type(item).__name__}, not a {kind}"
        )
        item.id = first + number
    require_unique(items, "platform", f"{kind}s")
    return Collection(items, kind)
