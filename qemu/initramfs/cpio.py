# SPDX-License-Identifier: MIT
"""Write a cpio archive for the kernel (format "newc", Documentation/driver-api/early-userspace/buffer-format.rst).

    python3 cpio.py OUT.cpio.gz TREE [PATH=FILE | DIRECTORY/]...

Packs the directory TREE, further files and empty directories. Everything belongs to root and has no time stamp, so that
equal input gives equal output. No privileges are needed. Device nodes are not written: the guest mounts devtmpfs.
"""

import gzip
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

Member = tuple[str, int, bytes]


def header(inode: int, mode: int, size: int, name: str) -> bytes:
    """Return the header of one member; `size` is the length of its data in bytes."""
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(name.encode()) + 1, 0)
    return b"070701" + b"".join(b"%08X" % field for field in fields)


def padded(data: bytes) -> bytes:
    """Return the data filled up to a multiple of 4 bytes."""
    return data + bytes(-len(data) % 4)


def archive(members: list[Member]) -> bytes:
    """Return the archive of (name, mode, data) members."""
    packed = []
    for inode, (name, mode, data) in enumerate([*members, ("TRAILER!!!", 0, b"")], 1):
        packed.append(padded(header(inode, mode, len(data), name) + name.encode() + b"\0"))
        packed.append(padded(data))
    return b"".join(packed)


def member(path: Path, name: str) -> Member:
    """Return the member for a file, symbolic link or directory of the host."""
    if path.is_symlink():
        return name, stat.S_IFLNK | 0o777, os.readlink(path).encode()
    if path.is_dir():
        return name, stat.S_IFDIR | 0o755, b""
    executable = os.access(path, os.X_OK)
    return name, stat.S_IFREG | (0o755 if executable else 0o644), path.read_bytes()


def parents(name: str) -> Iterator[str]:
    """Yield the directories above a member, outermost first."""
    parts = name.split("/")[:-1]
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[:count])


def collect(tree: Path, extra: list[str]) -> list[Member]:
    """Return all members in an order that has each directory before its content."""
    found: dict[str, Member] = {}
    for path in tree.rglob("*"):
        name = path.relative_to(tree).as_posix()
        found[name] = member(path, name)
    for item in extra:
        name, _, source = item.partition("=")
        if source:
            found[name] = member(Path(source), name)
        for directory in parents(name):
            found.setdefault(directory, (directory, stat.S_IFDIR | 0o755, b""))
    return [found[name] for name in sorted(found)]


def main(arguments: list[str]) -> int:
    """Write the archive named by the first argument."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    out, tree, extra = Path(arguments[0]), Path(arguments[1]), arguments[2:]
    temporary = out.with_name(out.name + ".part")
    temporary.write_bytes(gzip.compress(archive(collect(tree, extra)), mtime=0))
    temporary.replace(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
