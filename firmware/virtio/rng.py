# SPDX-License-Identifier: MIT
"""The entropy device. Virtio 1.3, 5.4."""

from hal import edge
from virtio.device import RequestDevice

_REPLY_SIZE = 256


class EntropyBackend:
    """Random bytes from `entropy(buffer)`, which fills the buffer (default: the machine's own)."""

    def __init__(self, entropy=edge.entropy):
        self._entropy = entropy

    def handle(self, request, length, reply, room):
        """Fill `reply`; return how many of its bytes are given away, -1 if the driver left no room."""
        if not room:
            return -1
        self._entropy(reply)
        return min(room, 4 * len(reply))


class Rng(RequestDevice):
    """Virtio entropy device: one queue, no features, no configuration space. Virtio 1.3, 5.4.1 to 5.4.4."""

    device_id = 4
    queue_sizes = (64,)

    def __init__(self, backend=None):
        super().__init__(backend or EntropyBackend(), request_size=4, reply_size=_REPLY_SIZE)
