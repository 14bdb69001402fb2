# SPDX-License-Identifier: MIT
"""Every status that the specification lists for a message is shown by a conformance test. Source: DEN0056F, 3.2 on.

The lists are in docs/reference/statuses.toml, which also says why a status cannot occur here. What the tests show is
found by running them once and watching their client.
"""

import functools

import pytest

from scmi.status import NAMES
from trapless.reference import exercise, tables

CLAUSES = tables.clauses()
CANNOT = tables.cannot()
PAIRS = [
    pytest.param(protocol, message, clause.name, status, id=f"{protocol:#x}-{clause.name}-{status}")
    for protocol, messages in CLAUSES.items()
    for message, clause in messages.items()
    for status in ("SUCCESS", *clause.statuses)
    if (clause.name, status) not in CANNOT
]


@functools.cache
def shown():
    """{(protocol, message, status): names of the tests that show it}."""
    found = {}
    for seen in exercise.run():
        found.setdefault((seen.protocol, seen.message, NAMES[seen.status]), []).append(seen.name)
    return found


@pytest.mark.parametrize(("protocol", "message", "name", "status"), PAIRS)
def test_a_test_shows_the_status(protocol, message, name, status):
    assert (protocol, message, status) in shown(), f"no conformance test gets {status} for {name}"


def test_what_cannot_occur_does_not_occur():
    numbers = {
        clause.name: (protocol, message) for protocol, all_of in CLAUSES.items() for message, clause in all_of.items()
    }
    met = [pair for pair in CANNOT if (*numbers[pair[0]], pair[1]) in shown()]
    assert not met, "docs/reference/statuses.toml says that these never occur"


def test_every_message_of_the_tables_has_a_clause():
    rows = [(protocol.ID, row[0], row[1]) for protocol in tables.protocols() for row in protocol.MESSAGES]
    listed = {
        (protocol, message, clause.name) for protocol, all_of in CLAUSES.items() for message, clause in all_of.items()
    }
    assert not set(rows) - listed, (
        "docs/reference/statuses.toml does not know these messages, or names them differently"
    )
