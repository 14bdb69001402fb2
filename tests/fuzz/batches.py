# SPDX-License-Identifier: MIT
"""Random batches against the oracle: answer, shadow registers, configuration and counters must agree."""

from driver import F_RING_PACKED, F_RING_RESET, Mirror, Rig, features, status
from driver.balloon import BLOCK
from fuzz import oracle
from fuzz._cases import Source, memory, repeat
from virtio.layout import (
    DEV_ACK,
    DEV_BE_EPOCH,
    DEV_POOL_GIVEN,
    DEV_QUEUE_READY,
    DEV_QUEUE_RESET,
    DEV_QUEUE_STRIDE,
    DEV_QUEUES,
    DEV_RESULT,
    DEV_RESULT_INDEX,
    DRV_ENTRIES,
    DRV_HEADER,
    DRV_REQ,
    DRV_TOKEN,
    PAGE_SIZE,
)

BLOCKS = 4
POOL_SIZE = BLOCKS * BLOCK
REGISTERS = (0x70, 0x20, 0x38, 0x44, 0x80, 0x84, 0x90, 0x94, 0xA0, 0xA4, 0xC0, 0xC0, 0x100, 0x102, 0x103)
PLAIN = 3 << 32 | 1
WANTED = (PLAIN, PLAIN | F_RING_RESET, PLAIN | F_RING_PACKED | F_RING_RESET)


def negotiated(wanted):
    """Return entries up to FEATURES_OK."""
    return [status(3)] + features(wanted) + [status(11)]


def place(packed, size, desc, driver, device):
    """Return the blocks of the pool that these areas of a queue take, None if they are misaligned or not inside."""
    areas = [(desc, 16, 16 * size), (driver, 2, 6 + 2 * size), (device, 4, 6 + 8 * size)]
    if packed:
        areas[1:] = (driver, 4, 4), (device, 4, 4)
    end = Rig.BASE + POOL_SIZE
    if not all(at % alignment == 0 and at >= Rig.BASE and at + size <= end for at, alignment, size in areas):
        return None
    return {(at + byte - Rig.BASE) // BLOCK for at, _, size in areas for byte in (0, size - 1)}


class Overtaken:
    """The driver page of a frontend that does `overtake()` just after the backend has copied the header."""

    def __init__(self, page, overtake):
        self._page = page
        self._overtake = overtake
        self.load_acquire = page.load_acquire
        self.r32 = page.r32

    def read(self, offset, buffer, n):
        """Copy, then let the frontend go on, once."""
        self._page.read(offset, buffer, n)
        if offset == DRV_HEADER and self._overtake:
            overtake, self._overtake = self._overtake, None
            overtake()


class Bench:
    """A Mirror behind its pages, and the oracle beside it."""

    def __init__(self, source):
        self.source = source
        self.rig = Rig(Mirror(), memory=memory(2 * PAGE_SIZE + POOL_SIZE))
        self.driver = self.rig.drivers[0]
        self.sync = self.rig.link.ports[0].sync
        self.page = self.sync.driver_page
        self.oracle = oracle.Page(place, BLOCKS)

    def value(self, offset):
        """Return a value that makes sense for a register, or one that does not."""
        source = self.source
        if not source.below(12):
            return source.one_of((0, 1, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1, source.below(1 << 28)))
        if offset == 0x70:
            return source.one_of((1, 3, 11, 15, 15 | 64, 3 | 128, source.below(256)))
        if offset == 0x20:
            return source.one_of((0, 1, 2, 3, 1 << 28, 4, 3 | 256))
        if offset == 0x38:
            return source.one_of((1, 2, 4, 8, 16, 3, 32))
        if offset in (0x44, 0xC0):
            return source.one_of((1, 1, 1, 0, 2))
        if offset in (0x84, 0x94, 0xA4):
            return source.one_of((0, 0, 0, 1))
        if offset in (0x80, 0x90, 0xA0):
            # Areas that never overlap: what an overlap does to a running ring is the other fuzzer's business.
            return (
                Rig.BASE
                + 0x200 * (offset - 0x80 >> 4)
                + source.one_of((0, 0, 0, 0, 0x10, 2, POOL_SIZE - 0x80, POOL_SIZE))
            )
        return source.below(256)

    def entry(self):
        """Return one random entry."""
        source = self.source
        offset = source.one_of(REGISTERS) if source.below(30) else source.below(0x900)
        usual = 1 if offset > 0x100 else 8 if offset in (0x80, 0x90, 0xA0) and source.below(2) else 4
        length = usual if source.below(30) else source.one_of((0, 1, 2, 3, 4, 8, 255))
        selector = source.below(2) if offset not in (0x70, 0x100, 0x102, 0x103) else 0
        if not source.below(40):
            selector = source.one_of((2, 7, 8, 0xFFFFFFFF))
        flags = 0 if source.below(60) else 1 + source.below(255)
        value = self.value(offset)
        return (offset, length, flags, selector, value)

    def entries(self):
        """Return the entries of a batch."""
        source = self.source
        if not source.below(6):
            return [self.pool_entry() for _ in range(1 + source.below(4))] + [self.entry()] * (not source.below(8))
        start = source.below(5)
        batch = [status(0)] if start else []
        wanted = negotiated(source.one_of(WANTED))
        if start == 2:
            batch += wanted[: source.below(len(wanted) + 1)]
        elif start > 2:
            batch += wanted
        if start > 3:
            batch += self.ring(source.below(2)) + [status(15)] * source.below(2)
        if not source.below(200):
            batch = (batch + [self.entry() for _ in range(8)] * 30)[: source.one_of((239, 240))]
        return batch + [self.entry() for _ in range(source.below(4))][: 240 - len(batch)]

    def pool_entry(self):
        """Return an entry that gives, takes or answers, most of the time rightly."""
        source = self.source
        offset = source.one_of((0x860, 0x860, 0x868, 0x868, 0x870))
        given = sorted(self.oracle.given)
        first = given[-1] if given and offset == 0x868 and source.below(3) else source.below(BLOCKS + 1)
        value = source.below(4) if offset == 0x870 else source.one_of((1, 1, 1, 2, 0, 0xFFFFFFFF)) << 32 | first
        length = 4 if offset == 0x870 else 8
        wrong = source.below(200)
        if wrong == 0:
            return (offset, source.one_of((0, 1, 4, 8)), 0, 0, value)
        if wrong == 1:
            return (offset + source.one_of((1, 4, 16)), length, 0, 0, value)
        return (offset, length, int(wrong == 2), int(wrong == 3), value | (wrong == 4) << 63)

    def ask(self):
        """The backend asks for some of the pool."""
        self.oracle.ask(self.source.below(BLOCKS + 1))
        self.rig.link.balloon.ask(self.oracle.target * BLOCK)

    def ring(self, index):
        """Return entries that set up queue `index`, most of the time rightly."""
        size = self.source.one_of((1, 2, 3, 4, 8))
        wrong = 0 if self.source.below(8) else self.source.one_of((1, 2, BLOCK - 0x40, POOL_SIZE, 1 << 40))
        places = [(offset, 8, 0, index, Rig.BASE + 0x200 * n + wrong) for n, offset in enumerate((0x80, 0x90, 0xA0))]
        return [(0x38, 4, 0, index, size)] + places + [(0x44, 4, 0, index, 1)]

    def wrong(self):
        """Return the wrong fields of a header, {} for none."""
        source = self.source
        if source.below(6):
            return {}
        field = source.one_of(("layout", "count", "crc", "fe_epoch", "be_epoch"))
        values = {"layout": (0, 2), "count": (241, 1 << 28), "crc": (0, 1), "fe_epoch": (0,), "be_epoch": (0, 1)}
        return {field: source.one_of(values[field])}

    def case(self):
        """Compare one batch; return what it met."""
        driver, source = self.driver, self.source
        if not source.below(20):
            driver.frontend.epoch = driver.frontend.nonces.draw((0,))
        if not source.below(20):
            return self.scrub()
        if not source.below(40):
            self.fail()
        if not source.below(10):
            self.ask()
        entries, wrong, acked = self.entries(), self.wrong(), driver.load(DEV_ACK)
        before = dict(self.oracle.counts)
        token = driver.publish(entries, **wrong)
        if not source.below(20):
            token, answer = self.tear(token)
        elif wrong:
            self.oracle.counts["unbelievable"] += 1
            answer = None
        else:
            answer = self.oracle.batch(driver.frontend.epoch, entries)
        self.rig.doorbell.kick()
        self.rig.run()
        self.sync.driver_page = self.page
        got = (driver.load(DEV_RESULT), driver.load(DEV_RESULT_INDEX)) if driver.load(DEV_ACK) == token else None
        assert got == answer, (entries, got, answer)
        assert answer or driver.load(DEV_ACK) == acked
        self.compare()
        met = {name: value - before[name] for name, value in self.oracle.counts.items()}
        met["running"] = int(driver.status == 15)
        met["given back"] = len(self.oracle.given)
        met["queue reset"] = int(any(queue["reset"] for queue in self.oracle.queues))
        met["failed"] = int(driver.status & 64 != 0)
        return met

    def fail(self):
        """The device gives up: nothing but a reset helps from here."""
        self.rig.link.ports[0].fail()
        self.rig.run()
        self.oracle.fail()

    def tear(self, token):
        """Change what is published while the backend copies it; return the token to be answered, and the answer."""
        driver, source = self.driver, self.source
        self.oracle.counts["torn"] += 1
        way = source.below(4)
        if way == 0:
            driver.store(DRV_TOKEN, 0)
            return token, None
        if way == 1:
            driver.store(DRV_TOKEN, 0)
            self.overtake(lambda: driver.store(DRV_TOKEN, token))
            return token, None
        if way == 2:
            self.overtake(lambda: (driver.store(DRV_TOKEN, 0), driver.put(DRV_ENTRIES, source.bytes(64))))
            return token, None
        entries, token = self.entries(), driver.token()
        self.overtake(lambda: driver.publish(entries, token))
        return token, self.oracle.batch(driver.frontend.epoch, entries)

    def overtake(self, change):
        """Have `change()` called when the backend has copied the next header."""
        self.sync.driver_page = Overtaken(self.page, change)

    def scrub(self):
        """Somebody clears the driver page: nothing may happen."""
        self.driver.put(0, bytes(0x1000))
        self.rig.doorbell.kick()
        self.rig.run()
        self.compare()
        return {"scrubbed": 1}

    def compare(self):
        """Compare everything that the backend shows with what the oracle expects."""
        driver, expected = self.driver, self.oracle
        words = [DEV_QUEUES + DEV_QUEUE_STRIDE * index for index in range(2)]
        shown = [(driver.load(at + DEV_QUEUE_READY), driver.load(at + DEV_QUEUE_RESET)) for at in words]
        assert (driver.status, shown) == (expected.shown, [(q["ready"], q["reset"]) for q in expected.queues])
        assert list(driver.config(0, 8)) == expected.config
        assert driver.load(DEV_BE_EPOCH) == self.rig.link.epoch and driver.sent(DRV_REQ) is not None
        balloon = self.rig.link.balloon
        ranges = [(at // BLOCK, (at + length) // BLOCK) for at, length in balloon.ranges()]
        assert {block for first, end in ranges for block in range(first, end)} == expected.given
        assert (driver.load(DEV_POOL_GIVEN), balloon.is_answered) == (len(expected.given), expected.is_answered)
        counts = {name: getattr(self.sync, name) for name in expected.counts}
        assert counts == expected.counts, (counts, expected.counts)


def fuzz(seed, count):
    """Run `count` cases; return what kinds of batches there were. AssertionError: a case disagrees, named on the
    output.
    """
    return repeat("batches", Bench(Source(seed)), seed, count)
