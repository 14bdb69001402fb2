# SPDX-License-Identifier: MIT
"""What set-up tells a person: a line per step that takes time, and at the end how much was downloaded and built."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


class Failure(Exception):
    """Set-up cannot go on; the text says what happened, where, and what to do."""


class Report:
    """Counts of one run of set-up: seconds of downloads and of builds, bytes downloaded."""

    def __init__(self) -> None:
        self.downloaded = 0
        self.seconds = {"downloads": 0.0, "builds": 0.0}

    @contextlib.contextmanager
    def step(self, kind: str, text: str) -> Iterator[None]:
        """Announce a step, and book its time under `kind`, "downloads" or "builds"."""
        say(text)
        begin = time.monotonic()
        yield
        self.seconds[kind] += time.monotonic() - begin

    def summary(self) -> str:
        """The closing line, empty if there was nothing to do."""
        if not any(self.seconds.values()):
            return ""
        downloads, builds = self.seconds["downloads"], self.seconds["builds"]
        return f"downloads: {self.downloaded / 1e6:.0f} MB in {downloads:.0f} s; builds: {builds:.0f} s"


report = Report()


def say(text: str) -> None:
    """One plain line of progress."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def run(command: Sequence[str | Path], log: Path, **options: Any) -> None:
    """Run a command with its output in `log`.

    Raises: Failure with the end of the log if the command fails or is not there.
    """
    with log.open("ab") as output:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
        except FileNotFoundError as error:
            raise Failure(f"{command[0]} is not installed; `make doctor` tells which package brings it") from error
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        words = " ".join(map(str, command))
        raise Failure(f"{tail}\n`{words}` failed with status {done.returncode}; its whole output: {log}")
