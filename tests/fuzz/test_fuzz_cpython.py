# SPDX-License-Identifier: MIT
"""The fuzzers as tests, under both interpreters, and with sanitizers in the C code.

TRAPLESS_FUZZ_EXAMPLES and TRAPLESS_FUZZ_SEED: how many cases, which.
TRAPLESS_FUZZ_EXAMPLES counts SCMI messages: those of `messages` and `sessions`, under both interpreters together.
TRAPLESS_FUZZ_TRANSPORT counts rings of both layouts and batches, under each interpreter; TRAPLESS_FUZZ_STARTS, starts.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from driver import MirrorBackend
from fuzz import _flips, batches, guided, packed, races, rings, run, starts
from fuzz._cases import Source
from hal import pure
from virtio import sync
from virtio.layout import RESULT_OK

FOLDER = pathlib.Path(__file__).parent
ROOT = FOLDER.parents[1]
INTERPRETERS = {
    "cpython": sys.executable,
    "micropython": ROOT / "build" / "micropython-unix" / "micropython",
    "sanitized": ROOT / "build" / "micropython-sanitized" / "micropython",
}
EXAMPLES = int(os.environ.get("TRAPLESS_FUZZ_EXAMPLES", "10000"))
TRANSPORT = int(os.environ.get("TRAPLESS_FUZZ_TRANSPORT", "4000"))
STARTS = int(os.environ.get("TRAPLESS_FUZZ_STARTS", "500"))
# How many cases each fuzzer does under each interpreter.
COUNTS = {
    "messages": EXAMPLES * 40 // 100,
    "sessions": EXAMPLES * 10 // 100,
    "rings": TRANSPORT // 4,
    "packed": TRANSPORT // 4,
    "batches": TRANSPORT // 2,
    "starts": STARTS,
}
# What is C under MicroPython: these also run with its sanitizers.
NATIVE = ("rings", "packed", "batches")
FLIPS = min(TRANSPORT // 4, 20_000)  # chains that another process must have spoilt, of each layout and shape
HEAP = ("-X", "heapsize=8m")
NO_LEAKS = "detect_leaks=0"  # the interpreter's heap is one block, which it does not free
CHECK_TABLE = pure.SplitQueue._check_table
ENTER = pure.SplitQueue._enter
ADD = pure.SplitQueue._add
ADD_ANY = pure.PackedQueue._add_any
ADVANCE = pure.PackedQueue._advance
SEED = os.environ.get("TRAPLESS_FUZZ_SEED", "1")

pytestmark = pytest.mark.fuzz


def ran(interpreter, *arguments, memory="/dev/zero"):
    """Run a file of this folder; return what it printed. `memory`: the file that is the memory under MicroPython."""
    command = [INTERPRETERS[interpreter], *(() if interpreter == "cpython" else HEAP), *arguments]
    environment = os.environ | {"MICROPYPATH": ".frozen", "TRAPLESS_MEMORY": str(memory), "ASAN_OPTIONS": NO_LEAKS}
    done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "interpreter"),
    [(kind, name) for kind in run.kinds() for name in INTERPRETERS if name != "sanitized" or kind in NATIVE],
)
def test_the_firmware_agrees_with_the_oracle(kind, interpreter):
    print(ran(interpreter, FOLDER / "run.py", "--seed", SEED, "--count", str(max(COUNTS[kind], 1)), kind))


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("kind", NATIVE)
def test_inputs_that_were_kept_agree_with_the_oracle(kind, interpreter):
    print(ran(interpreter, FOLDER / "run.py", "--replay", guided.SEEDS / f"{kind}.txt", kind))


@pytest.mark.parametrize("kind", NATIVE)
def test_inputs_near_those_that_were_kept_agree_with_the_oracle(kind):
    print(guided.search(kind, int(SEED), max(TRANSPORT // 100, 1), guided.read(kind)))


def test_a_failing_input_is_stored_and_can_be_replayed(monkeypatch, tmp_path):
    monkeypatch.setattr(guided, "FAILED", tmp_path)
    monkeypatch.setattr(pure.SplitQueue, "_inside", lambda queue, at, n: queue._base <= at)
    with pytest.raises(guided.Disagrees, match=r"run\.py --replay"):
        guided.search("rings", 1, 500, guided.read("rings"))
    with pytest.raises((AssertionError, RuntimeError, ValueError, IndexError)):
        run.replay(next(tmp_path.iterdir()), "rings")


@pytest.mark.parametrize("shape", ["direct", "indirect"])
@pytest.mark.parametrize("layout", ["split", "packed"])
def test_words_that_another_process_changes_are_read_once(layout, shape, tmp_path):
    memory = tmp_path / "memory"
    memory.write_bytes(bytes(_flips.SIZE))
    with subprocess.Popen([sys.executable, FOLDER / "_flips.py", "flip", memory, layout, shape]) as flipping:
        try:
            print(ran("sanitized", FOLDER / "_flips.py", "take", str(FLIPS), layout, shape, memory=memory))
            assert flipping.poll() is None, "nothing was changed any more"
        finally:
            flipping.kill()


@pytest.mark.parametrize("kind", [rings, packed])
def test_the_ring_fuzzers_meet_every_kind_of_chain(kind):
    met = kind.fuzz(1, 500)
    assert all(met[name] for name in ("returned", "malformed", "unanswerable", "broken", "interrupts", "meddled"))
    assert met["returned"] > met["malformed"] + met["unanswerable"]


def test_the_batch_fuzzer_meets_every_kind_of_batch():
    met = batches.fuzz(1, 500)
    names = (
        "batches",
        "vetoed",
        "refused",
        "unbelievable",
        "torn",
        "scrubbed",
        "failed",
        "running",
        "queue reset",
        "given back",
    )
    assert all(met[name] for name in names)


@pytest.mark.parametrize("kind", [rings, packed])
def test_the_ring_fuzzers_notice_one_wrong_byte(monkeypatch, kind):
    handle = MirrorBackend.handle

    def wrong(self, request, length, reply, room):
        size = handle(self, request, length, reply, room)
        reply[0] ^= 0x80
        return size

    monkeypatch.setattr(MirrorBackend, "handle", wrong)
    with pytest.raises(AssertionError, match="pool differs"):
        kind.fuzz(1, 200)


def test_the_batch_fuzzer_notices_one_wrong_answer():
    bench = batches.Bench(Source(1))

    def accept(entries):
        yield
        return RESULT_OK, 0

    bench.sync.registers.slices = accept
    with pytest.raises(AssertionError):
        for _ in range(200):
            bench.case()


@pytest.mark.parametrize("bench", [races.SplitBench, races.PackedBench])
def test_words_that_change_between_two_reads_do_no_harm(bench):
    met = races.fuzz(bench, 1, max(TRANSPORT // 10, 1))
    assert met["changed"] and met["returned"] and met["broken"]


def test_starts_on_every_kind_of_content():
    met = starts.fuzz(2, 100)
    assert all(met[name] for name in ("random", "previous", "zeros", "ones", "patched", "frontend first"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # A table that the pool ends in, an address that only its lower half puts there, a sum that wraps.
        ("_inside", lambda queue, at, n: queue._base <= at and at - queue._base < queue._pool.size),
        ("_inside", lambda queue, at, n: queue._base <= at and at - queue._base + n <= queue._pool.size + 1),
        ("_inside", lambda queue, at, n: 0 <= (at & 0xFFFFFFFF) - queue._base <= queue._pool.size - n),
        ("_inside", lambda queue, at, n: 0 <= at - queue._base <= queue._pool.size - n & 0xFFFFFFFF),
        ("_check_table", lambda queue, at, n: CHECK_TABLE(queue, at, 16)),
        ("_enter", lambda queue, nested, at, n, flags: ENTER(queue, False, at, n, flags)),
        ("_add", lambda queue, chain, at, n, flags: ADD(queue, chain, at, n, flags) % pure.REASON_ORDER),
    ],
)
def test_the_ring_fuzzer_notices_a_check_that_is_missing(monkeypatch, name, value):
    monkeypatch.setattr(pure.SplitQueue, name, value)
    with pytest.raises((AssertionError, RuntimeError)):
        rings.fuzz(1, 5000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_inside", lambda queue, at, n: queue._base <= at and at - queue._base + n <= queue._pool.size + 1),
        ("_inside", lambda queue, at, n: 0 <= (at & 0xFFFFFFFF) - queue._base <= queue._pool.size - n),
        ("_check_table", lambda queue, at, n: CHECK_TABLE(queue, at, 16)),
        ("_add", lambda queue, chain, at, n, flags: ADD(queue, chain, at, n, flags) % pure.REASON_ORDER),
        ("_add_any", lambda queue, chain, at, n, flags, first: ADD_ANY(queue, chain, at, n, flags, True)),
        ("_add_any", lambda queue, chain, at, n, flags, first: ADD_ANY(queue, chain, at, n, flags & ~1, first)),
        ("_break", lambda queue, reason: pure.EMPTY),
        ("_advance", lambda queue, place, n: ADVANCE(queue, place, 1)),
    ],
)
def test_the_packed_fuzzer_notices_a_check_that_is_missing(monkeypatch, name, value):
    monkeypatch.setattr(pure.PackedQueue, name, value)
    with pytest.raises((AssertionError, RuntimeError, IndexError)):
        packed.fuzz(1, 5000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_is_of", lambda sync, token: True),
        ("_is_still", lambda sync, token: True),
        ("_is_intact", lambda sync: True),
        ("_is_for_us", lambda sync: True),
    ],
)
def test_the_batch_fuzzer_notices_a_check_that_is_missing(monkeypatch, name, value):
    monkeypatch.setattr(sync.Sync, name, value)
    with pytest.raises((AssertionError, RuntimeError)):
        batches.fuzz(1, 5000)
