# SPDX-License-Identifier: MIT
"""Connects this terminal to a console socket, raw, until the escape key or the other side's end."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ESCAPE = b"\x1d"
ESCAPE_NAME = "Ctrl-]"
_CHUNK = 4096


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Put a terminal into raw mode and restore it, whatever happens."""
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        with suppress(termios.error):  # the terminal itself may be gone
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def _resizes() -> Iterator[socket.socket]:
    """Yield a socket that gets a byte whenever the terminal's size changes."""
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        before = signal.signal(signal.SIGWINCH, lambda *_: _nudge(near))
        try:
            yield far
        finally:
            signal.signal(signal.SIGWINCH, before)


def _nudge(near: socket.socket) -> None:
    with suppress(BlockingIOError):  # enough bytes wait there already
        near.send(b"!")


def attach(console: Path, resized: Callable[[os.terminal_size], object]) -> bool:
    """Give the user the console at a Unix socket.

    Args:
        console: the socket.
        resized: called with the terminal's size, now and whenever it changes.

    Returns:
        True after the escape key or when this terminal is gone, False when the machine has ended.
    """
    keys, screen = sys.stdin.fileno(), sys.stdout.fileno()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far, _resizes() as resizes:
        far.connect(str(console))
        resized(os.get_terminal_size())
        far.sendall(b"\n")
        with raw(keys), selectors.DefaultSelector() as selector:
            for source in (far, keys, resizes):
                selector.register(source, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if resizes in ready:
                    resizes.recv(_CHUNK)
                    resized(os.get_terminal_size())
                if far in ready and not _show(far, screen):
                    return False
                if keys in ready and not _type(keys, far):
                    return True


def _show(far: socket.socket, screen: int) -> bool:
    """Pass output on; False when the machine has ended."""
    try:
        data = far.recv(_CHUNK)
    except ConnectionError:
        return False
    left = data
    while left:
        left = left[os.write(screen, left) :]
    return bool(data)


def _type(keys: int, far: socket.socket) -> bool:
    """Pass keys on; False after the escape key or when the terminal is gone."""
    typed = os.read(keys, _CHUNK)
    data, escape, _ = typed.partition(ESCAPE)
    with suppress(ConnectionError):  # the machine has ended, which its own socket will tell
        far.sendall(data)
    return bool(typed) and not escape
