# SPDX-License-Identifier: MIT
"""What Linux sees of the platform, as tables: SCMI devices, sensors with values, clocks.

Everything is read in one go by a shell script in the frontend, from sysfs and debugfs; `read` instead of `cat` saves
it some hundred forks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trapless.errors import MachineError

if TYPE_CHECKING:
    from rich.console import Console

    from trapless.frontend import Frontend
    from trapless.pair import Pair

_GATHER = r"""
get() { value=; [ -r "$1" ] && read -r value < "$1"; }
for d in /sys/bus/scmi_protocol/devices/*; do
  [ -e "$d/of_node/reg" ] || continue
  driver=$(readlink "$d/driver")
  printf 'device\t0x%s\t%s\t%s\n' "$(od -An -tx1 "$d/of_node/reg" | tr -d ' ')" "${d##*/}" "${driver##*/}"
done
for i in /sys/class/hwmon/hwmon*/*_input; do
  [ -e "$i" ] || continue
  get "${i%/*}/name"; chip=$value; get "${i%_input}_label"; label=$value; get "$i"
  printf 'sensor\t%s\t%s\t%s\t%s\n' "$chip" "${i##*/}" "$label" "$value"
done
for i in /sys/bus/iio/devices/iio:device*/in_*_raw; do
  [ -e "$i" ] || continue
  get "${i%/*}/name"; label=$value; get "${i%_raw}_scale"; scale=$value; get "$i"
  printf 'sensor\t%s\t%s\t%s\t%s\t%s\n' iio "${i##*/}" "$label" "$value" "$scale"
done
dmesg | sed -n 's/.*SCMI Protocol/version\tSCMI Protocol/p'
awk 'NR > 3 && NF { print "clock\t" $0 }' /sys/kernel/debug/clk/clk_summary
"""

# hwmon's units (Documentation/hwmon/sysfs-interface.rst): attribute prefix -> (divisor, unit).
_HWMON = {
    "temp": (1000, "°C"),
    "in": (1000, "V"),
    "curr": (1000, "A"),
    "power": (1_000_000, "W"),
    "energy": (1_000_000, "J"),
    "humidity": (1000, "%"),
    "fan": (1, "rpm"),
}
_PROTOCOLS = {
    0x10: "Base",
    0x11: "Power domain",
    0x12: "System power",
    0x13: "Performance",
    0x14: "Clock",
    0x15: "Sensor",
    0x16: "Reset",
    0x17: "Voltage",
    0x18: "Power capping",
    0x19: "Pin control",
}


@dataclass(frozen=True)
class Sensor:
    """A sensor that Linux reads: its chip ("scmi_sensors", "iio"), attribute, label, raw value, IIO scale or ""."""

    chip: str
    attribute: str
    label: str
    value: str
    scale: str = ""

    def reading(self) -> str:
        """Return the value with its unit."""
        try:
            number = float(self.value)
        except ValueError:
            return self.value or "no reading"
        if self.chip == "iio":
            return f"{number * float(self.scale or 1):g}"
        kind = self.attribute.removesuffix("_input").rstrip("0123456789")
        divisor, unit = _HWMON.get(kind, (1, ""))
        return f"{number / divisor:g} {unit}".rstrip()


@dataclass(frozen=True)
class Clock:
    """A clock as clk_summary shows it: name, enable count, rate in Hz."""

    name: str
    enabled: int
    rate: int


@dataclass(frozen=True)
class Seen:
    """All that Linux sees: (protocol id, device, driver) rows, sensors, clocks, the line of the Base protocol."""

    devices: list[tuple[int, str, str]]
    sensors: list[Sensor]
    clocks: list[Clock]
    version: str


def parse_clocks(lines: list[str]) -> list[Clock]:
    """Return the clocks of clk_summary's body (name, enable, prepare and protect counts, rate, ...)."""
    rows = [row for row in map(str.split, lines) if len(row) > 4 and row[1].isdigit() and row[4].isdigit()]
    return [Clock(row[0], int(row[1]), int(row[4])) for row in rows]


def parse(text: str) -> Seen:
    """Return what the gathering script printed."""
    rows = [line.split("\t") for line in text.splitlines()]
    of_kind: dict[str, list[list[str]]] = {}
    for kind, *fields in rows:
        of_kind.setdefault(kind, []).append(fields)
    return Seen(
        devices=[(int(number, 0), name, driver) for number, name, driver in of_kind.get("device", []) if driver],
        sensors=[Sensor(*fields) for fields in of_kind.get("sensor", [])],
        clocks=parse_clocks(["\t".join(fields) for fields in of_kind.get("clock", [])]),
        version=next((fields[0] for fields in of_kind.get("version", [])), ""),
    )


def gather(frontend: Frontend) -> Seen:
    """Ask the frontend for all of it.

    Raises:
        MachineError: the script failed there.
    """
    result = frontend.run(_GATHER)
    if result.status:
        raise MachineError(f"the frontend could not list what it sees: {result.stderr.decode(errors='replace')}")
    return parse(result.stdout.decode(errors="replace"))


def title(frontend: Frontend) -> str:
    """Return what a frontend is called where there are several."""
    agent = frontend.agent
    return f"{frontend.name}: agent {agent['id']} {agent['name']!r}, {'trusted' if agent['trusted'] else 'ordinary'}"


def as_json(seen: dict[str, Seen], pair: Pair) -> str:
    """Return what all frontends see, by their names, for programs."""
    return json.dumps(
        {name: {"agent": pair.frontends[name].agent, **asdict(found)} for name, found in seen.items()}, indent=1
    )


def show(seen: Seen, console: Console, heading: str = "") -> None:
    """Print the tables, below a heading if there is one."""
    from rich import box
    from rich.table import Table

    def table(title: str, *columns: str) -> Table:
        made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            made.add_column(column, justify="right" if column in ("value", "rate", "enabled") else "left")
        return made

    if heading:
        console.rule(heading, align="left")
    if seen.version:
        console.print(seen.version, highlight=False)
    devices = table("SCMI in Linux", "protocol", "", "device", "driver")
    for number, name, driver in sorted(seen.devices):
        devices.add_row(f"{number:#x}", _PROTOCOLS.get(number, "vendor"), name, driver or "-")
    sensors = table("Sensors", "sensor", "value", "where")
    for sensor in seen.sensors:
        sensors.add_row(sensor.label, sensor.reading(), f"{sensor.chip} {sensor.attribute}")
    clocks = table("Clocks", "clock", "rate", "enabled")
    for clock in seen.clocks:
        clocks.add_row(clock.name, f"{clock.rate:,} Hz", str(clock.enabled))
    for made in (devices, sensors, clocks):
        console.print(made)
