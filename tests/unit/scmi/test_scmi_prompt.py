# SPDX-License-Identifier: MIT
"""What is set at the prompt while messages come in: hardware and description agree at the end."""

from scmi.model.pin_config import number_of
from scmi.platform import Clock, Performance, Pin, Platform, PowerDomain
from scmi_client import Client

POWER, PERFORMANCE, CLOCK = 0x11, 0x13, 0x14
STATE_SET, LEVEL_SET, RATE_SET = 0x4, 0x7, 0x5
SLEW_RATE = number_of("slew-rate", "a test")


class Hardware:
    """Takes what it is told in two halves, between which a message may come in: `upper` and `lower`."""

    def __init__(self):
        self.upper = self.lower = None
        self.messages = []

    def change(self, resource, *what):
        """Be told."""
        self.upper = what[-1]
        if self.messages:
            self.scmi.ok(*self.messages.pop())
        self.lower = what[-1]

    def serve(self, **resources):
        """Let one agent use a platform with these resources; return it."""
        platform = Platform(**resources)
        self.scmi = Client(platform.agents[0])
        return platform


def test_level():
    hardware = Hardware()
    domain = hardware.serve(performance=[Performance("p", (1, 2, 3), change=hardware.change)]).performance[0]
    hardware.messages.append((PERFORMANCE, LEVEL_SET, 0, 1))
    domain.level = 2
    assert hardware.upper == hardware.lower == domain.level == 2


def test_limits():
    hardware = Hardware()
    domain = hardware.serve(performance=[Performance("p", (1, 2, 3), change=hardware.change)]).performance[0]
    hardware.messages.append((PERFORMANCE, LEVEL_SET, 0, 1))
    domain.limits = (1, 2)
    assert hardware.upper == hardware.lower == domain.level == 1


def test_rate():
    hardware = Hardware()
    clock = hardware.serve(clocks=[Clock("c", 1, rates=(1, 2, 3), change=hardware.change)]).clocks[0]
    hardware.messages.append((CLOCK, RATE_SET, 0, 0, 3, 0))
    clock.rate = 2
    assert hardware.upper == hardware.lower == clock.rate == 2


def test_state():
    hardware = Hardware()
    domain = PowerDomain("d", states=[("retention", 1)], change=hardware.change)
    hardware.serve(power_domains=[domain])
    hardware.messages.append((POWER, STATE_SET, 0, 0, 1))
    domain.state = "off"
    assert hardware.upper == hardware.lower == domain.state == "off"


class Feeder(Clock):
    """A clock of which a message takes a follower away in the moment that it gets it."""

    taken = None

    def follow(self, clock):
        """Be followed, after the message."""
        if self.taken:
            clock.set_parent(self.taken, 1)
        super().follow(clock)


def test_parent():
    fast, slow = Feeder("fast", 3), Clock("slow", 1, rates=(1, 2))
    clock = Clock("c", parents=("slow", "fast"))
    Platform(clocks=[slow, fast, clock])
    fast.taken = slow
    clock.parent = "fast"
    assert (clock.parent, clock.rate) == (slow, 1)
    slow.rate = 2
    assert clock.rate == 2
    fast.taken = None
    clock.parent = "fast"
    assert clock.rate == 3


def test_pin():
    def change(name, config, function):
        done.append((config["drive-strength"], config["slew-rate"]))
        if len(done) == 1:
            pin.configure(((SLEW_RATE, 7),), agent=1)

    done = []
    pin = Pin("p", supports=("drive-strength", "slew-rate"), change=change)
    pin["drive-strength"] = 5
    assert (pin["drive-strength"], pin["slew-rate"]) == (5, 7)
    assert done[-1] == (5, 7)
