# SPDX-License-Identifier: MIT
"""hal.metal end to end over a `_hal` with physical memory made of pages: from the device tree to a ring."""

import importlib
import sys
import types

import pytest

from hal import edge, pure
from unit.hal.blob import cells, wide, write

REGION, SIZE = 0x41000000, 0x8000
ECAM, MEMORY, FRAME = 0x3F000000, 0x10000000, 0x08020000


class Machine:
    """Physical memory, made where it is mapped; the ivshmem function answers like one without sizing its BARs."""

    def __init__(self):
        self.memory = {}
        self.types = {}
        self.write(ECAM + 0x8000, cells(0xF41A1011)[:4])  # 0x11101af4, little-endian
        self.write(ECAM + 0x8034, b"\x50")
        self.write(ECAM + 0x8050, b"\x11\0\0\0\x01\0\0\0")
        self.write(FRAME + 8, (80 << 16 | 64).to_bytes(4, "little"))

    def page(self, address):
        return self.memory.setdefault(address & ~0xFFF, bytearray(0x1000))

    def write(self, address, data):
        self.page(address)[address & 0xFFF : (address & 0xFFF) + len(data)] = data

    def map_window(self, address, size, device):
        self.types[address] = device
        if size == 0x1000 and address == ECAM + 0x8000:
            return Config(self.page(address))
        if size > 0x1000:
            return pure.Window(self.memory.setdefault(address, bytearray(size)), size)
        return pure.Window(self.page(address), 0x1000).window(address & 0xFFF, size)


class Config(pure.Window):
    """Configuration space with BAR 0 (256 bytes) and BAR 1 (4 KiB)."""

    def __init__(self, page):
        super().__init__(page, 0x1000)

    def w32(self, off, value):
        masks = {0x10: 0xFFFFFF00, 0x14: 0xFFFFF000}
        super().w32(off, value & masks.get(off, 0) if 0x10 <= off < 0x28 else value)


def blob(frame=True, mboxes=True, compatible="pci1af4,1110"):
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    link = [*root, ("reg", wide(REGION, SIZE, REGION + 0x4000, 0x4000)), ("reg-names", "region\0pool")]
    link += [("trapless,frontend-base", wide(0x48004000)), ("label", "linux0")]
    link += [("mboxes", cells(3, 1))] if mboxes else []
    link += [
        (
            "virtio@0",
            [
                ("reg", wide(REGION, 0x1000, REGION + 0x1000, 0x1000)),
                ("reg-names", "device\0driver"),
                ("trapless,device", "rng"),
            ],
        )
    ]
    bridge = [
        ("#address-cells", cells(3)),
        ("#size-cells", cells(2)),
        ("reg", wide(ECAM, 0x1000000)),
        ("ranges", cells(0x2000000, 0, MEMORY, 0, MEMORY, 0, 0x2EFF0000)),
        ("doorbell@1,0", [("compatible", compatible), ("reg", cells(0x800, 0, 0, 0, 0)), ("phandle", cells(3))]),
    ]
    backend = [*root, ("compatible", "trapless,backend"), ("link@41000000", link)]
    nodes = [("trapless", backend), ("pcie@10000000", bridge)]
    if frame:
        nodes.append(("v2m@8020000", [("compatible", "arm,gic-v2m-frame"), ("reg", wide(FRAME, 0x1000))]))
    return write([*root, ("chosen", [("rng-seed", b"\1\2\3\4")]), *nodes])


@pytest.fixture
def boot(monkeypatch):
    """Return a function that imports hal.metal on a machine with a device tree; it returns (metal, machine)."""

    def start(tree):
        machine = Machine()
        module = types.ModuleType("_hal")
        module.dtb = lambda: memoryview(tree)
        module.map_window = machine.map_window
        module.reset = module.off = lambda: None
        monkeypatch.setitem(sys.modules, "_hal", module)
        monkeypatch.delitem(sys.modules, "hal.metal", raising=False)
        return importlib.import_module("hal.metal"), machine

    yield start
    sys.modules.pop("hal.metal", None)
    edge.irq_detach(80)


def test_a_link_with_its_doorbell(boot):
    metal, machine = boot(blob())
    (link,) = metal.links()
    assert metal.links() is not None
    assert (link.name, link.frontend_base, [d[0] for d in link.devices]) == ("linux0", 0x48004000, ["rng"])
    assert machine.types[REGION] is False
    assert all(device for address, device in machine.types.items() if address != REGION)
    link.doorbell.ring()
    assert machine.page(MEMORY)[12:16] == (1 << 16).to_bytes(4, "little")
    table = machine.page(MEMORY + 0x1000)
    assert [int.from_bytes(table[at : at + 4], "little") for at in (0, 4, 8, 12)] == [FRAME + 0x40, 0, 80, 0]


def test_a_link_without_doorbell_polls(boot):
    metal, machine = boot(blob(mboxes=False))
    (link,) = metal.links()
    assert (link.doorbell.hears, link.doorbell.rings) == (False, False)
    assert list(machine.types) == [REGION]


def test_a_device_of_the_machine(boot):
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    gpio = [("compatible", "arm,pl061\0arm,primecell"), ("reg", wide(0x9030000, 0x1000))]
    other = [("compatible", "arm,pl061"), ("reg", wide(0x90B0000, 0x1000))]
    off = [*gpio, ("status", "disabled")]
    metal, machine = boot(write([*root, ("off@0", off), ("gpio@9030000", gpio), ("gpio@90b0000", other)]))
    metal.device("arm,pl061").w32(0x400, 2)
    metal.device("arm,pl061", 1).w32(0x400, 3)
    assert (machine.page(0x9030000)[0x400], machine.page(0x90B0000)[0x400]) == (2, 3)
    assert machine.types[0x9030000] is True
    for compatible, index in (("arm,pl061", 2), ("arm,pl061", -1), ("arm,pl031", 0)):
        with pytest.raises(ValueError, match=compatible):
            metal.device(compatible, index)


def test_nonces(boot):
    metal, _ = boot(blob(mboxes=False))
    metal.stir(metal.links()[0].region)
    first = metal.nonce()
    assert 0 < first <= 0xFFFFFFFF
    assert metal.nonce((first,)) != first


def test_no_links(boot):
    metal, _ = boot(write([("#address-cells", cells(2))]))
    assert metal.links() == []
    assert metal.tree().root.path == "/"


def test_a_link_under_xen(boot, monkeypatch):
    calls = []

    def hypercall(number, operation, argument):
        return lambda: calls.append((number, operation, argument.r32(0))) or 0

    monkeypatch.setattr(edge, "Hypercall", hypercall)
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    shared = [("compatible", "xen,shared-memory-v1"), ("reg", wide(REGION, SIZE)), ("xen,id", "all")]
    device = [("reg", wide(REGION, 0x1000, REGION + 0x1000, 0x1000)), ("reg-names", "device\0driver")]
    device += [("trapless,device", "rng")]
    link = [*root, ("reg", wide(REGION, SIZE, REGION + 0x4000, 0x4000)), ("reg-names", "region\0pool")]
    link += [("trapless,frontend-base", wide(0x48004000)), ("trapless,xen-ids", "all"), ("mboxes", cells(0x1000, 10))]
    bell = [("compatible", "trapless,xen-evtchn-mailbox"), ("phandle", cells(0x1000))]
    backend = [
        *root,
        ("compatible", "trapless,backend"),
        ("rng-seed", b"\5\6"),
        ("link@0", [*link, ("virtio@0", device)]),
    ]
    hypervisor = [("compatible", "xen,xen"), ("reg", wide(0x38000000, 0x1000000)), ("interrupts", cells(1, 15, 0xF08))]
    passthrough = [*root, ("doorbell", bell), ("trapless", backend)]
    nodes = [("reserved-memory", [*root, ("xen-shmem@0", shared)]), ("hypervisor", hypervisor)]
    metal, machine = boot(write([*root, *nodes, ("passthrough", passthrough)]))
    (found,) = metal.links()
    assert machine.types == {0x38FFF000: False, REGION: False}
    found.doorbell.ring()
    assert calls[-1] == (32, 4, 10)
    edge.irq_detach(31)
    for slot in range(edge.LATCHES):
        edge.latch_off(slot)


def test_what_is_missing_is_named(boot):
    for tree, word in ((blob(frame=False), "GICv2m"), (blob(compatible="arm,mhu"), "doorbell@1,0")):
        metal, _ = boot(tree)
        with pytest.raises(ValueError, match=word):
            metal.links()
