# SPDX-License-Identifier: MIT
"""The kernel modules by the kernel's own measures: W=1, sparse, checkpatch; the bindings by dtschema."""

import pathlib
import shutil
import subprocess
import sys

import pytest

from trapless.setup import values

BIN = pathlib.Path(sys.executable).parent
LINUX = values.ROOT / "linux"
SOURCES = sorted(file for pattern in ("*.c", "*.h") for file in LINUX.rglob(pattern))
BINDINGS = sorted(LINUX.rglob("*.yaml"))
# Length of lines as in the rest of the project; the modules live outside the kernel's tree.
CHECKPATCH = ("--strict", "--no-tree", "--no-summary", "--terse", "--show-types", "--max-line-length=120")


def kernel():
    """The build tree of the kernel that set-up made."""
    return pathlib.Path(values.need("KERNEL_BUILD"))


def output(*command):
    """What a command prints on both streams, whatever its exit status."""
    return subprocess.run(command, cwd=LINUX, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("folder", [".", "tests"])
def test_modules_build_without_a_warning_of_the_compiler_or_of_sparse(tmp_path, folder):
    assert shutil.which("sparse"), "sparse is not installed: `make setup` installs it (Debian: apt-get install sparse)"
    done = output("make", "-C", folder, f"KDIR={kernel()}", f"OUT={tmp_path}", "W=1", "C=1")
    assert not done.returncode, done.stdout
    assert "warning:" not in done.stdout and "error:" not in done.stdout, done.stdout
    assert sorted(tmp_path.glob("*.ko"))
    assert done.stdout.count("  CHECK  ") >= len(sorted((LINUX / folder).glob("*.c"))), "sparse has not seen everything"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_checkpatch(file):
    script = kernel().parent / "source" / "scripts" / "checkpatch.pl"
    done = output(script, *CHECKPATCH, "-f", file)
    assert not done.stdout and not done.returncode, done.stdout


@pytest.mark.parametrize("file", BINDINGS, ids=lambda file: file.name)
def test_binding(file):
    done = output(BIN / "dt-doc-validate", file)
    assert not done.stdout and not done.returncode, done.stdout


def test_every_compatible_of_ours_has_a_binding():
    schemas = "".join(file.read_text() for file in BINDINGS)
    assert SOURCES and BINDINGS, "no kernel modules or bindings in linux/"
    compatibles = {word for file in SOURCES for word in quoted(file) if word.startswith("trapless,")}
    assert not {name for name in compatibles if name not in schemas}


def quoted(file):
    """The string literals of `compatible` entries in a C file."""
    lines = (line for line in file.read_text().splitlines() if ".compatible" in line)
    return [line.split('"')[1] for line in lines if line.count('"') >= 2]
