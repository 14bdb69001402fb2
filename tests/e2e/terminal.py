# SPDX-License-Identifier: MIT
"""A terminal for a program under test."""

import fcntl
import os
import pty
import select
import struct
import termios
import time


class Terminal:
    """A terminal with a program on it."""

    def __init__(self, start, *arguments):
        self.master, slave = pty.openpty()
        self.resize(33, 111)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = start(*arguments, stdin=slave, stdout=slave, stderr=slave)
        self.seen = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def expect(self, text, timeout=60):
        end = time.monotonic() + timeout
        while text not in self.seen:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], (text, self.seen)
            self.seen += os.read(self.master, 4096)
        self.seen = self.seen[self.seen.index(text) + len(text) :]
