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
        "devices": _devices(platform),
        "sensors": [_sensor(sensor) for sensor in platform.sensors],
        "clocks": [_clock(clock) for clock in platform.clocks],
        "power_domains": [
            _of(domain, state=domain.state, states=list(domain.states)) for domain in platform.power_domains
        ],
        "resets": [_of(reset, latency=reset.latency, asserted=reset.asserted) for reset in platform.resets],
        "voltages": [_voltage(voltage) for voltage in platform.voltages],
        "power_caps": [_power_cap(domain) for domain in platform.power_caps],
        "pins": platform.pins.describe(),
        "performance": [_performance(domain) for domain in platform.performance],
        "own": {kind.NAME: [_of(resource) for resource in resources] for kind, resources in platform.own},
        "system": {"state": platform.system.state, "states": list(platform.system.states)} if platform.system else None,
        "frontend": platform.frontend.describe(platform.performance, platform.sensors),
    }


def _of(resource, **more):
    """Return what all resources have, with `more`."""
    described = {"id": resource.id, "name": resource.name, "forbidden": resource.forbidden_names()}
    described.update(more)
    return described


def _devices(platform):
    """Return the devices, each with the names of its resources, which have the protocol's before them."""
    return [
        {
            "id": device.id,
            "name": device.name,
            "resources": [
                f"{protocol.NAME}:{resource.name}"
                for _, protocol in sorted(platform.protocols.items())
                for resource in protocol.resources
                if device.id in resource.devices
            ],
        }
        for device in platform.devices
    ]


def _sensor(sensor):
    return _of(
        sensor,
        unit=sensor.unit.name,
        symbol=sensor.unit.symbol,
        type=sensor.unit.code,
        exponent=sensor.unit.exponent,
        value=None if sensor.moving else sensor.value,
        axes=[axis.name for axis in sensor.axes],
        trip_points=len(sensor.trip_points),
        intervals=list(sensor.intervals),
        interval_range=_list(sensor.interval_range),
        enabled=sensor.enabled,
    )


def _clock(clock):
    return _of(
        clock,
        rate=clock.rate,
        rates=clock.choices,
        rate_range=_list(clock.rate_range),
        enabled=clock.enabled,
        parent=clock.parent.name if clock.parent else None,
        parents=list(clock.parent_names),
    )


def _voltage(voltage):
    return _of(
        voltage,
        level=voltage.level,
        levels=list(voltage.levels),
        level_range=_list(voltage.level_range),
        enabled=voltage.enabled,
        always_on=voltage.always_on,
    )


def _power_cap(domain):
    return _of(
        domain,
        unit=domain.unit,
        cap=domain.cap,
        limits=list(domain.limits),
        interval=domain.interval,
        power=None if domain.moving else domain.power,
        parent=domain.parent.name if domain.parent else None,
    )


def _performance(domain):
    return _of(
        domain,
        level=domain.level,
        levels=[list(row) for row in domain.levels],
        limits=list(domain.limits),
        power_unit=domain.power_unit,
    )


def _list(values):
    return None if values is None else list(values)


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
