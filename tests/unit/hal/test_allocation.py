# SPDX-License-Identifier: MIT
"""No method of the steady state allocates on the heap. (CPython has no such notion: there the calls are just made.)"""

from array import array

from hal import edge
from support import without_allocation
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
        rings.describe(0, rings.data, 12, NEXT, 1)
        rings.describe(1, rings.data + 64, 16, WRITE)

    def once(self):
        queue, chain, words = self.queue, self.chain, self.request
        # Every entry of the available ring is head 0.
        self.rings.pool.w16(self.rings.avail + 2, queue.last_avail + 1)
        assert queue.pending()
        assert queue.pop(chain, words) == edge.TAKEN
        assert queue.in_flight == 1
        assert chain.read(4, words, 4) == 4
        assert chain.write(8, words, 4) == 4
        queue.push(chain, 8, words)
        self.rings.set_used_event(queue.last_avail - 1)
        assert queue.signal()
        queue.arm()
        queue.disarm()
        return queue.pop(chain, words)


def test_queues():
    for event_idx in (False, True):
        server = Server(Rings(edge, event_idx=event_idx))
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


def test_notify_and_interrupts():
    edge.serve(None)
    edge.irq_attach(80, True)

    def ring():
        edge.notify()
        edge.interrupt(80)

    ring()
    without_allocation(ring)
    edge.irq_detach(80)
