# SPDX-License-Identifier: MIT
"""A backend that lies to Linux's driver: no splat, no hang, hardly a time-out, and a good backend is welcome after it.

TRAPLESS_HOSTILE_CASES: how many wrong things it does; TRAPLESS_FUZZ_SEED: which. The driver's deadline is 20 ms.
"""

import os

from e2e import on_xen
from e2e.hostile import HostileBackend

CASES = int(os.environ.get("TRAPLESS_HOSTILE_CASES", "400"))
SEED = int(os.environ.get("TRAPLESS_FUZZ_SEED", "1"))
LIFE = 20
LOOK = 20  # lives until Linux is asked whether it is still there
STAT = "sed -n 's/^{} //p' /sys/kernel/debug/trapless/*/stats"
DEADLINE_MS = 20


@on_xen.NO_PAUSE
def test_a_hostile_backend_does_linux_no_harm(pair, frontend):
    base = int(frontend.check("basename /sys/firmware/devicetree/base/reserved-memory/pool@*").partition("@")[2], 16)
    frontend.check("dmesg -n 1")  # complaints about the backend are its own fault: not on a serial console
    # They would soon push a report of damage out of the log: it ends this life of Linux, which nobody can miss.
    frontend.check("cd /proc/sys/kernel && echo 1 > panic_on_warn && echo 1 > panic_on_oops")
    frontend.check(f"echo {DEADLINE_MS} > /sys/module/trapless_virtio/parameters/mend_max_ms")  # 1 s for a bad backend
    before = int(frontend.check(STAT.format("timeouts")))
    pair.backend_vm.pause()
    hostile = HostileBackend(frontend, base, SEED)
    try:
        while sum(hostile.done.values()) < CASES:
            hostile.life(LIFE)
            if hostile.lives % LOOK == 0:
                frontend.check("true")
    finally:
        hostile.close()
    cases, timeouts = sum(hostile.done.values()), int(frontend.check(STAT.format("timeouts"))) - before
    print(f"{cases} cases in {hostile.lives} lives, {hostile.attached} attached, {timeouts} time-outs: {hostile.done}")
    assert hostile.attached > hostile.lives // 4, "hardly ever attached, so this shows little"
    assert timeouts <= cases // 50
    pair.restart_backend()
    pair.wait_probed()
    frontend.wait_for("grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input")
