# SPDX-License-Identifier: MIT
"""What a machine hands out: links and their doorbells. Source: `docs/transport.md`, sections 1 and 8.

How a device tree describes a link (a child of the node that is compatible with `trapless,backend`):

- `label`: its name; `reg`, `reg-names`: "region" (everything shared) and "pool" (vrings and buffers), backend
  addresses; optionally "shm" (shared-memory regions of the devices);
- `trapless,memory`: phandle of what maps the region when it is asked to; all addresses of `reg` are offsets in it then;
- `trapless,frontend-base`: 64-bit frontend address of the pool's first byte; `trapless,frontend-shm`: of that of "shm";
- `mboxes`: phandle of the doorbell and the peer to ring; without it both sides poll;
- `trapless,spin-us`: how long, in microseconds (at most 1000), to look for more before this side sleeps;
- `trapless,polls`: the frontend does not ring, this side polls; `trapless,polled`: this side does not ring;
- one child for each device: `reg`, `reg-names`: "device" and "driver" (its pages), `trapless,device` (its kind) and,
  for kinds that have one, `trapless,model`.
"""

from hal.compat import const

# While the backend looks, its prompt waits.
_LONGEST_SPIN_US = const(1000)


def _silent():
    """Ring nobody."""


class Doorbell:
    """One link's doorbell. `hears`: the frontend can ring this side; `rings`: this side can ring the frontend.

    `ring()` rings the frontend; all earlier stores are visible to it first. Without a doorbell it does nothing.
    """

    hears = False
    rings = False
    ring = staticmethod(_silent)

    def echo(self, request, request_off, reply, reply_off):
        """Answer at interrupt level: a new word at `request` is stored at `reply`, then the frontend is rung.

        `request`, `reply`: Windows, with the offset of a 32-bit word each. Returns the slot for `echo_off`, or -1: no
        echo here.
        """
        return -1

    def echo_off(self, slot):
        """Stop the echo of `slot`."""


class Link:
    """One frontend's shared region.

    `name`: str; `region`, `pool`: Windows; `frontend_base`: the frontend's address of the pool's first byte;
    `shared`: the Window of shared-memory regions, or None, `frontend_shared`: the frontend's address of its first byte;
    `doorbell`: Doorbell; `devices`: list of (kind, device page Window, driver page Window, model name or None, dict of
    all properties of the device's node as bytes, by name). `spin_us`: microseconds to look for more before a sleep.
    """

    def __init__(self, name, region, pool, frontend_base, doorbell, devices, shared=None, frontend_shared=0):
        self.name = name
        self.region = region
        self.pool = pool
        self.frontend_base = frontend_base
        self.doorbell = doorbell
        self.devices = devices
        self.shared = shared
        self.frontend_shared = frontend_shared
        self.spin_us = 0


def draw(entropy, word, avoid):
    """Return a random integer, 1 to 2^32 - 1, not in `avoid`. `entropy` fills the 4-byte buffer `word`."""
    while True:
        entropy(word)
        value = int.from_bytes(word, "little")
        if value and value not in avoid:
            return value


def find_device(tree, compatible, index):
    """Return (address, size) of the registers of device `index` in `tree` of those compatible with `compatible`.

    ValueError if there are not so many.
    """
    found = tree.compatible(compatible)
    if not 0 <= index < len(found):
        raise ValueError(
            "device tree: no device %d compatible with '%s'; there are %d of them" % (index, compatible, len(found))
        )
    return found[index].registers()[0]


def backends(tree):
    """Return the nodes of `tree` whose children are links; a hypervisor may have put them below one of its own."""
    return tree.compatible("trapless,backend")


def _nothing(handle):
    raise ValueError("device tree: this machine maps no memory on demand (trapless,memory)")


def read_links(tree, window, doorbell, memory=_nothing):
    """Return the Links that the device tree `tree` (hal.fdt.Tree) describes.

    `window(address, size)` makes a Window of memory; `doorbell(mboxes)` a Doorbell of the cells of `mboxes`, or of
    None; `memory(phandle)` maps what has that phandle and returns its (address, size). ValueError, with the node's
    name, if a link lacks what it needs.
    """
    found = []
    for root in backends(tree):
        found += [_read_link(node, window, doorbell, memory) for node in root.children if node.is_available()]
    return found


def _map_region(node, window, memory):
    at, size = node.named_reg("region")
    if "trapless,memory" not in node.properties:
        return window(at, size)
    start, length = memory(node.number("trapless,memory"))
    if at + size > length:
        raise ValueError("device tree: %s: the memory that was mapped has only 0x%x bytes" % (node.path, length))
    return window(start + at, size)


def _read_link(node, window, doorbell, memory):
    region_at, region_size = node.named_reg("region")
    region = _map_region(node, window, memory)
    base = node.number("trapless,frontend-base")

    def inside(node, name):
        address, size = node.named_reg(name)
        if not region_at <= address <= address + size <= region_at + region_size:
            raise ValueError("device tree: %s: '%s' is not inside the link's region" % (node.path, name))
        return region.window(address - region_at, size)

    devices = [_read_device(child, inside) for child in node.children if child.is_available()]
    link = Link(
        node.text("label", node.name), region, inside(node, "pool"), base, _read_doorbell(node, doorbell), devices
    )
    link.spin_us = node.number("trapless,spin-us", 0)
    if link.spin_us > _LONGEST_SPIN_US:
        raise ValueError("device tree: %s: 'trapless,spin-us' is more than %d" % (node.path, _LONGEST_SPIN_US))
    if "shm" in node.texts("reg-names"):
        link.shared = inside(node, "shm")
        link.frontend_shared = node.number("trapless,frontend-shm")
    return link


def _read_doorbell(node, doorbell):
    made = doorbell(node.cells("mboxes"))
    if "trapless,polls" in node.properties:
        made.hears = False
    if "trapless,polled" in node.properties:
        made.rings = False
        made.ring = _silent
    return made


def _read_device(node, inside):
    return (
        node.text("trapless,device"),
        inside(node, "device"),
        inside(node, "driver"),
        node.text("trapless,model", None),
        node.properties,
    )
