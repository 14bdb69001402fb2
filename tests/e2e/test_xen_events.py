# SPDX-License-Identifier: MIT
"""Event channels as doorbells: none is lost while both sides ring each other, and they outlive whoever listens."""

import pytest

pytestmark = pytest.mark.only_on_xen

ECHOES = 3000
LOST_NS = 400_000_000  # nothing but the heartbeat of either side ends such a wait, and that is 500 ms
SENSOR = "cat /sys/class/hwmon/hwmon*/temp1_input 2>/dev/null"
MODULES = "/lib/modules/trapless"


@pytest.mark.needs_doorbell("an echo answers a doorbell")
def test_no_event_is_lost_while_both_sides_ring(frontend):
    """The backend answers from its interrupt handler, and is rung again before that has ended."""
    (echo,) = frontend.check("ls /sys/kernel/debug/trapless/*/echo").split()
    waits = []
    for _ in range(ECHOES // 500):
        waits += [int(line) for line in frontend.check(f"echo 500 >{echo} && cat {echo}", 110).split()]
    lost = [wait for wait in waits if wait > LOST_NS]
    assert len(waits) == ECHOES
    assert len(lost) <= 2, f"{len(lost)} of {ECHOES} waited for something else: {sorted(lost)}"


def test_a_port_opens_again_after_its_listener_has_gone(frontend):
    for _ in range(2):
        frontend.check("rmmod trapless_virtio && rmmod xen_evtchn_mailbox")
        frontend.check(f"insmod {MODULES}/xen_evtchn_mailbox.ko && insmod {MODULES}/trapless_virtio.ko")
        frontend.wait_for(f'[ "$({SENSOR})" = 45000 ]')


@pytest.mark.needs_doorbell("without doorbells it does neither")
def test_another_life_of_the_backend_hears_and_rings(backend, frontend):
    backend.soft_reset()
    frontend.wait_for(f'[ "$({SENSOR})" = 45000 ]')
    assert "hears, rings" in backend.exec("status()")
