# SPDX-License-Identifier: MIT
"""The numbers of `virtio.layout` are the same in the C header and in the specification, docs/transport.md."""

import re
import zlib
from pathlib import Path

from trapless import layout_header

TOP = Path(__file__).resolve().parents[3]


def test_the_committed_header_is_current():
    assert layout_header.HEADER.read_text() == layout_header.render(), (
        "linux/trapless_layout.h is out of date: run python host_tools/trapless/layout_header.py"
    )


def test_every_constant_is_in_the_header():
    defines = dict(re.findall(r"^#define TPL_(\w+)\s+(\w+)$", layout_header.HEADER.read_text(), re.M))
    assert {name: int(value, 0) for name, value in defines.items()} == layout_header.constants()


def test_the_specification_has_the_same_offsets():
    rows = re.findall(r"^\| (0x[0-9a-f]+) \| `(\w+)` \|", (TOP / "docs" / "transport.md").read_text(), re.M)
    constants = layout_header.constants()
    assert len(rows) >= 40
    assert {name: int(offset, 16) for offset, name in rows} == {name: constants[name] for _, name in rows}


def test_the_specification_has_the_same_capabilities():
    rows = re.findall(r"^\| (\d+) \| `(CAP_\w+)` \|", (TOP / "docs" / "transport.md").read_text(), re.M)
    constants = layout_header.constants()
    assert {name: 1 << int(bit) for bit, name in rows} == {k: v for k, v in constants.items() if k.startswith("CAP_")}


def test_the_example_of_a_batch_in_the_specification_is_one():
    text = (TOP / "docs" / "transport.md").read_text()
    batch = bytearray.fromhex(re.search(r"^```batch\n(.*?)^```$", text, re.S | re.M).group(1))
    numbers = layout_header.constants()
    at = numbers["DRV_CRC"] - numbers["DRV_HEADER"]
    crc = int.from_bytes(batch[at : at + 4], "little")
    batch[at : at + 4] = bytes(4)
    assert crc == zlib.crc32(batch)
    assert len(batch) == numbers["DRV_HEADER_SIZE"] + numbers["ENTRY_SIZE"]
    assert int.from_bytes(batch[numbers["DRV_HEADER_SIZE"] :][:2], "little") == numbers["REG_STATUS"]
