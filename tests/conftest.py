# SPDX-License-Identifier: MIT
"""What every test run records: the versions it ran with, as properties of the JUnit file."""

import platform
import shutil
import subprocess

import pytest

from trapless.setup import values


def first_line(*command):
    """The first line that a command prints, or that it is missing."""
    if not shutil.which(command[0]):
        return "not installed"
    return subprocess.run(command, capture_output=True, text=True).stdout.partition("\n")[0]


def versions():
    """Names and versions of everything that a result depends on."""
    found = values.read()
    return {
        "trapless": first_line("git", "-C", str(values.ROOT), "describe", "--always", "--dirty"),
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
