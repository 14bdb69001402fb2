# SPDX-License-Identifier: MIT
"""The host's side of the agent in the frontend: runs shell commands there over three virtio-serial ports.

The other side is `qemu/initramfs/agent`. The host writes `<nonce> <base64 of the command>` to `ctl`; output comes raw
on `out` and `err`, each ended by `<nonce>`; then `<nonce> <exit status>` comes on `ctl`. Before the first command the
guest writes `ready`.
"""

from __future__ import annotations

import base64
import math
import secrets
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from trapless.errors import GuestTimeout, MachineError

PORTS = ("ctl", "out", "err")
_CHUNK = 65536
_READY = b"ready"
Sink = Callable[[bytes], object]


@dataclass(frozen=True)
class Result:
    """What a command left: output as bytes, exit status (128 + signal if it was killed by one)."""

    stdout: bytes
    stderr: bytes
    status: int

    @property
    def text(self) -> str:
        """Standard output without the last newline."""
        return self.stdout.decode(errors="replace").removesuffix("\n")


class _Stream:
    """One output port during one command: passes bytes on until the marker, which it keeps back."""

    def __init__(self, marker: bytes, sink: Sink | None) -> None:
        self.passed = bytearray()
        self.ended = False
        self._marker = marker
        self._held = b""
        self._sink = sink

    def feed(self, data: bytes) -> None:
        if self.ended:
            return  # a process that the command left in the background; it has no reader any more
        self._held += data
        at = self._held.find(self._marker)
        self.ended = at >= 0
        ready = at if self.ended else len(self._held) - self._beginning()
        self._pass_on(self._held[:ready])
        self._held = b"" if self.ended else self._held[ready:]

    def _beginning(self) -> int:
        """Return how many of the last bytes may be the beginning of the marker."""
        longest = min(len(self._marker) - 1, len(self._held))
        return next(size for size in range(longest, -1, -1) if self._held.endswith(self._marker[:size]))

    def _pass_on(self, data: bytes) -> None:
        if data and self._sink:
            self._sink(data)  # not kept as well: a command may print for days
        else:
            self.passed += data


class Guest:
    """The agent of one running frontend.

    Args:
        ports: the connections of `PORTS`, by name.
        tail: returns the console's last lines, for messages.
        name: the frontend's name, for messages.
    """

    def __init__(self, ports: dict[str, socket.socket], tail: Callable[[], str], name: str = "frontend") -> None:
        self._ports = ports
        self._tail = tail
        self._name = name
        self._control = b""
        self._busy = False
        self._selector = selectors.DefaultSelector()
        for name, port in ports.items():
            self._selector.register(port, selectors.EVENT_READ, name)

    def close(self) -> None:
        """Drop the connections."""
        self._selector.close()
        for port in self._ports.values():
            port.close()

    def wait_ready(self, timeout: float) -> None:
        """Wait until the guest takes commands.

        Raises:
            MachineError: it died or was not ready in time.
        """
        deadline = time.monotonic() + timeout
        while (line := self._line()) is None:
            for name, data in self._receive(deadline, f"the {self._name} was not ready within {timeout:g} s"):
                if name == "ctl":
                    self._control += data
        if line != _READY:
            raise MachineError(f"the agent of the {self._name} began with {line!r} instead of ready")

    def run(
        self, command: str, timeout: float = 60.0, stdout: Sink | None = None, stderr: Sink | None = None
    ) -> Result:
        """Run a command with the guest's `sh -c`.

        Args:
            command: any shell text.
            timeout: seconds until `GuestTimeout`. The guest still runs the command then, so that it takes no other.
            stdout: called with output as it comes; the result has none of it then.
            stderr: the same for standard error.

        Raises:
            GuestTimeout: it did not end in time.
            MachineError: the guest died or restarted.
        """
        if self._busy:
            raise MachineError(f"the {self._name} still runs a command that timed out; restart the {self._name}")
        nonce = secrets.token_hex(16).encode()
        streams = {"out": _Stream(nonce + b"\n", stdout), "err": _Stream(nonce + b"\n", stderr)}
        self._forget_restarts()
        self._busy = True
        self._send(nonce + b" " + base64.b64encode(command.encode()) + b"\n")
        line = self._collect(streams, time.monotonic() + timeout, f"no end of {command!r} within {timeout:g} s")
        self._busy = False
        echoed, _, status = line.partition(b" ")
        if echoed != nonce:
            raise MachineError(f"the agent of the {self._name} answered another command: {line!r}")
        return Result(bytes(streams["out"].passed), bytes(streams["err"].passed), int(status))

    def check(self, command: str, timeout: float = 60.0) -> str:
        """Run a command that must succeed and return its output as text, without the last newline.

        Raises:
            MachineError: its status was not 0.
            GuestTimeout: it did not end in time.
        """
        result = self.run(command, timeout)
        if result.status:
            complaint = result.stderr.decode(errors="replace")
            raise MachineError(f"{command!r} in the {self._name} ended with {result.status}: {complaint}")
        return result.text

    def wait_for(self, condition: str, timeout: float = 20.0) -> None:
        """Wait until a shell condition holds; the guest asks again every 5 ms and goes on to take commands in any case.

        Raises:
            GuestTimeout: it did not hold in time.
            MachineError: the guest died.
        """
        end = f"end=$(($(date +%s) + {math.ceil(timeout)}))"
        loop = f'until {condition}; do [ "$(date +%s)" -le "$end" ] || exit 1; usleep 5000; done'
        result = self.run(f"{end}; {loop}", timeout + 5)
        if result.status:
            complaint = result.stderr.decode(errors="replace")[-1000:]
            raise GuestTimeout(f"in the {self._name} this did not hold within {timeout:g} s: {condition}\n{complaint}")

    def _collect(self, streams: dict[str, _Stream], deadline: float, failure: str) -> bytes:
        line = None
        while line is None or not all(stream.ended for stream in streams.values()):
            try:
                received = self._receive(deadline, failure)
            except GuestTimeout as error:
                error.stdout, error.stderr = bytes(streams["out"].passed), bytes(streams["err"].passed)
                raise
            for name, data in received:
                if name == "ctl":
                    self._control += data
                else:
                    streams[name].feed(data)
            line = line or self._line()
            if line == _READY:
                self._busy = False  # it is another life, which knows nothing of the command
                raise MachineError(f"the {self._name} restarted while the command ran\n{self._tail()}")
        return line

    def _forget_restarts(self) -> None:
        """Take what an agent said that came up anew while nothing was asked of it."""
        while self._selector.select(0):
            for name, data in self._receive(time.monotonic(), "it said something"):
                self._control += data if name == "ctl" else b""
        while self._line():
            pass

    def _receive(self, deadline: float, failure: str) -> list[tuple[str, bytes]]:
        ready = self._selector.select(max(0.0, deadline - time.monotonic()))
        if not ready:
            raise GuestTimeout(f"{failure}\n{self._tail()}")
        received = [(key.data, self._read(key.data)) for key, _ in ready]
        if any(not data for _, data in received):
            raise MachineError(f"the {self._name} ended\n{self._tail()}")
        return received

    def _send(self, line: bytes) -> None:
        try:
            self._ports["ctl"].sendall(line)
        except ConnectionError:
            raise MachineError(f"the {self._name} ended\n{self._tail()}") from None

    def _read(self, name: str) -> bytes:
        try:
            return self._ports[name].recv(_CHUNK)
        except ConnectionError:
            return b""

    def _line(self) -> bytes | None:
        line, newline, rest = self._control.partition(b"\n")
        if not newline:
            return None
        self._control = rest
        return line.strip()
