# SPDX-License-Identifier: MIT
"""A page about a platform, in Markdown: what its frontends find, made from `Platform.describe()`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trapless import model, project
from trapless.errors import TraplessError


def load(name: str) -> Any:
    """Return the platform of a model.

    Args:
        name: path of a file, a module of the firmware ("models.living"), or the last part of its name ("living").

    Raises:
        TraplessError: there is no such model, or it is wrong.
    """
    if name.endswith(".py"):
        return model.load(Path(name))
    known = sorted(path.stem for path in (project.FIRMWARE / "models").glob("[!_]*.py"))
    wanted = name.removeprefix("models.")
    if wanted not in known:
        raise TraplessError(
            f"the firmware has no model {name!r}; it has {', '.join(known)}. The path of a file ends in .py"
        )
    return model.load(f"models.{wanted}")


def markdown(described: dict[str, Any]) -> str:
    """Return the page about a platform; `described`: its `Platform.describe()`."""
    version = described["implementation_version"]
    parts = [f"# {described['vendor']} {described['sub_vendor']}, implementation {version:#x}"]
    for title, head, rows in _tables(described):
        lines = list(rows)
        if lines:
            parts.append("\n".join((f"## {title}\n", _line(head), _line(["---"] * len(head)), *map(_line, lines))))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _tables(described: dict[str, Any]) -> Iterator[tuple[str, list[str], Iterable[list[Any]]]]:
    """Yield title, head and rows of each table."""
    yield "Protocols", ["id", "protocol", "version"], (_protocol(item) for item in described["protocols"])
    yield (
        "Agents",
        ["id", "name", "may set permissions"],
        ([item["id"], item["name"], _yes(item["trusted"])] for item in described["agents"]),
    )
    yield (
        "Devices",
        ["id", "name", "resources"],
        ([item["id"], item["name"], _list(item["resources"])] for item in described["devices"]),
    )
    head = ["id", "name", "unit", "value", "axes", "trip points", "update intervals in ms"]
    yield "Sensors", head, map(_sensor, described["sensors"])
    head = ["id", "name", "Hz", "can be", "state", "parent", "of", "fixed for frontends"]
    yield "Clocks", head, map(_clock, described["clocks"])
    head = ["id", "name", "state", "of", "fixed for frontends"]
    yield (
        "Power domains",
        head,
        (
            [item["id"], item["name"], item["state"], _list(item["states"]), _list(item["forbidden"])]
            for item in described["power_domains"]
        ),
    )
    head = ["id", "name", "level", "limits", "levels: power, microseconds, kHz", "unit of power", "fixed for frontends"]
    yield "Performance domains", head, map(_performance, described["performance"])
    head = ["id", "name", "µV", "can be", "state", "fixed for frontends"]
    yield "Voltages", head, map(_voltage, described["voltages"])
    head = ["id", "name", "unit", "cap", "can be", "power", "averaged over µs", "fixed for frontends"]
    yield "Power caps", head, _caps(described["power_caps"])
    head = ["id", "name", "signal", "µs at most", "fixed for frontends"]
    yield "Resets", head, map(_reset, described["resets"])
    yield from _pins(described["pins"])
    system = described["system"]
    head = ["state", "frontends may ask for"]
    yield "System power", head, [[system["state"], _list(system["states"])]] if system else []
    for name, resources in described["own"].items():
        yield f"Own protocol {name}", ["id", "name"], ([item["id"], item["name"]] for item in resources)
    head = ["name", "sensor", "trips in m°C", "read every ms", "while hot"]
    yield "Thermal zones of the frontends", head, (_zone(zone, described) for zone in described["frontend"]["zones"])


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _list(items: Iterable[Any]) -> str:
    return ", ".join(map(str, items))


def _choice(listed: Sequence[Any], limits: Sequence[int] | None) -> str:
    """A list, or (lowest, highest, step)."""
    return "{} to {} in steps of {}".format(*limits) if limits else _list(listed)


def _protocol(item: dict[str, Any]) -> list[Any]:
    return [f"{item['id']:#04x}", item["name"], f"{item['version'] >> 16}.{item['version'] & 0xFFFF}"]


def _sensor(item: dict[str, Any]) -> list[Any]:
    value = "moves" if item["value"] is None else item["value"]
    shown = _list(value) if isinstance(value, list) else value
    intervals = _choice(item["intervals"], item["interval_range"])
    return [item["id"], item["name"], item["unit"], shown, _list(item["axes"]), item["trip_points"] or "", intervals]


def _clock(item: dict[str, Any]) -> list[Any]:
    state = "on" if item["enabled"] else "off"
    rates = _choice(item["rates"], item["rate_range"])
    row = [item["id"], item["name"], item["rate"], rates, state, item["parent"] or ""]
    return [*row, _list(item["parents"]), _list(item["forbidden"])]


def _performance(item: dict[str, Any]) -> list[Any]:
    levels = "; ".join("{}: {}, {}, {}".format(*level) for level in item["levels"])
    limits = "{} to {}".format(*item["limits"])
    unit = item["power_unit"] or "none"
    return [item["id"], item["name"], item["level"], limits, levels, unit, _list(item["forbidden"])]


def _voltage(item: dict[str, Any]) -> list[Any]:
    state = "always on" if item["always_on"] else "on" if item["enabled"] else "off"
    levels = _choice(item["levels"], item["level_range"])
    return [item["id"], item["name"], item["level"], levels, state, _list(item["forbidden"])]


def _caps(caps: list[dict[str, Any]], parent: str | None = None, depth: int = 0) -> Iterator[list[Any]]:
    """Yield the rows of the caps in `parent` as a tree."""
    for item in caps:
        if item["parent"] == parent:
            lowest, highest, step = item["limits"]
            limits = _choice((), item["limits"]) if step else lowest if lowest == highest else ""
            power = "moves" if item["power"] is None else item["power"]
            row = [item["id"], "└ " * depth + item["name"], item["unit"], item["cap"] or "none", limits, power]
            yield [*row, item["interval"], _list(item["forbidden"])]
            yield from _caps(caps, item["name"], depth + 1)


def _reset(item: dict[str, Any]) -> list[Any]:
    signal = "asserted" if item["asserted"] else "released"
    latency = "" if item["latency"] is None else item["latency"]
    return [item["id"], item["name"], signal, latency, _list(item["forbidden"])]


def _pin(pin: dict[str, Any]) -> list[Any]:
    config = _list(f"{key} {value}" for key, value in pin["config"].items())
    return [pin["id"], pin["name"], config, _yes(pin["forbidden"])]


def _pins(pins: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, list[str], Iterable[list[Any]]]]:
    yield "Pins", ["id", "name", "configuration", "fixed for frontends"], map(_pin, pins["pins"])
    yield (
        "Pin groups",
        ["id", "name", "pins"],
        ([group["id"], group["name"], _list(group["pins"])] for group in pins["groups"]),
    )
    yield (
        "Pin functions",
        ["id", "name", "of"],
        ([item["id"], item["name"], _list(item.get("groups") or item["pins"])] for item in pins["functions"]),
    )


def _zone(zone: dict[str, Any], described: dict[str, Any]) -> list[Any]:
    trips = "; ".join(f"{kind} {temperature}" for temperature, kind, _ in zone["trips"])
    sensor = described["sensors"][zone["sensor"]]["name"]
    return [zone["name"], sensor, trips, zone["every"], zone["every_passive"]]
