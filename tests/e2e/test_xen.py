# SPDX-License-Identifier: MIT
"""On Xen nothing traps but doorbells, by Xen's own counters; a device that Xen emulates traps at each access.

The counters are those of Xen's build with performance counters (xen/hypervisor/), read out of its memory while it runs.
"""

import pytest

ROUNDS = 1000
TRAP = "trap: "
HYPERCALL, DATA_ABORT = "trap: 64-bit hvc", "trap: guest data abort"
EVENT_CHANNEL = "hypercalls 32"  # __HYPERVISOR_event_channel_op in xen/include/public/xen.h
EMULATED_UART = "/dev/ttyAMA0"


pytestmark = pytest.mark.only_on_xen


@pytest.fixture
def counted(pair):
    """Return a function that runs an action and returns by how much each counter has grown."""
    memory = pair.backend_vm.host.memory

    def count(action):
        before = memory.counters()
        action()
        return {name: value - before[name] for name, value in memory.counters().items() if value != before[name]}

    return count


def test_a_request_traps_for_its_doorbells_only(counted, read_sensor):
    few = counted(lambda: read_sensor(ROUNDS // 10))
    many = counted(lambda: read_sensor(ROUNDS))
    traps = {name: many[name] - few.get(name, 0) for name in many if name.startswith(TRAP)}
    print(f"of {ROUNDS - ROUNDS // 10} requests more: {traps}, {many}")
    grown = {name for name, count in traps.items() if count > ROUNDS // 100}
    assert grown <= {HYPERCALL}, traps
    assert many[HYPERCALL] == many[EVENT_CHANNEL], "no other hypercall"
    assert many[HYPERCALL] <= 2 * ROUNDS + ROUNDS // 10, "one doorbell there and one back, at most"


def test_an_emulated_device_traps_at_each_access(counted, frontend):
    text = "." * ROUNDS
    found = counted(lambda: frontend.check(f"printf '{text}' >{EMULATED_UART}"))
    assert found[DATA_ABORT] >= ROUNDS, found
