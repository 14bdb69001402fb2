# SPDX-License-Identifier: MIT
"""The arithmetic of the bench."""

import json
from dataclasses import asdict, replace

import pytest

from trapless import bench, fairness
from trapless.errors import TraplessError
from trapless.options import Options

LATENCY = bench.latency([1000 * n for n in range(1, 101)])
FIGURES = bench.Figures(
    100, LATENCY, LATENCY, 1.0, {1: 2000.0}, {"r": 4799.5}, {"r": 0.0}, {"a": 1}, 0.2, 470_000, 1, 2, 1 << 24, 1 << 25
)


def test_percentiles_by_nearest_rank():
    assert LATENCY == bench.Latency(1, 50, 90, 99)
    assert bench.latency([7000]) == bench.Latency(7, 7, 7, 7)


def test_what_two_counts_share_cancels_out():
    assert bench.slope(lambda requests: 500 + 3 * requests, 10, 1000) == 3


def test_figures_for_people_and_programs():
    assert json.loads(json.dumps(asdict(FIGURES)))["request_us"]["p50"] == 50
    text = bench.table({"qemu": FIGURES})
    assert "requests per second, 1 in flight" in text and "470,000 bytes" in text
    assert len({len(line) for line in text.splitlines()}) == 1, "aligned"


def test_platforms_stand_side_by_side():
    on_xen = replace(FIGURES, ratio_p50=1.5, traps={"trap: hvc": 2.0}, backend_instructions={})
    lines = {
        line[:38].strip(): line[38:].split() for line in bench.table({"qemu": FIGURES, "xen": on_xen}).splitlines()
    }
    assert lines[""] == ["qemu", "xen"]
    assert lines["round trip / floor, p50"] == ["1.00", "1.50"]
    assert lines["per request, trap: hvc"] == ["2.00"] and lines["backend instructions, r"] == ["4,800"]


def test_too_few_rounds_are_refused_before_anything_boots():
    with pytest.raises(TraplessError, match="rounds"):
        bench.main(Options(), ["qemu"], 10, False)


def test_the_tool_is_added_once():
    once = bench.with_tool(Options())
    assert bench.with_tool(once).add == once.add and len(once.add) == 1


FAIR = fairness.Fairness(LATENCY, LATENCY, 1.25, [1.0, 1.25, 9.0], 9876.0, 0.5, 0.5)


def test_fairness_is_shown_where_it_was_measured():
    text = bench.table({"qemu": replace(FIGURES, fairness=FAIR)})
    assert "1.25" in text and "9,876" in text and "50%" in text
    assert "flood" not in bench.table({"qemu": FIGURES})
    assert json.loads(json.dumps(asdict(replace(FIGURES, fairness=FAIR))))["fairness"]["ratio_p99"] == 1.25


def test_split_queues_are_shown_where_they_were_measured():
    split = bench.SplitQueues(LATENCY, 1.75, {"r": 1234.0})
    text = bench.table({"qemu": replace(FIGURES, split_queues=split)})
    assert "1.75" in text and "1,234" in text
    assert "split" not in bench.table({"qemu": FIGURES})


def test_what_a_flood_prints_becomes_a_rate():
    assert fairness.rate("5000 500000000") == 10_000
    for failed in ("", "scmi-raw: no reply in time"):
        with pytest.raises(TraplessError, match="the flood failed"):
            fairness.rate(failed)
