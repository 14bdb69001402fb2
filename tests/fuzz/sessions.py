# SPDX-License-Identifier: MIT
"""Random lives of two frontends: messages in flight together, event buffers, time, resets, changes at the prompt.

`fuzz(seed, count)` sends `count` messages and returns a dictionary of what it met. What is answered is the oracle's
business (`messages.py`); here it is that everything is answered: each buffer comes back once, a reply repeats the
header, nothing fails unexpectedly, a delayed response comes once for each request that was accepted in the same life,
a notification only to who has subscribed.
"""

from struct import pack, unpack

from driver import Rig
from fuzz._cases import Source
from fuzz._scmi.session import change, message
from scmi.device import P2A_CHANNELS, ScmiDevice
from scmi.message import payload_words, word_of
from scmi.status import GENERIC_ERROR, NAMES
from scmi_client import delayed
from scmi_example import platform

USUAL_ROOM = 136
IN_FLIGHT = 6
BUFFERS = 12
MESSAGES_PER_BENCH = 1000

COMMAND, DELAYED, NOTIFICATION = 0, 2, 3

# Bits of the flags that ask for a delayed response and renounce it.
RENOUNCES = {(0x14, 0x5): 2, (0x18, 0x5): 1}


def fits(fields, count):
    """Return whether a payload of `count` words can have these fields, the last of which may be an array."""
    least = payload_words(fields)
    return count == least or (count > least and fields[-1].endswith("]"))


class Peer:
    """One frontend: `commands` and `buffers` that the device has, by head of their chain; what may still be told."""

    def __init__(self, device):
        self.device = device
        self.agent = device.agent
        self.begin(None)

    def begin(self, driver, features=None):
        """Begin a new life of the device's driver; nothing of the old one is expected any more."""
        self.driver = driver and driver.begin(features)
        self.commands = {}
        self.buffers = {}
        self.accepted = []
        self.wanted = set()

    def hears(self):
        """Return whether this life has an event channel."""
        return self.driver.negotiated & P2A_CHANNELS != 0


class Bench:
    """The example platform with two frontends; `met`: how often what has happened."""

    def __init__(self, source):
        self.source = source
        self.met = {}
        names = {protocol.NAME: protocol.VERSIONS for protocol in platform().protocols.values()}
        pinned = {name: source.one_of(names[name]) for name in sorted(names) if source.below(2)}
        self.platform = platform(pinned)
        for number in sorted(self.platform.protocols):
            for resource in self.platform.protocols[number].resources:
                resource.delay = source.one_of((None, 0, 1, 3))
        self.peers = [Peer(ScmiDevice(agent)) for agent in self.platform.agents]
        self.rig = Rig(*[peer.device for peer in self.peers])
        self.platform.connect(self.rig.loop.after)
        for peer, driver in zip(self.peers, self.rig.drivers):
            peer.begin(driver)

    def count(self, what):
        """Count that `what` has happened."""
        self.met[what] = self.met.get(what, 0) + 1

    def send(self, source):
        """Let a frontend have up to IN_FLIGHT messages in flight at once; return how many."""
        peer = source.one_of(self.peers)
        ring = peer.driver.queues[0]
        wanted = 1 + source.below(IN_FLIGHT)
        for _ in range(wanted):
            words, length = message(source, peer.agent)
            room = source.one_of((0, 4, 8, 12, 24, source.below(80))) if not source.below(8) else USUAL_ROOM
            data = pack("<%dI" % len(words), *words)[:length]
            if data or room:
                head = ring.add([data] if data else [], [room] if room else [], source.below(2) == 1)
                assert head not in peer.commands
                peer.commands[head] = (words, len(data), room)
        ring.kick()
        self.collect()
        assert not peer.commands, "a command was not returned"
        return wanted

    def give(self, source):
        """Let a frontend give event buffers, some of them too small for anything."""
        peer = source.one_of(self.peers)
        for _ in range(source.below(BUFFERS)):
            self._give(peer, source.one_of((USUAL_ROOM, USUAL_ROOM, 4, 12, 16, 40)))
        peer.driver.queues[1].kick()
        self.collect()

    def _give(self, peer, size):
        if len(peer.buffers) < BUFFERS:
            peer.buffers[peer.driver.queues[1].add([], [size])] = size

    def wait(self, source):
        """Let time pass."""
        self.rig.machine.advance(source.below(4))
        self.collect()

    def change(self, source):
        """Change something at the prompt."""
        change(source, self.platform)
        self.collect()

    def reset(self, source):
        """Reset a device and bring it up again, now and then without an event channel."""
        number = source.below(len(self.peers))
        features = None if source.below(4) else ~P2A_CHANNELS
        self.peers[number].begin(self.rig.drivers[number], features)
        self.count("resets")
        self.collect()

    def restart(self, source):
        """End this life of the frontend of the link, and begin another one."""
        for peer, driver in zip(self.peers, self.rig.start_frontend()):
            peer.begin(driver)
        self.count("restarts")
        self.collect()

    def collect(self):
        """Let the backend run; judge what it has returned."""
        self.rig.run()
        for peer in self.peers:
            for head, data in peer.driver.queues[0].poll():
                words, length, room = peer.commands.pop(head)
                self.judge_reply(peer, words, length, room, data)
            for head, data in peer.driver.queues[1].poll():
                self.judge_event(peer, peer.buffers.pop(head), data)
            assert peer.agent.failures == 0, peer.agent.last_failure
            assert peer.device.malformed + peer.device.broken + peer.device.failed == 0

    def judge_reply(self, peer, words, length, room, data):
        """Hold a returned command against what every reply must keep, and note what it promises."""
        if length < 4 or room < 8:
            assert data == b"", "there was nothing to answer, or no room for it"
            self.count("unanswerable")
            return
        assert 8 <= len(data) <= room and len(data) % 4 == 0
        reply = unpack("<Ii", data[:8])
        assert reply[0] == words[0], "the header is not repeated"
        assert reply[1] in NAMES and reply[1] != GENERIC_ERROR
        assert reply[1] == 0 or len(data) == 8
        self.count(NAMES[reply[1]])
        if reply[1] == 0:
            self.promised(peer, words)

    def promised(self, peer, words):
        """Note what may be told after a command that was answered with SUCCESS."""
        number, wanted = words[0] >> 10 & 0xFF, words[0] & 0xFF
        rows = [row for row in self.platform.protocols[number].MESSAGES if row[0] == wanted]
        asked = 0
        for row in rows:
            if payload_words(row[3]) == len(words) - 1:
                if row[9] is not None and words[word_of(row[3], row[6][0])]:
                    peer.wanted.add((number, row[9]))
                asked |= words[word_of(row[3], row[6][0])] & row[8] if row[8] else 0
        if asked:
            self.count("asynchronous")
            if not words[word_of(rows[-1][3], "flags")] & RENOUNCES.get((number, wanted), 0):
                peer.accepted.append(delayed(number, wanted, words[0] >> 18 & 0x3FF))

    def judge_event(self, peer, size, data):
        """Hold a returned event buffer against what may be told."""
        if not data:
            assert size < USUAL_ROOM, "a buffer with room for anything came back empty"
            self.count("unfit")
            return
        words = unpack("<%dI" % (len(data) // 4), data)
        kind, number, event = words[0] >> 8 & 3, words[0] >> 10 & 0xFF, words[0] & 0xFF
        if kind == DELAYED:
            assert words[0] & (1 << 28) - 1 in peer.accepted, "nobody has asked for this response"
            peer.accepted.remove(words[0])
            assert words[1] != GENERIC_ERROR & 0xFFFFFFFF
            self.count("delayed")
        else:
            assert kind == NOTIFICATION and words[0] >> 18 == 0
            assert (number, event) in peer.wanted, "nobody has subscribed to this notification"
            rows = [row for row in self.platform.protocols[number].EVENTS if row[0] == event]
            assert any(fits(row[4], len(words) - 1) for row in rows)
            self.count("notifications")

    def settle(self):
        """Take everything that is still to come; every delayed response must be there then."""
        for _ in range(20):
            self.rig.machine.advance(1)
            for peer in self.peers:
                while len(peer.buffers) < BUFFERS:
                    self._give(peer, USUAL_ROOM)
                peer.driver.queues[1].kick()
            self.collect()
        for peer in self.peers:
            assert not peer.accepted, "delayed responses were lost"
            assert peer.agent.events.waiting == 0 and not (peer.accepted and peer.hears())


ACTIONS = ("send",) * 80 + ("give",) * 30 + ("wait",) * 20 + ("change",) * 60 + ("reset", "restart")


def fuzz(seed, count):
    """Send `count` messages; return what was met. AssertionError: something was wrong, the case is on the output."""
    source = Source(seed)
    total, done = {}, 0
    while done < count:
        bench = Bench(source)
        sent, steps = 0, 0
        try:
            while sent < min(MESSAGES_PER_BENCH, count - done):
                sent += getattr(bench, source.one_of(ACTIONS))(source) or 0
                steps += 1
            bench.settle()
        except Exception:
            print("sessions: seed {}, after {} messages, step {}".format(seed, done, steps))
            raise
        done += sent
        for name, value in bench.met.items():
            total[name] = total.get(name, 0) + value
    return total
