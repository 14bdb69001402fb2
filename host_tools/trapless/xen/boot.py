# SPDX-License-Identifier: MIT
"""The domains of a pair on Xen, the machine that they are in, and what joins it to the harness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trapless import guest, region
from trapless.endpoint import Endpoint
from trapless.options import Options
from trapless.topology import Link, Machine, Topology
from trapless.xen.domain import Domain, Host
from trapless.xen.load import NAME, Load
from trapless.xen.log import Memory


class Boot:
    """Makes the domains and the files that the machine boots from.

    Args:
        options: what to boot.
        plan: the topology.
        platform: the model, for the frontends' device trees.
        directory: the pair's private directory.

    Raises:
        TraplessError: something is not built, or does not fit into the machine.
    """

    one_life = Domain.inseparable
    """Why no guest can be started anew; empty where it can."""

    def __init__(self, options: Options, plan: Topology, platform: Any, directory: Path) -> None:
        self._options = options
        self._topology = plan
        self._directory = directory
        self._load = Load(options, plan, platform)
        self.serial_port = 0
        """The TCP port that the backend's prompt gets; 0: any."""
        own = self._load.plan.memory[0]
        memory = Memory(directory / "memory", self._load.hypervisor_at, self._load.processors)
        host = Host(Machine(NAME, self._load.cpu, own.size), directory, self._arguments, memory)
        self._host = host
        self.hosts = [host]
        domains = [Domain(machine, directory, at, host) for at, machine in enumerate(self._load.plan.domains(), 1)]
        self.endpoints: dict[str, Endpoint] = {domain.name: domain for domain in domains}

    def doorbells(self, link: Link) -> None:
        """Nothing: doorbells are Xen's event channels."""

    def prepare(self) -> None:
        """Listen for the monitor, and write all files."""
        self._host.listen("qmp")
        self._load.write(self._directory)

    def write(self, name: str) -> None:
        """Nothing: a domain has one life, with the files that `prepare` wrote."""

    def _arguments(self) -> list[str]:
        host, backend, links = self._host, self.endpoints[self._topology.backend()], self._topology.links
        memory = [self._directory / "memory", *(region.path(self._directory, link) for link in links)]
        arguments = ["-name", "trapless-xen", "-no-user-config", "-D", str(host.path("trace.log"))]
        arguments += self._load.arguments(self._directory, memory)
        arguments += ["-chardev", host.channel("qmp").argument(), "-mon", "chardev=qmp,mode=control"]
        serial = f"socket,id=serial,host=127.0.0.1,port={self.serial_port},server=on,wait=off,nodelay=on"
        arguments += ["-chardev", f"{serial},{_log(backend)}", "-serial", "chardev:serial"]
        for link in links:
            arguments += self._agent(link)
        return [*arguments, *self._options.backend_arguments]

    def _agent(self, link: Link) -> list[str]:
        """Return the virtio-serial of a frontend: its console and the ports of the harness's agent."""
        domain, bus = self.endpoints[link.frontend], self._load.bus(link)
        console = f"socket,path={domain.console_path},server=on,wait=off,{_log(domain)}"
        arguments = self._load.console_arguments(link, console, 1 + len(guest.PORTS))
        for number, port in enumerate(guest.PORTS, 1):
            arguments += ["-chardev", domain.channel(port).argument(f"{port}{bus}")]
            name = f"trapless.{port}.{domain.name}"
            arguments += ["-device", f"virtserialport,bus=serial{bus}.0,nr={number},chardev={port}{bus},name={name}"]
        return arguments


def _log(endpoint: Endpoint) -> str:
    return f"logfile={endpoint.path('console.log')},logappend=on"
