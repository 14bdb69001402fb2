# SPDX-License-Identifier: MIT
"""Linux starts another Linux in its place, without firmware or a reset of the machine, while its devices are in use."""

import dataclasses
import time

import pytest

from e2e import on_xen, recovery
from trapless import files, native
from trapless.errors import MachineError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def pair_options(pair_options, tmp_path_factory):
    """A frontend with everything in it that its next life is started from."""
    initrd = tmp_path_factory.mktemp("kexec") / "initrd"
    initrd.write_bytes(files.initrd(pair_options))
    image = files.kernel(pair_options)
    return dataclasses.replace(pair_options, add=[*pair_options.add, native.guest_program("kexec"), image, initrd])


@on_xen.NO_SECOND_LIFE
@pytest.mark.plain_kernel(
    "kexec_file_load() of 6.12 takes minutes there, in kimage_alloc_control_pages()", under=["kasan"]
)
def test_another_life_without_a_reset(pair, frontend):
    epochs = pair.epochs()
    image = files.kernel(pair.options).name
    boot = frontend.check("cat /proc/sys/kernel/random/boot_id")
    recovery.load(frontend, recovery.change(pair))
    with pytest.raises(MachineError, match="restarted while the command ran"):
        frontend.run(f'/host/kexec /host/{image} /host/initrd "$(cat /proc/cmdline)"')
    taken = recovery.recovered(frontend, time.monotonic())
    pair.wait_probed()
    recovery.load(frontend, recovery.change(pair))
    recovery.judge(frontend, "kernel replaced", [taken])
    assert frontend.check("cat /proc/sys/kernel/random/boot_id") != boot
    assert pair.epochs() == epochs, "the backend lived through it"
