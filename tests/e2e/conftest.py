# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: the measuring program in the frontend, and the command line as a process."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

from trapless import bench, topology
from trapless.errors import Unsupported
from trapless.options import PLATFORMS
from trapless.sanitizers import ONLY_ON_QEMU

ROOT = pathlib.Path(__file__).parents[2]


def pytest_collection_modifyitems(config, items):
    """Everything in this folder boots machines; what asks for a doorbell is left out where `--topology` has none."""
    here = pathlib.Path(__file__).parent
    is_rung = all(link.rings for link in topology.load(topology.find(config.getoption("topology"))).links)
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
        needs = item.get_closest_marker("needs_doorbell")
        if needs and not is_rung:
            item.add_marker(pytest.mark.skip(reason=needs.args[0]))


def pytest_generate_tests(metafunc):
    """Every test that uses a pair runs on each platform, but for what `not_on_xen` gives a reason for."""
    if "platform" not in metafunc.fixturenames:
        return
    unfit = metafunc.definition.get_closest_marker("not_on_xen")
    marks = {"xen": [pytest.mark.skip(reason=unfit.args[0])] if unfit else []}
    chosen = metafunc.config.getoption("platform")
    platforms = [chosen] if chosen else PLATFORMS
    if metafunc.config.getoption("sanitizer"):
        platforms, marks["xen"] = ["qemu"], [pytest.mark.skip(reason=ONLY_ON_QEMU)]
    if metafunc.definition.get_closest_marker("only_on_xen"):
        platforms = ["xen"]
    parameters = [pytest.param(name, marks=marks.get(name, [])) for name in platforms]
    metafunc.parametrize("platform", parameters, scope="module")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """What a platform cannot do at all is no failure of the test that asks for it; the platform says why."""
    try:
        return (yield)
    except Unsupported as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def pair_options(request):
    """The pair of the command line, with scmi-raw in the frontend."""
    from trapless.pytest_plugin import command_line_options

    return bench.with_tool(command_line_options(request.config))


@pytest.fixture(scope="module")
def steady(pair):
    """The id of a sensor that holds still."""

    return bench.sensor(pair)


@pytest.fixture
def read_sensor(frontend, steady):
    """Return a function that reads the sensor `rounds` times, each answer checked, and returns scmi-raw's summary."""

    def read(rounds, expected="", timeout=60):
        return frontend.check(f"{bench.TOOL} read {steady} {rounds} {expected}", timeout)

    return read


class CommandLine:
    """`trapless` as a person calls it."""

    def __init__(self):
        self.started = []

    def start(self, *arguments, **options):
        """Start it; returns the process."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "host_tools")}
        command = [sys.executable, "-m", "trapless", *map(str, arguments)]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, **options)
        self.started.append(process)
        return process

    def run(self, *arguments, input=b""):
        """Run it to its end; returns (status, standard output, standard error)."""
        pipe = subprocess.PIPE
        process = self.start(*arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        out, err = process.communicate(input, timeout=100)
        return process.returncode, out, err


@pytest.fixture
def trapless():
    """The command line; what a test leaves running is killed."""
    made = CommandLine()
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def until():
    """Return a function that waits until `condition()` is true; fails with `what` after `timeout` seconds."""

    def wait(condition, what, timeout=10):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
            time.sleep(0.005)  # nothing wakes us; the deadline bounds it

    return wait
