# SPDX-License-Identifier: MIT
"""Statistics of power and performance domains and readings of sensors, in memory that a frontend reads by itself.

Source: virtio 1.3, 5.17 "Shared Memory Operation", for which region is which; docs/reference/statistics.md for their
layouts. A frontend that has accepted VIRTIO_SCMI_F_SHARED_MEMORY gets one region for each protocol. The backend only
stores there: a change at once, what passes with time every `PERIOD_MS`. Nothing is counted before the first frontend
has asked, and what an agent may not use has no place in its regions.
"""

from hal.compat import const
from hal.edge import wmb
from scmi.protocols.performance import PerformanceProtocol
from scmi.protocols.power import PowerProtocol
from scmi.protocols.sensor import SensorProtocol
from scmi.ticks import microseconds
from scmi.wire import high, low

PERIOD_MS = const(100)

# The header: signature, revision 0, attributes 0, number of resources; then the offset of each one's block.
_COUNT = const(8)
_OFFSETS = const(16)

# A domain's block: number of states, present state, offset of what is extended, time of the last change, states.
_STATE = const(2)
_EXTENDED = const(4)
_CHANGED = const(8)
_STATES = const(16)
_STATE_SIZE = const(24)
_ENTERED = const(8)
_RESIDENCY = const(16)

# What is extended: a sequence number, odd while the block is being changed, and a reserved word.
_EXTENDED_SIZE = const(8)

# A reading: value and time, for each axis.
_TIME = const(8)
_READING_SIZE = const(16)


class _Block:
    """What is shown of one resource, at offset `at` of `window`; `begun`: it is shown now."""

    begun = False

    def __init__(self, resource, window, at):
        self.resource = resource
        self.at = at
        self._window = window

    def begin(self):
        """Store everything, and whatever changes from now on."""
        self.begun = True

    def end(self):
        """Store nothing more, and leave nothing behind."""
        self.begun = False
        self._clear()

    def _clear(self):
        self._window.fill(self.at, self.size(self.resource), 0)


class DomainBlock(_Block):
    """The statistics of one domain."""

    def __init__(self, domain, window, at, clock):
        super().__init__(domain, window, at)
        self._extended = at + _STATES + _STATE_SIZE * domain.state_count
        self._usage = domain.count(clock)
        self._sequence = 0
        self._watcher = self._store
        self._stale = self._storing = False

    @staticmethod
    def size(domain):
        """Return the bytes for `domain`."""
        return _STATES + _STATE_SIZE * domain.state_count + _EXTENDED_SIZE

    def begin(self):
        """See `_Block`."""
        super().begin()
        window, at = self._window, self.at
        window.w16(at, self.resource.state_count)
        window.w32(at + _EXTENDED, self._extended)
        for place in range(self.resource.state_count):
            window.w32(at + _STATES + _STATE_SIZE * place, place)
        self._usage.account()
        self._store(range(self.resource.state_count))
        self._usage.watchers += (self._watcher,)

    def end(self):
        """See `_Block`."""
        self._usage.watchers = tuple(watcher for watcher in self._usage.watchers if watcher is not self._watcher)
        super().end()

    def refresh(self):
        """Store what time has changed."""
        self._usage.account()
        self._store((self._usage.place,))

    def _store(self, places):
        """Store the figures of the states `places`.

        At the prompt it can be interrupted by a message: if that changes the domain it is done once more, and if that
        takes the domain away nothing is left behind.
        """
        self._stale = True
        while self._stale and self.begun and not self._storing:
            self._storing, self._stale = True, False
            try:
                self._put(places)
            finally:
                self._storing = False
            places = range(self.resource.state_count)
        if not self.begun:
            self._clear()

    def _put(self, places):
        window, at, usage = self._window, self.at, self._usage
        self._sequence = self._sequence + 1 | 1
        window.w32(self._extended, self._sequence)
        wmb()
        window.w16(at + _STATE, usage.place)
        window.w64(at + _CHANGED, usage.changed)
        for place in places:
            state = at + _STATES + _STATE_SIZE * place
            window.w64(state + _ENTERED, usage.entered[place])
            window.w64(state + _RESIDENCY, usage.residency[place])
        self._sequence += 1
        window.store_release(self._extended, self._sequence)


class SensorBlock(_Block):
    """The readings of one sensor, or of each of its axes. Their time is 0 while they are being stored, and if there are
    none because the sensor is disabled or fails."""

    def __init__(self, sensor, window, at, clock):
        super().__init__(sensor, window, at)
        self._clock = clock

    @staticmethod
    def size(sensor):
        """Return the bytes for `sensor`; 0 if its readings are not to be shared."""
        return _READING_SIZE * max(len(sensor.axes), 1) if sensor.shared else 0

    def begin(self):
        """See `_Block`."""
        super().begin()
        self.refresh()

    def refresh(self):
        """Store the readings as they are now."""
        window = self._window
        places = range(self.at, self.at + self.size(self.resource), _READING_SIZE)
        for at in places:
            window.w64(at + _TIME, 0)
        wmb()
        values = self._values()
        for at, value in zip(places, values):
            window.w64(at, value)
        wmb()
        now = (self._clock() or 1) if values else 0
        for at in places:
            window.w64(at + _TIME, now)

    def _values(self):
        if not self.resource.enabled:
            return ()
        try:
            return [quantity.read() for quantity in self.resource.axes or (self.resource,)]
        except (
            Exception
        ):  # SENSOR_READING_GET answers it with GENERIC_ERROR and tells of it; here it is a missing value
            return ()


class Layout:
    """Where the blocks of `resources` lie in a region: `offsets` by id, 0 for none; `size` in bytes."""

    def __init__(self, block, resources):
        at = _OFFSETS + (4 * len(resources) + 7 & ~7)
        self.offsets = []
        for resource in resources:
            size = block.size(resource)
            self.offsets.append(at if size else 0)
            at += size
        self.size = at
        self.is_empty = not any(self.offsets)


class Shown:
    """A region of one agent. `place`: the virtio.shared.Region it lies in; `size`: bytes of it that are used.

    It is made once, and begun for each life of the frontend, while others wait.
    """

    def __init__(self, agent, protocol, kind, place, clock):
        _, signature, block = kind
        layout = Layout(block, protocol.resources)
        self.place = place
        self.size = layout.size
        self._agent = agent
        self._protocol = protocol
        self._blocks = [
            block(resource, place.window, at, clock) for resource, at in zip(protocol.resources, layout.offsets) if at
        ]
        self._signature = signature
        self._next = 0

    def begin(self):
        """Clear the region, which holds anything, and show that it has no blocks yet."""
        window = self.place.window
        window.fill(0, self.place.length, 0)
        window.w16(_COUNT, len(self._protocol.resources))
        window.w32(0, self._signature)
        self._next = 0

    def go_on(self):
        """Show the next block that the agent may use; return whether there was one."""
        while self._next < len(self._blocks):
            self._next += 1
            if self._arrange(self._blocks[self._next - 1]):
                return True
        return False

    def arrange(self):
        """Show what the agent may use, and nothing else."""
        for block in self._blocks:
            self._arrange(block)

    def _arrange(self, block):
        """Show `block` or hide it, as permissions say; return whether it was the other way round."""
        allowed = self._agent.may_use(self._protocol, block.resource)
        if allowed == block.begun:
            return False
        offset = _OFFSETS + 4 * block.resource.id
        if allowed:
            block.begin()
            wmb()
            self.place.window.w32(offset, block.at)
        else:
            self.place.window.w32(offset, 0)
            wmb()
            block.end()
        return True

    def refresh(self):
        """Bring everything up to date."""
        for block in self._blocks:
            if block.begun:
                block.refresh()

    def end(self):
        """Show nothing more."""
        for block in self._blocks:
            if block.begun:
                block.end()
        self.place.window.fill(0, self.place.length, 0)


# By protocol: the number of the virtio shared-memory region, the signature, what makes the block of a resource.
_KINDS = {
    PowerProtocol.ID: (1, 0x504F5752, DomainBlock),
    PerformanceProtocol.ID: (2, 0x50455246, DomainBlock),
    SensorProtocol.ID: (3, 0x53454E53, SensorBlock),
}


class Statistics:
    """The statistics of `platform`, and which agents they are shown to. `clock()` returns microseconds."""

    def __init__(self, platform, clock=microseconds):
        self.clock = clock
        self._platform = platform
        self._shown = {}
        self._made = {}
        self._waits = False

    def sizes(self):
        """Return {number of the virtio shared-memory region: bytes} of what there is to show."""
        found = {}
        for number, (region, _, block) in _KINDS.items():
            layout = Layout(block, self._resources(number))
            if not layout.is_empty:
                found[region] = layout.size
        return found

    def _resources(self, number):
        protocol = self._platform.protocols.get(number)
        return protocol.resources if protocol else ()

    def show(self, agent, places):
        """Show them to `agent` in `places`, {number: virtio.shared.Region}: block by block, see `go_on`."""
        self.hide(agent)
        shown = {}
        for number, kind in _KINDS.items():
            if kind[0] in places:
                shown[number] = self._make(agent, number, kind, places[kind[0]])
                shown[number].begin()
        self._shown[agent] = shown
        self._wait()

    def _make(self, agent, number, kind, place):
        made = self._made.get((agent, number))
        if made is None or made.place is not place:
            made = Shown(agent, self._platform.protocols[number], kind, place, self.clock)
            self._made[(agent, number)] = made
        return made

    def go_on(self, agent):
        """Show `agent` the next block; return whether there was one."""
        return any(shown.go_on() for shown in self._shown.get(agent, {}).values())

    def hide(self, agent):
        """Show them to `agent` no longer."""
        for shown in self._shown.pop(agent, {}).values():
            shown.end()

    def arrange(self, agent):
        """Follow the permissions of `agent`."""
        for shown in self._shown.get(agent, {}).values():
            shown.arrange()

    def words(self, agent, number):
        """Return address and length of what `agent` is shown of protocol `number` as PROTOCOL_ATTRIBUTES has them."""
        shown = self._shown.get(agent, {}).get(number)
        return (low(shown.place.address), high(shown.place.address), shown.size) if shown else (0, 0, 0)

    def _wait(self):
        if self._shown and not self._waits:
            self._waits = True
            self._platform.after(PERIOD_MS, self._refresh)

    def _refresh(self):
        self._waits = False
        for regions in self._shown.values():
            for shown in regions.values():
                shown.refresh()
        self._wait()
