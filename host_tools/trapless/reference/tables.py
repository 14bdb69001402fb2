# SPDX-License-Identifier: MIT
"""The message tables of the firmware, and the statuses that the specification lists (`statuses.toml`)."""

from __future__ import annotations

import pkgutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trapless import project
from trapless.model import firmware

STATUSES = project.ROOT / "docs" / "reference" / "statuses.toml"


@dataclass(frozen=True)
class Clause:
    """What the specification says of a message: `statuses` besides SUCCESS; `source`: letters of `statuses.toml`."""

    name: str
    clause: str
    statuses: tuple[str, ...]
    source: str


def protocols() -> list[Any]:
    """Return the protocol classes of the firmware by number."""
    package = firmware("scmi.protocols")
    base: Any = firmware("scmi.protocols.common").Protocol
    found: dict[int, Any] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kinds: list[Any] = [
            kind for kind in vars(firmware(f"scmi.protocols.{module.name}")).values() if _is(kind, base)
        ]
        found |= {kind.ID: kind for kind in kinds}
    return [found[number] for number in sorted(found)]


def _is(kind: Any, base: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, base) and kind is not base


def row_at(protocol: Any, message: int, version: int) -> Any:
    """Return the row of a message that counts at a version, or None."""
    rows = [row for row in protocol.MESSAGES if row[0] == message and row[2] <= version]
    return max(rows, key=lambda row: row[2], default=None)


def clauses(data: Path = STATUSES) -> dict[int, dict[int, Clause]]:
    """Return {protocol: {message: Clause}}."""
    listed = tomllib.loads(data.read_text())["protocol"]
    return {
        int(protocol, 16): {
            int(message, 16): Clause(name, clause, tuple(statuses.split()), source)
            for message, (name, clause, statuses, source) in messages.items()
        }
        for protocol, messages in listed.items()
    }


def cannot(data: Path = STATUSES) -> dict[tuple[str, str], str]:
    """Return {(message, status): why this server never answers it}."""
    found = tomllib.loads(data.read_text())["cannot"]
    return {(pair.split()[0], pair.split()[1]): reason for pair, reason in found.items()}
