# SPDX-License-Identifier: MIT
"""Makes the frontend's initrd: the built one, plus kernel modules and the user's files as a second archive.

Linux unpacks concatenated archives one after the other, compressed or not, if zeros fill up to 4 bytes between them
(Documentation/driver-api/early-userspace/buffer-format.rst). The format written here is "newc". No root is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from trapless.errors import TraplessError

MODULES_AT = "lib/modules/trapless"
FILES_AT = "host"
_DIRECTORY = 0o040755
_FILE = 0o100000
_END = "TRAILER!!!"


def archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Return a newc archive.

    Args:
        entries: (path without a leading slash, mode with file type, content).
    """
    parts = [_entry(number, *entry) for number, entry in enumerate([*entries, (_END, 0, b"")], 1)]
    return b"".join(parts)


def _entry(inode: int, name: str, mode: int, content: bytes) -> bytes:
    encoded = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return _pad(header + encoded) + _pad(content)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def extend(base: bytes, modules: Path | None, files: Iterable[Path]) -> bytes:
    """Return an initrd with modules under /lib/modules/trapless and files under /host.

    Args:
        base: the built archive, compressed or not.
        modules: a directory, of which every *.ko is taken; or None.
        files: files and directories, which keep their names and modes.

    Raises:
        TraplessError: a file does not exist, or two have the same name.
    """
    entries = [(path, _DIRECTORY, b"") for path in ("lib", "lib/modules", MODULES_AT, FILES_AT)]
    for module in sorted(modules.glob("*.ko")) if modules else []:
        entries.append((f"{MODULES_AT}/{module.name}", _FILE | 0o644, module.read_bytes()))
    for path in files:
        entries += _tree(path)
    names = [name for name, _, _ in entries]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise TraplessError(f"several files would become /{sorted(twice)[0]} in the frontend; rename one")
    return _pad(base) + archive(entries)


def _tree(path: Path) -> list[tuple[str, int, bytes]]:
    if not path.exists():
        raise TraplessError(f"no such file to add: {path}")
    top = path.resolve().parent
    found = [path.resolve(), *sorted(path.resolve().rglob("*"))] if path.is_dir() else [path.resolve()]
    return [_host_entry(one, f"{FILES_AT}/{one.relative_to(top)}") for one in found]


def _host_entry(path: Path, name: str) -> tuple[str, int, bytes]:
    if path.is_dir():
        return name, _DIRECTORY, b""
    return name, _FILE | (path.stat().st_mode & 0o777), path.read_bytes()
