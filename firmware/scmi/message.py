# SPDX-License-Identifier: MIT
"""What a row of a message table says, and what is derived from it. Source: DEN0056F, 3.1.1 to 3.1.3.

A row is a tuple:

    (id, name, since, request, reply, handler, flags, access, asynchronous, notifies, ready)

- `since`: first protocol version that has the message in this form (0x20001 is 2.1). A message whose form has changed
  has a row for each form: the one with the newest `since` that the served version reaches counts.
- `request`, `reply`: field names in order, without header and status. A field is one 32-bit word; `name*4` is four
  words; `name[4]` (last) is any number of elements of four words each; in a request the protocol's `fits(request,
  length)` says whether its length is right.
- `handler(agent, resource, request, reply, room)`: writes the reply from word 2 on and returns its whole length in
  bytes, or a negative status. `resource` is the object that the request's id field names, or the protocol if it has
  none; `room` is the size of the reply buffer in bytes.
- `flags`: (field, bits that may be set), or None: every value is allowed
- `access`: what the message changes of its resource, one of the ACCESS bits; 0: nothing
- `asynchronous`: bits of the flags field that ask for a delayed response
- `notifies`: id of the notification that the message subscribes to, or None
- `ready`: with no flag set, the reply is what the resource's `ready(header, reply)` writes, and the handler is
  asked only where that is None. Such a request has its resource id first.

The rows are the one truth for sizes, reserved bits, MESSAGE_ATTRIBUTES and which version has which message.

A notification has a row in another table, and may have one for each form in the same way:

    (number, what, name, since, fields, words)

- `what`: the word that a model announces it with (`scmi.model.resource`)
- `fields`: payload, as in `request`
- `words(resource, agent, *details)`: the payload as a tuple of words; `agent`: id of the agent that has caused it, 0 if
  it was the platform; `details`: what the model adds
"""

from hal.compat import const

# Bits of CLOCK_GET_PERMISSIONS (3.6.2.17), used for every kind of resource.
ACCESS_RATE = const(1 << 29)
ACCESS_PARENT = const(1 << 30)
ACCESS_STATE = const(1 << 31)

TYPE_COMMAND = const(0)


def row(number, name, since, request, reply, handler, flags=None, access=0, asynchronous=0, notifies=None, ready=False):
    """Return a row; the columns are explained above."""
    return (number, name, since, request, reply, handler, flags, access, asynchronous, notifies, ready)


def event(number, what, name, since, fields, words):
    """Return a row of a table of notifications; the columns are explained above."""
    return (number, what, name, since, fields, words)


def key(protocol, message):
    """Return header bits 17:0 of a command: message id, type 0 and protocol id."""
    return protocol << 10 | message


def field_words(field):
    """Return the number of words of `field`; 0 for an array, which may be empty."""
    if field.endswith("]"):
        return 0
    return int(field.split("*")[1]) if "*" in field else 1


def payload_words(fields):
    """Return the least number of words that `fields` take."""
    return sum(field_words(field) for field in fields)


def word_of(fields, name):
    """Return the index of field `name` counted from the header word, or 0 if there is no such field."""
    at = 1
    for field in fields:
        if field == name:
            return at
        at += field_words(field)
    return 0
