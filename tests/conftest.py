# SPDX-License-Identifier: MIT
"""What every test run records: the versions it ran with, as properties of the JUnit file."""

import pathlib
import platform
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parent.parent


def dependencies():
    """What `make setup` wrote to build/deps.env, as a dictionary; empty before it ran."""
    file = ROOT / "build" / "deps.env"
    lines = file.read_text().splitlines() if file.exists() else ()
    return dict(line.split("=", 1) for line in lines)


def first_line(*command):
    """The first line that a command prints, or that it is missing."""
    if not shutil.which(command[0]):
        return "not installed"
    return subprocess.run(command, capture_output=True, text=True).stdout.partition("\n")[0]


def versions():
    """Names and versions of everything that a result depends on."""
    found = dependencies()
    return {
        "trapless": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "micropython": found.get("MICROPYTHON_VERSION", "not set up"),
        "kernel": found.get("KERNEL_VERSION", "not set up"),
        "busybox": found.get("BUSYBOX_VERSION", "not set up"),
        "qemu": first_line("qemu-system-aarch64", "--version"),
        "compiler": first_line("aarch64-linux-gnu-gcc", "--version"),
        "python": platform.python_version(),
    }


@pytest.fixture(scope="session", autouse=True)
def _record_versions(record_testsuite_property):
    for name, version in versions().items():
        record_testsuite_property(name, version)


def pytest_report_header():
    return ", ".join(f"{name} {version}" for name, version in versions().items())
