# SPDX-License-Identifier: MIT
"""The old life of a frontend never writes into the pool of the new one, whatever was in flight. docs/transport.md, 4.2.

One batch of the new life, on any page, is the proof for all devices of the link. So everything here is in flight on
the second device, and the batch is that of the first one.
"""

from struct import pack

from driver import F_RING_PACKED, Rig, status
from scmi.device import ScmiDevice
from scmi.platform import Agent, Platform, PowerDomain
from scmi_client import header

POWER, STATE_SET, STATE_NOTIFY = 0x11, 0x4, 0x6
OFF = 1 << 30
ROOM = 128 + 8
HELD = 3
PATTERN = 0x5A
LAYOUTS = (~F_RING_PACKED, -1)


class OldLife:
    """A frontend with commands in flight, all held by the device, event buffers and a subscription; then a new one.

    `new`: the drivers of the new life, which has sent nothing yet.
    """

    def __init__(self, wanted):
        self.platform = Platform(agents=[Agent("one"), Agent("two")], power_domains=[PowerDomain("domain")])
        self.device = ScmiDevice(self.platform.agents[1])
        self.rig = Rig(ScmiDevice(self.platform.agents[0]), self.device)
        self.held = []
        self._fill_queues([driver.begin(wanted) for driver in self.rig.drivers][1])
        self.new = self.rig.start_frontend()

    def _fill_queues(self, driver):
        driver.request(pack("<3I", header(POWER, STATE_NOTIFY), 0, 1), ROOM)
        self.device.answer_with(self._hold)
        commands, events = driver.queues
        for token in range(HELD):
            commands.add([pack("<4I", header(POWER, STATE_SET, token), 0, 0, OFF)], [ROOM])
            events.add([], [ROOM])
        commands.kick()
        events.kick()
        self.rig.run()
        assert len(self.held) == HELD

    def _hold(self, request, length, reply, room):
        self.held.append(self.device.hold())

    def pool(self):
        """Return what the pool holds."""
        return bytes(self.rig.memory[self.rig.shared_at :])

    def fill_pool(self):
        """Have the whole pool hold the pattern; return it."""
        size = len(self.rig.memory) - self.rig.shared_at
        self.rig.memory[self.rig.shared_at :] = bytes([PATTERN]) * size
        return self.pool()

    def answer(self):
        """Give the answers that are due."""
        self.device.reply[0] = 0x61616161
        for held in self.held:
            held.answer(8)
        self.rig.run()

    def notify(self):
        """Have something to tell whoever has subscribed, and somebody to tell it to."""
        self.platform.power_domains[0].state = "off"
        self.platform.agents[1].events.notify(POWER, 0, 0, 0, (0, 0, OFF))
        self.device.transport.wake()
        self.rig.run()


def test_nothing_is_written_once_the_first_batch_is_answered():
    for wanted in LAYOUTS:
        life = OldLife(wanted)
        life.new[0].must([status(0)])
        before = life.fill_pool()
        life.answer()
        assert life.pool() == before, "answers"
        life.notify()
        assert life.pool() == before, "notifications"


def test_nothing_of_the_old_life_is_written_into_rings_of_the_new_one():
    for wanted in LAYOUTS:
        life = OldLife(wanted)
        for driver in life.new:
            driver.begin(wanted)
        before = life.pool()
        life.answer()
        assert life.pool() == before
        assert life.new[1].queues[0].poll() == [] and life.device.returned == 1


def test_both_are_written_until_then():
    """So the pool is not the new life's before, and the tests above see what they are to see."""
    for wanted in LAYOUTS:
        for act in (OldLife.answer, OldLife.notify):
            life = OldLife(wanted)
            before = life.pool()
            act(life)
            assert life.pool() != before


def test_both_are_written_if_a_new_life_does_not_reset_every_device():
    for wanted in LAYOUTS:
        for act in (OldLife.answer, OldLife.notify):
            life = OldLife(wanted)
            life.rig.link.meet = lambda frontend_epoch: ()
            life.new[0].must([status(0)])
            before = life.pool()
            act(life)
            assert life.pool() != before
