# SPDX-License-Identifier: MIT
"""The files that machines boot from, on any platform: what the options name, or else what `make` built."""

from __future__ import annotations

from pathlib import Path

from trapless import initramfs, project, romfs
from trapless.options import Options


def backend_image(options: Options) -> Path:
    """Return the backend's Image; TraplessError if it is not there."""
    return project.need(options.backend_image or project.BACKEND_IMAGE, "the backend's image")


def kernel(options: Options) -> Path:
    """Return the frontends' kernel; TraplessError if it is not there."""
    built = project.sanitized(project.KERNEL.parent, options.sanitizer) / project.KERNEL.name
    return project.need(options.kernel or built, "the frontend's kernel")


def model(options: Options) -> bytes:
    """Return the backend's initrd: the model, or nothing if it serves one of its own."""
    return romfs.model(options.model) if options.model else b""


def initrd(options: Options) -> bytes:
    """Return the frontends' initrd, with modules and added files; TraplessError if something is not there."""
    base = project.need(project.INITRAMFS, "the frontend's initramfs").read_bytes()
    built = project.sanitized(project.MODULES, options.sanitizer)
    modules = options.modules or project.need(built, "the directory of kernel modules")
    return initramfs.extend(base, modules, options.add)
