# SPDX-License-Identifier: MIT
"""Nothing traps: no device model of either QEMU lies behind pages and pool, and QEMU's own trace of device accesses
over 1,000 requests holds doorbells and interrupt controllers only.

QEMU answers a doorbell by ioeventfd, ahead of its trace, so that the interrupts show that something was traced.
"""

import collections
import re

import pytest

from e2e import on_xen
from trapless.topology import Range
from trapless.tree import Tree

ROUNDS = 1000
MTREE_LINE = re.compile(r"^\s+([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, (\S+)\): (.*)$", re.MULTILINE)
ACCESS = re.compile(r"^memory_region_ops_(?:read|write) .* name '(.*)'$")
INTERRUPTS = {"gic_cpu", "gic_dist", "gicv2m"}
DOORBELL = "ivshmem-mmio"


def machines(pair):
    return pair.backend_vm, pair.frontend.vm


def region_of(pair, vm):
    """The link's region as this machine sees it."""
    return Tree(vm.path("dtb").read_bytes()).memory()[1]


@pytest.mark.parametrize("side", [0, 1], ids=["backend", "frontend"])
@on_xen.COUNTED_BY_XEN
def test_the_region_is_plain_memory(pair, side):
    vm = machines(pair)[side]
    region = region_of(pair, vm)
    view = cpu_view(vm.hmp("info mtree -f"))
    behind = [part for part in view if part.overlaps(region)]
    assert [(part.name, part.holds(region)) for part in behind] == [("ram ram1", True)]


def cpu_view(text):
    """The parts of the address space that the CPU sees, as QEMU flattened it: "KIND NAME" each."""
    (view,) = (part for part in text.replace("\r", "").split("FlatView") if 'AS "cpu-memory-0"' in part)
    found = [(f"{kind} {name}", int(start, 16), int(end, 16)) for start, end, kind, name in MTREE_LINE.findall(view)]
    return [Range(name, start, end + 1 - start) for name, start, end in found]


def accesses(pair, rounds, read_sensor):
    """Count the device accesses of both QEMUs while Linux reads the sensor `rounds` times."""
    events = "memory_region_ops_*"
    backend, frontend = machines(pair)
    with backend.traced(events) as at_backend, frontend.traced(events) as at_frontend:
        read_sensor(rounds)
    return [collections.Counter(name_of(line) for line in lines) for lines in (at_backend, at_frontend)]


def name_of(line):
    found = ACCESS.match(line)
    assert found, f"not a line of the trace: {line!r}"
    return found[1]


@on_xen.COUNTED_BY_XEN
@pytest.mark.needs_doorbell("the interrupts of the doorbells show that something was traced")
def test_requests_touch_doorbells_and_interrupt_controllers_only(pair, read_sensor):
    few = accesses(pair, 10, read_sensor)
    many = accesses(pair, ROUNDS, read_sensor)
    for side, at_few, at_many in zip(("backend", "frontend"), few, many):
        grown = {name for name in at_many if at_many[name] - at_few[name] >= ROUNDS // 10}
        assert grown <= {DOORBELL} | INTERRUPTS, f"{side}: {at_many}"
        assert at_many["gicv2m"] >= ROUNDS // 10, f"{side}: no interrupts in {at_many}: was anything traced?"
    # The command itself came over the harness's own virtio-serial function. Nothing else is there, at no number.
    assert set(many[0]) <= {DOORBELL} | INTERRUPTS
    other = {name for name in many[1] if name not in {DOORBELL} | INTERRUPTS}
    assert all(name.startswith(("virtio-pci", "msix", "virtio-serial")) for name in other), other
