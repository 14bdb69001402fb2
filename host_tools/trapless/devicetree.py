# SPDX-License-Identifier: MIT
"""Device trees of the QEMU pair: what QEMU dumps for a machine, plus what the topology and the platform model say.

The bindings are those of `linux/bindings/` (frontend) and of `docs/architecture.md` (backend). Addresses come from the
dumped tree's memory nodes, so none is written down twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trapless import nodes, project
from trapless.errors import MachineError, TopologyError
from trapless.machine import memory_arguments
from trapless.nodes import Place
from trapless.topology import Link, Machine, Topology
from trapless.tree import Cells, Node, Tree

_SEEDS = {"rng-seed": 32, "kaslr-seed": 8}


def base(machine: Machine, arguments: Iterable[str]) -> bytes:
    """Return the tree that QEMU makes for a machine, dumped once and then taken from the cache.

    Args:
        machine: named in messages only.
        arguments: what decides the tree: machine, CPU and memory options.

    Raises:
        MachineError: QEMU refuses the options.
    """
    arguments = list(arguments)
    key = hashlib.sha256(repr((_qemu_identity(), arguments)).encode()).hexdigest()
    cached = project.cache() / f"dtb-{key}"
    if not cached.exists():
        project.publish(cached.parent, cached.name, _dump(machine, arguments))
    return cached.read_bytes()


def _qemu_identity() -> tuple[str, int, int]:
    found = shutil.which(project.QEMU)
    if found is None:
        raise MachineError(f"{project.QEMU} is not installed (Debian: apt-get install qemu-system-arm)")
    state = os.stat(found)
    return os.path.realpath(found), state.st_size, state.st_mtime_ns


def _dump(machine: Machine, arguments: list[str]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="trapless-dtb-") as directory:
        path = Path(directory) / "dump.dtb"
        command = [project.QEMU, *arguments, "-machine", f"dumpdtb={path}", "-display", "none", "-nodefaults"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode or not path.exists():
            raise MachineError(f"QEMU did not dump the device tree of {machine.name}: {result.stderr.strip()}")
        return path.read_bytes()


def places(tree: Tree, topology: Topology, machine: Machine) -> dict[str, Place]:
    """Return where each link of a machine lies, by the link's name.

    Raises:
        TopologyError: QEMU's memory nodes are not those of the topology.
    """
    links = topology.links_of(machine.name)
    private, *regions = tree.memory()
    sizes = [machine.private, *(link.region for link in links)]
    if [found.size for found in (private, *regions)] != sizes:
        found = [str(node) for node in (private, *regions)]
        raise TopologyError(f"QEMU gives {machine.name} memory of {found}, wanted sizes {sizes}")
    return {link.name: nodes.place(link, region.start) for link, region in zip(links, regions, strict=True)}


def _prepare(blob: bytes, by_hand: bool) -> Tree:
    """Return QEMU's tree without unused virtio-mmio slots, with fresh seeds or none (the dumped ones are stale)."""
    tree = Tree(blob)
    for name in tree.children("/"):
        if name.startswith("virtio_mmio@"):
            tree.remove(f"/{name}")
    for name, size in _SEEDS.items():
        tree.drop("/chosen", name)
        if not by_hand:
            tree.graft("/chosen", {name: os.urandom(size)})
    return tree


def _doorbell(tree: Tree, link: Link, side: str, by_hand: bool) -> Node:
    """Add the node of the ivshmem function of `side` of a link; return the properties of the link's doorbell.

    There is none for `by_hand`, or if nobody rings.
    """
    if by_hand or not link.rings:
        return {}
    bell = link.doorbell
    at_backend = side == "backend"
    slot = bell.backend_slot if at_backend else bell.frontend_slot
    peer = bell.frontend_peer if at_backend else bell.backend_peer
    node = {"compatible": "pci1af4,1110", "reg": [slot << 11, 0, 0, 0, 0], "#mbox-cells": 1}
    bus = tree.compatible("pci-host-ecam-generic")
    tree.graft(bus, {f"doorbell@{slot:x},0": node})
    return nodes.doorbell(link, side, [tree.phandle(f"{bus}/doorbell@{slot:x},0"), peer])


def frontend(
    blob: bytes,
    topology: Topology,
    machine: Machine,
    platform: Any,
    by_hand: bool = False,
    further: Node | None = None,
) -> bytes:
    """Return a frontend's final tree.

    Args:
        blob: QEMU's tree of this machine.
        topology: all links.
        machine: the frontend.
        platform: the model, for the SCMI protocol nodes and what uses them.
        by_hand: for a tree that is kept and booted without the harness: no random seeds, because one must never be
            used twice, and no doorbells, because they need the harness's server: both sides poll then.
        further: nodes and properties on top of all that, as `overlay.apply` takes them.

    Raises:
        TopologyError: the tree and the topology disagree.
    """
    tree = _prepare(blob, by_hand)
    where = places(tree, topology, machine)
    for link in topology.links_of(machine.name):
        reserved, shared = _reserved(where[link.name])
        tree.graft("/", {"reserved-memory": reserved})
        regions = [tree.phandle(f"/reserved-memory/{name}") for name in shared]
        bell = _doorbell(tree, link, "frontend", by_hand)
        node = nodes.frontend_link(link, where[link.name], regions, bell)
        tree.graft("/", {f"link@{where[link.name].region.start:x}": node})
        nodes.add_platform(tree, link, platform, further)
    return tree.blob()


def _reserved(place: Place) -> tuple[Node, list[str]]:
    """Return the nodes that keep a region out of the frontend's memory, and the names of those for pool and shm."""
    content: Node = {"#address-cells": 2, "#size-cells": 2, "ranges": True}
    shared: list[str] = []
    at = place.region.start
    for part in sorted([place.pool] + ([place.shm] if place.shm else []), key=lambda part: part.start):
        if at < part.start:
            content[f"pages@{at:x}"] = {"reg": Cells([at, part.start - at]), "no-map": True}
        if part is place.pool:
            content[f"pool@{part.start:x}"] = {"compatible": "restricted-dma-pool", "reg": nodes.reg(part)}
            shared.insert(0, f"pool@{part.start:x}")
        else:
            content[f"shm@{part.start:x}"] = {"reg": nodes.reg(part), "no-map": True}
            shared.append(f"shm@{part.start:x}")
        at = part.end
    if at < place.region.end:
        content[f"rest@{at:x}"] = {"reg": Cells([at, place.region.end - at]), "no-map": True}
    return content, shared


def backend(
    blob: bytes, topology: Topology, machine: Machine, frontends: Mapping[str, Place], by_hand: bool = False
) -> bytes:
    """Return the backend's final tree.

    Args:
        blob: QEMU's tree of this machine.
        topology: all links.
        machine: the backend.
        frontends: where each link lies in its frontend, by the link's name.
        by_hand: as for `frontend`.

    Raises:
        TopologyError: the tree and the topology disagree.
    """
    tree = _prepare(blob, by_hand)
    where = places(tree, topology, machine)
    links: Node = {}
    reserved: Node = {"#address-cells": 2, "#size-cells": 2, "ranges": True}
    for link in topology.links_of(machine.name):
        place, far = where[link.name], frontends[link.name]
        reserved[f"region@{place.region.start:x}"] = {"reg": nodes.reg(place.region), "no-map": True}
        bell = _doorbell(tree, link, "backend", by_hand)
        links[f"link@{place.region.start:x}"] = nodes.backend_link(link, place, far, bell)
    tree.graft("/", {"reserved-memory": reserved, "trapless": nodes.backend(links)})
    return tree.blob()


def make(plan: Topology, platform: Any, by_hand: bool = False, further: Node | None = None) -> dict[str, bytes]:
    """Return the final device trees of all machines, by name.

    Args:
        plan: the topology.
        platform: the model, for the SCMI nodes.
        by_hand: for trees that are kept and booted without the harness (see `frontend`).
        further: nodes and properties on top of every frontend's (see `frontend`).
    """
    dumps = {}
    for machine in plan.machines.values():
        links = plan.links_of(machine.name)
        dumps[machine.name] = base(machine, memory_arguments(machine, links, [None] * len(links)))
    backends = {link.backend for link in plan.links}
    far: dict[str, Place] = {}
    for name, machine in plan.machines.items():
        if name not in backends:
            far |= places(Tree(dumps[name]), plan, machine)
    return {
        name: backend(dumps[name], plan, machine, far, by_hand)
        if name in backends
        else frontend(dumps[name], plan, machine, platform, by_hand, further)
        for name, machine in plan.machines.items()
    }


def source(blob: bytes) -> str:
    """Return a tree as source text, by dtc.

    Raises:
        MachineError: dtc is not installed or refuses the tree.
    """
    try:
        result = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts"], input=blob, capture_output=True, check=False)
    except FileNotFoundError:
        raise MachineError("dtc is not installed (Debian: apt-get install device-tree-compiler)") from None
    if result.returncode:
        raise MachineError(f"dtc: {result.stderr.decode().strip()}")
    return result.stdout.decode()
