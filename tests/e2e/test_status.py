# SPDX-License-Identifier: MIT
"""`trapless status` tells of each link what both sides have counted: who came back how often, and how fast."""

import json

import pytest

from e2e import on_xen, recovery

STATS = "/sys/kernel/debug/trapless/*/stats"


@pytest.fixture
def counts(trapless, pair, frontend, until):
    """Return a function that returns what is shown when all devices are up, and the same as text."""

    def shown():
        pair.wait_probed()
        until(lambda: {device["state"] for device in ask()["devices"]} == {"up"}, "all devices are up", 20)
        return ask(), trapless.run("status")[1].decode()

    def ask():
        status, out, _ = trapless.run("status", "--json")
        assert status == 0
        states = [state for state in json.loads(out) if state["directory"] == str(pair.directory)]
        return states[0]["frontends"][0]["counts"]

    return shown


def of_linux(frontend):
    """What Linux itself says: recoveries, and milliseconds of the last one."""
    return [int(frontend.check(f"sed -n 's/^{name} //p' {STATS}")) for name in ("recoveries", "recovery_ms")]


def test_a_new_life_of_the_driver_is_counted_by_the_backend(counts, frontend):
    before, _ = counts()
    assert [device["kind"] for device in before["devices"]] == [device.kind for device in frontend.link.devices]
    frontend.check("rmmod trapless_virtio", 30)
    frontend.check(f"insmod {recovery.MODULE}")
    after, text = counts()
    grown = [
        {**device, "lives": device["lives"] + 1, "attached": device["attached"] + 1} for device in before["devices"]
    ]
    assert after == {"devices": grown, "recoveries": 0, "recovery_ms": 0}
    assert "recoveries: 0\n" in text
    assert any(line.split()[:2] == ["scmi", "up"] for line in text.splitlines())


@on_xen.NO_RESTART
def test_a_killed_backend_is_one_recovery_more(counts, pair, frontend):
    for _ in range(2):
        before, _ = counts()
        pair.restart_backend()
        frontend.wait_for(f"grep -qx 'recoveries {before['recoveries'] + 1}' {STATS}")
        after, text = counts()
        assert [after["recoveries"], after["recovery_ms"]] == of_linux(frontend)
        assert after["recoveries"] == before["recoveries"] + 1 and after["recovery_ms"] > 0
        assert f"recoveries: {after['recoveries']}, the last one in {after['recovery_ms']} ms" in text
        for device in after["devices"]:
            assert (device["lives"], device["attached"], device["failed"]) == (1, 1, 0), "the backend counts anew"


@on_xen.NO_RESTART
def test_a_killed_frontend_is_one_life_more(counts, pair):
    before, _ = counts()
    pair.restart_frontend()
    after, _ = counts()
    lives = [[device["lives"] for device in found["devices"]] for found in (before, after)]
    assert lives[1] == [count + 1 for count in lives[0]]
    assert after["recoveries"] == 0, "Linux counts anew"
