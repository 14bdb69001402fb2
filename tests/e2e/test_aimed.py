# SPDX-License-Identifier: MIT
"""A side goes in the middle of a batch, of a message, of a notification: docs/transport.md, 4.3 to 4.7.

test_recovery.py hits these moments by chance. Here a side is stopped, or holds what it has, until the region shows that
the moment is there; then somebody is killed, or the module removed. What Linux waits for by itself is a minute here.
What else becomes of requests that the backend has taken and holds is in test_midair.py.
"""

import pytest

from e2e import consumer, in_flight, on_xen, recovery
from e2e.notifications import Notifications
from trapless.nodes import DEVICE_IDS

READERS = 3
ALL_READERS = READERS + len(recovery.READINGS)  # with those at work
SENSOR, UPDATE = 0x15, 1
FEW = 5
FIRST = 2_000
FAN = "cooling-fan-behind-the-front-panel"
REMOVE = "rmmod trapless_virtio"
INSERT = f"insmod {recovery.MODULE}"

# Of the two batches of a driver's way the one that sets the device up: neither committed nor answered before the
# frontend has published something else. It is examined by then: the mark says so.
HOLD = f"""
from virtio.registers import RegisterFile
slices = RegisterFile.slices
def hold(registers, entries):
    entries = list(entries)
    if registers.device.device_id == {DEVICE_IDS["scmi"]} and len(entries) > 1:
        RegisterFile.slices = slices
        sync = registers.owner.sync
        sync.device_page.w32({in_flight.MARK}, sync.examined)
        while sync.driver_page.r32({in_flight.layout.DRV_REQ}) == sync.examined:
            yield
    return (yield from slices(registers, entries))
RegisterFile.slices = hold
"""

# One that still waits would be replaced by the next one.
SEND = """
events = soc.agents["linux"].events
for n in range({count}):
    soc.sensors["{fan}"].value = {first} + n
    while events.waiting and n < {buffers}:
        pass
"""

pytestmark = [pytest.mark.slow, on_xen.NO_PAUSE]


@pytest.fixture(scope="module")
def pair_options(pair_options, tmp_path_factory):
    """A patient Linux that hears notifications."""
    patient = recovery.patient(pair_options, tmp_path_factory.mktemp("topology"))
    return consumer.equipped(patient, {}, "trapless_events")


@pytest.fixture
def watch(pair, frontend):
    """What is under way; Linux has probed the platform, and readers are at work, whose answers are checked."""
    pair.wait_probed()
    made = in_flight.Watch(frontend)
    recovery.load(frontend)
    yield made
    pair.backend_vm.resume()
    frontend.vm.resume()
    made.close()
    recovery.unload(frontend)


def check_recovered(pair, frontend):
    """Linux has come back by itself, and nobody has had a wrong answer."""
    pair.wait_probed()
    recovery.check_load(frontend)


def kill_backend(pair, frontend):
    """Whatever has stopped: the backend is killed, everybody goes on."""
    pair.restart_backend()
    frontend.vm.resume()


def kill_frontend(pair, frontend, goes_on=lambda: None):
    """Whatever has stopped: the frontend is killed; the backend goes on with what it left, then its next life begins.

    `goes_on()` returns when the backend has.
    """
    frontend.drop_shell()
    frontend.vm.kill()
    pair.backend_vm.resume()
    goes_on()
    pair.restart_frontend()
    recovery.load(frontend)


class TestBatch:
    """In the middle of a batch."""

    @pytest.fixture
    def published(self, pair, frontend, watch, until):
        """The first batch of a life, which asks for a reset, is published; the backend is stopped before it looks."""
        frontend.check(REMOVE, 30)
        pair.backend_vm.pause()
        frontend.check(INSERT)
        until(watch.batch, "a batch without an answer")
        assert watch.statuses() == [in_flight.RESET]
        return watch.batch()

    @pytest.fixture
    def half_done(self, backend, frontend, watch, until):
        """The batch that sets the device up is examined, and neither committed nor answered."""
        frontend.check(REMOVE, 30)
        backend.exec(HOLD)
        frontend.check(INSERT)
        until(lambda: watch.batch() and watch.shown(in_flight.MARK) == watch.batch(), "a batch in the middle")
        assert in_flight.DRIVER_OK in watch.statuses()
        return watch.batch()

    def test_published_and_the_backend_is_killed(self, pair, frontend, published):
        kill_backend(pair, frontend)
        check_recovered(pair, frontend)

    def test_half_done_and_the_backend_is_killed(self, pair, frontend, half_done):
        kill_backend(pair, frontend)
        check_recovered(pair, frontend)

    def test_published_and_the_frontend_is_killed(self, pair, frontend, watch, until, published):
        def is_answered():
            return watch.shown(in_flight.layout.DEV_ACK) == published

        kill_frontend(pair, frontend, lambda: until(is_answered, "an answer to the dead"))
        check_recovered(pair, frontend)

    def test_half_done_and_the_frontend_is_killed(self, pair, frontend, half_done):
        kill_frontend(pair, frontend)
        check_recovered(pair, frontend)

    def test_published_and_the_module_is_removed(self, pair, frontend, published):
        frontend.check(REMOVE, 30)
        pair.backend_vm.resume()
        frontend.check(INSERT)
        check_recovered(pair, frontend)

    def test_half_done_and_the_module_is_removed(self, pair, frontend, half_done):
        frontend.check(REMOVE, 30)
        frontend.check(INSERT)
        check_recovered(pair, frontend)


class TestMessage:
    """In the middle of a message."""

    @pytest.fixture
    def asked(self, pair, frontend, watch, until):
        """Requests are available, those of the readers at work, too; the backend is stopped before it looks."""
        pair.backend_vm.pause()
        recovery.ask(frontend, READERS)
        until(lambda: watch.commands() == ALL_READERS, "requests without an answer")
        return watch

    @pytest.fixture
    def answered(self, pair, frontend, asked, until):
        """Requests are answered; the frontend is stopped before it looks."""
        frontend.vm.pause()
        pair.backend_vm.resume()
        until(lambda: not asked.commands(), "answers to all requests")
        return asked

    @pytest.fixture
    def held(self, backend, frontend, watch, until):
        """Requests are with the backend, which holds them: those of the readers at work, too."""
        backend.exec(f'faults.timeout("sensor", "SENSOR_READING_GET", times={ALL_READERS})')
        recovery.ask(frontend, READERS)
        until(lambda: f"holds {ALL_READERS}" in backend.eval("repr(faults)"), "the backend holds the requests")
        assert watch.commands() == ALL_READERS
        yield
        backend.exec("faults.clear()")

    def check_ended(self, frontend):
        """Each of the requests has ended soon, with the transport's error or the right answer."""
        recovery.check_ended(frontend, READERS, f"^{recovery.STEADY}$|{recovery.ENDED}")

    def test_asked_and_the_backend_is_killed(self, pair, frontend, asked):
        kill_backend(pair, frontend)
        self.check_ended(frontend)
        check_recovered(pair, frontend)

    def test_answered_and_the_backend_is_killed(self, pair, frontend, answered):
        kill_backend(pair, frontend)
        self.check_ended(frontend)
        check_recovered(pair, frontend)

    def test_asked_and_the_frontend_is_killed(self, pair, frontend, asked, until):
        kill_frontend(pair, frontend, lambda: until(lambda: not asked.commands(), "answers to the dead"))
        check_recovered(pair, frontend)

    def test_held_and_the_frontend_is_killed(self, pair, backend, frontend, held):
        kill_frontend(pair, frontend)
        assert "holds" not in backend.eval("repr(faults)").replace("holds 0", ""), "nothing is kept for the dead"
        check_recovered(pair, frontend)

    def test_answered_and_the_frontend_is_killed(self, pair, frontend, answered):
        kill_frontend(pair, frontend)
        check_recovered(pair, frontend)

    def test_asked_and_the_module_is_removed(self, pair, frontend, asked, until):
        frontend.check(f"{REMOVE} > /tmp/removed 2>&1 &")
        until(lambda: asked.batch() and asked.statuses() == [in_flight.RESET], "a reset on top of the requests")
        pair.backend_vm.resume()
        self.check_ended(frontend)
        frontend.wait_for("! grep -q trapless_virtio /proc/modules")
        frontend.check(INSERT)
        check_recovered(pair, frontend)


class TestNotification:
    """In the middle of a notification: of some that lie in the queue, and of more than there are buffers for."""

    @pytest.fixture(params=("queued", "waiting"))
    def sent(self, request, pair, backend, frontend, watch, until):
        """Notifications that the frontend, which is stopped, has not taken; the values that they tell."""
        self.told = Notifications(frontend)
        self.fan = pair.platform.sensors[FAN].id
        self.subscribe()
        frontend.vm.pause()
        buffers = watch.event_buffers()
        count = FEW if request.param == "queued" else buffers + 1
        backend.exec(SEND.format(fan=FAN, first=FIRST, count=count, buffers=buffers))
        values = list(range(FIRST, FIRST + count))
        until(lambda: len(watch.events()) == min(count, buffers), "notifications in the queue")
        assert {event[0] for event in watch.events()} == {in_flight.SENSOR_UPDATE}
        assert {event[3] for event in watch.events()} <= set(values)
        assert backend.eval("soc.agents['linux'].events.waiting > 0") == (request.param == "waiting")
        return values

    def subscribe(self):
        self.told.subscribe(SENSOR, UPDATE, self.fan)

    def heard(self):
        """The values that Linux was told."""
        return [report[4] for report in self.told.heard()]

    def check_fresh(self, pair, frontend, value=3_000):
        """A subscription tells what comes from now on, and nothing of what was before."""
        pair.wait_probed()
        self.subscribe()
        pair.backend.exec(f"soc.sensors['{FAN}'].value = {value}")
        self.told.wait_for(SENSOR, UPDATE, 0, self.fan, value)
        assert self.heard() == [value]
        self.told.unsubscribe(SENSOR, UPDATE, self.fan)
        check_recovered(pair, frontend)

    def test_the_frontend_goes_on(self, pair, frontend, sent):
        frontend.vm.resume()
        self.told.wait_for(SENSOR, UPDATE, 0, self.fan, sent[-1])
        assert self.heard() == sent
        self.told.unsubscribe(SENSOR, UPDATE, self.fan)
        self.check_fresh(pair, frontend)

    def test_the_backend_is_killed(self, pair, frontend, sent):
        kill_backend(pair, frontend)
        pair.wait_probed()
        assert self.heard() == sent[: len(self.heard())], "nothing but what was said"
        self.check_fresh(pair, frontend)

    def test_the_frontend_is_killed(self, pair, frontend, sent):
        before = pair.backend.eval("soc.agents['linux'].events.sent")
        kill_frontend(pair, frontend)
        assert pair.backend.eval("soc.agents['linux'].events.sent") == before, "the next life is told nothing of it"
        assert pair.backend.eval("soc.agents['linux'].events.waiting") == 0, "nothing is kept for the dead"
        self.told = Notifications(frontend)
        self.check_fresh(pair, frontend)
