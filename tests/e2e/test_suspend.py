# SPDX-License-Identifier: MIT
"""Linux sleeps and wakes up, by the machine's clock; its devices are as before, or come back by themselves."""

import dataclasses
import time

import pytest

from e2e import on_xen, recovery
from e2e.places import counted

# Seconds. Long enough that the machine is asleep before, and the backend restarted meanwhile.
ASLEEP = 8
SLEEP = f"echo +{ASLEEP} > /sys/class/rtc/rtc0/wakealarm && echo freeze > /sys/power/state"
FROZEN = "Freezing remaining freezable tasks completed"
AWAKE = "PM: suspend exit"

pytestmark = [on_xen.NO_CLOCK, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def pair_options(pair_options):
    return dataclasses.replace(pair_options, bootargs="no_console_suspend")


def times(frontend, message):
    """How often Linux has said so on its console."""
    return dict(frontend.vm.logs())["console.log"].count(message)


@pytest.fixture
def asleep(pair, frontend, until):
    """The frontend asleep, with readers that were running in it."""
    pair.wait_probed()
    recovery.load(frontend)
    frontend.check("rm -f /tmp/awake; dmesg -n 7")
    before = times(frontend, FROZEN)
    frontend.check(f"{{ {SLEEP}; echo $? > /tmp/awake; }} > /tmp/asleep 2>&1 &")
    until(
        lambda: times(frontend, FROZEN) > before,
        "the frontend is asleep",
        60,
    )
    yield frontend
    recovery.unload(frontend)


@pytest.fixture
def wake_up(asleep, until):
    """Return a function that waits until the frontend has woken up by itself, and looks at its readers."""

    def wake():
        # Its virtio console loses what it is told while it sleeps, so nothing is asked before.
        until(lambda: times(asleep, AWAKE) == times(asleep, FROZEN), "the frontend wakes up", 60)
        asleep.wait_for("[ -e /tmp/awake ]")
        assert asleep.check("cat /tmp/awake /tmp/asleep") == "0"
        recovery.recovered(asleep, time.monotonic())
        recovery.check_load(asleep)

    return wake


@pytest.fixture
def before(pair, frontend):
    """What Linux has counted before it sleeps."""
    pair.wait_probed()
    return {name: counted(frontend, name) for name in ("restarts", "timeouts")}


def test_what_was_attached_stays_attached(pair, before, asleep, wake_up):
    epochs = pair.epochs()
    wake_up()
    assert pair.epochs() == epochs
    assert {name: counted(asleep, name) for name in before} == before


def test_the_backend_restarts_meanwhile(pair, before, asleep, wake_up):
    pair.restart_backend()
    wake_up()
    assert counted(asleep, "restarts") == before["restarts"] + 1
    pair.wait_probed()
