# SPDX-License-Identifier: MIT
"""Base protocol 2.1 and 2.0: who is there, what is spoken, who may use what, what has failed. Source: DEN0056F, 3.2.

BASE_ERROR_EVENT tells what no reply can tell:
- an asynchronous command that has failed while its agent asked for no delayed response: its header and status
- a function that the platform calls by itself (`Platform.after`, `Platform.every`) and that raised: no commands
- whatever somebody reports at the prompt (`Platform.report_error`)
A notification that is dropped is not reported, as the report would be dropped like it. While reports wait for an event
buffer, the latest fatal and the latest other one that each agent has caused are kept.
"""

from hal.compat import const
from scmi.message import event, row
from scmi.protocols.common import Protocol, common_messages, notify_row
from scmi.status import DENIED, INVALID_PARAMETERS, NOT_FOUND
from scmi.wire import SHORT_NAME, low, paginate, put, text_words

PROTOCOL_ID = const(0x10)

_THIS_AGENT = const(0xFFFFFFFF)
_PLATFORM_AGENT = const(0)
_ALLOW = const(1)
_RESET_PERMISSIONS = const(1)

_FATAL = const(1 << 31)

# Commands in one report: more than 136 bytes do not fit into the event buffers of Linux.
MAX_REPORTS = const(15)


def discover_vendor(agent, protocol, request, reply, room):
    """BASE_DISCOVER_VENDOR (3.2.2.5)."""
    return put(reply, 2, protocol.vendor) << 2


def discover_sub_vendor(agent, protocol, request, reply, room):
    """BASE_DISCOVER_SUB_VENDOR (3.2.2.6)."""
    return put(reply, 2, protocol.sub_vendor) << 2


def discover_implementation_version(agent, protocol, request, reply, room):
    """BASE_DISCOVER_IMPLEMENTATION_VERSION (3.2.2.7)."""
    reply[2] = protocol.platform.implementation_version
    return 12


def _packed(identifiers):
    """Return one-byte identifiers as records of one word, four in each."""
    padded = bytes(identifiers) + bytes(-len(identifiers) % 4)
    return [(int.from_bytes(padded[at : at + 4], "little"),) for at in range(0, len(padded), 4)]


def discover_list_protocols(agent, protocol, request, reply, room):
    """BASE_DISCOVER_LIST_PROTOCOLS (3.2.2.8): ascending, without the base protocol, four to a word."""
    listed = protocol.others()
    skip = request[1]
    if skip >= len(listed) and (skip or listed):
        return INVALID_PARAMETERS
    wanted = listed[skip:]
    written = paginate(_packed(wanted), 0, reply, room, INVALID_PARAMETERS, 16)
    if written > 0:
        reply[2] = min(len(wanted), written - 12)
    return written


def discover_agent(agent, protocol, request, reply, room):
    """BASE_DISCOVER_AGENT (3.2.2.9): agent 0 is the platform, 0xFFFFFFFF the one that asks."""
    wanted = agent.id if request[1] == _THIS_AGENT else request[1]
    if wanted == _PLATFORM_AGENT:
        name = "platform"
    else:
        found = protocol.agent(wanted)
        if found is None:
            return NOT_FOUND
        name = found.name
    reply[2] = wanted
    return put(reply, 3, text_words(name, SHORT_NAME)) << 2


def set_device_permissions(agent, protocol, request, reply, room):
    """BASE_SET_DEVICE_PERMISSIONS (3.2.2.11)."""
    target = protocol.agent(request[1])
    if target is None or request[2] >= len(protocol.platform.devices):
        return NOT_FOUND
    if not agent.trusted:
        return DENIED
    target.permit_device(request[2], request[3] == _ALLOW)
    return 8


def set_protocol_permissions(agent, protocol, request, reply, room):
    """BASE_SET_PROTOCOL_PERMISSIONS (3.2.2.12): the base protocol cannot be given or taken."""
    target = protocol.agent(request[1])
    if target is None or request[2] >= len(protocol.platform.devices) or request[3] not in protocol.others():
        return NOT_FOUND
    if not agent.trusted:
        return DENIED
    target.permit_protocol(request[2], request[3], request[4] == _ALLOW)
    return 8


def reset_agent_configuration(agent, protocol, request, reply, room):
    """BASE_RESET_AGENT_CONFIGURATION (3.2.2.13).

    An agent may always undo its own settings; to touch another agent, or any permission, it must be trusted.
    """
    target = protocol.agent(request[1])
    if target is None:
        return NOT_FOUND
    if not agent.trusted and (target is not agent or request[2] == _RESET_PERMISSIONS):
        return DENIED
    target.restore(request[2] == _RESET_PERMISSIONS)
    return 8


def error_event(protocol, agent, detail, fatal, commands):
    """Return the payload of BASE_ERROR_EVENT (3.2.3.1): a report has the header of a command below its status."""
    words = [agent, (_FATAL if fatal else 0) | len(commands)]
    for header, status in commands:
        words += (header, low(status))
    return tuple(words)


class BaseProtocol(Protocol):
    """The base protocol of a platform."""

    ID = PROTOCOL_ID
    NAME = "base"
    VERSIONS = (0x20001, 0x20000)
    EVENTS = (
        event(
            0x0,
            "error",
            "BASE_ERROR_EVENT",
            0x10000,
            ("agent_id", "error_status", "msg_reports[2]"),
            error_event,
        ),
    )
    MESSAGES = common_messages(("attributes",), 0x20001) + (
        row(0x3, "BASE_DISCOVER_VENDOR", 0x10000, (), ("vendor*4",), discover_vendor),
        row(0x4, "BASE_DISCOVER_SUB_VENDOR", 0x10000, (), ("sub_vendor*4",), discover_sub_vendor),
        row(
            0x5,
            "BASE_DISCOVER_IMPLEMENTATION_VERSION",
            0x10000,
            (),
            ("implementation_version",),
            discover_implementation_version,
        ),
        row(
            0x6,
            "BASE_DISCOVER_LIST_PROTOCOLS",
            0x10000,
            ("skip",),
            ("num_protocols", "protocols[1]"),
            discover_list_protocols,
        ),
        row(0x7, "BASE_DISCOVER_AGENT", 0x10000, ("agent_id",), ("agent_id", "name*4"), discover_agent),
        notify_row(0x8, "BASE_NOTIFY_ERRORS", 0x10000, 0x0, "error", ("notify_enable",)),
        row(
            0x9,
            "BASE_SET_DEVICE_PERMISSIONS",
            0x20000,
            ("agent_id", "device_id", "flags"),
            (),
            set_device_permissions,
            flags=("flags", 1),
        ),
        row(
            0xA,
            "BASE_SET_PROTOCOL_PERMISSIONS",
            0x20000,
            ("agent_id", "device_id", "command_id", "flags"),
            (),
            set_protocol_permissions,
            flags=("flags", 1),
        ),
        row(
            0xB,
            "BASE_RESET_AGENT_CONFIGURATION",
            0x20000,
            ("agent_id", "flags"),
            (),
            reset_agent_configuration,
            flags=("flags", 1),
        ),
    )

    def __init__(self, platform):
        super().__init__(platform)
        self.vendor = text_words(platform.vendor, SHORT_NAME)
        self.sub_vendor = text_words(platform.sub_vendor, SHORT_NAME)

    def attributes(self, agent):
        """Number of agents (the platform itself not counted) and of protocols besides this one."""
        return (len(self.platform.agents) << 8 | len(self.others()),)

    def report(self, agent, fatal, commands):
        """Send BASE_ERROR_EVENT; see `Platform.report_error`."""
        self.tell(self, "error", agent, (agent << 1 | fatal, fatal, commands))

    def others(self):
        """Return the ids of the protocols besides this one, ascending."""
        return sorted(number for number in self.platform.protocols if number != PROTOCOL_ID)

    def agent(self, number):
        """Return agent `number`, or None."""
        agents = self.platform.agents
        return agents[number - 1] if 0 < number <= len(agents) else None
