# SPDX-License-Identifier: MIT
"""One life of a frontend and the drivers of its devices. Source: docs/transport.md, 4, and virtio 1.3, 3.1.1."""

from binascii import crc32
from struct import calcsize, pack, pack_into, unpack_from

from driver.entries import ACKNOWLEDGE, DRIVER, DRIVER_OK, F_RING_PACKED, FEATURES_OK, entry, features, status
from driver.packed import PackedRing
from driver.pool import Nonces
from driver.split import SplitRing
from virtio.layout import (
    BATCH_LAYOUT,
    DEV_ACK,
    DEV_BE_EPOCH,
    DEV_BE_SLEEP,
    DEV_CONFIG_COUNT,
    DEV_FEATURES,
    DEV_MAGIC,
    DEV_NUM_QUEUES,
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
    DEV_USED_COUNT,
    DEV_VERSION,
    DRV_BE_EPOCH,
    DRV_ENTRIES,
    DRV_FE_SLEEP,
    DRV_HEADER,
    DRV_HEADER_SIZE,
    DRV_HEARTBEAT,
    DRV_KICK_SEQ,
    DRV_MAGIC,
    DRV_REQ,
    DRV_TOKEN,
    DRV_VERSION,
    ENTRY_SIZE,
    FEATURE_WORDS,
    REG_CONFIG,
    REG_QUEUE_RESET,
    REG_STATUS,
    RESULT_OK,
    SYNC_MAGIC,
    SYNC_VERSION,
)


class NoAnswer(Exception):
    """The backend has not answered a batch or a request."""


class LinkBroken(Exception):
    """The backend's life has ended: DEV_BE_EPOCH is not the one that the batch named."""


class Refused(Exception):
    """A batch got another result than RESULT_OK. `result`, `index`: as in the device page."""

    def __init__(self, result, index):
        super().__init__("batch refused: result {}, entry {}".format(result, index))
        self.result = result
        self.index = index


class Frontend:
    """One life of the frontend of a link, whose region is `memory` (a bytearray).

    `ring()` rings the backend, `run()` lets it run; `attempts`: how often both are done before an answer is missed.
    """

    def __init__(self, memory, pool, ring, run, seed=1, attempts=4):
        self.memory = memory
        self.pool = pool
        self.ring = ring
        self.run = run
        self.attempts = attempts
        self.nonces = Nonces(seed)
        self.epoch = self.nonces.draw()
        self.drivers = []

    def add(self, device_at, driver_at):
        """Add the device whose pages are at these offsets of the region; return its Driver."""
        driver = Driver(self, device_at, driver_at)
        self.drivers.append(driver)
        return driver

    def start(self):
        """Begin this life on every driver page. docs/transport.md, 4.2."""
        for driver in self.drivers:
            driver.store(DRV_REQ, 0)
            driver.store(DRV_TOKEN, 0)
        for driver in self.drivers:
            driver.store(DRV_MAGIC, SYNC_MAGIC)
            driver.store(DRV_VERSION, SYNC_VERSION)
            driver.store(DRV_FE_SLEEP, 1)

    def beat(self):
        """Show that this life goes on: docs/transport.md, 4.9."""
        first = self.drivers[0]
        first.store(DRV_HEARTBEAT, first.sent(DRV_HEARTBEAT) + 1 & 0xFFFFFFFF)


class Driver:
    """The driver of one device: publishes batches, sets up rings, sends requests.

    `queues`: list of SplitRing or PackedRing after `begin()`; `negotiated`: the features; `batches`: how many answers
    were waited for.
    """

    def __init__(self, frontend, device_at, driver_at):
        self.frontend = frontend
        self.device_at = device_at
        self.driver_at = driver_at
        self.queues = []
        self.negotiated = 0
        self.batches = 0

    def load(self, offset):
        """Return a word of the device page."""
        return unpack_from("<I", self.frontend.memory, self.device_at + offset)[0]

    def store(self, offset, value):
        """Store a word of the driver page."""
        pack_into("<I", self.frontend.memory, self.driver_at + offset, value)

    def sent(self, offset):
        """Return a word of the driver page."""
        return unpack_from("<I", self.frontend.memory, self.driver_at + offset)[0]

    @property
    def status(self):
        """The device status as the backend shows it."""
        return self.load(REG_STATUS)

    @property
    def interrupts(self):
        """How many used-buffer interrupts there were."""
        return self.load(DEV_USED_COUNT)

    @property
    def config_changes(self):
        """How many configuration-change interrupts there were."""
        return self.load(DEV_CONFIG_COUNT)

    def config(self, offset, size):
        """Return bytes of the configuration space."""
        at = self.device_at + REG_CONFIG + offset
        return bytes(self.frontend.memory[at : at + size])

    def shared(self, number):
        """Return (offset in the link's shared memory, bytes) of the shared-memory region `number`, None without it."""
        at = self.device_at + DEV_SHM + number * DEV_SHM_STRIDE
        length = unpack_from("<q", self.frontend.memory, at + DEV_SHM_LENGTH)[0]
        offset = unpack_from("<Q", self.frontend.memory, at + DEV_SHM_BASE)[0]
        return None if length == -1 else (offset, length)

    def is_present(self):
        """Is a backend there that speaks this version of the protocol?"""
        magic, version = self.load(DEV_MAGIC), self.load(DEV_VERSION)
        return (magic, version) == (SYNC_MAGIC, SYNC_VERSION) and self.load(DEV_BE_EPOCH) != 0

    def offered(self):
        """Return the features that the device offers."""
        return sum(self.load(DEV_FEATURES + 4 * bank) << (32 * bank) for bank in range(FEATURE_WORDS))

    def token(self):
        """Return a fresh token. docs/transport.md, 4.8."""
        return self.frontend.nonces.draw((0, self.sent(DRV_REQ), self.sent(DRV_TOKEN), self.load(DEV_ACK)))

    def compose(self, entries, token, fe_epoch=None, be_epoch=None, count=None, layout=BATCH_LAYOUT, crc=None):
        """Return (header, entries) of a batch as bytes. Keywords: what a wrong driver would put there instead."""
        body = b"".join([pack("<HBBIQ", *item) for item in entries])
        fields = (
            token,
            self.frontend.epoch if fe_epoch is None else fe_epoch,
            self.load(DEV_BE_EPOCH) if be_epoch is None else be_epoch,
            len(entries) if count is None else count,
            layout,
        )
        blank = pack("<6I", *(fields + (0,)))
        return pack("<6I", *(fields + (crc32(blank + body) if crc is None else crc,))), body

    def publish(self, entries, token=None, **wrong):
        """Publish a batch without ringing; return its token. docs/transport.md, 4.3. `wrong`: keywords of `compose`."""
        token = self.token() if token is None else token
        header, body = self.compose(entries, token, **wrong)
        self.store(DRV_TOKEN, 0)
        self.put(DRV_ENTRIES, body)
        self.put(DRV_TOKEN + 4, header[4:])
        self.store(DRV_TOKEN, token)
        self.store(DRV_REQ, token)
        return token

    def put(self, offset, data):
        """Store bytes in the driver page."""
        at = self.driver_at + offset
        self.frontend.memory[at : at + len(data)] = data

    def ring(self):
        """Ring the backend if it may be asleep. docs/transport.md, 6.1."""
        if self.load(DEV_BE_SLEEP):
            self.frontend.ring()

    def kick(self):
        """Say that there is something in a queue. docs/transport.md, 6.4."""
        self.store(DRV_KICK_SEQ, self.sent(DRV_KICK_SEQ) + 1 & 0xFFFFFFFF or 1)
        self.ring()

    def wait(self, token, be_epoch=None):
        """Wait for the answer to `token`; return (result, index). NoAnswer, LinkBroken. docs/transport.md, 4.7."""
        be_epoch = self.sent(DRV_BE_EPOCH) if be_epoch is None else be_epoch
        for _ in range(self.frontend.attempts):
            self.ring()
            self.frontend.run()
            if self.load(DEV_ACK) == token:
                break
        answer = self.load(DEV_RESULT), self.load(DEV_RESULT_INDEX)
        if self.load(DEV_BE_EPOCH) != be_epoch:
            raise LinkBroken("the backend has ended its life")
        if self.load(DEV_ACK) != token:
            raise NoAnswer("the backend has not answered batch {:#x}".format(token))
        self.batches += 1
        return answer

    def batch(self, entries, **wrong):
        """Publish a batch and wait; return (result, index)."""
        return self.wait(self.publish(entries, **wrong))

    def must(self, entries):
        """Publish a batch and wait; Refused unless the result is RESULT_OK."""
        result, index = self.batch(entries)
        if result != RESULT_OK:
            raise Refused(result, index)

    def reset(self):
        """Reset the device and forget its rings."""
        self.must([status(0)])
        for queue in self.queues:
            queue.release()
        self.queues = []

    def negotiate(self, wanted=None):
        """Accept `wanted` of the offered features (default: all, but with split queues), up to FEATURES_OK."""
        self.negotiated = self.offered() & (~F_RING_PACKED if wanted is None else wanted)
        entries = [status(ACKNOWLEDGE), status(ACKNOWLEDGE | DRIVER)]
        self.must(entries + features(self.negotiated) + [status(ACKNOWLEDGE | DRIVER | FEATURES_OK)])

    def make_queues(self, size=None):
        """Put rings for every queue into the pool, with `size` entries or as many as the device allows."""
        self.queues = [self.make_queue(index, size) for index in range(self.load(DEV_NUM_QUEUES))]

    def make_queue(self, index, size=None):
        """Put the rings of queue `index` into the pool and return them."""
        most = self.load(DEV_QUEUES + index * DEV_QUEUE_STRIDE + DEV_QUEUE_SIZE_MAX)
        layout = PackedRing if self.negotiated & F_RING_PACKED else SplitRing
        return layout(self, index, min(size or most, most))

    def reset_queue(self, index):
        """Reset queue `index` alone, wait until the device says so, and give its memory back. Virtio 1.3, 2.6.1."""
        self.must([entry(REG_QUEUE_RESET, 1, index)])
        if not self.load(DEV_QUEUES + index * DEV_QUEUE_STRIDE + DEV_QUEUE_RESET):
            raise NoAnswer("queue {} is not reset".format(index))
        self.queues[index].release()

    def enable_queue(self, index, size=None):
        """Set queue `index` up again after its reset."""
        self.queues[index] = self.make_queue(index, size)
        self.must(self.queues[index].entries())

    def enable_queues(self):
        """Tell the device where the rings are, then set DRIVER_OK."""
        entries = []
        for queue in self.queues:
            entries += queue.entries()
        self.must(entries + [status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)])

    def begin(self, wanted=None, size=None):
        """Bring the device from any state to DRIVER_OK; return self."""
        self.reset()
        self.negotiate(wanted)
        self.make_queues(size)
        self.enable_queues()
        return self

    def request(self, data, room, queue=0, indirect=False):
        """Send `data` in one chain with `room` writable bytes; return what the device wrote. NoAnswer."""
        ring = self.queues[queue]
        head = ring.add([data] if data else [], [room] if room else [], indirect)
        ring.kick()
        for _ in range(self.frontend.attempts):
            self.frontend.run()
            for done, reply in ring.poll():
                if done == head:
                    return reply
            self.frontend.ring()
        raise NoAnswer("the request of head {} was not returned".format(head))


assert calcsize("<HBBIQ") == ENTRY_SIZE and calcsize("<6I") == DRV_HEADER_SIZE and DRV_TOKEN == DRV_HEADER
