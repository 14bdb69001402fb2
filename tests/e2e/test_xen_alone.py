# SPDX-License-Identifier: MIT
"""The image as the only domain of Xen, with nothing but what Xen emulates: its console is Xen's vpl011."""

import subprocess

import pytest

from e2e.image import IMAGE, Machine
from trapless import project
from trapless.tree import Cells, Tree

pytestmark = [pytest.mark.e2e, pytest.mark.only_on_xen]

MACHINE = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-m", "256M"]
MODULE = 0x46000000
MEMORY_KIB = 16384
PIECE = 8


def machine_tree(directory):
    """QEMU's tree of MACHINE, with one domain for Xen to start."""
    path = directory / "machine.dtb"
    command = ["qemu-system-aarch64", *MACHINE, "-nodefaults", "-display", "none", "-machine", f"dumpdtb={path}"]
    subprocess.run(command, check=True)
    tree = Tree(path.read_bytes())
    cells = {"#address-cells": 2, "#size-cells": 2}
    module = {"compatible": ["multiboot,kernel", "multiboot,module"], "reg": Cells([MODULE, IMAGE.stat().st_size])}
    domain = {"compatible": "xen,domain", "memory": Cells([MEMORY_KIB]), "cpus": 1, "vpl011": True, **cells}
    domain |= {"xen,enhanced": "no-xenstore", f"module@{MODULE:x}": module}
    bootargs = "console=dtuart sched=null vwfi=native bootscrub=0"
    tree.graft("/chosen", {"xen,xen-bootargs": bootargs, **cells, "alone": domain})
    path.write_bytes(tree.blob())
    return path


class Typist:
    """Types as a person does: Xen 4.20 drops what comes in while 32 characters wait for the guest."""

    def __init__(self, machine):
        self.machine = machine

    def enter(self, line):
        """Type one line, each piece when the one before has been echoed; returns the position after it."""
        for start in range(0, len(line), PIECE):
            piece = line[start : start + PIECE]
            self.machine.expect(piece, self.machine.type(piece))
        return self.machine.expect("\n", self.machine.type("\r"))

    def run(self, line):
        """Type one line at the prompt; returns what is said after it."""
        at = self.enter(line)
        end = self.machine.expect(">>> ", at)
        return self.machine.said()[at:end]


@pytest.fixture
def machine(tmp_path):
    """The image at its prompt."""
    loader = f"loader,file={IMAGE},addr={MODULE:#x},force-raw=on"
    boot = ["-kernel", str(project.need(project.XEN, "the hypervisor")), "-dtb", str(machine_tree(tmp_path))]
    with Machine(tmp_path, [*boot, "-device", loader], *MACHINE, gic=3, el2=True) as found:
        yield found.prompt()


@pytest.fixture
def typist(machine):
    """Who types at that prompt."""
    return Typist(machine)


def test_its_console_is_the_one_that_xen_emulates(machine, typist):
    assert "nothing is served" in machine.said()
    typist.run("from hal import metal")
    assert "'sbsa-uart@22000000'" in typist.run("metal.tree().compatible('arm,sbsa-uart')[0].name")
    assert typist.run("print('y' * 5000)").count("y") == 5000


def test_ctrl_c_ends_what_runs(machine, typist):
    typist.run("import time")
    at = machine.expect("41", typist.enter("print(40 + 1); time.sleep(1000)"))  # before it runs, Ctrl-C is a character
    machine.type("\x03")
    machine.expect(">>> ", machine.expect("KeyboardInterrupt", at))
    assert "42" in typist.run("6 * 7")


def test_a_soft_reset_and_sleep(machine, typist):
    machine.expect(">>> ", machine.expect("MPY: soft reboot", machine.type("\x04")))
    typist.run("import time; t = time.ticks_ms()")
    assert "True" in typist.run("time.sleep_ms(50); time.ticks_ms() - t >= 50")
