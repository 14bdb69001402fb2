# SPDX-License-Identifier: MIT
"""A QEMU that is killed and started again and again keeps its channels to the harness."""

import socket

import pytest

from trapless import topology
from trapless.machine import VirtualMachine


@pytest.fixture
def machine(tmp_path):
    """A QEMU with a monitor and no guest."""
    monitor = ["-chardev", f"socket,id=qmp,path={tmp_path}/backend-qmp.sock", "-mon", "chardev=qmp,mode=control"]
    arguments = ["-machine", "none", "-display", "none", *monitor]
    machine = VirtualMachine(topology.load().machines["backend"], tmp_path, lambda: arguments)
    machine.listen("qmp")
    yield machine
    machine.close()


def connect_and_die(machine):
    """What is left of a QEMU that is killed before the harness needed its monitor."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as monitor:
        monitor.settimeout(5)  # it waits where the queue is full
        monitor.connect(str(machine.channel("qmp").path))


def test_any_number_of_killed_qemus_leaves_the_monitor_to_the_next(machine):
    for _ in range(2 * socket.SOMAXCONN):
        connect_and_die(machine)
        machine.kill()
    machine.start()
    assert machine.qmp("query-status")["status"] == "running"
