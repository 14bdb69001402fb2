# SPDX-License-Identifier: MIT
"""Random SCMI messages of two agents against an independent oracle: status and payload of each must agree.

Most go straight to `Agent.handle`, every tenth through a simulated link, as a descriptor chain. `fuzz(seed, count)`
returns a dictionary: messages by status, `unanswerable` ones, those sent `linked`.
"""

from array import array

from driver import Rig
from fuzz._cases import Source, repeat
from fuzz._scmi_oracle import COUNTS, FLAGS, IN_SOC, PROTOCOLS, SECOND_WORD, Oracle
from scmi.device import ScmiDevice
from scmi.status import GENERIC_ERROR, NAMES
from scmi_example import LEVELS, OFF, RATES, SLEEP, SPECIAL_STATE, platform

WORDS = 64
USUAL_ROOM = 136
LAST_MESSAGE = {0x10: 0xB, 0x11: 0x8, 0x12: 0x5, 0x14: 0xF, 0x15: 0xD, 0x16: 0x6, 0x17: 0x9}
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

    def number(self, protocol):
        """Return the id of a resource of `protocol`, most of the time one that exists."""
        return self.source.below(COUNTS.get(protocol, 9)) if self.source.below(12) else self.word()

    def flags(self, protocol, message):
        """Return flags for a message, most of the time valid ones."""
        source = self.source
        allowed = FLAGS[protocol, message][1]
        if not source.below(6):
            return self.word()
        if (protocol, message) == (0x14, 0x7):
            return source.one_of((0, 1, 3)) | source.one_of((0, 0, 1, 2, 0x81, 0x80)) << 16
        if (protocol, message) == (0x17, 0x5):
            return source.one_of((0, 7, 7, source.below(16)))
        if (protocol, message) == (0x15, 0xA):
            interval = source.one_of((0, 0, 10 << 5 | 0x1D, source.below(1 << 21)))
            return interval << 11 | source.below(4) << 9 | source.one_of((1, 1, 3, 0))
        return (source.below(1 << 16) << 16 | source.below(1 << 16)) & allowed if source.below(2) else allowed & 1

    def payload(self, protocol, message, count):
        """Return `count` payload words."""
        found = [self.word() for _ in range(count)]
        if protocol == 0x10 and message in (0x9, 0xA, 0xB) and count > 1 and self.source.below(8):
            ids = (self.source.below(3), self.source.below(3), self.source.one_of(sorted(IN_SOC)))
            for index in range(min(len(ids), count - 1)):
                found[index] = ids[index]
        elif count and protocol not in (0x10, 0x12):
            found[1 if (protocol, message) in SECOND_WORD and count > 1 else 0] = self.number(protocol)
        if (protocol, message) == (0x11, 0x4) and count > 2 and self.source.below(4):
            found[2] = self.source.one_of((0, 1, SLEEP, OFF))
        if (protocol, message) == (0x12, 0x3) and count > 1:
            found[1] = self.source.below(6) if self.source.below(4) else self.word()
        if (protocol, message) == (0x14, 0x5) and count > 3:
            rate = self.source.one_of(RATES) + self.source.below(3) - 1
            found[2:4] = [rate & ONES, rate >> 32] if self.source.below(4) else found[2:4]
        if (protocol, message) == (0x16, 0x4) and count > 2 and self.source.below(6):
            found[2] = self.source.one_of((0, SPECIAL_STATE))
        if (protocol, message) == (0x17, 0x7) and count > 2 and self.source.below(6):
            step = 600_000 + 12_500 * self.source.below(50)
            found[2] = self.source.one_of((step, self.source.one_of(LEVELS), -3_300_000, -5_000_000)) & ONES
        at = FLAGS.get((protocol, message), (0, 0))[0]
        if 0 < at <= count:
            found[at - 1] = self.flags(protocol, message)
        return found

    def message(self):
        """Return (request words, length in bytes)."""
        source = self.source
        protocol = source.one_of(sorted(PROTOCOLS)) if source.below(40) else source.below(256)
        last = LAST_MESSAGE.get(protocol, 0x10)
        message = source.below(last + 1) if source.below(16) else source.one_of((0x10, 0x10, 0x11, source.below(256)))
        kind = 0 if source.below(50) else source.below(4)
        head = source.below(1 << 10) << 18 | protocol << 10 | kind << 8 | message
        size = self.oracle.sizes.get("{}_{}_request".format(PROTOCOLS.get(protocol), message), 4)
        length = 4 + size
        if not source.below(12):
            length = source.one_of((0, 1, 3, 4, length + 4, length - 4, length + 1, length - 1, source.below(140)))
        words = self.payload(protocol, message, max(size // 4, (length + 3) // 4 - 1))
        return [head] + words, max(length, 0)

    def case(self):
        """Compare one message; return what it met."""
        source = self.source
        agent = 2 if source.below(3) else 1
        words, length = self.message()
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
        for number, held in self.oracle.resets.items():
            assert self.platform.resets[number].asserted == held, number
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
