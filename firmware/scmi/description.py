# SPDX-License-Identifier: MIT
"""What follows from a platform description: plain data for tests and pages, the frontend's nodes, a table for people.

Source: the device-tree binding `arm,scmi.yaml`.
"""

from scmi.model.collection import table
from scmi.model.voltage import regulators
from scmi.protocols.clock import ClockProtocol
from scmi.protocols.performance import PerformanceProtocol
from scmi.protocols.pinctrl import PinctrlProtocol
from scmi.protocols.power import PowerProtocol
from scmi.protocols.powercap import PowercapProtocol
from scmi.protocols.reset import ResetProtocol
from scmi.protocols.sensor import SensorProtocol
from scmi.protocols.system import SystemProtocol
from scmi.protocols.voltage import VoltageProtocol


def describe(platform):
    """Return what a frontend should see of `platform`, as lists and dicts of plain data.

    A sensor's `value` and a domain's `power` are None if they move by themselves; with axes a value is a list.
    """
    return {
        "vendor": platform.vendor,
        "sub_vendor": platform.sub_vendor,
        "implementation_version": platform.implementation_version,
        "protocols": [
            {"id": number, "name": platform.protocols[number].NAME, "version": platform.protocols[number].newest}
            for number in sorted(platform.protocols)
        ],
        "agents": [{"id": agent.id, "name": agent.name, "trusted": agent.trusted} for agent in platform.agents],
        "sensors": [
            {
                "id": sensor.id,
                "name": sensor.name,
                "unit": sensor.unit.name,
                "symbol": sensor.unit.symbol,
                "type": sensor.unit.code,
                "exponent": sensor.unit.exponent,
                "value": None if sensor.moving else sensor.value,
            }
            for sensor in platform.sensors
        ],
        "clocks": [
            {
                "id": clock.id,
                "name": clock.name,
                "rate": clock.rate,
                "rates": clock.choices,
                "enabled": clock.enabled,
                "parent": clock.parent.name if clock.parent else None,
            }
            for clock in platform.clocks
        ],
        "power_domains": [
            {"id": domain.id, "name": domain.name, "state": domain.state} for domain in platform.power_domains
        ],
        "resets": [
            {"id": reset.id, "name": reset.name, "latency": reset.latency, "asserted": reset.asserted}
            for reset in platform.resets
        ],
        "voltages": [
            {"id": voltage.id, "name": voltage.name, "level": voltage.level, "enabled": voltage.enabled}
            for voltage in platform.voltages
        ],
        "power_caps": [
            {
                "id": domain.id,
                "name": domain.name,
                "unit": domain.unit,
                "cap": domain.cap,
                "limits": list(domain.limits),
                "interval": domain.interval,
                "power": None if domain.moving else domain.power,
                "parent": domain.parent.name if domain.parent else None,
            }
            for domain in platform.power_caps
        ],
        "pins": platform.pins.describe(),
        "performance": [
            {
                "id": domain.id,
                "name": domain.name,
                "level": domain.level,
                "levels": [list(row) for row in domain.levels],
            }
            for domain in platform.performance
        ],
        "system": {"state": platform.system.state, "states": list(platform.system.states)} if platform.system else None,
        "frontend": platform.frontend.describe(platform.performance, platform.sensors),
    }


def frontend_nodes(platform):
    """Return the protocol nodes of the frontend's device tree as dicts of node name and properties."""
    cells = {
        SystemProtocol.ID: None,
        PowercapProtocol.ID: None,
        PowerProtocol.ID: "#power-domain-cells",
        PerformanceProtocol.ID: "#power-domain-cells",
        ClockProtocol.ID: "#clock-cells",
        SensorProtocol.ID: "#thermal-sensor-cells",
        ResetProtocol.ID: "#reset-cells",
    }
    nodes = []
    for number in sorted(platform.protocols):
        if number in cells:
            properties = {cells[number]: 1} if cells[number] else {}
            properties["reg"] = number
            nodes.append({"name": f"protocol@{number:x}", "properties": properties})
    if len(platform.voltages):
        properties = {"reg": VoltageProtocol.ID, "regulators": regulators(platform.voltages)}
        nodes.append({"name": f"protocol@{VoltageProtocol.ID:x}", "properties": properties})
    if len(platform.pins):
        properties = {"reg": PinctrlProtocol.ID}
        properties.update(platform.pins.frontend_properties())
        nodes.append({"name": f"protocol@{PinctrlProtocol.ID:x}", "properties": properties})
    for kind, _ in platform.own:
        nodes.append({"name": f"protocol@{kind.ID:x}", "properties": {"reg": kind.ID}})
    return nodes


def overview(platform):
    """Return everything that `platform` has as a table for people."""
    parts = [f"{platform.vendor} {platform.sub_vendor}, implementation {platform.implementation_version:#x}"]
    for title, items in (
        ("sensors", platform.sensors),
        ("clocks", platform.clocks),
        ("power domains", platform.power_domains),
        ("resets", platform.resets),
        ("voltages", platform.voltages),
        ("power caps", platform.power_caps),
        ("performance", platform.performance),
        ("agents", platform.agents),
    ) + tuple((kind.NAME, resources) for kind, resources in platform.own):
        lines = table([item.row() for item in items]).split("\n") if len(items) else ["none"]
        parts.append(title + "\n  " + "\n  ".join(lines))
    if len(platform.pins):
        parts.append("pins\n  " + repr(platform.pins).replace("\n", "\n  "))
    if platform.system:
        parts.append(repr(platform.system))
    return "\n".join(parts)
