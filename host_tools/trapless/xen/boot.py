# SPDX-License-Identifier: MIT
"""What Xen's machine is started with: hypervisor, modules of all domains, device trees, and QEMU's options."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trapless import devicetree, files, guest, project, region, topology
from trapless.endpoint import Endpoint
from trapless.errors import TopologyError
from trapless.options import Options
from trapless.topology import Link, Machine, Topology
from trapless.tree import Tree
from trapless.xen import trees
from trapless.xen.domain import Domain, Host
from trapless.xen.log import Memory
from trapless.xen.plan import Plan, private

NAME = "xen"
ONE_LIFE = "Xen does not restart a domain without a control domain, and QEMU does not end with one"
_MACHINE = "virt,virtualization=on,gic-version=3,highmem=off"
_BUSES_PER_PAGE = 8  # virtio-mmio transports in a page, which belongs to one domain
_BUSES = 32
_SERIAL_PORTS = 1 + len(guest.PORTS)
_GRAFT_AT = 0x10000
_KERNEL_AT = 0x200000
_IMAGE_SIZE_AT = 16  # in the header of an arm64 Image


@dataclass(frozen=True)
class _File:
    """A file for a domain: what it is to Xen, its content, the kernel's arguments."""

    kind: str
    content: bytes
    bootargs: str = ""


class Boot:
    """Makes the domains and the files that the machine boots from.

    Args:
        options: what to boot.
        plan: the topology.
        platform: the model, for the frontends' device trees.
        directory: the pair's private directory.
    """

    one_life = ONE_LIFE
    """Why no guest can be started anew; empty where it can."""

    def __init__(self, options: Options, plan: Topology, platform: Any, directory: Path) -> None:
        if len(plan.links) * _BUSES_PER_PAGE > _BUSES:
            raise TopologyError(
                f"{plan.source}: QEMU has transports for the agents of {_BUSES // _BUSES_PER_PAGE} links"
            )
        self._options = options
        self._topology = plan
        self._platform = platform
        self._directory = directory
        self._processors = len(plan.machines)
        self.serial_port = 0
        """The TCP port that the backend's prompt gets; 0: any."""
        cpu = plan.machines[plan.backend()].cpu
        self._blob = devicetree.base(Machine(NAME, cpu, 0), self._memory_arguments(cpu, False))
        self._plan = Plan(plan, tuple(Tree(self._blob).memory()))
        self._image = project.need(project.XEN, "the hypervisor")
        at = topology.read_image(self._image).offset
        host = Host(
            Machine(NAME, cpu, private(plan)),
            directory,
            self._arguments,
            Memory(directory / "memory", at, self._processors),
        )
        self._host = host
        self.hosts = [host]
        self.endpoints: dict[str, Endpoint] = {
            domain.name: Domain(domain, directory, number, host)
            for number, domain in enumerate(self._plan.domains(), 1)
        }

    def doorbells(self, link: Link) -> None:
        """Nothing: doorbells are Xen's event channels."""

    # Files

    def prepare(self) -> None:
        """Listen for the monitor, and write all files.

        Raises:
            TraplessError: something is not built, or does not fit into the machine.
        """
        self._host.listen("qmp")
        self._loaders: list[tuple[Path, int]] = []
        found = [(domain, file) for domain in self._plan.domains() for file in self._files(domain)]
        modules: dict[str, list[trees.Module]] = {}
        addresses = self._plan.modules(len(file.content) for _, file in found)
        for (domain, file), at in zip(found, addresses, strict=True):
            path = self.endpoints[domain.name].path(file.kind)
            path.write_bytes(file.content)
            self._loaders.append((path, at))
            modules.setdefault(domain.name, []).append(trees.Module(file.kind, at, len(file.content), file.bootargs))
        self._write_tree(modules)

    def write(self, name: str) -> None:
        """Nothing: a domain has one life, with the files that `prepare` wrote."""

    def _files(self, domain: Machine) -> list[_File]:
        if domain.name == self._topology.backend():
            ramdisk = files.model(self._options)
            image = files.backend_image(self._options).read_bytes()
            own = [_File("kernel", image), _File("device-tree", trees.backend(self._blob, self._plan, domain.name))]
            return own + ([_File("ramdisk", ramdisk)] if ramdisk else [])
        (link,) = self._topology.links_of(domain.name)
        bootargs = domain.bootargs.replace("console=ttyAMA0 earlycon", "console=ttyAMA0 console=hvc0")
        return [
            _File("kernel", self._kernel(link), f"{bootargs} {self._options.bootargs}".strip()),
            _File("ramdisk", files.initrd(self._options)),
            _File("device-tree", trees.frontend(self._blob, self._plan, link, self._bus(link))),
        ]

    def _bus(self, link: Link) -> int:
        return _BUSES_PER_PAGE * self._topology.links.index(link)

    def _kernel(self, link: Link) -> bytes:
        """Return the stage that grafts the frontend's nodes onto Xen's tree, these nodes, and Linux, as one Image."""
        stage = project.need(project.XEN_SHIM, "the stage in front of the frontend's kernel").read_bytes()
        graft = trees.graft(self._plan, link, self._platform, self._options.overlay)
        linux = files.kernel(self._options).read_bytes()
        composed = bytearray((stage.ljust(_GRAFT_AT, b"\0") + graft).ljust(_KERNEL_AT, b"\0") + linux)
        (size,) = struct.unpack_from("<Q", linux, _IMAGE_SIZE_AT)
        struct.pack_into("<Q", composed, _IMAGE_SIZE_AT, _KERNEL_AT + size)
        return bytes(composed)

    def _write_tree(self, modules: dict[str, list[trees.Module]]) -> None:
        """Write the machine's tree, and check where QEMU will put it and Xen."""
        blob = trees.machine(self._blob, self._plan, modules)
        self._host.path("dtb").write_bytes(blob)
        own, *regions = self._plan.memory
        everything = own.size + sum(part.size for part in regions)
        placed = topology.placement(own, everything, topology.read_image(self._image), 0, 2 * len(blob) + 10000)
        lowest = min(at for _, at in self._loaders)
        if max(part.end for part in placed) > lowest:
            raise TopologyError(f"the files of the domains, from {lowest:#x} on, overlap {placed[-1]}")

    # QEMU's options

    def _memory_arguments(self, cpu: str, files_too: bool) -> list[str]:
        """Return the options that decide the machine's device tree: its own memory first, then each link's region."""
        plan = self._topology
        parts = [(private(plan), self._directory / "memory")]
        parts += [(link.region, region.path(self._directory, link)) for link in plan.links]
        total = sum(size for size, _ in parts)
        arguments = ["-machine", _MACHINE, "-cpu", cpu, "-smp", str(self._processors), "-m", f"{total >> 10}K"]
        for number, (size, path) in enumerate(parts):
            kind = f"file,share=on,mem-path={path}" if files_too else "ram"
            cpus = "" if number else f"cpus=0-{self._processors - 1},"
            arguments += ["-object", f"memory-backend-{kind},id=ram{number},size={size}"]
            arguments += ["-numa", f"node,nodeid={number},{cpus}memdev=ram{number}"]
        return arguments

    def _arguments(self) -> list[str]:
        host, backend = self._host, self.endpoints[self._topology.backend()]
        arguments = ["-name", "trapless-xen", "-nodefaults", "-no-user-config", "-display", "none"]
        arguments += ["-accel", "tcg,thread=multi", "-D", str(host.path("trace.log"))]
        arguments += self._memory_arguments(host.machine.cpu, True)
        arguments += ["-chardev", host.channel("qmp").argument(), "-mon", "chardev=qmp,mode=control"]
        arguments += ["-kernel", str(self._image), "-dtb", str(host.path("dtb"))]
        for path, at in self._loaders:
            arguments += ["-device", f"loader,file={path},addr={at:#x},force-raw=on"]
        serial = f"socket,id=serial,host=127.0.0.1,port={self.serial_port},server=on,wait=off,nodelay=on"
        arguments += ["-chardev", f"{serial},{_log(backend)}", "-serial", "chardev:serial"]
        arguments += ["-global", "virtio-mmio.force-legacy=off"]
        for link in self._topology.links:
            arguments += self._agent(link)
        return [*arguments, *self._options.backend_arguments]

    def _agent(self, link: Link) -> list[str]:
        """Return the virtio-serial of a frontend: its console and the ports of the harness's agent."""
        domain, bus = self.endpoints[link.frontend], self._bus(link)
        serial = f"serial{bus}"
        device = f"virtio-serial-device,id={serial},bus=virtio-mmio-bus.{bus},max_ports={_SERIAL_PORTS}"
        console = f"socket,id=console{bus},path={domain.console_path},server=on,wait=off"
        arguments = ["-device", f"{device},iommu_platform=on", "-chardev", f"{console},{_log(domain)}"]
        arguments += ["-device", f"virtconsole,bus={serial}.0,nr=0,chardev=console{bus}"]
        for number, port in enumerate(guest.PORTS, 1):
            arguments += ["-chardev", domain.channel(port).argument(f"{port}{bus}")]
            name = f"trapless.{port}.{domain.name}"
            arguments += ["-device", f"virtserialport,bus={serial}.0,nr={number},chardev={port}{bus},name={name}"]
        return arguments


def _log(endpoint: Endpoint) -> str:
    return f"logfile={endpoint.path('console.log')},logappend=on"
