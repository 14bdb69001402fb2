# SPDX-License-Identifier: MIT
"""Why a test does not run in domains of Xen: marks, each with what Xen, or Linux on it, does not do."""

import pytest

from trapless.xen.domain import Domain

NO_RESTART = pytest.mark.not_on_xen(Domain.inseparable)
NO_PAUSE = pytest.mark.not_on_xen(Domain.inseparable)
NO_RING = pytest.mark.not_on_xen("nobody but the domain at its other end can ring an event channel of Xen")
NO_CPUFREQ = pytest.mark.not_on_xen("Linux has no cpufreq as a guest of Xen (xen_guest_init calls disable_cpufreq)")
ONE_PROCESS = pytest.mark.not_on_xen("one QEMU runs all domains: the processor time of one is not known")
COUNTED_BY_XEN = pytest.mark.not_on_xen("what traps there is told by Xen itself: tests/e2e/test_xen.py")
NO_CLOCK = pytest.mark.not_on_xen("the machine's clock, which would wake the frontend up, is the backend's")
NO_SECOND_LIFE = pytest.mark.not_on_xen("Xen takes a domain's vcpu_info once, and Linux insists (xen_starting_cpu)")
