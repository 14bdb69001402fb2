# SPDX-License-Identifier: MIT
"""Why `mb` stands between a store and the look at the other side's word (docs/models, KICK_MB and REST_MB).

Two emulated machines, with the options and the shared memory of a pair, run the store-load test of litmus.S. With the
barrier on both sides they never both see the former value of the other's word. In a link they would: the frontend finds
DEV_BE_SLEEP still 0, the backend the old index, and sleeps over the work.
"""

import contextlib
import mmap
import pathlib
import subprocess
import time

import pytest

from trapless import devicetree, native, project, topology
from trapless.machine import memory_arguments
from trapless.tree import Tree

SOURCE = pathlib.Path(__file__).with_name("litmus.S")
ROUNDS = 1_000_000
READY, SEEN, LINE = 0x100, 0x1000, 0x80
FORMER = 1
# Processors that the host has for us at the same moment decide: 2 s where it is idle, a minute where it is not.
LIMIT_S = 500


@pytest.fixture
def plan():
    return topology.load()


@pytest.fixture
def region(plan):
    """The file of the shared memory, and a view of it; gone afterwards."""
    path = project.runtime_base() / f"trapless-litmus-{time.monotonic_ns():x}"
    try:
        with path.open("w+b") as file:
            file.truncate(plan.links[0].region)
            with mmap.mmap(file.fileno(), 0) as view:
                yield path, view
    finally:
        path.unlink()


@contextlib.contextmanager
def machines(plan, path, barriers):
    """Two backends' machines that run litmus.S on one region instead of the image."""
    machine, link = plan.machines[plan.backend()], plan.links[0]
    private, shared = Tree(devicetree.base(machine, memory_arguments(machine, [link], [None]))).memory()
    command = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        project.QEMU,
        *memory_arguments(machine, [link], [path]),
        "-accel",
        "tcg,thread=multi",
    ]
    started = []
    try:
        for side, barrier in enumerate(barriers):
            macros = {"REGION": hex(shared.start), "ROUNDS": ROUNDS, "SIDE": side, "BARRIER": int(barrier)}
            program = native.bare_program(SOURCE, private.start + (2 << 20), macros)
            started.append(subprocess.Popen([*command, "-nodefaults", "-display", "none", "-kernel", str(program)]))
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def rounds(view):
    """How many rounds both have finished."""
    return max(0, min(int.from_bytes(view[at : at + 4], "little") for at in (READY, READY + LINE)) - 1)


def both_former(view, count):
    """In how many of the first rounds both saw the former value."""
    sides = (view[at : at + count] for at in (SEEN, SEEN + ROUNDS))
    return sum(a == b == FORMER for a, b in zip(*sides))


@pytest.mark.timeout(LIMIT_S + 100)
@pytest.mark.parametrize("barriers", [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_a_store_and_the_next_load_keep_their_order_with_barriers_on_both_sides(plan, region, barriers):
    path, view = region
    needed = all(barriers)
    begin = time.monotonic()
    with machines(plan, path, barriers) as started:
        while (done := rounds(view)) < ROUNDS and (needed or not both_former(view, done)):
            assert time.monotonic() - begin < LIMIT_S, f"only {done} rounds"
            assert all(process.poll() is None for process in started), "a QEMU has ended"
            time.sleep(0.1)  # they say nothing: only what they store tells how far they are
    found = both_former(view, done)
    print(f"barriers {barriers}: both saw the former value in {found} of {done} rounds")
    if needed:
        assert not found
    else:
        assert found, "this host does not show that a load overtakes a store: has it two processors?"
