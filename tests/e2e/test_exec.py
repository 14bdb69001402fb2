# SPDX-License-Identifier: MIT
"""The command line as in the README: run, exec, status, devicetree."""

import json
import os
import pty
import select
import shlex
import subprocess
import sys

import pytest

from trapless.terminal import ESCAPE

READ = "cat /sys/class/hwmon/hwmon*/temp1_input"
MODEL = """
from scmi.platform import Clock, Platform, Sensor

platform = Platform(sensors=[Sensor("probe", "millicelsius", 12_345)], clocks=[Clock("only", rate=1_000_000)])
"""


def test_exec_prints_exactly_the_output(trapless):
    assert trapless.run("exec", "--", READ) == (0, b"45000\n", b"")


def test_exec_returns_the_status_and_keeps_the_streams_apart(trapless):
    assert trapless.run("exec", "printf out; printf err >&2; exit 42") == (42, b"out", b"err")


def test_added_files_and_the_script_for_the_backend(trapless, tmp_path):
    (tmp_path / "input").write_bytes(b"\x00\xff\n")
    (tmp_path / "check.sh").write_text("#!/bin/sh\ncat /host/input\n")
    (tmp_path / "check.sh").chmod(0o755)
    (tmp_path / "warm.py").write_text('soc.sensors["cpu"].value = 77_000\nprint("set")\n')
    arguments = ["--add", tmp_path / "input", "--add", tmp_path / "check.sh", "--backend", tmp_path / "warm.py"]
    status, out, err = trapless.run("exec", *arguments, "--", f"/host/check.sh && {READ}")
    assert (status, out, err.replace(b"\r", b"")) == (0, b"\x00\xff\n77000\n", b"set\n")


def test_time_out(trapless):
    status, out, err = trapless.run("exec", "--timeout", "0.5", "--", "echo begun; exec sleep 1000")
    assert (status, out) == (124, b"begun\n")
    assert b"0.5 s" in err


def test_another_model(trapless, tmp_path):
    (tmp_path / "mine.py").write_text(MODEL)
    status, out, _ = trapless.run(
        "exec", "--model", tmp_path / "mine.py", "--", f"{READ}; grep -c only /sys/kernel/debug/clk/clk_summary"
    )
    assert (status, out) == (0, b"12345\n1\n")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--add", "/no/such/file"], b"/no/such/file"),
        (["--model", "/no/such/model.py"], b"/no/such/model.py"),
        (["--kernel", "/no/such/Image"], b"/no/such/Image"),
    ],
)
def test_what_is_missing_is_named(trapless, arguments, named):
    status, out, err = trapless.run("exec", *arguments, "--", "true")
    assert (status, out) == (125, b"") and named in err and b"Traceback" not in err


def test_a_failing_script_for_the_backend_is_told(trapless, tmp_path):
    (tmp_path / "bad.py").write_text("1 / 0\n")
    status, out, err = trapless.run("exec", "--backend", tmp_path / "bad.py", "--", "echo never")
    assert (status, out) == (125, b"") and b"ZeroDivisionError" in err


def test_print_command_boots_nothing(trapless):
    status, out, err = trapless.run("exec", "--print-command", "true")
    commands = [line.split() for line in out.decode().splitlines() if not line.startswith("#")]
    assert (status, err, len(commands)) == (0, b"", 2)
    assert all("1,maxcpus=2" in command for command in commands)


def test_run_without_a_terminal(trapless):
    status, out, _ = trapless.run("run", input=b"echo from stdin\nexit 5\n")
    text = out.decode()
    assert status == 5
    for shown in ("scmi-hwmon", "45 °C", "1,200,000,000 Hz", "mpremote connect socket://127.0.0.1:"):
        assert shown in text, text
    assert text.endswith("from stdin\n")


def test_status_finds_a_running_pair(trapless, pair):
    status, out, _ = trapless.run("status")
    assert status == 0
    assert f"mpremote connect {pair.backend.url} resume" in out.decode()
    assert json.loads((pair.directory / "state.json").read_text())["prompt"] == pair.backend.url


def test_plain_mpremote_reaches_the_prompt(pair):
    command = [sys.executable, "-m", "mpremote", "connect", pair.backend.url, "resume", "exec", "print(soc.vendor)"]
    done = subprocess.run(command, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout.strip()) == (0, pair.platform.vendor.encode()), done.stderr


def test_repl_is_the_prompt_of_the_running_backend(trapless, pair):
    master, slave = pty.openpty()
    process = trapless.start("repl", stdin=slave, stdout=slave, stderr=slave)
    seen = b""
    while b">>> " not in seen:  # what is typed before mpremote has set the terminal up is lost
        os.write(master, b"\r")
        while select.select([master], [], [], 0.2)[0]:
            seen += os.read(master, 4096)
    os.write(master, b"6 * 7\r")
    while b"\n42\r\n" not in seen:
        seen += os.read(master, 4096)
    os.write(master, ESCAPE)
    assert process.wait(10) == 0
    os.close(master)
    os.close(slave)


def test_image_leaves_what_boots_without_the_harness(trapless, until):
    status, out, _ = trapless.run("image")
    assert status == 0
    command = shlex.split(out.decode().splitlines()[-1])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as machine:
        seen = b""
        while b">>> " not in seen:
            seen += machine.stdout.read1()
            assert machine.poll() is None, seen
        machine.kill()
    assert b"MicroPython" in seen


def test_device_trees_for_booting_without_the_harness(trapless, tmp_path):
    status, out, _ = trapless.run("devicetree", "--out", tmp_path, "--source")
    assert status == 0 and out.decode().startswith("qemu-system-aarch64")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "backend.dtb",
        "backend.dts",
        "frontend.dtb",
        "frontend.dts",
    ]
    assert "rng-seed" not in (tmp_path / "backend.dts").read_text()
