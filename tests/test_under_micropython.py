# SPDX-License-Identifier: MIT
"""The portable tests once more, under MicroPython's unix port with our C modules in it.

A file is portable if it stands in one of FOLDERS and its name does not end in `_cpython.py` or `_property.py`. Each of
its test functions is an item here. One process runs all tests of a file, at the first of its items.
"""

import ast
import functools
import os
import pathlib
import subprocess

import pytest

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent
INTERPRETER = ROOT / "build" / "micropython-unix" / "micropython"
FOLDERS = ("unit/hal", "unit/drivers", "unit/virtio", "unit/scmi", "unit/models", "conformance")
CPYTHON_ONLY = ("_cpython.py", "_property.py")
SECONDS = 100
HEAP = "4m"


def portable_files():
    """The files whose tests both interpreters run."""
    files = (file for folder in FOLDERS for file in (TESTS / folder).rglob("test_*.py"))
    return sorted(file for file in files if not file.name.endswith(CPYTHON_ONLY))


def tests_of(file):
    """The names of the test functions of a file, in order, without importing it."""
    body = ast.parse(file.read_text(), str(file)).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def items():
    """One parameter set per test function."""
    pairs = ((file, name) for file in portable_files() for name in tests_of(file))
    return [pytest.param(file, name, id=f"{file.relative_to(TESTS)}::{name}") for file, name in pairs]


@functools.cache
def outcome(file):
    """Run all tests of a file under MicroPython; its output, and how the process ended."""
    command = [INTERPRETER, "-X", f"heapsize={HEAP}", TESTS / "micropython_runner.py", file, *tests_of(file)]
    environment = os.environ | {"MICROPYPATH": f".frozen:{ROOT / 'firmware'}:{TESTS}"}
    try:
        done = subprocess.run(
            command, env=environment, timeout=SECONDS, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except subprocess.TimeoutExpired as expired:
        partial = expired.stdout or b""
        return partial.decode(errors="replace"), f"was stopped after {SECONDS} s"
    return done.stdout, f"ended with status {done.returncode}"


@pytest.mark.parametrize(("file", "name"), items())
def test_under_micropython(file, name):
    if not INTERPRETER.exists():
        pytest.fail(f"{INTERPRETER} is missing: `make firmware` builds it", pytrace=False)
    output, ending = outcome(file)
    lines = output.splitlines()
    if f"@pass {name}" in lines:
        return
    start = lines.index(f"@start {name}") if f"@start {name}" in lines else 0
    end = lines.index(f"@fail {name}") if f"@fail {name}" in lines else len(lines)
    said = "\n".join(lines[start:end])
    pytest.fail(f"{name} under MicroPython (the process {ending}):\n{said}", pytrace=False)


def test_there_are_portable_tests():
    assert portable_files(), f"no test_*.py below {', '.join(FOLDERS)}"
