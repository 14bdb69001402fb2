# SPDX-License-Identifier: MIT
"""A frontend asks for a state of the system, and the backend's prompt shows it.

The messages are raw ones: Linux's own driver only waits for notifications.
"""

import struct

import pytest

from trapless import bench
from trapless.bench import TOOL as SCMI_RAW

MODEL = """
from scmi.platform import Clock, Platform, SystemPower

asked = []
platform = Platform(
    clocks=[Clock("osc", rate=24_000_000)],
    system=SystemPower(change=lambda system, state, graceful: asked.append((state, graceful))),
)
"""
STATE_SET, STATE_GET = 0x4803, 0x4804


@pytest.fixture(scope="module")
def pair_options(request, tmp_path_factory):
    """The pair of the command line with a model that has system power, and scmi-raw in the frontend."""
    from trapless.pytest_plugin import command_line_options

    options = bench.with_tool(command_line_options(request.config))
    options.model = tmp_path_factory.mktemp("model") / "powered.py"
    options.model.write_text(MODEL)
    return options


def send(frontend, *words):
    """The words of the answer to a raw message."""
    answer = bytes.fromhex(frontend.check(f"{SCMI_RAW} send {struct.pack(f'<{len(words)}I', *words).hex()}"))
    return struct.unpack(f"<{len(answer) // 4}I", answer)


def test_a_request_of_the_frontend_is_seen_at_the_prompt(backend, frontend):
    assert send(frontend, STATE_GET) == (STATE_GET, 0, 3), "powered up"
    assert send(frontend, STATE_SET, 1, 4) == (STATE_SET, 0), "suspend, gracefully"
    assert send(frontend, STATE_GET) == (STATE_GET, 0, 4)
    assert backend.eval("(soc.system.state, soc.system.agent, soc.system.graceful)") == ("suspend", 1, True)
    assert backend.eval("__import__('user_model').asked") == [("suspend", True)]
