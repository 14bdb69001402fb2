# SPDX-License-Identifier: MIT
"""The command `trapless`. Start-up counts ("first reading within 5 s"), so modules are imported where they are used."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trapless.errors import GuestTimeout, TraplessError
from trapless.project import program

if TYPE_CHECKING:
    from trapless.frontend import Frontend
    from trapless.options import Options
    from trapless.pair import Pair

HARNESS_FAILED = 125
TIMED_OUT = 124
_UNBOUNDED = 20 * 86400.0
_RESIZE_TIMEOUT = 5.0

app = typer.Typer(
    name="trapless",
    help="Boot a Linux guest and the MicroPython backend that serves it over shared memory; look, run, measure.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Kernel = Annotated[
    Path | None, typer.Option(metavar="IMAGE", help="arm64 Image of the frontend instead of the built one.")
]
Modules = Annotated[Path | None, typer.Option(metavar="DIR", help="Directory with *.ko for that kernel.")]
Model = Annotated[
    Path | None, typer.Option(metavar="FILE.py", help="Platform description instead of models/default.py.")
]
Add = Annotated[
    list[Path] | None, typer.Option(metavar="FILE", help="Copy to /host/ in the frontend; may be repeated.")
]
Topology = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Machines and links: two-frontends, polled, or a file like qemu/topology.toml."),
]
Queues = Annotated[
    str | None,
    typer.Option(metavar="packed|split", help="Layout of the virtqueues; packed if the topology says nothing."),
]
Platform = Annotated[
    str,
    typer.Option(
        metavar="qemu|xen", envvar="TRAPLESS_PLATFORM", help="Two machines of QEMU, or domains of one Xen under QEMU."
    ),
]
FrontendName = Annotated[
    str | None, typer.Option("--frontend", metavar="NAME", help="Which frontend, if not the first of the topology.")
]
PairOf = Annotated[
    int | None, typer.Option(metavar="PROCESS", help="Which pair, if several run; `trapless status` lists them.")
]
PlatformOf = Annotated[
    str | None, typer.Option("--platform", metavar="qemu|xen", help="Only pairs that run on this platform.")
]
PrintCommand = Annotated[
    bool, typer.Option("--print-command", help="Print the QEMU command lines instead of running them.")
]


def _options(
    platform: str,
    kernel: Path | None,
    modules: Path | None,
    model: Path | None,
    topology: str | None,
    queues: str | None,
    add: list[Path] | None = None,
) -> Options:
    from trapless.options import Options

    return Options(platform, kernel, modules, topology, queues, model, add or [])


def _print_commands(pair: Pair) -> None:
    from trapless.standalone import lines

    print(
        "# The harness makes the files and sockets below while it runs; `trapless image` leaves a pair to boot by hand."
    )
    for name, command in pair.commands().items():
        print(f"# {name}\n{lines(command)}")


@app.command()
def run(
    platform: Platform = "qemu",
    kernel: Kernel = None,
    modules: Modules = None,
    model: Model = None,
    add: Add = None,
    topology: Topology = None,
    queues: Queues = None,
    frontend: FrontendName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what Linux sees as JSON and end.")] = False,
    print_command: PrintCommand = False,
) -> None:
    """Boot the pair; show what Linux sees, then its shell.

    Ctrl-] leaves the shell; everything is gone then. Without a terminal the commands are read from standard input.
    """
    from trapless.pair import Pair

    pair = Pair(_options(platform, kernel, modules, model, topology, queues, add))
    chosen = pair.named(frontend)
    if print_command:
        return _print_commands(pair)
    with pair:
        from rich.console import Console

        from trapless import report

        console = Console(stderr=as_json)
        with console.status("booting the machines"):
            pair.wait_ready()
            seen = {name: report.gather(found) for name, found in pair.frontends.items()}
        if as_json:
            return print(report.as_json(seen, pair))
        for name, found in seen.items():
            report.show(found, console, report.title(pair.frontends[name]) if len(seen) > 1 else "")
        _say_how_to_reach(pair, chosen)
        status = _shell(chosen)
    raise typer.Exit(status)


def _say_how_to_reach(pair: Pair, shown: Frontend) -> None:
    print(f"The backend's prompt, in another terminal: {program('trapless')} repl. For scripts and files:")
    print(f"  {program('mpremote')} connect {pair.backend.url} resume exec 'print(soc)'")
    for name in pair.frontends:
        if name != shown.name:
            print(f"The shell of the {name}, in another terminal: {program('trapless')} console --frontend {name}")
    sys.stdout.flush()


def _shell(frontend: Frontend) -> int:
    if not sys.stdin.isatty():
        return _stream(frontend, sys.stdin.read(), None)
    from trapless import terminal

    print(f"The shell of the {frontend.name} follows; {terminal.ESCAPE_NAME} ends everything.", flush=True)

    def resized(size: os.terminal_size) -> None:
        with suppress(TraplessError):  # it may be just ending, or busy with a command that timed out
            frontend.run(f"stty -F {frontend.terminal} rows {size.lines} cols {size.columns}", _RESIZE_TIMEOUT)

    left = terminal.attach(frontend.vm.console_path, resized)
    print("\nAll machines are ended." if left else f"\nThe {frontend.name} has ended; all others are ended too.")
    return 0


def _stream(frontend: Frontend, command: str, timeout: float | None) -> int:
    """Run a command with its output on ours, and return its status."""

    def out(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def err(data: bytes) -> None:
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()

    return frontend.run(command, _UNBOUNDED if timeout is None else timeout, out, err).status


@app.command(name="exec", context_settings={"allow_interspersed_args": False})
def exec_(
    command: Annotated[
        list[str], typer.Argument(help="Shell text; several words are joined with spaces, as ssh does.")
    ],
    add: Add = None,
    backend: Annotated[Path | None, typer.Option(metavar="SCRIPT.py", help="Run this on the backend first.")] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.001, help="End the command after that, with status 124.")
    ] = None,
    platform: Platform = "qemu",
    kernel: Kernel = None,
    modules: Modules = None,
    model: Model = None,
    topology: Topology = None,
    queues: Queues = None,
    frontend: FrontendName = None,
    print_command: PrintCommand = False,
) -> None:
    """Run a command in the frontend of a fresh pair.

    Boots headless, runs the command in Linux's shell, prints exactly its output and returns its status. Options come
    before the command. What the script for the backend prints goes to standard error.

    Status 124: it did not end in time. Status 125: the pair did not get as far as running it.
    """
    from trapless.pair import Pair

    if backend and (backend.is_dir() or not backend.exists()):
        raise TraplessError(f"no such script for the backend: {backend}")
    pair = Pair(_options(platform, kernel, modules, model, topology, queues, add))
    chosen = pair.named(frontend)
    if print_command:
        return _print_commands(pair)
    with pair:
        pair.wait_serving()
        if backend:
            sys.stderr.write(pair.backend.run(backend, timeout).replace("\r\n", "\n"))
        pair.wait_ready()
        try:
            status = _stream(chosen, " ".join(command), timeout)
        except GuestTimeout:
            print(f"trapless: no end of the command within {timeout:g} s", file=sys.stderr)
            status = TIMED_OUT
    raise typer.Exit(status)


@app.command()
def repl(pair: PairOf = None, platform: PlatformOf = None) -> None:
    """Open the prompt of the running backend.

    It goes on serving meanwhile. Ctrl-] leaves; Ctrl-C interrupts what runs at the prompt, Ctrl-D restarts the backend.
    """
    from trapless import running
    from trapless.backend import interact

    raise typer.Exit(interact(_choose(running.states(platform), pair, "repl")["prompt"]))


@app.command()
def console(pair: PairOf = None, platform: PlatformOf = None, frontend: FrontendName = None) -> None:
    """Open the shell of a frontend that runs.

    Ctrl-] leaves; the frontend goes on. One terminal at a time has it: what `trapless run` shows is taken. Linux
    learns the size of this terminal by `stty rows R cols C` only.
    """
    from trapless import running, terminal

    state = _choose(running.states(platform), pair, "console")
    path = _console_of(state["frontends"], frontend)
    if not sys.stdin.isatty():
        raise TraplessError("a console needs a terminal; `trapless exec` runs commands without one")
    print(f"{terminal.ESCAPE_NAME} leaves. If nothing shows, another terminal has this shell.", flush=True)
    left = terminal.attach(path, lambda size: None)
    print("\nThe frontend goes on." if left else "\nThe frontend has ended.")


def _console_of(frontends: list[dict[str, Any]], name: str | None) -> Path:
    consoles = {found["name"]: Path(found["console"]) for found in frontends}
    wanted = next(iter(consoles), "") if name is None else name
    if wanted not in consoles:
        raise TraplessError(f"no frontend {wanted!r} runs in that pair; it has {', '.join(consoles) or 'none'}")
    return consoles[wanted]


def _choose(states: list[dict[str, Any]], harness: int | None, command: str) -> dict[str, Any]:
    found = [state for state in states if harness in (None, state["harness"])]
    if len(found) == 1:
        return found[0]
    if not states:
        raise TraplessError("no pair is running; start one with `trapless run` in another terminal")
    ways = "\n".join(
        f"  {program('trapless')} {command} --pair {state['harness']}  # {_summary(state)}" for state in states
    )
    what = "several pairs are running" if found else f"no pair belongs to process {harness}"
    raise TraplessError(f"{what}; choose one:\n{ways}")


def _summary(state: dict[str, Any]) -> str:
    import time

    since = time.strftime("%H:%M:%S", time.localtime(state["started"]))
    return f"{state['model']} on {state['platform']}, since {since}, in {state['folder']}"


@app.command()
def status(
    platform: PlatformOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer for programs.")] = False,
) -> None:
    """List the running pairs of this user.

    For each frontend also whether it and the backend beat, what it has given back of its pool, the state of its
    devices, how often the backend has seen it come and a device fail since the backend started, and how often and how
    fast it came back after its link broke (docs/transport.md, 2, 3, 4.9 and 10).
    """
    from trapless import region, running

    states = running.states(platform)
    frontends = [found for state in states for found in state["frontends"] if "hearts" in found]
    for found, beats in zip(frontends, region.beats(frontends), strict=True):
        found["beats"] = beats
    for found in frontends:
        with suppress(FileNotFoundError):  # of its pair; the others are still there
            found["given_back"] = region.given_back(found) if "pool" in found else 0
            found["counts"] = region.counts(found) if "devices" in found else None
    if as_json:
        print(json.dumps(states, indent=1))
    for state in () if as_json else states:
        machines = ", ".join(f"{name} {pid}" for name, pid in state["machines"].items())
        print(f"pair of process {state['harness']}: {_summary(state)}")
        print(f"  machines          {machines}")
        print(f"  kernel            {state['kernel']}")
        for found in state["frontends"]:
            agent = f"agent {found['agent']['id']} {found['agent']['name']}"
            way = f"{program('trapless')} console --pair {state['harness']} --frontend {found['name']}"
            print(f"  {found['name']:<16}  {agent}, link {found['link']}: {way}")
            if found.get("beats"):
                hearts = ", ".join(f"{side} {'beats' if on else 'silent'}" for side, on in found["beats"].items())
                print(f"                    heartbeats: {hearts}")
            if found.get("given_back"):
                kib = found["pool"]["size"] >> 10
                print(f"                    pool: {found['given_back'] >> 10} of {kib} KiB given back")
            for line in _count_lines(found.get("counts")):
                print(f"                    {line}")
        print(f"  backend's prompt  {program('trapless')} repl --pair {state['harness']}")
        print(f"                    {program('mpremote')} connect {state['prompt']} resume exec ...")
    if not states and not as_json:
        print("no pair is running; `trapless run` starts one")
    raise typer.Exit(0 if states else 1)


def _count_lines(counts: dict[str, Any] | None) -> Iterator[str]:
    """Yield what `region.counts` has found, as a table of the devices and a line about the link."""
    if counts is None:
        return
    yield f"{'device':<8}{'state':<15}{'lives':>5}  {'attached':>8}  {'failed':>6}   (since the backend started)"
    for device in counts["devices"]:
        row = f"{device['kind']:<8}{device['state']:<15}{device['lives']:>5}  {device['attached']:>8}"
        yield f"{row}  {device['failed']:>6}"
    last = f", the last one in {counts['recovery_ms']} ms" if counts["recoveries"] else ""
    yield f"recoveries: {counts['recoveries']}{last}"


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    rounds: Annotated[int, typer.Option(help="Requests per measurement.")] = 2000,
    platform: Annotated[
        str | None, typer.Option(metavar="qemu|xen", help="On this platform only, instead of one after the other.")
    ] = None,
    kernel: Kernel = None,
    modules: Modules = None,
    model: Model = None,
    topology: Topology = None,
    queues: Queues = None,
) -> None:
    """Boot the pair on each platform and measure it.

    Round trips and their floor, requests per second, instructions and allocations per request, start-up, memory. With
    several frontends (--topology two-frontends) also what a flood from the second one does to the first one.
    """
    from trapless import bench as measure
    from trapless.options import PLATFORMS

    platforms = [platform] if platform else PLATFORMS
    measure.main(_options(platforms[0], kernel, modules, model, topology, queues), platforms, rounds, as_json)


@app.command()
def image(
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to, instead of build/image.")] = None,
    platform: Platform = "qemu",
    model: Model = None,
    topology: Topology = None,
) -> None:
    """Leave what boots without the harness.

    Images, device trees (.dtb and .dts), initrds, and a script per machine with the QEMU command that boots it. The
    backend's Image runs at any load address on any AArch64 machine whose device tree tells it where UART, interrupt
    controller and memory are.
    """
    from trapless import standalone

    standalone.write(out or standalone.IMAGE, _options(platform, None, None, model, topology, None))


@app.command()
def describe(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="A file, or a model of the firmware: default, minimal, living.")
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
    platform: Platform = "qemu",
) -> None:
    """Print a page about a platform, in Markdown. It is the same wherever the machines run.

    It says what frontends find: protocols with versions, agents, devices, sensors, clocks, domains, caps, pins, zones.
    """
    from trapless import describe as page
    from trapless.options import Options

    Options(platform).check()
    described = page.load(name).describe()
    print(json.dumps(described, indent=1) if as_json else page.markdown(described), end="\n" if as_json else "")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The answer for programs.")] = False,
    platform: Platform = "qemu",
) -> None:
    """Tell what is missing on this machine and how to get it.

    Every platform is set up, so the answer is the same for all.
    """
    from trapless.options import Options
    from trapless.setup import doctor as examine

    Options(platform).check()
    raise typer.Exit(examine(as_json))


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Run the command line; returns the exit status. Errors that a person can act on are printed without a traceback.

    Signals become SystemExit, so that every `with` cleans up: 130 after Ctrl-C, 143 after SIGTERM.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminated)
    try:
        app()
    except TraplessError as error:
        print(f"trapless: {error}", file=sys.stderr)
        return HARNESS_FAILED
    return 0
