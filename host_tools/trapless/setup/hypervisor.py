# SPDX-License-Identifier: MIT
"""Xen: built once per version of the source and of `xen/hypervisor/`, then kept without sources and objects."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from . import cache, sources
from .report import report, run

KEPT = ("xen", "xen-syms.map")


class Hypervisor(NamedTuple):
    """A built Xen: its version, and the folder with the Image `xen` and the addresses of its symbols."""

    version: str
    path: Path


def ensure(root: Path, store: sources.Shelf) -> Hypervisor:
    """The hypervisor for the clone at `root`, from the cache or built now. Raises: Failure."""
    package = sources.xen(store)
    key = cache.key_of(package.version, root / "xen" / "hypervisor", *KEPT)
    tree = cache.entry("xen", key, lambda folder: _fill(root, package, folder))
    return Hypervisor(package.version, tree)


def _fill(root: Path, package: sources.Tree, folder: Path) -> None:
    source, build = folder / "source", folder / "build"
    settings = os.environ | {"JOBS": str(os.cpu_count())}
    with report.step("builds", f"building Xen {package.version}"):
        sources.unpack_xen(package.path, source)
        run([root / "xen" / "hypervisor" / "build.sh", source, build], folder / "build.log", env=settings)
    for name in KEPT:
        (build / name).rename(folder / name)
    for part in (source, build):
        shutil.rmtree(part)
