# SPDX-License-Identifier: MIT
"""The two pages of docs/reference/ as text: `scmi.md`, the messages; `scmi-status.md`, their statuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trapless import project
from trapless.model import firmware
from trapless.reference import exercise, linux, tables
from trapless.reference.exercise import Seen
from trapless.reference.tables import Clause

_GENERAL = "test_scmi_bad_input"

FOLDER = project.ROOT / "docs" / "reference"

_MESSAGES_HEAD = """\
<!-- SPDX-License-Identifier: MIT -->
# SCMI messages

Made by `make reference` from the message tables in `firmware/scmi/protocols/`.

- **since**: the protocol version that brought the message, or this layout of it
- **request**, **reply**: fields behind header and status, a 32-bit word each; `name*4` is four words, `name[4]` any
  number of elements of four words
- **flags**: the bits that may be set in a field; any other bit is INVALID_PARAMETERS
- **also**: `async`: may be asked for with a delayed response; `notifies`: subscribes to that event
- **implemented**: whether the message is served
- **Linux**: sent, and events taken, by the drivers of Linux {kernel} (`linux.toml`)
- **tested by**: the files `tests/conformance/scmi/test_scmi_*.py` whose tests send it; the statuses are in
  [scmi-status.md](scmi-status.md)

Fast channels are not advertised anywhere, as virtio excludes them.
"""

_STATUS_HEAD = """\
<!-- SPDX-License-Identifier: MIT -->
# SCMI statuses

Made by `make reference` from `statuses.toml` and from a run of the conformance tests. Every status that the
specification lists is shown by a test, or it is said why this server never answers it.

Besides SUCCESS and what is listed below, any message may be answered with

| status | when |
|---|---|
| PROTOCOL_ERROR | the request is too short or too long, or no command; the reply does not fit and cannot be split |
| NOT_FOUND | the protocol has no such message at the version that is used |
| NOT_SUPPORTED | there is no such protocol; no event channel for the notification or delayed response asked for |
| INVALID_PARAMETERS | a reserved bit of a flags field is set |
| DENIED | the message names a resource of a device that the agent may not use |
| GENERIC_ERROR | a backend function failed |
| HARDWARE_ERROR | a backend function raised `scmi.status.Refusal` |

- **source** says where the list of a clause was read, as the specification's text is not part of this repository:
  N, restated in the SCMI headers of NXP's System Manager; T, checked by Arm's own test suite (scmi-tests);
  F, restated clause by clause in public formal specifications of DEN0056F; -, not at hand, taken from the clause of
  the message most like it. Clauses are those of DEN0056F; DEN0056E has 4 in place of the first 3.
- **also here** are statuses that tests met beyond that list: those of the table above, or NOT_SUPPORTED for something
  that the resource does not have
"""


def write() -> None:
    """Write both pages."""
    for name, text in render().items():
        (FOLDER / name).write_text(text)


def render() -> dict[str, str]:
    """Return {name of a page: its text}."""
    seen = exercise.run()
    return {"scmi.md": messages(seen), "scmi-status.md": statuses(seen)}


def messages(seen: list[Seen]) -> str:
    """Return `scmi.md`."""
    kernel, used = linux.load()
    listed = tables.clauses()
    parts = [_MESSAGES_HEAD.format(kernel=kernel)]
    for protocol in tables.protocols():
        here = [item for item in seen if item.protocol == protocol.ID]
        parts.append(_protocol(protocol, listed[protocol.ID], used[protocol.ID], here))
    return "\n".join(parts)


def _protocol(protocol: Any, listed: dict[int, Clause], used: linux.Use, seen: list[Seen]) -> str:
    served = ", ".join(_version(version) for version in protocol.VERSIONS)
    lines = [
        f"## {protocol.ID:#x} {protocol.NAME}",
        "",
        f"Versions: {served}. Linux knows {_version(used.version)}.",
        "",
        "| id | message | since | request | reply | flags | also | implemented | Linux | tested by |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number in sorted(listed):
        rows = sorted((row for row in protocol.MESSAGES if row[0] == number), key=lambda row: row[2])
        by_linux = _yes(number in used.messages)
        for row in rows:
            here = [item for item in seen if tables.row_at(protocol, item.message, item.version) is row]
            files = sorted({item.file.removeprefix("test_scmi_") for item in here})
            lines.append(_table_row([*_message(protocol, row), "yes", by_linux, ", ".join(files)]))
        if not rows:
            lines.append(_table_row([f"{number:#x}", listed[number].name, "", "", "", "", "", "no", by_linux, ""]))
    if protocol.EVENTS:
        lines += ["", "| id | event | since | payload | Linux |", "|---|---|---|---|---|"]
        for number, _, name, since, fields, _ in protocol.EVENTS:
            cells = [f"{number:#x}", name, _version(since), " ".join(fields), _yes(number in used.events)]
            lines.append(_table_row(cells))
    return "\n".join(lines) + "\n"


def _message(protocol: Any, row: Any) -> list[str]:
    number, name, since, request, reply, _, flags, _, asynchronous, notifies, _ = row
    events = {event[0]: event[2] for event in protocol.EVENTS}
    also = ["async"] if asynchronous else []
    if notifies is not None:
        also.append(f"notifies {events.get(notifies, f'{notifies:#x}')}")
    bits = f"{flags[0]}: {flags[1]:#x}" if flags else ""
    return [f"{number:#x}", name, _version(since), " ".join(request), " ".join(reply), bits, ", ".join(also)]


def statuses(seen: list[Seen]) -> str:
    """Return `scmi-status.md`."""
    parts = [_STATUS_HEAD]
    listed = tables.clauses()
    for protocol in tables.protocols():
        lines = [
            f"## {protocol.ID:#x} {protocol.NAME}",
            "",
            "| message | clause | source | status | shown by | also here |",
            "|---|---|---|---|---|---|",
        ]
        for number, clause in sorted(listed[protocol.ID].items()):
            here = [item for item in seen if (item.protocol, item.message) == (protocol.ID, number)]
            lines += _statuses_of(clause, here)
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _statuses_of(clause: Clause, seen: list[Seen]) -> Iterable[str]:
    names = firmware("scmi.status").NAMES
    met = {names[item.status] for item in seen}
    wanted = ("SUCCESS", *clause.statuses)
    extra = ", ".join(sorted(met - set(wanted) - {"PROTOCOL_ERROR"}))
    first = [clause.name, clause.clause, clause.source]
    for status in wanted:
        shown = tests_for(clause, [item for item in seen if names[item.status] == status])
        cell = f"`{shown[0].file}`: `{shown[0].name}`" if shown else _reason(clause, status)
        yield _table_row([*first, status, cell, extra])
        first, extra = ["", "", ""], ""


def _reason(clause: Clause, status: str) -> str:
    return f"never: {tables.cannot().get((clause.name, status), 'NOT TESTED')}"


def tests_for(clause: Clause, seen: list[Seen]) -> list[Seen]:
    """Return what shows a status of a message: first the tests that have its clause in their names, those that try
    all messages alike last."""
    prefix = f"test_{clause.clause.replace('.', '_')}_"

    def rank(item: Seen) -> tuple[bool, bool, int, str, str]:
        return (not item.name.startswith(prefix), item.file == _GENERAL, -item.version, item.file, item.name)

    return sorted(seen, key=rank)


def _version(version: int) -> str:
    return f"{version >> 16}.{version & 0xFFFF}"


def _yes(holds: bool) -> str:
    return "yes" if holds else ""


def _table_row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
