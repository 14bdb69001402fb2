# SPDX-License-Identifier: MIT
"""What the recovery tests share: load in the frontend whose answers are checked, and how long a recovery took.

Each reader has a sensor of its own, whose values no other sensor has. A backend life begins with the model's values;
`change` gives it values that no life had before. So an answer meant for another reader is seen, and one of a former
life is seen once a later one was read.
"""

import dataclasses
import itertools
import statistics
import time

from trapless import topology

# The readers' sensors: what Linux calls them, and the value that the model begins with.
READINGS = {"cpu": ("temp1_input", 45_000), "board": ("temp2_input", 31_500), "vdd-core": ("in0_input", 850)}
STEADY = READINGS["cpu"][1]
VALUES_EACH = 10_000

# Seconds from the peer being back, on a machine that has two cores for the pair: a backend is back when its epochs are
# there, a frontend that boots when it takes commands. Most of it is Linux's drivers probing SCMI anew; where that alone
# takes long, so may a recovery, by these factors.
MEDIAN, WORST = 1.0, 5.0
MEDIAN_PROBES, WORST_PROBES = 2.5, 6
TELL_EACH = 50
MODULE = "/lib/modules/trapless/trapless_virtio.ko"
HWMON = "/sys/class/hwmon/hwmon*"
SENSOR = f"{HWMON}/{READINGS['cpu'][0]}"

# A reader goes on whatever happens: an error is an end that a request may have, another value than these is not: the
# last one, the one that a backend life begins with, one that is newer than all others.
READER = f"""
reader() {{
    files=$1 first=$2 now=$3 newest=$3 right=0
    while [ ! -e /tmp/unload ]; do
        value=
        for file in $files; do read -r value < $file; done
        if [ -z "$value" ]; then
            usleep 5000
            continue
        elif [ "$value" != $now ]; then
            right=0
            if [ "$value" = $first ]; then
                now=$first
            elif [ "$value" -gt $newest ] && [ "$value" -lt $((first + {VALUES_EACH})) ]; then
                now=$value newest=$value
            else
                echo "${{files##*/}}: $value after $now" >> /tmp/wrong
                continue
            fi
        fi
        right=$((right + 1))
        [ $((right % 50)) -gt 0 ] || echo $now > /tmp/answers.${{files##*/}}
    done
}}
"""

_numbers = itertools.count(1)


# Linux's own time-out where what ends before is ended by the transport, with an error of its own; and what that
# error, ECOMM, is to people: of dd, since cat would ask a second time.
PATIENT_MS = 60_000
ENDED = "Communication error on send"


def patient(options, folder):
    """Return `options` with a Linux that waits PATIENT_MS for an answer; `folder` takes the topology."""
    source = topology.find(options.topology).read_text()
    assert source.count("scmi_timeout_ms = 1000") == 1
    path = folder / "patient.toml"
    path.write_text(source.replace("scmi_timeout_ms = 1000", f"scmi_timeout_ms = {PATIENT_MS}"))
    return dataclasses.replace(options, topology=str(path))


def ask(frontend, readers):
    """Start readers that ask once, and keep what they get."""
    frontend.check("rm -f /tmp/ended.*")
    for reader in range(readers):
        frontend.check(f"{{ dd if=$(ls {SENSOR}); echo $?; }} > /tmp/ended.{reader} 2>&1 &")


def check_ended(frontend, readers, outcome=ENDED):
    """Fail if not all readers that were asked end soon, each with `outcome`, a pattern."""
    frontend.wait_for(f"[ $(cat /tmp/ended.* | grep -cE '{outcome}') = {readers} ]", PATIENT_MS / 2000)


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


def change(pair):
    """Give the readers' sensors values that none had before; return their number."""
    number = next(_numbers)
    assert number < VALUES_EACH, "a value would be taken for that of a former life"
    pair.backend.exec(
        "; ".join(f'soc.sensors["{name}"].value = {first + number}' for name, (_, first) in READINGS.items())
    )
    return number


def load(frontend, number=0):
    """Start readers in a frontend, and wait until they have answers, none older than `number` of `change`."""
    readers = [f"reader '{HWMON}/{file}' {first} {first + number} &" for file, first in READINGS.values()]
    frontend.check(f"rm -f /tmp/unload /tmp/wrong; {READER} {{ {' '.join(readers)} }} > /dev/null 2>&1")
    check_load(frontend, number)


def wrong(frontend):
    """Return what the readers have had that is not right, a line each."""
    return frontend.check("cat /tmp/wrong 2> /dev/null || true").splitlines()


def check_load(frontend, number=0):
    """Fail if a reader has had a wrong answer, or has none any more; of those that `change` has numbered, if given."""
    frontend.check("rm -f /tmp/answers.*")
    for file, first in READINGS.values():
        frontend.wait_for(f"grep -qsx '{first + number if number else '.*'}' /tmp/answers.{file}")
    assert wrong(frontend) == []


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
    reads = f"value=$(cat {SENSOR} 2> /dev/null)"
    frontend.wait_for(f"{reads} && [ $value -ge {STEADY} ] && [ $value -lt {STEADY + VALUES_EACH} ]", 30)
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
