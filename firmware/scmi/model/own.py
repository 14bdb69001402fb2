# SPDX-License-Identifier: MIT
"""Protocols of one's own in a platform description. Source: DEN0056F, 3.1.2: identifiers 0x80 to 0xFF are a vendor's.

    Platform(protocols={FanProtocol: [Fan("front"), Fan("rear")]})

A class derives from `scmi.protocols.common.Protocol`, its resources from `scmi.model.resource.Resource`; a protocol may
have none. docs/how-to/write-a-vendor-protocol.md writes one.
"""

from hal.compat import const
from scmi.model.collection import Collection
from scmi.model.resource import Resource
from scmi.model.rules import entries_of, is_integer, items_of, require, require_unique
from scmi.protocols.common import Protocol

FIRST_OWN = const(0x80)
_LAST_OWN = const(0xFF)


def own_protocols(protocols):
    """Return {class: resources} as pairs of class and Collection, ordered by the identifiers of the protocols.

    Raises DescriptionError: a class that cannot be served, or resources that cannot be told apart.
    """
    found = {}
    for kind, items in entries_of(protocols, "platform", "protocols").items():
        holds = isinstance(kind, type) and issubclass(kind, Protocol)
        require(holds, "platform", f"protocols: {kind!r} is no class derived from Protocol")
        subject = f"protocol {kind.NAME!r}"
        holds = is_integer(kind.ID) and FIRST_OWN <= kind.ID <= _LAST_OWN
        require(holds, subject, f"ID must be {FIRST_OWN:#x} to {_LAST_OWN:#x}, not {kind.ID!r}")
        require(kind.ID not in found, subject, f"another protocol has the ID {kind.ID:#x}")
        require(len(kind.VERSIONS), subject, "VERSIONS must name the served versions, newest first")
        require(len(kind.MESSAGES), subject, "MESSAGES must hold rows; common_messages() makes the first ones")
        resources = Collection(items_of(items, subject, "resources"), f"{kind.NAME} resource")
        for number, item in enumerate(resources):
            require(isinstance(item, Resource), subject, f"resource number {number} must be a Resource, not {item!r}")
            item.id = number
        require_unique(resources, subject, "resources")
        found[kind.ID] = (kind, resources)
    return tuple(found[number] for number in sorted(found))
