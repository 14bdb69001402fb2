# SPDX-License-Identifier: MIT
"""The order of the backend's stores, loads and barriers on the pages: docs/transport.md, 4.1, 4.4, 4.6, 6.3, 7.2 and
10.1.

Nothing but the page tells what a barrier is for, and both interpreters see their own stores in order: so what is
looked at is a log of both.
"""

from driver import Mirror, Rig, status
from virtio import link, sync
from virtio.layout import (
    DEV_ACK,
    DEV_BE_EPOCH,
    DEV_CONFIG_COUNT,
    DEV_POOL_REQUEST,
    DEV_POOL_TARGET,
    DEV_RESULT,
    DRV_FE_SLEEP,
    DRV_HEADER,
    DRV_REQ,
    DRV_TOKEN,
    REG_CONFIG,
    REG_CONFIG_GENERATION,
)

STORES = ("w32", "w64", "fill", "write", "store_release", "add_release")
LOADS = ("r32", "read", "load_acquire")
FLAGS = ("r32",)
TELLING = STORES + FLAGS
BARRIERS = ((sync, "mb"), (sync, "rmb"), (sync, "wmb"), (link, "mb"))


class Recorded:
    """A page whose accesses are appended to `log` as (name, offset)."""

    def __init__(self, page, log):
        for name in STORES + LOADS:
            setattr(self, name, self._recorded(getattr(page, name), name, log))

    def _recorded(self, access, name, log):
        def call(offset, *arguments):
            log.append((name, offset))
            return access(offset, *arguments)

        return call


def logged(action, names=STORES):
    """Return what `action(rig)` does to the pages of a rig that runs: barriers, and the accesses with these names."""
    rig = Rig(Mirror())
    rig.drivers[0].begin()
    rig.drivers[0].store(DRV_FE_SLEEP, 1)
    log = []
    one = rig.link.ports[0].sync
    pages = one.device_page, one.driver_page
    one.device_page, one.driver_page = (Recorded(page, log) for page in pages)
    real = [getattr(module, name) for module, name in BARRIERS]
    try:
        for module, name in BARRIERS:
            setattr(module, name, lambda name=name: log.append((name, None)))
        action(rig)
    finally:
        one.device_page, one.driver_page = pages
        for (module, name), barrier in zip(BARRIERS, real):
            setattr(module, name, barrier)
    return [entry for entry in log if entry[1] is None or entry[0] in names]


def test_a_life_ends_behind_what_it_stored_and_before_what_is_cleared():
    log = logged(lambda rig: rig.link.publish())
    assert log[:4] == [("wmb", None), ("w32", DEV_BE_EPOCH), ("wmb", None), ("fill", 0)]


def test_a_life_begins_behind_what_the_page_says():
    log = logged(lambda rig: rig.link.publish())
    assert log[-3:] == [("wmb", None), ("w32", DEV_BE_EPOCH), ("mb", None)]


def test_a_batch_is_copied_between_the_request_and_the_second_look_at_its_token():
    def publish(rig):
        rig.drivers[0].publish([status(1)])
        rig.link.ports[0].sync.examine()

    log = [entry for entry in logged(publish, LOADS) if entry[0] != "r32"]
    assert log[:2] == [("load_acquire", DRV_REQ), ("read", DRV_HEADER)]
    assert log[-2:] == [("rmb", None), ("load_acquire", DRV_TOKEN)]
    assert [name for name, _ in log[2:-2]] == ["read"]


def test_an_answer_is_complete_before_its_token_and_told_behind_a_barrier():
    log = logged(lambda rig: rig.link.ports[0].sync._finish(0, 0), TELLING)
    assert ("w32", DEV_RESULT) in log[: log.index(("store_release", DEV_ACK))]
    assert log[-3:] == [("store_release", DEV_ACK), ("mb", None), ("r32", DRV_FE_SLEEP)]


def test_the_configuration_space_changes_between_two_barriers():
    log = logged(lambda rig: rig.link.ports[0].sync.show_config())
    generation = ("w32", REG_CONFIG_GENERATION)
    assert log == [generation, ("wmb", None), ("write", REG_CONFIG), ("wmb", None), generation]


def test_a_configuration_change_is_counted_before_the_sleep_flag_is_looked_at():
    log = logged(lambda rig: rig.link.ports[0].sync.tell_config(), TELLING)
    assert log == [("add_release", DEV_CONFIG_COUNT), ("mb", None), ("r32", DRV_FE_SLEEP)]


def test_a_request_for_the_pool_stands_behind_its_target_and_before_the_sleep_flag():
    log = logged(lambda rig: rig.link.balloon.ask(0), TELLING)
    told = [("store_release", DEV_POOL_REQUEST), ("mb", None), ("r32", DRV_FE_SLEEP)]
    assert log == [("w32", DEV_POOL_TARGET)] + told
