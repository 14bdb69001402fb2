# SPDX-License-Identifier: MIT
"""Both sides start on a region that holds anything (docs/transport.md, 1): random bytes, what was there, zeros, ones.

TRAPLESS_STARTS: how many times; `make soak` does it 500 times. TRAPLESS_FUZZ_SEED: with which bytes.
"""

import itertools
import os
import random
import time

import pytest

from e2e import recovery
from trapless import region

STARTS = int(os.environ.get("TRAPLESS_STARTS", "8"))
SEED = int(os.environ.get("TRAPLESS_FUZZ_SEED", "1"))
SECONDS_EACH = 60
CONTENTS = {
    "random": lambda chance, size, old: chance.randbytes(size),
    "previous": lambda chance, size, old: old,
    "zeros": lambda chance, size, old: bytes(size),
    "ones": lambda chance, size, old: b"\xff" * size,
}

pytestmark = [pytest.mark.slow, pytest.mark.not_on_xen("nobody outside reaches the region while the domains are down")]


def fill(frontend, content, chance):
    """Have the whole region of a frontend's link hold that, while neither side runs."""
    path = region.path(frontend.vm.directory, frontend.link)
    with path.open("r+b") as file:
        old = file.read()
        file.seek(0)
        file.write(CONTENTS[content](chance, len(old), old))


@pytest.mark.timeout(120 + STARTS * SECONDS_EACH)
def test_starts_on_a_region_that_holds_anything(pair, frontend):
    chance = random.Random(SEED)
    kinds = itertools.cycle(itertools.product(CONTENTS, ("backend", "frontend")))
    for start, (content, first) in zip(recovery.turns("started on any memory", STARTS), kinds, strict=False):
        frontend.check("rmmod trapless_virtio", 30)
        pair.backend_vm.host.kill()
        fill(frontend, content, chance)
        if first == "frontend":
            frontend.check(f"insmod {recovery.MODULE}")
        pair.restart_backend()
        if first == "backend":
            frontend.check(f"insmod {recovery.MODULE}")
        try:
            recovery.recovered(frontend, time.monotonic())
        except Exception as error:
            error.add_note(f"start {start} on {content}, the {first} first, seed {SEED}")
            raise
    pair.wait_probed()
