# SPDX-License-Identifier: MIT
"""The pool of a link shrinks and grows under load; docs/transport.md, 10. The witnesses are swiotlb's own count, and
the file that is the region: what nobody touches, the host has not to keep.
"""

import json
import subprocess
import time

import pytest

from e2e import on_xen, recovery
from trapless import region

BLOCK = 1 << 16
SLOT = 1 << 11
MIB = 1 << 20
POOL = "/sys/kernel/debug/trapless/*/pool"
BALLOON = 'links["linux0"].balloon'

# The next batch for the pool is committed, and the backend fails before it is answered.
FAILS_ONCE = f"""
def fails(entries, balloon={BALLOON}):
    del balloon.slices
    yield from balloon.slices(entries)
    raise ValueError("a fault")
{BALLOON}.slices = fails
"""


class Balloon:
    """The operator's view of the link's pool."""

    def __init__(self, pair):
        self.pair = pair
        link = pair.frontend.link
        self.link = link
        self.path = region.path(pair.frontend.vm.directory, link)

    def ask(self, size):
        """Ask, wait for the answer, return how many bytes are given back then."""
        self.pair.backend.exec(f"{BALLOON}.ask({size})")
        return self.answered()

    def answered(self):
        """Wait until the frontend has done what is asked; return how many bytes are given back."""
        deadline = time.monotonic() + 20
        while not self.pair.backend.eval(f"{BALLOON}.is_answered"):
            assert time.monotonic() < deadline, self.pair.backend.exec("status()")
        return self.pair.backend.eval(f"{BALLOON}.given")

    def ranges(self):
        """Return (offset in the region, bytes) of what is given back."""
        return [(self.link.pool_offset + at, size) for at, size in self.pair.backend.eval(f"{BALLOON}.ranges()")]

    def discard(self):
        """Have the host forget what is given back."""
        for offset, size in self.ranges():
            subprocess.run(["fallocate", "--punch-hole", "-o", str(offset), "-l", str(size), self.path], check=True)

    def kept(self):
        """Return how many bytes of the region the host keeps."""
        return self.path.stat().st_blocks * 512


@pytest.fixture(scope="module")
def balloon(pair):
    pair.wait_probed()
    return Balloon(pair)


@pytest.fixture
def slots(frontend):
    """Return a function that tells how many bytes of the pool Linux has handed out."""
    return lambda: int(frontend.check(f"cat {recovery.slots(frontend)}")) * SLOT


def test_under_load_what_is_given_back_is_nobodys(pair, frontend, balloon, slots):
    before = slots()
    recovery.load(frontend)
    assert balloon.ask(2 * MIB) == 2 * MIB
    assert slots() >= 2 * MIB, "swiotlb has it no more"
    whole = balloon.kept()
    balloon.discard()
    kept = balloon.kept()
    assert whole - kept == 2 * MIB
    for _ in range(5):
        recovery.check_load(frontend)
        assert len(frontend.run("head -c 64 /dev/hwrng").stdout) == 64
    assert balloon.kept() == kept, "a page that is touched comes back"
    assert balloon.ask(0) == 0
    recovery.check_load(frontend)
    recovery.unload(frontend)
    frontend.wait_for(f"[ $(cat {recovery.slots(frontend)}) -le {before // SLOT + 64} ]")


def test_it_shrinks_and_grows_again_and_again_and_nothing_in_flight_is_touched(frontend, balloon):
    recovery.load(frontend)
    for size in (MIB, 3 * MIB, MIB // 2, 2 * MIB + BLOCK, 0) * 4:
        assert balloon.ask(size) == size
    recovery.check_load(frontend)
    recovery.unload(frontend)


def test_trapless_status_shows_it(pair, balloon, trapless):
    assert balloon.ask(MIB) == MIB
    _, out, _ = trapless.run("status", "--json")
    shown = [found for state in json.loads(out) for found in state["frontends"] if found["region"] == str(balloon.path)]
    assert [found["given_back"] for found in shown] == [MIB]
    assert b"pool: 1024 of 4096 KiB given back" in trapless.run("status")[1]
    assert balloon.ask(0) == 0


def test_linux_keeps_what_its_drivers_need_and_says_so(pair, frontend, balloon):
    recovery.load(frontend)
    size = balloon.link.pool_size
    given = balloon.ask(size)
    assert MIB <= given <= size - 8 * BLOCK
    assert f"given {given}" in frontend.check(f"cat {POOL}")
    assert "asked for, answered" in pair.backend.exec("status()")
    recovery.check_load(frontend)
    assert balloon.ask(0) == 0
    recovery.unload(frontend)


def test_devices_that_come_anew_find_room(pair, frontend, balloon):
    given = balloon.ask(3 * MIB)
    for count, number in enumerate((1, 0), 1):
        pair.backend.exec(f'links["linux0"].ports[{number}].fail()')
        frontend.wait_for(f"[ $(dmesg | grep -c 'taken down, to be registered again') -eq {count} ]")
        pair.wait_probed()
    assert len(frontend.run("head -c 64 /dev/hwrng").stdout) == 64
    recovery.recovered(frontend, time.monotonic())
    assert pair.backend.eval(f"{BALLOON}.given") == given
    assert balloon.ask(0) == 0


def test_a_change_of_the_pool_that_the_backend_fails_at_ends_in_a_new_life_that_does_it(pair, frontend, balloon):
    recovery.load(frontend)
    lives = pair.backend.eval('links["linux0"].lives')
    pair.backend.exec(FAILS_ONCE)
    assert balloon.ask(MIB) == MIB
    assert f"given {MIB}" in frontend.check(f"cat {POOL}")
    assert pair.backend.eval('links["linux0"].lives') == lives + 1
    frontend.check("dmesg | grep 'link broken: the backend failed at a change of the pool'")
    recovery.recovered(frontend, time.monotonic())
    recovery.check_load(frontend)
    assert balloon.ask(0) == 0
    recovery.unload(frontend)
    pair.wait_probed()


@pytest.mark.timeout(300)
@on_xen.NO_RESTART
def test_a_backend_that_starts_again_finds_the_whole_pool_in_linux(pair, frontend, balloon, slots):
    before = slots()
    recovery.load(frontend)
    for _ in range(3):
        assert balloon.ask(2 * MIB) == 2 * MIB
        pair.restart_backend()
        recovery.recovered(frontend, time.monotonic())
        recovery.check_load(frontend)
        assert pair.backend.eval(f"{BALLOON}.given") == 0
        assert "given 0" in frontend.check(f"cat {POOL}")
    recovery.unload(frontend)
    pair.wait_probed()
    frontend.wait_for(f"[ $(cat {recovery.slots(frontend)}) -le {before // SLOT + 64} ]")


@pytest.mark.timeout(300)
@on_xen.NO_RESTART
def test_the_request_stands_for_a_frontend_that_starts_again(pair, balloon):
    assert balloon.ask(MIB) == MIB
    pair.restart_frontend()
    pair.wait_ready()
    assert balloon.answered() == MIB
    pair.frontend.check("rmmod trapless_virtio && insmod /lib/modules/trapless/trapless_virtio.ko")
    pair.wait_probed()
    assert balloon.answered() == MIB
    assert balloon.ask(0) == 0


def test_linux_has_nothing_to_complain_about(frontend):
    assert frontend.check("dmesg | grep -E 'WARNING|BUG|swiotlb buffer is full|refused' || true") == ""
