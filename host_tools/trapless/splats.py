# SPDX-License-Identifier: MIT
"""Reports of damage in a kernel's log: what counts as one, and which are known to be of Linux's own making.

`qemu/sanitizers/known.toml` lists the latter, each with a pattern and a reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from trapless.project import ROOT

KNOWN = ROOT / "qemu" / "sanitizers" / "known.toml"
BEGINNINGS = (
    r"\[ cut here \]",  # what a warning says stands between this and the line with its name
    "WARNING: ",
    "BUG: ",
    "UBSAN: ",
    "ODEBUG: ",
    "Oops",
    "Internal error: ",
    "Unable to handle kernel",
    "Call trace:",
    "refcount_t: ",
    "list_(add|del) corruption",
    "[ra]cu.*detected .*stall",
    "inconsistent lock state",
    "invalid wait context",
    "INFO: trying to register non-static key",
    "blocked for more than",
    "Kernel panic",
)
PATTERN = "|".join(BEGINNINGS)  # for grep -E as well
_BEGIN = re.compile(PATTERN)
_STAMP = re.compile(r"^(<\d+>)?\[ *[\d.]+\](\[ *[TC]\d+\])? ?")
_END = re.compile(r"^={20,}|---\[ end (trace|Kernel panic)")
_LINES_MAX = 100


class Known(NamedTuple):
    """A report that is not ours: a pattern that it holds, from its first line on, and why."""

    pattern: re.Pattern[str]
    reason: str


def reports(log: str) -> Iterator[tuple[str, str]]:
    """Yield the reports in a kernel's log: the first line as it stands there, and the text without stamps of time.

    The same report has the same first line when the log is read again, but may have more text then.
    """
    stamped = [line.strip() for line in log.splitlines()]
    lines = [_STAMP.sub("", line) for line in stamped]
    at = 0
    while at < len(lines):
        if _BEGIN.search(lines[at]):
            end = _end(lines, at + 1)
            yield stamped[at], "\n".join(lines[at:end])
            at = end
        at += 1


def _end(lines: list[str], begin: int) -> int:
    last = min(begin + _LINES_MAX, len(lines))
    return next((at for at in range(begin, last) if _END.search(lines[at])), last)


@cache
def known() -> tuple[Known, ...]:
    """Return the table of reports that are not ours."""
    entries = tomllib.loads(KNOWN.read_text()).get("known", [])
    return tuple(Known(re.compile(entry["report"], re.DOTALL), entry["reason"]) for entry in entries)


def reason(report: str) -> str:
    """Return why a report is not ours; "" if it may be."""
    return next((entry.reason for entry in known() if entry.pattern.search(report)), "")
