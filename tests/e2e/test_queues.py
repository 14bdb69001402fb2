# SPDX-License-Identifier: MIT
"""Both layouts of a virtqueue on the booted pair: Linux takes packed ones, and split ones where its link says so."""

import dataclasses

import pytest

from e2e import on_xen, recovery
from trapless.topology import QUEUES

RING_PACKED = 34
PROBED = "grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input"


@pytest.fixture(scope="module", params=QUEUES)
def layout(request):
    """packed, split."""
    return request.param


@pytest.fixture(scope="module")
def pair_options(pair_options, layout):
    """The pair of the command line, with queues of that layout."""
    return dataclasses.replace(pair_options, queues=layout)


def test_the_layout_is_negotiated_for_every_device(frontend, layout):
    bits = frontend.check(f"cut -c{RING_PACKED + 1} /sys/devices/platform/link@*/*/virtio*/features").split()
    assert bits == ["1" if layout == "packed" else "0"] * 2


def test_every_answer_is_right(read_sensor):
    read_sensor(2000, "45000")


def test_random_numbers_come(frontend):
    assert frontend.check("head -c 3000 /dev/hwrng | wc -c").strip() == "3000"


@on_xen.NO_RESTART
def test_restarts_of_the_backend_leave_nothing_in_the_pool(pair, frontend):
    frontend.wait_for(PROBED)
    used = f"cat {recovery.slots(frontend)}"
    before = int(frontend.check(used))
    for _ in range(3):
        pair.restart_backend()
        pair.wait_probed()
        frontend.wait_for(PROBED)
        frontend.wait_for(f"[ $({used}) -le {before} ]")
