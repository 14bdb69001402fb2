# SPDX-License-Identifier: MIT
"""`make doctor` and `trapless doctor`: what this machine has, what is missing, and how to get it. Changes nothing."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

from . import cache, packages, values
from .report import Failure

QEMU_AT_LEAST = (7, 2)
PURPOSES = {"MICROPYTHON_TOP": "the image", "KERNEL_BUILD": "modules", "BUSYBOX": "initramfs", "XEN": "--platform xen"}
DISK_AT_LEAST = 4e9  # bytes: the kernel's source and objects while it is built


class Finding(NamedTuple):
    """One thing that is needed: what for, what was found (empty: missing or unfit), and how to get it."""

    name: str
    purpose: str
    found: str
    remedy: str


def findings() -> list[Finding]:
    """Everything that is looked at."""
    return [python(), *debian(), qemu(), disk(), *own()]


def python() -> Finding:
    """The Python of set-up."""
    fit = sys.version_info >= (3, 11)
    return Finding("python >= 3.11", "set-up and host tools", platform.python_version() * fit, "make setup PYTHON=...")


def debian() -> list[Finding]:
    """The Debian packages."""
    try:
        found = packages.found()
    except Failure as failure:
        return [Finding("dpkg", "knowing what is installed", "", str(failure))]
    purposes = packages.NEEDED.items()
    return [Finding(name, use, found.get(name, ""), f"apt-get install {name}") for name, use in purposes]


def qemu() -> Finding:
    """The QEMU that is first in PATH, which need not be Debian's."""
    name = f"qemu-system-aarch64 >= {'.'.join(map(str, QEMU_AT_LEAST))}"
    path = shutil.which("qemu-system-aarch64")
    text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout if path else ""
    match = re.search(r"version (\d+)\.(\d+)\S*", text)
    fit = match is not None and (int(match[1]), int(match[2])) >= QEMU_AT_LEAST
    return Finding(name, "both machines", match[0] if match and fit else "", "apt-get install qemu-system-arm")


def disk() -> Finding:
    """Room where the cache is."""
    need = f"{DISK_AT_LEAST / 1e9:.0f} GB free in the cache"
    try:
        free = shutil.disk_usage(cache.root()).free
    except Failure as failure:
        return Finding(need, "kernel build", "", str(failure))
    text = f"{free / 1e9:.0f} GB free in {cache.root()}"
    return Finding(need, "kernel build", text if free > DISK_AT_LEAST else "", "XDG_CACHE_HOME=/elsewhere make setup")


def own() -> list[Finding]:
    """What set-up itself brings: the environment, and what build/deps.env names."""
    program = values.ROOT / ".venv" / "bin" / "trapless"
    rows = [Finding("Python environment", "host tools and tests", str(program.parent) * program.exists(), "make setup")]
    known = values.read()
    for name, purpose in PURPOSES.items():
        path = known.get(name, "")
        rows.append(Finding(name, purpose, path * bool(path and os.path.exists(path)), "make setup"))
    return rows


def table(rows: list[Finding]) -> str:
    """For people: a line each, and what to do about what is missing."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'ok     ' if row.found else 'MISSING'}  {row.name:{width}}  {row.found or row.remedy}" for row in rows]
    missing = [row for row in rows if not row.found]
    by_apt = [row.remedy.removeprefix("apt-get install ") for row in missing if row.remedy.startswith("apt-get")]
    if by_apt:
        lines.append(
            f"As root: apt-get update && apt-get install --no-install-recommends {' '.join(dict.fromkeys(by_apt))}"
        )
    if missing:
        lines.append("`make setup` gets everything that is missing (as root, or with sudo for the Debian packages).")
    return "\n".join(lines)


def doctor(as_json: bool = False) -> int:
    """Print what was found, as a table or as JSON; exit status 1 if something is missing."""
    rows = findings()
    print(json.dumps([row._asdict() for row in rows], indent=2) if as_json else table(rows))
    return 0 if all(row.found for row in rows) else 1
