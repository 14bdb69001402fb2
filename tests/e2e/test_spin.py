# SPDX-License-Identifier: MIT
"""A backend that looks for more for a moment before it sleeps needs to be told less. docs/transport.md, 6.2."""

import dataclasses

import pytest

READINGS = 1000
KICKS = "awk '$1 == \"kicks\" { print $2 }' /sys/kernel/debug/trapless/*/stats"


@pytest.fixture(scope="module", params=[0, 1000])
def spin_us(request):
    """Never, as long as can be."""
    return request.param


@pytest.fixture(scope="module")
def pair_options(pair_options, spin_us):
    """The pair of the command line, with a backend that looks for so long."""
    return dataclasses.replace(pair_options, spin_us=spin_us)


def test_kicks(frontend, read_sensor, spin_us):
    before = int(frontend.check(KICKS))
    read_sensor(READINGS, "45000")
    kicks = int(frontend.check(KICKS)) - before
    share = kicks / READINGS
    print(f"\n{share:.0%} of the requests were told of, with {spin_us} us")
    # A request may find the backend busy with something else, or come too late on a crowded machine.
    assert share < 0.9 if spin_us else share > 0.5


def test_the_prompt_answers(backend, read_sensor):
    read_sensor(10, "45000")
    assert backend.eval("1 + 1") == 2
