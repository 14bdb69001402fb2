# SPDX-License-Identifier: MIT
"""A device to test transports with."""

from virtio.device import RequestDevice


class MirrorBackend:
    """Answers each request with its own bytes, as many as fit; one without bytes has no answer."""

    def handle(self, request, length, reply, room):
        """Copy `request` to `reply`; return how many bytes of it count."""
        size = min(length, room, 4 * len(reply))
        for i in range((size + 3) // 4):
            reply[i] = request[i]
        return size or -1


class Mirror(RequestDevice):
    """A device to test transports with: queue 0 answers with what was asked, queue 1 only holds buffers.

    Feature 1 needs feature 0. Of the 8 bytes of configuration space the driver may write the first 4.
    """

    device_id = 0x7F
    features = 3
    queue_sizes = (16, 8)
    any_subset = False

    def __init__(self, backend=None):
        super().__init__(backend or MirrorBackend(), 256, 256)
        self.config = bytearray(b"\x10\x11\x12\x13\x14\x15\x16\x17")

    def accepts(self, features):
        """Feature 1 alone will not do."""
        return features & 3 != 2

    def config_writable(self, offset, length):
        """The first word is writable."""
        return offset + length <= 4
