# SPDX-License-Identifier: MIT
"""The platform "xen" without a machine: where everything lies, the trees, and what is read out of Xen's memory."""

import struct
from dataclasses import replace

import pytest

from trapless import topology
from trapless.errors import TopologyError
from trapless.options import Options
from trapless.topology import MIB, Range
from trapless.tree import Tree
from trapless.xen import load, log, plan, trees


class Platform:
    """A model without anything that a frontend's tree would show."""

    def frontend_nodes(self):
        return [{"name": "protocol@14", "properties": {"reg": 0x14, "#clock-cells": 1}}]

    def describe(self):
        return {"frontend": {"cpus": None, "zones": []}}


def made(name=None):
    """The plan of a topology, for a machine whose memory begins at 1 GiB."""
    found = topology.load(topology.find(name))
    start, parts = 1 << 30, []
    for size in (plan.private(found), *(link.region for link in found.links)):
        parts.append(Range("memory", start, size))
        start += size
    return plan.Plan(found, tuple(parts))


@pytest.mark.parametrize("name", [None, "two-frontends"])
def test_nothing_overlaps(name):
    found = made(name)
    links = found.topology.links
    sizes = [3 << 20, 100, 20 << 20]
    modules = [Range("module", at, size) for at, size in zip(found.modules(sizes), sizes, strict=True)]
    agents = [found.agent(link).range for link in links]
    shared = [piece.range for link in links for piece in found.pieces(link)]
    kept = [part for link in links for part in found.unshared(link)]
    parts = [*modules, *agents, *shared, *kept]
    for at, part in enumerate(parts):
        assert not any(part.overlaps(other) for other in parts[:at]), part
        assert part.start % 4096 == 0
    assert all(found.memory[0].holds(part) for part in modules + agents)
    regions = sum(link.region for link in links)
    assert sum(part.size for part in shared + kept) == regions, "each byte of a region is either shared or kept away"


def test_pages_are_shared_one_by_one():
    found = made()
    (link,) = found.topology.links
    pieces = {piece.id: piece.range for piece in found.pieces(link)}
    assert list(pieces) == ["linux0-dev0", "linux0-drv0", "linux0-dev1", "linux0-drv1", "linux0-pool", "linux0-shm"]
    assert pieces["linux0-drv0"].size == link.page and pieces["linux0-pool"].size == link.pool_size


def test_a_name_that_xen_would_not_take_is_refused():
    found = made()
    (link,) = found.topology.links
    long = replace(link, name="a-name-of-a-link")
    with pytest.raises(TopologyError, match="at most 15 letters"):
        replace(found, topology=replace(found.topology, links=(long,)))


def test_a_domain_that_reaches_into_a_region_is_refused():
    found = made()
    machines = found.topology.machines
    large = replace(machines["frontend"], private=512 * MIB)
    grown = replace(found.topology, machines={**machines, "frontend": large})
    memory = (Range("memory", 1 << 30, plan.private(grown)), Range("region", 0x50000000, 8 * MIB))
    with pytest.raises(TopologyError, match="overlaps"):
        plan.Plan(grown, memory)
    with pytest.raises(TopologyError, match="wanted sizes"):
        plan.Plan(grown, found.memory)


@pytest.fixture(scope="module")
def blob():
    """QEMU's tree of the machine."""
    return load.Load(Options(), topology.load(), Platform()).blob


def words(tree, path, name):
    found = tree.property(path, name)
    return list(struct.unpack(f">{len(found) // 4}I", found))


def test_channels_join_the_two_ends_of_each_link(blob):
    modules = {name: [trees.Module("kernel", 0x50000000, 12345)] for name in ("backend", "frontend")}
    tree = Tree(trees.machine(blob, made(), modules))
    ends = ["/chosen/backend/evtchn@10", "/chosen/frontend/evtchn@10"]
    handles = [words(tree, path, "phandle") for path in ends]
    assert handles[0] != handles[1]
    assert [words(tree, path, "xen,evtchn") for path in ends] == [[10, *handles[1]], [10, *handles[0]]]
    assert words(tree, "/chosen/backend/module@50000000", "reg") == [0, 0x50000000, 0, 12345]
    assert tree.children("/chosen").index("backend") < tree.children("/chosen").index("frontend")
    assert not tree.has("/chosen", "stdout-path"), "the UART is the backend's"


def test_only_the_frontend_has_memory_for_its_agent(blob):
    modules = {name: [] for name in ("backend", "frontend")}
    tree = Tree(trees.machine(blob, made(), modules))
    shared = [{name for name in tree.children(f"/chosen/{domain}") if "-" in name} for domain in modules]
    assert shared[0] == shared[1] and len(shared[0]) == 6
    assert "agent0" in tree.children("/chosen/frontend") and "agent0" not in tree.children("/chosen/backend")


def test_the_backend_gets_devices_and_names_of_its_memory(blob):
    tree = Tree(trees.backend(blob, made(), "backend", True))
    (link,) = tree.children("/passthrough/trapless")
    ids = tree.property(f"/passthrough/trapless/{link}", "trapless,xen-ids").split(b"\0")
    assert b"linux0-pool" in ids
    assert words(tree, f"/passthrough/trapless/{link}", "mboxes")[1] == 10
    assert words(tree, "/passthrough/pl011@9000000", "xen,reg") == [0, 0x9000000, 0, 0x1000, 0, 0x9000000]
    assert tree.has("/passthrough/trapless", "rng-seed")
    assert not Tree(trees.backend(blob, made(), "backend", False)).has("/passthrough/trapless", "rng-seed")


def test_a_transport_is_handed_over_with_its_page(blob):
    for bus, page in ((0, 0xA000000), (8, 0xA001000)):
        tree = Tree(trees.frontend(blob, bus))
        (name,) = tree.children("/passthrough")
        assert name == f"virtio_mmio@{page:x}"
        assert words(tree, f"/passthrough/{name}", "xen,reg") == [0, page, 0, 0x1000, 0, page]


def test_the_graft_makes_the_pool_restricted_and_keeps_its_phandles_out_of_xens_way():
    found = made()
    tree = Tree(trees.graft(found, found.topology.links[0], Platform(), True))
    pool = next(piece for piece in found.pieces(found.topology.links[0]) if piece.id.endswith("pool"))
    node = f"/reserved-memory/xen-shmem@{pool.range.start:x}"
    assert tree.property(node, "compatible") == b"restricted-dma-pool\0"
    assert not tree.has(node, "no-map")
    (link,) = (name for name in tree.children("/") if name.startswith("link@"))
    assert words(tree, f"/{link}", "memory-region")[0] == words(tree, node, "phandle")[0]
    phandles = [words(tree, path, "phandle")[0] for path in tree.paths() if tree.has(path, "phandle")]
    assert len(set(phandles)) == len(phandles) and all(0x1000 <= number < 65000 for number in phandles)


def test_xens_ring_is_read_from_its_oldest_byte(tmp_path, monkeypatch):
    """A memory of 64 KiB with Xen's Image at 4 KiB, whose ring of 16 bytes has been round once."""
    image, start = 0x1000, 0xA0000200000
    names = {"console.c#conring": 0, "console.c#conring_size": 8, "console.c#conringp": 12}
    monkeypatch.setattr(log, "symbols", lambda: {name: start + at for name, at in names.items()})
    memory = bytearray(0x10000)
    struct.pack_into("<QII", memory, image, start + 0x100, 16, 20)
    memory[image + 0x100 : image + 0x110] = b"WXYZ(XEN) line1\n"
    (tmp_path / "memory").write_bytes(memory)
    assert log.Memory(tmp_path / "memory", image, 2).ring() == "(XEN) line1\nWXYZ"
    struct.pack_into("<QII", memory, image, 0x800000000000 + 0x4000, 16, 3)
    memory[0x4000:0x4003] = b"abc"
    (tmp_path / "memory").write_bytes(memory)
    assert log.Memory(tmp_path / "memory", image, 2).ring() == "abc", "allocated, it is in the map of all memory"
    (tmp_path / "memory").write_bytes(bytes(0x10000))
    assert log.Memory(tmp_path / "memory", image, 2).ring() == "", "Xen has not begun"
