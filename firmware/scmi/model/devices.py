# SPDX-License-Identifier: MIT
"""Devices of a platform description: what agents are permitted as a whole. Source: DEN0056F, 3.2.1 and 3.2.2.11."""

from scmi.model.resource import Resource
from scmi.model.rules import DescriptionError, items_of, require, require_name


class Device:
    """A group of resources to which agents are given or refused access (BASE_SET_DEVICE_PERMISSIONS)."""

    def __init__(self, name, resources=()):
        """`name`: 1 to 63 bytes; `resources`: sensors, clocks and so on, or their names, and "system".

        Where a name alone is not enough, the name of the protocol goes before it, such as "clock:cpu".
        """
        self.subject = f"device {name!r}"
        require_name(name, self.subject)
        self.name = name
        self.id = None
        self.resources = items_of(resources, self.subject, "resources")

    def row(self):
        """Return the columns of a table for people."""
        names = [wanted if isinstance(wanted, str) else wanted.name for wanted in self.resources]
        return (str(self.id), self.name, ", ".join(names))


def group(devices, kinds):
    """Tell all resources to which of `devices` they belong; `kinds`: pairs of a protocol and its resources.

    Raises DescriptionError: a device names what is not there, or what there are several of; a resource belongs to none.
    """
    known: dict = {}
    for kind, resources in kinds:
        for resource in resources:
            resource.devices = ()
            full_name = f"{kind.NAME}:{resource.name}"
            for name in (resource, resource.name, full_name):
                known.setdefault(name, []).append((full_name, resource))
    for device in devices:
        for wanted in device.resources:
            resource = _only_one(device, wanted, known)
            if device.id not in resource.devices:
                resource.devices += (device.id,)
    for _, resources in kinds:
        for resource in resources:
            require(resource.devices, resource.subject, "belongs to none of the devices; put it into one")


def _only_one(device, wanted, known):
    found = known.get(wanted, []) if isinstance(wanted, (str, Resource)) else []
    if len(found) != 1:
        _refuse(device, wanted, found)
    return found[0][1]


def _refuse(device, wanted, found):
    what = wanted.subject if isinstance(wanted, Resource) else repr(wanted)
    if not found:
        raise DescriptionError(f"{device.subject}: {what} is no resource of this platform, nor the name of one")
    names = ", ".join(full_name for full_name, _ in found)
    raise DescriptionError(f"{device.subject}: {what} may be {names}; write one of these, or the object itself")
