# SPDX-License-Identifier: MIT
"""A domain of Xen as an endpoint, and the machine that runs Xen with all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trapless.endpoint import Endpoint
from trapless.errors import TraplessError
from trapless.machine import VirtualMachine
from trapless.topology import Machine
from trapless.xen.log import Memory


class Host(VirtualMachine):
    """The QEMU that runs Xen.

    Args:
        machine: a name for it and its processor.
        directory: the pair's private directory.
        arguments: as for `VirtualMachine`.
        memory: what Xen keeps in its memory.
    """

    def __init__(self, machine: Machine, directory: Path, arguments: Callable[[], list[str]], memory: Memory) -> None:
        super().__init__(machine, directory, arguments)
        self.memory = memory

    def logs(self) -> list[tuple[str, str]]:
        """Return Xen's log, without what its guests printed through it, and QEMU's."""
        return [("log", "".join(line for line in self.xen_lines() if "DOM" not in line)), *super().logs()]

    def xen_lines(self) -> list[str]:
        """Return the lines of Xen's log, none before it began."""
        try:
            return self.memory.ring().splitlines(keepends=True)
        except (OSError, TraplessError):  # the machine has not begun, or is gone with its memory
            return []


class Domain(Endpoint):
    """A guest of Xen.

    Args:
        machine: its topology.
        directory: the pair's private directory.
        number: its number for Xen.
        host: the machine that runs Xen.
    """

    console = "hvc0"
    inseparable = "all domains are in one QEMU, and without a control domain Xen stops and restarts none of them"

    def __init__(self, machine: Machine, directory: Path, number: int, host: Host) -> None:
        super().__init__(machine, directory)
        self.number = number
        self._host = host

    @property
    def host(self) -> Host:
        """The QEMU that runs Xen."""
        return self._host

    def logs(self) -> list[tuple[str, str]]:
        """Return what the domain printed early, through Xen, and then on its console."""
        prefix = f"(XEN) DOM{self.number}: "
        early = (line.removeprefix(prefix) for line in self._host.xen_lines() if line.startswith(prefix))
        return [("early log", "".join(early)), *super().logs()]
