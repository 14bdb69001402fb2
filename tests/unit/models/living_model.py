# SPDX-License-Identifier: MIT
"""The living system on chip in simulated time, for its tests."""

from models.living import STEP_MS, Living
from scmi_client import Client, Time


class Life:
    """A `living` model of its own, its `soc`, and a `client` of its agent that hears."""

    def __init__(self, **loads):
        self.living = Living()
        self.soc = self.living.platform
        self.time = Time(self.soc)
        self.client = Client(self.soc.agents["linux"])
        self.client.hear()
        for name, percent in loads.items():
            self.living.load(name, percent)

    def run(self, name="cpu"):
        """Run the processor called `name` at its highest level."""
        domain = self.soc.performance[name]
        domain.level = domain.levels[-1][0]

    def steps(self, count):
        """Let `count` steps of the model pass."""
        for _ in range(count):
            self.time.machine.advance(STEP_MS)
            self.time.run()
