# SPDX-License-Identifier: MIT
"""The file that is a link's shared region: making it, and reading from it who serves, whose heart beats, what is given,
who came back how often.

Source: docs/transport.md, 2, 3, 4.9 and 10.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from trapless import model
from trapless.errors import TraplessError
from trapless.topology import Device, Link

_BEATS = 4
_POLL = 0.01


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


def hearts(link: Link) -> dict[str, int]:
    """Return where in the region the heartbeats of both sides of a link are: the offsets of two words."""
    layout = model.firmware("virtio.layout")
    first = link.devices[0]
    return {
        "backend": link.device_page(first) + layout.DEV_HEARTBEAT,
        "frontend": link.driver_page(first) + layout.DRV_HEARTBEAT,
    }


def pool(link: Link) -> dict[str, int]:
    """Return how many bytes a link's pool has, and where in the region the number of given back blocks is."""
    layout = model.firmware("virtio.layout")
    return {"size": link.pool_size, "given": link.device_page(link.devices[0]) + layout.DEV_POOL_GIVEN}


def pages(link: Link) -> list[dict[str, Any]]:
    """Return the kinds of a link's devices, and where in the region the two pages of each are."""
    return [
        {"kind": device.kind, "device": link.device_page(device), "driver": link.driver_page(device)}
        for device in link.devices
    ]


def counts(frontend: dict[str, Any]) -> dict[str, Any]:
    """Return what both sides of a link have counted, as it stands in the region now.

    Args:
        frontend: as in the state of a pair.

    Returns:
        `recoveries` and `recovery_ms` of the frontend; of each of `devices` its `kind`, its `state` in a word, and what
        the backend has counted in its present life: `lives` of the frontend, how often a driver `attached`, how often
        the device `failed`.
    """
    layout = model.firmware("virtio.layout")
    with ExitStack() as stack:
        memory = _map(stack, Path(frontend["region"]))

        def word(at: int) -> int:
            return int(struct.unpack_from("<I", memory, at)[0])

        first = frontend["devices"][0]["driver"]
        devices = [
            {
                "kind": device["kind"],
                "state": _state(word(page + layout.DEV_BE_EPOCH), word(page + layout.REG_STATUS)),
                "lives": word(page + layout.DEV_FE_LIVES),
                "attached": word(page + layout.DEV_ATTACHES),
                "failed": word(page + layout.DEV_FAILURES),
            }
            for device in frontend["devices"]
            for page in (device["device"],)
        ]
        recoveries, last = word(first + layout.DRV_RECOVERIES), word(first + layout.DRV_RECOVERY_MS)
    return {"devices": devices, "recoveries": recoveries, "recovery_ms": last}


def _state(epoch: int, status: int) -> str:
    """Return what a device is, by its epoch and its status as the backend shows it."""
    bits = model.firmware("virtio.status")
    if not epoch:
        return "not there"
    if status & bits.NEEDS_RESET:
        return "needs a reset"
    if status & bits.FAILED:
        return "given up"
    if status & bits.DRIVER_OK:
        return "up"
    return "being set up" if status else "reset"


def given_back(frontend: dict[str, Any]) -> int:
    """Return how many bytes of its pool a frontend, as in the state of a pair, has given back."""
    with ExitStack() as stack:
        memory = _map(stack, Path(frontend["region"]))
        blocks: int = struct.unpack_from("<I", memory, frontend["pool"]["given"])[0]
        return blocks << model.firmware("virtio.layout").POOL_BLOCK_SHIFT


def beats(frontends: Sequence[dict[str, Any]]) -> list[dict[str, bool]]:
    """Return which sides' hearts beat, for each of the `frontends` in the state of a pair (`Frontend.state`).

    Of a frontend whose pair was closed in between no side is named. Takes as long as it takes all of them to beat, at
    most four periods.
    """
    with ExitStack() as stack:
        hearts = [_hearts(stack, frontend) for frontend in frontends]

        def words() -> list[dict[str, int]]:
            return [
                {side: struct.unpack_from("<I", memory, at)[0] for side, (memory, at) in sides.items()}
                for sides in hearts
            ]

        before = words()
        found = [dict.fromkeys(sides, False) for sides in before]
        deadline = time.monotonic() + _BEATS * model.firmware("virtio.heartbeat").PERIOD_MS / 1000
        while time.monotonic() < deadline and not all(all(sides.values()) for sides in found):
            time.sleep(_POLL)  # nothing can wake us for a store into shared memory; the deadline bounds it
            for sides, old, new in zip(found, before, words(), strict=True):
                sides.update({side: sides[side] or new[side] != old[side] for side in sides})
        return found


def _hearts(stack: ExitStack, frontend: dict[str, Any]) -> dict[str, tuple[mmap.mmap, int]]:
    """Return where each side of a frontend's link beats: memory and offset; none if the region is gone."""
    try:
        memory = _map(stack, Path(frontend["region"]))
    except FileNotFoundError:
        return {}
    return {side: (memory, at) for side, at in frontend["hearts"].items()}


def _map(stack: ExitStack, file: Path) -> mmap.mmap:
    opened = stack.enter_context(file.open("rb"))
    return stack.enter_context(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ))
