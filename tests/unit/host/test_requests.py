# SPDX-License-Identifier: MIT
"""The common requests of a platform, as raw messages."""

from trapless import model, requests


def test_every_kind_once_and_sets_in_turn():
    found = requests.common(model.load("models.default").describe())
    assert found["read a sensor that holds still"] == ["06540000" + "00000000" * 2]
    assert all(len(messages) == (2 if name.startswith("set") else 1) for name, messages in found.items())
    assert {"read a sensor that moves", "get the rate of a clock", "set the rate of a clock"} < set(found)


def test_what_a_platform_does_not_have_is_left_out():
    assert set(requests.common({"sensors": [], "clocks": []})) == set()
