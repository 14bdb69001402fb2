# SPDX-License-Identifier: MIT
"""Device drivers: what a virtio device does with its queues, apart from the backend behind it. Virtio 1.3, 2."""

from array import array

from hal.compat import const
from hal.edge import Chain

# As in hal.edge: the compiler folds constants of its own module only.
_EMPTY = const(0)
_TAKEN = const(1)
_MALFORMED = const(2)


class Device:
    """A virtio device: its identity, and what happens to it. Subclasses override.

    `device_id`: virtio 1.3, 5; `features`: bits offered, without those of the transport; `queue_sizes`: maximum size of
    each queue, powers of two up to 256; `config`: the configuration space, at most 0x700 bytes; `any_subset`: every
    subset of the features is accepted; `transport`: the Port, with `interrupt()`, `change_config(offset, data)` and
    `fail()`.
    """

    device_id = 0
    features = 0
    queue_sizes = ()
    any_subset = True

    def __init__(self):
        self.config = bytearray(0)
        self.transport = None

    def accepts(self, features):
        """Return whether the device works with these negotiated features (an integer)."""
        return True

    def activate(self, queues):
        """DRIVER_OK: `queues` holds a SplitQueue per queue, None for one that was not set up."""

    def reset(self):
        """Forget everything that a driver did, the rings included."""

    def stop(self, index):
        """The driver takes queue `index` back."""

    def handler(self, index):
        """Return what the loop calls, without arguments, when a chain waits in queue `index`, or None."""
        return lambda: self.serve(index)

    def serve(self, index):
        """Do a bounded amount of the work that waits in queue `index`."""
        raise NotImplementedError("the device has a queue that it does not serve")

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
    A backend may have `reset()`, called whenever the device is reset.

    Counters: chains `returned`, of these `malformed`, `unanswerable` and `failed` (the backend raised) ones; rings
    `broken`.
    """

    request_queues = (0,)

    def __init__(self, backend, request_size=1024, reply_size=1024):
        super().__init__()
        self.backend = backend
        self.returned = 0
        self.malformed = 0
        self.unanswerable = 0
        self.failed = 0
        self.broken = 0
        self.request = array("I", bytes(request_size))
        self.reply = array("I", bytes(reply_size))
        self._servers = {}

    def activate(self, queues):
        """Prepare to serve the request queues."""
        for index in self.request_queues:
            if queues[index]:
                self._servers[index] = server = _serve(self, queues[index])
                next(server)

    def reset(self):
        """Forget the rings, and what the backend keeps for this driver."""
        self._servers.clear()
        if hasattr(self.backend, "reset"):
            self.backend.reset()

    def handler(self, index):
        """Return what serves request queue `index`; None for any other queue: its buffers wait in their ring."""
        return self._servers[index].__next__ if index in self._servers else None

    def stop(self, index):
        """Serve queue `index` no more."""
        self._servers.pop(index, None)


def _serve(device, queue):
    """Answer one chain of `queue` each time the generator is resumed, and interrupt the driver if it wants that.

    This runs for every request and allocates nothing. It is a generator since resuming one costs a third of a call, and
    what the loop needs are its locals.
    """
    pop, push, signal = queue.pop, queue.push, queue.signal
    handle, interrupt = device.backend.handle, device.transport.interrupt
    chain, request, reply = Chain(queue.size), device.request, device.reply
    while True:
        yield
        found = pop(chain, request)
        if found == _TAKEN:
            try:
                written = handle(request, chain.readable, reply, chain.writable)
                if written < 0:
                    device.unanswerable += 1
                    written = 0
                push(chain, written, reply)
            except Exception:
                device.failed += 1
                push(chain, 0)
        elif found == _MALFORMED:
            device.malformed += 1
            push(chain, 0)
        else:
            if found != _EMPTY:
                device.broken += 1
                device.transport.fail()
            continue
        device.returned += 1
        if signal():
            interrupt()
