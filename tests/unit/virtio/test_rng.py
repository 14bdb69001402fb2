# SPDX-License-Identifier: MIT
"""The entropy device, from attach to random bytes, with nothing but the driver-side mock."""

from driver import NoAnswer, Rig
from support import raises
from virtio.rng import EntropyBackend, Rng


def counting(buffer):
    for i in range(len(buffer)):
        buffer[i] = 0x03020100 + 0x04040404 * i


def test_it_fills_the_buffer_of_the_driver():
    rig = Rig(Rng(EntropyBackend(counting)))
    rng = rig.drivers[0].begin()
    assert rng.status == 15
    assert rng.request(b"", 6) == bytes([0, 1, 2, 3, 4, 5])


def test_it_gives_at_most_what_it_has_at_once():
    rig = Rig(Rng())
    assert len(rig.drivers[0].begin().request(b"", 4096)) == 256


def test_a_buffer_without_room_is_returned_empty_and_counted():
    device = Rng()
    rng = Rig(device).drivers[0].begin()
    assert rng.request(b"abcd", 0) == b""
    assert (device.returned, device.unanswerable) == (1, 1)


def test_two_devices_share_one_link():
    rig = Rig(Rng(), Rng())
    first, second = [driver.begin() for driver in rig.drivers]
    for _ in range(100):
        assert len(first.request(b"", 32)) == len(second.request(b"", 64)) // 2 == 32


def test_a_restarted_backend_does_not_serve_the_rings_of_its_former_life():
    rig = Rig(Rng())
    rng = rig.drivers[0].begin()
    rig.start_backend(Rng())
    assert rng.status == 0
    raises(NoAnswer, rng.request, b"", 16)
    assert len(rng.begin().request(b"", 16)) == 16
