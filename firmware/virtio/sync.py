# SPDX-License-Identifier: MIT
"""Synchronisation pages of one device: publish, examine, apply, answer. Source: docs/transport.md, 4.1, 4.4 to 4.6."""

from binascii import crc32
from struct import unpack_from

from hal.edge import mb, rmb, wmb
from virtio.layout import (
    BATCH_LAYOUT,
    DEV_ACK,
    DEV_ACK_FE_EPOCH,
    DEV_ADVISED_TIMEOUT_MS,
    DEV_ATTACHES,
    DEV_BE_EPOCH,
    DEV_CAPABILITIES,
    DEV_CONFIG_COUNT,
    DEV_FAILURES,
    DEV_FE_LIVES,
    DEV_FEATURES,
    DEV_MAGIC,
    DEV_NUM_QUEUES,
    DEV_QUEUE_READY,
    DEV_QUEUE_RESET,
    DEV_QUEUE_SIZE_MAX,
    DEV_QUEUE_STRIDE,
    DEV_QUEUES,
    DEV_RESULT,
    DEV_RESULT_INDEX,
    DEV_SHM,
    DEV_SHM_BASE,
    DEV_SHM_LENGTH,
    DEV_SHM_STRIDE,
    DEV_VERSION,
    DRV_BE_EPOCH,
    DRV_COUNT,
    DRV_CRC,
    DRV_ENTRIES,
    DRV_FE_EPOCH,
    DRV_FE_SLEEP,
    DRV_HEADER,
    DRV_HEADER_SIZE,
    DRV_LAYOUT,
    DRV_REQ,
    DRV_TOKEN,
    ENTRIES_MAX,
    ENTRY_SIZE,
    FEATURE_WORDS,
    MMIO_MAGIC,
    MMIO_VERSION,
    PAGE_SIZE,
    REG_CONFIG,
    REG_CONFIG_GENERATION,
    REG_DEVICE_ID,
    REG_MAGIC_VALUE,
    REG_STATUS,
    REG_VENDOR_ID,
    REG_VERSION,
    RESULT_NEEDS_RESET,
    RESULT_OK,
    RESULT_VETO,
    SHM_MAX,
    SYNC_MAGIC,
    SYNC_VERSION,
)
from virtio.registers import VENDOR_ID

ADVISED_TIMEOUT_MS = 1000


def take_away(device_page):
    """Have the frontend find no backend life in the page."""
    wmb()  # a frontend that finds this life gone answers in the buffers that it has stored to
    device_page.w32(DEV_BE_EPOCH, 0)
    wmb()


class Sync:
    """The two pages of one device, between the frontend's batches and the device's `registers`.

    `link` has `epoch` (this backend life on the link), `lives` (of the frontend, so far), `begin(slices, abandon)`,
    which has a batch applied and answered in turns with others, and `abandon()` called if that raises,
    `meet(fe_epoch)`, the slices of the reset of its devices for a new frontend life, and `applied()`, called after each
    batch; `ring()` rings the frontend, `give_up()` makes the device need a reset. Counters: `batches` answered, of
    these `vetoed` and `refused`; not answered: `torn` (published or changed while being copied) and `unbelievable`
    (wrong layout, count, CRC or epoch). `balloon` takes the batches that are for the link's pool: the first device's.
    """

    def __init__(self, device_page, driver_page, registers, link, ring, give_up):
        self.device_page = device_page
        self.driver_page = driver_page
        self.registers = registers
        self.balloon = None
        self.examined = 0
        self.batches = 0
        self.vetoed = 0
        self.refused = 0
        self.torn = 0
        self.unbelievable = 0
        self._link = link
        self._ring = ring
        self._give_up = give_up
        self._copied = memoryview(bytearray(DRV_HEADER_SIZE + ENTRIES_MAX * ENTRY_SIZE))

    def withdraw(self):
        """Take the device page away from the frontend, clear it. First half of docs/transport.md, 4.1."""
        take_away(self.device_page)
        self.device_page.fill(0, PAGE_SIZE, 0)

    def announce(self, capabilities):
        """Fill in the device page, then publish the link's epoch. Second half of docs/transport.md, 4.1."""
        page = self.device_page
        device = self.registers.device
        page.w32(REG_MAGIC_VALUE, MMIO_MAGIC)
        page.w32(REG_VERSION, MMIO_VERSION)
        page.w32(REG_DEVICE_ID, device.device_id)
        page.w32(REG_VENDOR_ID, VENDOR_ID)
        page.w32(DEV_MAGIC, SYNC_MAGIC)
        page.w32(DEV_VERSION, SYNC_VERSION)
        page.w32(DEV_CAPABILITIES, capabilities)
        page.w32(DEV_NUM_QUEUES, len(device.queue_sizes))
        page.w32(DEV_ADVISED_TIMEOUT_MS, ADVISED_TIMEOUT_MS)
        for bank in range(FEATURE_WORDS):
            page.w32(DEV_FEATURES + 4 * bank, self.registers.offered >> (32 * bank))
        for index, size in enumerate(device.queue_sizes):
            page.w32(DEV_QUEUES + index * DEV_QUEUE_STRIDE + DEV_QUEUE_SIZE_MAX, size)
        for index in range(SHM_MAX):
            self._show_shared(DEV_SHM + index * DEV_SHM_STRIDE, device.shared.get(index))
        self.show()
        self.show_config()
        wmb()
        page.w32(DEV_BE_EPOCH, self._link.epoch)

    def _show_shared(self, at, region):
        if region is None:
            self.device_page.fill(at + DEV_SHM_LENGTH, 8, 0xFF)
            return
        region.window.fill(0, region.length, 0)
        self.device_page.w64(at + DEV_SHM_LENGTH, region.length)
        self.device_page.w64(at + DEV_SHM_BASE, region.offset)

    def show(self):
        """Bring the shadows of status, queues and counters up to date."""
        state = self.registers.state
        self.device_page.w32(REG_STATUS, state.status)
        self.device_page.w32(DEV_FE_LIVES, self._link.lives)
        self.device_page.w32(DEV_ATTACHES, self.registers.attaches)
        self.device_page.w32(DEV_FAILURES, self.registers.failures)
        for index, queue in enumerate(state.queues):
            at = DEV_QUEUES + index * DEV_QUEUE_STRIDE
            self.device_page.w32(at + DEV_QUEUE_READY, queue.ready)
            self.device_page.w32(at + DEV_QUEUE_RESET, queue.reset)

    def show_config(self):
        """Bring the configuration space up to date, with an odd generation meanwhile. docs/transport.md, 7.2."""
        page = self.device_page
        config = self.registers.device.config
        if config:
            page.w32(REG_CONFIG_GENERATION, self.registers.generation + 1)
            wmb()
            page.write(REG_CONFIG, config)
            wmb()
            self.registers.generation = self.registers.generation + 2 & 0xFFFFFFFF
            page.w32(REG_CONFIG_GENERATION, self.registers.generation)

    def tell_config(self):
        """Send a configuration-change interrupt. docs/transport.md, 6.3."""
        self.device_page.add_release(DEV_CONFIG_COUNT, 1)
        self.tell()

    def tell(self):
        """Ring the frontend if it may be asleep. docs/transport.md, 6.1."""
        mb()
        if self.driver_page.r32(DRV_FE_SLEEP):
            self._ring()

    def examine(self):
        """Examine the driver page, begin with a new batch; return the token seen there. docs/transport.md, 4.4.

        A torn copy is not remembered in `examined`, so that it is looked at again when the page is; the caller need not
        look before the token has changed, because a frontend that overwrites a batch always publishes another token.
        """
        token = self.driver_page.load_acquire(DRV_REQ)
        if self._is_old(token):
            return token
        self._copy()
        rmb()
        if not (self._is_of(token) and self._is_still(token)):
            self.torn += 1
            return token
        if self._is_intact() and self._is_for_us():
            self._link.begin(self._take(), self._abandon)
        else:
            self.unbelievable += 1
        self.examined = token  # last: if memory runs out before, it is examined once more
        return token

    def _is_old(self, token):
        return token == 0 or token == self.examined

    def _copy(self):
        """Copy header and entries once to private memory; a count that is too large copies no entry."""
        self.driver_page.read(DRV_HEADER, self._copied, DRV_HEADER_SIZE)
        count = self._header(DRV_COUNT)
        self._length = DRV_HEADER_SIZE + (count * ENTRY_SIZE if count <= ENTRIES_MAX else 0)
        self.driver_page.read(DRV_ENTRIES, self._copied[DRV_HEADER_SIZE:], self._length - DRV_HEADER_SIZE)

    def _header(self, offset):
        return unpack_from("<I", self._copied, offset - DRV_HEADER)[0]

    def _is_of(self, token):
        """Is the copied header that of the batch published with `token`?"""
        return self._header(DRV_TOKEN) == token

    def _is_still(self, token):
        """Was nothing overwritten while it was copied?"""
        return self.driver_page.load_acquire(DRV_TOKEN) == token

    def _is_intact(self):
        crc = self._header(DRV_CRC)
        at = DRV_CRC - DRV_HEADER
        self._copied[at : at + 4] = b"\0\0\0\0"
        return (
            self._header(DRV_LAYOUT) == BATCH_LAYOUT
            and self._header(DRV_COUNT) <= ENTRIES_MAX
            and crc32(self._copied[: self._length]) == crc
        )

    def _is_for_us(self):
        return self._header(DRV_FE_EPOCH) != 0 and self._header(DRV_BE_EPOCH) == self._link.epoch

    def _take(self):
        """Apply and answer the batch that was copied; yield after each slice. docs/transport.md, 4.5 and 4.6."""
        yield from self._link.meet(self._header(DRV_FE_EPOCH))
        result, index = yield from self._receiver().slices(self._entries())
        yield
        self._finish(result, index)

    def _abandon(self):
        """The device has failed while the batch was applied: answer that only a reset helps. docs/transport.md, 4.5."""
        try:
            self.show_config()  # some of it may have been written
            self._give_up()
        finally:
            self._finish(RESULT_NEEDS_RESET, 0)

    def _finish(self, result, index):
        self._link.applied()
        self._count(result)
        self._answer(result, index)

    def _entries(self):
        for at in range(DRV_HEADER_SIZE, self._length, ENTRY_SIZE):
            yield unpack_from("<HBBIQ", self._copied, at)

    def _receiver(self):
        """Return whom the batch that was copied is for: its first entry says it."""
        has_entries = self.balloon and self._length > DRV_HEADER_SIZE
        is_for_pool = has_entries and self.balloon.takes(next(self._entries())[0])
        return self.balloon if is_for_pool else self.registers

    def _count(self, result):
        self.batches += 1
        if result == RESULT_VETO:
            self.vetoed += 1
        elif result != RESULT_OK:
            self.refused += 1

    def _answer(self, result, index):
        self.show()
        page = self.device_page
        page.w32(DEV_ACK_FE_EPOCH, self._header(DRV_FE_EPOCH))
        page.w32(DEV_RESULT, result)
        page.w32(DEV_RESULT_INDEX, index)
        page.store_release(DEV_ACK, self._header(DRV_TOKEN))
        self.tell()
