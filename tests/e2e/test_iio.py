# SPDX-License-Identifier: MIT
"""Linux's industrial I/O has the default model's accelerometer: values on request, and samples through its buffer.

The samples are what SENSOR_UPDATE notifications carry, at the rate that Linux has asked for.
"""

import itertools
import struct

import pytest

IIO = "/sys/bus/iio/devices/iio:device0"
SAMPLE = struct.Struct("<3qQ")


@pytest.fixture(scope="module")
def described(pair):
    """The accelerometer in the model's words."""
    (sensor,) = (one for one in pair.platform.describe()["sensors"] if one["name"] == "accelerometer")
    return sensor


def set_z(backend, value):
    backend.exec(f'soc.sensors["accelerometer"].axes["acceleration_Z"].value = {value}')


def test_linux_reads_every_axis(described, frontend):
    assert frontend.check(f"cat {IIO}/name") == described["name"]
    values = [int(frontend.check(f"cat {IIO}/in_accel_{axis}_raw")) for axis in "xyz"]
    assert values == described["value"]
    assert float(frontend.check(f"cat {IIO}/in_accel_x_scale")) == 10 ** described["exponent"]


def test_linux_knows_range_and_resolution(frontend):
    assert frontend.check(f"cat {IIO}/in_accel_raw_available") == "[-39227 1 39227]"


def test_linux_chooses_the_rate(backend, frontend):
    assert frontend.check(f"cat {IIO}/in_accel_sampling_frequency_available").split()[:2] == ["100.000000", "50.000000"]
    for hertz, interval in ((10, 100), (50, 20), (100, 10)):
        frontend.check(f"echo {hertz} >{IIO}/in_accel_sampling_frequency")
        assert frontend.check(f"cat {IIO}/in_accel_sampling_frequency") == f"{hertz}.000000"
        assert backend.eval('soc.sensors["accelerometer"].interval') == interval


@pytest.fixture
def buffered(frontend):
    """Have the buffer filled while the test runs, with all channels."""
    channels = " ".join(f"{IIO}/scan_elements/in_{name}_en" for name in ("accel_x", "accel_y", "accel_z", "timestamp"))
    frontend.check(f"for c in {channels}; do echo 1 >$c; done; echo 1 >{IIO}/buffer/enable")
    yield
    frontend.check(f"echo 0 >{IIO}/buffer/enable")


def samples(frontend, count):
    """The next samples of the buffer: (x, y, z, nanoseconds)."""
    data = frontend.run(f"dd if=/dev/iio:device0 bs={SAMPLE.size} count={count} 2>/dev/null").stdout
    return list(SAMPLE.iter_unpack(data))


def test_the_buffer_has_a_sample_each_interval(described, buffered, backend, frontend):
    assert backend.eval('soc.sensors["accelerometer"].enabled')
    found = samples(frontend, 20)
    assert [list(sample[:3]) for sample in found] == [described["value"]] * 20
    times = [sample[3] for sample in found]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap > 0 for gap in gaps)
    assert sum(gaps) >= 9_000_000 * len(gaps), "the interval is 10 ms; a busy host may stretch it"


def test_the_buffer_shows_what_changes(buffered, backend, frontend):
    set_z(backend, -9_807)
    newest = f"dd if=/dev/iio:device0 bs={SAMPLE.size} count=1 2>/dev/null | od -An -t d8 -j16 -N8"
    frontend.wait_for(f"{newest} | grep -q -- -9807")
    set_z(backend, 9_807)


def test_the_sensor_is_off_when_nobody_reads(backend, frontend):
    frontend.check(f"cat {IIO}/in_accel_x_raw")
    assert not backend.eval('soc.sensors["accelerometer"].enabled')
