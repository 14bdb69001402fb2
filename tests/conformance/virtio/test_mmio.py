# SPDX-License-Identifier: MIT
"""Virtio 1.3, 4.2.2: the registers driven one access at a time, as by a hypervisor that traps. One test per clause."""

from driver import Mirror
from hal.edge import Window
from virtio import registers as registers_module
from virtio.layout import (
    REG_CONFIG,
    REG_CONFIG_GENERATION,
    REG_DEVICE_FEATURES,
    REG_DEVICE_FEATURES_SEL,
    REG_DEVICE_ID,
    REG_DRIVER_FEATURES,
    REG_DRIVER_FEATURES_SEL,
    REG_INTERRUPT_ACK,
    REG_INTERRUPT_STATUS,
    REG_MAGIC_VALUE,
    REG_QUEUE_DESC_HIGH,
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DEVICE_LOW,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_NOTIFY,
    REG_QUEUE_READY,
    REG_QUEUE_SEL,
    REG_QUEUE_SIZE,
    REG_QUEUE_SIZE_MAX,
    REG_SHM_BASE_HIGH,
    REG_SHM_BASE_LOW,
    REG_SHM_LEN_HIGH,
    REG_SHM_LEN_LOW,
    REG_SHM_SEL,
    REG_STATUS,
    REG_VENDOR_ID,
    REG_VERSION,
)
from virtio.registers import INTERRUPT_CONFIG, INTERRUPT_USED, RegisterFile
from virtio.shared import Region


class Trap:
    """A transport that traps: it makes no rings, and notes what happens."""

    def __init__(self):
        self.device = Mirror()
        self.registers = RegisterFile(self.device, self)
        self.queues = None
        self.kicks = []
        self.stopped = []
        self.resets = 0

    def make_queue(self, size, desc, driver, device, features):
        return (size, desc, driver, device)

    def reset(self):
        self.queues = None
        self.resets += 1

    def start(self, queues, features):
        self.queues = queues

    def stop(self, index):
        self.stopped.append(index)

    def config_written(self):
        self.registers.generation += 1

    def notified(self, index):
        self.kicks.append(index)

    def read(self, offset, length=4):
        return self.registers.read(offset, length)

    def write(self, offset, value, length=4):
        self.registers.write(offset, length, value)

    def negotiate(self, *banks):
        """Write these feature words and FEATURES_OK; return the status read back."""
        for value in (0, 1, 3):
            self.write(REG_STATUS, value)
        for bank, word in enumerate(banks):
            self.write(REG_DRIVER_FEATURES_SEL, bank)
            self.write(REG_DRIVER_FEATURES, word)
        self.write(REG_STATUS, 11)
        return self.read(REG_STATUS)

    def set_up(self, index, size):
        """Set up a queue."""
        self.write(REG_QUEUE_SEL, index)
        self.write(REG_QUEUE_SIZE, size)
        for offset, address in (
            (REG_QUEUE_DESC_LOW, 0x1000),
            (REG_QUEUE_DRIVER_LOW, 0x2000),
            (REG_QUEUE_DEVICE_LOW, 0x3000),
        ):
            self.write(offset, address + index)
            self.write(offset + 4, 1)
        self.write(REG_QUEUE_READY, 1)


def running():
    trap = Trap()
    assert trap.negotiate(1, 3) == 11
    trap.set_up(0, 8)
    trap.write(REG_STATUS, 15)
    return trap


def test_4_2_2_1_the_device_returns_the_magic_value():
    assert Trap().read(REG_MAGIC_VALUE) == 0x74726976


def test_4_2_2_1_the_device_returns_version_2():
    assert Trap().read(REG_VERSION) == 2


def test_4_2_2_the_device_has_an_id_and_a_vendor():
    trap = Trap()
    assert (trap.read(REG_DEVICE_ID), trap.read(REG_VENDOR_ID)) == (0x7F, registers_module.VENDOR_ID)


def test_4_2_2_device_features_are_banked():
    trap = Trap()
    words = []
    for bank in (0, 1, 2, 7, 8, 0xFFFFFFFF):
        trap.write(REG_DEVICE_FEATURES_SEL, bank)
        words.append(trap.read(REG_DEVICE_FEATURES))
    assert words == [1 << 28 | 1 << 29 | 3, 1 | 2 | 4 | 16 | 256, 0, 0, 0, 0]


def test_4_2_2_queue_registers_are_banked():
    trap = running()
    seen = []
    for index in (0, 1, 2, 0xFFFFFFFF):
        trap.write(REG_QUEUE_SEL, index)
        seen.append((trap.read(REG_QUEUE_SIZE_MAX), trap.read(REG_QUEUE_READY)))
    assert seen == [(16, 1), (8, 0), (0, 0), (0, 0)]


def test_4_2_2_queue_addresses_are_written_in_halves():
    assert running().queues == [(8, 0x100001000, 0x100002000, 0x100003000), None]


def test_4_2_2_a_write_to_queue_notify_is_a_notification():
    trap = running()
    trap.write(REG_QUEUE_NOTIFY, 1)
    assert trap.kicks == [1]


def test_4_2_2_1_an_event_stays_in_interrupt_status_until_it_is_acknowledged():
    trap = running()
    trap.registers.interrupts |= INTERRUPT_USED
    trap.registers.interrupts |= INTERRUPT_CONFIG
    assert trap.read(REG_INTERRUPT_STATUS) == 3
    trap.write(REG_INTERRUPT_ACK, INTERRUPT_USED)
    assert trap.read(REG_INTERRUPT_STATUS) == INTERRUPT_CONFIG


def test_4_2_2_1_bits_without_an_event_are_zero():
    assert Trap().read(REG_INTERRUPT_STATUS) == 0


def test_4_2_2_1_a_reset_clears_interrupt_status_and_every_ready_bit():
    trap = running()
    trap.registers.interrupts = 3
    trap.write(REG_STATUS, 0)
    assert [trap.read(offset) for offset in (REG_STATUS, REG_INTERRUPT_STATUS)] == [0, 0]
    for index in (0, 1):
        trap.write(REG_QUEUE_SEL, index)
        assert trap.read(REG_QUEUE_READY) == 0
    assert (trap.queues, trap.resets) == (None, 2)


def test_4_2_2_1_the_generation_changes_with_the_configuration():
    trap = running()
    before = trap.read(REG_CONFIG_GENERATION)
    trap.write(REG_CONFIG, 0xAB, 1)
    assert trap.read(REG_CONFIG_GENERATION) != before


def test_4_2_2_2_to_stop_a_queue_the_driver_writes_0_to_queue_ready_and_reads_it_back():
    trap = running()
    trap.write(REG_QUEUE_SEL, 0)
    trap.write(REG_QUEUE_READY, 0)
    assert (trap.read(REG_QUEUE_READY), trap.stopped) == (0, [0])


def test_4_2_2_2_registers_of_a_ready_queue_do_not_change():
    trap = running()
    trap.write(REG_QUEUE_SEL, 0)
    trap.write(REG_QUEUE_SIZE, 4)
    trap.write(REG_QUEUE_DESC_HIGH, 9)
    state = trap.registers.state.queues[0]
    assert (state.size, state.addresses[0]) == (8, 0x100001000)


def test_4_2_2_2_control_registers_are_accessed_with_32_bits():
    trap = Trap()
    assert [trap.read(REG_MAGIC_VALUE, length) for length in (1, 2, 8)] == [0, 0, 0]
    trap.write(REG_STATUS, 1, 1)
    assert trap.read(REG_STATUS) == 0


def test_4_2_2_2_configuration_is_accessed_with_its_natural_width():
    trap = Trap()
    assert trap.read(REG_CONFIG + 1, 1) == 0x11
    assert trap.read(REG_CONFIG + 2, 2) == 0x1312
    assert trap.read(REG_CONFIG + 4, 4) == 0x17161514
    assert [trap.read(REG_CONFIG + at, n) for at, n in ((1, 2), (2, 4), (8, 1), (5, 4))] == [0, 0, 0, 0]


def test_4_2_2_2_read_only_and_reserved_registers_ignore_writes():
    trap = running()
    for offset in (REG_MAGIC_VALUE, REG_VERSION, REG_DEVICE_ID, REG_QUEUE_SIZE_MAX, REG_INTERRUPT_STATUS, 0x018, 0x0F8):
        before = trap.read(offset)
        trap.write(offset, 0xFFFFFFFF)
        assert trap.read(offset) == before


def test_4_2_2_2_write_only_registers_read_as_0():
    trap = running()
    for offset in (
        REG_DRIVER_FEATURES,
        REG_QUEUE_SEL,
        REG_QUEUE_SIZE,
        REG_QUEUE_NOTIFY,
        REG_INTERRUPT_ACK,
        REG_QUEUE_DESC_LOW,
    ):
        assert trap.read(offset) == 0


def test_4_2_2_a_shared_memory_region_that_does_not_exist_has_length_minus_1():
    trap = Trap()
    assert [trap.read(offset) for offset in (REG_SHM_LEN_LOW, REG_SHM_LEN_HIGH, REG_SHM_BASE_LOW)] == [0xFFFFFFFF] * 3


def test_4_2_2_shared_memory_regions_are_selected_by_their_id():
    trap = Trap()
    trap.device.shared = {3: Region(Window(bytearray(0x2000), 0x2000), 0x1000, 0x1_4810_1000)}
    words = (REG_SHM_LEN_LOW, REG_SHM_LEN_HIGH, REG_SHM_BASE_LOW, REG_SHM_BASE_HIGH)
    for number, expected in ((3, [0x2000, 0, 0x4810_1000, 1]), (0, [0xFFFFFFFF] * 4), (1 << 31, [0xFFFFFFFF] * 4)):
        trap.write(REG_SHM_SEL, number)
        assert [trap.read(offset) for offset in words] == expected


def test_2_2_2_the_device_refuses_features_that_it_did_not_offer():
    assert Trap().negotiate(1 | 4, 3) == 3


def test_2_2_2_the_device_refuses_a_subset_that_it_cannot_work_with():
    assert Trap().negotiate(2, 3) == 3


def test_2_2_2_the_device_accepts_any_other_subset():
    for word in (0, 1, 3, 1 << 28, 1 << 29 | 1):
        assert Trap().negotiate(word, 3) == 11
        assert Trap().negotiate(word, 3 | 16) == 11


def test_6_a_driver_without_version_1_or_access_platform_is_refused():
    assert [Trap().negotiate(0, word) for word in (0, 1, 2)] == [3, 3, 3]


def test_2_2_features_do_not_change_after_features_ok():
    trap = running()
    trap.write(REG_DRIVER_FEATURES_SEL, 0)
    trap.write(REG_DRIVER_FEATURES, 3)
    assert trap.registers.state.features() == 1 | 3 << 32
