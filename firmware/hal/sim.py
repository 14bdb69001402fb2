# SPDX-License-Identifier: MIT
"""A machine without hardware: driver mock and devices share buffers in one process. See `hal` for the contract.

Nothing runs by itself: a doorbell, `notify()` and a timer only mark the serving callback as due, and `step()` or
`run_pending()` run it, so that a test decides what happens when. Time moves by `advance()`. Nonces come from a seed.
"""

from hal import edge
from hal.compat import const
from hal.contract import Doorbell, Link, draw, find_device, read_links
from hal.fdt import Tree
from hal.pure.lookout import Lookout

PAGE_SIZE = const(0x1000)
_WORD = const(0xFFFFFFFF)


class SimDoorbell(Doorbell):
    """Both sides of a doorbell. `rung`: how often this side rang; `on_ring()`, if given, is what the frontend does."""

    def __init__(self, machine, hears=True, rings=True, on_ring=None):
        self.hears = hears
        self.rings = rings
        self.rung = 0
        self.on_ring = on_ring
        self._machine = machine
        self._echoes = [None] * edge.ECHO_SLOTS

    def ring(self):
        """Ring the frontend."""
        if not self.rings:
            return
        self.rung += 1
        if self.on_ring is not None:
            self.on_ring()

    def kick(self):
        """Be the frontend that rings this side: the echoes answer at once, the serving callback is due."""
        if not self.hears:
            return
        for i, echo in enumerate(self._echoes):
            if echo is not None:
                self._answer(i, *echo)
        self._machine.notify()

    def echo(self, request, request_off, reply, reply_off):
        """Answer a changed request word from within `kick()`."""
        if not (self.hears and self.rings) or None not in self._echoes:
            return -1
        slot = self._echoes.index(None)
        self._echoes[slot] = (request, request_off, reply, reply_off, request.load_acquire(request_off))
        return slot

    def echo_off(self, slot):
        """Stop the echo of `slot`."""
        self._echoes[slot] = None

    def _answer(self, slot, request, request_off, reply, reply_off, seen):
        word = request.load_acquire(request_off)
        if word != seen:
            self._echoes[slot] = (request, request_off, reply, reply_off, word)
            reply.store_release(reply_off, word)
            self.ring()


class Machine:
    """A simulated machine; its links and devices come from the device tree `dtb`, or from `add_link` and `devices`.

    `memory`: dict of regions (writable buffers) by address; missing ones are made. `seed` decides the nonces.
    `devices`: dict of lists of Windows by `compatible`, or of anything that answers like one.
    """

    def __init__(self, dtb=None, memory=None, seed=1, devices=None):
        self._memory = {} if memory is None else memory
        self._callback = None
        self._due = False
        self._expired = None
        self._now_us = 0
        self._timer_us = None
        self._lookout = None
        self._look_us = 0
        self._random = (seed * 2654435761 + 1) & _WORD or 1
        self._word = bytearray(4)
        self._devices = {} if devices is None else devices
        self._tree = None if dtb is None else Tree(dtb)
        self._links = [] if dtb is None else read_links(self._tree, self._window, self._doorbell)

    def _window(self, address, size):
        buffer = self._memory.get(address)
        if buffer is None:
            buffer = self._memory[address] = bytearray(size)
        return edge.Window(buffer, size)

    def _doorbell(self, mboxes):
        return SimDoorbell(self, mboxes is not None, mboxes is not None)

    def add_link(self, name, devices, memory=None, pool_offset=None, frontend_base=0x48200000, doorbell=None, shared=0):
        """Add a link and return it.

        `devices`: list of (kind, model or None); device i has its device page at i * 0x2000 and its driver page 0x1000
        after it. `memory`: the region, a writable buffer (default: a new one with a pool of 64 KiB); its pool goes
        from `pool_offset` (default: after the last page) to its end. `doorbell`: a SimDoorbell (default: one that
        hears and rings). `shared`: bytes for shared-memory regions, between the last page and the pool.
        """
        pages = 2 * PAGE_SIZE * len(devices)
        if pool_offset is None:
            pool_offset = pages + shared
        if memory is None:
            memory = bytearray(pool_offset + 0x10000)
        size = len(memory)
        region = edge.Window(memory, size)
        described = [_device(region, i, kind, model) for i, (kind, model) in enumerate(devices)]
        pool = region.window(pool_offset, size - pool_offset)
        link = Link(name, region, pool, frontend_base, doorbell or SimDoorbell(self), described)
        if shared:
            link.shared = region.window(pages, shared)
            link.frontend_shared = frontend_base - pool_offset + pages
        self._links.append(link)
        return link

    def device(self, compatible, index=0):
        """Return what stands for the registers of device `index` of those compatible with `compatible`.

        Without a device tree a device that `devices` does not have is a page of memory, which remembers and does
        nothing: whatever is built on the machine can be looked at. ValueError if the device tree has none.
        """
        if self._tree is not None:
            return self._window(*find_device(self._tree, compatible, index))
        found = self._devices.setdefault(compatible, [])
        while len(found) <= index:
            found.append(edge.Window(bytearray(PAGE_SIZE), PAGE_SIZE))
        return found[index]

    def links(self):
        """Return the list of Links."""
        return self._links

    def serve(self, callback):
        """Register the serving callback, or None."""
        self._callback = callback

    def notify(self):
        """Mark the serving callback as due."""
        self._due = True

    def step(self):
        """Run the serving callback once if it is due; return whether it was. What it raises is raised here."""
        if not self._due or self._callback is None:
            return False
        self._due = False
        expired, self._expired = self._expired, None
        self._callback(expired)
        return True

    def run_pending(self, limit=10000):
        """Run the serving callback until it is not due; return how often. RuntimeError after `limit` times."""
        for runs in range(limit):
            if not self.step():
                return runs
        raise RuntimeError("the serving callback is still due after %d runs" % limit)

    def timer(self, ms):
        """Make the serving callback due when `advance()` has moved time by `ms`; 0 cancels."""
        self._timer_us = self._now_us + 1000 * ms if ms else None

    def lookout(self, watch, shortest, longest, patience):
        """Look for work in `watch` while `advance()` moves time; None: no more."""
        self._lookout = None
        if watch is not None:
            self._lookout = Lookout(watch, shortest, longest, patience, lambda: False, self.notify)
            self._look_us = self._now_us + 1000 * self._lookout.ms

    def advance(self, ms):
        """Move time; a timer that expires, and a look that finds work, make the serving callback due."""
        until = self._now_us + 1000 * ms
        while self._lookout is not None and self._look_us <= until:
            self._look_us += 1000 * self._lookout.look()
        self._now_us = until
        if self._timer_us is not None and self._now_us >= self._timer_us:
            self._timer_us = None
            self._expired = True
            self.notify()

    def ticks_ms(self):
        """Return simulated milliseconds."""
        return self._now_us // 1000

    def ticks_us(self):
        """Return simulated microseconds."""
        return self._now_us

    def ticks_diff(self, end, start):
        """Return `end - start`, in the unit of both."""
        return end - start

    def nonce(self, avoid=()):
        """Return the next pseudo-random nonce of this machine's seed."""
        return draw(self._entropy, self._word, avoid)

    def stir(self, window):
        """Accept old page content; a simulated machine's nonces depend on nothing but its seed."""

    def _entropy(self, word):
        # xorshift32 (Marsaglia 2003): full period, never 0.
        x = self._random
        x ^= (x << 13) & _WORD
        x ^= x >> 17
        x ^= (x << 5) & _WORD
        self._random = x
        for i in range(4):
            word[i] = x >> (8 * i) & 0xFF


def _device(region, index, kind, model):
    at = 2 * PAGE_SIZE * index
    properties = {"trapless,device": kind.encode() + b"\0"}
    if model is not None:
        properties["trapless,model"] = model.encode() + b"\0"
    return (kind, region.window(at, PAGE_SIZE), region.window(at + PAGE_SIZE, PAGE_SIZE), model, properties)
