# SPDX-License-Identifier: MIT
"""`python3 -m trapless.setup [--refresh] [--doctor [--json]] [PRODUCT...]`: what the Makefile calls."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from . import cache, diagnosis, environment, hypervisor, kernel, packages, products, sources, values
from .report import Failure, report, say


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="trapless.setup", description=__doc__)
    parser.add_argument("product", nargs="*", choices=[[], *products.names()], help="what to build as well")
    parser.add_argument("--refresh", action="store_true", help="look again which versions Debian has now")
    parser.add_argument("--doctor", action="store_true", help="only tell what is there and what is missing")
    parser.add_argument("--json", action="store_true", help="the doctor's answer for programs")
    return parser.parse_args()


def dependencies(root: Path) -> dict[str, str]:
    """Fetch and build everything from outside; the content of build/deps.env. Raises: Failure."""
    with sources.shelf() as store:
        micropython = sources.micropython(store)
        busybox = sources.busybox(store)
        linux = kernel.ensure(root, store)
        xen = hypervisor.ensure(root, store)
    return {
        "MICROPYTHON_TOP": str(micropython.path),
        "MICROPYTHON_VERSION": micropython.version,
        "KERNEL_BUILD": str(linux.build),
        "KERNEL_IMAGE": str(linux.image),
        "KERNEL_VERSION": linux.version,
        "BUSYBOX": str(busybox.path),
        "BUSYBOX_VERSION": busybox.version,
        "XEN": str(xen.path),
        "XEN_VERSION": xen.version,
    }


def sanitized_kernels(root: Path, asked: list[str]) -> dict[str, str]:
    """Build the kernels with the sanitizers that are asked for; KERNEL_BUILD_* of each. Raises: Failure."""
    found = {}
    for name in products.sanitizers(asked):
        with sources.shelf() as store:
            linux = kernel.ensure(root, store, name)
        values.make_link(root / "build" / f"kernel-{name}" / "Image", str(linux.image))
        found[f"KERNEL_BUILD_{name.upper()}"] = str(linux.build)
    return found


def set_up(root: Path, asked: list[str]) -> None:
    """All steps that are not done yet. Raises: Failure."""
    packages.install()
    environment.ensure(root)
    found = dependencies(root)
    values.write(found, root)
    if asked:
        versions = packages.found()
        compilers = f"{versions['gcc-aarch64-linux-gnu']} {versions['build-essential']}"
        products.make(root, asked, found | sanitized_kernels(root, asked), compilers)


def forget_versions() -> None:
    """Remove what was fetched, so that it is looked for again; what was built of it stays."""
    for what in sources.EVERYTHING:
        for entry in cache.entries(what.package):
            shutil.rmtree(entry)


def main() -> int:
    """Run; the exit status."""
    begin = time.monotonic()
    options = arguments()
    if options.doctor:
        return diagnosis.doctor(options.json)
    try:
        if options.refresh:
            forget_versions()
        set_up(values.ROOT, options.product)
    except Failure as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        say("interrupted; what was finished is kept")
        return 130
    if summary := report.summary():
        say(f"ready after {time.monotonic() - begin:.0f} s ({summary})")
    return 0


sys.exit(main())
