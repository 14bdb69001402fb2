# SPDX-License-Identifier: MIT
"""A device that does not take every subset of its features: one more round trip, and it may refuse what Linux chose.

docs/transport.md, 2.1 and 4.5. All devices that are served take every subset, so the entropy device is changed at the
prompt, and a backend life begins.
"""

import pytest

from e2e.places import counting
from trapless import bench

BEGIN = """
link = links["linux0"]
device = link.ports[1].device
{change}
link.publish()
link.doorbell.ring()
"""
PARTICULAR = "device.any_subset = False"
# Linux takes the event index wherever it is offered.
REFUSING = f"{PARTICULAR}; device.accepts = lambda features: not features & 1 << 29"
HONEST = "device.any_subset = True; device.accepts = lambda features: True"
STATUS = "links['linux0'].ports[1].sync.device_page.r32(0x70)"
DRIVER, FAILED, RUNNING = 0x3, 0x80, 0xF

RNG = "/sys/bus/virtio/drivers/virtio_rng"
BOUND = f"ls -d {RNG}/virtio* 2> /dev/null | wc -l"
REFUSALS = "dmesg | grep -c 'device refuses features' || true"
STATES = "cat /sys/kernel/debug/trapless/*/*/state | sort -u"
RECOVERIES = counting("recoveries")
SENSOR = "cat /sys/class/hwmon/hwmon*/temp1_input"


@pytest.fixture
def begin(pair, frontend):
    """Return a function that changes the entropy device, begins a backend life and waits until Linux is attached."""

    def change_and_begin(change):
        before = frontend.check(RECOVERIES)
        pair.backend.exec(BEGIN.format(change=change))
        frontend.wait_for(f'[ "$({RECOVERIES})" -gt {before} ] && [ "$({STATES})" = up ]')

    yield change_and_begin
    change_and_begin(HONEST)
    pair.wait_probed()


def test_features_wait_for_an_answer_of_their_own(pair, begin):
    begin(PARTICULAR)
    assert set(bench.waited(pair).values()) == {2}
    begin(HONEST)
    assert set(bench.waited(pair).values()) == {1}


def test_a_device_that_refuses_features_is_left_alone_until_it_takes_them(pair, frontend, begin):
    refusals = int(frontend.check(REFUSALS))
    begin(REFUSING)
    pair.wait_probed()
    assert frontend.check(BOUND) == "0"
    assert int(frontend.check(REFUSALS)) == refusals + 1, "Linux chooses no others"
    assert pair.backend.eval(STATUS) == DRIVER | FAILED
    assert frontend.check(SENSOR) == "45000", "the other device of the link is none the worse"
    begin(HONEST)
    frontend.wait_for(f"[ $({BOUND}) = 1 ]")
    assert pair.backend.eval(STATUS) == RUNNING
    frontend.check("head -c 64 /dev/hwrng > /dev/null")
