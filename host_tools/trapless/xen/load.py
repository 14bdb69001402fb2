# SPDX-License-Identifier: MIT
"""What is loaded into the machine that runs Xen: hypervisor, device trees, and where the files of all domains go."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from trapless import devicetree, files, project, topology
from trapless.errors import TopologyError
from trapless.options import Options
from trapless.topology import Link, Machine, Topology
from trapless.tree import Tree
from trapless.xen import trees
from trapless.xen.plan import Plan, private

NAME = "xen"
_MACHINE = "virt,virtualization=on,gic-version=3,highmem=off"
_BUSES_PER_PAGE = 8  # virtio-mmio transports in a page, which belongs to one domain
_BUSES = 32
_GRAFT_AT = 0x10000
_KERNEL_AT = 0x200000
_IMAGE_SIZE_AT = 16  # in the header of an arm64 Image
_CONSOLE = ("console=ttyAMA0 earlycon", "console=ttyAMA0 console=hvc0")
_NO_CPUFREQ = "initcall_blacklist=scmi_cpufreq_drv_init"  # Linux has no cpufreq on Xen: its driver could only complain


@dataclass(frozen=True)
class File:
    """A file for a domain: whose, what it is to Xen, its content, the kernel's arguments."""

    domain: str
    kind: str
    content: bytes
    bootargs: str = ""

    @property
    def name(self) -> str:
        """What it is called in a directory."""
        return f"{self.domain}-{self.kind}"


class Load:
    """All of it, for one topology.

    Args:
        options: what to boot.
        plan: the topology.
        platform: the model, for the frontends' device trees.
        by_hand: for files that are kept and booted without the harness: no random seeds, because one must never be used
            twice.

    Raises:
        TraplessError: something is not built, or does not fit into the machine.
    """

    def __init__(self, options: Options, plan: Topology, platform: Any, by_hand: bool = False) -> None:
        if len(plan.links) * _BUSES_PER_PAGE > _BUSES:
            limit = _BUSES // _BUSES_PER_PAGE
            raise TopologyError(f"{plan.source}: QEMU has transports for the agents of {limit} links")
        self._options = options
        self._topology = plan
        self._platform = platform
        self._seeds = not by_hand
        self.cpu = plan.machines[plan.backend()].cpu
        self.processors = len(plan.machines)
        sizes = [private(plan), *(link.region for link in plan.links)]
        self.blob = devicetree.base(Machine(NAME, self.cpu, 0), self.memory_arguments([None] * len(sizes), sizes))
        """QEMU's tree of the machine."""
        self.plan = Plan(plan, tuple(Tree(self.blob).memory()))
        self.hypervisor = project.need(project.XEN, "the hypervisor")
        self.hypervisor_at = topology.read_image(self.hypervisor).offset

    def bus(self, link: Link) -> int:
        """Return which of QEMU's virtio-mmio transports belongs to a link's frontend."""
        return _BUSES_PER_PAGE * self._topology.links.index(link)

    def memory_arguments(self, paths: Sequence[Path | None], sizes: Sequence[int] = ()) -> list[str]:
        """Return the options that decide the machine's device tree: its own memory first, then each link's region.

        Args:
            paths: a file for each, or None for memory that nobody else sees.
            sizes: in bytes, if not those of the plan.
        """
        sizes = sizes or [part.size for part in self.plan.memory]
        arguments = ["-machine", _MACHINE, "-cpu", self.cpu, "-smp", str(self.processors), "-m", f"{sum(sizes) >> 10}K"]
        for number, (size, path) in enumerate(zip(sizes, paths, strict=True)):
            kind = f"file,share=on,mem-path={path}" if path else "ram"
            cpus = "" if number else f"cpus=0-{self.processors - 1},"
            arguments += ["-object", f"memory-backend-{kind},id=ram{number},size={size}"]
            arguments += ["-numa", f"node,nodeid={number},{cpus}memdev=ram{number}"]
        return arguments

    @cached_property
    def files(self) -> dict[File, int]:
        """The address of each file."""
        found = [file for domain in self.plan.domains() for file in self._files(domain)]
        return dict(zip(found, self.plan.modules(len(file.content) for file in found), strict=True))

    def _files(self, domain: Machine) -> list[File]:
        if domain.name == self._topology.backend():
            ramdisk = files.model(self._options)
            image = files.backend_image(self._options).read_bytes()
            tree = trees.backend(self.blob, self.plan, domain.name, self._seeds)
            own = [File(domain.name, "kernel", image), File(domain.name, "device-tree", tree)]
            return own + ([File(domain.name, "ramdisk", ramdisk)] if ramdisk else [])
        (link,) = self._topology.links_of(domain.name)
        bootargs = f"{domain.bootargs.replace(*_CONSOLE)} {_NO_CPUFREQ} {self._options.bootargs}".strip()
        return [
            File(domain.name, "kernel", self._kernel(link), bootargs),
            File(domain.name, "ramdisk", files.initrd(self._options)),
            File(domain.name, "device-tree", trees.frontend(self.blob, self.bus(link))),
        ]

    def _kernel(self, link: Link) -> bytes:
        """Return the stage that grafts the frontend's nodes onto Xen's tree, these nodes, and Linux, as one Image."""
        stage = project.need(project.XEN_SHIM, "the stage in front of the frontend's kernel").read_bytes()
        graft = trees.graft(self.plan, link, self._platform, self._seeds, self._options.overlay)
        linux = files.kernel(self._options).read_bytes()
        composed = bytearray((stage.ljust(_GRAFT_AT, b"\0") + graft).ljust(_KERNEL_AT, b"\0") + linux)
        (size,) = struct.unpack_from("<Q", linux, _IMAGE_SIZE_AT)
        struct.pack_into("<Q", composed, _IMAGE_SIZE_AT, _KERNEL_AT + size)
        return bytes(composed)

    def tree(self) -> bytes:
        """Return the machine's tree, having checked where QEMU will put it and Xen."""
        modules: dict[str, list[trees.Module]] = {}
        for file, at in self.files.items():
            modules.setdefault(file.domain, []).append(trees.Module(file.kind, at, len(file.content), file.bootargs))
        blob = trees.machine(self.blob, self.plan, modules)
        own, *regions = self.plan.memory
        everything = own.size + sum(part.size for part in regions)
        placed = topology.placement(own, everything, topology.read_image(self.hypervisor), 0, 2 * len(blob) + 10000)
        lowest = min(self.files.values())
        if max(part.end for part in placed) > lowest:
            raise TopologyError(f"the files of the domains, from {lowest:#x} on, overlap {placed[-1]}")
        return blob

    def write(self, directory: Path) -> None:
        """Write everything into a directory: a file for each domain and kind, and `xen-dtb`."""
        for file in self.files:
            (directory / file.name).write_bytes(file.content)
        (directory / f"{NAME}-dtb").write_bytes(self.tree())

    def arguments(self, directory: Path | None, paths: Sequence[Path | None]) -> list[str]:
        """Return QEMU's options for the machine and for what `write` wrote.

        Args:
            directory: where; None if QEMU is started in it.
            paths: as for `memory_arguments`.
        """
        prefix = f"{directory}/" if directory else ""
        arguments = ["-nodefaults", "-display", "none", "-accel", "tcg,thread=multi", *self.memory_arguments(paths)]
        arguments += ["-kernel", str(self.hypervisor), "-dtb", f"{prefix}{NAME}-dtb"]
        for file, at in self.files.items():
            arguments += ["-device", f"loader,file={prefix}{file.name},addr={at:#x},force-raw=on"]
        return [*arguments, "-global", "virtio-mmio.force-legacy=off"]

    def console_arguments(self, link: Link, console: str, ports: int) -> list[str]:
        """Return the virtio-serial of a frontend and its first port, the console.

        Args:
            link: the frontend's.
            console: QEMU's chardev for it, without its id, which is "consoleN".
            ports: how many there are.
        """
        bus = self.bus(link)
        device = f"virtio-serial-device,id=serial{bus},bus=virtio-mmio-bus.{bus},max_ports={ports},iommu_platform=on"
        kind, _, rest = console.partition(",")
        chardev = f"{kind},id=console{bus},{rest}" if rest else f"{kind},id=console{bus}"
        port = f"virtconsole,bus=serial{bus}.0,nr=0,chardev=console{bus}"
        return ["-device", device, "-chardev", chardev, "-device", port]
