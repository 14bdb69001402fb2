# SPDX-License-Identifier: MIT
"""The device-tree nodes of a link on both of its sides, the same on every platform.

Bindings: `linux/bindings/` (frontend), docs/transport.md, 9 (backend). The platform that composes the tree says where
the memory lies and what the doorbell is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trapless import overlay
from trapless.topology import Link, Range
from trapless.tree import Cells, Node, Tree

DEVICE_IDS = {"scmi": 32, "rng": 4}  # virtio 1.3, 5


@dataclass(frozen=True)
class Place:
    """Where a link lies in one machine, guest-physical: the region, the pool, and the shared-memory regions, if any."""

    region: Range
    pool: Range
    shm: Range | None = None


def place(link: Link, start: int) -> Place:
    """Return where the parts of a link lie whose region begins at `start`."""
    return Place(
        Range(f"region of {link.name}", start, link.region),
        Range(f"pool of {link.name}", start + link.pool_offset, link.pool_size),
        Range(f"shm of {link.name}", start + link.shm_offset, link.shm_size) if link.shm_size else None,
    )


def reg(part: Range) -> Cells:
    """Return the `reg` of a range, two cells for address and size each."""
    return Cells([part.start, part.size])


def doorbell(link: Link, side: str, mboxes: list[int]) -> Node:
    """Return what the link's node on `side` says of its doorbell: that mailbox, and who polls."""
    polls: Node = {"trapless,polled": True} if side not in link.rings else {}
    polls |= {"trapless,polls": True} if len(link.rings) == 1 and side in link.rings else {}
    return {"mboxes": mboxes, **polls}


def frontend_link(link: Link, where: Place, regions: list[int], bell: Node) -> Node:
    """Return the frontend's node of a link.

    Args:
        link: the link.
        where: its place in the frontend.
        regions: phandles of the reserved-memory nodes of the pool and of shm, if there is any.
        bell: the properties of its doorbell; none if both sides poll.
    """
    node: Node = {
        "compatible": "trapless,virtio-link",
        "memory-region": regions,
        "dma-coherent": True,
        **bell,
        **({"trapless,split-queues": True} if link.queues == "split" else {}),
        "#address-cells": 2,
        "#size-cells": 2,
        "ranges": True,
    }
    for device, (name, pages) in zip(link.devices, _pages(link, where.region), strict=True):
        ids = {"trapless,device-ids": DEVICE_IDS[device.kind]}
        node[name] = {"compatible": "trapless,virtio-mmio-sync", **pages, **ids}
    return node


def backend_link(link: Link, where: Place, far: Place, bell: Node) -> Node:
    """Return the backend's node of a link.

    Args:
        link: the link.
        where: its place in the backend.
        far: its place in the frontend.
        bell: the properties of its doorbell; none if both sides poll.
    """
    node: Node = {
        "label": link.name,
        "reg": Cells([*reg(where.region), *reg(where.pool)]),
        "reg-names": ["region", "pool"],
        "trapless,frontend-base": Cells([far.pool.start]),
        **({"trapless,spin-us": link.spin_us} if link.spin_us else {}),
        **bell,
        "#address-cells": 2,
        "#size-cells": 2,
        "ranges": True,
    }
    if where.shm and far.shm:
        node["reg"] = Cells([*reg(where.region), *reg(where.pool), *reg(where.shm)])
        node["reg-names"] = ["region", "pool", "shm"]
        node["trapless,frontend-shm"] = Cells([far.shm.start])
    for device, (name, pages) in zip(link.devices, _pages(link, where.region), strict=True):
        model = {"trapless,model": device.model} if device.model else {}
        node[name] = {**pages, "trapless,device": device.kind, **model}
    return node


def _pages(link: Link, region: Range) -> list[tuple[str, Node]]:
    found = []
    for device in link.devices:
        device_page, driver_page = (region.start + at for at in (link.device_page(device), link.driver_page(device)))
        pages = Cells([device_page, link.page, driver_page, link.page])
        found.append((f"virtio@{device_page:x}", {"reg": pages, "reg-names": ["device", "driver"]}))
    return found


def backend(links: Node) -> Node:
    """Return the backend's node around the nodes of its links, by name."""
    return {"compatible": "trapless,backend", "#address-cells": 2, "#size-cells": 2, "ranges": True, **links}


def add_platform(tree: Tree, link: Link, platform: Any, further: Node | None) -> None:
    """Add to a frontend's tree what the model brings: the SCMI node with its protocols and their consumers.

    Args:
        tree: the frontend's, with its /cpus.
        link: the link of its SCMI device.
        platform: the model.
        further: nodes and properties on top of all that, as `overlay.apply` takes them.

    Raises:
        TopologyError: a property refers to a node that is not there.
    """
    protocols = {node["name"]: node["properties"] for node in platform.frontend_nodes()}
    if any(device.kind == "scmi" for device in link.devices):
        tree.graft("/", {"firmware": {"scmi": _scmi(link, protocols)}})
    cpus = [name for name in tree.children("/cpus") if name.startswith("cpu@")]
    overlay.apply(tree, overlay.of_frontend(platform.describe()["frontend"], cpus))
    overlay.apply(tree, further or {})


def _scmi(link: Link, protocols: Mapping[str, Node]) -> Node:
    return {
        "compatible": "arm,scmi-virtio",
        "arm,max-rx-timeout-ms": link.scmi_timeout_ms,
        "#address-cells": 1,
        "#size-cells": 0,
        **protocols,
    }
