# SPDX-License-Identifier: MIT
"""The backend's prompt: runs Python there through mpremote's raw REPL, while the backend goes on serving.

Every call connects, resumes (no soft reset) and disconnects, so that the prompt is free for `trapless repl` in between.
"""

from __future__ import annotations

import ast
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trapless.errors import MachineError

if TYPE_CHECKING:
    from mpremote.transport_serial import SerialTransport

_TIMEOUT = 10.0
_FRIENDLY = b">>> "
_CTRL_B = b"\x02"


def interact(url: str) -> int:
    """Give the user mpremote's terminal on the prompt at `url`, and return its exit status.

    mpremote waits for the file descriptor of the port under a name that pyserial's sockets do not have (mpremote 1.29,
    pyserial 3.5), so it gets that name here; its other commands do not need it. And its terminal begins with an empty
    line, so a return is sent for the backend to show its prompt.

    Raises:
        BackendError: the backend ended.
    """
    from mpremote import main, repl
    from serial import SerialException
    from serial.urlhandler import protocol_socket

    _leave_raw_repl(url)
    protocol_socket.Serial.fd = property(lambda port: port.fileno())
    pump = repl.do_repl_main_loop

    def prompt_and_pump(state: Any, *arguments: Any, **options: Any) -> Any:
        state.transport.serial.write(b"\r")
        return pump(state, *arguments, **options)

    repl.do_repl_main_loop = prompt_and_pump
    sys.argv = ["mpremote", "connect", url, "resume", "repl"]
    try:
        status = int(main.main() or 0)
    except SerialException:
        print()
        raise BackendError("the backend has ended, and its prompt with it") from None
    print()
    return status


def _leave_raw_repl(url: str) -> None:
    """Bring the prompt back from the raw REPL, in which a program may have left it. A busy prompt is left alone."""
    host, _, port = url.removeprefix("socket://").rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1) as near:
        near.sendall(b"\r" + _CTRL_B)
        seen = b""
        while _FRIENDLY not in seen and (data := near.recv(4096)):
            seen += data


def _hang_up(port: Any) -> None:
    """Close a port without the 0.3 s that pyserial 3.5 gives a server afterwards: QEMU lets the next one wait."""
    near, port._socket, port.is_open = port._socket, None, False
    if near:
        near.close()


class BackendError(MachineError):
    """Python on the backend raised, or the prompt does not answer; the message holds its traceback."""


class _Disturbed(BackendError):
    """Something that the backend says by itself came between what the raw REPL says; nothing has run yet."""


# What mpremote says of it once it is in the raw REPL.
_DISTURBED = ("could not enter raw repl", "unexpected read during raw paste")


class Backend:
    """The prompt of a running backend.

    Args:
        url: where its serial port is, as `mpremote connect` takes it: "socket://127.0.0.1:4711".
        tail: returns the console's last lines, for messages.
    """

    def __init__(self, url: str, tail: Callable[[], str] = str) -> None:
        self.url = url
        self._tail = tail

    @contextmanager
    def session(self, soft_reset: bool = False) -> Iterator[SerialTransport]:
        """Yield mpremote's transport inside the raw REPL.

        Args:
            soft_reset: restart MicroPython first, which is a backend restart.

        Raises:
            BackendError: the prompt does not answer.
        """
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        try:
            transport = SerialTransport(self.url)
        except (OSError, TransportError) as error:
            raise BackendError(f"cannot reach the backend's prompt at {self.url}: {error}") from None
        kind = BackendError
        try:
            transport.enter_raw_repl(soft_reset=soft_reset)
            kind = _Disturbed
            yield transport
            kind = BackendError
            transport.exit_raw_repl()
            # Closing a socket with unread input resets the connection, and QEMU would never see the Ctrl-B just sent.
            transport.read_until(1, _FRIENDLY, timeout=_TIMEOUT)
        except TransportError as error:
            kind = kind if str(error).startswith(_DISTURBED) else BackendError
            raise kind(f"the backend's prompt at {self.url} does not answer: {error}\n{self._tail()}") from None
        finally:
            _hang_up(transport.serial)

    def exec(self, code: str, timeout: float | None = _TIMEOUT) -> str:
        """Run statements on the backend and return what they print.

        Args:
            code: any Python.
            timeout: seconds in which it must print something or end; None waits for ever.

        Raises:
            BackendError: they raised, or did not end in time.
        """
        try:
            output, error = self._exec_raw(code, timeout)
        except _Disturbed:
            output, error = self._exec_raw(code, timeout)
        printed = str(output.decode(errors="replace"))
        if error:
            raise BackendError(f"on the backend: {printed}{error.decode(errors='replace').strip()}")
        return printed

    def _exec_raw(self, code: str, timeout: float | None) -> tuple[bytes, bytes]:
        with self.session() as transport:
            output, error = transport.exec_raw(code, timeout=timeout)
        return output, error

    def eval(self, expression: str, timeout: float = _TIMEOUT) -> Any:
        """Return an expression's value; it must be a literal (numbers, strings, tuples ...)."""
        return ast.literal_eval(self.exec(f"print(repr({expression}))", timeout).strip())

    def run(self, script: Path, timeout: float | None = _TIMEOUT) -> str:
        """Run a script file on the backend and return what it prints; `timeout` as for `exec`.

        Raises:
            BackendError: as for `exec`, or there is no such file.
        """
        try:
            code = script.read_text()
        except OSError as error:
            raise BackendError(f"cannot read the script for the backend {script}: {error.strerror}") from None
        return self.exec(code, timeout)

    def put(self, path: str, content: bytes) -> None:
        """Write a file on the backend."""
        with self.session() as transport:
            transport.fs_writefile(path, content)

    def get(self, path: str) -> bytes:
        """Read a file of the backend."""
        with self.session() as transport:
            return bytes(transport.fs_readfile(path))

    def soft_reset(self) -> None:
        """Restart MicroPython: the firmware composes everything anew and serves again, with a new epoch."""
        with self.session(soft_reset=True):
            pass
