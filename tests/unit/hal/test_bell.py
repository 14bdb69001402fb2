# SPDX-License-Identifier: MIT
"""Bell and Notifier: what a call stores, and when it rings. docs/transport.md, 6.1 and 6.3."""

from support import raises
from unit.hal.twins import for_twins


def page(twin):
    return twin.Window(bytearray(64), 64)


@for_twins
def test_a_bell_stores_its_value(twin):
    window = page(twin)
    bell = twin.Bell(window, 12, 0x10000)
    assert window.r32(12) == 0
    assert bell() is None
    assert (window.r32(8), window.r32(12), window.r32(16)) == (0, 0x10000, 0)


@for_twins
def test_a_notifier_counts_and_rings_who_may_sleep(twin):
    ours, theirs, register = page(twin), page(twin), page(twin)
    notify = twin.Notifier(ours, 8, theirs, 4, twin.Bell(register, 12, 7))
    ours.w32(8, 0xFFFFFFFF)
    assert notify() is None
    assert (ours.r32(8), register.r32(12)) == (0, 0)
    theirs.w32(4, 0x80000000)
    notify()
    assert (ours.r32(8), register.r32(12)) == (1, 7)


@for_twins
def test_a_notifier_rings_by_any_function(twin):
    ours, theirs, rung = page(twin), page(twin), []
    notify = twin.Notifier(ours, 0, theirs, 0, lambda: rung.append(ours.r32(0)))
    theirs.w32(0, 1)
    notify()
    notify()
    assert rung == [1, 2]  # counted before it rings


@for_twins
def test_a_hypercall_without_a_hypervisor_is_refused(twin):
    window = page(twin)
    for call in (twin.Hypercall(32), twin.Hypercall(12, 7, window), twin.Hypercall(1, 0, (1 << 64) - 1, 3, 4, window)):
        assert call() == -38


@for_twins
def test_arguments_of_a_hypercall(twin):
    for wrong, error in ((-1, ValueError), (1 << 64, ValueError), (None, TypeError), (bytearray(8), TypeError)):
        raises(error, twin.Hypercall, wrong)
        raises(error, twin.Hypercall, 1, 2, wrong)
    raises(TypeError, twin.Hypercall)
    raises(TypeError, twin.Hypercall, 0, 1, 2, 3, 4, 5, 6)
    raises(TypeError, twin.Hypercall(0), 1)


@for_twins
def test_arguments(twin):
    window = page(twin)
    ring = twin.Bell(window, 0, 0)
    for off, error in ((64, IndexError), (-4, IndexError), (2, ValueError), (None, TypeError)):
        raises(error, twin.Bell, window, off, 0)
        raises(error, twin.Notifier, window, off, window, 0, ring)
        raises(error, twin.Notifier, window, 0, window, off, ring)
    raises(TypeError, twin.Bell, bytearray(64), 0, 0)
    raises(TypeError, twin.Bell, window, 0, None)
    raises(TypeError, twin.Notifier, None, 0, window, 0, ring)
    raises(TypeError, twin.Notifier, window, 0, window, 0, None)
    raises(TypeError, ring, 1)
    raises(TypeError, twin.Notifier(window, 0, window, 0, ring), 1)
