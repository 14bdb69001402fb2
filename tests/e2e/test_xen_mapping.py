# SPDX-License-Identifier: MIT
"""What a guest of Xen can map by itself, without a control domain, and what Xen refuses it. docs/adr/0015.

The backend makes the hypercalls at its prompt; the frontend is the other domain. Sources: Xen's public headers
memory.h, grant_table.h, errno.h.
"""

import pytest

from e2e import consumer
from trapless.xen import trees

pytestmark = pytest.mark.only_on_xen

EPERM, ESRCH, ENOSYS = -1, -3, -38
GMFN, GMFN_RANGE = 2, 3
BACKEND, FRONTEND = 1, 2  # Xen counts the domains from 1 in the order of its device tree
DOMID_IO = 0x7FF1
PERMISSION_DENIED = -8
PARAMETERS = "/sys/module/trapless_grant/parameters"

TOOLS = """
import _hal
from hal import edge, metal, xen
from uctypes import addressof

# Where nothing is mapped: in the room that Xen keeps free for the guest, below what hal.xen has taken.
frame = xen.spare_frame(metal.tree().compatible("xen,xen")[0]) - 1

def structure(size, *words):
    buffer = bytearray(size)
    window = edge.Window(buffer, size)
    for at, width, value in words:
        {2: window.w16, 4: window.w32, 8: window.w64}[width](at, value)
    return window, addressof(buffer)

def physmap(space, index):
    op, _ = structure(24, (0, 2, 0x7ff0), (2, 2, 1), (4, 4, space), (8, 8, index), (16, 8, frame))
    return edge.Hypercall(12, 7, op)()

def foreign(domain, index):
    "The answer to the call, and to the one page that it asks for."
    _, indices = structure(8, (0, 8, index))
    _, frames = structure(8, (0, 8, frame))
    error, errors = structure(8)
    words = (0, 2, 0x7ff0), (2, 2, 4), (4, 2, 1), (6, 2, domain), (8, 8, indices), (16, 8, frames), (24, 8, errors)
    op, _ = structure(32, *words)
    answer = edge.Hypercall(12, 23, op)()
    return answer, error.r32(0) - (error.r32(0) >> 31 << 32)

def map_grant(domain, ref):
    "The answer, the status of the grant, and the handle to unmap it with."
    op, _ = structure(32, (0, 8, frame * 4096), (8, 4, 2), (12, 4, ref), (16, 2, domain))
    answer = edge.Hypercall(20, 0, op, 1)()
    return answer, op.r16(18) - (op.r16(18) >> 15 << 16), op.r32(20)

def unmap_grant(handle):
    op, _ = structure(24, (0, 8, frame * 4096), (16, 4, handle))
    answer = edge.Hypercall(20, 1, op, 1)()
    return answer, op.r16(20)
"""


@pytest.fixture(scope="module", params=["silo", "dummy"])
def policy(request):
    """Xen's access control: "silo", the default on Arm, keeps guests apart; "dummy" lets them grant each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "BOOTARGS", f"{trees.BOOTARGS} xsm={request.param}")
        yield request.param


@pytest.fixture(scope="module")
def pair_options(request, policy):
    """Two domains of Xen, the frontend with a page to grant."""
    from trapless.pytest_plugin import command_line_options

    return consumer.equipped(command_line_options(request.config), {}, "trapless_grant")


@pytest.fixture(scope="module")
def tools(pair):
    """The prompt of the backend, with what TOOLS defines."""
    pair.backend.exec(TOOLS)
    return pair.backend


@pytest.fixture(scope="module")
def granted(pair):
    """A page that the frontend has granted to the backend: its grant reference and its frame."""
    pair.frontend.check(f"insmod /host/trapless_grant.ko domid={BACKEND}")
    return tuple(int(pair.frontend.check(f"cat {PARAMETERS}/{name}")) for name in ("ref", "frame"))


def test_a_guest_cannot_map_another_ones_memory(tools, granted):
    _, frame = granted
    assert tools.eval(f"foreign({FRONTEND}, {frame})") == (0, EPERM)
    # Static shared memory belongs to a domain that cannot be named.
    assert tools.eval(f"foreign({DOMID_IO}, {frame})") == (0, ESRCH)


def test_a_guest_cannot_give_its_own_memory_a_second_place(tools):
    """So not even what is mapped at boot can be moved."""
    for space in (GMFN, GMFN_RANGE):
        assert tools.eval(f"physmap({space}, 0x40000)") == ENOSYS


def test_a_guest_maps_what_another_one_grants_where_it_wants(pair, tools, granted, policy):
    ref, _ = granted
    pair.frontend.check(f"echo -n from Linux > {PARAMETERS}/text")
    answer, status, handle = tools.eval(f"map_grant({FRONTEND}, {ref})")
    assert (answer, status) == (0, PERMISSION_DENIED if policy == "silo" else 0)
    if policy == "silo":
        return
    tools.exec("page = _hal.map_window(frame * 4096, 4096, False); text = bytearray(10); page.read(0, text)")
    assert tools.eval("bytes(text)") == b"from Linux"
    tools.exec("page.write(0, b'from MicroPython\\0')")
    assert pair.frontend.check(f"cat {PARAMETERS}/text").strip() == "from MicroPython"
    assert tools.eval(f"unmap_grant({handle})") == (0, 0)


def test_a_guest_maps_nothing_that_was_not_granted_to_it(tools, granted):
    ref, _ = granted
    for wrong in (ref + 1, 0, 1 << 20):
        answer, status, _ = tools.eval(f"map_grant({FRONTEND}, {wrong})")
        assert answer == 0 and status < 0
