# SPDX-License-Identifier: MIT
"""Either side may die, restart or stop at any time, under load; Linux comes back by itself. docs/transport.md, 4.

`make soak` does it more often: TRAPLESS_SOAK_BACKEND kills of the backend, TRAPLESS_SOAK_FRONTEND reboots,
TRAPLESS_SOAK_MODULE removals of the module.
"""

import os
import time

import pytest

from e2e import on_xen, recovery
from e2e.test_serving import prompt, soft_reset_friendly
from trapless.errors import MachineError

BACKEND_KILLS = int(os.environ.get("TRAPLESS_SOAK_BACKEND", "12"))
REBOOTS = int(os.environ.get("TRAPLESS_SOAK_FRONTEND", "4"))
MODULE_CYCLES = int(os.environ.get("TRAPLESS_SOAK_MODULE", "12"))
STOP_SECONDS = 3
SECONDS_EACH = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def loaded(pair, frontend):
    """The frontend, with readers in it."""
    recovery.load(frontend)
    yield frontend
    recovery.unload(frontend)


def test_the_readers_see_an_answer_that_is_not_theirs(pair, frontend, until):
    """The load can fail: an answer for another reader, one of a former life, and what a sensor never has."""
    former, present = (recovery.change(pair) for _ in range(2))
    recovery.load(frontend, present)
    try:
        for name, value in {"board": 45_000 + present, "cpu": 45_000 + former, "vdd-core": 7}.items():
            pair.backend.exec(f'soc.sensors["{name}"].value = {value}')
            seen = f" {value} after"
            until(lambda seen=seen: any(seen in line for line in recovery.wrong(frontend)), f"{value} in {name}")
    finally:
        recovery.unload(frontend)
        recovery.change(pair)


@pytest.mark.timeout(300 + BACKEND_KILLS * SECONDS_EACH)
@on_xen.NO_RESTART
def test_a_backend_killed_again_and_again(pair, loaded):
    taken = []
    for _ in recovery.turns("backend killed", BACKEND_KILLS):
        pair.restart_backend()
        taken.append(recovery.recovered(loaded, time.monotonic()))
        recovery.check_load(loaded, recovery.change(pair))
    recovery.judge(loaded, "backend killed", taken)


@pytest.mark.timeout(300)
@on_xen.NO_RESTART
def test_a_backend_killed_while_nobody_asks(pair, frontend):
    taken = []
    for _ in range(5):
        pair.restart_backend()
        taken.append(recovery.recovered(frontend, time.monotonic()))
        pair.wait_probed()
    told = frontend.check("dmesg | grep -c 'attached again, [0-9]* ms after the link broke'")
    assert int(told) >= len(taken), "each recovery is reported"
    recovery.judge(frontend, "backend killed at rest", taken)


@pytest.mark.timeout(300)
@on_xen.NO_RESTART
def test_nothing_is_left_behind_with_a_backend(pair, frontend):
    pair.wait_probed()
    before = recovery.left(frontend)
    recovery.load(frontend)
    for _ in range(3):
        pair.restart_backend()
        recovery.recovered(frontend, time.monotonic())
        recovery.check_load(frontend, recovery.change(pair))
    recovery.check_left(pair, frontend, before)


@pytest.mark.timeout(300)
def test_a_backend_that_is_soft_reset(pair, loaded):
    taken = []
    for _ in range(3):
        before = pair.epochs()
        with prompt(pair) as port:
            soft_reset_friendly(port)
            pair.wait_serving(before)
        taken.append(recovery.recovered(loaded, time.monotonic()))
        recovery.check_load(loaded, recovery.change(pair))
    recovery.judge(loaded, "backend soft-reset", taken)


@pytest.mark.timeout(300)
@on_xen.NO_PAUSE
def test_a_backend_that_is_stopped_and_continued(pair, loaded):
    taken = []
    for _ in range(2):
        pair.backend_vm.pause()
        time.sleep(STOP_SECONDS)  # that long nobody answers
        pair.backend_vm.resume()
        taken.append(recovery.recovered(loaded, time.monotonic()))
        recovery.check_load(loaded, recovery.change(pair))
    recovery.judge(loaded, f"backend stopped for {STOP_SECONDS} s", taken)


@pytest.mark.timeout(300)
@on_xen.NO_PAUSE
def test_a_frontend_that_is_stopped_and_continued(pair, loaded):
    taken = []
    for _ in range(2):
        loaded.vm.pause()
        time.sleep(STOP_SECONDS)  # that long nobody asks
        loaded.vm.resume()
        taken.append(recovery.recovered(loaded, time.monotonic()))
        recovery.check_load(loaded, recovery.change(pair))
    recovery.judge(loaded, f"frontend stopped for {STOP_SECONDS} s", taken)


def reboot(frontend, command):
    """Have the frontend restart itself; returns when it takes commands again."""
    with pytest.raises(MachineError, match="restarted while the command ran"):
        frontend.run(f"{command}; sleep 60")


@pytest.mark.timeout(300 + REBOOTS * SECONDS_EACH)
@on_xen.NO_RESTART
def test_a_frontend_that_reboots(pair, frontend):
    epochs, taken = pair.epochs(), []
    for turn in recovery.turns("frontend rebooted", REBOOTS):
        recovery.load(frontend, recovery.change(pair))
        reboot(frontend, ("reboot -f", "reboot")[turn % 2])
        taken.append(recovery.recovered(frontend, time.monotonic()))
    assert pair.epochs() == epochs, "the backend lived through it"
    recovery.load(frontend, recovery.change(pair))
    recovery.judge(frontend, "frontend rebooted", taken)


@pytest.mark.timeout(300)
@on_xen.NO_RESTART
def test_a_frontend_that_is_killed(pair, frontend):
    taken = []
    for _ in range(3):
        recovery.load(frontend, recovery.change(pair))
        pair.restart_frontend(probed=False)
        taken.append(recovery.recovered(frontend, time.monotonic()))
    recovery.load(frontend, recovery.change(pair))
    recovery.judge(frontend, "frontend killed", taken)


@pytest.mark.timeout(300 + MODULE_CYCLES * SECONDS_EACH)
def test_a_module_removed_and_inserted(pair, frontend):
    pair.wait_probed()
    before, taken = recovery.left(frontend), []
    recovery.load(frontend)
    for _ in recovery.turns("module removed and inserted", MODULE_CYCLES):
        frontend.check("rmmod trapless_virtio", 30)
        frontend.check(f"insmod {recovery.MODULE}")
        taken.append(recovery.recovered(frontend, time.monotonic()))
        recovery.check_load(frontend, recovery.change(pair))
    recovery.judge(frontend, "module removed and inserted", taken)
    recovery.check_left(pair, frontend, before)


# Most of a second of asking again: rings of the doorbell, or looks where there is none.
ASKED = 'awk \'$1 == "doorbells" && $2 >= 6 || $1 == "interrupts" && $2 >= 64\' /sys/kernel/debug/trapless/*/stats'
STATES = "cat /sys/kernel/debug/trapless/*/*/state | sort -u"


@pytest.mark.timeout(300)
@on_xen.NO_PAUSE
def test_a_module_inserted_while_the_backend_is_stopped_waits_with_the_pool(pair, loaded):
    """What the backend still has of the old life it may write into the pool: 4.2."""
    recovery.check_load(loaded, recovery.change(pair))
    used = f"cat {recovery.slots(loaded)}"
    assert int(loaded.check(used)) > 0
    pair.backend_vm.pause()
    try:
        loaded.check("rmmod trapless_virtio", 60)
        loaded.check(f"insmod {recovery.MODULE}")
        loaded.wait_for(f'[ "$({STATES})" = posted ] && [ -n "$({ASKED})" ]')
        assert (loaded.check(STATES), loaded.check(used)) == ("posted", "0")
    finally:
        pair.backend_vm.resume()
    recovery.recovered(loaded, time.monotonic())
    recovery.check_load(loaded, recovery.change(pair))
    assert int(loaded.check(used)) > 0


@pytest.mark.timeout(300)
@on_xen.NO_RESTART
def test_both_killed_at_once(pair, frontend):
    taken = []
    for _ in range(3):
        recovery.load(frontend, recovery.change(pair))
        frontend.drop_shell()
        frontend.vm.kill()
        pair.restart_backend()
        pair.restart_frontend(probed=False)
        taken.append(recovery.recovered(frontend, time.monotonic()))
    recovery.load(frontend, recovery.change(pair))
    recovery.judge(frontend, "both killed", taken)
