# SPDX-License-Identifier: MIT
"""What a person types at the backend's prompt.

    >>> soc                                  the platform as a table
    >>> soc.sensors["cpu"].value = 95_000    what the frontend reads next
    >>> soc.clocks["pll"].rate = 800_000_000
    >>> status()                             links, devices, counters, agents

`main.py` puts these names into `__main__`.
"""

import gc

from virtio.status import names as status_names

_COUNTERS = ("returned", "malformed", "unanswerable", "failed", "broken")
_BATCH_COUNTERS = ("batches", "vetoed", "refused", "torn", "unbelievable")


class Served:
    """What is served: `links` (virtio.link.Link), `kinds` {device: kind of its node}, `platforms` {model: Platform}."""

    def __init__(self):
        self.links = []
        self.kinds = {}
        self.platforms = {}

    def lines(self):
        """Yield the lines of `status()`."""
        if not self.links:
            yield "nothing is served"
        for link in self.links:
            yield from _link_lines(link, self.kinds)
        for model, platform in self.platforms.items():
            yield f"model {model}"
            for agent in platform.agents:
                yield "  " + repr(agent)
                if agent.last_failure:
                    yield f"    last failure: {agent.last_failure}"
        if hasattr(gc, "mem_free"):
            yield f"heap {gc.mem_alloc()} bytes used, {gc.mem_free()} free"


def _link_lines(link, kinds):
    doorbell = link.doorbell
    hears, rings = "hears" if doorbell.hears else "polls", "rings" if doorbell.rings else "is polled"
    yield f"link {link.name}: {hears}, {rings}; frontend lives {link.lives}, epoch {link.frontend_epoch:#010x}"
    for port in link.ports:
        device, sync = port.device, port.sync
        status = ", ".join(status_names(port.registers.state.status)) or "reset"
        counters = ", ".join(f"{name} {getattr(device, name)}" for name in _COUNTERS if hasattr(device, name))
        yield f"  {kinds.get(device, 'device')}: {status}; {counters}"
        batches = ", ".join(f"{name} {getattr(sync, name)}" for name in _BATCH_COUNTERS)
        yield f"    {batches}"


def install(served, namespace):
    """Put `soc`, `status` and `platforms` into `namespace`, a module. `soc` is the first platform, None without one."""

    def status():
        """Print links, devices, counters and agents."""
        for line in served.lines():
            print(line)

    platforms = list(served.platforms.values())
    namespace.soc = platforms[0] if platforms else None
    namespace.platforms = served.platforms
    namespace.status = status
