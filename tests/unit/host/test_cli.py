# SPDX-License-Identifier: MIT
"""The command line without machines: help, wrong use, and what is said when nothing runs."""

import json
import os

import pytest

from trapless import cli, pair, project
from trapless.errors import TraplessError

COMMANDS = ("run", "exec", "repl", "bench", "doctor", "status", "devicetree", "image")


@pytest.fixture
def call(monkeypatch, capsys):
    """Return a function that runs the command line; returns (status, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["trapless", *arguments])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        try:
            status = cli.main()
        except SystemExit as end:
            status = end.code
        return (status, *capsys.readouterr())

    return run


@pytest.fixture
def nothing_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(project, "runtime_base", lambda: tmp_path)
    return tmp_path


def test_help_names_every_command(call):
    status, out, _ = call("--help")
    assert status == 0 and all(command in out for command in COMMANDS)


@pytest.mark.parametrize("arguments", [["no-such-command"], ["exec"], ["run", "--no-such-option"]])
def test_wrong_use_is_status_2(call, arguments):
    status, _, err = call(*arguments)
    assert status == 2 and err


def test_status_and_repl_without_a_pair(call, nothing_runs):
    assert call("status")[:2] == (1, "no pair is running; `trapless run` starts one\n")
    status, _, err = call("repl")
    assert status == cli.HARNESS_FAILED and "trapless run" in err


def state(base, harness, started):
    directory = base / f"trapless-{os.getuid()}-{harness}-1"
    directory.mkdir()
    (directory / "state.json").write_text(json.dumps({"harness": harness, "started": started}))
    return directory


def test_only_living_pairs_are_found_and_the_youngest_comes_last(nothing_runs):
    dead = state(nothing_runs, 2**22 + 1, 1.0)
    state(nothing_runs, os.getpid(), 3.0)
    state(nothing_runs, os.getppid(), 2.0)
    assert [found["started"] for found in pair.running()] == [2.0, 3.0]
    pair.prune()
    assert not dead.exists() and len(list(nothing_runs.iterdir())) == 2


def test_a_region_needs_memory(monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(TraplessError, match="/dev/shm"):
        project.runtime_base()
