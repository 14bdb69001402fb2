# SPDX-License-Identifier: MIT
"""PCI set-up and the ivshmem doorbell, on a function whose registers behave as the PCI specification says."""

from hal import edge, ivshmem, pci
from hal.fdt import Tree
from support import raises
from unit.hal.blob import cells, wide, write

ECAM = 0x3F000000
MEMORY = 0x10000000
FRAME = 0x08020000
IVSHMEM = 0x11101AF4


def tree(memory_size=0x2EFF0000, ecam_size=0x1000000, pci_base=MEMORY):
    """What QEMU's virt machine says, with a second 64-bit range."""
    ranges = cells(0x1000000, 0, 0, 0, 0x3EFF0000, 0, 0x10000)
    ranges += cells(0x2000000, 0, pci_base, 0, MEMORY, 0, memory_size)
    ranges += cells(0x3000000, 0x80, 0, 0x80, 0, 0x80, 0)
    doorbell = [("compatible", "pci1af4,1110"), ("reg", cells(0x0800, 0, 0, 0, 0)), ("phandle", cells(3))]
    bridge = [
        ("#address-cells", cells(3)),
        ("#size-cells", cells(2)),
        ("reg", wide(ECAM, ecam_size)),
        ("ranges", ranges),
        ("doorbell@1,0", doorbell),
        ("doorbell@2,0", [("compatible", "pci1af4,1110"), ("reg", cells(0x1000, 0, 0, 0, 0))]),
    ]
    frame = [("compatible", "arm,gic-v2m-frame"), ("reg", wide(FRAME, 0x1000))]
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    return Tree(write(root + [("pcie@10000000", bridge), ("v2m@8020000", frame)]))


class Registers:
    """A window whose words are plain memory, but for what a subclass says."""

    def __init__(self, size=0x1000):
        self.words = {}
        self.size = size

    def r32(self, off):
        return self.words.get(off, 0)

    def w32(self, off, value):
        self.words[off] = value & 0xFFFFFFFF

    def w16(self, off, value):
        shift = 8 * (off & 2)
        old = self.r32(off & ~3) & ~(0xFFFF << shift)
        self.w32(off & ~3, old | value << shift)

    def r8(self, off):
        return self.r32(off & ~3) >> 8 * (off & 3) & 0xFF


class Config(Registers):
    """Configuration space: BAR 0: 256 bytes, BAR 1: 4 KiB, BARs 2 and 3: 64 KiB (64 bit, prefetchable), BAR 5: I/O."""

    MASKS = {0x10: 0xFFFFFF00, 0x14: 0xFFFFF000, 0x18: 0xFFFF0000, 0x1C: 0xFFFFFFFF, 0x24: 0xFFFFFFE0}
    FLAGS = {0x18: 0xC, 0x24: 0x1}

    def __init__(self, ids=IVSHMEM, capabilities=0x40):
        super().__init__()
        self.words[0] = ids
        self.words[0x34] = capabilities
        self.words[0x40] = 0x50 << 8 | 0x05  # another capability first
        self.words[0x50] = 0x11
        self.words[0x54] = 0x001  # table at offset 0 of BAR 1
        self.commands = []

    def r32(self, off):
        return self.words.get(off, 0) & self.MASKS.get(off, 0xFFFFFFFF) | self.FLAGS.get(off, 0)

    def w32(self, off, value):
        if 0x10 <= off < 0x28 and off not in self.MASKS:
            return
        if off == 4:
            self.commands.append(value & 0xFFFF)
        elif 0x10 <= off < 0x28:
            assert not self.commands or self.commands[-1] == 0, "a BAR moved while memory was decoded"
        super().w32(off, value)


class Bus:
    """Maps what a tree names: `map_window` is what hal.pci asks for."""

    def __init__(self, config=None, typer=80 << 16 | 64):
        self.config = config or Config()
        self.frame = Registers()
        self.frame.words[8] = typer
        self.mapped = {}

    def map_window(self, address, size, device):
        assert device
        if address == ECAM + 0x8000:
            return self.config
        if address == FRAME:
            return self.frame
        if ECAM <= address < ECAM + 0x1000000:
            missing = Registers()
            missing.words[0] = 0xFFFFFFFF
            return missing
        window = edge.Window(bytearray(max(size, 16)), size)
        return self.mapped.setdefault((address, size), window)


def function(bus, **layout):
    found = tree(**layout)
    node = found.phandle(3)
    return pci.Host(node.parent, bus.map_window).function(node)


def test_memory_bars_are_assigned():
    bus = Bus()
    function(bus)
    words = bus.config.words
    bars = {off: words[off] for off in (0x10, 0x14, 0x18, 0x1C)}
    assert bars == {0x10: MEMORY, 0x14: MEMORY + 0x1000, 0x18: MEMORY + 0x10000, 0x1C: 0}
    assert words[4] & 0xFFFF == 6
    assert bus.config.commands == [0, 6]


def test_a_bar_is_a_window_at_the_cpu_address():
    bus = Bus()
    found = function(bus, pci_base=0x20000000)
    assert bus.config.words[0x14] == 0x20001000
    found.bar(1)
    assert list(bus.mapped) == [(MEMORY + 0x1000, 0x1000)]
    for absent in (3, 4, 5, 6):
        raises(ValueError, found.bar, absent)


def test_memory_of_a_function_is_where_its_bar_says():
    bus = Bus()
    hypervisor = ivshmem.Hypervisor(tree(pci_base=0x20000000), bus.map_window)
    node = tree().phandle(3)
    assert hypervisor.memory(node) == (MEMORY + 0x10000, 0x10000)
    commands = list(bus.config.commands)
    hypervisor.doorbell(node, 1)
    assert bus.config.commands == commands, "the function was set up a second time, and its memory moved"
    edge.irq_detach(80)


def test_the_memory_range_may_be_too_small():
    raises(ValueError, function, Bus(), memory_size=0x11000)


def test_nobody_at_the_address():
    bus = Bus()
    found = tree()
    host = pci.Host(found.phandle(3).parent, bus.map_window)
    error = raises(ValueError, host.function, found.find("/pcie/doorbell@2,0"))
    assert "doorbell@2,0" in str(error)
    raises(ValueError, function, bus, ecam_size=0x8000)


def test_message_interrupts():
    bus = Bus()
    found = function(bus)
    found.enable_message(0x1_0802_0040, 80)
    table = found.bar(1)
    assert [table.r32(off) for off in (0, 4, 8, 12)] == [0x08020040, 1, 80, 0]
    assert bus.config.words[0x50] >> 16 == 0x8000
    function(bus)
    assert bus.config.words[0x50] >> 16 == 0  # a second life begins silent


def test_a_function_without_message_interrupts():
    found = function(Bus(Config(capabilities=0)))
    raises(ValueError, found.enable_message, 0, 0)


def test_a_list_of_capabilities_that_loops_ends():
    config = Config()
    config.words[0x50] = 0x40 << 8 | 0x09
    raises(ValueError, function(Bus(config)).enable_message, 0, 0)


def test_message_frames_hand_out_their_interrupts():
    frame = pci.MessageFrame(tree().find("/v2m"), Bus(typer=80 << 16 | 2).map_window)
    assert frame.register == FRAME + 0x40
    assert [frame.take(), frame.take()] == [80, 81]
    raises(ValueError, frame.take)


def doorbell(bus, peer=1):
    frame = pci.MessageFrame(tree().find("/v2m"), bus.map_window)
    return ivshmem.IvshmemDoorbell(function(bus), peer, frame)


def test_the_doorbell_rings_its_peer():
    bus = Bus()
    bell = doorbell(bus, 5)
    assert (bell.hears, bell.rings, bell.intid) == (True, True, 80)
    bell.ring()
    assert bus.mapped[(MEMORY, 0x100)].r32(12) == 5 << 16


def test_the_echo_rings_the_peer():
    bus = Bus()
    bell = doorbell(bus)
    page = edge.Window(bytearray(16), 16)
    slots = [bell.echo(page, 0, page, 4) for _ in range(edge.ECHO_SLOTS + 1)]
    assert slots == list(range(edge.ECHO_SLOTS)) + [-1]
    page.w32(0, 9)
    edge.interrupt(bell.intid)
    assert (page.r32(4), bus.mapped[(MEMORY, 0x100)].r32(12)) == (9, 1 << 16)
    for slot in range(edge.ECHO_SLOTS):
        bell.echo_off(slot)
    page.w32(0, 10)
    edge.interrupt(bell.intid)
    assert page.r32(4) == 9
    edge.irq_detach(bell.intid)


def test_a_doorbell_to_oneself_or_of_another_kind_is_refused():
    raises(ValueError, doorbell, Bus(), 0)
    raises(ValueError, doorbell, Bus(Config(ids=0x10001AF4)))
