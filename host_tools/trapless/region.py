# SPDX-License-Identifier: MIT
"""The file that is a link's shared region: making it, and reading from it who serves. Source: docs/transport.md, 3."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from trapless import model
from trapless.errors import TraplessError
from trapless.topology import Device, Link


def path(directory: Path, link: Link) -> Path:
    """Return where a link's region lies in a pair's directory."""
    return directory / f"region-{link.name}"


def make(directory: Path, link: Link) -> None:
    """Make the region, all zero.

    Raises:
        TraplessError: there is no room for it.
    """
    try:
        with path(directory, link).open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, link.region)
    except OSError as error:
        need = f"{link.region >> 20} MiB for the shared region"
        raise TraplessError(f"{directory.parent} has no room: {need}: {error.strerror}") from None


def epochs(directory: Path, link: Link) -> dict[Device, int]:
    """Return the `DEV_BE_EPOCH` of every device of a link (0: not there), as it stands in the region now."""
    layout = model.firmware("virtio.layout")
    with path(directory, link).open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
        at = {device: link.device_page(device) + layout.DEV_BE_EPOCH for device in link.devices}
        return {device: struct.unpack_from("<I", memory, offset)[0] for device, offset in at.items()}
