# SPDX-License-Identifier: MIT
"""A driver-side SCMI client for tests: builds requests from words, checks the envelope of replies, returns words.

It talks to anything with `handle(request, length, reply, room)`, such as `scmi.agent.Agent`. Source: DEN0056F, 3.1.2.
"""

from array import array

from hal.alarm import Alarms
from hal.sim import Machine

# Linux offers 128 bytes of payload behind header and status.
LINUX_ROOM = 136

_UNTOUCHED = 0xA5A5A5A5


def header(protocol, message, token=0, kind=0):
    """Return a message header: ids, 10-bit token, type (0 is a command)."""
    return token << 18 | protocol << 10 | kind << 8 | message


def notification(protocol, event):
    """Return the header of a notification."""
    return header(protocol, event, 0, 3)


def delayed(protocol, message, token):
    """Return the header of a delayed response."""
    return header(protocol, message, token, 2)


def signed(word):
    """Return a 32-bit word as a signed number."""
    return word - (1 << 32) if word >> 31 else word


class Time:
    """Simulated time that a platform is connected to."""

    def __init__(self, platform):
        self.machine = Machine()
        self.alarms = Alarms(self.machine)
        self.machine.serve(lambda _: self.alarms.run())
        platform.connect(self.alarms.after)

    def advance(self, ms):
        """Let `ms` milliseconds pass, and what is due then happen."""
        for _ in range(ms):
            self.machine.advance(1)
            self.run()
        self.run()

    def run(self):
        """Have everything that is due happen, also after something has failed."""
        self.machine.notify()
        self.machine.run_pending()


class Client:
    """Sends messages to `backend` and checks what every reply must keep. `woken`: how often it was told of events."""

    def __init__(self, backend, words=64):
        """`words`: capacity of the request and reply arrays."""
        self.backend = backend
        self.woken = 0
        self.request = array("I", [0] * words)
        self.reply = array("I", [0] * words)
        self.token = 0

    def raw(self, head, words=(), length=None, room=LINUX_ROOM):
        """Send header `head` and payload `words`; return what `handle` returned.

        `length` in bytes overrides the length of the request.
        """
        for index in range(len(self.request)):
            self.request[index] = _UNTOUCHED
            self.reply[index] = _UNTOUCHED
        self.request[0] = head
        for index, word in enumerate(words):
            self.request[1 + index] = word & 0xFFFFFFFF
        if length is None:
            length = 4 + 4 * len(words)
        return self.backend.handle(self.request, length, self.reply, room)

    def hear(self, hears=True):
        """Take events from now on, or no longer."""
        self.backend.hear(self._wake if hears else None)

    def _wake(self):
        self.woken += 1

    def events(self):
        """Return the events that wait, as a list of (header, payload words)."""
        found = []
        while self.backend.events.waiting:
            message = self.backend.events.take(LINUX_ROOM // 4)
            found.append((message[0], list(message[1:])))
        return found

    def call(self, protocol, message, *words, **options):
        """Send a command; return (status, payload words). Options: `length`, `room` in bytes, `kind`."""
        self.token = self.token + 1 & 0x3FF
        head = header(protocol, message, self.token, options.get("kind", 0))
        room = options.get("room", LINUX_ROOM)
        written = self.raw(head, words, options.get("length"), room)
        assert 8 <= written <= room and written % 4 == 0, written
        assert self.reply[0] == head
        status = signed(self.reply[1])
        assert status <= 0
        if status:
            assert written == 8, "a status other than SUCCESS must be the whole payload"
        for index in range(written // 4, len(self.reply)):
            assert self.reply[index] == _UNTOUCHED, "word {} behind the reply was written".format(index)
        return status, [self.reply[index] for index in range(2, written // 4)]

    def ok(self, protocol, message, *words, **options):
        """Send a command that must succeed; return its payload words."""
        status, payload = self.call(protocol, message, *words, **options)
        assert status == 0, "status {}".format(status)
        return payload


def text(words):
    """Return the text in words of a fixed-size field, without its padding."""
    data = b"".join(word.to_bytes(4, "little") for word in words)
    assert data[-1] == 0, "text must end with a zero byte"
    end = data.index(b"\0") if hasattr(data, "index") else data.find(b"\0")
    assert not any(data[end:]), "text must be padded with zeros"
    return data[:end].decode()
