# SPDX-License-Identifier: MIT
"""A guest as the harness sees it, on any platform: its files, its channels to the harness, its console's log."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trapless.errors import Unsupported
from trapless.topology import Machine

if TYPE_CHECKING:
    from trapless.machine import VirtualMachine

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[^\[])|[\0-\x08\x0b-\x1f\x7f]")
START_TIMEOUT = 20.0


@dataclass
class Channel:
    """A Unix socket between the harness and a QEMU: who listens and what QEMU is told about it."""

    name: str
    path: Path

    def listener(self) -> socket.socket:
        """Return a socket that listens at `path`; QEMU connects to it when it starts."""
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.bind(str(self.path))
        found.listen()
        found.setblocking(False)
        return found

    def argument(self, id: str = "") -> str:
        """Return QEMU's end, called `id` there, or as the channel is."""
        return f"socket,id={id or self.name},path={self.path}"


class Endpoint:
    """A guest of a pair.

    Args:
        machine: its topology.
        directory: the pair's private directory.
    """

    inseparable = ""
    """Why nothing can be done to this guest alone."""

    console = "ttyAMA0"
    """What Linux calls the console that `console_path` leads to."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self.machine = machine
        self.directory = directory
        self._listeners: dict[str, socket.socket] = {}

    @property
    def host(self) -> VirtualMachine:
        """The QEMU that it runs in."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The machine's name in the topology."""
        return self.machine.name

    def alive(self) -> bool:
        """Tell whether its QEMU runs."""
        return self.host.alive()

    def path(self, kind: str) -> Path:
        """Return the path of one of the machine's files: "console.log", "qmp.sock" ..."""
        return self.directory / f"{self.name}-{kind}"

    @property
    def console_path(self) -> Path:
        """The Unix socket of a console that a person may attach to."""
        return self.path("console.sock")

    def channel(self, name: str) -> Channel:
        """Return a channel of this machine; `listen` makes the harness's end."""
        return Channel(name, self.path(f"{name}.sock"))

    def listen(self, name: str) -> None:
        """Listen on a channel before QEMU starts."""
        self._listeners[name] = self.channel(name).listener()

    def accept(self, name: str, timeout: float = START_TIMEOUT) -> socket.socket:
        """Return the connection of the running QEMU to a channel.

        Raises:
            MachineError: QEMU died or did not connect in time.
        """
        self.host.wait_readable(self._listeners[name], timeout, f"did not connect its {name} channel")
        connection, _ = self._listeners[name].accept()
        return connection

    def drop_pending(self) -> None:
        """Take what connected and was never accepted out of the listeners' queues.

        A QEMU that has died left it there: its successor's connection would wait behind it, and a queue that is full
        keeps a QEMU from starting.
        """
        for listener in self._listeners.values():
            with suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()

    def kill(self) -> None:
        """End the guest at once, as a crash would; Unsupported where it cannot be ended alone."""
        raise Unsupported(self.inseparable)

    def pause(self) -> None:
        """Stop the guest: it neither runs nor answers until `resume`; Unsupported where it cannot be stopped alone."""
        raise Unsupported(self.inseparable)

    def resume(self) -> None:
        """Continue after `pause`."""
        raise Unsupported(self.inseparable)

    def cpu_seconds(self) -> float:
        """Return the processor time of the guest so far, in seconds; Unsupported where it is not known."""
        raise Unsupported(self.inseparable)

    def close(self) -> None:
        """Give up the channels."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    def logs(self) -> list[tuple[str, str]]:
        """Return what it and its QEMU have said, by the kind of log."""
        paths = {kind: self.path(kind) for kind in ("console.log", "qemu.log")}
        return [(kind, path.read_text(errors="replace") if path.exists() else "") for kind, path in paths.items()]

    def tail(self, lines: int = 60) -> str:
        """Return the last lines of the console and of QEMU's own messages, for a person.

        Without what would control the person's terminal: the guest's shell asks where the cursor is, for example.
        """
        parts = []
        for kind, said in self.logs():
            text = _ESCAPES.sub("", said)
            if text.strip():
                parts.append(f"--- {self.name} {kind}, last lines\n" + "\n".join(text.rstrip().splitlines()[-lines:]))
        return "\n".join(parts) or f"--- {self.name} printed nothing"
