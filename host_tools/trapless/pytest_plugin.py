# SPDX-License-Identifier: MIT
"""pytest plugin: the fixtures `pair`, `backend`, `frontend` and `frontends`, booted once per test module.

    def test_temperature(backend, frontend):
        backend.exec('soc.sensors["cpu"].value = 95_000')
        assert frontend.check("cat /sys/class/hwmon/hwmon0/temp1_input") == "95000"

A module that needs files, another model, another topology or further QEMU options defines a module-scoped fixture
`pair_options` that returns `trapless.options.Options`. When a test fails, the report has the last lines of all
consoles.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trapless.backend import Backend
    from trapless.frontend import Frontend
    from trapless.options import Options
    from trapless.pair import Pair

_OPTIONS = {
    "kernel": "arm64 Image for the frontend instead of the built one",
    "modules": "directory with *.ko for that kernel",
    "model": "platform description instead of models/default.py",
}
_current: list[Pair] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --kernel, --modules, --model, --platform and --topology, which mean what they mean to `trapless run`."""
    from trapless.options import PLATFORMS

    group = parser.getgroup("trapless", "the pair of virtual machines")
    for name, text in _OPTIONS.items():
        group.addoption(f"--{name}", type=Path, default=None, metavar="PATH", help=text)
    group.addoption("--platform", default="qemu", choices=PLATFORMS, help="where the machines run")
    group.addoption("--topology", default=None, metavar="NAME", help="machines and links: two-frontends, or a file")


@pytest.fixture(scope="module")
def pair_options(request: pytest.FixtureRequest) -> Options:
    """What this module's pair is made of; override it in a module to boot something else."""
    return command_line_options(request.config)


def command_line_options(config: pytest.Config) -> Options:
    """Return the options that pytest's command line gives."""
    from trapless.options import Options

    return Options(**{name: config.getoption(name) for name in (*_OPTIONS, "platform", "topology")})


@pytest.fixture(scope="module")
def pair(pair_options: Options) -> Iterator[Pair]:
    """The running pair: backend serves, Linux has probed. Everything of it is gone after the module."""
    from trapless.pair import Pair

    made = Pair(pair_options)
    _current.append(made)
    try:
        with made:
            made.wait_ready()
            yield made
    finally:
        _current.remove(made)


@pytest.fixture
def backend(pair: Pair) -> Backend:
    """The backend's prompt: exec, eval, run, put, get."""
    return pair.backend


@pytest.fixture
def frontend(pair: Pair) -> Frontend:
    """The shell of the first frontend: run, check, wait_for."""
    return pair.frontend


@pytest.fixture
def frontends(pair: Pair) -> dict[str, Frontend]:
    """All frontends of the topology, by name."""
    return pair.frontends


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the consoles to the report of a failed test."""
    report = yield
    if report.failed and call.when == "call":
        for running in _current:
            report.sections.append(("consoles of the pair", running.tails()))
    return report
