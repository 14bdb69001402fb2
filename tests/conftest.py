# SPDX-License-Identifier: MIT
"""What every test run records: the versions it ran with, as properties of the JUnit file."""

import hashlib
import os
import platform
import shutil
import subprocess

import hypothesis
import pytest

from trapless.setup import values

# A time limit per example would measure how busy the machine is. A failure prints what reproduces it. Continuous
# integration tries the same examples every time; whoever runs the tests by hand looks further.
hypothesis.settings.register_profile("trapless", deadline=None, print_blob=True, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("trapless")

# What fails fast comes first, what needs a quiet machine last.
ORDER = ("lint", "unit", "test_under_micropython.py", "conformance", "fuzz", "docs", "e2e")
IMAGE = values.ROOT / "build" / "firmware" / "trapless.Image"


def first_line(*command):
    """The first line that a command prints, or that it is missing."""
    if not shutil.which(command[0]):
        return "not installed"
    return subprocess.run(command, capture_output=True, text=True).stdout.partition("\n")[0]


def versions():
    """Names and versions of everything that a result depends on."""
    found = values.read()
    image = hashlib.sha256(IMAGE.read_bytes()).hexdigest()[:12] if IMAGE.exists() else "not built"
    return {
        "trapless": first_line("git", "-C", str(values.ROOT), "describe", "--always", "--dirty"),
        "image": image,
        "micropython": found.get("MICROPYTHON_VERSION", "not set up"),
        "kernel": found.get("KERNEL_VERSION", "not set up"),
        "xen": found.get("XEN_VERSION", "not set up"),
        "busybox": found.get("BUSYBOX_VERSION", "not set up"),
        "qemu": first_line("qemu-system-aarch64", "--version"),
        "compiler": first_line("aarch64-linux-gnu-gcc", "--version"),
        "python": platform.python_version(),
    }


@pytest.fixture(scope="session", autouse=True)
def _record_versions(record_testsuite_property):
    for name, version in versions().items():
        record_testsuite_property(name, version)


def rank(item):
    """Where a test's folder stands in ORDER."""
    folder = item.path.relative_to(values.ROOT / "tests").parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


def pytest_collection_modifyitems(items):
    items.sort(key=rank)


def pytest_report_header():
    return ", ".join(f"{name} {version}" for name, version in versions().items())
