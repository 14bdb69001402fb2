# SPDX-License-Identifier: MIT
"""A hostile backend: a process on the host that writes into a link's region what no backend would.

It stands in for the backend's machine, which is paused meanwhile, and speaks docs/transport.md well enough to be
attached to: announces lives, answers batches, returns buffers. Each case is one thing that it does wrongly.
"""

import mmap
import random
import struct
import time

from trapless import region
from virtio import layout

OK = layout.RESULT_OK
FEATURES = 3 << 32 | 1 << 29 | 1 << 28
KINDS = {"scmi": 32, "rng": 4}
EDGES = (0, 1, 2, 3, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
QUIET = 0.0005
ATTACH_SECONDS = 0.1


class Queue:
    """Where the driver has put a queue: offsets in the region, and what was returned of it."""

    def __init__(self, size):
        self.size = size
        self.areas = [0, 0, 0]
        self.used_index = 0


class Page:
    """One device of the link, from the backend's side."""

    def __init__(self, memory, device, link, pool_base):
        self.memory = memory
        self.kind = KINDS[device.kind]
        self.device_at = link.device_page(device)
        self.driver_at = link.driver_page(device)
        self.shift = pool_base - link.pool_offset
        self.forget()

    def forget(self):
        """A new life of the backend knows of nothing."""
        self.queues = {}
        self.running = False
        self.status = 0
        self.seen = self.sent(layout.DRV_REQ)

    def store(self, offset, value):
        struct.pack_into("<I", self.memory, self.device_at + offset, value & 0xFFFFFFFF)

    def load(self, offset):
        return struct.unpack_from("<I", self.memory, self.device_at + offset)[0]

    def sent(self, offset):
        return struct.unpack_from("<I", self.memory, self.driver_at + offset)[0]

    def announce(self, epoch):
        """Fill in a page that a driver likes, but for its epoch."""
        self.store(layout.DEV_BE_EPOCH, 0)
        self.memory[self.device_at : self.device_at + layout.PAGE_SIZE] = bytes(layout.PAGE_SIZE)
        self.forget()
        words = {
            layout.REG_MAGIC_VALUE: layout.MMIO_MAGIC,
            layout.REG_VERSION: layout.MMIO_VERSION,
            layout.REG_DEVICE_ID: self.kind,
            layout.DEV_MAGIC: layout.SYNC_MAGIC,
            layout.DEV_VERSION: layout.SYNC_VERSION,
            layout.DEV_CAPABILITIES: 7 | layout.CAP_BALLOON,
            layout.DEV_NUM_QUEUES: 2 if self.kind == KINDS["scmi"] else 1,
            layout.DEV_ADVISED_TIMEOUT_MS: 20,
            layout.DEV_FEATURES: FEATURES & 0xFFFFFFFF | (self.kind == KINDS["scmi"]),
            layout.DEV_FEATURES + 4: FEATURES >> 32,
            layout.DEV_BE_SLEEP: 1,
        }
        words |= {layout.DEV_QUEUES + layout.DEV_QUEUE_STRIDE * index: 16 for index in range(2)}
        for offset, value in words.items():
            self.store(offset, value)
        return lambda: self.store(layout.DEV_BE_EPOCH, epoch)

    def batch(self):
        """Return the token of a new batch, having learned from it where the queues are; None if there is none."""
        token = self.sent(layout.DRV_REQ)
        if token in (0, self.seen):
            return None
        self.seen = token
        for n in range(min(self.sent(layout.DRV_COUNT), layout.ENTRIES_MAX)):
            at = self.driver_at + layout.DRV_ENTRIES + n * layout.ENTRY_SIZE
            self.learn(*struct.unpack_from("<HBBIQ", self.memory, at))
        return token

    def learn(self, offset, _length, _flags, selector, value):
        if offset == layout.REG_STATUS:
            self.status = value & 0xFF
            self.running = value & 4 != 0
            if not value:
                self.queues = {}
        elif offset == layout.REG_QUEUE_SIZE:
            self.queues[selector] = Queue(value)
        elif layout.REG_QUEUE_DESC_LOW <= offset < layout.REG_SHM_SEL and selector in self.queues:
            self.queues[selector].areas[(offset - layout.REG_QUEUE_DESC_LOW) >> 4] = value - self.shift

    def answer(self, token, result=OK, index=0, status=None):
        """Answer a batch."""
        self.store(layout.REG_STATUS, self.status if status is None else status)
        self.store(layout.DEV_ACK_FE_EPOCH, self.sent(layout.DRV_FE_EPOCH))
        self.store(layout.DEV_RESULT, result)
        self.store(layout.DEV_RESULT_INDEX, index)
        self.store(layout.DEV_ACK, token)


class HostileBackend:
    """Plays the backend of `frontend`'s link. `done`: the cases so far, by kind; `lives`: how many it began."""

    def __init__(self, frontend, pool_base, seed):
        self.frontend = frontend
        self.random = random.Random(seed)
        link = frontend.link
        with region.path(frontend.vm.directory, link).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.pages = [Page(self.memory, device, link, pool_base) for device in link.devices]
        self.done = {}
        self.lives = 0
        self.attached = 0

    def ring(self):
        """Ring the frontend's doorbell."""
        self.frontend.doorbells.ring(self.frontend.link.doorbell.frontend_peer)

    def count(self, kind):
        self.done[kind] = self.done.get(kind, 0) + 1

    def word(self):
        """Return a word that is likely to hurt."""
        return self.random.choice((*EDGES, self.random.getrandbits(32), self.random.randrange(64)))

    def life(self, attacks):
        """Announce a life, rightly or not; be attached to; then do `attacks` wrong things to the queues and words."""
        epoch = self.random.randrange(1, 1 << 32)
        publish = [page.announce(epoch) for page in self.pages]
        if not self.random.randrange(3):
            self.spoil_page()
        for step in publish:
            step()
        self.lives += 1
        self.ring()
        deadline = time.monotonic() + ATTACH_SECONDS
        while time.monotonic() < deadline and not all(page.running for page in self.pages):
            self.serve(0.02)
        self.attached += any(page.running for page in self.pages)
        for _ in range(attacks):
            self.attack()
            self.serve(0.01)

    def spoil_page(self):
        page = self.random.choice(self.pages)
        first = self.random.choice((0, layout.DEV_MAGIC, layout.DEV_FEATURES, layout.DEV_QUEUES, layout.REG_CONFIG))
        for _ in range(1 + self.random.randrange(3)):
            offset = first + 4 * self.random.randrange(8)
            page.store(offset, self.word())
        self.count("page")

    def serve(self, wrong):
        """Answer what was published; with probability `wrong` each, wrongly."""
        time.sleep(QUIET)  # the frontend's turn
        for page in self.pages:
            token = page.batch()
            if token is None:
                continue
            if self.random.random() < wrong:
                status = self.random.choice((None, 0, 64, 0x4F, 128, self.word()))
                page.answer(token ^ (not self.random.randrange(4)), self.random.randrange(12), self.word(), status)
                self.count("answer")
            else:
                page.answer(token)
            self.ring()

    def attack(self):
        """Do one wrong thing."""
        kind = self.random.choice(("words", "used", "used", "used", "give", "give", "descriptors", "config"))
        page = self.random.choice(self.pages)
        if kind in ("used", "give", "descriptors") and not page.queues:
            kind = "words"
        getattr(self, kind)(page)
        self.count(kind)
        page.store(layout.DEV_USED_COUNT, page.load(layout.DEV_USED_COUNT) + 1)
        self.ring()

    def words(self, page):
        """Any word of the counters, the answer, the heartbeat, but not the epoch."""
        offsets = (*range(0x844, 0x85C, 4), *range(0x880, 0x890, 4), *range(0x8C0, 0x8D0, 4), layout.REG_STATUS)
        page.store(self.random.choice(offsets), self.word())

    def config(self, page):
        """A generation that is odd or runs, a space that changes."""
        page.store(layout.REG_CONFIG_GENERATION, self.word())
        for _ in range(4):
            page.store(layout.REG_CONFIG + 4 * self.random.randrange(16), self.word())
        page.store(layout.DEV_CONFIG_COUNT, page.load(layout.DEV_CONFIG_COUNT) + 1)

    def used(self, page):
        """Elements that were never made available, lengths, indices that jump, flags."""
        queue = self.random.choice(list(page.queues.values()))
        at = queue.areas[2]
        for _ in range(1 + self.random.randrange(3)):
            head = self.random.choice((self.random.randrange(queue.size), self.word()))
            element = at + 4 + 8 * (queue.used_index % queue.size)
            struct.pack_into("<II", self.memory, element, head, self.word())
            queue.used_index += self.random.choice((1, 1, 1, 2, queue.size, self.random.getrandbits(16)))
        struct.pack_into("<HH", self.memory, at, self.word() & 0xFFFF, queue.used_index & 0xFFFF)
        struct.pack_into("<H", self.memory, at + 4 + 8 * queue.size, self.word() & 0xFFFF)

    def give(self, page):
        """Return what is available, with any content and length."""
        queue = self.random.choice(list(page.queues.values()))
        desc, avail, used = queue.areas
        (index,) = struct.unpack_from("<H", self.memory, avail + 2)
        waiting = index - queue.used_index & 0xFFFF
        for n in range(min(waiting, queue.size, 4)):
            (head,) = struct.unpack_from("<H", self.memory, avail + 4 + 2 * ((index - 1 - n) % queue.size))
            address, length, flags, _ = struct.unpack_from("<QIHH", self.memory, desc + 16 * (head % queue.size))
            place = address - page.shift
            if flags & 2 and 0 < place < len(self.memory) - length:
                content = bytearray(self.random.randbytes(max(min(length, 64), 2)))
                # Not message type 1: Linux's SCMI core warns of it, WARN_ONCE in scmi_rx_callback (6.12).
                content[1] = content[1] & ~3 | self.random.choice((0, 2, 3))
                self.memory[place : place + min(length, 64)] = content[: min(length, 64)]
            element = used + 4 + 8 * (queue.used_index % queue.size)
            struct.pack_into("<II", self.memory, element, head, self.random.choice((0, 4, 8, length, self.word())))
            queue.used_index += 1
        struct.pack_into("<H", self.memory, used + 2, queue.used_index & 0xFFFF)

    def descriptors(self, page):
        """Descriptors of buffers that are out, without NEXT: why, docs/transport.md, 6.6, tells."""
        queue = self.random.choice(list(page.queues.values()))
        for _ in range(self.random.choice((1, 4, queue.size))):
            at = queue.areas[0] + 16 * self.random.randrange(queue.size)
            flags = self.word() & 0xFFFE
            struct.pack_into("<QIHH", self.memory, at, self.random.getrandbits(64), self.word(), flags, flags >> 1)
        self.give(page)

    def close(self):
        """Give the region back."""
        self.memory.close()
