# SPDX-License-Identifier: MIT
"""The frontend's kernels: built once per version of the source and per configuration, then kept without sources.

There is the one of `qemu/kernel/`, and one for each of `qemu/sanitizers/`, which looks after itself while it runs.
What stays is what external modules are built with, as in Debian's linux-headers packages, and the Image.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import cache, sources
from .report import report, run

KEPT = "1"  # changes whenever what stays of a build does
IMAGE = "arch/arm64/boot/Image"
SANITIZERS = ("kasan", "kcsan")

# KCSAN looks at one access in thousands of all that it is compiled into, and in a whole kernel hardly any is one that
# our modules have a part in. So it is compiled into what they work with; into modules from outside it always is.
_KCSAN_FOLDERS = "drivers/virtio drivers/firmware/arm_scmi drivers/mailbox drivers/char/hw_random kernel/dma"
# Kbuild's variables for a kernel: make takes them from the environment, and expands them in each folder anew.
KBUILD = {
    "kcsan": {
        "KCSAN_SANITIZE": f"$(if $(filter {' '.join(f'{name}/%' for name in _KCSAN_FOLDERS.split())},$(obj)/),,n)"
    },
}
_SYMBOL = re.compile(r"^(?:# )?(CONFIG_\w+)(?:=| is not set)", re.MULTILINE)


class Kernel(NamedTuple):
    """A built kernel: its version, its Image, and the tree to build modules with (KDIR)."""

    version: str
    image: Path
    build: Path


def ensure(root: Path, store: sources.Shelf, sanitizer: str = "") -> Kernel:
    """The kernel for the clone at `root`, from the cache or built now.

    `sanitizer`: one of `SANITIZERS`, or "" for the kernel that everybody runs. Raises: Failure.
    """
    package = sources.linux(store)
    changes = _changes(root, sanitizer) if sanitizer else []
    settings = KBUILD.get(sanitizer, {})
    key = cache.key_of(package.version, root / "qemu" / "kernel", KEPT, *changes, *settings.values())
    tree = cache.entry("kernel", key, lambda folder: _fill(root, package, folder, settings, *changes))
    return Kernel(package.version, tree / "Image", tree / "build")


def _changes(root: Path, sanitizer: str) -> list[Path]:
    """The lines of configuration that a kernel with a sanitizer changes, and its patch if it needs one."""
    folder = root / "qemu" / "sanitizers"
    patch = folder / f"{sanitizer}.patch"
    return [folder / f"{sanitizer}.config", *([patch] if patch.exists() else [])]


def merged(fragment: str, changes: str) -> str:
    """The lines of a fragment without those of the symbols that `changes` sets or takes back, and then `changes`."""
    changed = set(_SYMBOL.findall(changes))
    kept = [line for line in fragment.splitlines() if not changed.intersection(_SYMBOL.findall(line))]
    return "\n".join([*kept, changes])


def _fill(
    root: Path,
    package: sources.Tree,
    folder: Path,
    settings: dict[str, str],
    changes: Path | None = None,
    patch: Path | None = None,
) -> None:
    source, build = folder / "source", folder / "build"
    fragment = root / "qemu" / "kernel" / "fragment.config"
    if changes:
        text = merged(fragment.read_text(), changes.read_text())
        fragment = folder / "fragment.config"
        fragment.write_text(text)
    environment = os.environ | {"JOBS": str(os.cpu_count()), "FRAGMENT": str(fragment)} | settings
    what = f"Linux {package.version}" + (f" with {changes.name}" if changes else "")
    with report.step("builds", f"building {what} (about four minutes on two idle cores)"):
        sources.unpack_linux(package.path, source)
        if patch:
            run(["patch", "--strip=1", f"--directory={source}", f"--input={patch}"], folder / "patch.log")
        run([root / "qemu" / "kernel" / "build.sh", source, build], folder / "build.log", env=environment)
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
