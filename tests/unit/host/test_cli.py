# SPDX-License-Identifier: MIT
"""The command line without machines: help, wrong use, and what is said when nothing runs."""

import json
import os

import pytest

from trapless import cli, project, running
from trapless.errors import TraplessError

COMMANDS = ("run", "exec", "repl", "console", "bench", "doctor", "status", "image", "describe")


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
    assert "..." not in out.replace("[ARGS]...", ""), "what a command does fits into its line"


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["exec"],
        ["run", "--no-such-option"],
        ["exec", "--no-such-option", "true"],
        ["exec", "--timeout", "-1", "true"],
    ],
)
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
    content = {"harness": harness, "started": started, "model": "models.default", "kernel": "Image"}
    content |= {"prompt": f"socket://127.0.0.1:{harness}", "machines": {"backend": 1, "frontend": 2}}
    agents = enumerate(("linux", "linux1"), 1)
    content["frontends"] = [
        {"name": f"guest-{name}", "link": name, "agent": {"id": number, "name": name}, "console": f"/no/{name}"}
        for number, name in agents
    ]
    (directory / "state.json").write_text(json.dumps(content))
    return directory


def test_repl_takes_the_only_pair_and_asks_when_there_are_several(call, nothing_runs, monkeypatch):
    opened = []
    monkeypatch.setattr("trapless.backend.interact", lambda url: opened.append(url) or 0)
    state(nothing_runs, os.getpid(), 3.0)
    assert call("repl")[0] == 0
    state(nothing_runs, os.getppid(), 2.0)
    status, _, err = call("repl")
    assert status == cli.HARNESS_FAILED and f"repl --pair {os.getpid()}" in err and f"repl --pair {os.getppid()}" in err
    assert call("repl", "--pair", str(os.getppid()))[0] == 0
    assert opened == [f"socket://127.0.0.1:{os.getpid()}", f"socket://127.0.0.1:{os.getppid()}"]
    assert "no pair belongs to process 1" in call("repl", "--pair", "1")[2]


def test_status_tells_how_to_reach_each_pair(call, nothing_runs):
    state(nothing_runs, os.getpid(), 3.0)
    status, out, _ = call("status")
    assert status == 0 and f"repl --pair {os.getpid()}" in out and f"connect socket://127.0.0.1:{os.getpid()}" in out


def test_status_has_every_frontend_for_people_and_programs(call, nothing_runs):
    assert call("status", "--json")[:2] == (1, "[]\n")
    state(nothing_runs, os.getpid(), 3.0)
    out = call("status")[1]
    assert "agent 2 linux1" in out and f"console --pair {os.getpid()} --frontend guest-linux1" in out
    status, out, _ = call("status", "--json")
    (found,) = json.loads(out)
    assert status == 0 and [one["agent"]["name"] for one in found["frontends"]] == ["linux", "linux1"]


def test_a_pair_of_an_older_clone_is_shown(call, nothing_runs):
    file = state(nothing_runs, os.getpid(), 3.0) / "state.json"
    content = json.loads(file.read_text())
    del content["frontends"]
    file.write_text(json.dumps(content))
    assert call("status")[0] == 0
    assert "it has none" in call("console")[2]


def test_console_names_the_frontends_that_there_are(call, nothing_runs, monkeypatch):
    assert "trapless run" in call("console")[2]
    state(nothing_runs, os.getpid(), 3.0)
    status, _, err = call("console", "--frontend", "other")
    assert status == cli.HARNESS_FAILED and "it has guest-linux, guest-linux1" in err
    attached = []
    monkeypatch.setattr("trapless.terminal.attach", lambda path, _: attached.append(str(path)) or True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert call("console")[0] == call("console", "--frontend", "guest-linux1")[0] == 0
    assert attached == ["/no/linux", "/no/linux1"]
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert "trapless exec" in call("console")[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--topology", "no-such"], "no such topology: no-such"),
        (["--frontend", "frontend1"], "no frontend 'frontend1'"),
        (["--kernel", "/no/Image"], "no such kernel: /no/Image"),
        (["--modules", "/no/modules"], "no kernel modules (*.ko) in /no/modules"),
        (["--backend", "/no/script.py"], "no such script for the backend: /no/script.py"),
        (["--add", "/no/file"], "no such file to add: /no/file"),
        (["--model", "/no/model.py"], "no such model file: /no/model.py"),
    ],
)
def test_what_is_missing_is_told_before_anything_starts(call, nothing_runs, arguments, told):
    status, out, err = call("exec", *arguments, "--", "true")
    assert (status, out) == (cli.HARNESS_FAILED, "") and told in err
    assert not list(nothing_runs.iterdir())


def test_an_image_older_than_its_sources_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr(project, "BACKEND_IMAGE", tmp_path / "Image")
    source = tmp_path / "firmware" / "main.py"
    source.parent.mkdir()
    for path, age in ((source, 10), (tmp_path / "Image", 20)):
        path.touch()
        os.utime(path, (age, age))
    assert project.outdated() == ""
    os.utime(source, (30, 30))
    assert "make firmware linux" in project.outdated()


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(TraplessError, match="XDG_CACHE_HOME"):
        project.publish(project.cache(), "name", b"")


def test_programs_are_named_as_they_can_be_typed(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "ROOT", tmp_path)
    ours = tmp_path / ".venv" / "bin" / "trapless"
    ours.parent.mkdir(parents=True)
    ours.touch(mode=0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    assert project.program("trapless") == str(ours)
    monkeypatch.chdir(tmp_path)
    assert project.program("trapless") == ".venv/bin/trapless"
    monkeypatch.setenv("PATH", str(ours.parent))
    assert project.program("trapless") == "trapless"


def test_only_living_pairs_are_found_and_the_youngest_comes_last(nothing_runs):
    dead = state(nothing_runs, 2**22 + 1, 1.0)
    state(nothing_runs, os.getpid(), 3.0)
    state(nothing_runs, os.getppid(), 2.0)
    assert [found["started"] for found in running.states()] == [2.0, 3.0]
    running.prune()
    assert not dead.exists() and len(list(nothing_runs.iterdir())) == 2


def test_a_region_needs_memory(monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(TraplessError, match="/dev/shm"):
        project.runtime_base()
