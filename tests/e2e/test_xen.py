# SPDX-License-Identifier: MIT
"""On Xen nothing traps but doorbells, by Xen's own counters; a device that Xen emulates traps at each access.

The counters are those of Xen's build with performance counters (xen/hypervisor/), read out of its memory while it runs.
"""

import socket
import subprocess
import time

import pytest

READ = "cat /sys/class/hwmon/hwmon*/temp1_input"
ROUNDS = 1000
TRAP = "trap: "
HYPERCALL, DATA_ABORT = "trap: 64-bit hvc", "trap: guest data abort"
EVENT_CHANNEL = "hypercalls 32"  # __HYPERVISOR_event_channel_op in xen/include/public/xen.h
EMULATED_UART = "/dev/ttyAMA0"
MODEL = """
from scmi.platform import Platform, Sensor

platform = Platform(sensors=[Sensor("probe", "millicelsius", 12_345)])
"""

pytestmark = pytest.mark.only_on_xen


@pytest.fixture
def counted(pair):
    """Return a function that runs an action and returns by how much each counter has grown."""
    memory = pair.backend_vm.host.memory

    def count(action):
        before = memory.counters()
        action()
        return {name: value - before[name] for name, value in memory.counters().items() if value != before[name]}

    return count


def test_a_request_traps_for_its_doorbells_only(counted, read_sensor):
    few = counted(lambda: read_sensor(ROUNDS // 10))
    many = counted(lambda: read_sensor(ROUNDS))
    traps = {name: many[name] - few.get(name, 0) for name in many if name.startswith(TRAP)}
    print(f"of {ROUNDS - ROUNDS // 10} requests more: {traps}, {many}")
    grown = {name for name, count in traps.items() if count > ROUNDS // 100}
    assert grown <= {HYPERCALL}, traps
    calls = many.get(HYPERCALL, 0)
    assert calls == many.get(EVENT_CHANNEL, 0), "no other hypercall"
    assert calls <= 2 * ROUNDS + ROUNDS // 10, "one doorbell there and one back, at most"


def test_an_emulated_device_traps_at_each_access(counted, frontend):
    text = "." * ROUNDS
    found = counted(lambda: frontend.check(f"printf '{text}' >{EMULATED_UART}"))
    assert found[DATA_ABORT] >= ROUNDS, found


def test_exec_prints_exactly_the_output_and_returns_the_status(trapless):
    assert trapless.run("exec", "--platform", "xen", "--", f"{READ}; exit 42") == (42, b"45000\n", b"")


def test_print_command_is_one_machine(trapless):
    status, out, err = trapless.run("run", "--platform", "xen", "--print-command")
    assert (status, err, out.count(b"qemu-system-aarch64")) == (0, b"", 1)
    assert b"-smp 2 " in out and b"backend-kernel" in out and b"frontend-ramdisk" in out


@pytest.mark.timeout(300)
def test_image_leaves_what_boots_without_the_harness(trapless, tmp_path, until):
    (tmp_path / "mine.py").write_text(MODEL)
    arguments = ["--platform", "xen", "--model", tmp_path / "mine.py", "--out", tmp_path / "out"]
    status, out, _ = trapless.run("image", *arguments)
    assert status == 0 and b"xen.sh" in out and "seed" not in (tmp_path / "out" / "xen.dts").read_text()
    console = tmp_path / "out" / "frontend-console"
    machine = subprocess.Popen([tmp_path / "out" / "xen.sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        until(console.exists, "QEMU listens", 60)
        assert b"12345" in typed(console, f"until {READ} 2>/dev/null; do usleep 5000; done\n", b"12345")
    finally:
        machine.kill()
        machine.communicate()


def typed(console, keys, wanted, timeout=180):
    """What is printed on a console until `wanted`; `keys` are typed as soon as there is a prompt."""
    seen, end = b"", time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX) as screen:
        screen.connect(str(console))
        for text, shown in ((b"\n", b"frontend:~# "), (keys.encode(), wanted)):
            screen.sendall(text)
            while shown not in seen:
                screen.settimeout(max(0.001, end - time.monotonic()))
                seen += screen.recv(4096)
    return seen
