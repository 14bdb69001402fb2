# SPDX-License-Identifier: MIT
"""What a person plays with at the backend's prompt, seen by Linux: faults, the log, and slips of the pen."""

import pytest

from trapless.backend import BackendError

CPU = "cat /sys/class/hwmon/hwmon*/temp1_input"
BOARD = "cat /sys/class/hwmon/hwmon*/temp2_input"


@pytest.fixture(autouse=True)
def _tidy(backend):
    """Leave neither faults nor a log behind."""
    yield
    backend.exec("faults.clear(); log(False)")


def test_linux_gets_the_status_that_was_injected(backend, frontend):
    for status, told in (("BUSY", b"busy"), ("NOT_FOUND", b"no such file")):
        backend.exec(f'faults.refuse("sensor", "SENSOR_READING_GET", "{status}")')
        failed = frontend.run(CPU)
        assert failed.status and told in failed.stderr.lower()
        backend.exec("faults.clear()")
        assert frontend.check(CPU) == "45000"


def test_linux_waits_for_a_delayed_reply_while_others_are_answered(backend, frontend):
    backend.exec('faults.delay("sensor", "SENSOR_READING_GET", 400, times=1)')
    late = frontend.check(
        f"({CPU}; echo late) & sleep 0.1; cat /sys/kernel/debug/clk/pll/clk_rate; echo soon; wait"
    ).splitlines()
    assert late == ["1200000000", "soon", "45000", "late"]


def test_linux_gives_up_on_a_timeout_and_goes_on_when_it_is_cleared(backend, frontend):
    backend.exec('faults.timeout("sensor", "SENSOR_READING_GET", times=2)')
    failed = frontend.run(CPU)
    assert failed.status and b"timed out" in failed.stderr.lower(), "cat tries twice"
    assert frontend.check(BOARD) == "31500"
    assert "holds 2" in backend.exec("print(faults)")
    backend.exec("faults.clear()")
    assert [frontend.check(CPU) for _ in range(40)] == ["45000"] * 40
    assert backend.exec("print(faults)").strip() == "(no faults)"


def test_a_reply_of_the_wrong_length_is_survived(backend, frontend):
    for size in (8, 12, 64):
        backend.exec(f'faults.length("sensor", "SENSOR_READING_GET", {size}, times=1)')
        frontend.run(CPU)
        assert frontend.check(CPU) == "45000"


def test_the_log_tells_what_linux_asked(backend, frontend):
    backend.exec("log(True)")
    frontend.check(CPU)
    last = backend.exec("log()").splitlines()[-1]
    assert "sensor SENSOR_READING_GET" in last and "-> SUCCESS value=45000 timestamp=0" in last


def test_a_slip_of_the_pen_names_what_there_is(backend):
    with pytest.raises(BackendError, match=r"sensor 'cpu' has no 'vaule'; it has: .*value"):
        backend.exec('soc.sensors["cpu"].vaule = 5')
    with pytest.raises(BackendError, match="no sensor 'cpx'; there are: cpu, board"):
        backend.exec('soc.sensors["cpx"].value = 5')


def test_help_names_what_there_is(backend):
    printed = backend.exec("help()")
    for name in ("soc", "status()", "log(", "faults"):
        assert name in printed
    assert "value" in backend.exec('help(soc.sensors["cpu"])')
