# SPDX-License-Identifier: MIT
"""Which lines of a kernel's log are a report of damage, and which of those are Linux's own."""

import os
import subprocess

import pytest

from trapless import splats
from trapless.setup import kernel

RACE = """[    3.20] ==================================================================
[    3.21] BUG: KCSAN: data-race in {} / tick_sched_timer
[    3.22] write to 0xffff00 of 8 bytes by interrupt on cpu 0:
[    3.23]  {}
[    3.24] ==================================================================
[    3.25] trapless_virtio: another line
"""
OURS = RACE.format("tpl_link_look", "tpl_link_look+0x10/0x20 [trapless_virtio]")
LINUXS = RACE.format("run_timer", "run_timer+0x10/0x20")


def test_a_report_ends_where_the_kernel_says_so():
    ((_, report),) = splats.reports(OURS)
    assert report.startswith("BUG: KCSAN: data-race in tpl_link_look") and "another line" not in report
    assert len(list(splats.reports(OURS + LINUXS))) == 2


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: CPU: 0 PID: 1 at kernel/dma/debug.c:1000 check_unmap+0x1/0x2",
        "WARNING: possible circular locking dependency detected",
        "BUG: KASAN: slab-use-after-free in tpl_link_work+0x1/0x2",
        "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580",
        "UBSAN: shift-out-of-bounds in trapless_queue.c:3:4",
        "------------[ cut here ]------------",
        "ODEBUG: free active (active state 0) object: 000 object type: timer_list",
        "INFO: task kworker/0:1:10 blocked for more than 120 seconds.",
        "rcu: INFO: rcu_sched self-detected stall on CPU",
        "Internal error: Oops: 0000000096000004 [#1] SMP",
    ],
)
def test_damage_is_a_report_that_nobody_explains(line):
    ((_, report),) = splats.reports(f"[   12.345678][   T10] harmless\n[   12.345678][   T10] {line}\n")
    assert report == line
    assert not splats.reason(report)


def test_a_warning_has_what_it_says():
    log = "[1.0] ---[ cut here ]---\n[1.1] DMA-API: freed twice\n[1.2] WARNING: CPU: 0\n[1.3] ---[ end trace 0 ]---\n"
    assert [report.splitlines()[1] for _, report in splats.reports(log)] == ["DMA-API: freed twice"]


def test_a_report_that_has_grown_is_the_same_report():
    before = "[ 1.0] WARNING: suspicious RCU usage\n"
    after = before + "[ 1.1] something else\n"
    assert next(splats.reports(before))[0] == next(splats.reports(after))[0]


def test_what_the_drivers_say_is_none():
    log = "[ 1.0] trapless-virtio link: link broken\n[ 1.1] DMA-API: preallocated 65536 debug entries\n"
    assert not list(splats.reports(log))


def test_a_race_is_linuxs_own_unless_a_function_of_ours_takes_part():
    (_, ours), (_, linuxs) = splats.reports(OURS + LINUXS)
    assert not splats.reason(ours) and splats.reason(linuxs)


def test_a_sanitizers_lines_take_the_place_of_the_fragments():
    text = kernel.merged("CONFIG_A=y\n# CONFIG_B says\nCONFIG_C=1\nCONFIG_D=y", "# CONFIG_A is not set\nCONFIG_C=2\n")
    assert text.splitlines() == ["# CONFIG_B says", "CONFIG_D=y", "# CONFIG_A is not set", "CONFIG_C=2"]


@pytest.mark.parametrize(
    ("folder", "said"),
    [("drivers/virtio", ""), ("drivers/firmware/arm_scmi/transports", ""), ("kernel", "n"), ("mm", "n")],
)
def test_kcsan_is_compiled_into_what_our_modules_work_with_and_nothing_else(folder, said):
    makefile = "all: ; @echo '$(KCSAN_SANITIZE)'"
    environment = os.environ | kernel.KBUILD["kcsan"]
    made = subprocess.run(
        ["make", "-s", "-f", "-", f"obj={folder}"], input=makefile, env=environment, capture_output=True, text=True
    )
    assert (made.returncode, made.stdout.strip()) == (0, said)
