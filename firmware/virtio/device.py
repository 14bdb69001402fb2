# SPDX-License-Identifier: MIT
"""Device drivers: what a virtio device does with its queues, apart from the backend behind it. Virtio 1.3, 2."""

from array import array

from hal.compat import const
from hal.edge import FAILED, MALFORMED, UNANSWERED, Chain, Server

# Chains of one device that may be held at a time: less than a queue has, so that something else is still served.
MAX_HELD = const(16)


class Device:
    """A virtio device: its identity, and what happens to it. Subclasses override.

    `device_id`: virtio 1.3, 5; `features`: bits offered, without those of the transport; `queue_sizes`: maximum size of
    each queue, powers of two up to 256; `config`: the configuration space, at most 0x700 bytes; `any_subset`: every
    subset of the features is accepted; `negotiated`: what a running driver has accepted (an integer); `shared`: its
    shared-memory regions, {id: virtio.shared.Region}, given to it before its features are offered; `transport`: the
    Port, with `interrupt()`, `change_config(offset, data)`, `fail()`, `wake()`, `watch(index, queue, handler)` and
    `unwatch(index)`.
    """

    device_id = 0
    features = 0
    queue_sizes = ()
    any_subset = True

    def __init__(self):
        self.config = bytearray(0)
        self.shared = {}
        self.transport = None
        self.negotiated = 0

    def shared_sizes(self):
        """Return {id below 16: bytes} of the shared-memory regions that it would have (virtio 1.3, 2.10)."""
        return {}

    def share(self, regions):
        """Have `regions` as its shared-memory regions: all that it would have, or none."""
        self.shared = regions

    def accepts(self, features):
        """Return whether the device works with these negotiated features (an integer)."""
        return True

    def activate(self, queues):
        """DRIVER_OK: `queues` holds a SplitQueue or PackedQueue per queue, None for one that was not set up."""
        for index, queue in enumerate(queues):
            if queue:
                self.enable(index, queue)

    def enable(self, index, queue):
        """Use `queue` as number `index`: at DRIVER_OK, and when the driver has reset it alone and set it up again."""

    def reset(self):
        """Forget everything that a driver did, the rings first: they are the driver's again, whatever this raises."""

    def stop(self, index):
        """The driver takes queue `index` back."""

    def handler(self, index):
        """Return what the loop calls, without arguments, when a chain waits in queue `index`, or None."""
        return lambda: self.serve(index)

    def serve(self, index):
        """Do a bounded amount of the work that waits in queue `index`."""
        raise NotImplementedError("the device has a queue that it does not serve")

    def woken(self):
        """Do what `transport.wake()` was called for."""

    def config_writable(self, offset, length):
        """Return whether a driver may write these bytes of the configuration space."""
        return False

    def write_config(self, offset, length, value):
        """The driver writes `value`, `length` bytes long, to the configuration space."""
        self.config[offset : offset + length] = value.to_bytes(length, "little")


class RequestDevice(Device):
    """A device whose `request_queues` carry requests, each answered in the writable part of its own chain.

    `backend.handle(request, length, reply, room)` writes the answer to `reply` and returns its length in bytes, at most
    `room` and what `reply` holds, or a negative number for a request that has none. `request` and `reply` are
    `array('I')` (little-endian words), used again for every request; `length` and `room` are the bytes of the readable
    and of the writable part of the chain, which may be more than the arrays hold (`request_size`, `reply_size`, bytes).
    A backend may have `activate(features)`, called at DRIVER_OK, and `reset()`, called whenever the device is reset. It
    may answer later: see `hold`.

    Counters: chains `returned`, of these `malformed`, `unanswerable` and `failed` (the backend raised, or answered with
    too much; `error` is the last exception) ones; rings `broken`.
    """

    request_queues = (0,)

    def __init__(self, backend, request_size=1024, reply_size=1024):
        super().__init__()
        self.backend = backend
        self.malformed = 0
        self.unanswerable = 0
        self.failed = 0
        self.broken = 0
        self.error = None
        self.request = array("I", bytes(request_size))
        self.reply = array("I", bytes(reply_size))
        self._handle = None
        self._servers = {}
        self._held = []
        self._returned = 0

    @property
    def returned(self):
        """Chains given back to the driver."""
        return self._returned + sum(server.returned for server in self._servers.values())

    def activate(self, queues):
        """Prepare to serve the request queues."""
        if hasattr(self.backend, "activate"):
            self.backend.activate(self.negotiated)
        super().activate(queues)

    def enable(self, index, queue):
        """Serve `queue` if it is one for requests."""
        if index in self.request_queues:
            self._servers[index] = self._server(index, queue)

    def _server(self, index, queue):
        chain = Chain(queue.size)

        def report(code):
            self._report(index, code)

        handle = self._handle or self.backend.handle
        return Server(queue, chain, self.request, self.reply, handle, self.transport.interrupt, report)

    def answer_with(self, handle):
        """Have `handle` answer instead of `backend.handle`, from the next request on; None: the backend again."""
        self._handle = handle
        for server in self._servers.values():
            server.handle = handle or self.backend.handle

    def hold(self, index=0):
        """Keep the chain of queue `index` that is being handled; return what it is given back with later, or None.

        To be called by what handles it, which returns None then. None comes back if `MAX_HELD` chains are held already.
        """
        if len(self._held) >= MAX_HELD:
            return None
        server = self._servers[index]
        held = Held(self, server.queue, server.chain)
        server.chain = Chain(server.queue.size)
        self._held.append(held)
        return held

    def holds(self, held):
        """Return whether the chain of `held` has not been given back, nor taken back by a reset."""
        return held in self._held

    def give_back(self, held, written):
        """Return the chain of `held` to the driver; see `Held.answer`."""
        if not self.holds(held):
            return
        self._held.remove(held)
        try:
            held.queue.push(held.chain, max(written, 0), self.reply)
        except ValueError as error:
            held.queue.push(held.chain, 0)
            self.failed += 1
            self.error = error
        self._returned += 1
        if written < 0:
            self.unanswerable += 1
        if held.queue.signal():
            self.transport.interrupt()

    def reset(self):
        """Forget the rings, and what the backend keeps for this driver."""
        for index in list(self._servers):
            self.stop(index)
        if hasattr(self.backend, "reset"):
            self.backend.reset()

    def handler(self, index):
        """Return what serves request queue `index`; None for any other queue: its buffers wait in their ring."""
        return self._servers.get(index)

    def stop(self, index):
        """Serve queue `index` no more. Its chains that are held are the driver's again."""
        server = self._servers.pop(index, None)
        if server:
            self._returned += server.returned
            self._held = [held for held in self._held if held.queue is not server.queue]

    def _report(self, index, code):
        """Count a chain of queue `index` that got no answer; after a violation of the ring only a reset helps."""
        if code == MALFORMED:
            self.malformed += 1
        elif code == UNANSWERED:
            self.unanswerable += 1
        elif code == FAILED:
            self.failed += 1
            self.error = self._servers[index].error
        else:
            self.broken += 1
            self.transport.fail()


class Held:
    """A chain that is answered later, by what is called in the serving context."""

    def __init__(self, device, queue, chain):
        self.queue = queue
        self.chain = chain
        self._device = device

    @property
    def room(self):
        """Bytes of the writable part."""
        return self.chain.writable

    def is_open(self):
        """Return whether it can be answered still."""
        return self._device.holds(self)

    def answer(self, written):
        """Give the chain back with `written` bytes of the device's `reply`, or empty if that is negative.

        After a reset of the device nothing happens: the chain is not the device's any more.
        """
        self._device.give_back(self, written)
