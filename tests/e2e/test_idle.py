# SPDX-License-Identifier: MIT
"""An idle backend leaves the host's processor alone."""

import time

import pytest

from e2e import on_xen

SECONDS = 60
SHARE = 0.005


@pytest.mark.needs_doorbell("what a pair that polls takes is judged by test_polling")
@pytest.mark.plain_kernel("it measures the backend alone")
@pytest.mark.slow
@on_xen.ONE_PROCESS
def test_idle_backend(pair):
    vm = pair.backend_vm
    begin, used = time.monotonic(), vm.cpu_seconds()
    time.sleep(SECONDS)  # the length of the measurement, not a wait for something
    share = (vm.cpu_seconds() - used) / (time.monotonic() - begin)
    assert share <= SHARE, f"{share:.2%} of a core over {SECONDS} s"
