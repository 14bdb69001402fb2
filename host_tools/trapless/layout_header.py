# SPDX-License-Identifier: MIT
"""Generator of `linux/trapless_layout.h` from `firmware/virtio/layout.py`, the one truth for the register pages.

Source of the numbers: docs/transport.md. Run `python host_tools/trapless/layout_header.py` after a change of the
layout.
"""

import re
import runpy
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LAYOUT = TOP / "firmware" / "virtio" / "layout.py"
HEADER = TOP / "linux" / "trapless_layout.h"

_HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from firmware/virtio/layout.py by host_tools/trapless/layout_header.py. */
#ifndef TRAPLESS_LAYOUT_H
#define TRAPLESS_LAYOUT_H
"""
_TAIL = "\n#endif /* TRAPLESS_LAYOUT_H */\n"
_CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]*) = const\((.*)\)$")


def constants(layout: Path = LAYOUT) -> dict[str, int]:
    """Return name -> value of every constant of `layout`."""
    sys.path.insert(0, str(layout.parents[1]))
    try:
        names = runpy.run_path(str(layout))
    finally:
        sys.path.pop(0)
    return {name: value for name, value in names.items() if name.isupper() and isinstance(value, int)}


def render(layout: Path = LAYOUT) -> str:
    """Return the text of the C header: one `#define TPL_<NAME>` per constant, in the order and groups of `layout`."""
    values = constants(layout)
    lines: list[str] = []
    for line in layout.read_text().splitlines():
        match = _CONSTANT.match(line)
        if match:
            lines.append(f"#define TPL_{match[1]:<24} {_literal(match[2], values[match[1]])}")
        elif line.startswith("# ") and "SPDX" not in line:
            lines += ["", f"/* {line[2:]} */"]
        elif line == "" and lines and lines[-1] != "":
            lines.append("")
    return _HEAD + re.sub(r"\n{3,}", "\n\n", "\n".join(["", *lines])).rstrip() + "\n" + _TAIL


def _literal(expression: str, value: int) -> str:
    if expression.startswith("0x"):
        return expression[:2] + expression[2:].lower()
    return f"0x{value:x}" if "<<" in expression else str(value)


if __name__ == "__main__":
    HEADER.parent.mkdir(exist_ok=True)
    HEADER.write_text(render())
