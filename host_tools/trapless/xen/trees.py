# SPDX-License-Identifier: MIT
"""Device trees for Xen: the machine's with its domains, and what is added to the tree that Xen makes for each domain.

Xen copies the node /passthrough of a module into a domain's tree and nothing else of it. That is enough for the
backend. A frontend needs more (its pool is a reserved-memory node that Xen writes itself), so its kernel has a stage in
front that adds the nodes of a second tree, the graft, to Xen's.
Sources: Xen 4.20, docs/misc/arm/device-tree/booting.txt and passthrough.txt, xen/arch/arm/dom0less-build.c.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import libfdt

from trapless import nodes
from trapless.topology import Link, Machine
from trapless.tree import Cells, Node, Tree
from trapless.xen.plan import Piece, Plan

BOOTARGS = "console=none sched=null vwfi=native bootscrub=0 noreboot conring_size=128k"
_GIC = 65000  # GUEST_PHANDLE_GIC in xen/include/public/device_tree_defs.h
_PHANDLES = 0x1000
_AGENT_POOL = _PHANDLES + 1
_CELLS: Node = {"#address-cells": 2, "#size-cells": 2}
_PASSTHROUGH: Node = {"compatible": "simple-bus", **_CELLS, "ranges": True}
_DOORBELL: Node = {"compatible": "trapless,xen-evtchn-mailbox", "#mbox-cells": 1, "phandle": _PHANDLES}
_DEVICES = ("arm,pl011", "arm,pl031", "arm,pl061")
"""The machine's devices, all of them the backend's: its console, a clock, lines for models that own devices."""
_PAGE = 4096
_SEED = 32


@dataclass(frozen=True)
class Module:
    """A file that Xen copies into a domain: what it is to Xen ("kernel" ...), address and size in bytes."""

    kind: str
    start: int
    size: int
    bootargs: str = ""


def machine(blob: bytes, plan: Plan, modules: Mapping[str, list[Module]]) -> bytes:
    """Return the tree of the machine that runs Xen.

    Args:
        blob: QEMU's tree.
        plan: where everything lies.
        modules: the files of each domain, by its name.
    """
    tree = Tree(blob)
    for name in ("stdout-path", "rng-seed", "kaslr-seed", "bootargs"):
        tree.drop("/chosen", name)
    channels = {(link.name, side): tree.fresh_phandle() + at for at, (link, side) in enumerate(_ends(plan))}
    content: Node = {"xen,xen-bootargs": BOOTARGS, **_CELLS}
    for domain in plan.domains():
        content[domain.name] = _domain(plan, domain, modules[domain.name], channels)
    tree.graft("/chosen", content)
    kept: Node = {**_CELLS, "ranges": True}
    for part in (part for link in plan.topology.links for part in plan.unshared(link)):
        kept[f"unshared@{part.start:x}"] = {"reg": nodes.reg(part), "no-map": True}
    tree.graft("/", {"reserved-memory": kept})
    return tree.blob()


def _ends(plan: Plan) -> list[tuple[Link, str]]:
    return [(link, side) for link in plan.topology.links for side in ("backend", "frontend")]


def _domain(plan: Plan, domain: Machine, modules: list[Module], channels: Mapping[tuple[str, str], int]) -> Node:
    node: Node = {
        "compatible": "xen,domain",
        **_CELLS,
        "memory": Cells([domain.private >> 10]),
        "cpus": 1,
        "xen,enhanced": "no-xenstore",
    }
    for module in modules:
        properties: Node = {"compatible": [f"multiboot,{module.kind}", "multiboot,module"]}
        properties["reg"] = Cells([module.start, module.size])
        node[f"module@{module.start:x}"] = properties | ({"bootargs": module.bootargs} if module.bootargs else {})
    for link in plan.topology.links_of(domain.name):
        at_backend = link.backend == domain.name
        port = plan.backend_port(link) if at_backend else plan.frontend_port(link)
        near, far = ("backend", "frontend") if at_backend else ("frontend", "backend")
        channel = {"compatible": "xen,evtchn-v1", "phandle": channels[link.name, near]}
        node[f"evtchn@{port}"] = channel | {"xen,evtchn": [port, channels[link.name, far]]}
        node |= {piece.id: _shared(piece) for piece in plan.pieces(link)}
        if not at_backend:
            node |= {"vpl011": True, plan.agent(link).id: _shared(plan.agent(link))}
    return node


def _shared(piece: Piece) -> Node:
    at = piece.range
    return {
        "compatible": "xen,domain-shared-memory-v1",
        "xen,shm-id": piece.id,
        "xen,shared-mem": Cells([at.start, at.start, at.size]),
    }


def _empty() -> Tree:
    return Tree(bytes(libfdt.Fdt.create_empty_tree(256).as_bytearray()))


def _handed_over(host: Tree, path: str, node: Node) -> Node:
    """Return a device of the machine as Xen's /passthrough has it, with all of the pages that its registers are in."""
    start, size = (int.from_bytes(host.property(path, "reg")[at : at + 8], "big") for at in (0, 8))
    page = start // _PAGE * _PAGE
    pages = (start + size - page + _PAGE - 1) // _PAGE * _PAGE
    return {
        **node,
        "reg": Cells([start, size]),
        "interrupts": host.property(path, "interrupts"),
        "interrupt-parent": _GIC,
        "xen,reg": Cells([page, pages, page]),
        "xen,path": path,
        "xen,force-assign-without-iommu": True,
    }


def backend(blob: bytes, plan: Plan, name: str, seeds: bool) -> bytes:
    """Return the module whose /passthrough Xen copies into the backend's tree: the links, and the machine's devices.

    Args:
        blob: QEMU's tree.
        plan: where everything lies.
        name: the backend.
        seeds: whether it gets random numbers to begin with.
    """
    host, tree = Tree(blob), _empty()
    links: Node = {"rng-seed": os.urandom(_SEED)} if seeds else {}
    for link in plan.topology.links_of(name):
        place = plan.place(link)
        bell = nodes.doorbell(link, "backend", [_PHANDLES, plan.backend_port(link)]) if link.rings else {}
        node = nodes.backend_link(link, place, place, bell)
        ids = {"trapless,xen-ids": [piece.id for piece in plan.pieces(link)]}
        links[f"link@{place.region.start:x}"] = ids | node
    content: Node = {"doorbell": _DOORBELL, "trapless": nodes.backend(links)}
    for device in _DEVICES:
        path = host.compatible(device)
        node = {"compatible": [device, "arm,primecell"]}
        content[path.strip("/")] = _handed_over(host, path, node)
    tree.graft("/", {"passthrough": _PASSTHROUGH | content})
    return tree.blob()


def frontend(blob: bytes, bus: int) -> bytes:
    """Return the module whose /passthrough Xen copies into a frontend's tree: the transport of the agent's device.

    Args:
        blob: QEMU's tree.
        bus: which of QEMU's virtio-mmio transports.
    """
    host, tree = Tree(blob), _empty()
    path = transport(host, bus)
    node: Node = {"compatible": "virtio,mmio", "dma-coherent": True, "memory-region": _AGENT_POOL}
    content = {path.strip("/"): _handed_over(host, path, node)}
    tree.graft("/", {"passthrough": _PASSTHROUGH | content})
    return tree.blob()


def transport(host: Tree, bus: int) -> str:
    """Return the path of a virtio-mmio transport of QEMU's virt machine; they lie in the order of their numbers."""
    found = sorted(name for name in host.children("/") if name.startswith("virtio_mmio@"))
    return f"/{found[bus]}"


def graft(plan: Plan, link: Link, platform: Any, seeds: bool, further: Node | None = None) -> bytes:
    """Return what a frontend's tree gets on top of what Xen makes.

    Args:
        plan: where everything lies.
        link: the frontend's link.
        platform: the model, for the SCMI protocol nodes and what uses them.
        seeds: whether it gets random numbers to begin with.
        further: nodes and properties on top of all that, as `overlay.apply` takes them.

    Raises:
        TopologyError: the model and the nodes do not go together.
    """
    tree, place, agent = _empty(), plan.place(link), plan.agent(link)
    reserved: Node = {**_CELLS, "ranges": True}
    for piece in plan.pieces(link):
        pool = piece.range.start == place.pool.start
        reserved[_shmem(piece)] = {"compatible": "restricted-dma-pool"} if pool else {"no-map": True}
    reserved[_shmem(agent)] = {"compatible": "restricted-dma-pool", "phandle": _AGENT_POOL}
    chosen = {"rng-seed": os.urandom(_SEED), "kaslr-seed": os.urandom(8)} if seeds else {}
    tree.graft(
        "/", {**_CELLS, "chosen": chosen, "cpus": {"cpu@0": {}}, "reserved-memory": reserved, "doorbell": _DOORBELL}
    )
    shared = [part for part in (place.pool, place.shm) if part]
    regions = [tree.phandle(f"/reserved-memory/xen-shmem@{part.start:x}") for part in shared]
    bell = nodes.doorbell(link, "frontend", [_PHANDLES, plan.frontend_port(link)]) if link.rings else {}
    tree.graft("/", {f"link@{place.region.start:x}": nodes.frontend_link(link, place, regions, bell)})
    nodes.add_platform(tree, link, platform, further)
    return tree.blob()


def _shmem(piece: Piece) -> str:
    return f"xen-shmem@{piece.range.start:x}"
