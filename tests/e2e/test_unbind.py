# SPDX-License-Identifier: MIT
"""Whoever may write to sysfs takes drivers from their devices at any time, under load; all of it comes back."""

import pytest

from e2e import consumer, recovery

LINK = "/sys/bus/platform/drivers/trapless-virtio"
DOORBELLS = {"qemu": "/sys/bus/pci/drivers/ivshmem-mailbox", "xen": "/sys/bus/platform/drivers/xen-evtchn-mailbox"}
VIRTIO = "/sys/bus/virtio/drivers/virtio_rng"
UNWILLING = "/sys/bus/virtio/drivers/trapless_resize"


@pytest.fixture(scope="module")
def pair_options(pair_options):
    """The pair of the command line, with another driver of the entropy device."""
    return consumer.equipped(pair_options, {}, "trapless_resize")


@pytest.fixture
def loaded(frontend):
    """The frontend, with readers in it."""
    recovery.load(frontend)
    yield frontend
    recovery.unload(frontend)


def bound(frontend, driver, pattern):
    """The name of the device that a driver has."""
    return frontend.check(f"cd {driver} && ls -d {pattern}")


@pytest.mark.timeout(300)
@pytest.mark.needs_doorbell("it takes the doorbell away")
def test_a_doorbell_that_is_taken_away_takes_its_link_along(platform, loaded):
    driver = DOORBELLS[platform]
    bell, link = bound(loaded, driver, "[0d]*"), bound(loaded, LINK, "link@*")
    for _ in range(3):
        loaded.check(f"echo {bell} > {driver}/unbind", 60)
        assert loaded.run(f"[ -e {LINK}/{link} ]").status, "a link without a doorbell would ring what is not there"
        loaded.check(f"echo {bell} > {driver}/bind", 60)
        loaded.wait_for(f"[ -e {LINK}/{link} ]", 60)
        loaded.wait_for(f"grep -qx {recovery.STEADY} {recovery.SENSOR} 2> /dev/null", 60)
    recovery.check_load(loaded)


@pytest.mark.timeout(300)
def test_a_link_that_is_taken_away_comes_back(loaded):
    link = bound(loaded, LINK, "link@*")
    for _ in range(3):
        loaded.check(f"echo {link} > {LINK}/unbind", 60)
        loaded.check(f"echo {link} > {LINK}/bind", 60)
        loaded.wait_for(f"grep -qx {recovery.STEADY} {recovery.SENSOR} 2> /dev/null", 60)
    recovery.check_load(loaded)


@pytest.mark.timeout(300)
def test_a_virtio_driver_that_is_taken_away_comes_back(loaded):
    device = bound(loaded, VIRTIO, "virtio*")
    for _ in range(5):
        loaded.check(f"echo {device} > {VIRTIO}/unbind; echo {device} > {VIRTIO}/bind", 60)
    loaded.check("head -c 64 /dev/hwrng > /dev/null")
    recovery.check_load(loaded)


@pytest.mark.parametrize("unwilling", [1, 2], ids=["as it is", "after a reset"])
def test_a_device_whose_driver_failed_is_taken_by_another_one(backend, loaded, unwilling):
    """Linux's core goes on from FAILED without a reset (6.12, virtio_dev_probe()), which virtio 1.3 does not allow."""
    device = bound(loaded, VIRTIO, "virtio*")
    loaded.check(f"insmod /host/trapless_resize.ko unwilling={unwilling}")
    loaded.check(f"echo {device} > {VIRTIO}/unbind")
    for _ in range(2):
        assert loaded.run(f"echo {device} > {UNWILLING}/bind").status, "it did not fail, so this shows nothing"
    loaded.check(f"echo {device} > {VIRTIO}/bind")
    loaded.check("head -c 64 /dev/hwrng > /dev/null")
    loaded.check("rmmod trapless_resize")
    assert backend.exec("status()").count("vetoed 0") == 2, "what it had chosen was told with its failure"
    recovery.check_load(loaded)
