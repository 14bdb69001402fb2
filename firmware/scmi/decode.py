# SPDX-License-Identifier: MIT
"""Messages in words, by the names that the tables of the protocols have for them. Source: DEN0056F, 3.1.2."""

from hal.compat import const
from scmi.message import TYPE_COMMAND, field_words
from scmi.status import NAMES

_TYPE_DELAYED = const(2)
_TYPE_NOTIFICATION = const(3)

# Words of an array that are shown.
_MOST = const(8)

# Fields with one of these in their name are bits rather than numbers.
_BITS = ("flags", "attributes", "config", "control", "ctrl", "version", "permissions", "state")


def signed(word):
    """Return a 32-bit word as a signed number."""
    return word - (word >> 31 << 32)


def kind_of(header):
    """Return "" for a command, or what else the message with `header` is."""
    names = {TYPE_COMMAND: "", _TYPE_DELAYED: "delayed response", _TYPE_NOTIFICATION: "notification"}
    return names.get(header >> 8 & 3, "reserved type")


def find(platform, header, version):
    """Return (protocol, message, request fields, reply fields) of the message with `header`, by name as far as it has
    one; the protocol is used at `version`. What a notification carries counts as its request fields."""
    number = header >> 10 & 0xFF
    protocol = platform.protocols.get(number)
    unknown = (protocol.NAME if protocol else f"protocol {number:#x}", f"{header & 0xFF:#x}", (), ())
    if protocol is None:
        return unknown
    if header >> 8 & 3 == _TYPE_NOTIFICATION:
        for code, _, name, _, fields, _ in protocol.EVENTS:
            if code == header & 0xFF:
                return protocol.NAME, name, fields, ()
        return unknown
    row = protocol.messages(version or 0).get(header & 0xFF)
    return (protocol.NAME, row[1], row[3], row[4]) if row else unknown


def show_status(word):
    """Return the name of a status, or its number if it has none."""
    return NAMES.get(signed(word)) or str(signed(word))


def show_event(words, fields):
    """Return the payload of a notification or of a delayed response as text; `fields`: those of the notification."""
    if words[0] >> 8 & 3 == _TYPE_DELAYED:
        return show_reply(words, ())
    return show_fields(fields, words[1:])


def show_reply(words, fields):
    """Return a reply, header included, as text: its status, and its payload if it has one."""
    if len(words) < 2:
        return "no reply"
    return " ".join(part for part in (show_status(words[1]), show_fields(fields, words[2:])) if part)


def show_fields(names, words):
    """Return `words` as text: the fields `names` of a table (`scmi.message`) with their values, then what is left."""
    parts, at = [], 0
    for name in names:
        if at >= len(words):
            break
        count = field_words(name) or len(words) - at
        short = name.split("*")[0].split("[")[0]
        parts.append(f"{short}={_show(name, words[at : at + count])}")
        at += count
    if at < len(words):
        parts.append(_show_list(words[at:]))
    return " ".join(parts)


def _show(name, words):
    if name.endswith("]"):
        return _show_list(words)
    if len(words) == 1:
        bits = any(part in name for part in _BITS)
        return hex(words[0]) if bits else str(signed(words[0]))
    if len(words) == 2:
        value = words[1] << 32 | words[0]
        return str(value - (value >> 63 << 64))
    return _show_text(words)


def _show_list(words):
    shown = [hex(word) for word in words[:_MOST]]
    return "[" + ", ".join(shown + ["..."] * (len(words) > _MOST)) + "]"


def _show_text(words):
    data = b"".join(word.to_bytes(4, "little") for word in words).split(b"\0")[0]
    try:
        return repr(data.decode())
    except ValueError:
        return _show_list(words)
