# SPDX-License-Identifier: MIT
"""A port of a standard virtio-mmio driver: its accesses to registers, one by one, on the two pages of a device.

Source: docs/transport.md, 2 (what is read), 3 (what is written), 6.3 (interrupts), 6.4 (kicks), 7.1 and 7.2.
"""

from driver.entries import DRIVER_OK, FEATURES_OK, entry
from driver.frontend import Refused
from virtio.layout import (
    DEV_CONFIG_COUNT,
    DEV_FEATURES,
    DEV_QUEUE_READY,
    DEV_QUEUE_RESET,
    DEV_QUEUE_SIZE_MAX,
    DEV_QUEUE_STRIDE,
    DEV_QUEUES,
    DEV_USED_COUNT,
    FEATURE_WORDS,
    QUEUES_MAX,
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
    REG_QUEUE_NOTIFY,
    REG_QUEUE_READY,
    REG_QUEUE_RESET,
    REG_QUEUE_SEL,
    REG_QUEUE_SIZE_MAX,
    REG_SHM_BASE_HIGH,
    REG_SHM_BASE_LOW,
    REG_SHM_LEN_HIGH,
    REG_SHM_LEN_LOW,
    REG_SHM_SEL,
    REG_STATUS,
    REG_VENDOR_ID,
    REG_VERSION,
    RESULT_NEEDS_RESET,
    RESULT_OK,
    RESULT_VETO,
    SHM_MAX,
)

WORD = 0xFFFFFFFF
NEEDS_RESET = 64
LOOKS = 50
COUNTERS = (DEV_USED_COUNT, DEV_CONFIG_COUNT)
OF_QUEUES = {
    REG_QUEUE_SIZE_MAX: DEV_QUEUE_SIZE_MAX,
    REG_QUEUE_READY: DEV_QUEUE_READY,
    REG_QUEUE_RESET: DEV_QUEUE_RESET,
}
PLAIN = (REG_MAGIC_VALUE, REG_VERSION, REG_DEVICE_ID, REG_VENDOR_ID)
HIGH = (REG_SHM_LEN_HIGH, REG_SHM_BASE_HIGH)


class PagePort:
    """What a driver reads and writes of a device, whose pages `driver` (a Driver) has. A read never waits for the
    backend, a write that means something to it is a batch of one entry; Refused if it is not allowed.

    `shm_base`, `shm_size`: where the link's shm lies for the driver, and its bytes.
    """

    def __init__(self, driver, shm_base=0, shm_size=0):
        self.frontend = driver.frontend
        self.run = driver.frontend.run
        self._driver = driver
        self._shm = shm_base, shm_size
        self._selected = {REG_DEVICE_FEATURES_SEL: 0, REG_DRIVER_FEATURES_SEL: 0, REG_QUEUE_SEL: 0, REG_SHM_SEL: 0}
        self._status = 0
        self._is_wrong = False
        self._taken = self._seen = self._counters()

    def read(self, offset, length=4):
        """Return what a register holds; 0 for what is none, or cannot be read."""
        if offset >= REG_CONFIG:
            return int.from_bytes(self._driver.config(offset - REG_CONFIG, length), "little")
        if offset in PLAIN:
            return self._driver.load(offset)
        if offset in OF_QUEUES:
            return self._of_queue(OF_QUEUES[offset])
        reader = _READERS.get(offset)
        return reader(self, offset) if reader else 0

    def write(self, offset, value, length=4):
        """Write a register."""
        if offset in self._selected:
            self._selected[offset] = value
        elif offset == REG_QUEUE_NOTIFY:
            self._driver.kick()
        elif offset == REG_INTERRUPT_ACK:
            self._acknowledge(value)
        elif offset == REG_STATUS:
            self._write_status(value)
        else:
            self._post(entry(offset, value, self._selector(offset), length))

    def _selector(self, offset):
        if offset == REG_DRIVER_FEATURES:
            return self._selected[REG_DRIVER_FEATURES_SEL]
        return self._selected[REG_QUEUE_SEL] if offset < REG_CONFIG else 0

    def _post(self, item):
        """Have a batch of one entry answered; return the result."""
        result, index = self._driver.batch([item])
        if result == RESULT_NEEDS_RESET:
            self._is_wrong = True
        elif result not in (RESULT_OK, RESULT_VETO):
            raise Refused(result, index)
        return result

    def _write_status(self, value):
        if value == 0:
            self._status, self._is_wrong = 0, False
        result = self._post(entry(REG_STATUS, value))
        if value == 0:
            self._taken = self._seen = self._counters()
        if result == RESULT_OK:
            self._status = value
        elif result == RESULT_VETO:
            self._status = value & ~(FEATURES_OK | DRIVER_OK)

    def _read_status(self, _):
        """7.1: what was agreed on last, with the NEEDS_RESET of now."""
        if not self._status:
            return 0
        return self._status | (NEEDS_RESET if self._is_wrong else self._driver.load(REG_STATUS) & NEEDS_RESET)

    def _read_features(self, _):
        bank = self._selected[REG_DEVICE_FEATURES_SEL]
        return self._driver.load(DEV_FEATURES + 4 * bank) if bank < FEATURE_WORDS else 0

    def _of_queue(self, word):
        index = self._selected[REG_QUEUE_SEL]
        return self._driver.load(DEV_QUEUES + index * DEV_QUEUE_STRIDE + word) if index < QUEUES_MAX else 0

    def _counters(self):
        return [self._driver.load(counter) for counter in COUNTERS]

    def _read_interrupts(self, _):
        self._seen = self._counters()
        return sum(1 << bit for bit, seen in enumerate(self._seen) if seen != self._taken[bit])

    def _acknowledge(self, bits):
        """What came since InterruptStatus was read is not acknowledged."""
        self._taken = [seen if bits >> bit & 1 else self._taken[bit] for bit, seen in enumerate(self._seen)]

    def _read_generation(self, _):
        """7.2: a driver that compares two of them must not find the same odd one twice."""
        for _ in range(LOOKS):
            generation = self._driver.load(REG_CONFIG_GENERATION)
            if not generation & 1:
                return generation
            self.run()
        self._is_wrong = True
        return generation

    def _region(self):
        """Return (offset in shm, bytes) of the region that SHMSel names; None if there is none that lies in shm."""
        number = self._selected[REG_SHM_SEL]
        region = self._driver.shared(number) if number < SHM_MAX else None
        return region if region and 0 <= region[1] and sum(region) <= self._shm[1] else None

    def _read_shared(self, offset):
        region, value = self._region(), -1
        if region:
            value = region[1] if offset < REG_SHM_BASE_LOW else self._shm[0] + region[0]
        return value >> (32 if offset in HIGH else 0) & WORD


_READERS = {
    REG_STATUS: PagePort._read_status,
    REG_DEVICE_FEATURES: PagePort._read_features,
    REG_INTERRUPT_STATUS: PagePort._read_interrupts,
    REG_CONFIG_GENERATION: PagePort._read_generation,
    REG_SHM_LEN_LOW: PagePort._read_shared,
    REG_SHM_LEN_HIGH: PagePort._read_shared,
    REG_SHM_BASE_LOW: PagePort._read_shared,
    REG_SHM_BASE_HIGH: PagePort._read_shared,
}
