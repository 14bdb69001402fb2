# SPDX-License-Identifier: MIT
"""The frontend's kernel: built once per version of the source and of `qemu/kernel/`, then kept without its sources.

What stays is what external modules are built with, as in Debian's linux-headers packages, and the Image.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import cache, sources
from .report import report, run

KEPT = "1"  # changes whenever what stays of a build does
IMAGE = "arch/arm64/boot/Image"


class Kernel(NamedTuple):
    """A built kernel: its version, its Image, and the tree to build modules with (KDIR)."""

    version: str
    image: Path
    build: Path


def ensure(root: Path, store: sources.Shelf) -> Kernel:
    """The kernel for the clone at `root`, from the cache or built now. Raises: Failure."""
    package = sources.linux(store)
    key = cache.key_of(package.version, root / "qemu" / "kernel", KEPT)
    tree = cache.entry("kernel", key, lambda folder: _fill(root, package, folder))
    return Kernel(package.version, tree / "Image", tree / "build")


def _fill(root: Path, package: sources.Tree, folder: Path) -> None:
    source, build = folder / "source", folder / "build"
    settings = os.environ | {"JOBS": str(os.cpu_count())}
    with report.step("builds", f"building Linux {package.version} (about four minutes on two idle cores)"):
        sources.unpack_linux(package.path, source)
        run([root / "qemu" / "kernel" / "build.sh", source, build], folder / "build.log", env=settings)
        (build / IMAGE).rename(folder / "Image")
        _thin(source, _of_source)
        _thin(build, _of_build)
        _relocate(build)


def _of_source(file: Path) -> bool:
    """Whether building a module needs this file of the source."""
    if file.parts[0] in ("include", "scripts") or len(file.parts) == 1:
        return True
    of_ours = file.parts[:2] == ("arch", "arm64")
    return of_ours and ("include" in file.parts or file.name.startswith(("Makefile", "Kconfig")))


def _of_build(file: Path) -> bool:
    """Whether building a module needs this file of the build."""
    if file.parts[0] in ("include", "scripts"):
        return file.suffix not in (".o", ".a", ".cmd")
    if file.parts[0] == "arch":
        return "include" in file.parts
    return (len(file.parts) == 1 and not file.name.startswith(("vmlinux", "."))) or file.name == ".config"


def _thin(tree: Path, needed: Callable[[Path], bool]) -> None:
    """Remove every file but those that are needed, and the folders that are left empty."""
    for folder, _, names in os.walk(tree, topdown=False):
        for name in names:
            file = Path(folder, name)
            if not needed(file.relative_to(tree)):
                file.unlink()
        if not os.listdir(folder):
            os.rmdir(folder)


def _relocate(build: Path) -> None:
    """Make the build tree refer to its source by relative path: it is renamed into the cache."""
    (build / "Makefile").write_text("include ../source/Makefile\n")
    link = build / "source"
    if link.is_symlink():
        link.unlink()
    link.symlink_to("../source")
