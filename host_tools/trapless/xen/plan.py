# SPDX-License-Identifier: MIT
"""Where everything lies in the machine that runs Xen: its own memory, the links' regions, modules, the agents' memory.

Xen maps static shared memory at addresses that the host's device tree names. Here the domains see each piece of a
region at its host address. That is a choice for regions; for an agent's memory, which a virtio device of QEMU reads
and writes without any address translation, it is necessary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trapless import nodes
from trapless.errors import TopologyError
from trapless.nodes import Place
from trapless.topology import MIB, Link, Machine, Range, Topology

OWN = 128 * MIB
"""Memory for Xen itself and for the modules that it copies into the domains."""
AGENT = 24 * MIB
"""Memory for the buffers of one frontend's virtio-serial: 128 of 4 KiB for each port, and the rings."""
_ALIGNMENT = 2 * MIB
_GUEST_MEMORY = 0x40000000  # GUEST_RAM0_BASE in xen/include/public/arch-arm.h
_ID_LIMIT = 15  # MAX_SHM_ID_LENGTH, less the final zero
_FIRST_PORT = 10


@dataclass(frozen=True)
class Piece:
    """What is shared under one `xen,shm-id`."""

    id: str
    range: Range


def private(topology: Topology) -> int:
    """Return the bytes of the machine's memory beside the links' regions."""
    agents = AGENT * len(topology.links)
    return sum(machine.private for machine in topology.machines.values()) + agents + OWN


@dataclass(frozen=True)
class Plan:
    """All places, from the memory of the machine as QEMU's device tree has it.

    Args:
        topology: all links.
        memory: the machine's own memory, then the region of each link.
    """

    topology: Topology
    memory: tuple[Range, ...]

    def __post_init__(self) -> None:
        sizes = [private(self.topology), *(link.region for link in self.topology.links)]
        if [found.size for found in self.memory] != sizes:
            raise TopologyError(f"QEMU gives the machine memory of {self.memory}, wanted sizes {sizes}")
        for domain in self.domains():
            own = Range(f"memory of {domain.name}", _GUEST_MEMORY, domain.private)
            for link in self.topology.links_of(domain.name):
                for piece in self.pieces(link):
                    if own.overlaps(piece.range):
                        raise TopologyError(f"the {own} overlaps {piece.range}, which is shared: give it less memory")

    def domains(self) -> list[Machine]:
        """Return the machines in the order in which Xen makes them: the backend first."""
        first = self.topology.backend()
        machines = self.topology.machines
        return [machines[first], *(machine for name, machine in machines.items() if name != first)]

    def place(self, link: Link) -> Place:
        """Return where a link lies, in all domains and in the machine."""
        return nodes.place(link, self.memory[1 + self.topology.links.index(link)].start)

    def pieces(self, link: Link) -> list[Piece]:
        """Return what of a link's region is shared: each page by itself, the pool, and shm if there is any.

        Raises:
            TopologyError: the link's name is too long for Xen.
        """
        place = self.place(link)
        start = place.region.start
        found = []
        for device in link.devices:
            found.append((f"dev{device.index}", start + link.device_page(device), link.page))
            found.append((f"drv{device.index}", start + link.driver_page(device), link.page))
        found.append(("pool", place.pool.start, place.pool.size))
        if place.shm:
            found.append(("shm", place.shm.start, place.shm.size))
        return [self._piece(f"{link.name}-{part}", at, size) for part, at, size in found]

    def unshared(self, link: Link) -> list[Range]:
        """Return what of a link's region is not shared, which Xen would use for itself and its domains otherwise."""
        region = self.place(link).region
        shared = sorted((piece.range for piece in self.pieces(link)), key=lambda part: part.start)
        starts = [region.start, *(part.end for part in shared)]
        ends = [*(part.start for part in shared), region.end]
        gaps = [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
        return [Range(f"unshared part of {link.name}", start, end - start) for start, end in gaps]

    def agent(self, link: Link) -> Piece:
        """Return the memory of the agent of a link's frontend, which it shares with nobody."""
        index = self.topology.links.index(link)
        return self._piece(f"agent{index}", self._below_agents() + index * AGENT, AGENT)

    def _below_agents(self) -> int:
        return self.memory[0].end - AGENT * len(self.topology.links)

    def _piece(self, name: str, start: int, size: int) -> Piece:
        if len(name) > _ID_LIMIT:
            raise TopologyError(f"Xen takes names of at most {_ID_LIMIT} letters for shared memory, not {name}")
        return Piece(name, Range(name, start, size))

    def modules(self, sizes: Iterable[int]) -> Iterator[int]:
        """Return an address for each file that is loaded for Xen, from the end of the machine's memory downwards.

        Args:
            sizes: of the files, in bytes.
        """
        at = self._below_agents()
        for size in sizes:
            at = (at - size) // _ALIGNMENT * _ALIGNMENT
            yield at

    def backend_port(self, link: Link) -> int:
        """Return the local port of a link's event channel in the backend."""
        return _FIRST_PORT + self.topology.links.index(link)

    def frontend_port(self, link: Link) -> int:
        """Return the local port of a link's event channel in its frontend."""
        return _FIRST_PORT
