# SPDX-License-Identifier: MIT
"""What is built in the clone, each by its own folder's make: only when its inputs changed, and once per content.

A product whose inputs are as they were is not looked at. One that was built from the same inputs before, in whatever
clone, is copied from the cache. Everything else is built incrementally in `build/`.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from . import cache, kernel
from .report import Failure, report, run


class Product(NamedTuple):
    """A product: what it depends on, the command that makes it, and the files in `build/` that result (patterns)."""

    name: str
    text: str
    inputs: tuple[str, ...]
    command: tuple[str, ...]
    outputs: tuple[str, ...]
    uses: tuple[str, ...]


def _sanitized(sanitizer: str) -> tuple[Product, Product]:
    """The kernel modules for the kernel with a sanitizer (`qemu/sanitizers/`)."""
    build = f"KERNEL_BUILD_{sanitizer.upper()}"
    command = f"KDIR={{{build}}}"
    return (
        Product(
            f"linux-{sanitizer}",
            f"the frontend's kernel modules for {sanitizer}",
            ("linux",),
            ("make", "-C", "linux", command, f"OUT={{build}}/linux-{sanitizer}"),
            (f"linux-{sanitizer}/*.ko",),
            (build,),
        ),
        Product(
            f"linux-tests-{sanitizer}",
            f"the kernel modules of the tests for {sanitizer}",
            ("linux/Makefile", "linux/tests"),
            ("make", "-C", "linux/tests", command, f"OUT={{build}}/linux-tests-{sanitizer}"),
            (f"linux-tests-{sanitizer}/*.ko",),
            (build,),
        ),
    )


# In the commands, {NAME} is a value of build/deps.env, and {build} the clone's build folder.
PRODUCTS = (
    Product(
        "firmware",
        "the backend's image",
        ("board", "firmware"),
        ("make", "-C", "board", "MICROPYTHON_TOP={MICROPYTHON_TOP}", "BUILD={build}/firmware"),
        ("firmware/trapless.elf", "firmware/trapless.Image"),
        ("MICROPYTHON_VERSION",),
    ),
    Product(
        "interpreter",
        "MicroPython's unix port, for the tests",
        ("board/unix", "board/modules"),
        ("make", "-C", "board/unix", "MICROPYTHON_TOP={MICROPYTHON_TOP}", "BUILD={build}/micropython-unix"),
        ("micropython-unix/micropython",),
        ("MICROPYTHON_VERSION",),
    ),
    Product(
        "interpreter-sanitized",
        "MicroPython's unix port with sanitizers, for the fuzzers",
        ("board/unix", "board/modules"),
        (
            "make",
            "-C",
            "board/unix",
            "MICROPYTHON_TOP={MICROPYTHON_TOP}",
            "BUILD={build}/micropython-sanitized",
            "SANITIZE=1",
        ),
        ("micropython-sanitized/micropython",),
        ("MICROPYTHON_VERSION",),
    ),
    Product(
        "linux",
        "the frontend's kernel modules",
        ("linux",),
        ("make", "-C", "linux", "KDIR={KERNEL_BUILD}"),
        ("linux/*.ko",),
        ("KERNEL_BUILD",),
    ),
    Product(
        "linux-tests",
        "the kernel modules of the tests",
        ("linux/Makefile", "linux/tests"),
        ("make", "-C", "linux/tests", "KDIR={KERNEL_BUILD}"),
        ("linux-tests/*.ko",),
        ("KERNEL_BUILD",),
    ),
    Product(
        "initramfs",
        "the frontend's initramfs",
        ("qemu/initramfs",),
        ("qemu/initramfs/build.sh", "{BUSYBOX}", "{build}/initramfs.cpio.gz"),
        ("initramfs.cpio.gz",),
        ("BUSYBOX_VERSION",),
    ),
    Product(
        "xen-shim",
        "the shim in front of a frontend's kernel under Xen",
        ("xen/shim",),
        ("make", "-C", "xen/shim", "LIBFDT={KERNEL_BUILD}/../source/scripts/dtc/libfdt", "BUILD={build}/xen"),
        ("xen/shim.Image",),
        ("KERNEL_BUILD",),
    ),
    *(product for name in kernel.SANITIZERS for product in _sanitized(name)),
)
SETTINGS = {"MAKEFLAGS": f"-j{os.cpu_count()}", "PYTHON": sys.executable}
GROUPS = {
    "all": ("firmware", "interpreter", "interpreter-sanitized", "linux", "linux-tests", "initramfs", "xen-shim"),
    "machines": ("firmware", "linux", "initramfs", "xen-shim"),
    **{name: tuple(product.name for product in _sanitized(name)) for name in kernel.SANITIZERS},
}


def names() -> list[str]:
    """What may be asked for."""
    return [product.name for product in PRODUCTS] + list(GROUPS)


def _wanted(asked: Sequence[str]) -> set[str]:
    """The names of the products that are asked for, by their own names or by those of groups."""
    return {name for item in asked for name in GROUPS.get(item, (item,))}


def sanitizers(asked: Sequence[str]) -> list[str]:
    """The sanitizers whose kernels the products that are asked for need."""
    wanted = _wanted(asked)
    return [name for name in kernel.SANITIZERS if wanted.intersection(GROUPS[name])]


def make(root: Path, asked: Sequence[str], values: dict[str, str], compilers: str) -> None:
    """Bring the products that are asked for up to date.

    `values`: build/deps.env, and KERNEL_BUILD_* of the sanitizers; `compilers`: versions of what compiles them.
    Raises: Failure if a build fails.
    """
    wanted = _wanted(asked)
    for product in PRODUCTS:
        if product.name in wanted:
            _Build(root, product, values, compilers).ensure()


class _Build:
    """One product in one clone."""

    def __init__(self, root: Path, product: Product, values: dict[str, str], compilers: str) -> None:
        self.root = root
        self.folder = root / "build"
        self.product = product
        self.command = [word.format(build=self.folder, **values) for word in product.command]
        used = [values[name] for name in product.uses]
        self.key = cache.key_of(compilers, *product.command, *used, *(root / name for name in product.inputs))
        # Of everything that make does not see change under the objects of an earlier build.
        self.base = cache.key_of(compilers, *self.command, *used)
        self.stamp = self.folder / f".{product.name}.key"

    def ensure(self) -> None:
        """Nothing, a copy from the cache, or a build."""
        if self._is_current():
            return
        with cache.lock(f"{self.product.name}-{cache.key_of(str(self.root))}"):
            self.stamp.unlink(missing_ok=True)
            self._copy_or_build()
            self.stamp.write_text(self.key)

    def _is_current(self) -> bool:
        recorded = self.stamp.read_text() if self.stamp.exists() else ""
        return recorded == self.key and bool(self._outputs()) and not self._is_foreign()

    def _is_foreign(self) -> bool:
        """Whether it is built from a tree that nobody promised not to change: then make has to look at it."""
        return "MICROPYTHON_VERSION" in self.product.uses and "MICROPYTHON_TOP" in os.environ

    def _copy_or_build(self) -> None:
        if self._is_foreign():
            self._build()
            return
        entry = cache.entry(self.product.name, self.key, self._fill)
        os.utime(entry)
        for file in (path for path in entry.rglob("*") if path.is_file()):
            target = self.folder / file.relative_to(entry)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != file.read_bytes():
                shutil.copy(file, target)
        cache.prune(self.product.name)

    def _fill(self, entry: Path) -> None:
        self._build()
        for file in self._outputs():
            target = entry / file.relative_to(self.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)

    def _build(self) -> None:
        log = self.folder / f"{self.product.name}.log"
        log.unlink(missing_ok=True)
        self._remove_objects_of_another_base()
        with report.step("builds", f"building {self.product.text}"):
            run(self.command, log, cwd=self.root, env=os.environ | SETTINGS)
        if not self._outputs():
            raise Failure(
                f"`{' '.join(self.command)}` made no {' '.join(self.product.outputs)} in {self.folder}; see {log}"
            )

    def _remove_objects_of_another_base(self) -> None:
        stamp = self.folder / f".{self.product.name}.base"
        if stamp.exists() and stamp.read_text() != self.base:
            for folder in {(self.folder / name).parent for name in self.product.outputs} - {self.folder}:
                shutil.rmtree(folder, ignore_errors=True)
        stamp.write_text(self.base)

    def _outputs(self) -> list[Path]:
        """The files that stand there now; empty if any is missing."""
        found = [sorted(self.folder.glob(pattern)) for pattern in self.product.outputs]
        return [file for files in found for file in files] if all(found) else []
