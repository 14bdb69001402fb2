# SPDX-License-Identifier: MIT
"""Two Linux guests on one backend: each is an agent of its own, and neither can spoil the other's day."""

import dataclasses
import json
import os
import struct
import threading

import pytest

from e2e import on_xen
from e2e.terminal import Terminal
from trapless import bench, fairness, requests
from trapless.bench import TOOL as SCMI_RAW
from trapless.terminal import ESCAPE

BASE_DISCOVER_AGENT = 0x10 << 10 | 0x7
MYSELF = 0xFFFFFFFF
READ = "cat /sys/class/hwmon/hwmon*/temp1_input"
SENSOR = "grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input"


@pytest.fixture(scope="module")
def pair_options(pair_options):
    """The pair of the command line with a second frontend."""
    return dataclasses.replace(pair_options, topology="two-frontends")


@pytest.fixture
def first(frontends):
    return frontends["frontend"]


@pytest.fixture
def second(frontends):
    return frontends["frontend1"]


class Reads:
    """A frontend reads a sensor again and again while the block runs; afterwards `summary` says how that went."""

    def __init__(self, frontend, sensor, value):
        self.frontend = frontend
        self.command = f"{SCMI_RAW} read {sensor} 200 {value}"
        self.summaries = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.read)

    def read(self):
        while not self.done.is_set():
            result = self.frontend.run(self.command)
            self.summaries.append((result.status, result.text))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def agent_of(frontend):
    """(id, name) that BASE_DISCOVER_AGENT tells a frontend about itself."""
    message = struct.pack("<II", BASE_DISCOVER_AGENT, MYSELF).hex()
    reply = bytes.fromhex(frontend.check(f"{SCMI_RAW} send {message}"))
    header, status, number, name = struct.unpack("<IiI16s", reply)
    assert (header, status) == (BASE_DISCOVER_AGENT, 0)
    return number, name.rstrip(b"\0").decode()


def test_each_frontend_is_an_agent_of_its_own(first, second):
    assert agent_of(first) == (1, "linux")
    assert agent_of(second) == (2, "linux1")
    for frontend in (first, second):
        assert agent_of(frontend) == (frontend.agent["id"], frontend.agent["name"])
        assert frontend.check("hostname") == frontend.name


def test_both_read_what_is_set_at_the_prompt(backend, first, second):
    for value in (61_000, 45_000):
        backend.exec(f'soc.sensors["cpu"].value = {value}')
        assert [frontend.check(READ) for frontend in (first, second)] == [str(value)] * 2


@on_xen.NO_RESTART
def test_a_restart_of_one_does_not_disturb_the_other(pair, first, second, steady):
    for restarted, other in ((second, first), (first, second)):
        epochs, process = pair.epochs(), other.vm.process.pid
        with Reads(other, steady, 45_000) as reads:
            pair.restart_frontend(restarted.name)
        assert len(reads.summaries) > 1, "nothing was read meanwhile, so this shows nothing"
        assert set(reads.summaries) == {(0, "rounds 200 wrong 0 last 45000")}
        assert restarted.check(READ) == "45000"
        assert (pair.epochs(), other.vm.process.pid) == (epochs, process)


@on_xen.NO_PAUSE
def test_a_paused_frontend_does_not_hold_up_the_other(first, second, steady):
    second.vm.pause()
    try:
        assert first.check(f"{SCMI_RAW} read {steady} 200 45000") == "rounds 200 wrong 0 last 45000"
    finally:
        second.vm.resume()
    assert second.check(READ) == "45000"


@on_xen.NO_RESTART
def test_a_restart_of_the_backend_brings_both_back(pair, first, second):
    pair.backend.exec('soc.sensors["cpu"].value = 50_000')
    pair.restart_backend()
    for frontend in (first, second):
        frontend.wait_for(SENSOR)
    assert [agent_of(frontend)[0] for frontend in (first, second)] == [1, 2]


def test_the_state_for_other_terminals_has_both(pair, first, second, trapless):
    state = json.loads((pair.directory / "state.json").read_text())
    assert [found["name"] for found in state["frontends"]] == [first.name, second.name]
    hosts = {vm.host for vm in (pair.backend_vm, first.vm, second.vm)}
    assert state["machines"] == {host.name: host.process.pid for host in hosts}
    status, out, _ = trapless.run("status")
    assert status == 0 and "agent 2 linux1" in out.decode() and "--frontend frontend1" in out.decode()


def test_console_is_the_shell_of_the_frontend_that_was_named(trapless, second):
    screen = Terminal(trapless.start, "console", "--pair", os.getpid(), "--frontend", second.name)
    screen.expect(b"frontend1:~# ")
    screen.type(b"echo $((6 * 7))\r")
    screen.expect(b"42\r\n")
    screen.type(ESCAPE)
    screen.expect(b"The frontend goes on.")
    assert screen.process.wait(10) == 0
    assert second.check("hostname") == second.name


@pytest.mark.plain_kernel("it judges time, of which this kernel takes more")
def test_a_flood_of_one_leaves_the_other_its_turns(pair, first, second):
    """At most three times the p99 of a control run in which the flooding guest uses its processor time otherwise."""
    found = fairness.measure(pair, rounds=500)
    assert found.flood_requests_per_second > 500, "that is no flood"
    assert found.ratio_p99 <= 3, found


@pytest.mark.plain_kernel("it measures the backend alone")
def test_requests_of_the_first_allocate_nothing_while_there_is_a_second(pair, steady):
    assert bench.allocated(pair, [requests.read_sensor(steady)], 500) == 0


def test_exec_in_the_second_frontend(trapless):
    arguments = ["exec", "--topology", "two-frontends", "--frontend", "frontend1", "--", "hostname; exit 7"]
    assert trapless.run(*arguments) == (7, b"frontend1\n", b"")


def test_run_as_json_shows_both(trapless):
    status, out, _ = trapless.run("run", "--topology", "two-frontends", "--json")
    seen = json.loads(out)
    assert status == 0 and list(seen) == ["frontend", "frontend1"]
    for found in seen.values():
        assert ["cpu", "45000"] in [[sensor["label"], sensor["value"]] for sensor in found["sensors"]]


def test_image_leaves_scripts_for_all_machines(trapless, tmp_path):
    status, out, err = trapless.run("image", "--topology", "two-frontends", "--out", tmp_path)
    assert status == 0, err
    for name in ("backend", "frontend", "frontend1"):
        assert f"{name}.sh  boots the {name}" in out.decode()
    assert "mem-path=region-linux1" in (tmp_path / "frontend1.sh").read_text()
    assert all(f"region-{link}" in (tmp_path / "backend.sh").read_text() for link in ("linux0", "linux1"))
