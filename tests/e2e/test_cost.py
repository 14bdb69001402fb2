# SPDX-License-Identifier: MIT
"""What a common request may cost on the backend. Times are the bench's business: they depend on the host."""

from dataclasses import replace

import pytest

from trapless import bench, requests

INSTRUCTIONS = 6000
# A dict would cost more here: round rates share a place in it, and are compared one after the other.
RATE = "set the rate of a clock", 5600
MANY = """
from scmi.platform import Platform, Sensor

platform = Platform(sensors=[Sensor("sensor %d" % number, "millicelsius", number) for number in range({})])
"""


@pytest.mark.plain_kernel("it measures the backend alone")
def test_common_requests_allocate_nothing(pair):
    for name, messages in bench.common_requests(pair).items():
        assert bench.allocated(pair, messages, 1000) == 0, name


@pytest.mark.needs_doorbell("the looks of a backend that polls are counted, too")
def test_common_requests_take_few_instructions(pair_options):
    counts = bench.instructions(pair_options, 500)
    for name, count in counts.items():
        assert count <= INSTRUCTIONS, name
    assert counts[RATE[0]] <= RATE[1]


def last_sensor(pair):
    """The reading of the last sensor of the model."""
    number = pair.platform.describe()["sensors"][-1]["id"]
    return {"last": [requests.read_sensor(number)]}


def test_a_thousand_sensors_cost_no_more_per_reading_than_ten(pair_options, tmp_path):
    ten, thousand = [instructions_of_the_last(count, pair_options, tmp_path) for count in (10, 1000)]
    assert thousand / ten <= 1.1


def instructions_of_the_last(count, options, folder):
    """Instructions for a reading of the last sensor of a model that has `count` of them."""
    path = folder / f"sensors_{count}.py"
    path.write_text(MANY.format(count))
    return bench.instructions(replace(options, model=path), 500, last_sensor)["last"]
