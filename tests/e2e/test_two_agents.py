# SPDX-License-Identifier: MIT
"""Two Linux guests share a platform: votes, permissions, and what one is told of the other's doing.

The model is the default one, in which agent 1 ("linux") is trusted and agent 2 ("linux1") is not.
"""

import dataclasses
import struct

import pytest

from e2e import consumer
from e2e.notifications import Notifications
from trapless import bench
from trapless.bench import TOOL as SCMI_RAW

BASE, POWER, SENSOR, RESET = 0x10, 0x11, 0x15, 0x16
SET_DEVICE_PERMISSIONS, SET_PROTOCOL_PERMISSIONS, RESET_AGENT = 0x9, 0xA, 0xB
SUCCESS, DENIED = 0, -3
ON, OFF = 0, 1 << 30
SOC = 0  # the device that holds everything
READ = "cat /sys/class/hwmon/hwmon*/temp1_input"


@pytest.fixture(scope="module")
def pair_options(request):
    """Two frontends, with a test module that hears notifications."""
    from trapless.pytest_plugin import command_line_options

    options = bench.with_tool(command_line_options(request.config))
    return consumer.equipped(dataclasses.replace(options, topology="two-frontends"), {}, "trapless_events")


@pytest.fixture
def first(frontends):
    return frontends["frontend"]


@pytest.fixture
def second(frontends):
    return frontends["frontend1"]


def send(frontend, protocol, message, *words):
    """Send a raw message; return its status and the words behind it."""
    header = protocol << 10 | message
    request = struct.pack(f"<{len(words) + 1}I", header, *words)
    answer = bytes.fromhex(frontend.check(f"{SCMI_RAW} send {request.hex()}"))
    echoed, status = struct.unpack_from("<Ii", answer)
    assert echoed == header
    return status, *struct.unpack(f"<{(len(answer) - 8) // 4}I", answer[8:])


def test_a_power_domain_stays_on_while_anybody_needs_it(pair, backend, first, second):
    gpu = pair.platform.power_domains["gpu"].id
    for frontend, vote, state in ((first, ON, "on"), (second, ON, "on"), (first, OFF, "on"), (second, OFF, "off")):
        assert send(frontend, POWER, 0x4, 0, gpu, vote) == (SUCCESS,)
        assert backend.eval('soc.power_domains["gpu"].state') == state, (frontend.name, vote)


def test_what_one_does_the_other_is_told(pair, first, second):
    gpu = pair.platform.resets["gpu"].id
    told = {frontend.agent["id"]: Notifications(frontend) for frontend in (first, second)}
    for doer in (first, second):
        for notifications in told.values():
            notifications.subscribe(RESET, 0, gpu)
        assert send(doer, RESET, 0x4, gpu, 1, 0) == (SUCCESS,)
        for notifications in told.values():
            notifications.wait_for(RESET, 0, doer.agent["id"], gpu, 0)
            notifications.unsubscribe(RESET, 0, gpu)


def test_access_to_a_protocol_is_taken_from_one_and_given_back(first, second):
    other = second.agent["id"]
    assert send(first, BASE, SET_PROTOCOL_PERMISSIONS, other, SOC, SENSOR, 0) == (SUCCESS,)
    assert send(second, SENSOR, 0x6, 0, 0) == (DENIED,)
    assert second.run(READ).status != 0
    assert first.check(READ) == "45000"
    assert send(first, BASE, SET_PROTOCOL_PERMISSIONS, other, SOC, SENSOR, 1) == (SUCCESS,)
    assert second.check(READ) == "45000"


def test_what_one_may_not_do_changes_nothing(pair, backend, first, second):
    gpu = pair.platform.resets["gpu"].id
    other, state = second.agent["id"], '(soc.resets["gpu"].count, soc.resets["gpu"].asserted)'
    assert send(first, BASE, SET_DEVICE_PERMISSIONS, other, SOC, 0) == (SUCCESS,)
    before = backend.eval(state)
    assert send(second, RESET, 0x4, gpu, 2, 0) == (DENIED,)
    assert send(second, BASE, SET_DEVICE_PERMISSIONS, other, SOC, 1) == (DENIED,)
    assert backend.eval(state) == before
    assert send(first, BASE, RESET_AGENT, other, 1) == (SUCCESS,)
    assert second.check(READ) == "45000", "with its configuration, its permissions are reset"
