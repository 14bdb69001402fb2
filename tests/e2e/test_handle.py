# SPDX-License-Identifier: MIT
"""A region that is not mapped when the backend starts: it is given a device, and maps that one's memory where it wants.

The frontend is the driver-side mock, on the file behind the device; without a doorbell the backend polls.
"""

import mmap
import subprocess
import time

import pytest

from driver import Frontend, Pool
from e2e.image import IMAGE, Machine, kernel
from trapless.tree import Cells, Tree

pytestmark = pytest.mark.e2e

SIZE, POOL = 0x400000, 0x100000
BASE = 0x48000000  # the frontend's address of the pool
SLOT = 3


def machine_tree(directory, *options):
    """The tree that QEMU makes for the machine of e2e.image, to be edited."""
    path = directory / "dump.dtb"
    command = ["qemu-system-aarch64", "-M", "virt,gic-version=2", "-cpu", "cortex-a57", "-m", "16M", "-nodefaults"]
    subprocess.run([*command, *options, "-display", "none", "-machine", f"dumpdtb={path}"], check=True)
    return Tree(path.read_bytes())


def backend_tree(tree, size=SIZE):
    """`tree` with a link whose region is the memory of the ivshmem function in slot SLOT, and one device."""
    bus = tree.compatible("pci-host-ecam-generic")
    tree.graft(bus, {f"memory@{SLOT},0": {"compatible": "pci1af4,1110", "reg": [SLOT << 11, 0, 0, 0, 0]}})
    cells = {"#address-cells": 2, "#size-cells": 2, "ranges": True}
    device = {"reg": Cells([0, 0x1000, 0x1000, 0x1000]), "reg-names": ["device", "driver"], "trapless,device": "rng"}
    link = {
        "label": "by-handle",
        "trapless,memory": tree.phandle(f"{bus}/memory@{SLOT},0"),
        "reg": Cells([0, size, POOL, SIZE - POOL]),
        "reg-names": ["region", "pool"],
        "trapless,frontend-base": Cells([BASE]),
        **cells,
        "virtio@0": device,
    }
    tree.graft("/", {"trapless": {"compatible": "trapless,backend", **cells, "link@0": link}})
    return tree.blob()


@pytest.fixture
def boot(tmp_path):
    """Returns a function that boots the image on a tree; it gives the machine at its prompt, and the memory's mmap."""
    shared = tmp_path / "shared"
    shared.write_bytes(bytes(SIZE))
    device = ["-object", f"memory-backend-file,id=shared,size={SIZE},share=on,mem-path={shared}"]
    device += ["-device", f"ivshmem-plain,memdev=shared,addr={SLOT}"]
    machines = []

    def start(**options):
        dtb = tmp_path / "backend.dtb"
        dtb.write_bytes(backend_tree(machine_tree(tmp_path), **options))
        machines.append(Machine(tmp_path, kernel(IMAGE), "-dtb", str(dtb), *device).__enter__())
        with shared.open("r+b") as file:
            return machines[0].prompt(), mmap.mmap(file.fileno(), 0)

    yield start
    for machine in machines:
        machine.__exit__()


def random_bytes(memory, seed):
    """What a frontend's life on `memory` gets from the entropy device."""
    pool = Pool(memory, POOL, SIZE - POOL, BASE)
    frontend = Frontend(memory, pool, lambda: None, lambda: time.sleep(0.01), seed, attempts=1000)
    rng = frontend.add(0, 0x1000)
    frontend.start()
    return rng.begin().request(b"", 64)


def test_the_backend_maps_the_memory_and_serves_in_it(boot):
    machine, memory = boot()
    first = random_bytes(memory, 1)
    assert len(first) == 64 and any(first)
    assert "link by-handle: polls, is polled; frontend lives 1" in machine.run("status()")
    address = machine.run("from hal import metal; hex(metal.links()[0].region.size)")
    assert address == f"'{SIZE:#x}'"


def test_another_life_maps_it_again(boot):
    machine, memory = boot()
    first = random_bytes(memory, 1)
    at = machine.type("\x04")
    machine.expect(">>> ", machine.expect("MPY: soft reboot", at))
    assert random_bytes(memory, 2) != first
    assert "frontend lives 1" in machine.run("status()")


def test_a_handle_with_too_little_memory_is_told(boot):
    machine, _ = boot(size=2 * SIZE)
    machine.expect("the memory that was mapped has only 0x400000 bytes")
    machine.expect("this is just a prompt")
