# SPDX-License-Identifier: MIT
"""What a person types at the backend's prompt.

    >>> soc                                  the platform as a table
    >>> soc.sensors["cpu"].value = 95_000    what the frontend reads next
    >>> soc.clocks["pll"].rate = 800_000_000
    >>> model.load("cpu", 90)                what the description defines, here models/living.py
    >>> status()                             links, devices, counters, agents
    >>> links["linux0"].balloon.ask(1 << 20) have the frontend give back 1 MiB of the pool
    >>> log(True); log()                     the last messages in words
    >>> faults.refuse("sensor", "SENSOR_READING_GET", "BUSY", times=3)
    >>> help()                               what there is

`main.py` puts these names into `__main__`.
"""

import builtins
import gc
import sys

from scmi.model.sealed import attributes
from virtio.status import names as status_names

_COUNTERS = ("returned", "malformed", "unanswerable", "failed", "broken")
_BATCH_COUNTERS = ("batches", "vetoed", "refused", "torn", "unbelievable")


_HELP = """\
soc                the platform as a table; soc.sensors["cpu"].value = 95_000 sets what a frontend reads next
  soc.sensors soc.clocks soc.power_domains soc.resets soc.voltages ...   by name or number; soc.agents, soc.devices
model              the module that describes it: its functions and variables
platforms          all platforms by the name of their model; soc is the first
status()           links, devices, counters, agents
links              by name; links["linux0"].balloon.ask(bytes) has the frontend give back so much of the pool, in all
log(True), log()   keep the last messages from now on; print them in words; log(False) stops it
faults             what is injected into messages: faults.refuse, .delay, .timeout, .drop, .length, .clear
help(object)       what an object has
Ctrl-D starts the backend anew with the model as it is described."""


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
    yield f"  frontend: {link.heartbeat.describe()}; fell silent {link.heartbeat.silences} times"
    if link.balloon.describe():
        yield f"  pool: {link.balloon.describe()}"
    for port in link.ports:
        device, sync = port.device, port.sync
        status = ", ".join(status_names(port.registers.state.status)) or "reset"
        counters = ", ".join(f"{name} {getattr(device, name)}" for name in _COUNTERS if hasattr(device, name))
        yield f"  {kinds.get(device, 'device')}: {status}; {counters}"
        batches = ", ".join(f"{name} {getattr(sync, name)}" for name in _BATCH_COUNTERS)
        registers = port.registers
        yield f"    {batches}; attached {registers.attaches}, needed a reset {registers.failures}"


def install(served, namespace):
    """Put `soc`, `model`, `status`, `links`, `log`, `faults`, `help` and `platforms` into `namespace`, a module.

    `soc` is the first platform, `model` the module that describes it, `log` and `faults` are its; without a platform
    they are None.
    """

    def status():
        """Print links, devices, counters and agents."""
        for line in served.lines():
            print(line)

    def help(*objects):
        """Print what there is at this prompt, or what an object has."""
        if not objects:
            print(_HELP)
        for item in objects:
            if hasattr(item, "subject"):
                print(repr(item), "has", ", ".join(attributes(item)))
            else:
                builtins.help(item)

    platforms = list(served.platforms.values())
    namespace.soc = soc = platforms[0] if platforms else None
    namespace.model = sys.modules.get(next(iter(served.platforms), None))
    namespace.log = soc.log if soc else None
    namespace.faults = soc.faults if soc else None
    namespace.help = help
    namespace.links = {link.name: link for link in served.links}
    namespace.platforms = served.platforms
    namespace.status = status
