# SPDX-License-Identifier: MIT
"""A hostile backend: a process on the host that writes into a link's region what no backend would.

It stands in for the backend's machine, which is paused meanwhile, and speaks docs/transport.md well enough to be
attached to: announces lives, answers batches, returns buffers. Each case is one thing that it does wrongly.
"""

import contextlib
import mmap
import random
import struct
import time
from concurrent import futures
from typing import NamedTuple

from e2e import hostile_scmi
from e2e.hostile_rings import Queue
from e2e.places import place
from trapless import region
from trapless.nodes import DEVICE_IDS
from virtio import layout

OK = layout.RESULT_OK
INDIRECT_DESC, EVENT_IDX = 1 << 28, 1 << 29
VERSION_1, ACCESS_PLATFORM, RING_PACKED = 1 << 32, 1 << 33, 1 << 34
BASE = VERSION_1 | ACCESS_PLATFORM | RING_PACKED
RINGS = (0, INDIRECT_DESC, EVENT_IDX, INDIRECT_DESC | EVENT_IDX)
EDGES = (0, 1, 2, 3, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
QUIET = 0.0005
ATTACH_SECONDS = 60  # the module may be away for a while
LIAR_SECONDS = 0.05
GOOD, GOOD_SECONDS = 0.1, 3  # of the lives, and for how long: nothing is wrong at first, and Linux probes SCMI
ALONE = 4  # attacks on a page whose device Linux has not set up
COMMANDS = 0
CAPABILITIES = (
    layout.CAP_HEARS_DOORBELL
    | layout.CAP_RINGS_DOORBELL
    | layout.CAP_ANY_SUBSET
    | layout.CAP_HEARTBEAT
    | layout.CAP_ECHO
    | layout.CAP_BALLOON
)
OF_A_LIFE = (layout.DEV_ACK_FE_EPOCH, layout.DEV_HEARTBEAT, layout.DEV_POOL_REQUEST, layout.DEV_POOL_TARGET)
ATTACKS = ("words", "lie", "lie", "lie", "give", "give", "descriptors", "config", "shm", "epoch")
USUAL = CAPABILITIES & ~layout.CAP_HEARTBEAT & ~layout.CAP_ECHO
PERIODS_MS = (100, 1000, 10_000)
SIZES = (2, 4, 16, 128, 1024)
P2A, SHARED_MEMORY = 1, 2  # features of SCMI
UNKNOWN = 1 << 35 | 1 << 36 | 1 << 37 | 1 << 38 | 1 << 40 | 1 << 45  # that Linux takes or leaves
TIMEOUT_MS = 20
LENGTHS = (0, 1, 0x1000, 0x10000, 0x10001, 1 << 32, 1 << 63, (1 << 64) - 0x1000, (1 << 64) - 1)


class Terms(NamedTuple):
    """What a backend life says of itself in all its pages, all of it legal."""

    epoch: int
    features: int
    capabilities: int = USUAL
    period_ms: int = 0
    timeout_ms: int = TIMEOUT_MS
    size: int = 16
    queues: int = 2
    p2a: bool = True


class Page:
    """One device of the link, from the backend's side."""

    def __init__(self, memory, device, link, pool_base, random, word):
        self.memory = memory
        self.random = random
        self.word = word
        self.kind = DEVICE_IDS[device.kind]
        self.device_at = link.device_page(device)
        self.driver_at = link.driver_page(device)
        self.shift = pool_base - link.pool_offset
        self.forget()

    def forget(self):
        """A new life of the backend knows of nothing."""
        self.queues = {}
        self.epoch = 0
        self.running = False
        self.status = 0
        self.seen = self.sent(layout.DRV_REQ)

    def store(self, offset, value):
        struct.pack_into("<I", self.memory, self.device_at + offset, value & 0xFFFFFFFF)

    def load(self, offset):
        return struct.unpack_from("<I", self.memory, self.device_at + offset)[0]

    def sent(self, offset):
        return struct.unpack_from("<I", self.memory, self.driver_at + offset)[0]

    def announce(self, terms):
        """Fill in a page that a driver likes, but for its epoch, which the function that is returned stores."""
        self.store(layout.DEV_BE_EPOCH, 0)
        self.memory[self.device_at : self.device_at + layout.PAGE_SIZE] = bytes(layout.PAGE_SIZE)
        self.forget()
        self.epoch = terms.epoch
        is_scmi = self.kind == DEVICE_IDS["scmi"]
        words = {
            layout.REG_MAGIC_VALUE: layout.MMIO_MAGIC,
            layout.REG_VERSION: layout.MMIO_VERSION,
            layout.REG_DEVICE_ID: self.kind,
            layout.DEV_MAGIC: layout.SYNC_MAGIC,
            layout.DEV_VERSION: layout.SYNC_VERSION,
            layout.DEV_CAPABILITIES: terms.capabilities,
            layout.DEV_NUM_QUEUES: terms.queues,
            layout.DEV_HEARTBEAT_PERIOD_MS: terms.period_ms,
            layout.DEV_ADVISED_TIMEOUT_MS: terms.timeout_ms,
            layout.DEV_FEATURES: terms.features & 0xFFFFFFFF | (P2A if is_scmi and terms.p2a else 0),
            layout.DEV_FEATURES + 4: terms.features >> 32,
            layout.DEV_BE_SLEEP: 1,
        }
        words |= {layout.DEV_QUEUES + layout.DEV_QUEUE_STRIDE * index: terms.size for index in range(terms.queues)}
        for offset, value in words.items():
            self.store(offset, value)
        return lambda: self.store(layout.DEV_BE_EPOCH, terms.epoch)

    def move(self, epoch):
        """Be in another life, the page as it is."""
        self.epoch = epoch
        self.running = False
        self.store(layout.DEV_BE_EPOCH, epoch)

    def batch(self):
        """Return the token of a new batch, having learned from it where the queues are; None if there is none."""
        token = self.sent(layout.DRV_REQ)
        if token in (0, self.seen):
            return None
        self.seen = token
        if self.sent(layout.DRV_BE_EPOCH) != self.epoch:
            return None  # meant for the life before
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
            self.queues[selector] = Queue(self.memory, self.shift, value, self.random, self.word)
        elif layout.REG_QUEUE_DESC_LOW <= offset < layout.REG_SHM_SEL and selector in self.queues:
            self.queues[selector].areas[(offset - layout.REG_QUEUE_DESC_LOW) >> 4] = value

    def answer(self, token, result=OK, index=0, status=None):
        """Answer a batch."""
        self.store(layout.REG_STATUS, self.status if status is None else status)
        self.store(layout.DEV_ACK_FE_EPOCH, self.sent(layout.DRV_FE_EPOCH))
        self.store(layout.DEV_RESULT, result)
        self.store(layout.DEV_RESULT_INDEX, index)
        self.store(layout.DEV_ACK, token)


class NotAttached(AssertionError):
    """Linux does not take a backend that is right."""


class HostileBackend:
    """Plays the backend of `frontend`'s link.

    `done`: the cases so far, by kind; `lives`: how many it began; `attached`: in how many Linux set up a device.
    """

    def __init__(self, frontend, pool_base, seed):
        self.frontend = frontend
        self.random = random.Random(seed)
        link = frontend.link
        with region.path(frontend.vm.directory, link).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.pages = [Page(self.memory, device, link, pool_base, self.random, self.word) for device in link.devices]
        self.done = {}
        self.lives = 0
        self.attached = 0
        self.well = False  # whether SCMI's commands are answered
        self.echoed = 0

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
        kind = self.random.choice(("honest", "honest", "honest", "page", "answer", "hasty", "split"))
        terms = self.terms()
        if kind == "split":
            terms = terms._replace(features=terms.features & ~RING_PACKED)
            self.count(kind)
        self.well = self.random.random() < 0.5
        publish = [page.announce(terms) for page in self.pages]
        if kind == "page":
            self.spoil_page()
        for step in publish:
            step()
        self.lives += 1
        self.ring()
        attached = self.attach(
            ATTACH_SECONDS if kind == "honest" else LIAR_SECONDS,
            wrong=0.1 if kind == "answer" else 0,
            hasty=0.3 if kind == "hasty" else 0,
        )
        self.attached += attached
        if kind == "honest" and not attached:
            raise NotAttached(f"Linux did not attach to life {self.lives}, in which nothing was wrong so far")
        assert kind != "split" or not attached, "Linux took split queues of a backend that is not trusted"
        if attached and self.well and self.random.random() < GOOD:
            self.behave(GOOD_SECONDS)
        for _ in range(attacks if attached else ALONE):
            self.attack()
            self.serve(0.01)
            self.obey()

    def behave(self, seconds):
        """Do nothing wrong for so long: Linux's drivers come to use the devices."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.serve(0)
            self.obey()

    def behave_while(self, function):
        """Return what `function()` does, which asks Linux something and may raise; do nothing wrong meanwhile."""
        with futures.ThreadPoolExecutor(1) as executor:
            asked = executor.submit(function)
            while not asked.done():
                self.serve(0)
                self.obey()
            return asked.result()

    def terms(self):
        """What a life may say of itself: half the time what most backends say."""
        choice, features = self.random.choice, BASE | self.random.choice(RINGS)
        epoch = self.random.randrange(1, 1 << 32)
        if self.random.random() < 0.5:
            return Terms(epoch, features)
        return Terms(
            epoch,
            features | self.random.getrandbits(64) & (UNKNOWN | SHARED_MEMORY),
            self.random.getrandbits(32) & CAPABILITIES,
            choice((*PERIODS_MS, self.word())),
            choice((TIMEOUT_MS, TIMEOUT_MS, TIMEOUT_MS, 10, 100)),
            choice(SIZES),
            choice((2, 3, layout.QUEUES_MAX)),
            choice((True, True, False)),
        )

    def attach(self, seconds, wrong, hasty):
        """Answer until Linux has set up its devices, for so long; return whether it has one.

        `wrong`: the probability of a wrong answer; `hasty`: that of an attack in between.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not all(page.running for page in self.pages):
            self.serve(wrong)
            if self.random.random() < hasty:
                self.attack()
            self.obey()
        return any(page.running for page in self.pages)

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

    def used(self, page):
        """Have Linux look at the queues."""
        page.store(layout.DEV_USED_COUNT, page.load(layout.DEV_USED_COUNT) + 1)
        self.ring()

    def refuse(self):
        """Answer SCMI's first message as one that is not supported: who waits for it attaches no other device."""
        for page in self.pages:
            if page.kind == DEVICE_IDS["scmi"] and COMMANDS in page.queues and page.running:
                self.answer_messages(page, page.queues[COMMANDS])

    def obey(self):
        """Do what is asked of a backend beside the batches: SCMI's messages, echoes."""
        self.refuse()
        asked = self.pages[0].sent(layout.DRV_ECHO_REQUEST)
        if asked != self.echoed:
            self.echoed = asked
            self.pages[0].store(layout.DEV_ECHO_REPLY, asked)
            self.ring()

    def answer_messages(self, page, queue):
        for chain in queue.take():
            command, answer = chain.find(writable=False), chain.find(writable=True)
            length = 0
            if command and answer:
                header = self.memory[command[0] : command[0] + 4]
                said = (header + hostile_scmi.answer(header, self.well))[: answer[1]]
                self.memory[answer[0] : answer[0] + len(said)] = said
                length = len(said)
            queue.give(chain, length)
            self.used(page)

    def attack(self):
        """Do one wrong thing."""
        kind = self.random.choice(ATTACKS)
        page = self.random.choice(self.pages)
        if kind in ("lie", "give", "descriptors") and not page.queues:
            kind = "words"
        getattr(self, kind)(page)
        self.count(kind)
        self.used(page)

    def shm(self, page):
        """Regions that wrap, leave the link's memory, or are good; words of one and another."""
        for number in self.random.sample(range(layout.SHM_MAX), self.random.randrange(1, layout.SHM_MAX + 1)):
            at = layout.DEV_SHM + layout.DEV_SHM_STRIDE * number
            for offset in (layout.DEV_SHM_LENGTH, layout.DEV_SHM_BASE):
                value = self.random.choice((*LENGTHS, self.random.getrandbits(64), self.random.randrange(1 << 16)))
                page.store(at + offset, value)
                if self.random.random() < 0.9:
                    page.store(at + offset + 4, value >> 32)

    def epoch(self, page):
        """Another life, none, or the former one again, in one page or in all; with words that go with a life."""
        old = page.epoch
        moves = ([self.random.getrandbits(32) or 1], [0, old], [self.random.getrandbits(32) or 1, old], [0])
        pages = self.random.choice(([page], self.pages))
        for epoch in self.random.choice(moves):
            for one in pages:
                one.move(epoch)
            for offset in OF_A_LIFE:
                if self.random.random() < 0.3:
                    page.store(offset, self.word())
            if self.random.random() < 0.5:
                self.ring()
                time.sleep(self.random.choice((0, QUIET)))

    def words(self, page):
        """Any word of the counters, the answer, the heartbeat, the balloon, but not the epoch."""
        offsets = (*range(0x844, 0x85C, 4), *range(0x880, 0x890, 4), *range(0x8C0, 0x8D0, 4), layout.REG_STATUS)
        page.store(self.random.choice(offsets), self.word())

    def config(self, page):
        """A generation that is odd or runs, a space that changes."""
        page.store(layout.REG_CONFIG_GENERATION, self.word())
        for _ in range(4):
            page.store(layout.REG_CONFIG + 4 * self.random.randrange(16), self.word())
        page.store(layout.DEV_CONFIG_COUNT, page.load(layout.DEV_CONFIG_COUNT) + 1)

    def queue(self, page):
        return self.random.choice(list(page.queues.values()))

    def lie(self, page):
        """Elements that were never made available, lengths, indices that jump, flags."""
        self.queue(page).lie()

    def give(self, page):
        """Return what is available, with any content and length."""
        queue = self.queue(page)
        for chain in queue.take()[:4]:
            room = chain.find(writable=True)
            if room:
                place, length = room[0], min(room[1], 64)
                self.memory[place : place + length] = self.message(length)
            queue.give(chain, self.random.choice((0, 4, 8, room[1] if room else 0, self.word())))

    def message(self, length):
        """Any bytes but those of SCMI's message type 1: docs/limits-of-linux.md tells why."""
        content = bytearray(self.random.randbytes(max(length, 2)))
        content[1] = content[1] & ~3 | self.random.choice((0, 2, 3))
        return content[:length]

    def descriptors(self, page):
        """Descriptors of buffers that are out."""
        self.queue(page).scribble()
        self.give(page)

    def close(self):
        """Give the region back."""
        self.memory.close()


@contextlib.contextmanager
def replaced(pair, frontend, backend=HostileBackend, seed=1):
    """A hostile backend in the place of the good one, which is back in the end."""
    pair.wait_probed()
    base, _ = place(frontend, "pool")
    pair.backend_vm.pause()
    hostile = backend(frontend, base, seed)
    try:
        yield hostile
    finally:
        hostile.close()
        pair.restart_backend()
        pair.wait_probed()
