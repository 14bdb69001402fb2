# SPDX-License-Identifier: MIT
"""Platform models under CPython: the same objects that the backend serves, for device trees and expected values."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from trapless import project
from trapless.errors import TopologyError, TraplessError
from trapless.topology import Topology


def firmware(name: str) -> ModuleType:
    """Import a firmware module ("virtio.layout") into this interpreter."""
    path = str(project.FIRMWARE)
    if path not in sys.path:
        sys.path.append(path)
    return importlib.import_module(name)


def name_of(plan: Topology) -> str:
    """Return the name of the model that the SCMI devices of a topology serve.

    Raises:
        TopologyError: there is no such device, or they do not name the same one.
    """
    names = {device.model for link in plan.links for device in link.devices if device.kind == "scmi"}
    if len(names) != 1:
        named = ", ".join(sorted(names)) or "none"
        raise TopologyError(f"{plan.source}: the SCMI devices must all name one platform model, not {named}")
    return names.pop()


def agents(platform: Any, plan: Topology) -> list[dict[str, Any]]:
    """Return the agent that each link's frontend is, in the order of the links: its id, name and `trusted`.

    Raises:
        TraplessError: a link has not one SCMI device, or the platform has too few agents.
    """
    for link in plan.links:
        if [device.kind for device in link.devices].count("scmi") != 1:
            raise TopologyError(f"{plan.source}: link {link.name} must have one SCMI device")
    try:
        found = [platform.agent(index) for index in range(len(plan.links))]
    except firmware("scmi.platform").DescriptionError as error:
        raise TraplessError(f"{plan.source} does not go with the model: {error}") from None
    return [{"id": agent.id, "name": agent.name, "trusted": agent.trusted} for agent in found]


def load(source: str | Path) -> Any:
    """Return the `Platform` of a model.

    Args:
        source: a module of the firmware ("models.default"), or somebody's own file.

    Raises:
        TraplessError: the file does not exist, fails, or offers neither `platform` nor `build(machine)`.
    """
    firmware("scmi.platform")  # makes the model's own imports work
    module = _fresh(source)
    if hasattr(module, "platform"):
        found = module.platform
    elif hasattr(module, "build"):
        machine = firmware("hal.sim").Machine()
        found = _own_code(source, lambda: module.build(machine))
    else:
        raise TraplessError(
            f"the model {source} has neither `platform` nor `build(machine)`; see docs/how-to/add-a-sensor.md"
        )
    if not isinstance(found, firmware("scmi.platform").Platform):
        kind = type(found).__name__
        raise TraplessError(f"the platform of the model {source} is a {kind}, not a scmi.platform.Platform")
    return found


def _fresh(source: str | Path) -> ModuleType:
    """Return the module executed anew: each pair has a platform of its own."""
    if isinstance(source, Path):
        if not source.is_file():
            raise TraplessError(f"no such model file: {source}")
        spec = importlib.util.spec_from_file_location("user_model", source)
    else:
        spec = importlib.util.find_spec(source)
    if not spec or not spec.loader:
        raise TraplessError(f"the firmware has no model {source}")
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    _own_code(source, lambda: loader.exec_module(module))
    return module


def _own_code(source: str | Path, run: Callable[[], Any]) -> Any:
    """Run code that is not ours."""
    try:
        return run()
    except Exception as error:
        raise TraplessError(f"the model {source} fails when it is loaded: {type(error).__name__}: {error}") from error
