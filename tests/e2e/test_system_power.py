# SPDX-License-Identifier: MIT
"""A frontend asks for a state of the system, and the backend's prompt shows it; the backend asks, and Linux obeys.

Requests of the frontend are raw messages: Linux's own driver only waits for notifications. It has its user space shut
down or restart. A graceful request to suspend it takes too, but on a machine whose firmware cannot suspend it fails,
and from then on takes no other (drivers/firmware/arm_scmi/scmi_power_control.c is ready again when it resumes).
"""

import struct

import pytest

from e2e import on_xen
from trapless import bench
from trapless.bench import TOOL as SCMI_RAW
from trapless.errors import MachineError

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
    assert send(frontend, STATE_SET, 0, 4) == (STATE_SET, 0), "suspend, at once: Linux lets that pass when it is told"
    assert send(frontend, STATE_GET) == (STATE_GET, 0, 4)
    assert backend.eval("(soc.system.state, soc.system.agent, soc.system.graceful)") == ("suspend", 1, False)
    assert backend.eval("__import__('user_model').asked") == [("suspend", False)]


GOING_DOWN = "The system is going down NOW!"


def ask(backend, state):
    """Have the platform ask for a state in a moment, when the test already waits for what comes of it."""
    backend.exec(f'soc.after(300, lambda: soc.system.ask("{state}", timeout=60_000))')


@on_xen.NO_RESTART
def test_linux_restarts_gracefully_when_the_platform_asks(pair, backend, frontend):
    life = frontend.check("cat /proc/sys/kernel/random/boot_id")
    ask(backend, "cold-reset")
    with pytest.raises(MachineError, match="restarted while the command ran"):
        frontend.run("sleep 60")
    frontend.wait_probed()
    assert frontend.check("cat /proc/sys/kernel/random/boot_id") != life
    assert GOING_DOWN in frontend.vm.tail(), "user space was asked"
    assert backend.eval("(soc.system.state, soc.system.agent)") == ("cold-reset", 0)


@on_xen.NO_RESTART
def test_linux_shuts_down_gracefully_when_the_platform_asks(backend, frontend, until):
    ask(backend, "shutdown")
    with pytest.raises(MachineError, match="ended"):
        frontend.run("sleep 60")
    until(lambda: not frontend.vm.alive(), "the frontend's machine is off")
    assert GOING_DOWN in frontend.vm.tail().rpartition("Booting Linux")[2], "user space was asked"
    assert backend.eval("(soc.system.state, soc.system.agent, soc.system.graceful)") == ("shutdown", 0, True)
