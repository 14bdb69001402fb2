# SPDX-License-Identifier: MIT
"""Connects this terminal to a console socket, raw, until the escape key or the other side's end."""

from __future__ import annotations

import os
import selectors
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
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
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def attach(console: Path) -> None:
    """Give the user the console at a Unix socket; returns after the escape key or when the machine has ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far:
        far.connect(str(console))
        far.sendall(b"\n")
        with raw(sys.stdin.fileno()):
            _pump(far, sys.stdin.fileno(), sys.stdout.fileno())


def _pump(far: socket.socket, keys: int, screen: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(far, selectors.EVENT_READ)
        selector.register(keys, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is far:
                    data = far.recv(_CHUNK)
                    os.write(screen, data)
                else:
                    data, escape, _rest = os.read(keys, _CHUNK).partition(ESCAPE)
                    far.sendall(data)
                    data = b"" if escape else data
                if not data:
                    return
