# SPDX-License-Identifier: MIT
"""The cache outside the clone: `${XDG_CACHE_HOME:-~/.cache}/trapless/<kind>-<hash of the inputs>`.

An entry is made in a neighbouring folder and renamed when it is complete, under a lock per entry: what stands under its
name is whole, and two set-ups at once do the work once.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .report import Failure, say

KEPT = 12  # entries of a kind that changes with every edit


def root() -> Path:
    """The cache's folder, made if it is not there. Raises: Failure if it cannot be written."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base.absolute() / "trapless"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(_advice(folder, error.strerror)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Failure(_advice(folder, "not writable"))
    return folder


def _advice(folder: Path, why: str | None) -> str:
    return f"the cache cannot be in {folder}: {why}. XDG_CACHE_HOME=/elsewhere puts it elsewhere"


def key_of(*inputs: str | bytes | Path) -> str:
    """A hash of texts and of files (by content and name; folders with all below them)."""
    digest = hashlib.sha256()
    for item in inputs:
        for name, content in _contents(item):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:24]


def _contents(item: str | bytes | Path) -> Iterator[tuple[str, bytes]]:
    if isinstance(item, Path):
        for file in sorted(_files(item)):
            yield str(file.relative_to(item.parent)), file.read_bytes()
    else:
        yield "", item.encode() if isinstance(item, str) else item


def _files(item: Path) -> Iterable[Path]:
    if item.is_file():
        return [item]
    return (file for file in item.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the lock `name`, waiting for another set-up that has it."""
    with (root() / f".{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another set-up is at {name}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def entry(kind: str, key: str, fill: Callable[[Path], None]) -> Path:
    """The folder of an entry; `fill(folder)` makes its content if it is not there yet."""
    path = root() / f"{kind}-{key}"
    if path.is_dir():
        return path
    with lock(path.name):
        if not path.is_dir():
            partial = root() / f".{path.name}.partial"
            shutil.rmtree(partial, ignore_errors=True)  # of one that was interrupted
            partial.mkdir()
            fill(partial)
            partial.rename(path)
    return path


def entries(kind: str) -> list[Path]:
    """The folders of a kind, oldest first."""
    found = [path for path in root().glob(f"{kind}-*") if "-" not in path.name.removeprefix(f"{kind}-")]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def prune(kind: str) -> None:
    """Remove all but the newest entries of a kind."""
    for path in entries(kind)[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)
        (root() / f".{path.name}.lock").unlink(missing_ok=True)


def size() -> int:
    """Bytes that the cache takes on disk."""
    files = (file for file in root().rglob("*") if file.is_file() and not file.is_symlink())
    return sum(file.stat().st_blocks * 512 for file in files)
