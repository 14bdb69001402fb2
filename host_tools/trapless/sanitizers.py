# SPDX-License-Identifier: MIT
"""The frontend's kernels that look after themselves (`make linux-check`), and what a pair that runs one needs.

Their configurations are in `qemu/sanitizers/`; `make linux-check` builds them. With two processors two contexts of the
driver run at the same moment, not only in turns.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
ONLY_ON_QEMU = "kernels with a sanitizer run on platform qemu only: their machines are larger"


@dataclass(frozen=True)
class Sanitizer:
    """What a frontend with it has: private memory in bytes, CPUs, kernel arguments; how much slower it may be."""

    private: int
    cpus: int
    bootargs: str
    patience: float


# Looks ten times as often as by default, and ten times as long: the tests' time is the same, and the machines are slow.
_KCSAN = "kcsan.skip_watch=400 kcsan.udelay_task=1000 kcsan.udelay_interrupt=200"

SANITIZERS = {
    "kasan": Sanitizer(512 * MIB, 2, "kasan_multi_shot", 6.0),
    "kcsan": Sanitizer(256 * MIB, 2, _KCSAN, 6.0),
}
