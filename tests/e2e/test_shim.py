# SPDX-License-Identifier: MIT
"""The shim that grafts a tree onto a guest's device tree, in front of our own image, which shows what it was given."""

import pytest

from e2e.image import IMAGE, ROOT, Machine, kernel
from trapless.tree import Cells, Tree
from unit.hal.blob import write

pytestmark = pytest.mark.e2e

SHIM = ROOT / "build" / "xen" / "shim.Image"
GRAFT_AT, KERNEL_AT = 0x10000, 0x200000
LOOK = "from hal import metal; tree = metal.tree()"


def compose(directory, graft):
    """The path of a file of the shim, the bytes of `graft`, and our image as the kernel; sizes as image headers say."""
    shim, image = SHIM.read_bytes(), IMAGE.read_bytes()
    size = KERNEL_AT + int.from_bytes(image[16:24], "little")
    head = shim[:16] + size.to_bytes(8, "little") + shim[24:]
    assert len(head) <= GRAFT_AT // 2
    path = directory / "composed.Image"
    path.write_bytes((head.ljust(GRAFT_AT, b"\0") + graft).ljust(KERNEL_AT, b"\0") + image)
    return path


def tree(content):
    """The bytes of a tree with nothing but `content`."""
    made = Tree(write([]))
    made.graft("/", content)
    return made.blob()


@pytest.mark.parametrize("el2", [False, True], ids=["el1", "el2"])
def test_the_graft_is_in_the_tree_of_the_kernel(tmp_path, el2):
    graft = tree(
        {
            "chosen": {"rng-seed": b"\1" * 32, "stdout-path": "/pl011@9000000"},
            "psci": {"method": "other", "deeper": {"deepest": {"value": 7}}},
            "link@50000000": {
                "reg": Cells([0x50000000, 0x1000]),
                "memory-region": [0x1000],
                **{f"virtio@{at}": {"number": at, "phandle": 0x1000 + at} for at in range(40)},
            },
        }
    )
    with Machine(tmp_path, kernel(compose(tmp_path, graft)), el2=el2) as machine:
        machine.prompt()
        machine.run(LOOK)
        assert machine.run("tree.find('/chosen').properties['rng-seed'] == b'\\x01' * 32") == "True"
        assert machine.run("tree.find('/psci').text('method'), 'migrate' in tree.find('/psci').properties") == (
            "('other', True)"
        )
        assert machine.run("tree.find('/psci/deeper/deepest').number('value')") == "7"
        assert machine.run("link = tree.find('/link'); link.reg(), link.cells('memory-region')") == (
            "([(1342177280, 4096)], [4096])"
        )
        assert machine.run("[node.number('number') for node in link.children] == list(range(40))") == "True"
        assert machine.run("tree.phandle(0x1027).name") == "'virtio@39'"
        assert machine.run("tree.find('/pl011').text('compatible')").startswith("'arm,pl011")


@pytest.mark.parametrize(
    "graft, error",
    [
        (b"no tree", 9),
        (write([("psci", [("much", bytes(0x180000))])]), 3),
    ],
    ids=["damaged", "too-large"],
)
def test_what_cannot_be_grafted_is_told(tmp_path, graft, error):
    with Machine(tmp_path, kernel(compose(tmp_path, graft))) as machine:
        machine.expect(
            f"*** shim: the device tree in front of the kernel cannot be grafted: libfdt error {error:02}\r\n"
        )
        assert ">>>" not in machine.said()
