# SPDX-License-Identifier: MIT
"""One register at a time: the same device serves whole batches, a driver that makes batches of one entry, and a
hypervisor that traps each access. Virtio 1.3, 4.2.2 and 4.2.3; docs/transport.md, 4.5.
"""

from struct import pack, unpack

from driver import F_RING_PACKED, NEXT, Driver, Frontend, PackedRing, Pool, Rig, SplitRing
from hal.edge import PackedQueue, SplitQueue, Window
from scmi.device import ScmiDevice
from scmi.platform import Platform, PowerDomain, Sensor
from scmi_client import header, notification
from virtio import features as feature
from virtio.layout import (
    REG_DEVICE_FEATURES,
    REG_DEVICE_FEATURES_SEL,
    REG_DRIVER_FEATURES,
    REG_DRIVER_FEATURES_SEL,
    REG_INTERRUPT_ACK,
    REG_INTERRUPT_STATUS,
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DEVICE_LOW,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_NOTIFY,
    REG_QUEUE_READY,
    REG_QUEUE_SEL,
    REG_QUEUE_SIZE,
    REG_QUEUE_SIZE_MAX,
    REG_STATUS,
)
from virtio.registers import INTERRUPT_USED, RegisterFile

PAGE_SIZE = 0x1000
BASE, POOL = 0x48200000, 0x20000
ROOM = 136
POWER, SENSOR = 0x11, 0x15
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
OFF = 1 << 30


def device():
    """A device of the firmware, nothing else: a platform with a sensor and a power domain."""
    platform = Platform([Sensor("s", "volt", -7)], power_domains=[PowerDomain("d")])
    return ScmiDevice(platform.agents[0])


class OneByOne(Driver):
    """A driver that thinks in single stores: each is a batch of one entry, an address is two of them."""

    def must(self, entries):
        """Publish each store by itself."""
        for offset, length, flags, selector, value in entries:
            if length == 8:
                self.must([(offset, 4, flags, selector, value & 0xFFFFFFFF)])
                self.must([(offset + 4, 4, flags, selector, value >> 32)])
            else:
                super().must([(offset, length, flags, selector, value)])


class Trap:
    """A hypervisor that traps, as a transport: it calls `RegisterFile` for each access and serves on a kick."""

    def __init__(self, served):
        self.device = served
        self.memory = bytearray(POOL)
        self.pool = Window(self.memory, POOL)
        self.registers = RegisterFile(served, self)
        self.queues = []
        self.called = False
        served.transport = self

    def make_queue(self, size, desc, driver, device, features):
        event_idx, indirect = features & feature.EVENT_IDX != 0, features & feature.INDIRECT_DESC != 0
        layout = PackedQueue if features & feature.RING_PACKED else SplitQueue
        return layout(self.pool, BASE, size, desc, driver, device, event_idx, indirect)

    def reset(self):
        self.queues = []
        self.device.reset()

    def start(self, queues, features):
        self.device.negotiated = features
        self.device.activate(queues)
        self.queues = queues

    def stop(self, index):
        self.device.stop(index)

    def config_written(self):
        self.registers.generation += 1

    def notified(self, index):
        """The driver has kicked a queue: serve it, and then what the device was woken for."""
        handler, queue = self.device.handler(index), self.queues[index]
        while handler and queue.pending():
            handler()
            queue.arm()  # ask for the next kick; here nobody can make a chain available before the look that follows
        self.run()

    def run(self):
        """Let the device do what it has asked for."""
        if self.called:
            self.called = False
            self.device.woken()

    def interrupt(self):
        self.registers.interrupts |= INTERRUPT_USED

    def fail(self):
        self.registers.needs_reset()

    def wake(self):
        self.called = True

    def watch(self, index, queue, handler):
        """Nothing to do: `run` comes after each kick."""
        self.called = True

    def unwatch(self, index):
        """Nothing was watched."""


class TrappedDriver:
    """A driver as virtio 1.3, 4.2.3 describes it, on registers that trap. Its rings are those of the other driver."""

    def __init__(self, trap):
        self.trap = trap
        pool = Pool(trap.memory, 0, POOL, BASE)
        self.frontend = Frontend(trap.memory, pool, lambda: None, trap.run)
        self.queues = []
        self.negotiated = 0
        self._kicked = 0

    def read(self, offset):
        return self.trap.registers.read(offset, 4)

    def write(self, offset, value):
        self.trap.registers.write(offset, 4, value)

    def begin(self):
        """Bring the device to DRIVER_OK."""
        for value in (0, ACKNOWLEDGE, ACKNOWLEDGE | DRIVER):
            self.write(REG_STATUS, value)
        for bank in range(2):
            self.write(REG_DEVICE_FEATURES_SEL, bank)
            self.write(REG_DRIVER_FEATURES_SEL, bank)
            self.negotiated |= self.read(REG_DEVICE_FEATURES) << 32 * bank
            self.write(REG_DRIVER_FEATURES, self.read(REG_DEVICE_FEATURES))
        self.write(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
        assert self.read(REG_STATUS) & FEATURES_OK
        for index in range(len(self.trap.device.queue_sizes)):
            self.set_up(index)
        self.write(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)
        return self

    def set_up(self, index):
        """Set up a queue."""
        self.write(REG_QUEUE_SEL, index)
        layout = PackedRing if self.negotiated & F_RING_PACKED else SplitRing
        ring = layout(self, index, self.read(REG_QUEUE_SIZE_MAX))
        self.write(REG_QUEUE_SIZE, ring.size)
        for offset, address in (
            (REG_QUEUE_DESC_LOW, ring.desc),
            (REG_QUEUE_DRIVER_LOW, ring.driver_area),
            (REG_QUEUE_DEVICE_LOW, ring.device_area),
        ):
            self.write(offset, address & 0xFFFFFFFF)
            self.write(offset + 4, address >> 32)
        self.write(REG_QUEUE_READY, 1)
        self.queues.append(ring)

    # What a ring asks of its driver: a kick is a write of the queue's number.

    def sent(self, offset):
        return 0

    def store(self, offset, value):
        """Pages are not there."""

    def ring(self):
        for index, ring in enumerate(self.queues):
            if ring.next_avail != self.trap.queues[index].last_avail:
                self.write(REG_QUEUE_NOTIFY, index)

    def request(self, data, room):
        """Send a request; return the answer. The interrupt must be there, and go when it is acknowledged."""
        ring = self.queues[0]
        head = ring.add([data], [room])
        ring.kick()
        assert self.read(REG_INTERRUPT_STATUS) == INTERRUPT_USED
        self.write(REG_INTERRUPT_ACK, INTERRUPT_USED)
        assert self.read(REG_INTERRUPT_STATUS) == 0
        ((done, reply),) = ring.poll()
        assert done == head
        return reply


def converse(driver, run):
    """Have a conversation: a reading, a subscription, a change and its notification."""
    reply = driver.request(pack("<3I", header(SENSOR, 0x6, 5), 0, 0), ROOM)
    assert unpack("<IiqQ", reply) == (header(SENSOR, 0x6, 5), 0, -7, 0)
    events = driver.queues[1]
    events.add([], [ROOM])
    events.kick()
    assert driver.request(pack("<3I", header(POWER, 0x6), 0, 1), ROOM) == pack("<2I", header(POWER, 0x6), 0)
    assert driver.request(pack("<4I", header(POWER, 0x4), 0, 0, OFF), ROOM) == pack("<2I", header(POWER, 0x4), 0)
    run()
    ((_, event),) = events.poll()
    assert unpack("<4I", event) == (notification(POWER, 0), 1, 0, OFF)


def test_batches_of_several_entries():
    rig = Rig(device())
    driver = rig.drivers[0].begin()
    assert driver.batches == 3
    converse(driver, rig.run)


def test_batches_of_one_entry():
    rig = Rig(device())
    driver = OneByOne(rig.frontend, 0, PAGE_SIZE).begin()
    assert driver.batches > 20
    converse(driver, rig.run)


def test_a_second_life_of_one_register_at_a_time():
    rig = Rig(device())
    converse(OneByOne(rig.frontend, 0, PAGE_SIZE).begin(), rig.run)
    rig.start_frontend()
    driver = OneByOne(rig.frontend, 0, PAGE_SIZE).begin()
    assert driver.request(pack("<I", header(0x10, 0x0)), ROOM)[:8] == pack("<2I", header(0x10, 0x0), 0)


def test_trapped_accesses():
    trap = Trap(device())
    converse(TrappedDriver(trap).begin(), trap.run)


def test_trapped_driver_that_resets_and_begins_again():
    trap = Trap(device())
    TrappedDriver(trap).begin()
    driver = TrappedDriver(trap).begin()
    converse(driver, trap.run)


def test_trapped_ring_that_is_violated_needs_a_reset():
    trap = Trap(device())
    driver = TrappedDriver(trap).begin()
    driver.queues[0].offer((0, 4, NEXT))  # goes on in a descriptor that is not available
    driver.queues[0].kick()
    assert driver.read(REG_STATUS) & 64
    driver = TrappedDriver(trap).begin()
    assert driver.request(pack("<I", header(0x10, 0x0)), ROOM)[4:8] == bytes(4)
