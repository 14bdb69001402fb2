# SPDX-License-Identifier: MIT
"""What a sensor read may cost on the backend. Times are the bench's business: they depend on the host."""

from trapless import bench

INSTRUCTIONS = 6000


def test_a_sensor_read_allocates_nothing(pair, steady):
    assert bench.allocated(pair, steady, 1000) == 0


def test_a_sensor_read_takes_few_instructions(pair_options):
    assert bench.instructions(pair_options, 500) <= INSTRUCTIONS
