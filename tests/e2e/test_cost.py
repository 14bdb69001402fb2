# SPDX-License-Identifier: MIT
"""What a sensor read may cost on the backend. Times are the bench's business: they depend on the host."""

import pytest

from trapless import bench

INSTRUCTIONS = 6000


@pytest.mark.parametrize("pick", [bench.sensor, bench.moving_sensor])
def test_a_sensor_read_allocates_nothing(pair, pick):
    assert bench.allocated(pair, pick(pair), 1000) == 0


@pytest.mark.parametrize("pick", [bench.sensor, bench.moving_sensor])
def test_a_sensor_read_takes_few_instructions(pair_options, pick):
    assert bench.instructions(pair_options, 500, pick) <= INSTRUCTIONS
