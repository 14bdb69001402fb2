# SPDX-License-Identifier: MIT
"""Style, types, layers: one test per tool, each with the tool's whole output when it finds something."""

import ast
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
PYTHON = ("firmware", "host_tools", "tests")
# The C module is the hardware's edge: above it, hal is the only way to the machine.
EDGE = "_hal"


def check(*command, **options):
    """Run a tool in the clone; fail with its output if it complains, or with its package if it is missing."""
    program = str(command[0])
    if not shutil.which(program):
        pytest.fail(f"{program} is not installed: `make setup` installs it", pytrace=False)
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        pytest.fail(f"`{' '.join(map(str, command))}`\n{done.stdout}", pytrace=False)


def tracked(*patterns):
    """The files that git knows or would add, by pattern; those that are there."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def imported(file):
    """The top-level names of the modules that a Python file imports."""
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def test_ruff_check():
    check(BIN / "ruff", "check", ".")


def test_ruff_format():
    check(BIN / "ruff", "format", "--check", "--diff", ".")


def test_types_of_the_host_tools():
    check(BIN / "mypy", "-p", "trapless")


def test_types_of_the_firmware():
    packages = [file.parent for file in (ROOT / "firmware").glob("*/__init__.py")]
    modules = [file for file in (ROOT / "firmware").glob("*.py") if file.name != "manifest.py"]
    names = [word for package in sorted(packages) for word in ("-p", package.name)]
    check(BIN / "mypy", *names, *(word for module in sorted(modules) for word in ("-m", module.stem)))


def test_import_layers():
    check(BIN / "lint-imports", "--no-cache", env={"PYTHONPATH": "firmware:host_tools", "PATH": "/usr/bin:/bin"})


def test_only_hal_imports_the_c_module():
    hal = ROOT / "firmware" / "hal"
    culprits = [file for file in tracked("firmware/*.py") if EDGE in imported(file) and hal not in file.parents]
    assert not culprits, f"only firmware/hal may import {EDGE}"


def test_no_package_imports_the_composition_root():
    files = [file for file in tracked("firmware/*/*.py") if {"app", "main"} & set(imported(file))]
    assert not files, "app.py and main.py are the top: packages know nothing of them"


def test_set_up_needs_the_standard_library_only():
    files = tracked("host_tools/trapless/setup/*.py", "host_tools/trapless/__init__.py")
    foreign = {(file.name, name) for file in files for name in imported(file) if name not in sys.stdlib_module_names}
    assert not foreign, "set-up runs before anything is installed"


def test_firmware_hides_no_standard_module():
    names = {path.stem for path in (ROOT / "firmware").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not names & sys.stdlib_module_names, "firmware/ is on sys.path in tests"


def test_shell_scripts():
    scripts = [file for file in tracked() if is_shell(file)]
    check("shellcheck", *scripts)


def is_shell(file):
    """Whether a file starts as a shell script does."""
    with file.open("rb") as content:
        return re.match(rb"#!\s*/\S*\b(ba|da)?sh\b", content.readline()) is not None


def test_every_source_names_its_licence():
    patterns = ("*.py", "*.c", "*.h", "*.S", "*.ld", "*.mk", "*.sh", "*Makefile", "*Kbuild", "*.toml", "*.yaml")
    heads = {file: "".join(file.read_text().splitlines(keepends=True)[:2]) for file in tracked(*patterns)}
    assert not [str(file) for file, head in heads.items() if "SPDX-License-Identifier:" not in head]


def test_licence_of_the_kernel_modules():
    sources = tracked("linux/*.c", "linux/*.h")
    assert not [str(file) for file in sources if "GPL-2.0-only" not in file.read_text().partition("\n")[0]]


def test_only_its_own_files_name_a_hypervisor():
    """What carries devices does not know what it runs on: that is `hal`'s and the mailboxes' business."""
    carriers = tracked("linux/trapless_*", "firmware/virtio/*", "firmware/scmi/*")
    named = re.compile("xen|ivshmem", re.IGNORECASE)
    assert len(carriers) > 20 and not [str(file) for file in carriers if named.search(file.read_text())]
