# SPDX-License-Identifier: MIT
"""The topology: machines, links and devices, loaded from a file such as `qemu/topology.toml` and checked.

Also answers where QEMU puts kernel, initrd and device tree, and refuses any placement that touches a shared region.
The rules are those of QEMU's hw/arm/boot.c (7.2 to 10): the raw Image at its text offset, 2 MiB higher if that is
below 4 KiB; the initrd at min(all memory / 2, 128 MiB) or after the kernel; the device tree at the next 2 MiB.
"""

from __future__ import annotations

import gzip
import struct
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trapless import project
from trapless.errors import TopologyError

KIB = 1 << 10
MIB = 1 << 20
_UNITS = {"K": KIB, "M": MIB, "G": 1 << 30}
_BOOT_STUB = 4 * KIB
_PAGE = 4 * KIB
_LOADER_LIMIT = 128 * MIB
_PARTS = ("pool", "doorbell", "device", "region", "page", "stride", "shm", "rings")
_IMAGE_MAGIC = b"ARM\x64"
_IMAGE_MAGIC_AT = 56


def parse_size(text: str | int) -> int:
    """Return the number of bytes of "8M", "4K", "0x1000" or an integer.

    Raises:
        TopologyError: it is none of these.
    """
    if isinstance(text, int):
        return text
    unit = _UNITS.get(text[-1:].upper(), 1)
    digits = text[:-1] if unit > 1 else text
    try:
        return int(digits, 0) * unit
    except ValueError:
        raise TopologyError(f"not a size: {text!r} (write 4K, 8M or a number of bytes)") from None


@dataclass(frozen=True)
class Range:
    """A piece of address space: `start`, `size` in bytes."""

    name: str
    start: int
    size: int

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.start + self.size

    def overlaps(self, other: Range) -> bool:
        """Tell whether both share a byte."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Range) -> bool:
        """Tell whether `other` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        return f"{self.name} {self.start:#x}-{self.end - 1:#x}"


@dataclass(frozen=True)
class Device:
    """One virtio device of a link: `kind` ("scmi", "rng"), its place in the link, the model module or ""."""

    kind: str
    index: int
    model: str = ""


@dataclass(frozen=True)
class Doorbell:
    """The ivshmem functions of a link: peer ids and PCI slots of both sides, number of vectors."""

    backend_peer: int
    frontend_peer: int
    vectors: int
    backend_slot: int
    frontend_slot: int


SIDES = ("backend", "frontend")
QUEUES = ("packed", "split")
SPIN_US_MAX = 1000


@dataclass(frozen=True)
class Link:
    """One region shared by a backend and a frontend; sizes and offsets in bytes, offsets from the region's start.

    `shm_offset`, `shm_size`: the memory for shared-memory regions of its devices; size 0: there is none.
    `rings`: the sides ("backend", "frontend") that ring the other one, which polls otherwise.
    `queues`: "packed", if the backend offers such, or "split".
    `spin_us`: microseconds that the backend looks for more before it sleeps, at most SPIN_US_MAX.
    """

    name: str
    backend: str
    frontend: str
    region: int
    page: int
    stride: int
    pool_offset: int
    pool_size: int
    doorbell: Doorbell
    scmi_timeout_ms: int
    devices: tuple[Device, ...]
    shm_offset: int = 0
    shm_size: int = 0
    rings: tuple[str, ...] = SIDES
    queues: str = QUEUES[0]
    spin_us: int = 0

    def device_page(self, device: Device) -> int:
        """Return the offset of the page that the backend writes."""
        return device.index * self.stride

    def driver_page(self, device: Device) -> int:
        """Return the offset of the page that the frontend writes."""
        return device.index * self.stride + self.page


@dataclass(frozen=True)
class Machine:
    """One virtual machine: CPU model, private memory in bytes, kernel arguments, the agent's PCI slot or None, CPUs."""

    name: str
    cpu: str
    private: int
    bootargs: str = ""
    agent_slot: int | None = None
    cpus: int = 1


@dataclass(frozen=True)
class Topology:
    """All machines by name and all links in order."""

    machines: dict[str, Machine]
    links: tuple[Link, ...]
    source: Path = field(default=project.TOPOLOGY)

    def links_of(self, machine: str) -> tuple[Link, ...]:
        """Return the links that end at `machine`, in the order of its regions."""
        return tuple(link for link in self.links if machine in (link.backend, link.frontend))

    def backend(self) -> str:
        """Return the name of the backend that serves all links.

        Raises:
            TopologyError: there are several, or a frontend has several links.
        """
        backends = {link.backend for link in self.links}
        if len(backends) != 1:
            raise TopologyError(
                f"{self.source}: there must be one backend, not {', '.join(sorted(backends)) or 'none'}"
            )
        frontends = [link.frontend for link in self.links]
        for name in frontends:
            if frontends.count(name) > 1:
                raise TopologyError(f"{self.source}: {name} has several links, of which Linux would use one for SCMI")
        return backends.pop()

    def with_queues(self, queues: str) -> Topology:
        """Return the same topology with packed or split queues on every link."""
        return replace(self, links=tuple(replace(link, queues=queues) for link in self.links))

    def with_spin(self, spin_us: int) -> Topology:
        """Return the same topology with a backend that looks so long for more before it sleeps, in microseconds."""
        return replace(self, links=tuple(replace(link, spin_us=spin_us) for link in self.links))

    def with_model(self, model: str) -> Topology:
        """Return the same topology with every SCMI device's model replaced."""
        links = tuple(
            replace(link, devices=tuple(replace(d, model=model) if d.kind == "scmi" else d for d in link.devices))
            for link in self.links
        )
        return replace(self, links=links)

    def with_frontends(self, private: int, cpus: int, bootargs: str) -> Topology:
        """Return the same topology whose frontends have other memory, in bytes, CPUs, and further kernel arguments."""
        machines = dict(self.machines)
        for name in {link.frontend for link in self.links}:
            old = machines[name]
            machines[name] = replace(old, private=private, cpus=cpus, bootargs=f"{old.bootargs} {bootargs}")
        return replace(self, machines=machines)


def find(name: str | None) -> Path:
    """Return the topology file that a person means.

    Args:
        name: one of those in `qemu/` without its ending, or a path, or None for the default.

    Raises:
        TopologyError: there is no such file.
    """
    if name is None:
        return project.TOPOLOGY
    ours = {path.stem: path for path in project.TOPOLOGY.parent.glob("*.toml")}
    found = ours.get(name, Path(name))
    if not found.is_file():
        raise TopologyError(f"no such topology: {name} (a file, or one of {', '.join(sorted(ours))})")
    return found


def load(path: Path = project.TOPOLOGY) -> Topology:
    """Read and check the topology.

    Raises:
        TopologyError: it is no TOML, a key is missing or unknown, or pages, pool, slots or peers collide.
    """
    try:
        raw = tomllib.loads(path.read_text())
        machines = {name: _machine(name, spec) for name, spec in raw["machine"].items()}
        links = tuple(_link(spec) for spec in raw["link"])
    except (KeyError, TypeError) as error:
        raise TopologyError(f"{path}: missing or unknown key {error}") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TopologyError(f"{path} cannot be read: {error}") from None
    topology = Topology(machines, links, path)
    _check(topology)
    return topology


def _machine(name: str, spec: dict[str, Any]) -> Machine:
    return Machine(name=name, **{**spec, "private": parse_size(spec["private"])})


def _link(spec: dict[str, Any]) -> Link:
    plain = {key: spec[key] for key in spec if key not in _PARTS}
    shm = spec.get("shm", {"offset": 0, "size": 0})
    return Link(
        region=parse_size(spec["region"]),
        page=parse_size(spec["page"]),
        stride=parse_size(spec["stride"]),
        pool_offset=parse_size(spec["pool"]["offset"]),
        pool_size=parse_size(spec["pool"]["size"]),
        doorbell=Doorbell(**spec["doorbell"]),
        devices=tuple(Device(index=i, **d) for i, d in enumerate(spec["device"])),
        shm_offset=parse_size(shm["offset"]),
        shm_size=parse_size(shm["size"]),
        rings=tuple(spec.get("rings", SIDES)),
        **plain,
    )


def _check(topology: Topology) -> None:
    for link in topology.links:
        if not set(link.rings) <= set(SIDES):
            raise TopologyError(
                f"link {link.name}: who rings is some of {', '.join(SIDES)}, not {', '.join(link.rings)}"
            )
        if link.queues not in QUEUES:
            raise TopologyError(f"link {link.name}: queues are {' or '.join(QUEUES)}, not {link.queues}")
        if not 0 <= link.spin_us <= SPIN_US_MAX:
            raise TopologyError(f"link {link.name}: spin_us is 0 to {SPIN_US_MAX} microseconds, not {link.spin_us}")
        for end in (link.backend, link.frontend):
            if end not in topology.machines:
                raise TopologyError(f"{topology.source}: link {link.name} ends at {end!r}, which is no machine")
        _check_pages(link)
    for machine in topology.machines.values():
        _check_machine(topology, machine)


def _check_pages(link: Link) -> None:
    pages = [
        Range(f"{device.kind} {side} page", offset, link.page)
        for device in link.devices
        for side, offset in (("device", link.device_page(device)), ("driver", link.driver_page(device)))
    ]
    parts = [*pages, Range("pool", link.pool_offset, link.pool_size)]
    if link.shm_size:
        parts.append(Range("shm", link.shm_offset, link.shm_size))
    region = Range("region", 0, link.region)
    for i, part in enumerate(parts):
        if not region.holds(part):
            raise TopologyError(f"link {link.name}: {part} lies outside the {region}")
        if part.start % _PAGE or part.size % _PAGE:
            raise TopologyError(f"link {link.name}: {part} is not aligned to {_PAGE} bytes")
        for other in parts[:i]:
            if part.overlaps(other):
                raise TopologyError(f"link {link.name}: {part} overlaps {other}")
    if link.doorbell.backend_peer == link.doorbell.frontend_peer:
        raise TopologyError(f"link {link.name}: both ends have doorbell peer {link.doorbell.backend_peer}")


def _check_machine(topology: Topology, machine: Machine) -> None:
    slots = [slot for slot in [machine.agent_slot] if slot is not None]
    for link in topology.links_of(machine.name):
        slots.append(link.doorbell.backend_slot if link.backend == machine.name else link.doorbell.frontend_slot)
    if len(set(slots)) != len(slots) or any(not 0 < slot < 32 for slot in slots):
        raise TopologyError(f"machine {machine.name}: PCI slots {slots} are not distinct numbers from 1 to 31")


@dataclass(frozen=True)
class Image:
    """What QEMU needs of a raw arm64 Image to place it: offset in memory and size there, in bytes."""

    offset: int
    size: int


def read_image(path: Path) -> Image:
    """Read the header of a raw or gzip-compressed arm64 Image (Linux: Documentation/arch/arm64/booting.rst).

    Raises:
        TopologyError: it is not one.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if content[_IMAGE_MAGIC_AT : _IMAGE_MAGIC_AT + 4] != _IMAGE_MAGIC:
        raise TopologyError(f"{path} is not a raw arm64 Image (no ARM\\x64 at byte {_IMAGE_MAGIC_AT})")
    offset, size = struct.unpack_from("<QQ", content, 8)
    if offset < _BOOT_STUB:
        offset += 2 * MIB
    return Image(offset, max(size, len(content)))


def placement(private: Range, all_memory: int, image: Image, initrd: int, dtb: int) -> list[Range]:
    """Return where QEMU puts kernel, initrd and device tree, having checked that they lie apart in private memory.

    Args:
        private: the machine's own memory.
        all_memory: bytes of private and shared memory together: what QEMU halves.
        image: the kernel.
        initrd: its bytes, 0 for none.
        dtb: its bytes.

    Raises:
        TopologyError: something would lie in a shared region or on something else.
    """
    kernel = Range("kernel", private.start + image.offset, image.size)
    start = max(private.start + min(all_memory // 2, _LOADER_LIMIT), _align(kernel.end, _PAGE))
    ramdisk = Range("initrd", start, initrd)
    tree = Range("device tree", _align(ramdisk.end, 2 * MIB), dtb)
    placed = [kernel, ramdisk, tree] if initrd else [kernel, tree]
    for i, one in enumerate(placed):
        if not private.holds(one):
            raise TopologyError(
                f"QEMU would put the {one} outside the {private}, where the shared region begins: "
                f"give the machine more private memory in the topology or make the file smaller"
            )
        for other in placed[:i]:
            if one.overlaps(other):
                raise TopologyError(f"QEMU would put the {one} on the {other}")
    return placed


def _align(value: int, unit: int) -> int:
    return (value + unit - 1) // unit * unit
