# SPDX-License-Identifier: MIT
"""A driver-side mock: plays the frontend of a link, so that a device is tested without a virtual machine.

Follows docs/transport.md from the frontend's side and virtio 1.3, 2.7 for the rings. It knows nothing of the firmware
but the numbers of `virtio.layout`; it works on the shared memory as bytes. For a device in one process:

    rig = Rig(Rng())                    # a simulated machine with one link, one device on it
    rng = rig.drivers[0].begin()        # reset, features, queues, DRIVER_OK
    data = rng.request(b"", 64)         # one chain through queue 0

`Frontend` is one frontend life on a link, `Driver` one device of it, `Vring` one of its queues. What a well-behaved
driver would not do is done with `publish(..., keywords)`, `Driver.store`, `Vring.describe` and `Vring.offer`.
"""

from binascii import crc32
from struct import calcsize, pack, pack_into, unpack_from

from hal.sim import Machine
from virtio.device import RequestDevice
from virtio.layout import (
    BATCH_LAYOUT,
    DEV_ACK,
    DEV_BE_EPOCH,
    DEV_BE_SLEEP,
    DEV_CONFIG_COUNT,
    DEV_FEATURES,
    DEV_MAGIC,
    DEV_NUM_QUEUES,
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
    PAGE_SIZE,
    REG_CONFIG,
    REG_DRIVER_FEATURES,
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DEVICE_LOW,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_READY,
    REG_QUEUE_SIZE,
    REG_STATUS,
    RESULT_OK,
    SYNC_MAGIC,
    SYNC_VERSION,
)
from virtio.link import Link
from virtio.loop import Loop

NEXT = 1
WRITE = 2
INDIRECT = 4

ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
F_INDIRECT_DESC = 1 << 28
F_EVENT_IDX = 1 << 29
F_VERSION_1 = 1 << 32
F_ACCESS_PLATFORM = 1 << 33


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


def entry(offset, value, selector=0, length=4, flags=0):
    """Return one entry of a batch: a register write."""
    return (offset, length, flags, selector, value)


def status(value):
    """Return the entry that writes the device status."""
    return entry(REG_STATUS, value)


def features(value):
    """Return the entries that write the driver features (an integer)."""
    return [entry(REG_DRIVER_FEATURES, value >> (32 * bank) & 0xFFFFFFFF, bank) for bank in range(2)]


class Nonces:
    """Pseudo-random 32-bit numbers, never 0 (xorshift32, Marsaglia 2003), the same for the same `seed`."""

    def __init__(self, seed):
        self._state = (seed * 2654435761 + 0x9E3779B9) & 0xFFFFFFFF or 1

    def draw(self, avoid=()):
        """Return the next one that is not in `avoid`."""
        while True:
            x = self._state
            x ^= x << 13 & 0xFFFFFFFF
            x ^= x >> 17
            x ^= x << 5 & 0xFFFFFFFF
            self._state = x
            if x not in avoid:
                return x


class Pool:
    """Hands out pieces of the link's pool: `base` is the frontend's address of the byte at `offset` of `memory`."""

    def __init__(self, memory, offset, size, base):
        self.memory = memory
        self.offset = offset
        self.size = size
        self.base = base
        self._free = [(0, size)]

    def take(self, size, alignment=16):
        """Return the address of `size` free bytes, zeroed. MemoryError without them."""
        size = max(size, 1) + 15 & ~15
        for i, (start, length) in enumerate(self._free):
            at = start + alignment - 1 & ~(alignment - 1)
            if at + size <= start + length:
                self._free[i : i + 1] = [(start, at - start), (at + size, start + length - at - size)]
                self._free = [piece for piece in self._free if piece[1]]
                self.write(self.base + at, bytes(size))
                return self.base + at
        raise MemoryError("the link's pool is full")

    def give(self, address, size):
        """Take back what `take(size)` returned."""
        self._free.append((address - self.base, max(size, 1) + 15 & ~15))
        self._free.sort()
        merged = []
        for start, length in self._free:
            if merged and merged[-1][0] + merged[-1][1] == start:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((start, length))
        self._free = merged

    def at(self, address):
        """Return the index in `memory` of a frontend address."""
        return address - self.base + self.offset

    def read(self, address, size):
        """Return `size` bytes at a frontend address."""
        return bytes(self.memory[self.at(address) : self.at(address) + size])

    def write(self, address, data):
        """Store bytes at a frontend address."""
        self.memory[self.at(address) : self.at(address) + len(data)] = data

    def load(self, address, code):
        """Return the tuple of `struct` format `code` at a frontend address."""
        return unpack_from(code, self.memory, self.at(address))

    def store(self, address, code, *values):
        """Store values of `struct` format `code` at a frontend address."""
        pack_into(code, self.memory, self.at(address), *values)


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

    `queues`: list of Vring after `begin()`; `negotiated`: the features; `batches`: how many answers were waited for.
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
        """Accept `wanted` of the offered features (default: all of them), up to FEATURES_OK."""
        self.negotiated = self.offered() if wanted is None else self.offered() & wanted
        entries = [status(ACKNOWLEDGE), status(ACKNOWLEDGE | DRIVER)]
        self.must(entries + features(self.negotiated) + [status(ACKNOWLEDGE | DRIVER | FEATURES_OK)])

    def make_queues(self, size=None):
        """Put rings for every queue into the pool, with `size` entries or as many as the device allows."""
        for index in range(self.load(DEV_NUM_QUEUES)):
            most = self.load(DEV_QUEUES + index * DEV_QUEUE_STRIDE + DEV_QUEUE_SIZE_MAX)
            self.queues.append(Vring(self, index, min(size or most, most)))

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


class Vring:
    """The driver's side of one split queue, in the pool. Virtio 1.3, 2.7. Addresses are the frontend's."""

    def __init__(self, driver, index, size):
        self.driver = driver
        self.index = index
        self.size = size
        self.pool = driver.frontend.pool
        self.event_idx = driver.negotiated & F_EVENT_IDX != 0
        self.desc = self.pool.take(16 * size)
        self.avail = self.pool.take(6 + 2 * size)
        self.used = self.pool.take(6 + 8 * size)
        self.next_avail = 0
        self.next_used = 0
        self.kicks = 0
        self._free = list(range(size - 1, -1, -1))
        self._chains = {}
        self._kicked = 0

    def release(self):
        """Give the memory back to the pool. Only after the device was reset."""
        for head in list(self._chains):
            self._retire(head)
        for address, size in ((self.desc, 16), (self.avail, 2), (self.used, 8)):
            self.pool.give(address, size * self.size + (0 if size == 16 else 6))

    def entries(self):
        """Return the batch entries that set the queue up."""
        return [
            entry(REG_QUEUE_SIZE, self.size, self.index),
            entry(REG_QUEUE_DESC_LOW, self.desc, self.index, 8),
            entry(REG_QUEUE_DRIVER_LOW, self.avail, self.index, 8),
            entry(REG_QUEUE_DEVICE_LOW, self.used, self.index, 8),
            entry(REG_QUEUE_READY, 1, self.index),
        ]

    def describe(self, index, address, length, flags=0, follower=0, table=None):
        """Write descriptor `index` of the ring's table, or of the one at address `table`."""
        self.pool.store((self.desc if table is None else table) + 16 * index, "<QIHH", address, length, flags, follower)

    def offer(self, head):
        """Make `head` available, whatever it is."""
        self.pool.store(self.avail + 4 + 2 * (self.next_avail % self.size), "<H", head)
        self.next_avail = self.next_avail + 1 & 0xFFFF
        self.pool.store(self.avail + 2, "<H", self.next_avail)

    def add(self, readable, writable, indirect=False):
        """Make a chain available: `readable` is a list of bytes, `writable` a list of lengths; return its head.

        IndexError if no descriptor is free.
        """
        pieces = [(self._place(data), len(data), 0) for data in readable]
        pieces += [(self.pool.take(length), length, WRITE) for length in writable]
        if indirect:
            head = self._add_indirect(pieces)
        else:
            heads = [self._free.pop() for _ in pieces]
            self._link(pieces, heads, None)
            head = heads[0]
            self._chains[head] = (heads, pieces, None)
        self.offer(head)
        return head

    def _place(self, data):
        address = self.pool.take(len(data))
        self.pool.write(address, data)
        return address

    def _add_indirect(self, pieces):
        head = self._free.pop()
        table = self.pool.take(16 * len(pieces))
        self._link(pieces, list(range(len(pieces))), table)
        self.describe(head, table, 16 * len(pieces), INDIRECT)
        self._chains[head] = ([head], pieces, table)
        return head

    def _link(self, pieces, indices, table):
        for i, (address, length, flags) in enumerate(pieces):
            last = i == len(pieces) - 1
            follower = 0 if last else indices[i + 1]
            self.describe(indices[i], address, length, flags | (0 if last else NEXT), follower, table)

    def wants_kick(self):
        """Does the device want a notification for what was made available since the last kick? Virtio 1.3, 2.7.10."""
        new, old = self.next_avail, self._kicked
        if not self.event_idx:
            return new != old and not self.pool.load(self.used, "<H")[0] & 1
        event = self.pool.load(self.used + 4 + 8 * self.size, "<H")[0]
        return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF

    def kick(self):
        """Notify the device if it wants that; return whether it did. docs/transport.md, 6.1 and 6.4."""
        wanted = self.wants_kick()
        self._kicked = self.next_avail
        if wanted:
            self.kicks += 1
            self.driver.store(DRV_KICK_SEQ, self.driver.sent(DRV_KICK_SEQ) + 1 & 0xFFFFFFFF)
            self.driver.ring()
        return wanted

    def used_index(self):
        """Return the index of the used ring."""
        return self.pool.load(self.used + 2, "<H")[0]

    def poll_raw(self):
        """Return the new used elements, (head, length) each."""
        found = []
        while self.next_used != self.used_index():
            found.append(self.pool.load(self.used + 4 + 8 * (self.next_used % self.size), "<II"))
            self.next_used = self.next_used + 1 & 0xFFFF
        if self.event_idx:
            self.want_interrupt_after(self.next_used)
        return found

    def want_interrupt_after(self, index):
        """Ask for an interrupt when the used index passes `index` (event index only). Virtio 1.3, 2.7.7.2."""
        self.pool.store(self.avail + 4 + 2 * self.size, "<H", index)

    def set_flags(self, value):
        """Write the flags of the available ring (1: no interrupt)."""
        self.pool.store(self.avail, "<H", value)

    def poll(self):
        """Return what the device has returned of the chains of `add`: (head, bytes written by the device) each."""
        return [(head, self._collect(head, length)) for head, length in self.poll_raw()]

    def _collect(self, head, length):
        _, pieces, _ = self._chains[head]
        data = b"".join([self.pool.read(address, size) for address, size, flags in pieces if flags & WRITE])
        self._retire(head)
        return data[:length]

    def _retire(self, head):
        heads, pieces, table = self._chains.pop(head)
        self._free += heads
        for address, size, _ in pieces:
            self.pool.give(address, size)
        if table is not None:
            self.pool.give(table, 16 * len(pieces))


class MirrorBackend:
    """Answers each request with its own bytes, as many as fit; one without bytes has no answer."""

    def handle(self, request, length, reply, room):
        """Copy `request` to `reply`; return how many bytes of it count."""
        size = min(length, room, 4 * len(reply))
        for i in range((size + 3) // 4):
            reply[i] = request[i]
        return size or -1


class Mirror(RequestDevice):
    """A device to test transports with: queue 0 answers with what was asked, queue 1 only holds buffers.

    Feature 1 needs feature 0. Of the 8 bytes of configuration space the driver may write the first 4.
    """

    device_id = 0x7F
    features = 3
    queue_sizes = (16, 8)
    any_subset = False

    def __init__(self, backend=None):
        super().__init__(backend or MirrorBackend(), 256, 256)
        self.config = bytearray(b"\x10\x11\x12\x13\x14\x15\x16\x17")

    def accepts(self, features):
        """Feature 1 alone will not do."""
        return features & 3 != 2

    def config_writable(self, offset, length):
        """The first word is writable."""
        return offset + length <= 4


class Rig:
    """Devices on one simulated link, their backend's loop, and a frontend. `memory` outlives backends and frontends.

    `machine`, `loop`, `link`: the backend; `frontend`, `drivers`: the present frontend life. `pool_size` in bytes.
    `shared`: bytes for shared-memory regions, which lie from `shared_at` of the memory on.
    """

    BASE = 0x48200000

    def __init__(self, *devices, pool_size=0x10000, seed=1, memory=None, loop=Loop, shared=0):
        self.shared_at = 2 * PAGE_SIZE * len(devices)
        self._shared = shared
        self._pool_at = self.shared_at + shared
        self.memory = bytearray(self._pool_at + pool_size) if memory is None else memory
        self._seed = seed
        self._loop_class = loop
        self.start_backend(*devices)
        self.start_frontend()

    def start_backend(self, *devices):
        """Begin a backend life with `devices`, on the same memory; the old backend just stops."""
        self._seed += 1
        self.machine = Machine(seed=self._seed)
        kinds = [("mock", None)] * len(devices)
        described = self.machine.add_link("linux0", kinds, self.memory, self._pool_at, self.BASE, shared=self._shared)
        self.doorbell = described.doorbell
        self.loop = self._loop_class(self.machine)
        self.link = self.loop.add(Link(described, self.machine))
        for device, (_, device_page, driver_page, _, _) in zip(devices, described.devices):
            self.link.add(device, device_page, driver_page)
        self.loop.start()
        self.run()

    def start_frontend(self):
        """Begin a frontend life, on the same memory; return its drivers."""
        self._seed += 1
        pool = Pool(self.memory, self._pool_at, len(self.memory) - self._pool_at, self.BASE)
        self.frontend = Frontend(self.memory, pool, lambda: self.doorbell.kick(), self.run, self._seed)
        self.drivers = [self.frontend.add(at, at + PAGE_SIZE) for at in range(0, self.shared_at, 2 * PAGE_SIZE)]
        self.frontend.start()
        return self.drivers

    @property
    def shared_base(self):
        """The frontend's address of the shared memory."""
        return self.BASE - self._shared

    def shared_bytes(self, address, size):
        """Return bytes of the link's shared memory at a frontend address, which must lie in it."""
        at = address - self.shared_base + self.shared_at
        assert self.shared_at <= at and at + size <= self._pool_at
        return bytes(self.memory[at : at + size])

    def run(self):
        """Let the backend run until it sleeps."""
        self.machine.run_pending()


assert calcsize("<HBBIQ") == ENTRY_SIZE and calcsize("<6I") == DRV_HEADER_SIZE and DRV_TOKEN == DRV_HEADER
