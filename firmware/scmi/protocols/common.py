# SPDX-License-Identifier: MIT
"""What protocols share: messages 0, 1, 2 and 0x10, subscribing, and long names.

Source: DEN0056F, clauses 1 to 4 of each protocol, and 3.1.2 for notifications.
"""

from scmi.message import row
from scmi.status import NOT_FOUND, NOT_SUPPORTED
from scmi.wire import LONG_NAME, put, text_words


class Protocol:
    """One protocol of a platform: its table and its resources.

    A derived class sets ID, NAME, VERSIONS (newest first; the versions that can be negotiated), RESOURCE (name of the
    request field that holds a resource id), MESSAGES and EVENTS (`scmi.message`), and defines `attributes(agent)`.

    UNHEARD is what MESSAGE_ATTRIBUTES answers for a subscription that has no event channel.

    `newest`: the newest version that this platform offers. `id`, `can_tell`: a protocol whose notifications belong to
    no resource is their resource itself.
    """

    ID = None
    NAME = None
    VERSIONS = ()
    RESOURCE = None
    MESSAGES = ()
    EVENTS = ()
    UNHEARD = NOT_FOUND

    id = 0

    def __init__(self, platform, resources=()):
        """`platform`: the Platform it belongs to; `resources`: the objects whose index is their id."""
        self.platform = platform
        self.resources = list(resources)
        self.newest = platform.newest(self)

    def attributes(self, agent):
        """Return the payload words of PROTOCOL_ATTRIBUTES, in the layout of the version that `agent` uses."""
        raise NotImplementedError(self.NAME)

    def message_bits(self, message):
        """Return the attributes of the message with id `message`: 0, as there are no fast channels."""
        return 0

    def messages(self, version):
        """Return the rows that count at protocol `version`, by message id."""
        found = {}
        for message in self.MESSAGES:
            number, since = message[0], message[2]
            if since <= version and (number not in found or found[number][2] < since):
                found[number] = message
        return found

    def offers(self, version):
        """Return the versions that may be negotiated while at most `newest` is offered."""
        return version <= self.newest and version in self.VERSIONS

    def can_tell(self, what):
        """Return whether the notification `what` can be subscribed to."""
        return True

    def fits(self, request, length):
        """Return whether `length` bytes are right for a request of no fixed length."""
        raise NotImplementedError(self.NAME)

    def forget(self, agent, permissions):
        """Forget what `agent` controls alone; with `permissions` also what this protocol has refused to it."""

    def tell(self, resource, what, cause, details):
        """Send the notification `what` of `resource` to the agents that have subscribed to it."""
        detail = details[0] if details and type(details[0]) is int else 0
        for agent in self.platform.agents:
            told = self._event(what, agent.versions[self.ID])
            if told and agent.wants(self.ID, told[0], resource) and (resource is self or agent.may_use(self, resource)):
                agent.events.notify(self.ID, told[0], resource.id, detail, told[5](resource, cause, *details))

    def wanted(self, resource):
        """Return whether any agent has subscribed to a notification of `resource`."""
        for agent in self.platform.agents:
            for told in self.EVENTS:
                if agent.wants(self.ID, told[0], resource):
                    return True
        return False

    def _event(self, what, version):
        """Return the row of the notification `what` that counts at protocol `version`, or None."""
        found = None
        for told in self.EVENTS:
            if told[1] == what and told[3] <= version and (found is None or found[3] < told[3]):
                found = told
        return found


def protocol_version(agent, protocol, request, reply, room):
    """PROTOCOL_VERSION."""
    reply[2] = agent.versions[protocol.ID]
    return 12


def protocol_attributes(agent, protocol, request, reply, room):
    """PROTOCOL_ATTRIBUTES."""
    at = 2
    for word in protocol.attributes(agent):
        reply[at] = word
        at += 1
    return at << 2


def message_attributes(agent, protocol, request, reply, room):
    """PROTOCOL_MESSAGE_ATTRIBUTES of a message that the agent can use."""
    if not agent.offers(protocol, request[1]):
        known = request[1] in protocol.messages(agent.versions[protocol.ID])
        return protocol.UNHEARD if known else NOT_FOUND
    reply[2] = protocol.message_bits(request[1])
    return 12


def negotiate_version(agent, protocol, request, reply, room):
    """NEGOTIATE_PROTOCOL_VERSION."""
    if not protocol.offers(request[1]):
        return NOT_SUPPORTED
    agent.serve(protocol, request[1])
    return 8


def name_get(agent, resource, request, reply, room):
    """..._NAME_GET: the whole name of a resource; the flags are reserved. Every protocol that has it lays it out so."""
    reply[2] = 0
    return put(reply, 3, text_words(resource.name, LONG_NAME)) << 2


def subscriber(event, what):
    """Return the handler of the message that subscribes to `event`, announced as `what`, by its last request field."""

    def subscribe(agent, resource, request, reply, room):
        protocol = agent.platform.protocols[request[0] >> 10 & 0xFF]
        if not agent.hears or not resource.can_tell(what):
            return NOT_SUPPORTED
        agent.events.subscribe(protocol.ID, event, resource.id, request[2 if protocol.RESOURCE else 1])
        if resource is not protocol:
            resource.observer = protocol
            resource.begin_telling()
        return 8

    return subscribe


def notify_row(number, name, since, event, what, request=("domain_id", "notify_enable")):
    """Return the row of the message that subscribes to `event`, announced as `what`, by bit 0 of its last field."""
    return row(number, name, since, request, (), subscriber(event, what), flags=(request[-1], 1), notifies=event)


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
