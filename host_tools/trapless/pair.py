# SPDX-License-Identifier: MIT
"""A running pair: backend, frontends, the regions they share, their doorbells, and nothing left of it afterwards.

Everything that the pair needs on disk lies in one private directory in memory (/dev/shm). A janitor process removes it
when the pair is closed or the harness dies, however it dies; the QEMUs get SIGKILL from the kernel then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from trapless import boot, files, model, romfs, running, sanitizers, topology
from trapless.backend import Backend
from trapless.errors import MachineError, TraplessError, Unsupported
from trapless.frontend import READY_TIMEOUT, Frontend
from trapless.options import Options
from trapless.topology import Device
from trapless.xen import boot as xen

_POLL = 0.002
SERVING_TIMEOUT = 20.0


def _boot_of(platform: str) -> type[boot.Boot] | type[xen.Boot]:
    return xen.Boot if platform == "xen" else boot.Boot


class Pair:
    """A backend and its frontends, with all that is between them.

    Use as a context manager, or call `start` and `close`. `frontends` has all of them by name, `frontend` is the
    first one of the topology.

    Args:
        options: what to boot.

    Raises:
        TraplessError: a file is missing, or topology and model do not go together.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.options.check()
        plan = topology.load(topology.find(self.options.topology))
        self.patience = 1.0
        if self.options.sanitizer:
            sanitizer = sanitizers.SANITIZERS[self.options.sanitizer]
            plan = plan.with_frontends(sanitizer.private, sanitizer.cpus, sanitizer.bootargs)
            self.patience = sanitizer.patience
        plan = plan.with_queues(self.options.queues) if self.options.queues else plan
        plan = plan if self.options.spin_us is None else plan.with_spin(self.options.spin_us)
        self.topology = plan.with_model(romfs.USER_MODEL) if self.options.model else plan
        self.model = str(self.options.model or model.name_of(self.topology))
        self.platform = model.load(self.options.model or self.model)
        self.directory = running.new_directory()
        self._boot = _boot_of(self.options.platform)(self.options, self.topology, self.platform, self.directory)
        self.backend_vm = self._boot.endpoints[self.topology.backend()]
        self.frontends = {
            link.frontend: Frontend(self._boot.endpoints[link.frontend], link, self.platform, agent, self.patience)
            for link, agent in zip(self.topology.links, model.agents(self.platform, self.topology), strict=True)
        }
        self.frontend = next(iter(self.frontends.values()))
        self._janitor: subprocess.Popen[bytes] | None = None

    # Life

    def __enter__(self) -> Pair:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make the directory with everything in it and start all machines; returns before any has booted.

        Raises:
            TraplessError: something is missing or would be placed wrongly. Nothing is left behind then.
        """
        try:
            self._prepare()
            for host in self._boot.hosts:
                host.start()
            self._write_state()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        running.prune()
        self.directory.mkdir(mode=0o700)
        self._janitor = running.start_janitor(self.directory)
        for frontend in self.frontends.values():
            frontend.prepare(self._boot.doorbells(frontend.link))
        self._boot.prepare()

    def close(self) -> None:
        """End everything and remove all files. May be called at any time and twice; signals wait until it is done."""
        with _signals_blocked():
            for frontend in self.frontends.values():
                frontend.close()
            for host in self._boot.hosts:
                host.close()
            for frontend in self.frontends.values():
                frontend.close_doorbells()
            if self._janitor:
                assert self._janitor.stdin
                self._janitor.stdin.close()
                self._janitor.wait()
                self._janitor = None

    def commands(self) -> dict[str, list[str]]:
        """Return the QEMU command lines, by the machine's name."""
        return {host.name: host.command() for host in self._boot.hosts}

    # What a person or a test does with it

    def named(self, name: str | None) -> Frontend:
        """Return the frontend of that name, the first one without a name.

        Raises:
            TraplessError: there is none; the message lists them.
        """
        if name is None:
            return self.frontend
        if name not in self.frontends:
            raise TraplessError(f"no frontend {name!r} in {self.topology.source}; it has {', '.join(self.frontends)}")
        return self.frontends[name]

    @property
    def serial_port(self) -> int:
        """The TCP port of the backend's prompt, the same over restarts of the backend."""
        if not self._boot.serial_port:
            (serial,) = (device for device in self.backend_vm.host.qmp("query-chardev") if device["label"] == "serial")
            self._boot.serial_port = int(serial["filename"].split(",")[0].rpartition(":")[2])
        return self._boot.serial_port

    @property
    def backend(self) -> Backend:
        """The backend's prompt."""
        return Backend(f"socket://127.0.0.1:{self.serial_port}", self.backend_vm.tail)

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until the backend serves, all frontends take commands and Linux has probed what the model offers.

        Raises:
            MachineError: a machine died.
            GuestTimeout: or it took too long.
        """
        self.wait_serving()
        self.wait_agent(timeout)
        self.wait_probed(timeout)

    def wait_agent(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until all frontends take commands, whether or not the backend serves.

        Raises:
            MachineError: one died.
            GuestTimeout: it took too long.
        """
        for frontend in self.frontends.values():
            frontend.wait_agent(timeout)

    def wait_probed(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until Linux in all frontends has probed the platform.

        Raises:
            GuestTimeout: it took too long.
        """
        for frontend in self.frontends.values():
            frontend.wait_probed(timeout)

    def epochs(self) -> dict[tuple[str, Device], int]:
        """Return the `DEV_BE_EPOCH` of every device (0: not there), by its frontend's name and the device."""
        return {
            (name, device): epoch
            for name, frontend in self.frontends.items()
            for device, epoch in frontend.epochs().items()
        }

    def wait_serving(
        self, after: dict[tuple[str, Device], int] | None = None, timeout: float = SERVING_TIMEOUT
    ) -> float:
        """Wait until the backend serves every device of every link.

        Args:
            after: epochs of a previous life, which do not count.
            timeout: in seconds.

        Returns:
            seconds from the start of the backend's QEMU, to a few milliseconds.

        Raises:
            MachineError: it died, or does not serve in time.
        """
        old = after or {}
        deadline = time.monotonic() + timeout * self.patience
        while waiting := [at for at, epoch in self.epochs().items() if epoch in (0, old.get(at))]:
            if not self.backend_vm.alive():
                raise MachineError(f"the backend's QEMU ended\n{self.backend_vm.tail()}")
            if time.monotonic() > deadline:
                link = self.frontends[waiting[0][0]].link
                message = f"the backend does not serve {link.name} after {timeout:g} s"
                raise MachineError(f"{message}\n{self.backend_vm.tail()}")
            time.sleep(_POLL)  # nothing can wake us for a store into shared memory; the deadline bounds it
        return time.monotonic() - self.backend_vm.host.started

    @property
    def one_life(self) -> str:
        """Why the platform cannot start a guest anew; empty where it can."""
        return self._boot.one_life

    def _need_restarts(self) -> None:
        if self.one_life:
            raise Unsupported(self.one_life)

    def restart_backend(self) -> None:
        """Kill the backend's QEMU and start it anew; returns when it serves again.

        Raises:
            TraplessError: the platform cannot, or it does not come up.
        """
        self._need_restarts()
        before = self.epochs()
        self._boot.serial_port = self.serial_port
        self.backend_vm.host.kill()
        self._boot.write(self.backend_vm.name)
        self.backend_vm.host.start()
        self.wait_serving(before)
        self._write_state()

    def restart_frontend(self, name: str | None = None, probed: bool = True) -> None:
        """Kill a frontend's QEMU and start it anew; returns when Linux there has probed the platform again.

        Args:
            name: which one, the first one if not given.
            probed: False to return as soon as it takes commands.

        Raises:
            TraplessError: there is none of that name, or it does not come up.
        """
        self._need_restarts()
        frontend = self.named(name)
        frontend.drop_shell()
        frontend.vm.host.kill()
        self._boot.write(frontend.name)
        frontend.vm.host.start()
        self._write_state()
        self.wait_serving()
        frontend.wait_agent()
        if probed:
            frontend.wait_probed()

    def tails(self) -> str:
        """Return the last lines of all consoles, for a person."""
        guests = self._boot.endpoints.values()
        return "\n".join(one.tail() for one in dict.fromkeys([*guests, *self._boot.hosts]))

    def examine(self) -> str:
        """Return what both sides say of themselves now, for a person whose test has failed."""
        told = [f"--- {name} kernel log and counters\n{one.examine()}" for name, one in self.frontends.items()]
        try:
            told.append(f"--- backend status()\n{self.backend.exec('status()')}")
        except TraplessError as error:
            told.append(f"--- backend status()\n{error}")
        return "\n".join(told)

    def _write_state(self) -> None:
        state = {
            "harness": os.getpid(),
            "machines": {host.name: host.process.pid for host in self._boot.hosts if host.process},
            "prompt": f"socket://127.0.0.1:{self.serial_port}",
            "frontends": [frontend.state() for frontend in self.frontends.values()],
            "platform": self.options.platform,
            "model": self.model,
            "kernel": str(files.kernel(self.options).absolute()),
            "started": time.time(),
        }
        running.publish(self.directory, state)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
