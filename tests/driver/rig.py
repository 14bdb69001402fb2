# SPDX-License-Identifier: MIT
"""Devices, their backend and a frontend on one piece of memory, in one process."""

from driver.frontend import Frontend
from driver.pool import Pool
from hal.sim import Machine
from virtio.layout import (
    PAGE_SIZE,
)
from virtio.link import Link
from virtio.loop import Loop


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
