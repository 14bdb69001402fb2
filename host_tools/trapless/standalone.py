# SPDX-License-Identifier: MIT
"""Device trees for booting without the harness, with the QEMU command that boots the backend's Image alone."""

from __future__ import annotations

import shlex
from pathlib import Path

from trapless import devicetree, model, pair, project, romfs, topology
from trapless.machine import memory_arguments


def write(directory: Path, with_source: bool, own_model: Path | None) -> None:
    """Write `<machine>.dtb` (and .dts) for every machine and print how to boot the backend.

    The trees hold no random seeds: a tree that is kept would give every boot the same ones.

    Raises:
        TraplessError: QEMU, dtc or the model fails.
    """
    plan = topology.load()
    if own_model:
        plan = plan.with_model(romfs.USER_MODEL)
    platform = model.load(own_model or pair.model_name(plan.links[0]))
    directory.mkdir(parents=True, exist_ok=True)
    for name, blob in pair.device_trees(plan, platform, seeds=False).items():
        (directory / f"{name}.dtb").write_bytes(blob)
        if with_source:
            (directory / f"{name}.dts").write_text(devicetree.source(blob))
    print(backend_command(plan, directory))


def backend_command(plan: topology.Topology, directory: Path) -> str:
    """Return the shell command that boots the backend alone, with its prompt on this terminal."""
    name = plan.links[0].backend
    links = plan.links_of(name)
    arguments = memory_arguments(plan.machines[name], links, [None] * len(links))
    command = [project.QEMU, *arguments, "-nodefaults", "-display", "none", "-serial", "mon:stdio"]
    return shlex.join([*command, "-kernel", str(project.BACKEND_IMAGE), "-dtb", str(directory / f"{name}.dtb")])
