# SPDX-License-Identifier: MIT
"""What the machines of a pair are started with: device trees, initrds, and QEMU's options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trapless import devicetree, files, guest, ivshmem, region, topology
from trapless.machine import VirtualMachine, common_arguments
from trapless.options import Options
from trapless.topology import Link, Topology
from trapless.tree import Tree


class Boot:
    """Makes the machines of a pair and the files that they boot from.

    Args:
        options: what to boot.
        plan: the topology.
        platform: the model, for the frontends' device trees.
        directory: the pair's private directory.
    """

    one_life = ""
    """Why no guest can be started anew; empty where it can."""

    def __init__(self, options: Options, plan: Topology, platform: Any, directory: Path) -> None:
        self._options = options
        self._plan = plan
        self._platform = platform
        self._directory = directory
        self.serial_port = 0
        """The TCP port that the backend's prompt gets; 0: any."""

        self.endpoints = {name: self._machine(name) for name in plan.machines}
        """All guests, by name."""
        self.hosts = list(self.endpoints.values())
        """The QEMUs to start."""

    def _machine(self, name: str) -> VirtualMachine:
        own = self._backend_arguments if name == self._plan.backend() else self._frontend_arguments
        vm = VirtualMachine(self._plan.machines[name], self._directory, lambda: [*self._common(vm), *own(vm)])
        return vm

    def doorbells(self, link: Link) -> ivshmem.Server:
        """Return the server of a link's doorbells, which serves from now on."""
        bell = link.doorbell
        peers = (bell.backend_peer, bell.frontend_peer)
        return ivshmem.Server(self._directory, link.name, peers, bell.vectors)

    # Files

    def prepare(self) -> None:
        """Listen for the monitors, and write every machine's files; raises as for `write`."""
        for vm in self.hosts:
            vm.listen("qmp")
            self.write(vm.name)

    def write(self, name: str) -> None:
        """Write a machine's device tree and initrd.

        Raises:
            TraplessError: something is not built, or QEMU would put something at a wrong place.
        """
        vm = self.endpoints[name]
        if name == self._plan.backend():
            ramdisk = files.model(self._options)
            image = files.backend_image(self._options)
        else:
            ramdisk = files.initrd(self._options)
            image = files.kernel(self._options)
        if ramdisk:
            vm.path("initrd").write_bytes(ramdisk)
        self._write_tree(vm, image, len(ramdisk))

    def _write_tree(self, vm: VirtualMachine, image: Path, initrd: int) -> None:
        """Write a tree with fresh seeds, and check where QEMU will put everything."""
        blob = devicetree.make(self._plan, self._platform, further=self._options.overlay)[vm.name]
        vm.path("dtb").write_bytes(blob)
        private = Tree(blob).memory()[0]
        everything = vm.machine.private + sum(link.region for link in self._plan.links_of(vm.name))
        # QEMU makes room in the tree for what it adds: load_device_tree() takes twice its size and 10000 bytes.
        topology.placement(private, everything, topology.read_image(image), initrd, 2 * len(blob) + 10000)

    # QEMU's options

    def _common(self, vm: VirtualMachine) -> list[str]:
        links = self._plan.links_of(vm.name)
        regions = {link.name: region.path(self._directory, link) for link in links}
        doorbells = {}
        for link in links:
            bell = link.doorbell
            peer = bell.backend_peer if link.backend == vm.name else bell.frontend_peer
            doorbells[link.name] = ivshmem.socket_path(self._directory, link.name, peer)
        return common_arguments(vm, self._plan, regions, doorbells)

    def _backend_arguments(self, vm: VirtualMachine) -> list[str]:
        arguments = ["-kernel", str(files.backend_image(self._options)), "-dtb", str(vm.path("dtb"))]
        if self._options.model:
            arguments += ["-initrd", str(vm.path("initrd"))]
        serial = f"socket,id=serial,host=127.0.0.1,port={self.serial_port},server=on,wait=off,nodelay=on"
        arguments += ["-chardev", f"{serial},{_log(vm)}", "-serial", "chardev:serial"]
        return [*arguments, *self._options.backend_arguments]

    def _frontend_arguments(self, vm: VirtualMachine) -> list[str]:
        bootargs = f"{vm.machine.bootargs} {self._options.bootargs}".strip()
        arguments = ["-kernel", str(files.kernel(self._options)), "-dtb", str(vm.path("dtb"))]
        arguments += ["-initrd", str(vm.path("initrd")), "-append", bootargs]
        console = f"socket,id=console,path={vm.console_path},server=on,wait=off"
        arguments += ["-chardev", f"{console},{_log(vm)}", "-serial", "chardev:console"]
        # Port 0 is a console's. QEMU watches two queues of each port that there could be, at every look of its loop.
        serial = f"virtio-serial-pci,max_ports={1 + len(guest.PORTS)}"
        arguments += ["-device", f"{serial},addr={vm.machine.agent_slot:#x},disable-legacy=on"]
        for port in guest.PORTS:
            device = f"virtserialport,chardev={port},name=trapless.{port}"
            arguments += ["-chardev", vm.channel(port).argument(), "-device", device]
        return arguments


def _log(vm: VirtualMachine) -> str:
    return f"logfile={vm.path('console.log')},logappend=on"
