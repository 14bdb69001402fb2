# SPDX-License-Identifier: MIT
"""Booting without the harness: a folder with everything that both machines need, and the QEMU commands that boot them.

QEMU alone has no ivshmem server, hence no doorbells: the device trees name none, and both sides poll. The region is a
file beside the scripts that both QEMUs map; whoever starts first makes it.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trapless import devicetree, initramfs, model, project, romfs, topology
from trapless.machine import memory_arguments
from trapless.options import Options
from trapless.topology import Topology

IMAGE = project.BUILD / "image"


def write(directory: Path, options: Options) -> None:
    """Fill `directory` with images, device trees (as .dtb and .dts), initrds and a script per machine, and say so.

    Raises:
        TraplessError: something is not built, or QEMU, dtc or the model fails.
    """
    options.check()
    plan = topology.load(topology.find(options.topology))
    if options.model:
        plan = plan.with_model(romfs.USER_MODEL)
    platform = model.load(options.model or model.name_of(plan))
    directory.mkdir(parents=True, exist_ok=True)
    shown = directory.relative_to(Path.cwd()) if directory.is_relative_to(Path.cwd()) else directory
    for line in _write_domains(directory, options, plan, platform) or _write_machines(
        directory, options, plan, platform
    ):
        print(f"{shown}/{line}")
    print("docs/how-to/boot-by-hand.md says what each file is.")


def _write_domains(directory: Path, options: Options, plan: Topology, platform: Any) -> list[str]:
    from trapless.xen import standalone

    return standalone.write(directory, options, plan, platform) if options.platform == "xen" else []


def _write_machines(directory: Path, options: Options, plan: Topology, platform: Any) -> list[str]:
    for name, blob in devicetree.make(plan, platform, by_hand=True).items():
        (directory / f"{name}.dtb").write_bytes(blob)
        (directory / f"{name}.dts").write_text(devicetree.source(blob))
    backend, frontends = plan.backend(), [link.frontend for link in plan.links]
    _write_backend(directory, plan, backend, options.model)
    for frontend in frontends:
        _write_frontend(directory, plan, frontend)
    machines = (backend, *frontends)
    return [f"{name}.sh  boots the {name}, with its console on this terminal (Ctrl-A X leaves)" for name in machines]


def _write_backend(directory: Path, plan: Topology, name: str, own_model: Path | None) -> None:
    kernel = _copy(project.need(project.BACKEND_IMAGE, "the backend's image"), directory)
    _copy(project.need(project.BACKEND_ELF, "the backend's image with symbols"), directory)
    initrd = f"{name}-initrd"
    (directory / initrd).unlink(missing_ok=True)  # of another model
    options = []
    if own_model:
        (directory / initrd).write_bytes(romfs.model(own_model))
        options = ["-initrd", initrd]
    _write_script(directory, plan, name, ["-kernel", kernel, *options])


def _write_frontend(directory: Path, plan: Topology, name: str) -> None:
    kernel = _copy(project.need(project.KERNEL, "the frontend's kernel"), directory, f"{name}-Image")
    base = project.need(project.INITRAMFS, "the frontend's initramfs").read_bytes()
    modules = project.need(project.MODULES, "the directory of kernel modules")
    (directory / f"{name}-initrd").write_bytes(initramfs.extend(base, modules, []))
    bootargs = plan.machines[name].bootargs
    _write_script(directory, plan, name, ["-kernel", kernel, "-initrd", f"{name}-initrd", "-append", bootargs])


def _copy(source: Path, directory: Path, name: str = "") -> str:
    return Path(shutil.copy(source, directory / (name or source.name))).name


def _write_script(directory: Path, plan: Topology, name: str, boots: list[str]) -> None:
    machine, links = plan.machines[name], plan.links_of(name)
    regions = [Path(f"region-{link.name}") for link in links]
    command = [project.QEMU, "-nodefaults", "-display", "none", "-serial", "mon:stdio", "-accel", "tcg,thread=multi"]
    command += [*memory_arguments(machine, links, regions), "-dtb", f"{name}.dtb", *boots]
    script = directory / f"{name}.sh"
    script.write_text(f'#!/bin/sh\n# The {name} without the harness.\ncd "$(dirname "$0")" && exec {lines(command)}\n')
    script.chmod(0o755)


def lines(command: Iterable[str]) -> str:
    """Return a command as shell text with an option and its value on each line."""
    text = ""
    for word in command:
        text += (" \\\n    " if word.startswith("-") else " ") + shlex.quote(word)
    return text.lstrip()
