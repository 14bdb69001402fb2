# SPDX-License-Identifier: MIT
"""The Debian packages that the host needs: which, why, and how they get there."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import cache
from .report import Failure, report, run, say

# Package -> what for. Recommended packages are not installed, so everything needed stands here by name.
NEEDED = {
    "bc": "kernel build",
    "bison": "kernel build, Xen build",
    "build-essential": "compiler for mpy-cross, MicroPython's unix port, the kernel build's tools, Spin's searches",
    "ca-certificates": "downloads of the Python packages",
    "device-tree-compiler": "device trees of the two machines, kernel build",
    "flex": "kernel build, Xen build",
    "gcc-aarch64-linux-gnu": "the image, the kernel and its modules, Xen",
    "git": "versions in reports; style checks of the kernel modules",
    "libc6-dev-arm64-cross": "programs for the frontend (static)",
    "libelf-dev": "kernel build",
    "libssl-dev": "kernel build",
    "patch": "the kernel with KASAN",
    "perl": "kernel build, style checks of the kernel modules",
    "python3-dev": "builds pylibfdt, the one Python dependency without a wheel",
    "python3-venv": "the virtual environment",
    "qemu-system-arm": "both machines",
    "shellcheck": "lint of the shell scripts",
    "sparse": "static checks of the kernel modules",
    "spin": "searches the models of the transport (docs/models)",
    "xz-utils": "unpacks sources",
}
INSTALL = ("apt-get", "install", "--no-install-recommends")
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}  # of apt's amounts


def found() -> dict[str, str]:
    """Installed packages of those needed, with their versions.

    Raises: Failure on a system without dpkg.
    """
    if not shutil.which("dpkg-query"):
        raise Failure("this is not a Debian system: install what `make doctor` lists by your own means")
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", *NEEDED]
    lines = subprocess.run(query, capture_output=True, text=True).stdout.splitlines()
    fields = (line.split() for line in lines)
    return {field[0]: field[2] for field in fields if len(field) == 3 and field[1] == "installed"}


def missing() -> list[str]:
    """Packages that are not installed."""
    present = found()
    return [name for name in NEEDED if name not in present]


def install() -> None:
    """Install what is missing, as root or through sudo.

    Raises: Failure with the command to type if there is no way to become root, or if apt fails.
    """
    names = missing()
    if not names:
        return
    privilege(["apt-get update &&", *INSTALL, *names])
    log_file().unlink(missing_ok=True)
    with report.step("downloads", f"installing {len(names)} Debian packages: {' '.join(names)}"):
        refresh()
        as_root(*INSTALL, "--yes", "-o", "DPkg::Lock::Timeout=300", *names)
    report.downloaded += fetched(log_file().read_text(errors="replace"))
    if still := missing():
        raise Failure(f"apt-get succeeded, but these packages are still missing: {' '.join(still)}; see {log_file()}")


def fetched(log: str) -> int:
    """How many bytes apt says that it downloaded."""
    amounts = re.findall(r"^Fetched ([\d.,]+) (k|M|G|)B in", log, re.MULTILINE)
    return sum(int(float(number.replace(",", "")) * UNITS[unit]) for number, unit in amounts)


def refresh() -> None:
    """Bring apt's lists up to date; that another archive of the machine does not answer is no reason to stop."""
    try:
        as_root("apt-get", "update", "--quiet")
    except Failure as failure:
        say(str(failure))


def log_file() -> Path:
    """Where apt's output goes."""
    return cache.root() / "apt.log"


def as_root(*command: str) -> None:
    """Run a command as root.

    Raises: Failure with the command to type if that is impossible, or if it fails.
    """
    settings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run([*privilege(command), *command], log_file(), env=settings)


def privilege(command: Sequence[str]) -> list[str]:
    """What to put before a command to run it as root: nothing, or sudo.

    Raises: Failure with the command to type if neither works without asking.
    """
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        return ["sudo", "-n"]
    raise Failure(
        f"this needs root, and there is no sudo that works without a password. Type, as root: {' '.join(command)}"
    )
