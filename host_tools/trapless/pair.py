# SPDX-License-Identifier: MIT
"""A running pair: backend, frontend, the regions they share, their doorbells, and nothing left of it afterwards.

Everything that the pair needs on disk lies in one private directory in memory (/dev/shm). A janitor process removes it
when the pair is closed or the harness dies, however it dies; the QEMUs get SIGKILL from the kernel then.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from trapless import devicetree, guest, initramfs, ivshmem, model, probe, project, romfs, running, topology
from trapless.backend import Backend
from trapless.errors import GuestTimeout, MachineError, TraplessError
from trapless.machine import VirtualMachine, common_arguments, memory_arguments
from trapless.topology import Device, Link, Topology

_PROBE_ADVICE = (
    "With a kernel or modules of your own: qemu/kernel/fragment.config lists what the kernel needs, and `dmesg` there"
    " tells why a module was not loaded."
)
_POLL = 0.002
_ANSWER_TIMEOUT = 5.0
SERVING_TIMEOUT = 20.0
READY_TIMEOUT = 60.0


@dataclass
class Options:
    """What a pair is made of; everything not given is what `make` built.

    Args:
        kernel: Linux Image of the frontend.
        modules: directory with *.ko for it.
        model: platform description that the backend serves instead of models.default.
        add: files that appear under /host in the frontend.
        backend_image: the backend's Image.
        backend_arguments: further QEMU options of the backend (a plugin, a trace).
        bootargs: further kernel arguments of the frontend.
    """

    kernel: Path | None = None
    modules: Path | None = None
    model: Path | None = None
    add: list[Path] = field(default_factory=list)
    backend_image: Path | None = None
    backend_arguments: list[str] = field(default_factory=list)
    bootargs: str = ""


class Pair:
    """Backend and frontend of the topology's first link, with all that is between them.

    Use as a context manager, or call `start` and `close`.

    Args:
        options: what to boot.
        plan: the topology.

    Raises:
        TraplessError: a file is missing or something would lie at a wrong place.
    """

    def __init__(self, options: Options | None = None, plan: Topology | None = None) -> None:
        self.options = options or Options()
        _check_files(self.options)
        plan = plan or topology.load()
        self.topology = plan.with_model(romfs.USER_MODEL) if self.options.model else plan
        self.link = self.topology.links[0]
        self.platform = model.load(self.options.model or model_name(self.link))
        self.directory = running.new_directory()
        self.backend_vm = self._machine(self.link.backend, self._backend_arguments)
        self.frontend_vm = self._machine(self.link.frontend, self._frontend_arguments)
        self._janitor: subprocess.Popen[bytes] | None = None
        self._servers: dict[str, ivshmem.Server] = {}
        self._agent: guest.Guest | None = None
        self._serial_port = 0

    def _machine(self, name: str, arguments: Callable[[], list[str]]) -> VirtualMachine:
        return VirtualMachine(self.topology.machines[name], self.directory, arguments)

    # Life

    def __enter__(self) -> Pair:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make the directory with everything in it and start both machines; returns before either has booted.

        Raises:
            TraplessError: something is missing or would be placed wrongly. Nothing is left behind then.
        """
        try:
            self._prepare()
            self.backend_vm.start()
            self.frontend_vm.start()
            self._write_state()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        running.prune()
        self.directory.mkdir(mode=0o700)
        self._janitor = running.start_janitor(self.directory)
        for link in self.topology.links:
            _make_region(self._region(link), link.region)
            bell = link.doorbell
            peers = (bell.backend_peer, bell.frontend_peer)
            self._servers[link.name] = ivshmem.Server(self.directory, link.name, peers, bell.vectors)
        self.write_boot_files()
        self.backend_vm.listen("qmp")
        for name in ("qmp", *guest.PORTS):
            self.frontend_vm.listen(name)

    def close(self) -> None:
        """End everything and remove all files. May be called at any time and twice; signals wait until it is done."""
        with _signals_blocked():
            if self._agent:
                self._agent.close()
                self._agent = None
            for machine in (self.frontend_vm, self.backend_vm):
                machine.close()
            for server in self._servers.values():
                server.close()
            self._servers.clear()
            if self._janitor:
                assert self._janitor.stdin
                self._janitor.stdin.close()
                self._janitor.wait()
                self._janitor = None

    # What the machines are started with

    def _region(self, link: Link) -> Path:
        return self.directory / f"region-{link.name}"

    def write_boot_files(self) -> None:
        """Write device trees and initrds and check where QEMU will put them. The seeds in the trees are fresh."""
        options = self.options
        trees = device_trees(self.topology, self.platform)
        self.backend_vm.path("dtb").write_bytes(trees[self.link.backend])
        self.frontend_vm.path("dtb").write_bytes(trees[self.link.frontend])
        rom = romfs.model(options.model) if options.model else b""
        if rom:
            self.backend_vm.path("initrd").write_bytes(rom)
        base = project.need(project.INITRAMFS, "the frontend's initramfs").read_bytes()
        modules = options.modules or project.need(project.MODULES, "the directory of kernel modules")
        ramdisk = initramfs.extend(base, modules, options.add)
        self.frontend_vm.path("initrd").write_bytes(ramdisk)
        self._check_placement(self.backend_vm, self._backend_image(), len(rom), len(trees[self.link.backend]))
        self._check_placement(self.frontend_vm, self._kernel(), len(ramdisk), len(trees[self.link.frontend]))

    def _check_placement(self, vm: VirtualMachine, image: Path, initrd: int, dtb: int) -> None:
        links = self.topology.links_of(vm.name)
        private = devicetree.Tree(vm.path("dtb").read_bytes()).memory()[0]
        everything = vm.machine.private + sum(link.region for link in links)
        # QEMU makes room in the tree for what it adds: load_device_tree() takes twice its size and 10000 bytes.
        topology.placement(private, everything, topology.read_image(image), initrd, 2 * dtb + 10000)

    def _backend_image(self) -> Path:
        return project.need(self.options.backend_image or project.BACKEND_IMAGE, "the backend's image")

    def _kernel(self) -> Path:
        return project.need(self.options.kernel or project.KERNEL, "the frontend's kernel")

    def _common(self, vm: VirtualMachine) -> list[str]:
        links = self.topology.links_of(vm.name)
        doorbells = {}
        for link in links:
            bell = link.doorbell
            peer = bell.backend_peer if link.backend == vm.name else bell.frontend_peer
            doorbells[link.name] = ivshmem.socket_path(self.directory, link.name, peer)
        return common_arguments(vm, self.topology, {link.name: self._region(link) for link in links}, doorbells)

    def _backend_arguments(self) -> list[str]:
        vm = self.backend_vm
        arguments = [*self._common(vm), "-kernel", str(self._backend_image()), "-dtb", str(vm.path("dtb"))]
        if self.options.model:
            arguments += ["-initrd", str(vm.path("initrd"))]
        serial = f"socket,id=serial,host=127.0.0.1,port={self._serial_port},server=on,wait=off,nodelay=on"
        arguments += ["-chardev", f"{serial},{_log(vm)}", "-serial", "chardev:serial"]
        return [*arguments, *self.options.backend_arguments]

    def _frontend_arguments(self) -> list[str]:
        vm = self.frontend_vm
        bootargs = f"{vm.machine.bootargs} {self.options.bootargs}".strip()
        arguments = [*self._common(vm), "-kernel", str(self._kernel()), "-dtb", str(vm.path("dtb"))]
        arguments += ["-initrd", str(vm.path("initrd")), "-append", bootargs]
        console = f"socket,id=console,path={self.console_path},server=on,wait=off"
        arguments += ["-chardev", f"{console},{_log(vm)}", "-serial", "chardev:console"]
        arguments += ["-device", f"virtio-serial-pci,addr={vm.machine.agent_slot:#x},disable-legacy=on"]
        for port in guest.PORTS:
            device = f"virtserialport,chardev={port},name=trapless.{port}"
            arguments += ["-chardev", vm.channel(port).argument(), "-device", device]
        return arguments

    @property
    def console_path(self) -> Path:
        """The Unix socket of the frontend's console."""
        return self.frontend_vm.path("console.sock")

    def commands(self) -> dict[str, list[str]]:
        """Return both QEMU command lines, by the machine's name."""
        return {vm.name: vm.command() for vm in (self.backend_vm, self.frontend_vm)}

    # What a person or a test does with it

    @property
    def serial_port(self) -> int:
        """The TCP port of the backend's prompt, the same over restarts of the backend."""
        if not self._serial_port:
            (serial,) = (device for device in self.backend_vm.qmp("query-chardev") if device["label"] == "serial")
            self._serial_port = int(serial["filename"].split(",")[0].rpartition(":")[2])
        return self._serial_port

    @property
    def doorbells(self) -> ivshmem.Server:
        """The doorbell server of the link."""
        return self._servers[self.link.name]

    @property
    def backend(self) -> Backend:
        """The backend's prompt."""
        return Backend(f"socket://127.0.0.1:{self.serial_port}", self.backend_vm.tail)

    @property
    def frontend(self) -> guest.Guest:
        """The frontend's agent, once `wait_ready` has returned.

        Raises:
            MachineError: before that.
        """
        if self._agent is None:
            raise MachineError("the frontend has not been waited for; call wait_ready() first")
        return self._agent

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until the backend serves, the frontend takes commands and Linux has probed what the model offers.

        Raises:
            MachineError: a machine died.
            GuestTimeout: or it took too long.
        """
        self.wait_serving()
        self.wait_agent(timeout)
        self.wait_probed(timeout)

    def wait_agent(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until the frontend takes commands, whether or not the backend serves.

        Raises:
            MachineError: it died.
            GuestTimeout: it took too long.
        """
        if self._agent is None:
            ports = {name: self.frontend_vm.accept(name, timeout) for name in guest.PORTS}
            self._agent = guest.Guest(ports, self.frontend_vm.tail)
            self._agent.wait_ready(timeout)

    def wait_probed(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until Linux has probed the platform: every driver that the model's protocols bring is bound.

        Raises:
            GuestTimeout: it took too long.
        """
        conditions = probe.conditions(self.platform)
        try:
            self.frontend.wait_for(" && ".join(conditions.values()), timeout)
        except GuestTimeout:
            what = f"Linux did not probe the platform within {timeout:g} s: {self._failing(conditions)}"
            raise GuestTimeout(f"{what}\n{project.outdated() or _PROBE_ADVICE}\n{self.tails()}") from None

    def _failing(self, conditions: dict[str, str]) -> str:
        try:
            failing = [what for what, test in conditions.items() if self.frontend.run(test, _ANSWER_TIMEOUT).status]
        except TraplessError:
            return "it does not answer any more"
        return "; ".join(failing) or "it came a moment later"

    def epochs(self, link: Link | None = None) -> dict[Device, int]:
        """Return the `DEV_BE_EPOCH` of every device of a link (0: not there), as it stands in the region now."""
        link = link or self.link
        layout = model.firmware("virtio.layout")
        with self._region(link).open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
            at = {device: link.device_page(device) + layout.DEV_BE_EPOCH for device in link.devices}
            return {device: struct.unpack_from("<I", memory, offset)[0] for device, offset in at.items()}

    def wait_serving(self, after: dict[Device, int] | None = None, timeout: float = SERVING_TIMEOUT) -> float:
        """Wait until the backend serves every device of the link.

        Args:
            after: epochs of a previous life, which do not count.
            timeout: in seconds.

        Returns:
            seconds from the start of the backend's QEMU, to a few milliseconds.

        Raises:
            MachineError: it died, or does not serve in time.
        """
        old = after or {}
        deadline = time.monotonic() + timeout
        while not all(epoch and epoch != old.get(device) for device, epoch in self.epochs().items()):
            if not self.backend_vm.alive():
                raise MachineError(f"the backend's QEMU ended\n{self.backend_vm.tail()}")
            if time.monotonic() > deadline:
                message = f"the backend does not serve {self.link.name} after {timeout:g} s"
                raise MachineError(f"{message}\n{self.backend_vm.tail()}")
            time.sleep(_POLL)  # nothing can wake us for a store into shared memory; the deadline bounds it
        return time.monotonic() - self.backend_vm.started

    def restart_backend(self) -> None:
        """Kill the backend's QEMU and start it anew; returns when it serves again."""
        before = self.epochs()
        self._serial_port = self.serial_port
        self.backend_vm.kill()
        self.write_boot_files()
        self.backend_vm.start()
        self.wait_serving(before)
        self._write_state()

    def restart_frontend(self) -> None:
        """Kill the frontend's QEMU and start it anew; returns when Linux has probed the platform again."""
        if self._agent:
            self._agent.close()
            self._agent = None
        self.frontend_vm.kill()
        self.write_boot_files()
        self.frontend_vm.start()
        self._write_state()
        self.wait_ready()

    def tails(self) -> str:
        """Return the last lines of both consoles, for a person."""
        return f"{self.backend_vm.tail()}\n{self.frontend_vm.tail()}"

    def _write_state(self) -> None:
        state = {
            "harness": os.getpid(),
            "machines": {vm.name: vm.process.pid for vm in (self.backend_vm, self.frontend_vm) if vm.process},
            "prompt": f"socket://127.0.0.1:{self.serial_port}",
            "console": str(self.console_path),
            "model": str(self.options.model or model_name(self.link)),
            "kernel": str(self._kernel().absolute()),
            "started": time.time(),
        }
        running.publish(self.directory, state)


def _check_files(options: Options) -> None:
    """Refuse what cannot work, before anything is started."""
    for what, path in (("kernel", options.kernel), ("image of the backend", options.backend_image)):
        if path and not path.is_file():
            raise TraplessError(f"no such {what}: {path}")
    for path in options.add:
        if not path.exists():
            raise TraplessError(f"no such file to add: {path}")
    if options.modules and not any(options.modules.glob("*.ko")):
        raise TraplessError(
            f"no kernel modules (*.ko) in {options.modules}; `make -C linux KDIR=... OUT=DIR` builds them"
        )


def model_name(link: Link) -> str:
    """Return the name of the model that a link's SCMI device serves.

    Raises:
        TraplessError: it has no such device.
    """
    for device in link.devices:
        if device.kind == "scmi":
            return device.model
    raise TraplessError(f"link {link.name} has no SCMI device, so there is no platform model to load")


def _log(vm: VirtualMachine) -> str:
    return f"logfile={vm.path('console.log')},logappend=on"


def _make_region(path: Path, size: int) -> None:
    try:
        with path.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        need = f"{size >> 20} MiB for the shared region"
        raise TraplessError(f"{path.parent.parent} has no room: {need}: {error.strerror}") from None


@contextmanager
def _signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def device_trees(plan: Topology, platform: Any, by_hand: bool = False) -> dict[str, bytes]:
    """Return the final device trees of all machines, by name.

    Args:
        plan: the topology.
        platform: the model, for the SCMI nodes.
        by_hand: for trees that are kept and booted without the harness (see `devicetree.frontend`).
    """
    protocols = {node["name"]: node["properties"] for node in platform.frontend_nodes()}
    dumps = {}
    for machine in plan.machines.values():
        links = plan.links_of(machine.name)
        dumps[machine.name] = devicetree.base(machine, memory_arguments(machine, links, [None] * len(links)))
    backends = {link.backend for link in plan.links}
    far: dict[str, devicetree.Place] = {}
    for name, machine in plan.machines.items():
        if name not in backends:
            far |= devicetree.places(devicetree.Tree(dumps[name]), plan, machine)
    return {
        name: devicetree.backend(dumps[name], plan, machine, far, by_hand)
        if name in backends
        else devicetree.frontend(dumps[name], plan, machine, protocols, by_hand)
        for name, machine in plan.machines.items()
    }
