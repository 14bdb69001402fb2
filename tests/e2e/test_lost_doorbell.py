# SPDX-License-Identifier: MIT
"""A doorbell may be lost; what it was to tell of is seen all the same, soon enough for a request.

Source: docs/transport.md, 6.5. A process on the host clears the word in which a side says that it sleeps: so the other
one rings no more, as if each doorbell were lost. Linux never stores its word again, the backend does whenever it looks.
"""

import mmap
import struct
import threading

import pytest

from e2e.places import counted
from trapless import region
from virtio import layout

SENSOR = "cat /sys/class/hwmon/hwmon*/temp1_input"
ROUNDS = 5
PAUSE = 0.0005  # seconds in which the frontend may find what the backend says

pytestmark = pytest.mark.needs_doorbell("without doorbells there is none to lose")


@pytest.fixture
def memory(frontend):
    """The link's region."""
    with region.path(frontend.vm.directory, frontend.link).open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        yield memory


@pytest.fixture
def unheard(frontend, memory):
    """While the test runs, no device of the link is rung for."""
    places = [frontend.link.driver_page(device) + layout.DRV_FE_SLEEP for device in frontend.link.devices]
    for place in places:
        assert struct.unpack_from("<I", memory, place) == (1,)
        struct.pack_into("<I", memory, place, 0)
    yield
    for place in places:
        struct.pack_into("<I", memory, place, 1)


def lost(frontend):
    return counted(frontend, "lost_doorbells")


def test_answers_come_without_their_doorbells(frontend, unheard):
    before = lost(frontend)
    for _ in range(ROUNDS):
        assert frontend.check(SENSOR) == "45000"
    assert lost(frontend) > before


def test_after_a_lost_doorbell_the_next_ones_are_rung(frontend, read_sensor):
    before = lost(frontend)
    assert "wrong 0" in read_sensor(200)
    assert lost(frontend) == before


@pytest.fixture
def unrung(frontend, memory):
    """While the test runs, the backend seems to be awake: what it says of its sleep is overwritten again and again."""
    places = [frontend.link.device_page(device) + layout.DEV_BE_SLEEP for device in frontend.link.devices]
    stop = threading.Event()

    def overwrite():
        while not stop.wait(PAUSE):
            for place in places:
                struct.pack_into("<I", memory, place, 0)

    writer = threading.Thread(target=overwrite)
    writer.start()
    yield
    stop.set()
    writer.join()


def test_the_backend_sees_requests_without_their_doorbells(frontend, unrung):
    """It looks with each of its beats, and is rung for if it goes to sleep again just before: in a round or two."""
    silent = 0
    for _ in range(ROUNDS):
        before = counted(frontend, "doorbells")
        assert frontend.check(SENSOR) == "45000"
        silent += counted(frontend, "doorbells") == before
    assert silent
