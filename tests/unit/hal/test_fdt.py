# SPDX-License-Identifier: MIT
"""The device-tree reader, on blobs of an independent writer and on damaged ones."""

from hal.fdt import Tree
from support import raises
from unit.hal.blob import cells, wide, write
from unit.hal.twins import Random

ITEMS = [
    ("#address-cells", cells(2)),
    ("#size-cells", cells(2)),
    ("model", "a board"),
    (
        "soc",
        [
            ("#address-cells", cells(1)),
            ("#size-cells", cells(1)),
            ("phandle", cells(7)),
            (
                "uart@9000000",
                [
                    ("compatible", "arm,pl011\0arm,primecell"),
                    ("reg", cells(0x9000000, 0x1000, 0x9100000, 0x2000)),
                    ("reg-names", "one\0two"),
                    ("empty", b""),
                ],
            ),
            ("uart@a000000", [("compatible", "arm,pl011"), ("status", "disabled")]),
        ],
    ),
    ("memory@40000000", [("reg", wide(0x40000000, 0x1_0000_0000)), ("status", "okay"), ("base", wide(0x123456789A))]),
]


def test_nodes_are_found_by_path():
    tree = Tree(write(ITEMS))
    assert tree.root.path == "/"
    assert tree.find("/") is tree.root
    assert tree.find("/soc/uart@9000000").path == "/soc/uart@9000000"
    assert tree.find("/soc/uart@a000000").name == "uart@a000000"
    assert tree.find("/memory").name == "memory@40000000"
    assert tree.find("/soc/nothing") is None
    assert tree.find("/nothing/at/all") is None


def test_properties():
    tree = Tree(write(ITEMS))
    uart = tree.find("/soc/uart")
    assert tree.root.text("model") == "a board"
    assert uart.texts("compatible") == ["arm,pl011", "arm,primecell"]
    assert uart.texts("nothing") == uart.texts("empty") == []
    assert uart.cells("reg") == [0x9000000, 0x1000, 0x9100000, 0x2000]
    assert uart.cells("empty") == []
    assert uart.cells("nothing") is None
    assert tree.find("/memory").number("base") == 0x123456789A
    assert uart.number("nothing", 5) == 5
    assert uart.text("nothing", None) is None
    assert uart.properties["empty"] == b""
    error = raises(ValueError, uart.text, "nothing")
    assert "/soc/uart@9000000" in str(error)
    assert "nothing" in str(error)
    raises(ValueError, uart.number, "nothing")


def test_reg_follows_the_cells_of_the_parent():
    tree = Tree(write(ITEMS))
    assert tree.find("/memory").reg() == [(0x40000000, 0x1_0000_0000)]
    uart = tree.find("/soc/uart")
    assert uart.reg() == [(0x9000000, 0x1000), (0x9100000, 0x2000)]
    assert uart.named_reg("two") == (0x9100000, 0x2000)
    raises(ValueError, uart.named_reg, "three")
    raises(ValueError, tree.find("/soc/uart@a000000").reg)
    uart.properties["reg"] += b"\0\0\0\0"
    raises(ValueError, uart.reg)


def bus(ranges, *items):
    """Return the tree of a device at 0x100 of an inner bus at 0x2000 of an outer one."""
    device = ("device@100", [("reg", cells(0x100, 0x10))])
    inner = [("#address-cells", cells(1)), ("#size-cells", cells(1))]
    inner += [] if ranges is None else [("ranges", ranges)]
    outer = [("#address-cells", cells(1)), ("#size-cells", cells(1)), ("ranges", b"")]
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    return Tree(write(root + [("outer", outer + [("inner", inner + [device])])])).find("/outer/inner/device")


def test_registers_are_translated_by_every_bus():
    assert bus(b"").registers() == [(0x100, 0x10)]
    assert bus(cells(0, 0x2000, 0x1000)).registers() == [(0x2100, 0x10)]
    assert bus(cells(0, 0x2000, 0x100, 0x100, 0x9000, 0x10)).registers() == [(0x9000, 0x10)]
    for ranges in (None, cells(0, 0x2000, 0x100), cells(0x101, 0, 0x1000), cells(0x100, 0, 0xF), cells(0, 0)):
        assert "/outer/inner" in str(raises(ValueError, bus(ranges).registers))
    soc = Tree(write(ITEMS)).find("/soc/uart")
    raises(ValueError, soc.registers)


def test_registers_of_a_device_below_the_root():
    (found,) = Tree(write(ITEMS)).find("/memory").registers()
    assert found == (0x40000000, 0x1_0000_0000)


def test_phandles_and_compatibles():
    tree = Tree(write(ITEMS))
    assert tree.phandle(7) is tree.find("/soc")
    raises(ValueError, tree.phandle, 8)
    assert [node.name for node in tree.compatible("arm,pl011")] == ["uart@9000000"]  # the other one is disabled
    assert tree.compatible("arm,gic") == []


def test_what_follows_the_tree_is_ignored():
    blob = write(ITEMS) + bytes(1000)
    assert Tree(memoryview(blob)).root.text("model") == "a board"


def test_damaged_trees_are_refused():
    blob = write(ITEMS)
    for bad in (b"", blob[:30], bytes(len(blob)), blob[:-1], b"\1" + blob[1:]):
        raises(ValueError, Tree, bad)


def test_no_damage_does_more_than_a_value_error():
    blob = write(ITEMS)
    random = Random(4)
    refused = 0
    for _ in range(400):
        bad = bytearray(blob)
        for _ in range(1 + random.below(3)):
            bad[8 + random.below(len(bad) - 8)] = random.below(256)
        try:
            Tree(bytes(bad))
        except ValueError:
            refused += 1
    assert refused > 20
