# SPDX-License-Identifier: MIT
"""Finds the barriers of both implementations in their sources: which function has how many of which kind."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("firmware/**/*.py", "board/modules/hal/*.[ch]", "board/irq.c", "board/drivers/gic.c", "linux/**/*.[ch]")
# What a call is named in Python, and the kind of barrier that it is.
PYTHON = {
    "mb": "mb",
    "rmb": "rmb",
    "wmb": "wmb",
    "dsb": "dsb",
    "load_acquire": "load-acquire",
    "store_release": "store-release",
    "add_release": "store-release",
}
# The same in C: a call, or the argument that makes an atomic access a barrier.
C = {
    "mb": r"(?:hal_|virt_|smp_)?mb\(|\b__(?:virt|smp)_mb\(",
    "rmb": r"(?:hal_|virt_|smp_|dma_)?rmb\(",
    "wmb": r"(?:hal_|virt_|smp_|dma_)?wmb\(",
    "dsb": r"(?:hal_)?dsb\(",
    "isb": r"isb\(",
    "load-acquire": r"\w+_load_acquire(?:16|32)?\(|__ATOMIC_ACQUIRE\b",
    "store-release": r"\w+_store_release(?:16|32)?\(|__ATOMIC_RELEASE\b",
    "exchange": r"__ATOMIC_(?:SEQ_CST|ACQ_REL)\b",
    "atomic": r"smp_mb__(?:before|after)_atomic\(",
    "compiler": r"barrier\(\)",
}
C_CALL = re.compile("|".join(rf"(?P<k{at}>\b(?:{pattern}))" for at, pattern in enumerate(C.values())))
C_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
# Both styles of C here begin a function, and nothing else with a bracket, in the first column.
C_FUNCTION = re.compile(r"(?:#define )?(?:[A-Za-z_][\w *]*[ *])?(\w+)\(")


def found():
    """Return a Counter of (function, kind): a method with its class, a function of C by its name alone."""
    calls = Counter()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if not path.name.endswith(".mod.c"):  # a product of the build
                calls.update(of_source(path.suffix, path.read_text()))
    return calls


def of_source(suffix, text):
    """Yield (function, kind) for each barrier in the text of a file with this suffix."""
    yield from _of_python(ast.parse(text), ()) if suffix == ".py" else _of_c(text)


def _of_python(node, names):
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        names = (*names, node.name)
    if isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", None))
        if called in PYTHON:
            yield ".".join(names), PYTHON[called]
    for child in ast.iter_child_nodes(node):
        yield from _of_python(child, names)


def _of_c(text):
    function = ""
    for line in C_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text).splitlines():
        head = C_FUNCTION.match(line)
        if head:
            function = head[1]
            line = line[head.end() :]
        for call in C_CALL.finditer(line):
            yield function, list(C)[int(call.lastgroup[1:])]
