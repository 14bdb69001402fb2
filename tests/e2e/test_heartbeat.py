# SPDX-License-Identifier: MIT
"""Each side sees whether the other one lives; a machine that is stopped for seconds goes on as if nothing had been."""

import json

import pytest

from e2e import on_xen
from e2e.places import counted

BACKEND = "cat /sys/kernel/debug/trapless/*/backend"
LONG = 20


@pytest.fixture
def frontend_seen(backend):
    """What the backend's prompt says of the frontend."""

    def seen():
        (line,) = [line for line in backend.exec("status()").splitlines() if line.strip().startswith("frontend:")]
        return line.strip()

    return seen


def test_both_sides_are_alive(frontend, frontend_seen, until):
    frontend.wait_for(f"{BACKEND} | grep -qx alive")
    until(lambda: "frontend: alive;" in frontend_seen(), "the frontend's heartbeat", LONG)


@on_xen.NO_PAUSE
def test_a_backend_that_is_stopped_is_called_silent_until_it_goes_on(pair, frontend, read_sensor):
    before = counted(frontend, "silences")
    pair.backend_vm.pause()
    try:
        frontend.wait_for(f"{BACKEND} | grep -q '^silent for [0-9]* ms$'", LONG)
        assert frontend.run("cat /sys/class/hwmon/hwmon*/temp1_input", timeout=30).status, "an error, and no hang"
    finally:
        pair.backend_vm.resume()
    frontend.wait_for(f"{BACKEND} | grep -qx alive", LONG)
    assert counted(frontend, "silences") > before
    frontend.wait_for("cat /sys/class/hwmon/hwmon*/temp1_input")
    assert "wrong 0" in read_sensor(100)
    frontend.check("dmesg | grep -q 'no heartbeat of the backend for 2000 ms'")
    frontend.check('dmesg | grep -q "backend\'s heart beats again"')


@on_xen.NO_PAUSE
def test_a_frontend_that_is_stopped_is_called_silent_and_accuses_nobody_afterwards(
    pair, frontend, frontend_seen, until, read_sensor
):
    until(lambda: "frontend: alive;" in frontend_seen(), "the frontend's heartbeat", LONG)
    before = counted(frontend, "silences")
    frontend.vm.pause()
    try:
        until(lambda: "frontend: silent for " in frontend_seen(), "the frontend's silence", LONG)
    finally:
        frontend.vm.resume()
    until(lambda: "frontend: alive;" in frontend_seen(), "the frontend's next heartbeat", LONG)
    assert counted(frontend, "silences") == before
    assert "wrong 0" in read_sensor(100)


@on_xen.NO_RESTART
def test_a_restart_is_not_silence(pair, frontend):
    before = counted(frontend, "silences")
    pair.restart_backend()
    pair.wait_probed()
    frontend.wait_for(f"{BACKEND} | grep -qx alive", LONG)
    assert counted(frontend, "silences") == before


@on_xen.NO_PAUSE
def test_trapless_status_shows_both_hearts(trapless, pair, frontend):
    def hearts():
        status, out, _ = trapless.run("status", "--json")
        assert status == 0
        (state,) = [state for state in json.loads(out) if state["directory"] == str(pair.directory)]
        return state["frontends"][0]["beats"]

    assert hearts() == {"backend": True, "frontend": True}
    frontend.vm.pause()
    try:
        assert hearts() == {"backend": True, "frontend": False}
    finally:
        frontend.vm.resume()
    status, out, _ = trapless.run("status")
    assert status == 0 and "heartbeats: backend beats, frontend beats" in out.decode()
