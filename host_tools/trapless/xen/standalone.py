# SPDX-License-Identifier: MIT
"""Booting Xen and its domains without the harness: a folder with everything, and the QEMU command."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from trapless import devicetree, project
from trapless.options import Options
from trapless.standalone import lines
from trapless.topology import Topology
from trapless.xen.load import NAME, Load


def write(directory: Path, options: Options, plan: Topology, platform: Any) -> list[str]:
    """Fill `directory` and return what to tell about it, a line each.

    Raises:
        TraplessError: something is not built, or does not fit into the machine.
    """
    load = Load(options, plan, platform, by_hand=True)
    load.write(directory)
    (directory / f"{NAME}.dts").write_text(devicetree.source(load.tree()))
    shutil.copy(load.hypervisor, directory / NAME)
    load.hypervisor = Path(NAME)
    arguments = load.arguments(None, [None] * (1 + len(plan.links)))
    told = [f"{NAME}.sh  boots Xen, with the {plan.backend()}'s console on this terminal (Ctrl-A X leaves)"]
    for link in plan.links:
        console = f"{link.frontend}-console"
        arguments += load.console_arguments(link, f"socket,path={console},server=on,wait=off", 1)
        told.append(f"{console}  is the {link.frontend}'s console, a Unix socket: socat -,raw,echo=0 {console}")
    command = [project.QEMU, "-serial", "mon:stdio", *arguments]
    script = directory / f"{NAME}.sh"
    script.write_text(
        f'#!/bin/sh\n# Xen and its domains, without the harness.\ncd "$(dirname "$0")" && exec {lines(command)}\n'
    )
    script.chmod(0o755)
    return told
