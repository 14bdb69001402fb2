# SPDX-License-Identifier: MIT
"""A configuration space that the backend changes while Linux runs: each change arrives, and none is read half. What
Linux writes there arrives too.

docs/transport.md, 6.3, 7.2 and 7.3. None of the devices that are served has one, so the entropy device is given one at
the prompt, and a driver that reads and writes it (`linux/tests/trapless_space.c`).
"""

import threading
import time

import pytest

from e2e.consumer import equipped

SPACE = 256
RNG = "/sys/bus/virtio/drivers/virtio_rng"
ATTRIBUTES = "/sys/bus/virtio/drivers/trapless_space/virtio*"
CARELESS = 5  # mixtures that a reader without the generation has seen: then there was something to see
CHANGES = 2000

PREPARE = f"""
from time import sleep_us
port = links["linux0"].ports[1]
port.device.config = bytearray({SPACE})
def change(value):
    port.change_config(0, bytes([value & 255]) * {SPACE})
def change_often(count):
    for value in range(count):
        change(value)
        sleep_us(200)
"""


@pytest.fixture(scope="module")
def pair_options(pair_options):
    return equipped(pair_options, {}, "trapless_space")


@pytest.fixture(scope="module")
def space(pair):
    """Linux with the driver on the device that has a configuration space."""
    frontend = pair.frontend
    pair.wait_probed()
    pair.backend.exec(PREPARE)
    frontend.check(f"cd {RNG} && basename virtio* > unbind && insmod /host/trapless_space.ko")
    frontend.wait_for(f"[ -e {ATTRIBUTES}/heard ]")
    yield frontend
    frontend.check(f"device=$(basename {ATTRIBUTES}) && rmmod trapless_space && echo $device > {RNG}/bind")
    pair.backend.exec("port.device.config = bytearray(0)")


WRITABLE = 16
OPEN = f"""
change(0)
port.device.config_writable = lambda offset, length: offset + length <= {WRITABLE}
written = []
def write_config(offset, length, value):
    written.append((offset, length, value))
    port.device.config[offset : offset + length] = value.to_bytes(length, "little")
port.device.write_config = write_config
"""
SHUT = "port.device.config_writable = lambda offset, length: False; change(0)"
WRITES = [(0, 1, 0xA1), (2, 2, 0xB2B1), (4, 4, 0xC4C3C2C1), (8, 8, 0xD8D7D6D5D4D3D2D1), (3, 1, 0xB3), (15, 1, 0xE1)]
NOT_PASSED_ON = [(1, 2, 0x1111), (2, 4, 0x2222), (4, 8, 0x3333), (0, 3, 0x4444)]
SAID = "dmesg | grep -c 'configuration write at .* is not passed on' || true"


STOP = """
from time import sleep_ms
port.sync.device_page.w32(0xFC, port.registers.generation + 1)
port.sync.tell_config()
sleep_ms(300)
change(77)
"""
COMPLAINTS = "dmesg | grep -E 'configuration space|WARNING|BUG:' || true"


def heard(space):
    """Return (how often the driver was told of a change, the value that it read then)."""
    changes, value = space.check(f"cat {ATTRIBUTES}/heard").split()
    return int(changes), int(value)


def test_each_change_arrives(pair, space):
    before, _ = heard(space)
    for count, value in enumerate((1, 2, 200, 0, 7), 1):
        pair.backend.exec(f"change({value})")
        space.wait_for(f'[ "$(cat {ATTRIBUTES}/heard)" = "{before + count} {value}" ]')


@pytest.fixture
def writable(pair, space):
    """Linux with a device whose first bytes of the configuration space it may write."""
    pair.backend.exec(OPEN)
    yield space
    pair.backend.exec(SHUT)


def test_what_linux_writes_arrives_and_is_read_back(pair, writable):
    expected = bytearray(WRITABLE)
    for count, (offset, length, value) in enumerate(WRITES, 1):
        writable.check(f"echo {offset} {length} {value:x} > $(echo {ATTRIBUTES}/write)")
        expected[offset : offset + length] = value.to_bytes(length, "little")
        assert writable.check(f"cat {ATTRIBUTES}/write") == expected.hex()
        assert bytes(pair.backend.eval(f"bytes(port.device.config[:{WRITABLE}])")) == expected
        assert pair.backend.eval("written") == WRITES[:count], "once, in one piece"


def test_a_write_that_the_transport_has_no_entry_for_is_not_passed_on(pair, writable):
    said = int(writable.check(SAID))
    for offset, length, value in NOT_PASSED_ON:
        writable.check(f"echo {offset} {length} {value:x} > $(echo {ATTRIBUTES}/write)")
    assert int(writable.check(SAID)) == said + len(NOT_PASSED_ON)
    assert pair.backend.eval("written") == []
    assert writable.check(f"cat {ATTRIBUTES}/write") == bytes(WRITABLE).hex()


def test_the_last_of_many_changes_is_what_linux_has(pair, space):
    before, _ = heard(space)
    pair.backend.exec(f"change_often({CHANGES}); change(99)", timeout=60)
    space.wait_for(f"grep -q ' 99$' {ATTRIBUTES}/heard")
    changes, _ = heard(space)
    assert before < changes <= before + CHANGES + 1, "those that follow each other at once may arrive together"


def test_a_backend_that_is_stopped_in_the_middle_of_a_change_is_waited_for(pair, space):
    pair.backend.exec(STOP)
    space.wait_for(f"grep -q ' 77$' {ATTRIBUTES}/heard")
    assert space.check(COMPLAINTS) == ""


@pytest.mark.plain_kernel("a read takes longer there than a change, and the device is reset: 7.2", under=["kcsan"])
def test_no_change_is_read_half(pair, space):
    """Until a reader that does not look at the generation has seen mixtures: one that does never sees any."""
    stop = threading.Event()

    def go_on():
        while not stop.is_set():
            pair.backend.exec(f"change_often({CHANGES})", timeout=60)

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        deadline = time.monotonic() + 90
        careless = 0
        while careless < CARELESS:
            assert time.monotonic() < deadline, f"{careless} mixtures without the generation: nothing is shown"
            space.check(f"echo 1000 | tee {ATTRIBUTES}/read")
            reads, values, torn, careless = map(int, space.check(f"cat {ATTRIBUTES}/read").split())
            assert torn == 0, f"{torn} of {reads} reads"
    finally:
        stop.set()
        writer.join()
    print(f"{reads} reads, {values} times another value, {torn} mixtures; without the generation {careless}")
    assert values > 1
    assert space.check(COMPLAINTS) == ""
