# SPDX-License-Identifier: MIT
"""Executes the documents: every how-to, and the transcripts of the README. In all documents, what is named is there.

A fenced block whose first line is `# file: NAME` is written to NAME in a scratch folder. In a `console` block each line
that begins with `$ ` is run there by bash, and the lines up to the next one are its expected output, in which `...`
stands for anything (on a line of its own: for any lines). A block with the info string `console no-run` is shown, not
run (interactive sessions).
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs" / "how-to"
DOCUMENTS = [ROOT / "README.md", *sorted(HOW_TO.glob("*.md"))]
FENCE = re.compile(r"^```(\S+)?([^\n]*)\n(.*?)^```$", re.S | re.M)
ALL = [path for pattern in ("*.md", "docs/**/*.md", "board/*.md") for path in sorted(ROOT.glob(pattern))]
FOLDERS = "board|docs|firmware|host_tools|linux|qemu|requirements|tests|xen"
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./,-]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
COMMAND_TIMEOUT_S = 300


def blocks(text):
    """Yield (language, options, body) of each fenced block of `text`."""
    for match in FENCE.finditer(text):
        yield match.group(1) or "", match.group(2).strip(), match.group(3)


def commands(body):
    """Yield (command, expected output) of each `$ ` line of a console block."""
    command, expected = None, []
    for line in body.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(expected)
            command, expected = line[2:], []
        elif command is not None and command.endswith("\\") and line.startswith("> "):
            command = command[:-1] + line[2:]
        else:
            expected.append(line)
    if command is not None:
        yield command, "\n".join(expected)


def pattern(expected):
    """Return the regular expression for an expected output with `...` wildcards."""
    lines = [
        ".*" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*")
        for line in expected.strip().splitlines()
    ]
    return re.compile(r"\s*" + r"\s*\n".join(lines) + r"\s*", re.S)


def run(command, folder):
    """Run one command of a document as a reader of it would, in `folder`."""
    environment = dict(
        os.environ,
        TRAPLESS=str(ROOT),
        PATH=f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        TERM="dumb",
        COLUMNS="120",
    )
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
    )


@pytest.mark.e2e
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_document(document, tmp_path):
    for language, options, body in blocks(document.read_text()):
        first, _, rest = body.partition("\n")
        if first.startswith("# file: "):
            target = tmp_path / first.removeprefix("# file: ").strip()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(rest)
        if language != "console" or "no-run" in options:
            continue
        for command, expected in commands(body):
            done = run(command, tmp_path)
            assert pattern(expected).fullmatch(done.stdout), f"$ {command}\nexpected:\n{expected}\ngot:\n{done.stdout}"


def test_every_howto_runs_something():
    for document in DOCUMENTS[1:]:
        assert any(
            kind == "console" and "no-run" not in options for kind, options, _ in blocks(document.read_text())
        ), document


def test_a_sensor_takes_five_lines():
    first = next(body for kind, _, body in blocks((HOW_TO / "add-a-sensor.md").read_text()) if kind == "python")
    lines = [line for line in first.splitlines() if line and not line.startswith("#")]
    assert "Sensor(" in first and len(lines) <= 5, first


@pytest.mark.parametrize("document", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document):
    text = document.read_text()
    missing = [name for name in NAMED.findall(text) if not (ROOT / name).exists()]
    missing += [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    assert not missing


def test_functions_of_the_linux_driver_are_called_as_the_documents_say():
    sources = "".join(path.read_text() for path in (ROOT / "linux").glob("*.c"))
    named = {name for path in ALL for name in re.findall(r"`(tpl_\w+)`", path.read_text())}
    assert named and not [name for name in named if f"{name}(" not in sources]
