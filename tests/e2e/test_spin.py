# SPDX-License-Identifier: MIT
"""A backend that looks for more for a moment before it sleeps needs to be told less. docs/transport.md, 6.2."""

import dataclasses

import pytest

from e2e.places import counted
from trapless import bench
from trapless.pair import Pair

SPIN_US = 1000  # as long as can be
BLOCKS, READINGS = 40, 50

# docs/adr/0021: 70 to 90 % of the requests without, 10 to 35 % with 200 us and more. A crowded machine takes the
# processor from a backend that looks for more as well, so those blocks count in which it did so least.
QUIETEST = 4
MOST_OF_IT = 0.6


@pytest.fixture(scope="module")
def pair_options(pair_options):
    """The pair of the command line, with a backend that looks for so long."""
    return dataclasses.replace(pair_options, spin_us=SPIN_US)


def share(pair):
    """Return how many of the requests the backend was told of, as a share, in the blocks where that is least."""
    read = f"{bench.TOOL} read {bench.sensor(pair)} {READINGS} 45000"
    told = []
    for _ in range(BLOCKS):
        before = counted(pair.frontend, "kicks")
        pair.frontend.check(read)
        told.append(counted(pair.frontend, "kicks") - before)
    return sum(sorted(told)[:QUIETEST]) / (QUIETEST * READINGS)


@pytest.fixture(scope="module")
def plain_share(pair_options, platform):
    """The same share of a backend that sleeps at once, whose pair has gone again."""
    with Pair(dataclasses.replace(pair_options, platform=platform, spin_us=0)) as pair:
        pair.wait_ready()
        return share(pair)


@pytest.mark.plain_kernel("it judges time, of which this kernel takes more")
def test_kicks(pair, plain_share):
    found = share(pair)
    print(f"\n{found:.0%} of the requests were told of, {plain_share:.0%} without looking for more")
    assert found < MOST_OF_IT * plain_share


def test_the_prompt_answers(backend, read_sensor):
    read_sensor(10, "45000")
    assert backend.eval("1 + 1") == 2
