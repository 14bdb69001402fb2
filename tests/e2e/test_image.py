# SPDX-License-Identifier: MIT
"""The firmware image on its own: start-up on every kind of machine, prompt, faults, files, serving, resets."""

import hashlib
import random
import subprocess
import sys
import time

import pytest

from e2e.image import ELF, IMAGE, PROMPT, Machine, kernel, loader

pytestmark = pytest.mark.e2e

SERVE = """
import _hal, time
count = 0
def served(_):
    global count
    count += 1
    _hal.timer(5)
_hal.serve(served)
_hal.timer(5)
"""

BOOTS = {"Image": kernel(IMAGE), "ELF": kernel(ELF), "loader": loader(0x40613000)}


@pytest.fixture
def boot(tmp_path):
    """Returns a function that boots the image and gives the machine, at its prompt."""
    machines = []

    def start(*arguments, how="Image", **options):
        machine = Machine(tmp_path, BOOTS[how], *arguments, **options)
        machines.append(machine.__enter__())
        return machine.prompt()

    yield start
    for machine in machines:
        machine.__exit__()


@pytest.mark.parametrize("how", list(BOOTS))
@pytest.mark.parametrize("el2", [False, True], ids=["el1", "el2"])
@pytest.mark.parametrize("gic", [2, 3], ids=["gicv2", "gicv3"])
def test_it_boots(boot, gic, el2, how):
    machine = boot(how=how, gic=gic, el2=el2)
    assert machine.run("import time; time.sleep(0.05); 1.0/3") == "0.3333333333333333"


@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "max"])
def test_it_boots_on_other_processors(boot, cpu):
    assert boot(cpu=cpu).run("2**64 % 1000") == "616"


def test_image_is_small():
    assert IMAGE.stat().st_size <= 550 * 1024


def test_asyncio_sleeps_as_long_as_asked(boot):
    machine = boot()
    machine.run("import asyncio, time")
    machine.run("async def nap(): await asyncio.sleep_ms(200)\r")
    machine.run("t = time.ticks_us(); asyncio.run(nap())")
    assert int(machine.run("time.ticks_diff(time.ticks_us(), t)")) >= 200_000


def test_frozen_constants_from_two_to_the_thirty_allocate_nothing(boot):
    machine = boot()
    machine.run("import gc, virtio.layout as layout; gc.collect()")
    machine.run("def used(x):\r  a = gc.mem_alloc()\r  x | x\r  return gc.mem_alloc() - a\r\r\r")
    assert machine.run("layout.MMIO_MAGIC >> 30, used(layout.MMIO_MAGIC), used(1 << 70) > 0") == "(1, 0, True)"


def test_a_fault_is_readable(boot):
    machine = boot()
    machine.run("import machine")
    at = machine.type("machine.mem32[8] = 1\r")
    end = machine.expect("reset it", at)
    said = machine.said()[at:end]
    assert "*** FAULT: data abort: nothing mapped there, writing 0x8" in said
    address = said.partition("trapless.elf ")[2].split()[0]
    found = subprocess.run(
        ["aarch64-linux-gnu-addr2line", "-f", "-e", ELF, address], capture_output=True, text=True, check=True
    )
    assert "machine_mem" in found.stdout


def test_deep_recursion_is_an_exception(boot):
    machine = boot()
    assert "RuntimeError: maximum recursion depth exceeded" in machine.run("f = lambda: f(); f()")
    assert machine.run("1 + 1") == "2"


def test_comparing_lists_that_hold_themselves_is_an_exception(boot):
    machine = boot()
    machine.run("a = []; a.append(a); b = []; b.append(b)")
    assert "RuntimeError: maximum recursion depth exceeded" in machine.run("a == b")
    assert machine.run("1 + 1") == "2"


def test_a_full_heap_leaves_the_prompt(boot):
    machine = boot()
    machine.type("import gc; kept = []\r")
    machine.run("while True: kept.append(bytearray(100))\r")
    machine.expect("MemoryError", machine.type("x" * 3000 + "\r"))
    machine.expect(PROMPT, machine.expect("MPY: soft reboot", machine.type("\x03\x04")))
    assert machine.run("1 + 1") == "2"


def test_an_idle_machine_sleeps(boot):
    machine = boot()
    before = machine.cpu_seconds()
    time.sleep(5)
    assert machine.cpu_seconds() - before <= 0.005 * 5 + 0.01


def test_mpremote_runs_code(boot, tmp_path):
    machine = boot()
    script = tmp_path / "script.py"
    script.write_text("print('from a script')\n")
    assert machine.mpremote("exec", "print(6 * 7)") == "42\n"
    assert machine.mpremote("run", str(script)) == "from a script\n"


def test_mpremote_copies_files(boot, tmp_path):
    machine = boot()
    content = random.Random(1).randbytes(100_000)
    (tmp_path / "blob").write_bytes(content)
    machine.mpremote("fs", "cp", str(tmp_path / "blob"), ":blob")
    assert hashlib.sha256(content).hexdigest() in machine.mpremote("fs", "sha256sum", ":blob")


def test_mpremote_mounts_a_folder(boot, tmp_path):
    machine = boot()
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "over_there.py").write_text("print('imported from the host')\n")
    assert "imported from the host" in machine.mpremote("mount", str(folder), "exec", "import over_there")


@pytest.mark.parametrize("prompt", ["friendly", "raw"])
def test_soft_reset_keeps_files_and_forgets_the_rest(boot, prompt):
    machine = boot()
    machine.run("open('/kept', 'w').write('here'); forgotten = 1")
    if prompt == "raw":
        machine.expect("raw REPL; CTRL-B to exit\r\n>", machine.type("\x01"))
        at = machine.expect("MPY: soft reboot\r\n", machine.type("\x04"))
        machine.expect("raw REPL; CTRL-B to exit\r\n>", at)
        machine.expect(PROMPT, machine.type("\x02"))
    else:
        machine.expect(PROMPT, machine.expect("MPY: soft reboot\r\n", machine.type("\x04")))
    assert "NameError" in machine.run("forgotten")
    assert machine.run("open('/kept').read()") == "'here'"


def test_soft_reset_ends_serving(boot):
    machine = boot()
    machine.mpremote("resume", "exec", SERVE)
    machine.run("import machine; w = _hal.map_window(0x08020000, 0x1000, True)")
    machine.run("_hal.irq_attach(80, True); w.w32(0x40, 80)")
    machine.expect(PROMPT, machine.expect("MPY: soft reboot\r\n", machine.type("machine.soft_reset()\r")))
    machine.run("import _hal, time; w = _hal.map_window(0x08020000, 0x1000, True)")
    machine.run("w.w32(0x40, 80); time.sleep_ms(50)")
    assert machine.run("_hal.faults(), _hal.fault()") == "(0, None)"


def test_message_interrupts_reach_python(boot):
    machine = boot()
    machine.mpremote("resume", "exec", SERVE.replace("_hal.timer(5)", ""))
    machine.run("w = _hal.map_window(0x08020000, 0x1000, True); _hal.irq_attach(80, True)")
    machine.run("for i in range(1000): w.w32(0x40, 80)\r")
    assert machine.run("count") == "1000"


def test_serving_goes_on_at_the_prompt_under_ctrl_c_and_beside_code(boot, until):
    machine = boot()
    machine.mpremote("resume", "exec", SERVE)
    before = int(machine.run("count"))
    for _ in range(20):
        machine.expect(PROMPT, machine.type("\x03"))
    until(lambda: int(machine.run("count")) - before >= 20, "calls of the callback while the prompt waits")
    waited = int(machine.run("count"))
    machine.run("t = time.ticks_ms()")
    machine.run(f"while count < {waited + 20} and time.ticks_diff(time.ticks_ms(), t) < 10_000: pass\r")
    assert int(machine.run("count")) - waited >= 20
    assert machine.run("_hal.faults()") == "0"


def test_serving_goes_on_during_a_long_print(boot):
    machine = boot()
    machine.mpremote("resume", "exec", SERVE)
    machine.run("text = 'x' * 100_000; lines = 'some words\\n' * 10_000")
    for name in ("text", "lines"):
        machine.run("before, t = count, time.ticks_ms()")
        machine.run(f"print({name}); served, took = count - before, time.ticks_diff(time.ticks_ms(), t)")
        assert machine.run("took > 50, served * 20 > took") == "(True, True)"


def test_ctrl_c_interrupts_code(boot):
    machine = boot()
    machine.run("import time")
    for code in ("while True: pass", "time.sleep(1000)"):
        at = machine.type(f"print('begun'); exec({code!r})\r")
        at = machine.expect("begun\r\n", at)
        machine.type("\x03")
        machine.expect(PROMPT, machine.expect("KeyboardInterrupt", at))


def test_ctrl_c_waits_for_the_serving_callback(boot):
    machine = boot()
    slow = """
import _hal, time
ended = 0
def served(_):
    global ended
    print("begun")
    t = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), t) < 500:
        pass
    ended += 1
_hal.serve(served)
"""
    machine.mpremote("resume", "exec", slow)
    at = machine.type("_hal.notify(); time.sleep(1000)\r")
    at = machine.expect("begun\r\n", at)
    machine.type("\x03")
    machine.expect("KeyboardInterrupt", at)
    assert machine.run("ended, _hal.faults()") == "(1, 0)"


def test_ctrl_c_does_not_interrupt_the_setting_up(boot):
    machine = boot()
    at = machine.type("\x04")
    for _ in range(300):
        machine.type("\x03")
        time.sleep(0.002)
    machine.expect("nothing is served, this is just a prompt", machine.expect("MPY: soft reboot", at))
    # The last Ctrl-C may still be on their way, each answered by a prompt: only what was computed tells them apart.
    machine.expect("\n42\r\n", machine.type("6 * 7\r"))
    assert "Traceback" not in machine.said()[at:]


def test_a_key_that_comes_while_a_callback_sleeps_is_read(boot):
    machine = boot()
    machine.run("import _hal, time")
    machine.run("def served(_):\r  print('begun')\r  time.sleep_ms(500)\r\r\r")
    at = machine.expect(PROMPT, machine.type("_hal.serve(served); _hal.timer(300)\r"))
    at = machine.expect("begun", at)
    assert machine.run("6 * 7", limit=5) == "42"


def test_the_initrd_is_mounted(boot, tmp_path):
    folder = tmp_path / "rom"
    folder.mkdir()
    (folder / "user_model.py").write_text("name = 'mine'\n")
    rom = tmp_path / "rom.img"
    command = [sys.executable, "-m", "mpremote", "romfs", "--no-mpy", "-o", str(rom), "build", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    machine = boot("-initrd", str(rom))
    assert machine.run("import user_model; user_model.name, user_model.__file__") == "('mine', '/rom/user_model.py')"


def test_an_initrd_that_is_no_romfs_is_reported(boot, tmp_path):
    (tmp_path / "initrd").write_bytes(b"something else, and long enough to be one")
    machine = boot("-initrd", str(tmp_path / "initrd"))
    assert "the initrd is not a ROMFS image" in machine.said()
    assert machine.run("import sys; sys.path") == "['', '/rom', '.frozen', '/lib', '/']"


def test_reset_and_off(boot):
    machine = boot()
    at = machine.type("import machine; machine.reset()\r")
    machine.expect(PROMPT, machine.expect("MicroPython v", at))
    machine.type("import _hal; _hal.off()\r")
    assert machine.process.wait(10) == 0
