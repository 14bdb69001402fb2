# SPDX-License-Identifier: MIT
"""A doorbell may be lost; what it was to tell of is seen all the same, soon enough for a request.

Source: docs/transport.md, 6.5. A process on the host clears the word in which Linux says that it sleeps: so the backend
rings no more, as if each doorbell were lost.
"""

import mmap
import struct

import pytest

from trapless import region
from virtio import layout

LOST = "sed -n 's/^lost_doorbells //p' /sys/kernel/debug/trapless/*/stats"
SENSOR = "cat /sys/class/hwmon/hwmon*/temp1_input"
ROUNDS = 5

pytestmark = pytest.mark.needs_doorbell("without doorbells there is none to lose")


@pytest.fixture
def unheard(frontend):
    """While the test runs, no device of the link is rung for."""
    places = [frontend.link.driver_page(device) + layout.DRV_FE_SLEEP for device in frontend.link.devices]
    with region.path(frontend.vm.directory, frontend.link).open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        for place in places:
            assert struct.unpack_from("<I", memory, place) == (1,)
            struct.pack_into("<I", memory, place, 0)
        yield
        for place in places:
            struct.pack_into("<I", memory, place, 1)


def lost(frontend):
    return int(frontend.check(LOST))


def test_answers_come_without_their_doorbells(frontend, unheard):
    before = lost(frontend)
    for _ in range(ROUNDS):
        assert frontend.check(SENSOR) == "45000"
    assert lost(frontend) > before


def test_after_a_lost_doorbell_the_next_ones_are_rung(frontend, read_sensor):
    before = lost(frontend)
    assert "wrong 0" in read_sensor(200)
    assert lost(frontend) == before
