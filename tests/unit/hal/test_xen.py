# SPDX-License-Identifier: MIT
"""hal.xen over a hypervisor that keeps what Xen keeps: the pages it mapped, pending bits, one interrupt for all."""

from hal import edge, xen
from hal.fdt import Tree
from support import raises
from unit.hal.blob import cells, wide, write

GRANTS, GRANTS_SIZE = 0x38000000, 0x1000000
FRAME = 0x38FFF
INTID = 31
EBUSY, EINVAL = -16, -22


class Xen:
    """What event_channel.h and memory.h say of the calls that hal.xen makes."""

    def __init__(self):
        self.info = edge.Window(bytearray(4096), 4096)
        self.mapped_at = None
        self.sent = []
        self.interrupts = 0

    def __call__(self, number, operation, argument):
        """Be edge.Hypercall: what is returned is called."""
        return lambda: self.calls[number, operation](self, argument)

    def send(self, argument):
        self.sent.append(argument.r32(0))
        return 0

    def add(self, argument):
        what = argument.r16(0), argument.r32(4), argument.r64(8)
        if what != (0x7FF0, 0, 0):
            return EINVAL
        if self.mapped_at is not None:
            return EBUSY
        self.mapped_at = argument.r64(16)
        return 0

    def remove(self, argument):
        if argument.r16(0) != 0x7FF0 or argument.r64(8) != self.mapped_at:
            return EINVAL
        self.mapped_at = None
        return 0

    calls = {(32, 4): send, (12, 7): add, (12, 15): remove}

    def map_window(self, address, size, device):
        assert (address, size, device) == (self.mapped_at * 4096, 4096, False)
        return self.info

    def event(self, port):
        """Be the other side that sends: event_2l.c, evtchn_2l_set_pending()."""
        word = port // 64 * 8
        if self._set(48 + word, port % 64) or self.info.r64(560 + word) >> port % 64 & 1:
            return
        if self._set(8, port // 64) or self._set(0, 0):
            return
        self.interrupts += 1
        edge.interrupt(INTID)

    def _set(self, off, bit):
        word = self.info.r64(off)
        self.info.w64(off, word | 1 << bit)
        return word >> bit & 1


def tree(*more):
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    hypervisor = [
        ("compatible", "xen,xen-4.20\0xen,xen"),
        ("reg", wide(GRANTS, GRANTS_SIZE, 0x100000000, 0x1000000)),
        ("interrupts", cells(1, 15, 0xF08)),
    ]
    return Tree(write(root + [("hypervisor", hypervisor)] + list(more)))


def with_xen(body):
    """Return a test that calls `body(hypervisor)` while `edge.Hypercall` is answered by a Xen."""

    def test():
        real, hypervisor = edge.Hypercall, Xen()
        edge.Hypercall = hypervisor
        try:
            body(hypervisor)
        finally:
            edge.Hypercall = real
            for slot in range(edge.LATCHES):
                edge.latch_off(slot)
            edge.irq_detach(INTID)

    return test


@with_xen
def test_a_doorbell_sends_to_its_port(hypervisor):
    bell = xen.Hypervisor(tree(), hypervisor.map_window).doorbell(None, 10)
    assert (bell.hears, bell.rings, hypervisor.mapped_at) == (True, True, FRAME)
    assert hypervisor.sent == [10]  # tried when it is opened
    bell.ring()
    bell.ring()
    assert hypervisor.sent == [10, 10, 10]


@with_xen
def test_every_event_interrupts_again(hypervisor):
    doorbells = xen.Hypervisor(tree(), hypervisor.map_window)
    for port in (10, 11, 70):
        doorbells.doorbell(None, port)
    for count, port in enumerate((10, 10, 70, 11, 70)):
        hypervisor.event(port)
        assert hypervisor.interrupts == count + 1
        assert [hypervisor.info.r64(at) for at in (0, 8, 48, 56)] == [0, 0, 0, 0]


@with_xen
def test_what_came_before_anybody_listened_does_not_hold_back_the_next(hypervisor):
    info = hypervisor.info
    for at in (0, 8, 48, 560):
        info.w64(at, 0xFFFFFFFFFFFFFFFF)
    xen.Hypervisor(tree(), hypervisor.map_window).doorbell(None, 10)
    hypervisor.event(10)
    assert hypervisor.interrupts == 1


@with_xen
def test_another_life_maps_the_page_again(hypervisor):
    for _ in range(2):
        xen.Hypervisor(tree(), hypervisor.map_window)
        assert hypervisor.mapped_at == FRAME


@with_xen
def test_a_refused_mapping_is_told(hypervisor):
    hypervisor.calls = {(12, 7): lambda self, argument: EBUSY, (12, 15): lambda self, argument: EINVAL}
    assert "-16" in str(raises(ValueError, xen.Hypervisor, tree(), hypervisor.map_window))


@with_xen
def test_a_port_that_the_guest_has_not_is_told(hypervisor):
    doorbells = xen.Hypervisor(tree(), hypervisor.map_window)
    hypervisor.calls = {(32, 4): lambda self, argument: EINVAL}
    assert "event channel 10" in str(raises(ValueError, doorbells.doorbell, None, 10))


@with_xen
def test_ports_that_cannot_be(hypervisor):
    doorbells = xen.Hypervisor(tree(), hypervisor.map_window)
    for port in (0, -1, 4096):
        raises(ValueError, doorbells.doorbell, None, port)
    doorbells.doorbell(None, 1)
    doorbells.doorbell(None, 64)
    raises(ValueError, doorbells.doorbell, None, 128)


def test_without_a_hypervisor_node():
    raises(ValueError, xen.Hypervisor, Tree(write([("#address-cells", cells(2))])), None)


def shared(address, name):
    return (
        "xen-shmem@%x" % address,
        [("compatible", "xen,shared-memory-v1"), ("reg", wide(address, 0x1000)), ("xen,id", name)],
    )


def link_in(*pieces, ids="a\0b"):
    root = [("#address-cells", cells(2)), ("#size-cells", cells(2))]
    device = ("virtio@0", [("reg", wide(*pieces[:4]))])
    link = ("link@0", root + [("reg", wide(0x50000000, 0x10000, *pieces[4:])), device])
    link[1].insert(0, ("trapless,xen-ids", ids))
    regions = ("reserved-memory", root + [shared(0x50000000, "a"), shared(0x50002000, "b")])
    found = tree(regions, link)
    return found, found.find("/link@0")


def test_regions_by_their_ids():
    assert xen.region(link_in(0, 0, 0, 0, 0, 0)[0], "b") == (0x50002000, 0x1000)
    good = 0x50000000, 0x1000, 0x50002000, 0x1000, 0x50002800, 0x800
    xen.check_regions(*link_in(*good))
    for position, value in ((0, 0x50001000), (1, 0x1001), (2, 0x50001800), (4, 0x50001FFF), (5, 0x801)):
        wrong = good[:position] + (value,) + good[position + 1 :]
        raises(ValueError, xen.check_regions, *link_in(*wrong))
    raises(ValueError, xen.check_regions, *link_in(*good, ids="a"))
    raises(ValueError, xen.check_regions, *link_in(*good, ids="a\0b\0c"))
