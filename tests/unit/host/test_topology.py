# SPDX-License-Identifier: MIT
"""The topology file and the placement rule of QEMU's hw/arm/boot.c."""

import json
from dataclasses import replace

import pytest

from trapless import topology
from trapless.errors import TopologyError
from trapless.topology import KIB, MIB, Image, Range

PRIVATE = Range("private", 0x40000000, 16 * MIB)
IMAGE = Image(2 * MIB, MIB // 2)


def edited(tmp_path, old, new):
    text = topology.project.TOPOLOGY.read_text()
    assert old in text
    path = tmp_path / "topology.toml"
    path.write_text(text.replace(old, new))
    return path


def test_the_project_topology_is_valid():
    plan = topology.load()
    link = plan.links[0]
    assert [device.kind for device in link.devices] == ["scmi", "rng"]
    assert plan.links_of("frontend") == plan.links_of("backend") == (link,)


def test_every_topology_of_the_project_is_valid_and_places_the_backend():
    """Without and with a model as initrd, beside an image of the size that it may have."""
    for path in topology.project.TOPOLOGY.parent.glob("*.toml"):
        plan = topology.load(path)
        private = Range("private", 0x40000000, plan.machines[plan.backend()].private)
        everything = private.size + sum(link.region for link in plan.links)
        for initrd in (0, 64 * KIB):
            topology.placement(private, everything, Image(2 * MIB, 2 * MIB), initrd, 20_000)


def test_two_frontends_differ_in_name_and_link_only():
    plan = topology.load(topology.find("two-frontends"))
    first, second = plan.links
    assert plan.links_of("backend") == (first, second)
    assert (plan.links_of("frontend"), plan.links_of("frontend1")) == ((first,), (second,))
    assert first.devices == second.devices
    machine = plan.machines["frontend"]
    assert plan.machines["frontend1"] == replace(
        machine, name="frontend1", bootargs=machine.bootargs.replace("hostname=frontend", "hostname=frontend1")
    )


def test_a_pair_has_one_backend_and_a_link_for_each_frontend(tmp_path):
    text = topology.find("two-frontends").read_text()
    path = tmp_path / "plan.toml"
    head, _, tail = text.rpartition('frontend = "frontend1"')
    path.write_text(
        f'{head}frontend = "frontend"{tail}'.replace(
            "backend_slot = 2, frontend_slot = 1", "backend_slot = 2, frontend_slot = 2"
        )
    )
    with pytest.raises(TopologyError, match="frontend has several links"):
        topology.load(path).backend()
    head, _, tail = text.rpartition('backend = "backend"')
    path.write_text(f'[machine.other]\ncpu = "max"\nprivate = "16M"\n{head}backend = "other"{tail}')
    with pytest.raises(TopologyError, match="one backend, not backend, other"):
        topology.load(path).backend()


def test_a_topology_is_found_by_name_or_path(tmp_path):
    assert topology.find(None) == topology.find("topology") == topology.project.TOPOLOGY
    path = edited(tmp_path, "16M", "32M")
    assert topology.find(str(path)) == path
    with pytest.raises(TopologyError, match=r"no-such.*topology, two-frontends"):
        topology.find("no-such")


def test_sizes():
    assert [topology.parse_size(text) for text in ("4K", "8M", "0x10", 7)] == [4096, 8 * MIB, 16, 7]
    with pytest.raises(TopologyError, match="not a size"):
        topology.parse_size("much")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('offset = "2M"', 'offset = "4K"', "overlaps"),
        ('offset = "1M"', 'offset = "2M"', "shm .* overlaps pool"),
        ('offset = "2M"', 'offset = "6M"', "outside"),
        ('offset = "2M"', 'offset = "2049K"', "aligned"),
        ("frontend_peer = 1", "frontend_peer = 0", "peer"),
        ("agent_slot = 8", "agent_slot = 1", "slots"),
        ('backend = "backend"', 'backend = "other"', "no machine"),
        ('region = "8M"', 'extent = "8M"', "region"),
        ("scmi_timeout_ms = 1000", "scmi_timeout = 1", "scmi_timeout"),
        ("[machine.backend]", "[machine.backend", "cannot be read"),
    ],
)
def test_contradictions_are_refused(tmp_path, old, new, message):
    with pytest.raises(TopologyError, match=message):
        topology.load(edited(tmp_path, old, new))


def test_placement_keeps_everything_private():
    placed = topology.placement(PRIVATE, 24 * MIB, IMAGE, 100_000, 20_000)
    assert [part.start - PRIVATE.start for part in placed] == [2 * MIB, 12 * MIB, 14 * MIB]


def test_device_tree_in_the_region_is_refused():
    with pytest.raises(TopologyError, match="device tree"):
        topology.placement(PRIVATE, 32 * MIB, IMAGE, 0, 20_000)


def test_initrd_that_grows_into_the_region_is_refused():
    with pytest.raises(TopologyError, match="initrd"):
        topology.placement(PRIVATE, 24 * MIB, IMAGE, 5 * MIB, 20_000)


def test_only_arm64_images_are_read(tmp_path):
    path = tmp_path / "Image"
    path.write_bytes(bytes(4096))
    with pytest.raises(TopologyError, match="not a raw arm64 Image"):
        topology.read_image(path)


def test_who_rings_is_one_of_the_two_sides(tmp_path):
    polled = topology.find("polled")
    assert topology.load(polled).links[0].rings == ()
    path = tmp_path / "plan.toml"
    for rings in ('["backend"]', '["backend", "frontend"]'):
        path.write_text(polled.read_text().replace("rings = []", f"rings = {rings}"))
        assert list(topology.load(path).links[0].rings) == json.loads(rings)
    path.write_text(polled.read_text().replace("rings = []", 'rings = ["linux"]'))
    with pytest.raises(TopologyError, match="who rings"):
        topology.load(path)
