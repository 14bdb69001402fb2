# SPDX-License-Identifier: MIT
"""Errors of the host tools. Each message says what happened, where, and what to do."""


class TraplessError(Exception):
    """Something a person can act on; the command line prints it without a traceback."""


class TopologyError(TraplessError):
    """The topology file contradicts itself or what QEMU does with it."""


class MachineError(TraplessError):
    """A virtual machine did not start, died, or did not do what was waited for."""


class Unsupported(TraplessError):
    """The platform cannot do it at all; the message says why."""


class GuestTimeout(TraplessError):
    """A command in the frontend did not end in time, or a condition there did not come to hold.

    Args:
        message: what was waited for and for how long.
        stdout: what the command had printed.
        stderr: what it had printed there.
    """

    def __init__(self, message: str, stdout: bytes = b"", stderr: bytes = b"") -> None:
        super().__init__(message)
        self.stdout = stdout
        self.stderr = stderr
