# SPDX-License-Identifier: MIT
"""pytest plugin: the fixtures `pair`, `backend`, `frontend` and `frontends`, booted once per test module.

    def test_temperature(backend, frontend):
        backend.exec('soc.sensors["cpu"].value = 95_000')
        assert frontend.check("cat /sys/class/hwmon/hwmon0/temp1_input") == "95000"

A module that needs files, another model, another topology or further QEMU options defines a module-scoped fixture
`pair_options` that returns `trapless.options.Options`. When a test fails, the report has the last lines of all
consoles, and what both sides say when they are asked. A test after which a frontend's kernel log has a report of
damage that is not known fails (`trapless.splats`).

With --sanitizer the frontends run a kernel that looks after itself (`trapless.sanitizers`). Then all time-outs are
longer, and what `plain_kernel` marks, or boots no pair by these fixtures, is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trapless import splats
from trapless.sanitizers import SANITIZERS

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
_known: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --kernel, --modules, --model, --platform, --topology, --queues: they mean what they do to `trapless run`."""
    from trapless.options import PLATFORMS
    from trapless.topology import QUEUES

    group = parser.getgroup("trapless", "the pair of virtual machines")
    for name, text in _OPTIONS.items():
        group.addoption(f"--{name}", type=Path, default=None, metavar="PATH", help=text)
    group.addoption("--platform", choices=PLATFORMS, help="where the machines run: qemu, if not given, or xen")
    kernels = sorted(SANITIZERS)
    group.addoption("--sanitizer", default=None, choices=kernels, help="frontends whose kernel looks after itself")
    group.addoption("--topology", default=None, metavar="NAME", help="machines and links: two-frontends, or a file")
    group.addoption("--queues", default=None, choices=QUEUES, help="layout of the virtqueues")


@pytest.fixture(scope="module")
def pair_options(request: pytest.FixtureRequest) -> Options:
    """What this module's pair is made of; override it in a module to boot something else."""
    return command_line_options(request.config)


def command_line_options(config: pytest.Config) -> Options:
    """Return the options that pytest's command line gives."""
    from trapless.options import Options

    given = {name: config.getoption(name) for name in (*_OPTIONS, "platform", "topology", "queues", "sanitizer")}
    return Options(**{name: value for name, value in given.items() if value is not None})


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of our marker."""
    config.addinivalue_line("markers", "plain_kernel(why, under=all): left out under --sanitizer")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under --sanitizer, leave out what would show nothing there, and give the rest its time."""
    sanitizer = config.getoption("sanitizer")
    if not sanitizer:
        return
    for item in items:
        if why := _only_plain(item, sanitizer):
            item.add_marker(pytest.mark.skip(reason=why))
        marker = item.get_closest_marker("timeout")
        limit = marker.args[0] if marker else float(config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(limit * SANITIZERS[sanitizer].patience), append=False)


def _only_plain(item: pytest.Item, sanitizer: str) -> str:
    """Return why a test is left out under that sanitizer; "" if it is not."""
    marker = item.get_closest_marker("plain_kernel")
    if marker and sanitizer in marker.kwargs.get("under", SANITIZERS):
        return str(marker.args[0])
    boots = "pair" in getattr(item, "fixturenames", ())
    return "" if boots else "it boots no pair that would have that kernel"


@pytest.fixture(scope="module")
def platform(pair_options: Options) -> str:
    """Where this module's pair runs; parametrize it to boot the module on several platforms, one after the other."""
    return pair_options.platform


@pytest.fixture(scope="module")
def pair(pair_options: Options, platform: str) -> Iterator[Pair]:
    """The running pair: backend serves, Linux has probed. Everything of it is gone after the module."""
    from trapless.pair import Pair

    made = Pair(replace(pair_options, platform=platform))
    _current.append(made)
    try:
        with made:
            made.wait_ready()
            yield made
    finally:
        _current.remove(made)


@pytest.fixture(autouse=True)
def _undamaged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a report of damage in the log of a frontend's kernel."""
    pair: Pair | None = request.getfixturevalue("pair") if "pair" in request.fixturenames else None
    yield
    if not pair:
        return
    found = [report for frontend in pair.frontends.values() for report in frontend.splats()]
    _known.update(reason for report in found if (reason := splats.reason(report)))
    ours = [report for report in found if not splats.reason(report)]
    assert not ours, "the kernel's log of a frontend has\n" + "\n\n".join(ours)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the reports that no test failed by."""
    for reason, count in _known.items():
        terminalreporter.write_line(f"{count} reports of Linux's own making: {reason}")


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
    """Attach the consoles to the report of a failed test, and what both sides say when they are asked."""
    report = yield
    if report.failed and call.when == "call":
        for running in _current:
            report.sections.append(("consoles of the pair", running.tails()))
            report.sections.append(("both sides, asked", running.examine()))
    return report
