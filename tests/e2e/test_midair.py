# SPDX-License-Identifier: MIT
"""What becomes of requests that are in flight when a side goes: docs/transport.md, 4.7.

Linux's own time-out is a minute here, so whatever ends before is ended by the transport, with an error of its own.
"""

import pytest

from e2e import on_xen, recovery
from e2e.test_serving import prompt, soft_reset_friendly

READERS = 3

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair_options(pair_options, tmp_path_factory):
    return recovery.patient(pair_options, tmp_path_factory.mktemp("topology"))


@on_xen.NO_RESTART
def test_the_kernel_itself_is_asking(pair, backend, frontend, until):
    """Half a minute after its start Linux asks each regulator that nobody uses whether it is on.

    Nothing but the answer keeps the SCMI instance until then: taken away before, do_xfer() uses its channel and oopses.
    """
    backend.exec('faults.timeout("voltage", None)')
    until(lambda: "holds 1" in backend.eval("repr(faults)"), "Linux asks its regulators", 100)
    pair.restart_backend()
    frontend.wait_for("dmesg | grep -q 'Error -70 reading regulator'")
    pair.wait_probed()


@pytest.fixture
def asked(pair, backend, frontend, until):
    """Requests that the backend has taken and will never answer."""
    pair.wait_probed()
    backend.exec('faults.timeout("sensor", "SENSOR_READING_GET")')
    recovery.ask(frontend, READERS)
    until(lambda: f"holds {READERS}" in backend.eval("repr(faults)"), "the backend holds the requests", 30)
    yield frontend
    pair.backend.exec("faults.clear()")


@on_xen.NO_RESTART
def test_the_backend_is_killed(pair, asked):
    pair.restart_backend()
    recovery.check_ended(asked, READERS)
    pair.wait_probed()


def test_the_backend_is_soft_reset(pair, asked):
    before = pair.epochs()
    with prompt(pair) as port:
        soft_reset_friendly(port)
        pair.wait_serving(before)
    recovery.check_ended(asked, READERS)
    pair.wait_probed()


def test_the_module_is_removed(pair, backend, asked):
    asked.check("rmmod trapless_virtio", recovery.PATIENT_MS / 2000)
    recovery.check_ended(asked, READERS)
    backend.exec("faults.clear()")
    asked.check(f"insmod {recovery.MODULE}")
    pair.wait_probed()
