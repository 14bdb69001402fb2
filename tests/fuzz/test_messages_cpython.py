# SPDX-License-Identifier: MIT
"""The message fuzzer itself: it meets every kind of answer, and it notices a wrong one."""

import pytest

from fuzz import messages
from scmi.model import rounding
from scmi.protocols import clock, sensor

pytestmark = pytest.mark.fuzz


def test_it_meets_every_kind_of_answer():
    met = messages.fuzz(1, 3000)
    for name in (
        "SUCCESS",
        "NOT_SUPPORTED",
        "INVALID_PARAMETERS",
        "DENIED",
        "NOT_FOUND",
        "OUT_OF_RANGE",
        "PROTOCOL_ERROR",
    ):
        assert met[name] > 10, name
    assert met["unanswerable"] > 10 and met["linked"] > 100


def test_it_notices_a_value_that_is_rounded_wrongly(monkeypatch):
    from_range = rounding.from_range
    monkeypatch.setattr(rounding, "from_range", lambda lowest, *rest: from_range(lowest + 100, *rest))
    with pytest.raises(AssertionError):
        messages.fuzz(1, 100_000)


def test_it_notices_a_status_that_is_wrong(monkeypatch):
    monkeypatch.setattr(clock, "OUT_OF_RANGE", -2)
    with pytest.raises(AssertionError):
        messages.fuzz(1, 3000)


def test_it_notices_a_page_that_counts_wrongly(monkeypatch):
    paginate = sensor.paginate

    def wrong(records, first, reply, *rest):
        written = paginate(records, first, reply, *rest)
        reply[2] += 1 << rest[2] if written > 0 else 0
        return written

    monkeypatch.setattr(sensor, "paginate", wrong)
    with pytest.raises(AssertionError):
        messages.fuzz(1, 3000)


def test_it_notices_a_request_that_is_counted_twice(monkeypatch):
    bench = messages.Bench(messages.Source(1))
    met = bench.case()
    bench.platform.agents[0].unanswerable += 1
    with pytest.raises(AssertionError):
        bench.balance(met)
