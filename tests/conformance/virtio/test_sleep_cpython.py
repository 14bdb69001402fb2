# SPDX-License-Identifier: MIT
"""docs/transport.md, 6.2: no wake-up is lost, whenever work appears. The pure twin lets it appear at the worst
moment.
"""

import pytest

from driver import Mirror, Rig, status
from hal import pure
from virtio import loop
from virtio.layout import DEV_ACK, DEV_BE_SLEEP


class LateWatch(pure.Watch):
    """A watch beside which `late()` runs once, as the loop goes to sleep: before, or after the sleep flags are set."""

    late = None
    after_flags = False

    def _once(self):
        late, type(self).late = self.late, None
        if late:
            late()

    def rest(self):
        """Go to rest, with something happening just before."""
        if not self.after_flags:
            self._once()
        return super().rest()

    def scan(self):
        """Look for work, with something happening just before the last look, when the flags are set."""
        if self.after_flags and self._is_resting():
            self._once()
        return super().scan()

    def _is_resting(self):
        return self.page is not None and self.page.load(DEV_BE_SLEEP) == 1


@pytest.fixture(params=[False, True], ids=["before the flags", "after the flags"])
def rig(request, monkeypatch):
    """A running Mirror whose loop has a LateWatch; frontend doorbells are lost from here on."""
    watch = type("Watch", (LateWatch,), {"after_flags": request.param, "page": None})
    monkeypatch.setattr(loop, "Watch", watch)
    rig = Rig(Mirror())
    rig.drivers[0].begin()
    rig.watch = watch
    watch.page = rig.drivers[0]
    rig.frontend.ring = lambda: None
    return rig


def test_6_2_a_request_that_appears_while_the_backend_goes_to_sleep_is_served(rig):
    ring = rig.drivers[0].queues[0]
    rig.watch.late = lambda self: ring.add([b"abcd"], [4])
    rig.machine.notify()
    rig.run()
    assert [reply for _, reply in ring.poll()] == [b"abcd"]


def test_6_2_a_batch_that_appears_while_the_backend_goes_to_sleep_is_answered(rig):
    driver, token = rig.drivers[0], []
    rig.watch.late = lambda self: token.append(driver.publish([status(15)]))
    rig.machine.notify()
    rig.run()
    assert [driver.load(DEV_ACK)] == token


def test_6_2_a_backend_that_does_not_look_again_loses_the_wake_up(rig, monkeypatch):
    def careless(self):
        self._rest(True)
        self._once()
        return -1

    ring = rig.drivers[0].queues[0]
    rig.watch.late = lambda self: ring.add([b"abcd"], [4])
    monkeypatch.setattr(rig.watch, "rest", careless)
    rig.machine.notify()
    rig.run()
    assert ring.poll() == []
