# SPDX-License-Identifier: MIT
"""`trapless bench`: what a request costs, in time, instructions and memory; how long the pair takes to serve.

Times, allocations and counters come from one boot. Latencies of requests and of the doorbell echo, which is their floor
(docs/transport.md, section 8), are taken in blocks that take turns, so that both meet the same machine. Instructions
are counted in a second boot with the TCG plugin, which slows a machine down. Both are done once more with split queues,
the times also with a backend that looks for more before it sleeps. Nothing is judged here: the figures depend on the
host.
"""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trapless import native, project, requests
from trapless.errors import TraplessError

if TYPE_CHECKING:
    from trapless.fairness import Fairness
    from trapless.options import Options
    from trapless.pair import Pair

TOOL = "/host/scmi-raw"
_BLOCK = 50
_DEPTHS = (1, 4, 8)
_TIMEOUT = 120.0
_TRIES = 3
_SPIN_US = 200  # some two round trips: a frontend that asks again at once finds the backend awake
_PERCENTILES = (50, 90, 99)
_RARE = 0.01  # traps per request that timers and the harness's agent explain


@dataclass(frozen=True)
class Latency:
    """Round trips in microseconds: the shortest, and percentiles."""

    min: float
    p50: float
    p90: float
    p99: float


@dataclass(frozen=True)
class SplitQueues:
    """What requests cost with split queues, where all the other figures are for packed ones."""

    request_us: Latency
    ratio_p50: float
    backend_instructions: dict[str, float]


@dataclass(frozen=True)
class Spinning:
    """What requests take when the backend looks for more during `spin_us` microseconds before it sleeps."""

    spin_us: int
    request_us: Latency
    ratio_p50: float
    requests_per_second: float


@dataclass(frozen=True)
class Figures:
    """All that is measured; times in microseconds or seconds, sizes in bytes."""

    rounds: int
    request_us: Latency
    doorbell_echo_us: Latency
    ratio_p50: float
    requests_per_second: dict[int, float]
    backend_instructions: dict[str, float]
    backend_bytes_allocated: dict[str, float]
    waited_round_trips: dict[str, int]
    seconds_to_serving: float
    image_bytes: int
    backend_heap_bytes_used: int
    backend_heap_bytes: int
    backend_private_memory_bytes: int
    backend_process_resident_bytes: int
    fairness: Fairness | None = None
    seconds_to_first_reading: float = 0.0
    traps: dict[str, float] = field(default_factory=dict)
    """Of all domains together, per request, by the hypervisor's name for them; empty where there is no hypervisor."""
    split_queues: SplitQueues | None = None
    spinning: Spinning | None = None


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest element that at least `percent` of all are not above (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def latency(nanoseconds: Sequence[int]) -> Latency:
    """Return the summary of a series."""
    ordered = sorted(value / 1000 for value in nanoseconds)
    return Latency(ordered[0], *(percentile(ordered, percent) for percent in _PERCENTILES))


def sensor(pair: Pair) -> int:
    """Return the id of the first sensor that holds still and has one value.

    Raises:
        TraplessError: the model has none.
    """
    for described in pair.platform.describe()["sensors"]:
        if isinstance(described["value"], int):
            return int(described["id"])
    raise TraplessError("the model has no sensor that holds still, so there is nothing to measure")


def with_tool(options: Options) -> Options:
    """Return options that put the measuring program into the frontend, if it is not there already."""
    tool = native.guest_program("scmi-raw")
    return options if tool in options.add else replace(options, add=[*options.add, tool])


def slope(cost: Callable[[int], float], few: int, many: int) -> float:
    """Return the cost of one more request: from two numbers of requests, so that what they share cancels out.

    What something else does meanwhile (a timer, another frontend) only adds, and is not in the least of a few tries.
    """
    first, last = (min(cost(count) for _ in range(_TRIES)) for count in (few, many))
    return (last - first) / (many - few)


def allocated(pair: Pair, messages: Sequence[str], rounds: int) -> float:
    """Return the bytes that the backend allocates for one of `messages`, sent in turn.

    The collector is off meanwhile, so that the allocated bytes only grow. What the prompt itself allocates cancels out.
    """

    def cost(requests: int) -> float:
        before = pair.backend.eval("gc.mem_alloc()")
        pair.frontend.check(_repeat(requests, messages), _TIMEOUT)
        return float(pair.backend.eval("gc.mem_alloc()") - before)

    pair.backend.exec("import gc; gc.collect(); gc.disable()")
    try:
        cost(len(messages))  # what the first ones allocate once for all is not part of the steady state
        return slope(cost, 1, rounds)
    finally:
        pair.backend.exec("gc.enable()")


def _repeat(rounds: int, messages: Sequence[str]) -> str:
    return f"{TOOL} repeat {rounds} {' '.join(messages)}"


def common_requests(pair: Pair) -> dict[str, list[str]]:
    """Return the common requests of the pair's model: messages by what they do."""
    return requests.common(pair.platform.describe())


def instructions(
    options: Options, rounds: int, pick: Callable[[Pair], dict[str, list[str]]] = common_requests
) -> dict[str, float]:
    """Boot a pair with the counting plugin; return the backend's instructions per request for each kind `pick`ed.

    On two machines of QEMU, whatever `options` say: the plugin counts what a whole QEMU does.

    Args:
        options: what to boot.
        rounds: requests of each kind.
        pick: returns messages to be sent in turn, by the name of the kind.
    """
    from trapless.pair import Pair

    with_plugin = with_tool(replace(options, platform="qemu", backend_arguments=[*options.backend_arguments]))
    pair = Pair(with_plugin)
    counter = pair.directory / "instructions"  # its name is only known now
    with_plugin.backend_arguments += ["-plugin", f"{native.counter_plugin()},counter={counter}"]

    def cost(messages: Sequence[str], count: int) -> float:
        before = _counter(counter)
        pair.frontend.check(_repeat(count, messages), _TIMEOUT)
        return _counter(counter) - before

    with pair:
        pair.wait_ready()
        found = {}
        for name, messages in pick(pair).items():
            cost(messages, rounds)  # translated blocks and caches of the guest warm up
            found[name] = slope(partial(cost, messages), rounds // 10, rounds)
        return found


def _counter(path: Path) -> float:
    return float(struct.unpack("=Q", path.read_bytes())[0])


def waited(pair: Pair) -> dict[str, int]:
    """Return the waited round trips from each device's probe to DRIVER_OK, by the device's name in Linux."""
    text = pair.frontend.check("cd /sys/kernel/debug/trapless; for f in */*/waited; do echo $f $(cat $f); done")
    rows = [line.split() for line in text.splitlines()]
    return {path.split("/")[1]: int(count) for path, count in rows}


def latencies(pair: Pair, number: int, rounds: int) -> tuple[Latency, Latency]:
    """Return the round trips of requests and of the doorbell echo, measured in turns."""
    (echo,) = pair.frontend.check("ls /sys/kernel/debug/trapless/*/echo").split()
    text = pair.frontend.check(f"{TOOL} latency {number} {rounds} {_BLOCK} {echo}", _TIMEOUT)
    series: dict[str, list[int]] = {"request": [], "echo": []}
    for line in text.splitlines():
        kind, value = line.split()
        series[kind].append(int(value))
    return latency(series["request"]), latency(series["echo"])


def throughput(pair: Pair, number: int, rounds: int, depth: int) -> float:
    """Return requests per second with `depth` of them in flight."""
    count, nanoseconds = pair.frontend.check(f"{TOOL} throughput {number} {rounds} {depth}", _TIMEOUT).split()
    return int(count) * 1e9 / int(nanoseconds)


def traps(pair: Pair, number: int, rounds: int) -> dict[str, float]:
    """Return the traps of all domains per reading of a sensor, by the hypervisor's name for them, where it counts."""
    from trapless.xen.domain import Host

    host = pair.backend_vm.host
    if not isinstance(host, Host):
        return {}
    memory = host.memory
    names = [name for name in memory.counters() if name.startswith("trap: ")]

    def cost(count: int) -> list[int]:
        before = memory.counters()
        pair.frontend.check(f"{TOOL} read {number} {count}", _TIMEOUT)
        return [value - before[name] for name, value in memory.counters().items() if name in names]

    few, many = rounds // 10, rounds
    grown = [(more - less) / (many - few) for less, more in zip(cost(few), cost(many), strict=True)]
    return {name: count for name, count in zip(names, grown, strict=True) if abs(count) >= _RARE}


def measure(options: Options, rounds: int) -> Figures:
    """Boot, measure and return everything.

    Raises:
        TraplessError: the pair does not boot, or a program is missing.
    """
    from trapless import fairness
    from trapless.pair import Pair

    with Pair(with_tool(options)) as pair:
        alone = pair.backend_vm is pair.backend_vm.host
        serving = pair.wait_serving()
        pair.wait_ready()
        number = sensor(pair)
        pair.frontend.check(f"{TOOL} read {number} 1")
        first_reading = time.monotonic() - pair.backend_vm.host.started
        pair.frontend.check(f"{TOOL} read {number} {_BLOCK}")
        request, echo = latencies(pair, number, rounds)
        used, free = pair.backend.eval("(__import__('gc').mem_alloc(), __import__('gc').mem_free())")
        first_boot: dict[str, Any] = {
            "rounds": rounds,
            "request_us": request,
            "doorbell_echo_us": echo,
            "ratio_p50": request.p50 / echo.p50,
            "requests_per_second": {depth: throughput(pair, number, rounds, depth) for depth in _DEPTHS},
            "backend_bytes_allocated": {
                name: allocated(pair, messages, rounds) for name, messages in common_requests(pair).items()
            },
            "waited_round_trips": waited(pair),
            "seconds_to_serving": serving,
            "seconds_to_first_reading": first_reading,
            "traps": traps(pair, number, rounds),
            "image_bytes": (options.backend_image or project.BACKEND_IMAGE).stat().st_size,
            "backend_heap_bytes_used": used,
            "backend_heap_bytes": used + free,
            "backend_private_memory_bytes": pair.backend_vm.machine.private,
            "backend_process_resident_bytes": pair.backend_vm.host.resident_bytes(),
            "fairness": fairness.measure(pair, rounds // 5) if len(pair.frontends) > 1 and alone else None,
        }
    counted = instructions(options, rounds) if alone else {}
    split = measure_split(options, rounds) if alone and not options.queues else None
    spinning = measure_spinning(options, rounds)
    return Figures(backend_instructions=counted, split_queues=split, spinning=spinning, **first_boot)


def measure_split(options: Options, rounds: int) -> SplitQueues:
    """Boot with split queues; return what requests cost then.

    Raises:
        TraplessError: as for `measure`.
    """
    from trapless.pair import Pair

    options = replace(options, queues="split")
    with Pair(with_tool(options)) as pair:
        pair.wait_ready()
        number = sensor(pair)
        pair.frontend.check(f"{TOOL} read {number} {_BLOCK}")
        request, echo = latencies(pair, number, rounds)
    return SplitQueues(request, request.p50 / echo.p50, instructions(options, rounds))


def measure_spinning(options: Options, rounds: int) -> Spinning:
    """Boot with a backend that spins; return what requests take then.

    Raises:
        TraplessError: as for `measure`.
    """
    from trapless.pair import Pair

    with Pair(with_tool(replace(options, spin_us=_SPIN_US))) as pair:
        pair.wait_ready()
        number = sensor(pair)
        pair.frontend.check(f"{TOOL} read {number} {_BLOCK}")
        request, echo = latencies(pair, number, rounds)
        rate = throughput(pair, number, rounds, 1)
    return Spinning(_SPIN_US, request, request.p50 / echo.p50, rate)


def main(options: Options, platforms: Sequence[str], rounds: int, as_json: bool) -> None:
    """Measure and print, on one platform after the other.

    Raises:
        TraplessError: `rounds` is too small, or as for `measure`.
    """
    if rounds < 2 * _BLOCK:
        raise TraplessError(f"--rounds must be at least {2 * _BLOCK}: latencies are taken in blocks of {_BLOCK}")
    figures = {name: measure(replace(options, platform=name), rounds) for name in platforms}
    print(json.dumps({name: asdict(found) for name, found in figures.items()}, indent=1) if as_json else table(figures))


def table(figures: Mapping[str, Figures]) -> str:
    """Return the figures as text for people, one column for each platform."""
    columns = [dict(_rows(found)) for found in figures.values()]
    names = list(dict.fromkeys(name for column in columns for name in column))
    if len(columns) > 1:
        columns = [{"": platform, **column} for platform, column in zip(figures, columns, strict=True)]
        names.insert(0, "")
    width = max(len(name) for name in names)
    lines = [[f"{column.get(name, ''):>24}" for column in columns] for name in names]
    return "\n".join(f"{name:<{width}}  {''.join(line)}" for name, line in zip(names, lines, strict=True))


def _rows(figures: Figures) -> list[tuple[str, str]]:
    rows = _times("SCMI round trip from user space", figures.request_us)
    rows += _times("doorbell echo (the floor)", figures.doorbell_echo_us)
    rows.append(("round trip / floor, p50", f"{figures.ratio_p50:.2f}"))
    for depth, rate in figures.requests_per_second.items():
        rows.append((f"requests per second, {depth} in flight", f"{rate:,.0f}"))
    rows += [(f"per request, {name}", f"{count:.2f}") for name, count in figures.traps.items()]
    rows += [(f"backend instructions, {name}", f"{count:,.0f}") for name, count in figures.backend_instructions.items()]
    rows += [
        (f"backend bytes allocated, {name}", f"{count:g}") for name, count in figures.backend_bytes_allocated.items()
    ]
    rows += [(f"waited round trips, {name}", str(count)) for name, count in figures.waited_round_trips.items()]
    rows.append(("QEMU start to serving", f"{figures.seconds_to_serving * 1000:.0f} ms"))
    rows.append(("QEMU start to Linux's first reading", f"{figures.seconds_to_first_reading * 1000:.0f} ms"))
    rows.append(("backend image", f"{figures.image_bytes:,} bytes"))
    rows.append(("backend heap used", f"{figures.backend_heap_bytes_used:,} of {figures.backend_heap_bytes:,} bytes"))
    rows.append(("backend private memory", f"{figures.backend_private_memory_bytes >> 20} MiB"))
    rows.append(("backend's QEMU, resident", f"{figures.backend_process_resident_bytes >> 20} MiB"))
    rows += _split_rows(figures.split_queues) if figures.split_queues else []
    rows += _spinning_rows(figures.spinning) if figures.spinning else []
    return rows + (_fairness_rows(figures.fairness) if figures.fairness else [])


def _spinning_rows(spinning: Spinning) -> list[tuple[str, str]]:
    how = f"backend spinning for {spinning.spin_us} us"
    rows = _times(f"SCMI round trip, {how}", spinning.request_us)
    rows.append((f"round trip / floor, p50, {how}", f"{spinning.ratio_p50:.2f}"))
    return [*rows, (f"requests per second, 1 in flight, {how}", f"{spinning.requests_per_second:,.0f}")]


def _split_rows(split: SplitQueues) -> list[tuple[str, str]]:
    rows = _times("SCMI round trip with split queues", split.request_us)
    rows.append(("round trip / floor with split queues, p50", f"{split.ratio_p50:.2f}"))
    counts = split.backend_instructions.items()
    return rows + [(f"backend instructions with split queues, {name}", f"{count:,.0f}") for name, count in counts]


def _times(name: str, found: Latency) -> list[tuple[str, str]]:
    return [(f"{name}, {key}", f"{value:.1f} us") for key, value in asdict(found).items()]


def _fairness_rows(fair: Fairness) -> list[tuple[str, str]]:
    return [
        *_times("round trip while another frontend floods", fair.flood_us),
        *_times("round trip while it burns as much time", fair.control_us),
        ("flood / control, median of the p99 of blocks", f"{fair.ratio_p99:.2f}"),
        ("requests per second of the flood", f"{fair.flood_requests_per_second:,.0f}"),
        ("processor of the flooding guest", f"{fair.flood_processor:.0%}"),
        ("processor of it in the control", f"{fair.control_processor:.0%}"),
    ]
