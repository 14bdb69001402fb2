# SPDX-License-Identifier: MIT
"""What the recovery tests share: load in the frontend whose answers are checked, and how long a recovery took."""

import statistics
import time

STEADY = 45_000

# Seconds from the peer being back, on a machine that has two cores for the pair. Most of it is Linux's drivers probing
# SCMI anew; where that alone takes long, so may a recovery, by these factors.
MEDIAN, WORST = 1.0, 5.0
MEDIAN_PROBES, WORST_PROBES = 2.5, 6
TELL_EACH = 50
MODULE = "/lib/modules/trapless/trapless_virtio.ko"
SENSOR = "/sys/class/hwmon/hwmon*/temp1_input"

# Readers that go on whatever happens: an error is an end that a request may have, another value is not.
LOAD = f"""
echo 0 > /tmp/answers
for reader in 1 2 3; do
    ( right=0
    while [ ! -e /tmp/unload ]; do
        value=
        for file in {SENSOR}; do read -r value < $file; done
        case $value in
        {STEADY}) right=$((right + 1)); [ $((right % 50)) -gt 0 ] || echo $right > /tmp/answers ;;
        '') usleep 5000 ;;
        *) echo "$value" >> /tmp/wrong ;;
        esac
    done ) > /dev/null 2>&1 &
done
"""


def slots(frontend):
    """Where Linux counts what is taken of the link's pool, whatever the platform calls that memory."""
    region = int(frontend.check("basename /proc/device-tree/link@*").partition("@")[2], 16)
    return f"/sys/kernel/debug/swiotlb/*@{region + frontend.link.pool_offset:x}/io_tlb_used"


def turns(what, count):
    """Yield 0 to `count` - 1, and print now and then how far that is: a soak takes long."""
    for turn in range(count):
        if turn and turn % TELL_EACH == 0:
            print(f"{what}: {turn} of {count}", flush=True)
        yield turn


def load(frontend):
    """Start readers in a frontend, and wait until they have answers."""
    frontend.check(f"rm -f /tmp/unload /tmp/wrong; {LOAD}")
    frontend.wait_for("[ $(cat /tmp/answers) -gt 0 ]")


def check_load(frontend):
    """Fail if a reader has had a wrong answer, or they have no answers any more."""
    assert frontend.check("cat /tmp/wrong 2> /dev/null || true") == ""
    frontend.check("echo 0 > /tmp/answers")
    frontend.wait_for("[ $(cat /tmp/answers) -gt 0 ]")


def unload(frontend):
    """End the readers."""
    frontend.check("touch /tmp/unload")


def left(frontend):
    """Return how much there is of what grows if something is left behind, by the command that tells it: slots of the
    pool in use, devices on Linux's SCMI bus."""
    commands = (f"cat {slots(frontend)}", "ls /sys/bus/scmi_protocol/devices | wc -l")
    return {command: int(frontend.check(command)) for command in commands}


def check_left(pair, frontend, before):
    """Fail if there is more than `before`, when nothing goes on any more. Ends the load."""
    unload(frontend)
    pair.wait_probed()
    for command, most in before.items():
        frontend.wait_for(f"[ $({command}) -le {most} ]")


def recovered(frontend, since):
    """Wait until Linux reads its sensor; return the seconds since `since` (time.monotonic())."""
    frontend.wait_for(f"grep -qx {STEADY} {SENSOR} 2> /dev/null", 30)
    return time.monotonic() - since


def probing(frontend):
    """Return the seconds from inserting the module to the first reading, under the load that there is."""
    frontend.check("rmmod trapless_virtio", 30)
    begin = time.monotonic()
    frontend.check(f"insmod {MODULE}")
    return recovered(frontend, begin)


def judge(frontend, what, seconds):
    """Print how long the recoveries took, and hold median and worst against their bounds. Ends the load."""
    alone = max(probing(frontend), probing(frontend))
    unload(frontend)
    median, worst = statistics.median(seconds), max(seconds)
    print(
        f"\n{what}: {len(seconds)} times, recovered after {median:.2f} s (median), {worst:.2f} s (worst);"
        f" probing alone takes {alone:.2f} s"
    )
    if frontend.patience > 1:
        return  # its kernel looks after itself, and takes its time
    assert median < max(MEDIAN, MEDIAN_PROBES * alone)
    assert worst <= max(WORST, WORST_PROBES * alone)
