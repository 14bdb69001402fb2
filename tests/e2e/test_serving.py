# SPDX-License-Identifier: MIT
"""Serving goes on, whatever happens at the prompt; after a restart of either side it is there again."""

import contextlib
import socket
import threading

import pytest

from e2e import on_xen
from trapless.bench import TOOL as SCMI_RAW

REQUESTS = 10_000
CTRL_A, CTRL_B, CTRL_C, CTRL_D = b"\x01", b"\x02", b"\x03", b"\x04"


@contextlib.contextmanager
def prompt(pair):
    """The backend's serial port, bare: what a person's terminal would be."""
    with socket.create_connection(("127.0.0.1", pair.serial_port), timeout=10) as port:
        yield port


def expect(port, wanted):
    """Read until `wanted` comes."""
    seen = b""
    while wanted not in seen:
        data = port.recv(4096)
        assert data, f"the prompt closed; wanted {wanted!r} after {seen!r}"
        seen += data
    return seen


def at_prompt(port):
    port.sendall(b"\r" + CTRL_C + CTRL_B)
    expect(port, b">>> ")


def test_the_prompt_is_used_during_ten_thousand_requests(pair, backend, read_sensor):
    done = threading.Event()
    summaries = []

    def requests():
        try:
            summaries.append(read_sensor(REQUESTS, expected=45_000, timeout=100))
        finally:
            done.set()

    thread = threading.Thread(target=requests)
    thread.start()
    executions = 0
    while not done.is_set():
        assert backend.eval('(soc.sensors["cpu"].value, sum(range(2000)))') == (45_000, 1_999_000)
        executions += 1
    thread.join()
    assert summaries == [f"rounds {REQUESTS} wrong 0 last 45000"]
    assert executions >= 3, "the prompt was hardly used, so this shows nothing"


def test_ctrl_c_at_the_prompt_does_not_stop_serving(pair, read_sensor):
    with prompt(pair) as port:
        at_prompt(port)
        port.sendall(CTRL_C * 20)
        read_sensor(100)
        expect(port, b">>> ")


def test_serving_goes_on_while_a_program_runs_at_the_prompt(pair, read_sensor):
    with prompt(pair) as port:
        at_prompt(port)
        port.sendall(b"while True: pass\r\r")
        expect(port, b"... ")
        read_sensor(200)
        port.sendall(CTRL_C)
        expect(port, b"KeyboardInterrupt")
        read_sensor(100)


def test_ctrl_c_during_requests_loses_none(pair, read_sensor):
    done = threading.Event()
    summaries = []

    def requests():
        try:
            summaries.append(read_sensor(2000))
        finally:
            done.set()

    thread = threading.Thread(target=requests)
    thread.start()
    with prompt(pair) as port:
        while not done.is_set():
            port.sendall(b"\r" + CTRL_C)
            expect(port, b">>> ")
    thread.join()
    assert summaries and summaries[0].startswith("rounds 2000 wrong 0")


def soft_reset_friendly(port):
    at_prompt(port)
    port.sendall(CTRL_D)


def soft_reset_raw(port):
    at_prompt(port)
    port.sendall(CTRL_A)
    expect(port, b"raw REPL; CTRL-B to exit\r\n>")
    port.sendall(CTRL_D)


@pytest.mark.parametrize("reset", [soft_reset_friendly, soft_reset_raw])
def test_a_soft_reset_is_a_backend_restart_that_linux_survives(pair, frontend, reset):
    before = pair.epochs()
    with prompt(pair) as port:
        reset(port)
        expect(port, b"soft reboot")
        pair.wait_serving(before)
        pair.wait_probed()
        assert frontend.check("cat /sys/class/hwmon/hwmon*/temp1_input") == "45000"
        port.sendall(CTRL_B)


@on_xen.NO_RESTART
def test_a_killed_backend_comes_back(pair, frontend, backend):
    backend.exec('soc.sensors["cpu"].value = 50_000')
    pair.restart_backend()
    frontend.wait_for("grep -q 45000 /sys/class/hwmon/hwmon*/temp1_input")
    pair.backend.exec('soc.sensors["cpu"].value = 51_000')
    assert frontend.check("cat /sys/class/hwmon/hwmon*/temp1_input") == "51000"


@on_xen.NO_PAUSE
def test_a_stopped_backend_times_out_and_goes_on(pair, frontend):
    pair.backend_vm.pause()
    try:
        result = frontend.run("cat /sys/class/hwmon/hwmon*/temp1_input", timeout=30)
        assert result.status != 0
    finally:
        pair.backend_vm.resume()
    frontend.wait_for("cat /sys/class/hwmon/hwmon*/temp1_input")


@on_xen.NO_RESTART
def test_a_killed_frontend_comes_back(pair, backend):
    epochs = pair.epochs()
    backend.exec('soc.sensors["cpu"].value = 52_000')
    pair.restart_frontend()
    assert pair.frontend.check("cat /sys/class/hwmon/hwmon*/temp1_input") == "52000"
    assert pair.epochs() == epochs, "the backend lived through it"


@on_xen.NO_RING
@pytest.mark.needs_doorbell("it rings it")
def test_spurious_doorbells_do_no_harm(pair, frontend, steady):
    server = pair.frontend.doorbells
    for _ in range(1000):
        server.ring(pair.frontend.link.doorbell.backend_peer)
        server.ring(pair.frontend.link.doorbell.frontend_peer)
    assert frontend.check(f"{SCMI_RAW} read {steady} 100").startswith("rounds 100 wrong 0")
