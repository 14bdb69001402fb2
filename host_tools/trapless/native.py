# SPDX-License-Identifier: MIT
"""Small C programs of ours, compiled when they are first needed and kept by content outside the clone."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trapless import project
from trapless.errors import TraplessError

_COMMON = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2"]


def counter_plugin() -> Path:
    """Return the TCG plugin that counts instructions (`qemu/plugin/count.c`)."""
    return _compiled("gcc", [*_COMMON, "-fPIC", "-shared"], project.PLUGIN_SOURCE, "count.so")


def guest_program(name: str) -> Path:
    """Return a static arm64 program of `qemu/guest/`, named with a hyphen where its source has an underscore."""
    source = project.GUEST_SOURCE / f"{name.replace('-', '_')}.c"
    return _compiled("aarch64-linux-gnu-gcc", [*_COMMON, "-static", "-s"], source, name)


def bare_program(source: Path, address: int, macros: Mapping[str, int | str]) -> Path:
    """Return an arm64 ELF of an assembler file that needs nothing else in its machine and begins at `address`."""
    flags = [f"-D{name}={value}" for name, value in macros.items()]
    bare = ["-nostdlib", "-static", "-Wl,--build-id=none", f"-Wl,-Ttext={address:#x}"]
    return _compiled("aarch64-linux-gnu-gcc", [*flags, *bare], source, source.stem)


def _compiled(compiler: str, flags: list[str], source: Path, name: str) -> Path:
    key = hashlib.sha256(repr((compiler, flags, source.read_bytes())).encode()).hexdigest()
    directory = project.cache() / f"native-{key}"
    if not (directory / name).exists():
        project.publish(directory, name, _compile([compiler, *flags], source))
        (directory / name).chmod(0o755)
    return directory / name


def _compile(command: list[str], source: Path) -> bytes:
    with tempfile.TemporaryDirectory(prefix="trapless-cc-") as scratch:
        out = Path(scratch) / "out"
        try:
            result = subprocess.run(
                [*command, "-o", str(out), str(source)], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise TraplessError(f"{command[0]} is not installed; `trapless doctor` says how to get it") from None
        if result.returncode:
            raise TraplessError(f"{source} does not compile:\n{result.stderr}")
        return out.read_bytes()
