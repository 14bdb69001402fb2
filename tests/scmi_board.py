# SPDX-License-Identifier: MIT
"""A board with one power capping domain, for tests of the power capping protocol."""

from scmi.platform import Platform, PowerCap
from scmi_client import Client, Time


class Board:
    """A board with one domain that notes what becomes of it, and its Client."""

    def __init__(self, broken=False, **options):
        self.done = []
        self.broken = broken
        options["change"] = self.change
        self.domain = PowerCap("part", cap_range=(100, 900, 100), interval_range=(10, 90, 10), **options)
        platform = Platform(power_caps=[self.domain])
        self.time = Time(platform)
        self.client = Client(platform.agents[0])
        self.client.hear()

    def change(self, domain, cap, interval):
        assert domain is self.domain
        if self.broken:
            raise OSError("no answer")
        self.done.append((cap, interval))
