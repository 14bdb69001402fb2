# SPDX-License-Identifier: MIT
"""Further nodes of a frontend's device tree: consumers of what SCMI provides, from the model or given as `tree.Node`.

A property refers to another node as device-tree source does: "&{/firmware/scmi/protocol@14}" is that node's phandle.
Format: Devicetree Specification 0.4, 2.2.4 (properties) and 6.3 (references).
"""

from __future__ import annotations

import re
from typing import Any

from trapless.errors import TopologyError
from trapless.tree import Node, Tree

_PERFORMANCE, _SENSOR = 0x13, 0x15
_WORD = 0xFFFFFFFF
_ANY = _WORD  # THERMAL_NO_LIMIT: any state of the cooling device
_REFERENCE = re.compile(r"&\{(/.*)\}")


def provider(protocol: int) -> str:
    """Return the reference to the node of an SCMI protocol."""
    return f"&{{/firmware/scmi/protocol@{protocol:x}}}"


def apply(tree: Tree, content: Node) -> None:
    """Add nodes and properties below the root, extending what is there.

    Args:
        tree: the frontend's.
        content: by name; a property that refers to a node is a text "&{/path}", or a list with such texts in it.

    Raises:
        TopologyError: a property refers to a node that is not there.
    """
    tree.graft("/", _nodes(content))  # all of them first: a property may refer to any
    tree.graft("/", _resolved(tree, content))


def of_frontend(described: dict[str, Any], cpus: list[str]) -> Node:
    """Return the nodes and properties of what a model says of its frontends (`scmi.model.frontend`).

    Args:
        described: `Platform.describe()["frontend"]`.
        cpus: names of the nodes below /cpus.
    """
    content: Node = {}
    if described["cpus"] is not None:
        domain: Node = {"power-domains": [provider(_PERFORMANCE), described["cpus"]], "power-domain-names": "perf"}
        content["cpus"] = {name: {**domain, "#cooling-cells": 2} for name in cpus}
    cooled = cpus if content else []
    zones = {f"{zone['name']}-thermal": _zone(zone, cooled) for zone in described["zones"]}
    return {**content, "thermal-zones": zones} if zones else content


def _zone(zone: dict[str, Any], cpus: list[str]) -> Node:
    trips = {f"trip{at}": trip for at, trip in enumerate(zone["trips"])}
    node: Node = {
        "thermal-sensors": [provider(_SENSOR), zone["sensor"]],
        "polling-delay": zone["every"],
        "polling-delay-passive": zone["every_passive"],
        "trips": {
            name: {"temperature": temperature & _WORD, "hysteresis": hysteresis, "type": kind}
            for name, (temperature, kind, hysteresis) in trips.items()
        },
    }
    cooling = [cell for cpu in cpus for cell in (f"&{{/cpus/{cpu}}}", _ANY, _ANY)]
    maps = {
        f"map{at}": {"trip": f"&{{/thermal-zones/{zone['name']}-thermal/trips/{name}}}", "cooling-device": cooling}
        for at, (name, (_, kind, _)) in enumerate(trips.items())
        if cooling and kind == "passive"
    }
    return {**node, "cooling-maps": maps} if maps else node


def _nodes(content: Node) -> Node:
    return {name: _nodes(value) for name, value in content.items() if isinstance(value, dict)}


def _resolved(tree: Tree, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(tree, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(tree, item) for item in value]
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    if found[1] not in tree.paths():
        raise TopologyError(f"{value} refers to a node that the frontend's device tree does not have")
    return tree.phandle(found[1])
