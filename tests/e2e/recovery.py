# SPDX-License-Identifier: MIT
"""What the recovery tests share: load in the frontend whose answers are checked, and how long a recovery took."""

import statistics
import time

STEADY = 45_000

# Seconds from the peer being back. A request in flight keeps Linux's SCMI driver from going before its time-out of 1 s
# (scmi_timeout_ms), and what probes it anew shares the host with everything else: the median is printed, not judged.
WORST = 5.0
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


def recovered(frontend, since):
    """Wait until Linux reads its sensor; return the seconds since `since` (time.monotonic())."""
    frontend.wait_for(f"grep -qx {STEADY} {SENSOR} 2> /dev/null", 30)
    return time.monotonic() - since


def judge(what, seconds, patience):
    """Print how long the recoveries took, and hold the worst against its bound; `patience`: the pair's."""
    median, worst = statistics.median(seconds), max(seconds)
    print(f"\n{what}: {len(seconds)} times, recovered after {median:.2f} s (median), {worst:.2f} s (worst)")
    assert worst <= WORST * patience
