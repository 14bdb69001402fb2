# SPDX-License-Identifier: MIT
"""The private directories of running pairs: who makes and removes them, and what other terminals find in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from trapless import project

_STATE = "state.json"


def new_directory() -> Path:
    """Return the path of a directory of this process's own that does not exist yet."""
    return project.runtime_base() / f"trapless-{os.getuid()}-{os.getpid()}-{time.monotonic_ns():x}"


def publish(directory: Path, state: dict[str, Any]) -> None:
    """Tell other terminals about the pair in `directory`."""
    project.publish(directory, _STATE, json.dumps(state, indent=1).encode())


def start_janitor(directory: Path) -> subprocess.Popen[bytes]:
    """Start a process that removes `directory` as soon as its standard input ends: at `close`, or with our death."""
    command = ["sh", "-c", 'read -r _; exec rm -rf -- "$1"', "trapless-janitor", str(directory)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True)


def states(platform: str | None = None) -> list[dict[str, Any]]:
    """Return the states of this user's running pairs, the youngest last, each with the folder where it was started.

    A pair of an older clone says nothing of its frontends, and runs on QEMU.

    Args:
        platform: only those that run there.
    """
    found = []
    for path in project.runtime_base().glob(f"trapless-{os.getuid()}-*/{_STATE}"):
        try:
            if path.stat().st_uid == os.getuid():
                state = json.loads(path.read_text())
                folder = os.readlink(f"/proc/{state['harness']}/cwd")
                found.append(
                    {"frontends": [], "platform": "qemu", **state, "directory": str(path.parent), "folder": folder}
                )
        except (FileNotFoundError, ProcessLookupError):
            continue  # it was closed in between, or its harness is dead
    chosen = [state for state in found if platform in (None, state["platform"])]
    return sorted(chosen, key=lambda state: float(state["started"]))


def prune() -> None:
    """Remove directories of pairs whose harness and janitor both died (a crash of the whole session)."""
    for path in project.runtime_base().glob(f"trapless-{os.getuid()}-*"):
        harness = path.name.split("-")[2]
        with suppress(FileNotFoundError):  # its janitor was faster
            if path.stat().st_uid == os.getuid() and not Path(f"/proc/{harness}").exists():
                shutil.rmtree(path, ignore_errors=True)
