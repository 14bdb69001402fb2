# SPDX-License-Identifier: MIT
"""Which conformance tests send which message and get which status: all of them are run, and their client is watched."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from trapless import project
from trapless.model import firmware

TESTS = project.ROOT / "tests"
CONFORMANCE = TESTS / "conformance" / "scmi"

_COMMAND = 0


@dataclass(frozen=True)
class Seen:
    """A test, by `file` (its stem) and `name`, sent `message` of `protocol`, served at `version`, and got `status`."""

    file: str
    name: str
    protocol: int
    message: int
    version: int
    status: int


def run() -> list[Seen]:
    """Run the portable conformance tests of SCMI; return what they sent and got, in the order of the tests.

    Raises:
        AssertionError: a test fails.
    """
    firmware("scmi.platform")
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    client = importlib.import_module("scmi_client").Client
    found: dict[Seen, None] = {}
    for file in sorted(CONFORMANCE.glob("test_*.py")):
        if file.stem.endswith("_cpython"):
            continue
        module = _load(file)
        for name, test in vars(module).items():
            if name.startswith("test_"):
                with _watched(client, file.stem, name, found), contextlib.redirect_stdout(io.StringIO()):
                    test()
    return list(found)


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"exercised_{file.stem}", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _watched(client: Any, file: str, name: str, found: dict[Seen, None]) -> Iterator[None]:
    raw: Callable[..., int] = client.raw

    def watching(self: Any, head: int, *rest: Any, **options: Any) -> int:
        protocol, message = head >> 10 & 0xFF, head & 0xFF
        version = getattr(self.backend, "versions", {}).get(protocol)
        written = raw(self, head, *rest, **options)
        if written >= 8 and head >> 8 & 3 == _COMMAND and version is not None:
            status = self.reply[1] - (1 << 32) if self.reply[1] >> 31 else self.reply[1]
            found.setdefault(Seen(file, name, protocol, message, version, status))
        return written

    client.raw = watching
    try:
        yield
    finally:
        client.raw = raw
