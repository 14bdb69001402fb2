# SPDX-License-Identifier: MIT
"""Where things lie: the clone, the build outputs, the cache, the private directories of running pairs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from trapless.errors import TraplessError

ROOT = Path(__file__).resolve().parents[2]
TOPOLOGY = ROOT / "qemu" / "topology.toml"
FIRMWARE = ROOT / "firmware"
BUILD = ROOT / "build"
BACKEND_IMAGE = BUILD / "firmware" / "trapless.Image"
BACKEND_ELF = BUILD / "firmware" / "trapless.elf"
KERNEL = BUILD / "kernel" / "Image"
XEN = BUILD / "hypervisor" / "xen"
XEN_SYMBOLS = BUILD / "hypervisor" / "xen-syms.map"
XEN_SHIM = BUILD / "xen" / "shim.Image"
INITRAMFS = BUILD / "initramfs.cpio.gz"
MODULES = BUILD / "linux"
TEST_MODULES = BUILD / "linux-tests"
PLUGIN_SOURCE = ROOT / "qemu" / "plugin" / "count.c"
GUEST_SOURCE = ROOT / "qemu" / "guest"
QEMU = os.environ.get("TRAPLESS_QEMU", "qemu-system-aarch64")


def sanitized(path: Path, sanitizer: str | None) -> Path:
    """Return where a folder in `build/` lies that there is for the kernel of each sanitizer as well."""
    return path.with_name(f"{path.name}-{sanitizer}") if sanitizer else path


def cache() -> Path:
    """Return the directory shared by all clones of this user, named after the content that it holds."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "trapless"


def runtime_base() -> Path:
    """Return where pairs put their region, sockets and state: memory-backed, because the region is a file there.

    Raises:
        TraplessError: neither /dev/shm nor $XDG_RUNTIME_DIR can be written.
    """
    for candidate in ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", "")):  # noqa: S108 (a private directory inside)
        if candidate and os.access(candidate, os.W_OK | os.X_OK):
            return Path(candidate)
    raise TraplessError("neither /dev/shm nor $XDG_RUNTIME_DIR is writable; the shared region needs one of them")


def need(path: Path, what: str) -> Path:
    """Return `path` if it exists.

    Raises:
        TraplessError: it does not; the message tells how to make it.
    """
    if not path.exists():
        raise TraplessError(
            f"{what} is missing: {path}\n`make firmware linux` builds it, `make test` what only tests need; "
            "`trapless doctor` says what it needs"
        )
    return path


def outdated() -> str:
    """Return a hint if the built image is older than what it is built from, otherwise nothing."""
    sources = (path for name in ("firmware", "board") for path in (ROOT / name).rglob("*.[chSp]*"))
    newest = max(path.stat().st_mtime for path in sources if "__pycache__" not in path.parts)
    if not BACKEND_IMAGE.exists() or BACKEND_IMAGE.stat().st_mtime >= newest:
        return ""
    return f"{BACKEND_IMAGE} is older than firmware/ or board/: `make firmware linux` brings it up to date."


def publish(directory: Path, name: str, content: bytes) -> Path:
    """Write `content` to `directory/name` so that readers see it whole or not at all, and return its path.

    Raises:
        TraplessError: the directory cannot be written.
    """
    partial = directory / f".{name}.{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        return partial.rename(directory / name)
    except OSError as error:
        advice = (
            "; XDG_CACHE_HOME names another folder for the cache" if cache() in (directory, *directory.parents) else ""
        )
        raise TraplessError(f"cannot write {directory / name}: {error.strerror}{advice}") from None


def program(name: str) -> str:
    """Return what a person types here to run one of our programs: its name, or its path if the name would not do."""
    ours = ROOT / ".venv" / "bin" / name
    if not ours.exists() or os.path.realpath(shutil.which(name) or "") == os.path.realpath(ours):
        return name
    return os.path.relpath(ours) if Path.cwd().is_relative_to(ROOT) else str(ours)
