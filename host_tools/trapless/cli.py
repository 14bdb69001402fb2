# SPDX-License-Identifier: MIT
"""The command `trapless`. Start-up counts ("first reading within 5 s"), so modules are imported where they are used."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from trapless.errors import GuestTimeout, TraplessError

if TYPE_CHECKING:
    from trapless.pair import Options, Pair

HARNESS_FAILED = 125
TIMED_OUT = 124
_UNBOUNDED = 20 * 86400.0

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
PrintCommand = Annotated[
    bool, typer.Option("--print-command", help="Print both QEMU command lines instead of running them.")
]


def _options(kernel: Path | None, modules: Path | None, model: Path | None, add: list[Path] | None = None) -> Options:
    from trapless.pair import Options

    return Options(kernel=kernel, modules=modules, model=model, add=add or [])


def _print_commands(pair: Pair) -> None:
    for name, command in pair.commands().items():
        print(f"# {name}; sockets, region and device tree are made by the harness while it runs")
        print(shlex.join(command))


@app.command()
def run(
    kernel: Kernel = None,
    modules: Modules = None,
    model: Model = None,
    add: Add = None,
    print_command: PrintCommand = False,
) -> None:
    """Boot the pair, show what Linux sees, and give you the frontend's shell.

    Ctrl-] leaves the shell; everything is gone then. Without a terminal the commands are read from standard input.
    """
    from trapless.pair import Pair

    pair = Pair(_options(kernel, modules, model, add))
    if print_command:
        return _print_commands(pair)
    with pair:
        from rich.console import Console

        from trapless import report

        console = Console()
        with console.status("booting both machines"):
            pair.wait_ready()
            seen = report.gather(pair.frontend)
        report.show(seen, console)
        print("The backend's prompt: trapless repl (in another terminal). For scripts and files:")
        print(f"  mpremote connect {pair.backend.url} resume exec 'print(soc)'", flush=True)
        status = _shell(pair)
    raise typer.Exit(status)


def _shell(pair: Pair) -> int:
    if not sys.stdin.isatty():
        return _stream(pair, sys.stdin.read(), None)
    from trapless import terminal

    print(f"The frontend's shell follows; {terminal.ESCAPE_NAME} ends everything.", flush=True)
    size = os.get_terminal_size()
    pair.frontend.run(f"stty -F /dev/ttyAMA0 rows {size.lines} cols {size.columns}")
    terminal.attach(pair.console_path)
    print()
    return 0


def _stream(pair: Pair, command: str, timeout: float | None) -> int:
    """Run a command with its output on ours, and return its status."""

    def out(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def err(data: bytes) -> None:
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()

    return pair.frontend.run(command, timeout or _UNBOUNDED, out, err).status


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def exec_(
    command: Annotated[
        list[str], typer.Argument(help="Shell text; several words are joined with spaces, as ssh does.")
    ],
    add: Add = None,
    backend: Annotated[Path | None, typer.Option(metavar="SCRIPT.py", help="Run this on the backend first.")] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="End the command after that, with status 124.")
    ] = None,
    kernel: Kernel = None,
    modules: Modules = None,
    model: Model = None,
    print_command: PrintCommand = False,
) -> None:
    """Boot the pair headless, run a command in the frontend's shell, print exactly its output, return its status.

    Status 124: it did not end in time. Status 125: the pair did not get as far as running it.
    """
    from trapless.pair import Pair

    pair = Pair(_options(kernel, modules, model, add))
    if print_command:
        return _print_commands(pair)
    with pair:
        pair.wait_serving()
        if backend:
            sys.stderr.write(pair.backend.run(backend))
        pair.wait_ready()
        try:
            status = _stream(pair, " ".join(command), timeout)
        except GuestTimeout:
            print(f"trapless: no end of the command within {timeout:g} s", file=sys.stderr)
            status = TIMED_OUT
    raise typer.Exit(status)


@app.command()
def repl() -> None:
    """Open the prompt of the running backend; it goes on serving. Ctrl-] leaves."""
    from trapless.pair import running

    states = running()
    if not states:
        raise TraplessError("no pair is running; start one with `trapless run` in another terminal")
    from trapless.backend import interact

    raise typer.Exit(interact(states[-1]["prompt"]))


@app.command()
def status() -> None:
    """List the running pairs of this user."""
    import time

    from trapless.pair import running

    states = running()
    for state in states:
        machines = ", ".join(f"{name} {pid}" for name, pid in state["machines"].items())
        since = time.strftime("%H:%M:%S", time.localtime(state["started"]))
        print(f"pair of process {state['harness']} since {since}: {machines}")
        print(f"  backend's prompt  trapless repl, or mpremote connect {state['prompt']} resume exec ...")
        print(f"  model             {state['model']}")
        print(f"  kernel            {state['kernel']}")
    if not states:
        print("no pair is running; `trapless run` starts one")
    raise typer.Exit(0 if states else 1)


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    rounds: Annotated[int, typer.Option(help="Requests per measurement.")] = 2000,
    kernel: Kernel = None,
    modules: Modules = None,
    model: Model = None,
) -> None:
    """Measure round trips, throughput, instructions and allocations per request, start-up and sizes."""
    from trapless import bench as measure

    measure.main(_options(kernel, modules, model), rounds, as_json)


@app.command()
def devicetree(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where backend.dtb and frontend.dtb are written.")],
    source: Annotated[bool, typer.Option("--source", help="Also write them as .dts.")] = False,
    model: Model = None,
) -> None:
    """Write the device trees of both machines, to boot without the harness; tells the QEMU command for the backend."""
    from trapless import standalone

    standalone.write(out, source, model)


@app.command()
def image(model: Model = None) -> None:
    """Put the backend's Image and device tree, as .dtb and .dts, side by side; tells the QEMU command that boots them.

    What `make image` calls. The Image runs at any load address on any AArch64 machine whose device tree tells it where
    UART, interrupt controller and memory are.
    """
    from trapless import standalone

    standalone.image(model)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="The answer for programs.")] = False) -> None:
    """Tell what is missing on this machine and how to get it."""
    from trapless.setup import doctor as examine

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
