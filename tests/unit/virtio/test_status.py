# SPDX-License-Identifier: MIT
"""The table of the device status."""

from virtio import status

INITIALISATION = (1, 3, 11, 15)


def test_a_driver_may_walk_through_the_initialisation():
    for old, new in zip((0,) + INITIALISATION, INITIALISATION):
        assert status.may_become(old, new)


def test_a_driver_may_take_several_steps_at_once():
    for new in INITIALISATION:
        assert status.may_become(0, new)


def test_a_step_cannot_be_left_out():
    for new in (2, 4, 8, 6, 10, 12, 14, 5, 7, 9, 13):
        assert not status.may_become(0, new), new


def test_no_bit_is_taken_back():
    for old in range(16):
        for new in range(16):
            if old & ~new:
                assert not status.may_become(old, new), (old, new)


def test_failed_can_be_set_at_any_time_and_ends_the_initialisation():
    for old in (0,) + INITIALISATION:
        assert status.may_become(old, old | status.FAILED)
    assert status.may_become(3 | status.FAILED, 3 | status.FAILED)
    assert not status.may_become(3 | status.FAILED, 11 | status.FAILED)


def test_names_are_in_the_order_of_initialisation():
    assert status.names(0) == []
    assert status.names(15 | 64) == ["ACKNOWLEDGE", "DRIVER", "FEATURES_OK", "DRIVER_OK", "NEEDS_RESET"]
