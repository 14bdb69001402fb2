# SPDX-License-Identifier: MIT
"""Boots the firmware image alone in one QEMU: its console is a TCP socket, all it says is in a log file."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = Path(os.environ.get("TRAPLESS_FIRMWARE", ROOT / "build" / "firmware"))
ELF = FIRMWARE / "trapless.elf"
IMAGE = FIRMWARE / "trapless.Image"
PROMPT = ">>> "
_LIMIT_S = 20


class Timeout(AssertionError):
    """Something did not come in time; the message holds what the console said instead."""


def kernel(path):
    """QEMU arguments: boot `path` as a kernel (Image or ELF)."""
    return ["-kernel", str(path)]


def loader(address):
    """QEMU arguments: put the raw Image at `address` and start there, as a loader that knows no kernels would."""
    return [
        "-device",
        f"loader,file={IMAGE},addr={address:#x},force-raw=on",
        "-device",
        f"loader,addr={address:#x},cpu-num=0",
    ]


def _qmp(path, command):
    """The answer to one QMP command, on a connection of its own."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        lines = link.makefile("rw")
        lines.readline()
        for request in ("qmp_capabilities", command):
            lines.write(json.dumps({"execute": request}))
            lines.flush()
            answer = json.loads(lines.readline())
        return answer["return"]


class Machine:
    """One QEMU with the image in it, a context manager. `boot`: kernel() or loader(); `arguments`: anything more."""

    def __init__(self, directory, boot, *arguments, gic=2, el2=False, cpu="cortex-a57"):
        self.log_path = directory / "console.log"
        self._qmp_path = directory / "qmp"
        machine = f"virt,gic-version={gic}" + (",virtualization=on" if el2 else "")
        self.command = ["qemu-system-aarch64", "-M", machine, "-cpu", cpu, "-m", "16M", "-nodefaults", "-nographic"]
        self.command += [
            "-chardev",
            f"socket,id=c,host=127.0.0.1,port=0,server=on,wait=off,nodelay=on,logfile={self.log_path}",
        ]
        self.command += ["-serial", "chardev:c", "-qmp", f"unix:{self._qmp_path},server=on,wait=off"]
        self.command += [*boot, *arguments]
        self.process = None
        self._link = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command)
        self.poll("QEMU's control socket", self._answers)
        self.port = self._console_port()
        return self

    def __exit__(self, *_):
        self.disconnect()
        self.process.kill()
        self.process.wait()

    def _answers(self):
        try:
            return _qmp(self._qmp_path, "query-status")["running"]
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def _console_port(self):
        console = next(device for device in _qmp(self._qmp_path, "query-chardev") if device["label"] == "c")
        return int(re.search(r"127\.0\.0\.1:(\d+)", console["filename"])[1])

    def poll(self, what, done, limit=_LIMIT_S):
        """Wait until done() is true; Timeout tells what was waited for."""
        end = time.monotonic() + limit
        while not done():
            if time.monotonic() > end or self.process.poll() is not None:
                raise Timeout(f"no {what} within {limit} s; the console said:\n{self.said()}")
            time.sleep(0.01)

    def said(self):
        """All that the console has said so far."""
        return self.log_path.read_bytes().decode("latin-1") if self.log_path.exists() else ""

    def expect(self, text, after=0, limit=_LIMIT_S):
        """Wait until the console has said `text` beyond position `after`; returns the position behind it."""
        self.poll(repr(text), lambda: text in self.said()[after:], limit)
        return self.said().index(text, after) + len(text)

    def connect(self):
        """Hold the console, at the friendly prompt; mpremote cannot use it meanwhile.

        The prompt has to be asked for: when mpremote hangs up it leaves a character unread, so the kernel resets the
        connection, and the Ctrl-B that it sent last may be lost on its way into QEMU.
        """
        at = len(self.said())
        self._link = socket.create_connection(("127.0.0.1", self.port))
        self._link.sendall(b"\x02")
        self.expect(PROMPT, at)

    def disconnect(self):
        if self._link is not None:
            self._link.close()
            self._link = None

    def type(self, text):
        """Type `text`; returns the position in the log where its echo begins."""
        if self._link is None:
            self.connect()
        at = len(self.said())
        self._link.sendall(text.encode())
        return at

    def prompt(self):
        """Wait for the first prompt, connected."""
        self.expect(PROMPT)
        self.connect()
        return self

    def run(self, line, limit=_LIMIT_S):
        """Type one line at the prompt; returns what was printed until the next prompt."""
        at = self.expect("\n", self.type(line + "\r"))
        end = self.expect(PROMPT, at, limit)
        return self.said()[at : end - len(PROMPT)].replace("\r", "").rstrip("\n")

    def mpremote(self, *arguments):
        """Run mpremote on the console; returns its output, which must be all: no error."""
        self.disconnect()
        command = [sys.executable, "-m", "mpremote", "connect", f"socket://127.0.0.1:{self.port}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cpu_seconds(self):
        """Processor time that QEMU has used on the host."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
