# SPDX-License-Identifier: MIT
"""The host's side of the agent protocol against an agent that runs the commands here."""

import base64
import contextlib
import socket
import subprocess
import threading

import pytest

from trapless.errors import GuestTimeout, MachineError
from trapless.guest import PORTS, Guest, _Stream


class Agent:
    """The guest's side, with this machine's shell."""

    def __init__(self, greeting=b"ready\n"):
        pairs = {name: socket.socketpair() for name in PORTS}
        self.far = {name: far for name, (_, far) in pairs.items()}
        self.guest = Guest({name: near for name, (near, _) in pairs.items()}, lambda: "the console's end")
        self.far["ctl"].sendall(greeting)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(BrokenPipeError), self.far["ctl"].makefile("rb") as lines:
            for line in lines:
                nonce, command = line.split()
                done = subprocess.run(["sh", "-c", base64.b64decode(command).decode()], capture_output=True)
                self.answer(nonce, done)

    def answer(self, nonce, done):
        for port, output in (("out", done.stdout), ("err", done.stderr)):
            for at in range(0, len(output), 777):
                self.far[port].sendall(output[at : at + 777])
            self.far[port].sendall(nonce + b"\n")
        self.far["ctl"].sendall(b"%s %d\n" % (nonce, done.returncode))

    def hang_up(self):
        for far in self.far.values():
            far.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def agent():
    made = Agent()
    made.guest.wait_ready(5)
    yield made
    made.hang_up()
    made.guest.close()


def test_output_and_status(agent):
    result = agent.guest.run("echo one; echo two >&2; exit 3")
    assert (result.stdout, result.stderr, result.status) == (b"one\n", b"two\n", 3)
    assert result.text == "one"


def test_binary_output_is_exact(agent):
    result = agent.guest.run("head -c 100000 /dev/zero; printf '\\377\\n\\n'")
    assert result.stdout == bytes(100000) + b"\xff\n\n"


def test_commands_one_after_the_other(agent):
    assert [agent.guest.check(f"echo {i}") for i in range(50)] == [str(i) for i in range(50)]


def test_output_streams(agent):
    pieces = []
    result = agent.guest.run("seq 50000", stdout=pieces.append)
    assert b"".join(pieces) == agent.guest.run("seq 50000").stdout and len(pieces) > 1
    assert result.stdout == b"", "not kept as well"


def test_output_comes_before_the_end():
    """Nothing but the beginning of an end marker is kept back."""
    stream = _Stream(b"0123\n", None)
    for piece, passed in ((b"x", b"x"), (b"01", b"x"), (b"2y0", b"x012y"), (b"123\n", b"x012y")):
        stream.feed(piece)
        assert stream.passed == passed
    assert stream.ended


def test_a_failing_check_names_the_command(agent):
    with pytest.raises(MachineError, match=r"false.*ended with 1"):
        agent.guest.check("false")


def test_time_out_keeps_what_came(agent):
    with pytest.raises(GuestTimeout, match="the console's end"):
        agent.guest.run("exec sleep 1", timeout=0.05)
    with pytest.raises(MachineError, match="restart"):
        agent.guest.run("true")


def test_a_dying_guest_is_told(agent):
    agent.hang_up()
    with pytest.raises(MachineError, match="ended"):
        agent.guest.run("true")


def test_a_restart_between_commands_is_no_answer(agent):
    agent.far["ctl"].sendall(b"ready\n")
    assert agent.guest.check("echo on") == "on"


def test_a_restart_during_a_command_is_told_and_survived(agent):
    agent.answer = lambda nonce, done: agent.far["ctl"].sendall(b"ready\n")
    with pytest.raises(MachineError, match="restarted"):
        agent.guest.run("true")
    del agent.answer
    assert agent.guest.check("echo on") == "on"


def test_another_greeting_is_refused():
    strange = Agent(b"hello\n")
    with pytest.raises(MachineError, match="hello"):
        strange.guest.wait_ready(5)
    strange.hang_up()
    strange.guest.close()
