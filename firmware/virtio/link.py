# SPDX-License-Identifier: MIT
"""A link: the devices of one frontend, which share pool, doorbell and life. Source: docs/transport.md, 1, 4 and 6."""

from hal.edge import Notifier, PackedQueue, SplitQueue, Window, mb
from virtio import features as feature
from virtio import status as st
from virtio.balloon import Balloon
from virtio.heartbeat import Heartbeat
from virtio.layout import (
    CAP_ANY_SUBSET,
    CAP_BALLOON,
    CAP_ECHO,
    CAP_HEARS_DOORBELL,
    CAP_HEARTBEAT,
    CAP_RINGS_DOORBELL,
    CONFIG_SIZE,
    DEV_BE_EPOCH,
    DEV_BE_SLEEP,
    DEV_ECHO_REPLY,
    DEV_USED_COUNT,
    DRV_BE_EPOCH,
    DRV_ECHO_REQUEST,
    DRV_FE_EPOCH,
    DRV_FE_SLEEP,
    DRV_REQ,
    QUEUES_MAX,
)
from virtio.registers import RegisterFile
from virtio.shared import Area
from virtio.sync import Sync, take_away


def leave(description):
    """End the backend life before on the link of `description`, which has no successor. docs/transport.md, 4.1."""
    for _, device_page, *_ in description.devices:
        take_away(device_page)
    description.doorbell.ring()


class Port:
    """One device on a link: the transport that its registers and its device driver see.

    `slots`: per queue the loop's slot that watches it, -1 if none does. `interrupt()` sends a used-buffer interrupt
    (docs/transport.md, 6.3). `wake()`, `fail()` and `change_config()` may be called by anybody at any time, also at the
    prompt: what they ask for the loop does soon. Everything else is called from the loop.
    """

    def __init__(self, link, device, device_page, driver_page):
        self.link = link
        self.device = device
        device.share(link.area.regions(device.shared_sizes()))
        self.registers = RegisterFile(device, self)
        self.sync = Sync(device_page, driver_page, self.registers, link, link.doorbell.ring, self._give_up)
        self.slots = [-1] * len(device.queue_sizes)
        self.interrupt = Notifier(device_page, DEV_USED_COUNT, driver_page, DRV_FE_SLEEP, link.doorbell.ring)
        self._loop = None
        self._request_slot = -1
        self._woken = self._failing = self._changed = False
        device.transport = self

    def attach(self, loop):
        """Have `loop` watch the pages."""
        self._loop = loop
        self._request_slot = loop.watch_word(self.sync.driver_page, DRV_REQ, self.examine)
        loop.watch_sleep(self.sync.device_page, DEV_BE_SLEEP)

    def wake(self):
        """Have `device.woken()` called, unless only a reset helps by then."""
        self._woken = True
        self.link.call()

    def fail(self):
        """Have DEVICE_NEEDS_RESET set and no queue served, unless a reset comes before. docs/transport.md, 7.1."""
        self._failing = True
        self.link.call()

    def change_config(self, offset, data):
        """Change bytes of the device's configuration space, and have a running driver told. docs/transport.md, 7.2."""
        self.device.config[offset : offset + len(data)] = data
        self._changed = True
        self.link.call()

    def go_on(self):
        """Do one of the things that were asked for; return whether there was one that can be done now."""
        if self._failing:
            self._give_up()
        elif self._changed and not self.registers.is_writing_config():
            self._changed = False
            self._show_change()
        elif self._woken:
            self._woken = False
            if not self.registers.state.status & st.NEEDS_RESET:
                self.device.woken()
        else:
            return False
        return True

    def _show_change(self):
        self.sync.show_config()
        if self.registers.is_running():
            self.sync.tell_config()

    def examine(self):
        """Examine the driver page, unless a batch of the link is under way: the loop's handler for a new request."""
        if self.link.batch is None:
            self._loop.expect(self._request_slot, self.sync.examine())

    def make_queue(self, size, desc, driver, device, features):
        """Return the ring at these frontend addresses. ValueError if it is misaligned or not inside the pool."""
        link = self.link
        event_idx = features & feature.EVENT_IDX != 0
        indirect = features & feature.INDIRECT_DESC != 0
        layout = PackedQueue if features & feature.RING_PACKED else SplitQueue
        return layout(link.pool, link.frontend_base, size, desc, driver, device, event_idx, indirect)

    def ring_areas(self):
        """Yield (frontend address, bytes) of each piece of the pool that a ready ring takes."""
        packed = self.registers.state.features() & feature.RING_PACKED
        for queue in self.registers.state.queues:
            if queue.ready:
                desc, driver, device = queue.addresses
                yield desc, 16 * queue.size
                yield driver, 4 if packed else 6 + 2 * queue.size
                yield device, 4 if packed else 6 + 8 * queue.size

    def start(self, queues, features):
        """DRIVER_OK: give the device its rings (None: not set up) and have them watched."""
        self.device.negotiated = features
        self.device.activate(queues)
        for index, queue in enumerate(queues):
            if queue:
                self._serve(index, queue)

    def enable(self, index, queue):
        """The driver has reset queue `index` and set it up again: give it to the device and have it watched."""
        self.device.enable(index, queue)
        self._serve(index, queue)

    def _serve(self, index, queue):
        handler = self.device.handler(index)
        if handler:
            self.watch(index, queue, handler)

    def watch(self, index, queue, handler):
        """Have `handler()` called whenever a chain waits in `queue`, which has number `index`."""
        if self.slots[index] < 0:
            self.slots[index] = self._loop.watch_queue(queue, handler)

    def unwatch(self, index):
        """Watch queue number `index` no longer."""
        self._forget(index)

    def stop(self, index):
        """The driver has taken back a queue."""
        self._forget(index)
        self.device.stop(index)

    def reset(self):
        """The driver, or a new life of it, has reset the device."""
        self._failing = False
        self._forget_all()
        self.device.reset()

    def meet(self):
        """Reset the device for a new life of the frontend. One that raises needs a reset; the others do not notice."""
        try:
            self.registers.reset()
        except BaseException as error:
            self.link.note(error)
            self.registers.needs_reset()
        self.sync.show()

    def _give_up(self):
        """Nothing can go on before a reset."""
        self._failing = False
        self._forget_all()
        running = self.registers.needs_reset()
        self.sync.show()
        if running:
            self.sync.tell_config()

    def config_written(self):
        """The driver has written to the configuration space."""
        self.sync.show_config()

    def notified(self, index):
        """A kick by register: nothing to do, the rings are watched."""

    def _forget(self, index):
        if self.slots[index] >= 0:
            self._loop.forget(self.slots[index])
            self.slots[index] = -1

    def _forget_all(self):
        for index in range(len(self.slots)):
            self._forget(index)


class Link:
    """The devices of one frontend. `description` is a `hal.contract.Link`, `machine` what it came from.

    `epoch`: this backend life on the link, `frontend_epoch`: the frontend's; both 0 before they are known. `lives`: how
    many frontend lives there were. `heartbeat`: what is known of the present one. `balloon`: what it has given back of
    the pool. `batch`: what is left to do of the batch under way, as a generator; what that has raised; or None.
    `spin_us`: how long, in microseconds, the backend looks for more before it sleeps when it has served something.
    `note(error)` counts what a device has raised, once the link is attached to a loop.
    """

    def __init__(self, description, machine):
        self.name = description.name
        self.pool = description.pool
        self.frontend_base = description.frontend_base
        self.area = Area(description.shared, description.frontend_shared)
        self.doorbell = description.doorbell
        self.spin_us = description.spin_us
        self.ports = []
        self.heartbeat = Heartbeat(self.ports)
        self.balloon = Balloon(self.pool, self.frontend_base, self.ports)
        self.epoch = 0
        self.frontend_epoch = 0
        self.lives = 0
        self.batch = None
        self.note = None
        self._abandon = None
        self._turn = 0
        self._due = Window(bytearray(4), 4)
        self._notify = machine.notify
        self._machine = machine

    def add(self, device, device_page, driver_page):
        """Add `device` with its two pages (Windows); return its Port. Only before the loop starts.

        ValueError if the link has not the memory for its shared-memory regions, or a page no room for it.
        """
        if len(device.queue_sizes) > QUEUES_MAX or len(device.config) > CONFIG_SIZE:
            raise ValueError("a device has at most %d queues, %d bytes of configuration" % (QUEUES_MAX, CONFIG_SIZE))
        port = Port(self, device, device_page, driver_page)
        if not self.ports:
            port.sync.balloon = self.balloon
        self.ports.append(port)
        return port

    def publish(self):
        """Begin a backend life on every page, without ringing. docs/transport.md, 4.1."""
        self.epoch = self._choose_epoch()
        for port in self.ports:
            port.sync.withdraw()
        # The echo begins here: a reply stored before the page was cleared would be wiped.
        capabilities = self._capabilities()
        if self.ports:
            self.heartbeat.announce()
            self.balloon.announce()
        for port in self.ports:
            port.sync.announce(capabilities)
        mb()

    def attach(self, loop):
        """Have `loop` do what is due to be done here, and call the heartbeat."""
        self.note = loop.note
        loop.watch_word(self._due, 0, self.go_on)
        self.heartbeat.attach(loop.repeat)

    def call(self):
        """Have the ports asked soon what there is to do."""
        self._due.w32(0, 1)
        self._notify()

    def begin(self, slices, abandon):
        """Have the generator `slices` run, one step in each turn: no other batch of the link is examined meanwhile.

        If it raises, `abandon()` is called instead of the rest; again and again while there is no memory for that.
        """
        self.batch = slices
        self._abandon = abandon
        self._due.w32(0, 1)

    def go_on(self):
        """Do one thing that is due: of one port, or the next slice of the batch under way. Each has its turn."""
        turns = len(self.ports) + 1
        for _ in range(turns):
            self._turn = (self._turn + 1) % turns
            if self.ports[self._turn].go_on() if self._turn < len(self.ports) else self._go_on_with_batch():
                return
        self._due.w32(0, 0)

    def _go_on_with_batch(self):
        """Do the next slice, or what is to be done instead; return whether there was something."""
        if self.batch is None:
            return False
        if not isinstance(self.batch, BaseException):
            self.batch = self._after_slice()
        if isinstance(self.batch, BaseException):
            self._end_batch()
        return True

    def _after_slice(self):
        """Do the next slice; return what `batch` is then."""
        try:
            for _ in self.batch:
                return self.batch
        except BaseException as error:
            return error
        return None

    def _end_batch(self):
        """Abandon the batch, then tell why. MemoryError: there was none left; it is to be done in another turn."""
        error = self.batch
        try:
            self._abandon()
        except MemoryError:
            raise
        except BaseException as another:
            error = another
        self.batch = None
        self.note(error)

    def meet(self, frontend_epoch):
        """Reset every device if this is a new life of the frontend; yield after each. docs/transport.md, 4.4."""
        if frontend_epoch == self.frontend_epoch:
            return
        self.lives += 1
        for port in self.ports:
            port.meet()
            yield
        self.balloon.meet()
        self.heartbeat.meet()
        self.frontend_epoch = frontend_epoch  # last: what fails before is done anew for the next batch

    def applied(self):
        """A batch was applied to one of the devices."""
        self.heartbeat.awake()

    def _choose_epoch(self):
        visible = []
        for port in self.ports:
            self._machine.stir(port.sync.device_page)
            self._machine.stir(port.sync.driver_page)
            visible.append(port.sync.device_page.r32(DEV_BE_EPOCH))
            visible.append(port.sync.driver_page.r32(DRV_BE_EPOCH))
            visible.append(port.sync.driver_page.r32(DRV_FE_EPOCH))
        return self._machine.nonce(visible)

    def _capabilities(self):
        bits = CAP_HEARS_DOORBELL if self.doorbell.hears else 0
        bits |= CAP_RINGS_DOORBELL if self.doorbell.rings else 0
        bits |= CAP_HEARTBEAT | CAP_BALLOON
        bits |= CAP_ANY_SUBSET if all(port.device.any_subset for port in self.ports) else 0
        return bits | (CAP_ECHO if self._start_echo() else 0)

    def _start_echo(self):
        """Have the doorbell answer the first device's echo word at interrupt level. docs/transport.md, 8."""
        if not (self.ports and self.doorbell.hears and self.doorbell.rings):
            return False
        sync = self.ports[0].sync
        return self.doorbell.echo(sync.driver_page, DRV_ECHO_REQUEST, sync.device_page, DEV_ECHO_REPLY) >= 0
