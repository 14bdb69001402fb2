# SPDX-License-Identifier: MIT
"""What one agent is to be told without asking: notifications and delayed responses. Source: DEN0056F, 3.1.1 and 3.1.2.

A notification that still waits is replaced by a newer one of the same event of the same resource, so that a frontend
that takes none of them costs at most `LIMIT` messages; beyond that notifications are dropped and counted. A delayed
response is never dropped: its agent may have only so many requests open (`scmi.delayed`).
"""

from hal.compat import const
from scmi.status import PROTOCOL_ERROR

# Notifications that wait for one agent.
LIMIT = const(64)

_WORD = const(0xFFFFFFFF)

# Words of a delayed response that has nothing but a status.
_STATUS_WORDS = const(2)

_TYPE_DELAYED = const(2 << 8)
_TYPE_NOTIFICATION = const(3 << 8)
_TYPE_MASK = const(3 << 8)


def notification_header(protocol, event):
    """Return the header of notification `event` of protocol number `protocol`; its token is 0."""
    return protocol << 10 | _TYPE_NOTIFICATION | event


def delayed_header(header):
    """Return the header of the delayed response to the command with `header`: its token, another type."""
    return header & ~_TYPE_MASK | _TYPE_DELAYED


class Events:
    """The subscriptions of one agent and the messages that wait for it.

    `wake()` is called whenever a message comes to wait. The prompt adds messages too, and can be interrupted by the
    serving callback, which takes them: every step here leaves something that the other may find.

    Counters: `sent` messages, notifications `merged` into one that waited, and `dropped`; `unfit`: buffers that were
    too small for what had to go into them.
    """

    def __init__(self, wake):
        self._wake = wake
        self.sent = 0
        self.merged = 0
        self.dropped = 0
        self.unfit = 0
        self.reset()

    def reset(self):
        """Forget all subscriptions and messages: the frontend begins a new life."""
        self._subscriptions = {}
        self._order = []
        self._messages = {}
        self._responses = []

    def subscribe(self, protocol, event, resource, value):
        """Subscribe to `event` of the resource with id `resource`; `value` is kept, 0 or None: not any more."""
        if value:
            self._subscriptions[(protocol, event, resource)] = value
        else:
            self._subscriptions.pop((protocol, event, resource), None)

    def subscribed(self, protocol, event, resource):
        """Return the value that was given when subscribing, or None."""
        return self._subscriptions.get((protocol, event, resource))

    def notify(self, protocol, event, resource, detail, words):
        """Have a notification sent. `detail`: a small number that tells apart events of one resource, such as trip
        points; `words`: payload."""
        header = notification_header(protocol, event)
        key = detail << 34 | resource << 18 | header
        messages, order = self._messages, self._order  # those of this life, should a reset come in between
        if key in messages:
            self.merged += 1
        elif len(messages) >= LIMIT:
            self.dropped += 1
            return
        messages[key] = (header,) + words
        if key not in order:
            order.append(key)
        self._wake()

    def respond(self, header, words):
        """Have the delayed response to the command with `header` sent; `words`: status and payload."""
        self._responses.append((delayed_header(header),) + words)
        self._wake()

    @property
    def responses(self):
        """Delayed responses that wait."""
        return len(self._responses)

    @property
    def waiting(self):
        """Messages that wait, with one that is just being added."""
        return len(self._responses) + len(self._messages)

    def due(self):
        """Return whether `take` has a message. Only the serving context, which nothing interrupts, asks and takes."""
        if self._responses:
            return True
        while self._order and self._order[0] not in self._messages:
            self._order.pop(0)  # was taken while the prompt was about to add it here
        return len(self._order) > 0

    def take(self, room):
        """Return the next message as words, delayed responses first; () if none is due or `room` words are too few.

        Of a response that does not fit only its header goes, with PROTOCOL_ERROR as status; a notification is dropped.
        """
        if not self.due():
            return ()
        message = self._responses[0] if self._responses else self._messages.pop(self._order.pop(0))
        if len(message) > room:
            self.unfit += 1
            message = self._cut(room)
        elif self._responses:
            self._responses.pop(0)
        self.sent += 1 if message else 0
        return message

    def _cut(self, room):
        if not self._responses or room < _STATUS_WORDS:
            return ()
        return (self._responses.pop(0)[0], PROTOCOL_ERROR & _WORD)
