# SPDX-License-Identifier: MIT
"""Which SCMI messages Linux sends and which events it takes, read from its sources, kept in `linux.toml`.

A file of drivers/firmware/arm_scmi/ declares the messages of its protocol in one enum; it sends those that it names
anywhere else. Its table of events names those that it takes.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from trapless import project

DATA = project.ROOT / "docs" / "reference" / "linux.toml"

# Source file -> protocol.
_FILES = {
    "base": 0x10,
    "power": 0x11,
    "system": 0x12,
    "perf": 0x13,
    "clock": 0x14,
    "sensors": 0x15,
    "reset": 0x16,
    "voltage": 0x17,
    "powercap": 0x18,
    "pinctrl": 0x19,
}
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_COMMANDS = re.compile(r"enum scmi_\w+_protocol_cmd \{(.*?)\};", re.S)
_VALUE = re.compile(r"(\w+)\s*=\s*(0x[0-9a-fA-F]+)")
_VERSION = re.compile(r"#define SCMI_PROTOCOL_SUPPORTED_VERSION\s+(0x[0-9a-f]+)")
_EVENT = re.compile(r"\.id = (SCMI_EVENT_\w+)")

# Which of the messages that all protocols have are sent for a protocol whose source has this in it. The others are
# sent for each protocol by driver.c.
_SENT_BY_CORE = (0x0, 0x2, 0x10)
_ATTRIBUTES = 0x1


@dataclass(frozen=True)
class Use:
    """What Linux does with a protocol: the newest `version` it knows, ids of `messages` sent and of `events` taken."""

    version: int
    messages: frozenset[int]
    events: frozenset[int]


def read(tree: Path) -> dict[int, Use]:
    """Return {protocol: Use} of a kernel source tree."""
    header = (tree / "include/linux/scmi_protocol.h").read_text()
    events = {name: int(value, 16) for name, value in _VALUE.findall(header)}
    return {protocol: _use(tree / f"drivers/firmware/arm_scmi/{name}.c", events) for name, protocol in _FILES.items()}


def _use(source: Path, events: dict[str, int]) -> Use:
    text = _COMMENT.sub("", source.read_text())
    declared = _COMMANDS.search(text)
    version = _VERSION.search(text)
    assert declared and version, source
    code = text.replace(declared[0], "")
    messages = {int(number, 16) for name, number in _VALUE.findall(declared[1]) if re.search(rf"\b{name}\b", code)}
    if "PROTOCOL_ATTRIBUTES" in code:
        messages.add(_ATTRIBUTES)
    taken = frozenset(events[name] for name in _EVENT.findall(code))
    return Use(int(version[1], 16), frozenset(messages | set(_SENT_BY_CORE)), taken)


def load(data: Path = DATA) -> tuple[str, dict[int, Use]]:
    """Return the kernel version that `data` was read from, and {protocol: Use}."""
    found = tomllib.loads(data.read_text())
    uses = {
        int(protocol, 16): Use(use["version"], frozenset(use["messages"]), frozenset(use["events"]))
        for protocol, use in found["protocol"].items()
    }
    return found["kernel"], uses


def save(tree: Path, data: Path = DATA) -> None:
    """Read a kernel source tree into `data`."""
    makefile = dict(re.findall(r"^(VERSION|PATCHLEVEL) = (\d+)$", (tree / "Makefile").read_text(), re.M))
    lines = [
        "# SPDX-License-Identifier: MIT",
        "# Messages that Linux sends and events that it takes, by protocol; `version` is the newest it knows.",
        "# Read from drivers/firmware/arm_scmi/ by `python -m trapless.reference --linux TREE`.",
        "",
        f'kernel = "{makefile["VERSION"]}.{makefile["PATCHLEVEL"]}"',
    ]
    for protocol, use in sorted(read(tree).items()):
        lines += ["", f"[protocol.{protocol:#x}]", f"version = {use.version:#x}"]
        lines += [f"messages = [{_numbers(use.messages)}]", f"events = [{_numbers(use.events)}]"]
    data.write_text("\n".join(lines) + "\n")


def _numbers(numbers: frozenset[int]) -> str:
    return ", ".join(f"{number:#x}" for number in sorted(numbers))
