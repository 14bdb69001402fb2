# SPDX-License-Identifier: MIT
"""No method of the steady state allocates on the heap. (CPython has no such notion: there the calls are just made.)"""

from array import array

from hal import edge
from support import without_allocation
from unit.hal.packed_rings import AVAIL, DESC, USED, WRAP, PackedRings
from unit.hal.rings import NEXT, WRITE, Rings


def test_windows():
    window = edge.Window(bytearray(64), 64)
    buffer = bytearray(16)

    def everything():
        window.w8(0, 255)
        window.w16(2, 0xFFFF)
        window.w32(4, 0xFFFFFFFF)
        window.w64(8, (1 << 61))
        window.store_release(4, 0xFFFFFFFE)
        window.add_release(4, 1)
        window.read(0, buffer)
        window.write(16, buffer, 8)
        window.fill(32, 8, 1)
        edge.mb()
        edge.rmb()
        edge.wmb()
        edge.dsb()
        return window.r8(0) + window.r16(2) + window.r32(4) + window.r64(8) + window.load_acquire(4) + window.size

    everything()
    without_allocation(everything)


class Server:
    """Serves one request after the other. (A class: each call of a closure over many names allocates.)"""

    def __init__(self, rings):
        self.rings = rings
        self.queue = rings.queue
        self.chain = edge.Chain(2)
        self.request = array("I", [0] * 8)
        self.prepare()

    def prepare(self):
        """Every entry of the available ring is head 0."""
        rings = self.rings
        rings.describe(0, rings.data, 12, NEXT, 1)
        rings.describe(1, rings.data + 64, 16, WRITE)

    def offer(self):
        """Make the request available once more."""
        self.rings.pool.w16(self.rings.avail + 2, self.queue.last_avail + 1)

    def want(self):
        """Ask for an interrupt for it."""
        self.rings.set_used_event(self.queue.last_avail - 1)

    def once(self):
        queue, chain, words = self.queue, self.chain, self.request
        self.offer()
        assert queue.pending()
        assert queue.pop(chain, words) == edge.TAKEN
        assert queue.in_flight == 1
        assert chain.read(4, words, 4) == 4
        assert chain.write(8, words, 4) == 4
        queue.push(chain, 8, words)
        self.want()
        assert queue.signal()
        queue.arm()
        queue.disarm()
        return queue.pop(chain, words)


class PackedServer(Server):
    """The same with a packed queue of two descriptors: the request fills it, and each lap begins with it."""

    def prepare(self):
        self.rings.offer((self.rings.data, 12, 0), (self.rings.data + 64, 16, WRITE))

    def offer(self):
        pool, flags = self.rings.pool, AVAIL if self.queue.last_avail & WRAP else USED
        pool.w32(24, 16)
        pool.w16(30, flags | WRITE)
        pool.w32(8, 12)
        pool.w16(14, flags | NEXT)

    def want(self):
        self.rings.set_driver_event(DESC, self.queue.last_avail ^ WRAP)


def test_queues():
    for event_idx in (False, True):
        serve_without_allocation(Server(Rings(edge, event_idx=event_idx)))
        serve_without_allocation(PackedServer(PackedRings(edge, 2, event_idx=event_idx)))


def serve_without_allocation(server):
    once = server.once
    for _ in range(3):
        once()
    for _ in range(20):
        assert without_allocation(once) == edge.EMPTY


def test_watches():
    page = edge.Window(bytearray(64), 64)
    watch = edge.Watch(4)
    word = watch.word(page, 0, 0)
    watch.flag(page, 4)
    watch.queue(Rings(edge).queue)

    def cycle():
        watch.wake()
        page.w32(0, 0xFFFFFFFF)
        assert watch.rest() == word
        watch.expect(word, 0xFFFFFFFF)
        assert watch.scan() == -1
        watch.expect(word, 0)
        page.w32(0, 0)
        return watch.rest()

    cycle()
    assert without_allocation(cycle) == -1


def test_bells():
    page = edge.Window(bytearray(64), 64)
    page.w32(0, 1)
    notify = edge.Notifier(page, 4, page, 0, edge.Bell(page, 8, 0xFFFFFFFF))
    notify()
    without_allocation(notify)
    assert page.r32(8) == 0xFFFFFFFF
    notify = edge.Notifier(page, 4, page, 0, edge.Hypercall(32, 4, page))
    notify()
    without_allocation(notify)


def test_notify_and_interrupts():
    edge.serve(None)
    edge.irq_attach(80, True)

    def ring():
        edge.notify()
        edge.interrupt(80)

    ring()
    without_allocation(ring)
    edge.irq_detach(80)
