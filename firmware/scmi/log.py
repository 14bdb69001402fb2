# SPDX-License-Identifier: MIT
"""The last messages in words, for a person at the prompt.

>>> log(True)
>>> log()
12.345  linux  sensor SENSOR_READING_GET #7 sensor_id=0 flags=0x0 -> SUCCESS value=45000 timestamp=0  52 us
"""

from hal.compat import const
from scmi.decode import find, kind_of, show_event, show_fields, show_reply
from scmi.model.rules import is_integer, require
from scmi.ticks import microseconds, milliseconds

LAST = const(32)

# Words of a message that are kept.
_WORDS = const(40)
_MOST_LAST = const(1000)


class Log:
    """The last messages of all agents. `on`: whether they are kept; `changed()` is called when that changes."""

    def __init__(self, platform, changed):
        self.on = False
        self._platform = platform
        self._changed = changed
        self._last = LAST
        self._entries = []

    def __call__(self, on=None, last=LAST):
        """Print the messages, or with True keep the `last` ones from now on, or with False keep no more of them."""
        if on is None:
            for line in self.lines():
                print(line)
            return
        require(is_integer(last) and 0 < last <= _MOST_LAST, "log", f"last must be 1 to {_MOST_LAST}, not {last!r}")
        if on:
            self._last = last
            self._entries = []
        self.on = bool(on)
        self._changed()

    def message(self, agent, begun, request, length, reply, written, fault=""):
        """Keep a command and its reply.

        `begun`: microseconds, when it came; `length`, `written`: their bytes, or negative if there was no reply;
        `fault`: what was injected.
        """
        spent = microseconds() - begun
        self._keep(agent, request, length, (tuple(reply[: _kept(written)]), spent, fault))

    def event(self, agent, words):
        """Keep a notification or a delayed response, sent to `agent`."""
        if words:
            self._keep(agent, words, 4 * len(words), None)

    def _keep(self, agent, words, length, answer):
        version = agent.versions.get(words[0] >> 10 & 0xFF)
        self._entries.append((milliseconds(), agent.name, version, tuple(words[: _kept(length)]), answer))
        if len(self._entries) > self._last:
            self._entries.pop(0)

    def lines(self):
        """Return the messages as lines of text, the oldest first."""
        if not self._entries:
            return ["nothing kept" if self.on else "the log is off; log(True) switches it on"]
        return [self._line(*entry) for entry in list(self._entries)]

    def _line(self, when, agent, version, words, answer):
        text = f"{when // 1000}.{when % 1000:03}  {agent}  "
        if not words:
            return text + "no header -> no reply"
        protocol, name, request, reply = find(self._platform, words[0], version)
        text += f"{protocol} {name} #{words[0] >> 18}"
        if answer is None:
            return _joined(text, kind_of(words[0]), show_event(words, request))
        found, spent, fault = answer
        text = _joined(text, kind_of(words[0]), show_fields(request, words[1:]))
        return f"{text} -> {show_reply(found, reply)}  {spent} us" + (f"  ({fault})" if fault else "")

    def __repr__(self):
        return "\n".join(self.lines())


def _kept(size):
    return min((max(size, 0) + 3) // 4, _WORDS)


def _joined(*parts):
    return " ".join(part for part in parts if part)
