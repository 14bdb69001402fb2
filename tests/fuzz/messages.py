# SPDX-License-Identifier: MIT
"""Random SCMI messages of two agents against an independent oracle: status and payload of each must agree.

Most go straight to `Agent.handle`, every tenth through a simulated link, as a descriptor chain. `fuzz(seed, count)`
returns a dictionary: messages by status, `unanswerable` ones, those sent `linked`.
"""

from array import array

from driver import Rig
from fuzz._cases import Source, repeat
from fuzz._scmi.oracle import Oracle
from scmi.device import ScmiDevice
from scmi.status import GENERIC_ERROR, NAMES
from scmi_example import RATES, platform

WORDS = 64
USUAL_ROOM = 136
LIFE = 200  # messages of an agent until its frontend begins a new life, with the newest versions
ONES = 0xFFFFFFFF


def agree(got, expected):
    """Return whether an answer, (status, payload words) or None, is the expected one, in which None is any word."""
    if got is None or expected is None:
        return got is expected
    (status, words), (wanted, pattern) = got, expected
    return (
        status == wanted
        and len(words) == len(pattern)
        and all(any_word is None or any_word == word for word, any_word in zip(words, pattern))
    )


class Bench:
    """The example platform, a way to each of its agents, and the oracle beside it."""

    def __init__(self, source):
        self.source = source
        self.oracle = Oracle()
        self.platform = platform()
        self.request = array("I", [0] * WORDS)
        self.reply = array("I", [0] * WORDS)
        devices = [ScmiDevice(agent) for agent in self.platform.agents]
        self.rig = Rig(*devices)
        self.drivers = [driver.begin() for driver in self.rig.drivers]
        self.devices = devices

    def word(self):
        """Return a word that means something to some message, or anything."""
        source = self.source
        kind = source.below(8)
        if kind < 5:
            return source.below(10)
        if kind == 5:
            return source.one_of((0xFF, 0x100, 0x10000, ONES, 1 << 31, 1 << source.below(32)))
        if kind == 6:
            return source.one_of(RATES) & ONES
        return source.below(1 << 16) << 16 | source.below(1 << 16)

    def payload(self, part, message, count):
        """Return `count` payload words, most of the time such that mean something to `message` of `part`."""
        found = [self.word() for _ in range(count)]
        if part and count:
            if message not in part.NO_RESOURCE and self.source.below(12):
                at = 1 if message in part.SECOND_WORD and count > 1 else 0
                found[at] = part.resource(self.source)
            if message == 0x10 and self.source.below(4):
                found[0] = self.source.one_of(part.VERSIONS)
            part.draw(self.source, message, found)
            at = part.FLAGS.get(message, (0, 0))[0]
            if 0 < at <= count:
                found[at - 1] = part.flags(self.source, message) if self.source.below(6) else self.word()
        return found

    def message(self, agent):
        """Return (request words, length in bytes)."""
        source = self.source
        protocol = source.one_of(sorted(self.oracle.parts)) if source.below(40) else source.below(256)
        part = self.oracle.parts.get(protocol)
        known = self.oracle.messages(agent, protocol) or [0]
        message = source.one_of(known) if source.below(16) else source.one_of((0x10, 0x10, 0x11, source.below(256)))
        kind = 0 if source.below(50) else source.below(4)
        head = source.below(1 << 10) << 18 | protocol << 10 | kind << 8 | message
        name = self.oracle.layout(agent, protocol, message)
        size = self.oracle.sizes[name + "_request"] + part.array(source, message) if name else 4
        length = 4 + size
        if not source.below(12):
            length = source.one_of((0, 1, 3, 4, length + 4, length - 4, length + 1, length - 1, source.below(140)))
        words = self.payload(part, message, max(size // 4, (length + 3) // 4 - 1))
        return [head] + words, max(length, 0)

    def case(self):
        """Compare one message; return what it met."""
        source = self.source
        agent = 2 if source.below(3) else 1
        if not source.below(LIFE):
            self.drivers[agent - 1].begin()
            self.oracle.begin(agent)
        words, length = self.message(agent)
        room = USUAL_ROOM if source.below(6) else source.below(80)
        linked = not source.below(10) and length + room > 0  # a chain has at least one byte
        expected = self.oracle.answer(agent, words, length, room)
        send = self.linked if linked else self.direct
        got = send(agent, words, length, room)
        assert agree(got, expected), (agent, [hex(word) for word in words], length, room, got, expected)
        met = {"linked": int(linked)}
        met["unanswerable" if got is None else NAMES[got[0]]] = 1
        return met

    def direct(self, agent, words, length, room):
        """Answer through `Agent.handle`; return (status, payload words) or None."""
        for index, word in enumerate(words):
            self.request[index] = word
        written = self.platform.agents[agent - 1].handle(self.request, length, self.reply, room)
        if written < 0:
            return None
        assert 8 <= written <= room and written % 4 == 0
        return self.judged(words[0], self.reply, written // 4)

    def linked(self, agent, words, length, room):
        """Answer through the agent's device; return (status, payload words) or None."""
        data = b"".join(word.to_bytes(4, "little") for word in words)[:length]
        answer = self.drivers[agent - 1].request(data, room)
        if not answer:
            return None
        found = [int.from_bytes(answer[at : at + 4], "little") for at in range(0, len(answer), 4)]
        return self.judged(words[0], found, len(found))

    def judged(self, head, reply, count):
        assert reply[0] == head, "the header is not repeated"
        status = reply[1] - (1 << 32) if reply[1] >> 31 else reply[1]
        assert status <= 0 and status != GENERIC_ERROR
        assert status == 0 or count == 2, "a status other than SUCCESS must be the whole payload"
        return status, list(reply[2:count])

    def balance(self, met):
        """Hold the counters of agents and devices against what was met."""
        agents = list(self.platform.agents)
        for status, name in NAMES.items():
            if status:
                assert sum(agent.refused.get(status, 0) for agent in agents) == met.get(name, 0), name
        for number, (held, _) in self.oracle.parts[0x16].asserted.items():
            assert self.platform.resets[number].asserted == held, number
        for number, values in self.oracle.parts[0x19].values.items():
            assert self.platform.pins[number].values == values, number
        assert sum(agent.unanswerable for agent in agents) == met.get("unanswerable", 0)
        assert sum(agent.failures for agent in agents) == 0
        assert sum(device.returned for device in self.devices) == met.get("linked", 0)
        assert sum(device.malformed + device.broken + device.failed for device in self.devices) == 0


def fuzz(seed, count):
    """Run `count` cases; return what was met. AssertionError: a case disagrees, named on the output."""
    bench = Bench(Source(seed))
    total = repeat("messages", bench, seed, count)
    bench.balance(total)
    return total
