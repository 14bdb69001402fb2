# SPDX-License-Identifier: MIT
"""A frontend that lies and floods: a process on the host plays the part of a guest that is paused meanwhile.

Each kind of misbehaviour is a step that is repeated without a pause until the measurement ends. KINDS has one for
everything that a frontend can make the backend do: doorbells, batches, chains, SCMI messages, and what follows them.
"""

import contextlib
import mmap
import random
import re
import struct
import threading
import time

import driver
from driver.balloon import BLOCK, answer, give, take
from scmi import platform
from scmi.protocols.common import Protocol
from trapless import region, requests
from virtio import layout
from virtio.status import NEEDS_RESET

SCMI, RNG = 0, 1
COMMANDS, EVENTS = 0, 1
SPLIT, PACKED = ~driver.F_RING_PACKED, ~0
WAIT = 0.0002
BATCHES = 64
RINGS = 256
LONG = layout.ENTRIES_MAX
OK = driver.status(15)
ROOM = 1024
EVENT_ROOM = 128
REGISTERS = (0x70, 0x20, 0x44, 0x80)
WRONG = ({}, {}, {"crc": 1}, {"count": 1 << 31}, {"be_epoch": 5})


def raw(protocol, number, *words):
    """Return an SCMI message as bytes."""
    return bytes.fromhex(requests.message(protocol, number, *words))


class HostileFrontend:
    """Plays the driver on the link of `victim`, whose guest is paused and has its pool at `base`: a life of its own.

    `platform`: what the model describes; `backend`: the prompt.
    """

    def __init__(self, pair, victim, base):
        link = victim.link
        with region.path(pair.directory, link).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.platform = pair.platform.describe()
        self.backend = pair.backend
        self.name = link.name
        self.agent = victim.agent["name"]
        self.peer = link.doorbell.backend_peer
        self.bells = victim.doorbells
        self.pool = driver.Pool(self.memory, link.pool_offset, link.pool_size, base)
        self.random = random.Random()
        seed = self.random.getrandbits(31)  # a life of its own, whatever was before
        frontend = driver.Frontend(self.memory, self.pool, self.ring, lambda: time.sleep(WAIT), seed, attempts=5000)
        self.drivers = [frontend.add(link.device_page(one), link.driver_page(one)) for one in link.devices]
        frontend.start()

    def ring(self):
        """Ring the backend's doorbell."""
        self.bells.ring(self.peer)

    def violate(self, victim):
        """Break a ring, so that only a reset helps; a kick tells of it."""
        victim.queues[0].violate()
        victim.store(layout.DRV_KICK_SEQ, victim.sent(layout.DRV_KICK_SEQ) + 1 & 0xFFFFFFFF)
        self.ring()

    def counted(self):
        """Return what the backend has counted of this link and its agent, over all devices, by the counter's name."""
        text = self.backend.exec("status()")
        mine = re.search(rf"^link {self.name}:.*\n(?: .*\n)*", text, re.M)[0]
        mine += re.search(rf"^ +agent .* {self.agent} .*", text, re.M)[0]
        found = {}
        for name, count in re.findall(r"(\w+),? +(\d+)", mine):
            found[name] = found.get(name, 0) + int(count)
        return found

    def at_prompt(self, code):
        """Run statements at the backend's prompt that know this link as `link`."""
        self.backend.exec(f"link = links[{self.name!r}]\n{code}")


class Flood:
    """Repeats `step()` until the measurement ends.

    `counter`: what the backend counts, or "steps", and how often per second of the flood it has to, `least`: a fraction
    of what it does on a host that is busy otherwise. `steps`: how often it was done, in how many `seconds`; `share`: of
    one processor of the host, in the last block.
    """

    counter, least = "steps", 500

    def __init__(self, hostile):
        self.hostile = hostile
        self.steps = 0
        self.seconds = 0.0
        self.share = 0.0

    def prepare(self):
        """Do what need not be done again and again."""

    def end(self):
        """Undo at the backend's prompt what `prepare` has done there."""

    def step(self):
        """Do it once."""
        raise NotImplementedError

    def counted(self):
        """Return `counter` as it is now."""
        return self.steps if self.counter == "steps" else self.hostile.counted()[self.counter]

    @contextlib.contextmanager
    def running(self):
        """Flood while the block runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._run, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _run(self, done):
        begin, used = time.monotonic(), time.thread_time()
        while not done.is_set():
            self.step()
            self.steps += 1
        took = time.monotonic() - begin
        self.seconds += took
        self.share = (time.thread_time() - used) / took


class Burn(Flood):
    """Uses as much processor time as `other` did, and sends nothing."""

    def __init__(self, other):
        super().__init__(None)
        self.other = other

    def step(self):
        """A thousandth of a second, part of it busy."""
        until = time.thread_time() + self.other.share / 1000
        while time.thread_time() < until:
            pass
        time.sleep((1 - self.other.share) / 1000)


class Doorbells(Flood):
    """Rings half a million times a second, and has nothing to say.

    Not without a pause: a process that never waits takes the processor from QEMU's main loop while that holds the lock
    which each interrupt of the backend needs, for a time slice of the host. No backend can help it.
    """

    least = 100

    def step(self):
        for _ in range(RINGS):
            self.hostile.ring()
        time.sleep(WAIT)


class Echoes(Flood):
    """Has the interrupt handler answer, again and again."""

    def step(self):
        first = self.hostile.drivers[0]
        value = first.sent(layout.DRV_ECHO_REQUEST) + 1 & 0xFFFFFFFF or 1
        first.store(layout.DRV_ECHO_REQUEST, value)
        self.hostile.ring()
        for _ in range(5000):
            if first.load(layout.DEV_ECHO_REPLY) == value:
                return
        time.sleep(WAIT)
        self.steps -= 1  # no answer, no step


class Batches(Flood):
    """Publishes one batch after another on the pages of `devices`, whether they are answered or not."""

    counter, least = "batches", 10
    devices = (SCMI, RNG)

    def prepare(self):
        self.drivers = [self.hostile.drivers[number] for number in self.devices]
        self.batches = [[self.compose(one) for _ in range(BATCHES)] for one in self.drivers]

    def compose(self, one):
        """Return (token, header, entries)."""
        token = one.token()
        return (token, *one.compose(self.entries(one), token, **self.wrong()))

    def wrong(self):
        """Return what is wrong with the header."""
        return {}

    def entries(self, one):
        """Return the entries of a batch for the driver `one`."""
        raise NotImplementedError

    def step(self):
        for one, batches in zip(self.drivers, self.batches, strict=True):
            token, header, body = batches[self.steps % BATCHES]
            one.store(layout.DRV_TOKEN, 0)
            one.put(layout.DRV_ENTRIES, body)
            one.put(layout.DRV_TOKEN + 4, header[4:])
            one.store(layout.DRV_TOKEN, token)
            one.store(layout.DRV_REQ, token)
        self.hostile.ring()
        time.sleep(WAIT)


class WrongBatches(Batches):
    """Headers that nobody believes, and entries that are refused."""

    counter, least = "unbelievable", 200

    def wrong(self):
        return self.hostile.random.choice(WRONG)

    def entries(self, one):
        random = self.hostile.random
        return [driver.entry(random.choice(REGISTERS), random.getrandbits(32))] * LONG


class LongBatches(Batches):
    """A reset, and then nothing that is refused."""

    def entries(self, one):
        return [driver.status(0)] + [driver.status(3)] * (LONG - 1)


class Lives(Batches):
    """Each batch begins a new life of the frontend, and all devices of the link are reset."""

    counter, least = "lives", 100

    def wrong(self):
        return {"fe_epoch": self.hostile.random.getrandbits(32) or 1}

    def entries(self, one):
        return [driver.status(0)]


class Balloons(Lives):
    """In each life the whole pool is given back, or taken without having been given, which is refused."""

    counter, least = "lives", 15
    devices = (SCMI,)

    def prepare(self):
        self.hostile.at_prompt("link.balloon.ask(link.pool.size)")
        super().prepare()

    def end(self):
        self.hostile.at_prompt("link.balloon.ask(0)")

    def entries(self, one):
        gives = [give(block) for block in range(self.hostile.pool.size // BLOCK)]
        answers = [answer(0)] * (LONG - len(gives))
        return self.hostile.random.choice((gives + answers, answers + [take(0)]))


class AttachedBatches(Batches):
    """The devices have packed queues and run before the batches come."""

    def prepare(self):
        for one in self.hostile.drivers:
            one.begin(PACKED)
        super().prepare()


class Attachments(AttachedBatches):
    """Every device is reset and brought to DRIVER_OK in one batch, again and again."""

    counter, least = "attached", 40

    def entries(self, one):
        queues = [written for queue in one.queues for written in queue.entries()]
        return [driver.status(0), driver.status(3), *driver.features(one.negotiated), driver.status(11), *queues, OK]


class QueueResets(AttachedBatches):
    """Every queue of every device is reset and set up again, as often as a batch has room for it."""

    def entries(self, one):
        again = []
        for queue in one.queues:
            again += [driver.entry(layout.REG_QUEUE_RESET, 1, queue.index), *queue.entries()]
        return again * (LONG // len(again))


class ConfigurationWrites(AttachedBatches):
    """A device that has a configuration space is written to, as often as a batch has room for it."""

    devices = (RNG,)

    def prepare(self):
        self.hostile.at_prompt(
            f"device = link.ports[{RNG}].device\n"
            f"device.config = bytearray({layout.CONFIG_SIZE})\n"
            "device.config_writable = lambda offset, length: True"
        )
        super().prepare()

    def end(self):
        self.hostile.at_prompt("device.config = bytearray(0)\ndevice.config_writable = lambda offset, length: False")

    def entries(self, one):
        written = self.hostile.random.getrandbits
        places = range(layout.REG_CONFIG, layout.REG_CONFIG + layout.CONFIG_SIZE - 8, 8)
        return [driver.entry(places[n % len(places)], written(64), length=8) for n in range(LONG)]


class BrokenRings(Flood):
    """A ring is violated, which only a reset helps; then it is violated again."""

    counter, least = "broken", 30
    wanted = SPLIT

    def prepare(self):
        self.hostile.drivers[RNG].begin(self.wanted)

    def step(self):
        rng = self.hostile.drivers[RNG]
        self.hostile.violate(rng)
        for _ in range(5000):
            if rng.status & NEEDS_RESET:
                break
            time.sleep(WAIT)
        rng.begin(self.wanted)


class BrokenPackedRings(BrokenRings):
    """The same, of the other layout."""

    wanted = PACKED


class Supply:
    """A queue that is kept full: of (address, length, flags) of one descriptor each, one after the other."""

    def __init__(self, ring, pieces):
        self.ring = ring
        self.pieces = pieces
        self.made = self.returned = 0

    def fill(self):
        """Make available as many as have been returned."""
        self.returned += len(self.ring.poll_raw())
        while self.made < self.returned + self.ring.size:
            self.ring.place(*self.pieces[self.made % len(self.pieces)])
            self.made += 1


class Chains(Flood):
    """Keeps queues of `device` full, of what `supplies()` returns."""

    counter, least = "returned", 1000
    device = SCMI
    wanted = PACKED

    def prepare(self):
        self.driver = self.hostile.drivers[self.device].begin(self.wanted)
        self.full = self.supplies()

    def supplies(self):
        """Return a list of Supply."""
        raise NotImplementedError

    def table(self, *pieces):
        """Return the descriptor of an indirect table of (address, length, flags[, next])."""
        at = self.hostile.pool.take(16 * len(pieces))
        for n, (address, length, flags, *follower) in enumerate(pieces):
            self.driver.queues[0].describe(n, address, length, flags, *follower, table=at)
        return at, 16 * len(pieces), driver.INDIRECT

    def step(self):
        for supply in self.full:
            supply.fill()
        self.driver.store(layout.DRV_KICK_SEQ, self.steps + 1)
        self.hostile.ring()
        time.sleep(WAIT)


class Entropy(Chains):
    """Asks for as many random bytes as there may be."""

    device = RNG

    def supplies(self):
        return [Supply(self.driver.queues[0], [(self.hostile.pool.take(ROOM), ROOM, driver.WRITE)])]


class MalformedChains(Chains):
    """Chains that are too long, or that leave the pool, or have the wrong order, at their end only; wrong tables."""

    counter, least = "malformed", 1000
    device = RNG

    def supplies(self):
        base, ring = self.hostile.pool.base, self.driver.queues[0]
        good = [(base, 16, driver.WRITE)] * (ring.size - 1)
        found = [(0, 0xFFFFFFFF, driver.WRITE), (base, 24, driver.INDIRECT), (0, 64, driver.INDIRECT)]
        found += [self.table(*self.linked([*good, last])) for last in ((0, 16, driver.WRITE), (base, 16, 0))]
        found += [self.table(*self.linked([*good, *good])), *self.loops(ring)]
        return [Supply(ring, found)]

    def linked(self, pieces):
        """Return the pieces as an indirect table has them."""
        return pieces

    def loops(self, ring):
        """Return what only this layout can get wrong."""
        return []


class MalformedSplitChains(MalformedChains):
    """The same of the other layout, which can loop, too."""

    wanted = SPLIT

    def linked(self, pieces):
        last = len(pieces) - 1
        return [(*piece[:2], piece[2] | (driver.NEXT if n < last else 0), n + 1) for n, piece in enumerate(pieces)]

    def loops(self, ring):
        return [self.table(*[(self.hostile.pool.base, 16, driver.NEXT, (n + 1) % ring.size) for n in range(ring.size)])]


class Messages(Chains):
    """Sends the SCMI messages of `messages()`, which the backend takes."""

    def supplies(self):
        pool = self.hostile.pool
        reply = pool.take(ROOM)
        pieces = []
        for message in self.messages():
            at = pool.take(len(message))
            pool.write(at, message)
            pieces.append(self.table((at, len(message), 0), (reply, ROOM, driver.WRITE)))
        return [Supply(self.driver.queues[COMMANDS], pieces)]

    def messages(self):
        """Return messages as bytes, to be sent in turn."""
        raise NotImplementedError


class CommonMessages(Messages):
    """What drivers send all the time."""

    def messages(self):
        common = requests.common(self.hostile.platform)
        return [bytes.fromhex(message) for messages in common.values() for message in messages]


class LongMessages(Messages):
    """Those that take longest: of names, descriptions, and settings that are searched for."""

    least = 500

    def messages(self):
        found = [(0x15, 0x3, 0), (0x17, 0x9, 3), (0x19, 0x5, 1, 0x40000), (0x14, 0x4, 4, 0), (0x18, 0x3, 3)]
        found += [(0x13, 0x2, 0x4), (0x10, 0x6, 0), (0x10, 0xB, 2, 0), (0x15, 0xA, 4, 0x30001), (0x18, 0xB, 0, 1, 1, 1)]
        return [raw(*words) for words in found]


class Negotiations(Messages):
    """Asks for the version that each protocol has already."""

    def messages(self):
        protocols = [one for one in vars(platform).values() if isinstance(one, type) and issubclass(one, Protocol)]
        return [raw(one.ID, 0x10, one.VERSIONS[0]) for one in protocols]


class Notifications(Messages):
    """Subscribes to what changes, and changes it; there are buffers for the events that follow."""

    counter, least = "events", 150

    def supplies(self):
        buffer = (self.hostile.pool.take(EVENT_ROOM), EVENT_ROOM, driver.WRITE)
        return [*super().supplies(), Supply(self.driver.queues[EVENTS], [buffer])]

    def messages(self):
        found = []
        for one in self.hostile.platform["performance"]:
            found += [raw(0x13, number, one["id"], 1) for number in (0x9, 0xA)]
            found += [raw(0x13, 0x7, one["id"], level) for level in (one["levels"][0][0], one["levels"][-1][0])]
        for clock in self.hostile.platform["clocks"]:
            found += [raw(0x14, number, clock["id"], 1) for number in (0x9, 0xA)]
        changes = requests.common(self.hostile.platform)["set the rate of a clock"]
        return found + [bytes.fromhex(message) for message in changes]


class WrongMessages(Messages):
    """Without a header, of unknown protocols and resources, of the wrong type or size, with reserved bits."""

    def messages(self):
        headers = (0x15 << 10 | 0x6, 0x15 << 10 | 0x77, 0x42 << 10, 0x15 << 10 | 1 << 8, 0x18 << 10 | 0x5)
        words = [(header, *rest) for header in headers for rest in ((), (0, 0xFFFFFFFF), (99, 0), (0,) * 250)]
        return [b"\1\2", *[struct.pack(f"<{len(message)}I", *message) for message in words]]


KINDS = (
    Doorbells,
    Echoes,
    WrongBatches,
    LongBatches,
    Lives,
    Balloons,
    Attachments,
    QueueResets,
    ConfigurationWrites,
    BrokenRings,
    BrokenPackedRings,
    MalformedChains,
    MalformedSplitChains,
    Entropy,
    CommonMessages,
    LongMessages,
    Negotiations,
    Notifications,
    WrongMessages,
)
