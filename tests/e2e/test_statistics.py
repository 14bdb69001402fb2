# SPDX-License-Identifier: MIT
"""Statistics in shared memory are offered to Linux, which does not take them: nothing of them is told or counted.

The model is the default one, which has power domains, performance domains and a shared sensor.
"""

import struct

import pytest

from trapless import bench
from trapless.bench import TOOL as SCMI_RAW

POWER, PERFORMANCE, SENSOR = 0x11, 0x13, 0x15
SHARED_MEMORY = 1


@pytest.fixture(scope="module")
def pair_options(request):
    """A frontend that can send raw messages."""
    from trapless.pytest_plugin import command_line_options

    return bench.with_tool(command_line_options(request.config))


def shown(frontend):
    """Return {id: (address, length)} of the regions that the transport finds."""
    text = frontend.check("cat /sys/kernel/debug/trapless/*/*/shm")
    return {int(number): (int(at, 0), int(length, 0)) for number, at, length in map(str.split, text.splitlines())}


def test_the_transport_finds_the_regions_in_the_links_memory(pair, frontend):
    link = pair.topology.links[0]
    at = int(frontend.check("basename /proc/device-tree/link@*").partition("@")[2], 16) + link.shm_offset
    memory = frontend.check(f"hexdump -v -e '1/1 \"%02x\"' /proc/device-tree/reserved-memory/*@{at:x}/reg")
    start, size = struct.unpack(">QQ", bytes.fromhex(memory))
    assert size == link.shm_size
    regions = shown(frontend)
    assert sorted(regions) == [1, 2, 3]
    for at, length in regions.values():
        assert start <= at and at + length <= start + size and length


def test_linux_does_not_take_them(pair, backend, frontend):
    assert frontend.check("cat /sys/bus/virtio/drivers/scmi-virtio/virtio*/features")[SHARED_MEMORY] == "0"
    for protocol in (POWER, PERFORMANCE, SENSOR):
        request = struct.pack("<I", protocol << 10 | 1)
        answer = bytes.fromhex(frontend.check(f"{SCMI_RAW} send {request.hex()}"))
        assert struct.unpack_from("<iIQI", answer, 4)[2:] == (0, 0)
    assert backend.eval('soc.performance["cpu"].usage') is None
