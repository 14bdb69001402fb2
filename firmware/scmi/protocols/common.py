# SPDX-License-Identifier: MIT
"""What all protocols share: messages 0, 1, 2 and 0x10. Source: DEN0056F, clauses 1 to 4 of each protocol."""

from scmi.message import row
from scmi.status import NOT_FOUND, NOT_SUPPORTED


class Protocol:
    """One protocol of a platform: its table and its resources.

    A derived class sets ID, NAME, VERSIONS (newest first; the versions that can be negotiated), RESOURCE (name of the
    request field that holds a resource id) and MESSAGES, and defines `attributes()`.
    """

    ID = None
    NAME = None
    VERSIONS = ()
    RESOURCE = None
    MESSAGES = ()

    def __init__(self, platform, resources=()):
        """`platform`: the Platform it belongs to; `resources`: the objects whose index is their id."""
        self.platform = platform
        self.resources = list(resources)

    def attributes(self):
        """Return the payload words of PROTOCOL_ATTRIBUTES."""
        raise NotImplementedError(self.NAME)

    def message_bits(self, message):
        """Return the attributes of the message with id `message`: 0, as there are no fast channels."""
        return 0

    def messages(self, version):
        """Yield the rows that exist at protocol `version`."""
        for message in self.MESSAGES:
            if message[2] <= version:
                yield message


def protocol_version(agent, protocol, request, reply, room):
    """PROTOCOL_VERSION."""
    reply[2] = agent.versions[protocol.ID]
    return 12


def protocol_attributes(agent, protocol, request, reply, room):
    """PROTOCOL_ATTRIBUTES."""
    at = 2
    for word in protocol.attributes():
        reply[at] = word
        at += 1
    return at << 2


def message_attributes(agent, protocol, request, reply, room):
    """PROTOCOL_MESSAGE_ATTRIBUTES of a message that the agent can use."""
    if not agent.offers(protocol, request[1]):
        return NOT_FOUND
    reply[2] = protocol.message_bits(request[1])
    return 12


def negotiate_version(agent, protocol, request, reply, room):
    """NEGOTIATE_PROTOCOL_VERSION."""
    if request[1] not in protocol.VERSIONS:
        return NOT_SUPPORTED
    agent.serve(protocol, request[1])
    return 8


def no_events(agent, resource, request, reply, room):
    """Answer a subscription: this server sends no notifications, and MESSAGE_ATTRIBUTES does not offer the message."""
    return NOT_SUPPORTED


def common_messages(attributes, negotiable_since):
    """Return the rows that every protocol has.

    `attributes`: reply fields of PROTOCOL_ATTRIBUTES; `negotiable_since`: the version that brought 0x10.
    """
    return (
        row(0x0, "PROTOCOL_VERSION", 0x10000, (), ("version",), protocol_version),
        row(0x1, "PROTOCOL_ATTRIBUTES", 0x10000, (), attributes, protocol_attributes),
        row(0x2, "PROTOCOL_MESSAGE_ATTRIBUTES", 0x10000, ("message_id",), ("attributes",), message_attributes),
        row(0x10, "NEGOTIATE_PROTOCOL_VERSION", negotiable_since, ("version",), (), negotiate_version),
    )
