# SPDX-License-Identifier: MIT
"""The table of barriers in docs/models/README.md has all that are in the sources, and no other.

A barrier that is taken out of a function, or put into one, fails here, whether or not any test would miss it: most
machines that run the tests order memory by themselves.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from docs.barrier_calls import found, of_source

MODELS = Path(__file__).resolve().parents[2] / "docs" / "models"
KINDS = ("mb", "rmb", "wmb", "dsb", "load-acquire", "store-release", "exchange")
PLACE = re.compile(r"`([\w.]+)`( twice| three times| again)?")
TIMES = {"": 1, " twice": 2, " three times": 3, " again": 0}
LABEL = re.compile(r"\(`([A-Z_0-9]+)`")

CAPABILITY = "is what barriers are made of; its callers are looked at"
SIMULATION = "a machine in one process, where both sides run in one thread"
CONTROLLER = "between this CPU and its interrupt controller"
# Those that order nothing between the two sides, or are no more than a name for it.
EXCEPTIONS = {
    ("hal_mb", "exchange"): (1, CAPABILITY),
    ("hal_rmb", "load-acquire"): (1, CAPABILITY),
    ("hal_wmb", "store-release"): (1, CAPABILITY),
    ("hal_dsb", "exchange"): (1, CAPABILITY),
    ("hal_load_acquire32", "load-acquire"): (1, CAPABILITY),
    ("hal_load_acquire16", "load-acquire"): (1, CAPABILITY),
    ("hal_store_release32", "store-release"): (1, CAPABILITY),
    ("hal_store_release16", "store-release"): (1, CAPABILITY),
    ("window_load_acquire", "load-acquire"): (1, CAPABILITY),
    ("window_store_release", "store-release"): (1, CAPABILITY),
    ("window_add_release", "store-release"): (1, CAPABILITY),
    ("tpl_load_acquire", "load-acquire"): (1, CAPABILITY),
    ("tpl_store_release", "store-release"): (1, CAPABILITY),
    ("SimDoorbell.echo", "load-acquire"): (1, SIMULATION),
    ("SimDoorbell._answer", "load-acquire"): (1, SIMULATION),
    ("SimDoorbell._answer", "store-release"): (1, SIMULATION),
    ("await_disabled", "dsb"): (1, CONTROLLER),
    ("start_v3", "isb"): (2, CONTROLLER),
    ("gic_enable", "dsb"): (1, CONTROLLER),
    ("gic_end", "isb"): (1, CONTROLLER),
    ("board_wait", "dsb"): (1, "before wfi, with the timer set: the look before it has barriers of its own"),
    ("board_wait", "isb"): (1, "pending interrupts are taken there"),
    ("ivshmem_mailbox_startup", "atomic"): (1, "a client and the interrupt of the same kernel"),
    ("tpl_synchronize_cbs", "compiler"): (1, "the body of a lock that is taken and given back"),
}


def rows():
    """Yield (what, where) of each row of the table."""
    table = (MODELS / "README.md").read_text().split("| barrier | where |", 1)[1].split("\n\n", 1)[0]
    for line in table.splitlines()[2:]:
        what, where = line.strip("| ").split(" | ")[:2]
        yield what, where


def named():
    """Return how many barriers the table has, and which it names at all: (function, kind)."""
    counted, all_named = Counter(), set()
    for what, where in rows():
        kind = what.split()[0]
        assert kind in KINDS, what
        if where.startswith(("Linux, ", "none ")):  # Linux's own core, or nobody
            continue
        places = PLACE.findall(where)
        assert places, what
        for function, times in places:
            counted[function, kind] += TIMES[times]
            all_named.add((function, kind))
    return counted, all_named


def test_every_barrier_of_the_sources_is_in_the_table():
    counted, _ = named()
    excepted = Counter({place: count for place, (count, _) in EXCEPTIONS.items()})
    missing = found() - counted - excepted
    assert not missing, "not in docs/models/README.md, Barriers"


def test_every_barrier_of_the_table_and_of_the_exceptions_is_in_the_sources():
    counted, all_named = named()
    present = found()
    assert not counted + Counter({place: count for place, (count, _) in EXCEPTIONS.items()}) - present
    assert not {place for place in all_named if not present[place]}


def test_the_table_names_every_barrier_that_a_model_removes():
    removed = {
        name for entry in tomllib.loads((MODELS / "models.toml").read_text())["removed"] for name in entry["without"]
    }
    barriers = {name for name in removed if name.endswith(("MB", "_DSB", "_ACQUIRE", "_RELEASE", "_RELEASE_LOADS"))}
    labels = {label for what, _ in rows() for label in LABEL.findall(what)}
    assert labels == barriers


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (".py", "class A:\n    def f(self):\n        mb()\n        wmb  # wmb()\n", [("A.f", "mb")]),
        (
            ".py",
            "def f(w):\n    w.add_release(0, w.load_acquire(4))\n",
            [("f", "store-release"), ("f", "load-acquire")],
        ),
        (".c", "static int f(void) {\n    hal_mb(); /* rmb() */\n}\n// wmb()\n", [("f", "mb")]),
        (
            ".c",
            "int f(int a,\n\tint b)\n{\n\tvirt_store_release(&a, virt_load_acquire(&b));\n}\n",
            [("f", "store-release"), ("f", "load-acquire")],
        ),
        (".c", "int f(void) {\n    g(a, __ATOMIC_SEQ_CST);\n    dsb(sy);\n}\n", [("f", "exchange"), ("f", "dsb")]),
    ],
)
def test_barriers_are_found(suffix, text, expected):
    assert list(of_source(suffix, text)) == expected
