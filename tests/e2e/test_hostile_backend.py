# SPDX-License-Identifier: MIT
"""A backend that lies to Linux's driver: no splat, no hang, hardly a time-out, and a good backend is welcome after it.

TRAPLESS_HOSTILE_CASES: how many wrong things it does; TRAPLESS_FUZZ_SEED: which. The driver's deadline is 20 ms.
"""

import dataclasses
import os
import pathlib

import pytest

from e2e.hostile import HostileBackend
from trapless import topology

CASES = int(os.environ.get("TRAPLESS_HOSTILE_CASES", "400"))
SEED = int(os.environ.get("TRAPLESS_FUZZ_SEED", "1"))
LIFE = 20
SPLATS = "WARNING: |BUG: |Oops|Call trace|blocked for more than|stall|Internal error|kernel NULL pointer"
STAT = "sed -n 's/^{} //p' /sys/kernel/debug/trapless/*/stats"
DEADLINE_MS = 20


@pytest.fixture(scope="module")
def pair_options(pair_options, tmp_path_factory):
    """The pair of the command line, whose SCMI time-out is the deadline too: a bad backend answers seldom."""
    source = pathlib.Path(topology.find(pair_options.topology)).read_text()
    path = tmp_path_factory.mktemp("topology") / "hostile.toml"
    path.write_text(source.replace("scmi_timeout_ms = 1000", f"scmi_timeout_ms = {DEADLINE_MS}"))
    return dataclasses.replace(pair_options, topology=str(path))


def splats(frontend):
    """What the kernel says of damage to itself."""
    return frontend.run(f"dmesg | grep -E '{SPLATS}'").text


def test_a_hostile_backend_does_linux_no_harm(pair, frontend):
    base = int(frontend.check("basename /sys/firmware/devicetree/base/reserved-memory/pool@*").partition("@")[2], 16)
    frontend.check("dmesg -n 1")  # complaints about the backend are its own fault: not on a serial console
    before = int(frontend.check(STAT.format("timeouts")))
    pair.backend_vm.pause()
    hostile = HostileBackend(frontend, base, SEED)
    try:
        while sum(hostile.done.values()) < CASES:
            hostile.life(LIFE)
            if hostile.lives % 20 == 0:
                assert not splats(frontend), f"seed {SEED}, after {hostile.done}"
    finally:
        hostile.close()
    cases, timeouts = sum(hostile.done.values()), int(frontend.check(STAT.format("timeouts"))) - before
    print(f"{cases} cases in {hostile.lives} lives, {hostile.attached} attached, {timeouts} time-outs: {hostile.done}")
    assert hostile.attached, "never attached, so this shows nothing"
    assert timeouts <= cases // 50
    assert not splats(frontend)
    pair.restart_backend()
    pair.wait_probed()
    frontend.wait_for("grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input")
