# SPDX-License-Identifier: MIT
"""The most telling of the tests of recovery, of requests in flight and of sleep, on a link without a doorbell.

`make polled` runs the whole suite so.
"""

import dataclasses

import pytest

from e2e import on_xen, recovery
from e2e.test_midair import (  # noqa: F401 (the same tests, on this pair)
    asked,
    test_the_backend_is_killed,
    test_the_backend_is_soft_reset,
    test_the_module_is_removed,
)
from e2e.test_recovery import test_a_backend_killed_while_nobody_asks  # noqa: F401
from e2e.test_suspend import (  # noqa: F401
    asleep,
    before,
    test_the_backend_restarts_meanwhile,
    wake_up,
)

pytestmark = [on_xen.NO_CLOCK, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def pair_options(pair_options, tmp_path_factory):
    """Polled, patient as test_midair's, and with a console as test_suspend's."""
    polled = dataclasses.replace(pair_options, topology="polled", bootargs="no_console_suspend")
    return recovery.patient(polled, tmp_path_factory.mktemp("topology"))
