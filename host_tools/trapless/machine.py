# SPDX-License-Identifier: MIT
"""One virtual machine: its QEMU command line, its process, its monitor and its consoles.

Options and their reasons are those of `docs/architecture.md`, "The QEMU pair". The one that is easy to lose is
`-smp 1,maxcpus=2`: QEMU 7.2 leaves memory barriers out of its translation for a machine that can only ever have one
CPU, and the two guests share memory.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trapless import project
from trapless.endpoint import Endpoint
from trapless.errors import MachineError
from trapless.topology import Link, Machine, Topology

MACHINE = "virt,gic-version=2,highmem=off"
_STOP_TIMEOUT = 5.0


def memory_arguments(machine: Machine, links: Sequence[Link], regions: Sequence[Path | None]) -> list[str]:
    """Return the options that decide a machine's memory and, with it, its device tree.

    Args:
        machine: the machine.
        links: its links, one NUMA node each after the private one.
        regions: the file of each link's region, None for plain memory (enough to dump a device tree).
    """
    total = machine.private + sum(link.region for link in links)
    arguments = ["-machine", MACHINE, "-cpu", machine.cpu, "-smp", f"{machine.cpus},maxcpus=2", "-m", f"{total >> 10}K"]
    arguments += _node(0, "cpus=0-1,", f"memory-backend-ram,id=ram0,size={machine.private}")
    for number, (link, region) in enumerate(zip(links, regions, strict=True), 1):
        kind = f"file,share=on,mem-path={region}" if region else "ram"
        arguments += _node(number, "", f"memory-backend-{kind},id=ram{number},size={link.region}")
    return arguments


def _node(number: int, cpus: str, backend: str) -> list[str]:
    return ["-object", backend, "-numa", f"node,nodeid={number},{cpus}memdev=ram{number}"]


class VirtualMachine(Endpoint):
    """One QEMU process that can be started again after it has died.

    Args:
        machine: its topology.
        directory: the pair's private directory.
        arguments: returns the complete argument list without the program's name; called at each start.
    """

    def __init__(self, machine: Machine, directory: Path, arguments: Callable[[], list[str]]) -> None:
        super().__init__(machine, directory)
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self._qmp: Any = None

    @property
    def host(self) -> VirtualMachine:
        """Itself."""
        return self

    def wait_readable(self, readable: socket.socket, timeout: float, failure: str) -> None:
        """Wait until something may be read while QEMU runs.

        Raises:
            MachineError: QEMU died, or it took too long: `failure` says what QEMU did not do.
        """
        process = self._running()
        watch = os.pidfd_open(process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(readable, selectors.EVENT_READ)
                selector.register(watch, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in selector.select(timeout)]
        finally:
            os.close(watch)
        if readable not in ready:
            died = f"ended with status {process.wait()}" if watch in ready else f"{failure} within {timeout:g} s"
            raise MachineError(f"QEMU of {self.name} {died}\n{self.tail()}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise MachineError(f"the {self.name} is not running")
        return self.process

    def command(self) -> list[str]:
        """Return the whole command line."""
        return [project.QEMU, *self.arguments()]

    def start(self) -> None:
        """Start QEMU. It dies with the harness, whatever kills that.

        Raises:
            MachineError: it is running already, or a program is missing.
        """
        if self.alive():
            raise MachineError(f"the {self.name} is running already (process {self._running().pid})")
        command = ["setpriv", "--pdeathsig", "KILL", *self.command()]
        with self.path("qemu.log").open("ab") as log:
            self.started = time.monotonic()
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            except FileNotFoundError:
                raise MachineError("setpriv is not installed (Debian: apt-get install util-linux)") from None

    def alive(self) -> bool:
        """Tell whether QEMU runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End QEMU at once, as a crash would, and wait for its end."""
        self._drop_monitor()
        if self.process is not None:
            self.process.kill()
            self.process.wait(_STOP_TIMEOUT)
            self.process = None
        self.drop_pending()

    def pause(self) -> None:
        """Stop the process (SIGSTOP): the guest neither runs nor answers until `resume`."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        self._running().send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill QEMU and start it anew on the same region, doorbells and sockets."""
        self.kill()
        self.start()

    def close(self) -> None:
        """Kill QEMU and give up the channels."""
        self.kill()
        super().close()

    def qmp(self, command: str, **arguments: object) -> Any:
        """Run a monitor command (QEMU's docs/interop/qmp-spec) and return its result.

        Raises:
            MachineError: QEMU died or does not answer.
            qemu.qmp.qmp_client.ExecuteError: it refuses the command.
        """
        from qemu.qmp import QMPError
        from qemu.qmp.legacy import QEMUMonitorProtocol
        from qemu.qmp.qmp_client import ExecuteError

        try:
            if self._qmp is None:
                monitor = QEMUMonitorProtocol(self.accept("qmp"))
                monitor.connect()
                self._qmp = monitor
            return self._qmp.cmd(command, **arguments)
        except ExecuteError:
            raise
        except (QMPError, OSError, EOFError) as error:
            raise MachineError(f"the monitor of the {self.name} does not answer: {error}\n{self.tail()}") from None

    def hmp(self, line: str) -> str:
        """Run a line of the human monitor and return what it prints."""
        return str(self.qmp("human-monitor-command", **{"command-line": line}))

    def _drop_monitor(self) -> None:
        if self._qmp is not None:
            monitor, self._qmp = self._qmp, None
            with suppress(OSError, EOFError):  # QEMU may have gone first
                monitor.close()

    @contextmanager
    def traced(self, events: str) -> Iterator[list[str]]:
        """Trace events of QEMU itself ("memory_region_ops_*") while the block runs.

        Yields:
            a list that holds QEMU's lines, one per event, after the block.
        """
        lines: list[str] = []
        log = self.path("trace.log")
        begin = log.stat().st_size if log.exists() else 0
        self.qmp("trace-event-set-state", name=events, enable=True)
        try:
            yield lines
        finally:
            self.qmp("trace-event-set-state", name=events, enable=False)
        with log.open("rb") as file:
            file.seek(begin)
            lines += file.read().decode(errors="replace").splitlines()

    def cpu_seconds(self) -> float:
        """Return the processor time of the QEMU process so far, user and system, in seconds."""
        fields = Path(f"/proc/{self._running().pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wakeups(self) -> int:
        """Return how often the threads of the QEMU process that run now have waited for something so far."""
        return sum(map(_waits, Path(f"/proc/{self._running().pid}/task").iterdir()))

    def resident_bytes(self) -> int:
        """Return the resident memory of the QEMU process, in bytes."""
        fields = Path(f"/proc/{self._running().pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _waits(task: Path) -> int:
    try:
        lines = (task / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches:"))


def common_arguments(
    vm: VirtualMachine, topology: Topology, regions: dict[str, Path], doorbells: dict[str, Path]
) -> list[str]:
    """Return what both sides of a pair have: machine, memory, monitor and doorbells.

    Args:
        vm: the machine.
        topology: all links.
        regions: the file of each link's region, by the link's name.
        doorbells: the socket of this machine's end of each link.
    """
    links = topology.links_of(vm.name)
    arguments = ["-name", f"trapless-{vm.name}", "-nodefaults", "-no-user-config", "-display", "none"]
    arguments += ["-accel", "tcg,thread=multi", "-D", str(vm.path("trace.log"))]
    arguments += memory_arguments(vm.machine, links, [regions[link.name] for link in links])
    arguments += ["-chardev", vm.channel("qmp").argument(), "-mon", "chardev=qmp,mode=control"]
    for link in links:
        if not link.rings:
            continue
        slot = link.doorbell.backend_slot if link.backend == vm.name else link.doorbell.frontend_slot
        arguments += ["-chardev", f"socket,id=doorbell-{link.name},path={doorbells[link.name]}"]
        device = f"ivshmem-doorbell,vectors={link.doorbell.vectors},chardev=doorbell-{link.name},addr={slot:#x}"
        arguments += ["-device", device]
    return arguments
