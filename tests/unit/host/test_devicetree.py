# SPDX-License-Identifier: MIT
"""Device trees of both guests, made from what this machine's QEMU dumps."""

import struct
from dataclasses import replace

import pytest

from trapless import devicetree, overlay, topology
from trapless.errors import MachineError, TopologyError
from trapless.tree import Cells, Tree, encode

PROTOCOLS = [{"name": f"protocol@{number:x}", "properties": {"reg": number}} for number in (0x13, 0x14, 0x15)]


class Platform:
    """As much of a platform as a device tree needs."""

    def __init__(self, cpus=None, zones=()):
        self.frontend = {"cpus": cpus, "zones": zones}

    def frontend_nodes(self):
        return PROTOCOLS

    def describe(self):
        return {"frontend": self.frontend}


@pytest.fixture(scope="module")
def plan():
    return topology.load()


@pytest.fixture(scope="module")
def trees(plan):
    return {name: Tree(blob) for name, blob in devicetree.make(plan, Platform()).items()}


def numbers(tree, path, name, form="Q"):
    data = tree.property(path, name)
    return struct.unpack(f">{len(data) // struct.calcsize(form)}{form}", data)


def below(tree, path, prefix):
    return [f"{path.rstrip('/')}/{name}" for name in tree.children(path) if name.startswith(prefix)]


def test_encodings():
    assert encode(True) == b""
    assert encode(1) == b"\0\0\0\1"
    assert encode(Cells([1])) == b"\0\0\0\0\0\0\0\1"
    assert encode(["a", "bc"]) == b"a\0bc\0"
    assert encode([1, 2]) == b"\0\0\0\1\0\0\0\2"
    with pytest.raises(TypeError):
        encode(1.5)


def test_frontend_link(plan, trees):
    tree, link = trees["frontend"], plan.links[0]
    private, region = tree.memory()
    (node,) = below(tree, "/", "link@")
    assert node == f"/link@{region.start:x}" and region.start == private.end
    devices = below(tree, node, "virtio@")
    first = region.start
    assert numbers(tree, devices[0], "reg") == (first, link.page, first + link.page, link.page)
    assert numbers(tree, devices[1], "reg")[0] == first + link.stride
    assert [numbers(tree, device, "trapless,device-ids", "I") for device in devices] == [(32,), (4,)]
    (pool,) = below(tree, "/reserved-memory", "pool@")
    assert numbers(tree, pool, "reg") == (region.start + link.pool_offset, link.pool_size)
    (shm,) = below(tree, "/reserved-memory", "shm@")
    assert numbers(tree, shm, "reg") == (region.start + link.shm_offset, link.shm_size)
    assert numbers(tree, node, "memory-region", "I") == (tree.phandle(pool), tree.phandle(shm))
    doorbell = tree.compatible("pci1af4,1110")
    assert numbers(tree, node, "mboxes", "I") == (tree.phandle(doorbell), link.doorbell.backend_peer)


def test_reserved_memory_covers_the_region_and_only_the_pool_is_mapped(trees):
    for name, tree in trees.items():
        region = tree.memory()[1]
        nodes = [f"/reserved-memory/{child}" for child in tree.children("/reserved-memory")]
        parts = sorted((*numbers(tree, node, "reg"), tree.property(node, "compatible")) for node in nodes)
        at = region.start
        for start, size, _ in parts:
            assert start == at, name
            at = start + size
        assert at == region.end, name


def test_link_without_memory_for_regions(plan):
    plan = replace(plan, links=tuple(replace(link, shm_offset=0, shm_size=0) for link in plan.links))
    trees = {name: Tree(blob) for name, blob in devicetree.make(plan, Platform()).items()}
    (node,) = below(trees["frontend"], "/", "link@")
    (pool,) = below(trees["frontend"], "/reserved-memory", "pool@")
    assert numbers(trees["frontend"], node, "memory-region", "I") == (trees["frontend"].phandle(pool),)
    assert not below(trees["frontend"], "/reserved-memory", "shm@")
    (node,) = below(trees["backend"], "/trapless", "link@")
    assert trees["backend"].property(node, "reg-names") == b"region\0pool\0"


def test_scmi_nodes_come_from_the_model(trees):
    assert numbers(trees["frontend"], "/firmware/scmi/protocol@14", "reg", "I") == (0x14,)


def test_further_nodes_refer_to_others(plan):
    further = {
        "first": {"resources": [overlay.provider(0x14), 3, "&{/second}"], "names": ["a", "b"]},
        "second": {"cpu": "&{/cpus/cpu@0}"},
        "cpus": {"cpu@0": {"#cooling-cells": 2}},
    }
    tree = Tree(devicetree.make(plan, Platform(), further=further)["frontend"])
    provider, second = tree.phandle("/firmware/scmi/protocol@14"), tree.phandle("/second")
    assert numbers(tree, "/first", "resources", "I") == (provider, 3, second)
    assert tree.property("/first", "names") == b"a\0b\0"
    assert numbers(tree, "/second", "cpu", "I") == (tree.phandle("/cpus/cpu@0"),)
    assert numbers(tree, "/cpus/cpu@0", "#cooling-cells", "I") == (2,) and tree.property("/cpus/cpu@0", "reg")


def test_a_reference_to_nothing_is_refused(plan):
    with pytest.raises(TopologyError, match="protocol@19"):
        devicetree.make(plan, Platform(), further={"first": {"pins": overlay.provider(0x19)}})


def test_thermal_zones_and_processors_come_from_the_model(plan):
    trips = [[-5_000, "passive", 2_000], [110_000, "critical", 0]]
    zone = {"name": "soc", "sensor": 3, "trips": trips, "every": 500, "every_passive": 100}
    tree = Tree(devicetree.make(plan, Platform(0, [zone]))["frontend"])
    sensors, performance = (tree.phandle(f"/firmware/scmi/{name}") for name in ("protocol@15", "protocol@13"))
    assert numbers(tree, "/cpus/cpu@0", "power-domains", "I") == (performance, 0)
    assert tree.property("/cpus/cpu@0", "power-domain-names") == b"perf\0"
    node = "/thermal-zones/soc-thermal"
    assert numbers(tree, node, "thermal-sensors", "I") == (sensors, 3)
    assert numbers(tree, f"{node}/trips/trip0", "temperature", "i") == (-5_000,)
    assert tree.property(f"{node}/trips/trip1", "type") == b"critical\0"
    assert tree.children(f"{node}/cooling-maps") == ["map0"], "what is critical cools nothing"
    map0 = f"{node}/cooling-maps/map0"
    assert numbers(tree, map0, "trip", "I") == (tree.phandle(f"{node}/trips/trip0"),)
    assert numbers(tree, map0, "cooling-device", "i") == (tree.phandle("/cpus/cpu@0"), -1, -1)


def test_backend_link(plan, trees):
    tree, link = trees["backend"], plan.links[0]
    region = tree.memory()[1]
    (node,) = below(tree, "/trapless", "link@")
    pool, shm = (region.start + link.pool_offset, link.pool_size), (region.start + link.shm_offset, link.shm_size)
    assert numbers(tree, node, "reg") == (region.start, region.size, *pool, *shm)
    assert numbers(tree, node, "trapless,frontend-shm") == (trees["frontend"].memory()[1].start + link.shm_offset,)
    pool = trees["frontend"].memory()[1].start + link.pool_offset
    assert numbers(tree, node, "trapless,frontend-base") == (pool,)
    assert numbers(tree, node, "mboxes", "I")[1] == link.doorbell.frontend_peer
    kinds = [tree.property(device, "trapless,device") for device in below(tree, node, "virtio@")]
    assert kinds == [b"scmi\0", b"rng\0"]


def test_regions_of_several_links_lie_one_after_another():
    plan = topology.load(topology.find("two-frontends"))
    trees = {name: Tree(blob) for name, blob in devicetree.make(plan, Platform()).items()}
    private, *regions = trees["backend"].memory()
    nodes = below(trees["backend"], "/trapless", "link@")
    assert [trees["backend"].property(node, "label") for node in nodes] == [b"linux0\0", b"linux1\0"]
    at = private.end
    for link, region, node in zip(plan.links, regions, nodes, strict=True):
        assert (region.start, region.size) == (at, link.region)
        assert numbers(trees["backend"], node, "reg")[:2] == (region.start, region.size)
        far = trees[link.frontend].memory()[1]
        assert numbers(trees["backend"], node, "trapless,frontend-base") == (far.start + link.pool_offset,)
        at = region.end
    bells = [numbers(trees["backend"], node, "mboxes", "I")[0] for node in nodes]
    assert len(set(bells)) == 2, "each link has a doorbell of its own"


def test_seeds_are_fresh(plan, trees):
    seeds = [Tree(devicetree.make(plan, Platform())["backend"]).property("/chosen", "rng-seed"), rng_seed(trees)]
    assert len(seeds[0]) == 32 and seeds[0] != seeds[1]


def rng_seed(trees):
    return trees["backend"].property("/chosen", "rng-seed")


def test_trees_that_are_kept_have_no_seed_and_no_doorbell(plan):
    kept = {name: Tree(blob) for name, blob in devicetree.make(plan, Platform(), by_hand=True).items()}
    assert rng_seed(kept) == b""
    for name, where in (("backend", "/trapless"), ("frontend", "/")):
        (link,) = below(kept[name], where, "link@")
        assert kept[name].property(link, "mboxes") == b""
        assert b"pci1af4,1110" not in kept[name].blob()


def test_options_that_qemu_refuses_are_reported(plan):
    with pytest.raises(MachineError, match="did not dump"):
        devicetree.base(plan.machines["backend"], ["-machine", "virt", "-cpu", "no-such-cpu"])


def test_source(trees):
    assert "restricted-dma-pool" in devicetree.source(trees["frontend"].blob())


@pytest.mark.parametrize(
    ("rings", "backend", "frontend"),
    [
        ((), set(), set()),
        (("backend",), {"mboxes", "trapless,polls"}, {"mboxes", "trapless,polled"}),
        (("frontend",), {"mboxes", "trapless,polled"}, {"mboxes", "trapless,polls"}),
        (("backend", "frontend"), {"mboxes"}, {"mboxes"}),
    ],
)
def test_both_nodes_of_a_link_agree_on_who_rings(plan, rings, backend, frontend):
    changed = replace(plan, links=(replace(plan.links[0], rings=rings),))
    made = {name: Tree(blob) for name, blob in devicetree.make(changed, Platform()).items()}
    (near,), (far,) = below(made["backend"], "/trapless", "link@"), below(made["frontend"], "/", "link@")
    assert doorbell(made["backend"], near) == backend
    assert doorbell(made["frontend"], far) == frontend


def doorbell(tree, node):
    return {name for name in ("mboxes", "trapless,polls", "trapless,polled") if tree.has(node, name)}
