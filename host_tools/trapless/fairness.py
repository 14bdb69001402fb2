# SPDX-License-Identifier: MIT
"""What a flood of one frontend does to the requests of another one.

A flood costs the other frontend two things: its turns at the backend, which the backend decides, and processor time of
the host, which it does not. So each block of the measurement is taken twice: while the second frontend floods, and
while it uses as much processor time without sending anything. The ratio of both is what the backend is answerable for.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trapless.bench import TOOL, Latency, latency, percentile, sensor
from trapless.errors import TraplessError

if TYPE_CHECKING:
    from trapless.frontend import Frontend
    from trapless.pair import Pair

DEPTH = 16
BLOCKS = 5
_TIMEOUT = 120.0
_OUTPUT = "/tmp/load"  # noqa: S108 (in the guest)


@dataclass(frozen=True)
class Fairness:
    """Round trips of one frontend in microseconds while the other one floods, and in the control run.

    `ratio_p99` is the median over all blocks of p99 under the flood / p99 in the control. `flood_requests_per_second`
    is what the flooding frontend got through; both `..._processor` are its shares of one processor of the host.
    """

    flood_us: Latency
    control_us: Latency
    ratio_p99: float
    ratios_p99: list[float]
    flood_requests_per_second: float
    flood_processor: float
    control_processor: float


@dataclass
class _Load:
    """What a load printed in the end, and its share of a processor."""

    printed: str = ""
    processor: float = 0.0


@contextmanager
def _loaded(frontend: Frontend, verb: str) -> Iterator[_Load]:
    """Run the measuring program with `verb` in the background of a frontend while the block runs."""
    seen = _Load()
    process = frontend.check(f"{TOOL} {verb} >{_OUTPUT} 2>&1 & echo $!")
    begin, used = time.monotonic(), frontend.vm.host.cpu_seconds()
    try:
        yield seen
        seen.processor = (frontend.vm.host.cpu_seconds() - used) / (time.monotonic() - begin)
    finally:
        stop = f"kill {process}; while kill -0 {process} 2>/dev/null; do usleep 2000; done; cat {_OUTPUT}"
        seen.printed = frontend.run(stop).text


@dataclass
class _Series:
    """The blocks of one kind of run."""

    nanoseconds: list[int] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    def take(self, quiet: Frontend, request: str, busy: Frontend, verb: str) -> None:
        """Measure one block: `request` in the one frontend while `verb` loads the other one."""
        with _loaded(busy, verb) as load:
            text = quiet.check(request, _TIMEOUT)
        taken = [int(line.split()[1]) for line in text.splitlines()]
        self.nanoseconds += taken
        self.p99.append(percentile(sorted(taken), 99))
        self.processor.append(load.processor)
        self.printed.append(load.printed)


def measure(pair: Pair, rounds: int, blocks: int = BLOCKS) -> Fairness:
    """Measure how the first frontend fares while the second one floods.

    Args:
        pair: a running pair with the measuring program in its frontends.
        rounds: requests per block.
        blocks: how often both kinds of run take turns.

    Raises:
        TraplessError: the pair has one frontend only, or the flood failed.
    """
    if len(pair.frontends) < 2:
        raise TraplessError("fairness needs two frontends: --topology two-frontends")
    quiet, busy = list(pair.frontends.values())[:2]
    number = sensor(pair)
    request = f"{TOOL} latency {number} {rounds} {rounds}"
    verb = f"flood {number} {DEPTH}"
    _Series().take(quiet, request, busy, verb)  # translated blocks and caches of the guests warm up
    flood, control = _Series(), _Series()
    for _ in range(blocks):
        flood.take(quiet, request, busy, verb)
        percent = min(100, max(1, round(100 * flood.processor[-1])))
        control.take(quiet, request, busy, f"burn {percent}")
    ratios = [under / without for under, without in zip(flood.p99, control.p99, strict=True)]
    return Fairness(
        flood_us=latency(flood.nanoseconds),
        control_us=latency(control.nanoseconds),
        ratio_p99=statistics.median(ratios),
        ratios_p99=ratios,
        flood_requests_per_second=statistics.median(rate(printed) for printed in flood.printed),
        flood_processor=statistics.median(flood.processor),
        control_processor=statistics.median(control.processor),
    )


def rate(printed: str) -> float:
    """Return requests per second from what a flood printed."""
    words = printed.split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        raise TraplessError(f"the flood failed: {printed}")
    return int(words[0]) * 1e9 / int(words[1])
