# SPDX-License-Identifier: MIT
"""Linux waits for delayed responses, which it asks for wherever the platform offers them; other requests go on.

Every resource of the model takes its time, by a function that the test's own prompt calls when the hardware is done.
"""

import pytest

from e2e import consumer, on_xen
from e2e.consumer import Consumer

MODEL = """
from scmi.platform import Clock, Platform, Reset, Sensor, Voltage

pending = []

platform = Platform(
    sensors=[Sensor("slow", "millicelsius", 45_000, delay=pending.append), Sensor("fast", "millicelsius", 20_000)],
    clocks=[Clock("pll", rate=100, rates=(100, 200, 400), delay=pending.append)],
    resets=[Reset("dsp", delay=pending.append)],
    voltages=[Voltage("core", 800_000, level_range=(600_000, 1_000_000, 100_000), delay=pending.append)],
)
"""


@pytest.fixture(scope="module")
def pair_options(request, tmp_path_factory):
    """A pair with that model and a consumer of each resource."""
    from trapless.pytest_plugin import command_line_options

    options = command_line_options(request.config)
    options.model = tmp_path_factory.mktemp("model") / "unhurried.py"
    options.model.write_text(MODEL)
    soc = consumer.platform_of(options)
    nodes = {
        "consumer": {
            "compatible": consumer.COMPATIBLE,
            **consumer.clocks(soc, "pll"),
            **consumer.resets(soc, "dsp"),
        },
        "supply": {"compatible": "regulator-virtual-consumer", **consumer.supply(soc, "default", "core")},
    }
    return consumer.equipped(options, nodes, "trapless_consumer")


@pytest.fixture(scope="module")
def device(pair):
    """The device with the clock and the reset."""
    pair.frontend.check("insmod /host/trapless_consumer.ko")
    return Consumer(pair.frontend, "consumer")


@pytest.fixture
def done(backend, frontend, until):
    """Return a function that lets the hardware be done with the one request that is open, while Linux reads and waits.

    `command` is run in the frontend, its output is returned; `meanwhile` must hold before the hardware is done. Linux
    waits 2 s (SCMI_MAX_RESPONSE_TIMEOUT), so nothing is looked at one by one.
    """
    pending = "__import__('user_model').pending"

    def run(command, meanwhile="True"):
        frontend.check(f"{{ {command}; echo status $?; }} >/tmp/delayed 2>&1 &")
        until(lambda: backend.eval(f"len({pending}) == 1 and {meanwhile}"), f"Linux has asked, and {meanwhile}")
        shown = frontend.check("cat /sys/class/hwmon/hwmon*/temp2_input /tmp/delayed")
        backend.exec(f"{pending}.pop()()")
        assert shown == "20000", "others are served, and Linux still waits"
        frontend.wait_for("grep -q status /tmp/delayed")
        return frontend.check("cat /tmp/delayed").splitlines()

    return run


def test_a_reading(done):
    assert done("cat /sys/class/hwmon/hwmon*/temp1_input") == ["45000", "status 0"]


def test_a_rate(device, done, backend):
    assert done(f"echo 400 >{device.handles}/clock-pll/rate", 'soc.clocks["pll"].rate == 100') == ["status 0"]
    assert backend.eval('soc.clocks["pll"].rate') == 400
    assert device.read("clock-pll/rate") == "400"


def test_a_reset(device, done, backend):
    assert done(f"echo reset >{device.handles}/reset-dsp", 'soc.resets["dsp"].count == 0') == ["status 0"]
    assert backend.eval('soc.resets["dsp"].count') == 1


def test_a_voltage(done, backend, frontend):
    supply = Consumer(frontend, "supply")
    supply.write("sysfs:max_microvolts", 950_000)
    level = 'soc.voltages["core"].level'
    assert done(f"echo 900000 >{supply.device}/min_microvolts", f"{level} == 800_000") == ["status 0"]
    assert backend.eval(level) == 900_000


def test_none_of_it_was_an_error_to_linux(device, frontend):
    assert frontend.check("dmesg -r | grep '^<[0-3]>' || true") == ""


@on_xen.NO_RESTART
def test_a_backend_that_dies_before_it_is_waited_for_by_linux(pair, backend, frontend, until):
    """Nothing but Linux's own time-out ends the wait (docs/limits-of-linux.md); then all is as it was."""
    told = "dmesg | grep -c 'timed out in delayed resp' || true"
    before = int(frontend.check(told))
    Consumer(frontend, "supply").write("sysfs:min_microvolts", 0)  # or it would go while it is switched on
    frontend.check("{ dd if=$(ls /sys/class/hwmon/hwmon*/temp1_input); echo status $?; } >/tmp/delayed 2>&1 &")
    until(lambda: backend.eval("len(__import__('user_model').pending)") == 1, "Linux has asked")
    pair.restart_backend()
    frontend.wait_for("grep -q status /tmp/delayed")
    assert "timed out" in frontend.check("cat /tmp/delayed")
    assert int(frontend.check(told)) == before + 1
    pair.wait_probed()
    frontend.wait_for("grep -qx 20000 /sys/class/hwmon/hwmon*/temp2_input")
