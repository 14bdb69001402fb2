# SPDX-License-Identifier: MIT
"""What one agent is to be told without asking: notifications and delayed responses. Source: DEN0056F, 3.1.1 and 3.1.2.

A notification that still waits is replaced by a newer one of the same event of the same resource, so that a frontend
that takes none of them costs at most `LIMIT` messages; beyond that notifications are dropped and counted. A delayed
response is never dropped: its agent may have only so many requests open (`scmi.agent`).
"""

from hal.compat import const

# Notifications that wait for one agent.
LIMIT = const(64)

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
        key = detail << 32 | resource << 16 | header
        if key in self._messages:
            self.merged += 1
        elif len(self._messages) >= LIMIT:
            self.dropped += 1
            return
        self._messages[key] = (header,) + words
        if key not in self._order:
            self._order.append(key)
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
        """Messages that wait."""
        return len(self._responses) + len(self._messages)

    def take(self, room):
        """Return the next message as words, delayed responses first; () if none waits or `room` words are too few.

        A response that does not fit goes on waiting, for a larger buffer; a notification is dropped.
        """
        message = self._responses[0] if self._responses else self._next_notification()
        if len(message) > room:
            self.unfit += 1
            return ()
        if self._responses:
            self._responses.pop(0)
        self.sent += 1 if message else 0
        return message

    def _next_notification(self):
        while self._order:
            message = self._messages.pop(self._order.pop(0), None)
            if message:
                return message
        return ()
