# SPDX-License-Identifier: MIT
"""Booting without the harness: device trees that may be kept, and the QEMU command that boots the backend alone."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from trapless import devicetree, model, pair, project, romfs, topology
from trapless.machine import memory_arguments
from trapless.topology import Topology

IMAGE = project.BUILD / "image"


def write(directory: Path, with_source: bool, own_model: Path | None) -> None:
    """Write `<machine>.dtb` (and .dts) for every machine and print how to boot the backend with the built Image.

    The trees hold no random seeds: a tree that is kept would give every boot the same ones.

    Raises:
        TraplessError: QEMU, dtc or the model fails.
    """
    plan, trees = _trees(own_model)
    for name, blob in trees.items():
        _write_tree(directory, name, blob, with_source)
    print(backend_command(plan, project.BACKEND_IMAGE, directory / f"{plan.links[0].backend}.dtb"))


def image(own_model: Path | None) -> None:
    """Put the backend's Image and device tree into build/image and print how to boot them.

    Raises:
        TraplessError: the Image is not built, or as for `write`.
    """
    plan, trees = _trees(own_model)
    name = plan.links[0].backend
    source = project.need(project.BACKEND_IMAGE, "the backend's image")
    _write_tree(IMAGE, name, trees[name], with_source=True)
    copied = Path(shutil.copy2(source, IMAGE / source.name))
    print(f"{copied}  {copied.stat().st_size} bytes, raw arm64 Image (Linux: Documentation/arch/arm64/booting.rst)")
    print(f"{IMAGE / name}.dtb  the device tree to hand over in x0; its source is beside it")
    print("With QEMU (Ctrl-A X leaves):\n  " + backend_command(plan, copied, IMAGE / f"{name}.dtb"))


def _trees(own_model: Path | None) -> tuple[Topology, dict[str, bytes]]:
    plan = topology.load()
    if own_model:
        plan = plan.with_model(romfs.USER_MODEL)
    platform = model.load(own_model or pair.model_name(plan.links[0]))
    return plan, pair.device_trees(plan, platform, seeds=False)


def _write_tree(directory: Path, name: str, blob: bytes, with_source: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.dtb").write_bytes(blob)
    if with_source:
        (directory / f"{name}.dts").write_text(devicetree.source(blob))


def backend_command(plan: Topology, kernel: Path, tree: Path) -> str:
    """Return the shell command that boots the backend alone, with its prompt on this terminal."""
    name = plan.links[0].backend
    links = plan.links_of(name)
    arguments = memory_arguments(plan.machines[name], links, [None] * len(links))
    command = [project.QEMU, *arguments, "-nodefaults", "-display", "none", "-serial", "mon:stdio"]
    return shlex.join([*command, "-kernel", str(kernel), "-dtb", str(tree)])
