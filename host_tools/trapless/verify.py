# SPDX-License-Identifier: MIT
"""Search the models of the transport with Spin: `python -m trapless.verify`, which `make verify` runs.

`docs/models/models.toml` lists the searches. Spin writes a search as a C program; one runs at a time. What is compiled
and found lies in build/models.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trapless.errors import TraplessError
from trapless.project import BUILD, ROOT

MODELS = ROOT / "docs" / "models"
HANG = "hang"
NOTHING = "nothing"
_DEPTH_MAX = 100_000
_MEMORY_MB = 3500
_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Search:
    """One search: a model, the macros it is searched with, and what must be found.

    `finds` is the text of the assertion that fails, HANG (somebody waits for ever) or NOTHING. `without`: what was
    removed.
    """

    model: str
    about: str
    macros: dict[str, int | str]
    finds: str = NOTHING
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The search in one word, also the name of its folder."""
        words = (f"{key}={value}" for key, value in self.macros.items())
        return "-".join((self.model, *words))


@dataclass(frozen=True)
class Figures:
    """What a search has found (as in `Search.finds`), and what it took: states, depth in steps, seconds, megabytes."""

    found: str
    states: int
    depth: int
    seconds: float
    megabytes: float
    trail: str = field(default="", compare=False)


def searches(full: bool) -> list[Search]:
    """Return the searches that must find nothing, with the bounds of `make verify` or those of `make test`."""
    return [
        Search(entry["model"], entry["about"], entry["small"] | (entry.get("full", {}) if full else {}))
        for entry in _catalogue()["search"]
    ]


def removals() -> list[Search]:
    """Return the searches of models from which something was removed."""
    return [_removal(entry) for entry in _catalogue()["removed"]]


def _removal(entry: dict) -> Search:  # type: ignore[type-arg]
    without = tuple(entry["without"])
    macros = entry.get("macros", {}) | dict(zip(("REMOVED", "ALSO_REMOVED"), without, strict=False))
    return Search(entry["model"], f"without {' and '.join(without)}", macros, entry["finds"], without)


def _catalogue() -> dict:  # type: ignore[type-arg]
    return tomllib.loads((MODELS / "models.toml").read_text())


def run(search: Search, folder: Path = BUILD / "models") -> Figures:
    """Compile and run one search in a folder of its own below `folder`.

    Raises:
        TraplessError: Spin or the compiler is missing or fails, or the search ends without having seen everything.
    """
    place = folder / search.name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    macros = [f"-D{key}={value}" for key, value in search.macros.items()]
    _call(place, "spin", "-a", *macros, str(MODELS / f"{search.model}.pml"))
    # Where something is found at once, compiling takes longer than searching.
    speed = "-O1" if search.finds == NOTHING else "-O0"
    _call(place, "gcc", speed, "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={_MEMORY_MB}", "-o", "pan", "pan.c")
    # A search for a hang passes over assertions that fail, and the other way round.
    only = {NOTHING: [], HANG: ["-A"]}.get(search.finds, ["-E"])
    before = time.monotonic()
    output = _call(place, "./pan", f"-m{_DEPTH_MAX}", *only)
    return _figures(search, output, time.monotonic() - before, place)


def _call(place: Path, *command: str) -> str:
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except FileNotFoundError:
        raise TraplessError(f"{command[0]} is not installed: `make setup` installs it") from None
    except subprocess.TimeoutExpired:
        raise TraplessError(f"{' '.join(command)} has not ended after {_TIMEOUT_S:.0f} s in {place}") from None
    if done.returncode:
        raise TraplessError(f"`{' '.join(command)}` failed in {place}\n{done.stdout}{done.stderr}")
    return done.stdout


def _figures(search: Search, output: str, seconds: float, place: Path) -> Figures:
    if match := re.search(r"assertion violated (.*) \(at depth", output):
        found = match[1]
    elif "invalid end state (at depth" in output:
        found = HANG
    elif re.search(r"errors: 0$", output, re.MULTILINE) and "Search not completed" not in output:
        found = NOTHING
    else:
        raise TraplessError(f"the search in {place} has not seen everything\n{output}")
    return Figures(
        found,
        int(_number(r"(\d+) states, stored", output)),
        int(_number(r"depth reached (\d+)", output)),
        seconds,
        _number(r"([\d.]+)\s+total actual memory usage", output),
        f"cd {place} && ./pan -r {search.model}.pml.trail" if found != NOTHING else "",
    )


def _number(pattern: str, output: str) -> float:
    match = re.search(pattern, output)
    if not match:
        raise TraplessError(f"Spin prints no {pattern!r}:\n{output}")
    return float(match[1])


def _all(full: bool) -> Iterator[Search]:
    yield from searches(full)
    yield from removals()


def main() -> int:
    """Run every search, print a line for each; return 1 if one of them finds what it should not."""
    parser = argparse.ArgumentParser(prog="python -m trapless.verify", description="Search docs/models with Spin.")
    parser.add_argument("--small", action="store_true", help="with the bounds of `make test`")
    wrong = 0
    print(f"{'model':<10} {'states':>11} {'depth':>6} {'time':>8} {'memory':>8}  found")
    for search in _all(not parser.parse_args().small):
        figures = run(search)
        print(
            f"{search.model:<10} {figures.states:>11,} {figures.depth:>6} {figures.seconds:>6.1f} s "
            f"{figures.megabytes:>5.0f} MB  {figures.found:<28} {search.about}",
            flush=True,
        )
        if figures.found != search.finds:
            wrong += 1
            print(f"  expected: {search.finds}. Step by step: {figures.trail or 'there is no trail'}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
