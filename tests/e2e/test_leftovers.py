# SPDX-License-Identifier: MIT
"""Nothing is left behind: no process, no file, whichever way the harness ends."""

import os
import pathlib
import pty
import signal
import subprocess
import termios

import pytest

from trapless import project
from trapless.terminal import ESCAPE


def directories(process):
    return list(project.runtime_base().glob(f"trapless-{os.getuid()}-{process.pid}-*"))


def processes(process):
    """Command lines, by process id, of everything that names the pair's directory."""
    name = f"trapless-{os.getuid()}-{process.pid}-".encode()
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != process.pid:
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if name in line:
                found[int(entry.name)] = line
    return found


def assert_nothing_left(process, until):
    until(lambda: not processes(process), "all processes of the pair end")
    until(lambda: not directories(process), "the directory of the pair is removed")


def started(trapless, *options):
    """A `trapless exec` whose command runs in the frontend."""
    process = trapless.start("exec", *options, "--", "echo running; exec sleep 1000", stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"running\n"
    assert directories(process) and len(processes(process)) >= 3
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_after_a_signal(trapless, until, number):
    process = started(trapless)
    process.send_signal(number)
    assert process.wait(10) == 128 + number
    assert not directories(process), "the harness itself cleans up, before it ends"
    assert_nothing_left(process, until)


@pytest.mark.parametrize("topology", ["topology", "two-frontends"])
def test_after_a_kill(trapless, until, topology):
    process = started(trapless, "--topology", topology)
    process.kill()
    process.wait(10)
    assert_nothing_left(process, until)


def test_when_a_machine_dies(trapless, until):
    process = started(trapless)
    (victim,) = (number for number, line in processes(process).items() if b"trapless-frontend" in line)
    os.kill(victim, signal.SIGKILL)
    assert process.wait(10) == 125
    assert_nothing_left(process, until)


def test_during_the_boot(trapless, until):
    process = trapless.start("exec", "--", "true", stdout=subprocess.PIPE)
    until(lambda: processes(process), "the first process starts")
    process.terminate()
    assert process.wait(10) == 128 + signal.SIGTERM
    assert_nothing_left(process, until)


def test_the_shell_of_run_and_its_escape_key(trapless, until):
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = trapless.start("run", stdin=slave, stdout=slave, stderr=slave)
    shown = read_until(master, b"# ")
    assert "45 °C".encode() in shown and b"Ctrl-]" in shown
    os.write(master, b"echo $((6 * 7))\n")
    read_until(master, b"42\r\n")
    os.write(master, ESCAPE)
    assert process.wait(10) == 0
    assert termios.tcgetattr(slave) == before, "the terminal is as it was"
    assert_nothing_left(process, until)
    os.close(master)
    os.close(slave)


def read_until(descriptor, wanted):
    seen = b""
    while wanted not in seen:
        seen += os.read(descriptor, 4096)
    return seen
