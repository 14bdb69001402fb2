# SPDX-License-Identifier: MIT
"""What a pair is made of, as the command line and pytest give it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trapless.errors import TraplessError
from trapless.sanitizers import ONLY_ON_QEMU
from trapless.topology import QUEUES, SPIN_US_MAX
from trapless.tree import Node

PLATFORMS = ("qemu", "xen")
"""Two machines of QEMU and ivshmem between them, or domains of one Xen under QEMU."""


@dataclass
class Options:
    """What a pair is made of; everything not given is what `make` built.

    Args:
        platform: where the machines run, one of PLATFORMS.
        kernel: Linux Image of the frontend.
        modules: directory with *.ko for it.
        topology: name of a topology or path of its file, see `trapless.topology.find`.
        queues: "packed" or "split" on all links, whatever the topology says.
        model: platform description that the backend serves instead of models.default.
        add: files that appear under /host in the frontend.
        backend_image: the backend's Image.
        backend_arguments: further QEMU options of the backend (a plugin, a trace).
        bootargs: further kernel arguments of the frontend.
        overlay: further nodes and properties of the frontend's device tree (`overlay.apply`).
        sanitizer: one of `trapless.sanitizers.SANITIZERS`: frontends with that kernel, in machines that it fits into.
        spin_us: microseconds that the backend looks for more before it sleeps, whatever the topology says.
    """

    platform: str = "qemu"
    kernel: Path | None = None
    modules: Path | None = None
    topology: str | None = None
    queues: str | None = None
    model: Path | None = None
    add: list[Path] = field(default_factory=list)
    backend_image: Path | None = None
    backend_arguments: list[str] = field(default_factory=list)
    bootargs: str = ""
    overlay: Node = field(default_factory=dict)
    sanitizer: str | None = None
    spin_us: int | None = None

    def check(self) -> None:
        """Refuse what cannot work, before anything is started.

        Raises:
            TraplessError: a file or directory is missing; the message names it.
        """
        if self.platform not in PLATFORMS:
            raise TraplessError(f"no such platform: {self.platform} (there are {', '.join(PLATFORMS)})")
        if self.sanitizer and self.platform != "qemu":
            raise TraplessError(ONLY_ON_QEMU)
        if self.queues not in (None, *QUEUES):
            raise TraplessError(f"no such layout of queues: {self.queues} (there are {', '.join(QUEUES)})")
        if not 0 <= (self.spin_us or 0) <= SPIN_US_MAX:
            raise TraplessError(f"the backend spins for 0 to {SPIN_US_MAX} microseconds, not {self.spin_us}")
        for what, path in (("kernel", self.kernel), ("image of the backend", self.backend_image)):
            if path and not path.is_file():
                raise TraplessError(f"no such {what}: {path}")
        for path in self.add:
            if not path.exists():
                raise TraplessError(f"no such file to add: {path}")
        if self.modules and not any(self.modules.glob("*.ko")):
            raise TraplessError(
                f"no kernel modules (*.ko) in {self.modules}; `make -C linux KDIR=... OUT=DIR` builds them"
            )
