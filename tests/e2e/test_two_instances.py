# SPDX-License-Identifier: MIT
"""A device tree that asks for SCMI over virtio twice: Linux gives the channels to one instance, and the other fails.

What becomes of the other one is no business of ours, and leaves the first alone (`linux/trapless_detach.c`).
"""

import pytest

from e2e import on_xen, recovery
from e2e.consumer import equipped

OTHER = "another-scmi"
TRANSPORT = "/sys/bus/platform/drivers/scmi_virtio_transport"
FAILED = "dmesg | grep -c 'arm-scmi.*failed to setup channels' || true"
STEADY = f"grep -qx {recovery.STEADY} {recovery.SENSOR} 2> /dev/null"


@pytest.fixture(scope="module")
def pair_options(pair_options):
    node = {"compatible": "arm,scmi-virtio", "#address-cells": 1, "#size-cells": 0}
    return equipped(pair_options, {OTHER: node})


def test_an_instance_that_fails_leaves_the_other_alone(pair, frontend):
    pair.wait_probed()
    assert int(frontend.check(FAILED)) >= 1, "the other instance was never tried, so this shows nothing"
    frontend.wait_for(STEADY)


def test_an_instance_that_is_taken_away_leaves_the_other_alone(pair, frontend):
    before = int(frontend.check(FAILED))
    frontend.check(f"echo {OTHER} > {TRANSPORT}/unbind")
    frontend.check(STEADY)
    frontend.check(f"echo {OTHER} > {TRANSPORT}/bind")
    assert int(frontend.check(FAILED)) > before
    frontend.check(STEADY)


@on_xen.NO_RESTART
def test_both_are_tried_again_after_a_restart(pair, frontend):
    before = int(frontend.check(FAILED))
    pair.restart_backend()
    frontend.wait_for(f"[ $({FAILED}) -gt {before} ]")
    frontend.wait_for(STEADY)
