# SPDX-License-Identifier: MIT
"""What comes from another release of Debian than the machine's: sources of MicroPython, Linux and Xen, arm64 busybox.

All from one stable suite, which changes at point releases only, but Linux: its security suite has the corrections that
a frontend needs (docs/adr/0023). The versions below are those that the project was last tested with, pinned by hash.
Should the suite list them no longer, the mirror may still have their files; else the suite's newest is taken (apt
verified it) and reported. Every test report names what was used.
"""

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import apt, cache
from .report import Failure, report, run, say

SUITE = "trixie"
SECURITY = f"{SUITE}-security"
ARCHITECTURE = "arm64"


class Source(NamedTuple):
    """A package to fetch: its name, what of it, the files of the tested version with their SHA-256, its suite."""

    package: str
    part: apt.Part
    tested: str
    sha256: dict[str, str]
    suite: str = SUITE


MICROPYTHON = Source(
    "micropython",
    apt.Part.SOURCE,
    "1.25.0+ds-1",
    {
        "micropython_1.25.0+ds-1.dsc": "8c7c406be88a6f3bc19e694eb0bbc5841112243fdf2b5a296e000d8fdc5f3c34",
        "micropython_1.25.0+ds-1.debian.tar.xz": "87cd89f7900c86b963885dabe25acf3e5348815993f1500278ad8f6464465af4",
        "micropython_1.25.0+ds.orig.tar.xz": "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea",
    },
)
LINUX = Source(
    "linux-source-6.12",
    apt.Part.BINARY,
    "6.12.117-1",
    {
        "linux-source-6.12_6.12.117-1_all.deb": "9141325315c7f1eca682113d185a8c77c82814aa6e32f7e127e61d6106403835",
    },
    SECURITY,
)
BUSYBOX = Source(
    "busybox-static",
    apt.Part.BINARY,
    "1:1.37.0-6+b9",
    {
        "busybox-static_1%3a1.37.0-6+b9_arm64.deb": "c833be48abfa16bc19c4966ec93e289ff1ce5d2f1476cad3a57bd105378cd15c",
    },
)
# Debian's patches change Xen's tools and its banner, nothing that is built here.
XEN = Source(
    "xen",
    apt.Part.UPSTREAM,
    "4.20.3+127-gc42374a105",
    {
        "xen_4.20.3+127-gc42374a105.orig.tar.xz": "df0831854a55a8f31cb3cb85036f2edc928e2ef098d77f815f5714bfafac68f3",
    },
)
EVERYTHING = (MICROPYTHON, LINUX, BUSYBOX, XEN)


class Shelf:
    """What was fetched; the isolated apt of a suite is set up at most once, when something is not in the cache."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._apts: dict[str, apt.Apt] = {}

    def _apt(self, suite: str) -> apt.Apt:
        if suite not in self._apts:
            with report.step("downloads", f"reading the package lists of Debian {suite}"):
                self._apts[suite] = self._stack.enter_context(apt.isolated(suite, ARCHITECTURE))
        return self._apts[suite]

    def get(self, what: Source) -> Path:
        """The cached folder with the files of a package, and `version`."""
        key = cache.key_of(what.suite, ARCHITECTURE, *what.sha256.values())
        return cache.entry(what.package, key, lambda folder: self._fill(what, folder))

    def _fill(self, what: Source, folder: Path) -> None:
        lists = self._apt(what.suite)
        with report.step("downloads", f"fetching {what.package}"):
            files = _fetch(lists, what, folder)
        version = version_of(files)
        if version == what.tested:
            verify(files, what.sha256)
        else:
            found = f"Debian {what.suite} now has {what.package} {version}"
            say(f"{found}; {what.tested} is what this version was tested with")
        (folder / "version").write_text(version)


def _fetch(lists: apt.Apt, what: Source, folder: Path) -> list[Path]:
    """The files of the tested version, from wherever it is still to be had, or those of the newest one."""
    if version := lists.listed(what.package, what.tested):
        return lists.fetch(what.package, what.part, folder, version)
    try:
        return lists.fetch_unlisted(what.package, what.part, folder, what.sha256)
    except Failure:
        for file in folder.iterdir():
            file.unlink()
        return lists.fetch(what.package, what.part, folder)


@contextlib.contextmanager
def shelf() -> Iterator[Shelf]:
    """A Shelf that cleans up after itself."""
    with contextlib.ExitStack() as stack:
        yield Shelf(stack)


def version_of(files: list[Path]) -> str:
    """The version of the downloaded files: what the .dsc or the .deb says, or how upstream's archive is called."""
    for file in files:
        if file.suffix == ".deb":
            command = ["dpkg-deb", "--field", str(file), "Version"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        if file.suffix == ".dsc":
            lines = file.read_text().splitlines()
            return next(line.removeprefix("Version: ") for line in lines if line.startswith("Version: "))
    for file in files:
        if ".orig." in file.name:
            return file.name.partition("_")[2].partition(".orig.")[0]
    raise Failure(f"apt brought no package: {files}")


def verify(files: list[Path], sha256: dict[str, str]) -> None:
    """Compare files with their recorded hashes. Raises: Failure."""
    for file in files:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if sha256.get(file.name) != found:
            raise Failure(f"{file.name} has SHA-256 {found}, expected {sha256.get(file.name)}: do not use this mirror")


class Tree(NamedTuple):
    """Something unpacked and ready for use."""

    path: Path
    version: str


def micropython(store: Shelf) -> Tree:
    """MicroPython's source tree: the folder MICROPYTHON_TOP if it is set, else Debian's, unpacked and patched.

    Raises: Failure if MICROPYTHON_TOP is no MicroPython.
    """
    if top := os.environ.get("MICROPYTHON_TOP"):
        return _own_micropython(Path(top).resolve())
    package = store.get(MICROPYTHON)
    version = (package / "version").read_text()
    tree = cache.entry("micropython-tree", cache.key_of(version), lambda folder: _unpack_source(package, folder))
    return Tree(tree / "source", version)


def _own_micropython(top: Path) -> Tree:
    header = top / "py" / "mpconfig.h"
    if not header.exists():
        raise Failure(f"MICROPYTHON_TOP={top} is no MicroPython source: {header} is missing")
    words = (line.split() for line in header.read_text().splitlines())
    numbers = {word[1]: word[2] for word in words if len(word) > 2 and word[1].startswith("MICROPY_VERSION_M")}
    parts = (numbers.get(f"MICROPY_VERSION_{part}", "?") for part in ("MAJOR", "MINOR", "MICRO"))
    return Tree(top, f"{'.'.join(parts)} in {top}")


def _unpack_source(package: Path, folder: Path) -> None:
    description = next(package.glob("*.dsc"))
    with report.step("builds", "unpacking MicroPython"):
        # without a check of the maintainer's signature, for which keys would be needed: apt checked the archive's
        command: list[str | Path] = ["dpkg-source", "--no-check", "--extract", description, folder / "source"]
        run(command, folder / "unpack.log")


def busybox(store: Shelf) -> Tree:
    """The static arm64 busybox."""
    package = store.get(BUSYBOX)
    version = (package / "version").read_text()
    tree = cache.entry("busybox-tree", cache.key_of(version), lambda folder: _unpack_binary(package, folder))
    return Tree(next(path for path in (tree / "bin/busybox", tree / "usr/bin/busybox") if path.exists()), version)


def _unpack_binary(package: Path, folder: Path) -> None:
    run(["dpkg-deb", "--extract", next(package.glob("*.deb")), folder], folder / "unpack.log")


def linux(store: Shelf) -> Tree:
    """The package with Linux' source, still packed: `unpack_linux` is for the time of a build only (1.6 GB)."""
    package = store.get(LINUX)
    return Tree(next(package.glob("*.deb")), (package / "version").read_text())


def unpack_linux(package: Path, folder: Path) -> None:
    """Unpack Linux' source into `folder`, without its leading path component. Raises: Failure."""
    folder.mkdir()
    # The package is a tar archive with the source in it as one compressed tar archive.
    script = (
        'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar --extract --to-stdout --wildcards "./usr/src/*.tar.xz" '
        '| tar --extract --xz --strip-components=1 --directory "$2"'
    )
    run(["bash", "-c", script, "unpack", package, folder], folder.parent / "build.log")


def xen(store: Shelf) -> Tree:
    """Upstream's archive of Xen, still packed."""
    package = store.get(XEN)
    return Tree(next(package.glob("*.orig.tar.*")), (package / "version").read_text())


def unpack_xen(package: Path, folder: Path) -> None:
    """Unpack Xen's source into `folder`, without its leading path component. Raises: Failure."""
    folder.mkdir()
    run(
        ["tar", "--extract", "--file", package, "--strip-components=1", "--directory", folder],
        folder.parent / "build.log",
    )
