# SPDX-License-Identifier: MIT
"""The fuzzers as tests, under both interpreters. TRAPLESS_FUZZ_EXAMPLES and TRAPLESS_FUZZ_SEED: how many, which.

TRAPLESS_FUZZ_EXAMPLES counts SCMI messages: those of `messages` and `sessions`, under both interpreters together.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from fuzz import batches, rings, run
from fuzz._cases import Source
from virtio.layout import RESULT_OK

ROOT = pathlib.Path(__file__).parents[2]
INTERPRETERS = {"cpython": sys.executable, "micropython": ROOT / "build" / "micropython-unix" / "micropython"}
EXAMPLES = int(os.environ.get("TRAPLESS_FUZZ_EXAMPLES", "10000"))
# What part of it each fuzzer does under each interpreter.
SHARES = {"messages": 40, "sessions": 10, "rings": 10, "batches": 10}
HEAP = ("-X", "heapsize=8m")
SEED = os.environ.get("TRAPLESS_FUZZ_SEED", "1")

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("kind", run.kinds())
def test_the_firmware_agrees_with_the_oracle(kind, interpreter):
    command = [INTERPRETERS[interpreter], *(HEAP if interpreter == "micropython" else ())]
    count = str(max(EXAMPLES * SHARES[kind] // 100, 1))
    command += [ROOT / "tests" / "fuzz" / "run.py", "--seed", SEED, "--count", count, kind]
    environment = os.environ | {"MICROPYPATH": ".frozen"}
    done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    print(done.stdout)


def test_the_ring_fuzzer_meets_every_kind_of_chain():
    met = rings.fuzz(1, 500)
    assert all(met[name] for name in ("returned", "malformed", "unanswerable", "broken", "interrupts"))
    assert met["returned"] > met["malformed"] + met["unanswerable"]


def test_the_batch_fuzzer_meets_every_kind_of_batch():
    met = batches.fuzz(1, 500)
    assert all(met[name] for name in ("batches", "vetoed", "refused", "unbelievable", "torn", "scrubbed", "running"))


def test_the_ring_fuzzer_notices_one_wrong_byte(monkeypatch):
    handle = rings.Mirror().backend.__class__.handle

    def wrong(self, request, length, reply, room):
        size = handle(self, request, length, reply, room)
        reply[0] ^= 0x80
        return size

    monkeypatch.setattr(rings.Mirror().backend.__class__, "handle", wrong)
    with pytest.raises(AssertionError, match="pool differs"):
        rings.fuzz(1, 200)


def test_the_batch_fuzzer_notices_one_wrong_answer():
    bench = batches.Bench(Source(1))
    bench.sync.registers.apply = lambda entries: (RESULT_OK, 0)
    with pytest.raises(AssertionError):
        for _ in range(200):
            bench.case()
