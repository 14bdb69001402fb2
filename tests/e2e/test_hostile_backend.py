# SPDX-License-Identifier: MIT
"""A backend that lies to Linux's driver: no splat, no hang, hardly a time-out, and a good backend is welcome after it.

Meanwhile the driver is used: read, taken from its devices, removed. TRAPLESS_HOSTILE_CASES: how many wrong things the
backend does; TRAPLESS_FUZZ_SEED: which. The driver's deadline is 20 ms, as a rule.
"""

import os
import time

import pytest

from e2e import on_xen
from e2e.consumer import equipped
from e2e.hostile import HostileBackend, replaced
from e2e.hostile_users import DEBUG, Users
from e2e.places import place
from virtio import layout

CASES = int(os.environ.get("TRAPLESS_HOSTILE_CASES", "400"))
SEED = int(os.environ.get("TRAPLESS_FUZZ_SEED", "1"))
LIFE = 20
LOOK = 20  # lives until Linux is asked whether it is still there
DEADLINE_MS = 20
SLOW = 0.5  # seconds that an echo takes
ECHOES = 40
SHM = f"cat {DEBUG}/*/*/shm"


@pytest.fixture(scope="module")
def pair_options(pair_options):
    return equipped(pair_options, {}, "trapless_space")


@pytest.fixture
def hostile(pair, frontend):
    """A hostile backend in the place of the good one."""
    with replaced(pair, frontend, seed=SEED) as hostile:
        yield hostile


@on_xen.NO_PAUSE
def test_a_region_of_a_life_that_is_over_is_none(hostile, frontend):
    """The words may be of two lives. The backend has not rung yet, so that the driver has seen nothing else of it."""
    shown = frontend.check(SHM)
    assert shown
    epochs = [page.load(layout.DEV_BE_EPOCH) for page in hostile.pages]
    for page in hostile.pages:
        page.store(layout.DEV_BE_EPOCH, 0)
    assert frontend.check(SHM) == ""
    for page, epoch in zip(hostile.pages, epochs, strict=True):
        page.store(layout.DEV_BE_EPOCH, epoch)
    assert frontend.check(SHM) == shown


@on_xen.NO_PAUSE
@pytest.mark.needs_doorbell("an echo answers a doorbell")
def test_who_waits_for_anothers_echoes_can_give_up(hostile, frontend):
    frontend.check("rm -f /tmp/over")
    frontend.check(f"echo {ECHOES} > $(ls {DEBUG}/*/echo) 2> /dev/null & echo $! > /tmp/writer")
    frontend.check(f"{{ timeout -s KILL 1 cat {DEBUG}/*/echo; touch /tmp/over; }} > /dev/null 2>&1 &")
    for _ in range(ECHOES):
        time.sleep(SLOW)  # what makes it slow
        hostile.obey()
        if not frontend.run("[ -e /tmp/over ]").status:
            break
    assert not frontend.run("kill $(cat /tmp/writer)").status, "it waited until the series was over"


@on_xen.NO_PAUSE
@pytest.mark.timeout(300 + CASES)  # seconds: about ten times what it takes
def test_a_hostile_backend_does_linux_no_harm(pair, frontend):
    pair.wait_probed()
    base, _ = place(frontend, "pool")
    frontend.check("dmesg -n 1")  # complaints about the backend are its own fault: not on a serial console
    # They would soon push a report of damage out of the log: it ends this life of Linux, which nobody can miss.
    frontend.check("cd /proc/sys/kernel && echo 1 > panic_on_warn && echo 1 > panic_on_oops")
    frontend.check(f"echo {DEADLINE_MS} > /sys/module/trapless_virtio/parameters/mend_max_ms")  # 1 s for a bad backend
    users = Users(frontend, place(frontend, "shm"), DEADLINE_MS)
    before = users.timeouts()
    pair.backend_vm.pause()
    hostile = HostileBackend(frontend, base, SEED)
    try:
        while sum(hostile.done.values()) < CASES or not hostile.behave_while(users.satisfied):
            hostile.life(LIFE)
            if hostile.lives % LOOK == 0:
                hostile.behave_while(users.look)
        hostile.behave_while(users.stop)
    finally:
        hostile.close()
    cases, timeouts, seen = sum(hostile.done.values()), users.timeouts() - before, users.seen()
    print(f"{cases} cases in {hostile.lives} lives, {hostile.attached} attached, {timeouts} time-outs: {hostile.done}")
    removals = users.removals()
    print(f"{users.turns()} turns of users, at most {users.slowest()}, {seen}")
    assert hostile.attached > hostile.lives // 4, "hardly ever attached, so this shows little"
    assert timeouts + removals <= cases // 50, f"and one more with each of {removals} removals, perhaps"
    pair.restart_backend()
    pair.wait_probed()
    frontend.wait_for("grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input")
