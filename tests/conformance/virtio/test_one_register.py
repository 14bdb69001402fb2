# SPDX-License-Identifier: MIT
"""One register at a time: the same device serves whole batches, a driver that makes batches of one entry, and a driver
as virtio 1.3, 4.2.3 describes it, on pages and on registers that trap. Virtio 1.3, 4.2.2; docs/transport.md, 2 to 7.
"""

from struct import pack, unpack

from driver import F_RING_PACKED, NEXT, Driver, Frontend, Mirror, PackedRing, PagePort, Pool, Rig, SplitRing
from driver.port import LOOKS
from hal.edge import PackedQueue, SplitQueue, Window
from scmi.device import ScmiDevice
from scmi.platform import Platform, PowerDomain, Sensor
from scmi_client import header, notification
from virtio import features as feature
from virtio.layout import (
    DRV_KICK_SEQ,
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
    REG_QUEUE_DESC_LOW,
    REG_QUEUE_DEVICE_LOW,
    REG_QUEUE_DRIVER_LOW,
    REG_QUEUE_NOTIFY,
    REG_QUEUE_READY,
    REG_QUEUE_RESET,
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
from virtio.shared import Area

PAGE_SIZE = 0x1000
BASE, POOL = 0x48200000, 0x20000
SHM = 0x4000
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
        memory = bytearray(POOL)
        self.pool = Window(memory, POOL)
        self.frontend = Frontend(memory, Pool(memory, 0, POOL, BASE), lambda: None, self.run)
        served.share(Area(Window(bytearray(SHM), SHM), BASE - SHM).regions(served.shared_sizes()))
        self.registers = RegisterFile(served, self)
        self.queues = []
        self.called = False
        served.transport = self

    def read(self, offset, length=4):
        return self.registers.read(offset, length)

    def write(self, offset, value, length=4):
        self.registers.write(offset, length, value)

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

    def enable(self, index, queue):
        self.queues[index] = queue
        self.device.enable(index, queue)

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

    def change_config(self, offset, data):
        self.device.config[offset : offset + len(data)] = data
        self.registers.generation += 1
        self.registers.interrupts |= INTERRUPT_CONFIG

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


class StandardDriver:
    """A driver as virtio 1.3, 4.2.3 describes it, and as Linux's virtio_mmio is, on the registers of `port` alone.

    `port`: `read(offset, length)`, `write(offset, value, length)`, `run()` lets the device work, and `frontend`, whose
    pool the rings lie in. These are those of the other driver.
    """

    def __init__(self, port):
        self.port = port
        self.frontend = port.frontend
        self.queues = []
        self.negotiated = 0
        self._kicked = []

    def read(self, offset, length=4):
        return self.port.read(offset, length)

    def write(self, offset, value, length=4):
        self.port.write(offset, value, length)

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
        while self.set_up(len(self.queues)):
            pass
        self.write(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)
        return self

    def end(self):
        """Reset the device and take its queues back, in the order in which Linux does so."""
        self.write(REG_STATUS, 0)
        assert self.read(REG_STATUS) == 0
        for index, ring in enumerate(self.queues):
            self.write(REG_QUEUE_SEL, index)
            self.write(REG_QUEUE_READY, 0)
            assert self.read(REG_QUEUE_READY) == 0
            ring.release()
        self.queues = []

    def set_up(self, index):
        """Set up queue `index`; return whether there is one."""
        self.write(REG_QUEUE_SEL, index)
        size = self.read(REG_QUEUE_SIZE_MAX)
        if not size:
            return False
        assert self.read(REG_QUEUE_READY) == 0
        self.place(index, size)
        return True

    def place(self, index, size):
        """Put the rings of the selected queue into the pool, and tell the device of them."""
        ring = (PackedRing if self.negotiated & F_RING_PACKED else SplitRing)(self, index, size)
        self.write(REG_QUEUE_SIZE, ring.size)
        for offset, address in (
            (REG_QUEUE_DESC_LOW, ring.desc),
            (REG_QUEUE_DRIVER_LOW, ring.driver_area),
            (REG_QUEUE_DEVICE_LOW, ring.device_area),
        ):
            self.write(offset, address & 0xFFFFFFFF)
            self.write(offset + 4, address >> 32)
        self.write(REG_QUEUE_READY, 1)
        assert self.read(REG_QUEUE_READY) == 1
        self.queues[index : index + 1] = [ring]
        self._kicked[index : index + 1] = [ring.next_avail]

    def reset_queue(self, index):
        """Reset a queue and set it up again. Virtio 1.3, 2.6.1 and 4.2.2."""
        self.write(REG_QUEUE_SEL, index)
        self.write(REG_QUEUE_RESET, 1)
        assert (self.read(REG_QUEUE_RESET), self.read(REG_QUEUE_READY)) == (1, 0)
        self.queues[index].release()
        self.place(index, self.read(REG_QUEUE_SIZE_MAX))
        assert self.read(REG_QUEUE_RESET) == 0

    def config(self, size):
        """Return the configuration space, read byte by byte. Virtio 1.3, 2.5.3."""
        while True:
            before = self.read(REG_CONFIG_GENERATION)
            found = bytes([self.read(REG_CONFIG + at, 1) for at in range(size)])
            if self.read(REG_CONFIG_GENERATION) == before:
                return found

    def kick(self):
        """What a ring asks of its driver: a kick is a write of the queue's number."""
        for index, ring in enumerate(self.queues):
            if ring.next_avail != self._kicked[index]:
                self._kicked[index] = ring.next_avail
                self.write(REG_QUEUE_NOTIFY, index)

    def interrupted(self, cause):
        """Take an interrupt: it must be there, and go when it is acknowledged."""
        assert self.read(REG_INTERRUPT_STATUS) == cause
        self.write(REG_INTERRUPT_ACK, cause)
        assert self.read(REG_INTERRUPT_STATUS) == 0

    def request(self, data, room):
        """Send a request; return the answer."""
        ring = self.queues[0]
        head = ring.add([data], [room])
        ring.kick()
        self.port.run()
        self.interrupted(INTERRUPT_USED)
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


class Shown(Mirror):
    """A device that shows memory, too."""

    def shared_sizes(self):
        return {0: 1, 15: 0x1001}


def page_port(served):
    """Return (the port of a device that is served by pages, what serves it)."""
    rig = Rig(served, pool_size=POOL, shared=SHM)
    return PagePort(rig.drivers[0], rig.shared_base, SHM), rig.link.ports[0]


def trap_port(served):
    """Return (the port of a device whose registers trap, what serves it): the same object."""
    trap = Trap(served)
    return trap, trap


PORTS = (page_port, trap_port)


def test_a_standard_driver_on_pages_and_on_a_trap():
    for make in PORTS:
        port, _ = make(device())
        converse(StandardDriver(port).begin(), port.run)


def test_a_standard_driver_ends_and_begins_again():
    for make in PORTS:
        port, _ = make(device())
        first = StandardDriver(port).begin()
        assert first.request(pack("<I", header(0x10, 0x0)), ROOM)[4:8] == bytes(4)
        first.end()
        converse(StandardDriver(port).begin(), port.run)


def test_a_standard_driver_resets_a_single_queue():
    for make in PORTS:
        port, _ = make(Mirror())
        driver = StandardDriver(port).begin()
        assert driver.request(b"abcd", 4) == b"abcd"
        driver.reset_queue(0)
        assert driver.request(b"efgh", 4) == b"efgh"


def readable(port):
    """Return what a driver finds in all registers that it can read and select, before it has written any other."""
    plain = (REG_MAGIC_VALUE, REG_VERSION, REG_DEVICE_ID, REG_VENDOR_ID, REG_STATUS, REG_INTERRUPT_STATUS)
    found = [[port.read(offset) for offset in plain + (REG_QUEUE_NOTIFY, REG_QUEUE_DESC_LOW)]]
    shared = (REG_SHM_LEN_LOW, REG_SHM_LEN_HIGH, REG_SHM_BASE_LOW, REG_SHM_BASE_HIGH)
    for selector, registers, chosen in (
        (REG_DEVICE_FEATURES_SEL, (REG_DEVICE_FEATURES,), (0, 1, 2, 7, 8, 0xFFFFFFFF)),
        (REG_QUEUE_SEL, (REG_QUEUE_SIZE_MAX, REG_QUEUE_READY, REG_QUEUE_RESET), (0, 1, 2, 63, 64, 0xFFFFFFFF)),
        (REG_SHM_SEL, shared, (0, 1, 15, 16, 0xFFFFFFFF)),
    ):
        for number in chosen:
            port.write(selector, number)
            found.append([port.read(register) for register in registers])
    found.append([port.read(REG_CONFIG + at, size) for at, size in ((0, 1), (0, 2), (0, 4), (4, 4), (6, 2), (7, 1))])
    return found


def test_every_register_reads_the_same():
    on_pages, trapped = [readable(make(Shown())[0]) for make in PORTS]
    assert on_pages == trapped
    shared = on_pages[13:18]
    assert shared[0] == [0x1000, 0, BASE - SHM, 0] and shared[2] == [0x2000, 0, BASE - SHM + 0x1000, 0]
    assert shared[1] == shared[3] == shared[4] == [0xFFFFFFFF] * 4


def test_the_configuration_space_and_its_generation():
    for make in PORTS:
        port, serving = make(Mirror())
        driver = StandardDriver(port).begin()
        assert driver.config(8) == b"\x10\x11\x12\x13\x14\x15\x16\x17"
        before = driver.read(REG_CONFIG_GENERATION)
        driver.write(REG_CONFIG + 2, 0xABCD, 2)
        written = driver.read(REG_CONFIG_GENERATION)
        serving.change_config(4, b"new!")
        port.run()
        assert len({before, written, driver.read(REG_CONFIG_GENERATION)}) == 3
        assert driver.config(8) == b"\x10\x11\xcd\xabnew!"
        driver.interrupted(INTERRUPT_CONFIG)


def test_features_that_do_not_go_together_are_refused():
    for make in PORTS:
        port, _ = make(Mirror())
        for value in (0, 1, 3):
            port.write(REG_STATUS, value)
        for bank, word in enumerate((2, 3)):
            port.write(REG_DRIVER_FEATURES_SEL, bank)
            port.write(REG_DRIVER_FEATURES, word)
        port.write(REG_STATUS, 3 | FEATURES_OK)
        assert port.read(REG_STATUS) == 3


def test_a_violated_ring_needs_a_reset():
    for make in PORTS:
        port, _ = make(device())
        driver = StandardDriver(port).begin()
        driver.queues[0].offer((0, 4, NEXT))  # goes on in a descriptor that is not available
        driver.queues[0].kick()
        port.run()
        assert driver.read(REG_STATUS) == ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK | 64
        driver = StandardDriver(port).begin()
        assert driver.request(pack("<I", header(0x10, 0x0)), ROOM)[4:8] == bytes(4)


def test_an_interrupt_after_a_look_at_its_register_is_not_acknowledged():
    port, serving = page_port(Mirror())
    StandardDriver(port).begin()
    serving.change_config(4, b"once")
    port.run()
    assert port.read(REG_INTERRUPT_STATUS) == INTERRUPT_CONFIG
    serving.change_config(4, b"more")
    port.run()
    port.write(REG_INTERRUPT_ACK, INTERRUPT_CONFIG)
    assert port.read(REG_INTERRUPT_STATUS) == INTERRUPT_CONFIG


def test_a_generation_that_stays_odd_is_a_fault_of_the_device():
    port, serving = page_port(Mirror())
    StandardDriver(port).begin()
    runs = []
    port.run = lambda: runs.append(1)
    serving.sync.device_page.w32(REG_CONFIG_GENERATION, 7)
    assert port.read(REG_CONFIG_GENERATION) == 7 and len(runs) == LOOKS
    assert port.read(REG_STATUS) & 64
    port.run = lambda: serving.sync.device_page.w32(REG_CONFIG_GENERATION, 8)
    serving.sync.device_page.w32(REG_CONFIG_GENERATION, 7)
    assert port.read(REG_CONFIG_GENERATION) == 8, "it waits for an even one"


def test_a_region_that_does_not_lie_in_shm_is_none():
    rig = Rig(Shown(), shared=SHM)
    port = PagePort(rig.drivers[0], rig.shared_base, 0x2000)
    assert readable(port)[13:16] == [[0x1000, 0, rig.shared_base, 0], [0xFFFFFFFF] * 4, [0xFFFFFFFF] * 4]


def test_kicks_are_counted_without_0():
    port, _ = page_port(Mirror())
    driver, pages = StandardDriver(port).begin(), port.frontend.drivers[0]
    pages.store(DRV_KICK_SEQ, 0xFFFFFFFE)
    for count in (0xFFFFFFFF, 1):
        assert driver.request(b"abcd", 4) == b"abcd"
        assert pages.sent(DRV_KICK_SEQ) == count


def test_kicks_of_a_whole_driver_are_counted_without_0():
    driver = Rig(Mirror()).drivers[0].begin()
    driver.store(DRV_KICK_SEQ, 0xFFFFFFFF)
    assert driver.request(b"abcd", 4) == b"abcd"
    assert driver.sent(DRV_KICK_SEQ) == 1
