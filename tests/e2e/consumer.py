# SPDX-License-Identifier: MIT
"""Devices of the frontend that use what SCMI provides: their device-tree nodes, and their handles in Linux.

They are `linux/tests/trapless_consumer.c` and, for regulators, Linux's own test consumers. A node names resources as
the model does.
"""

from dataclasses import replace

from trapless import model, overlay, project, topology

COMPATIBLE = "trapless,test-consumer"
POWER, PERFORMANCE, CLOCK, SENSOR, RESET, VOLTAGE, PINS = 0x11, 0x13, 0x14, 0x15, 0x16, 0x17, 0x19


def module(name, sanitizer=None):
    """The path of a kernel module of `linux/tests/`, built for the kernel with that sanitizer if one is named."""
    folder = project.sanitized(project.TEST_MODULES, sanitizer)
    return project.need(folder / f"{name}.ko", f"the test module {name}")


def equipped(options, nodes, *modules):
    """Return `options` with further device-tree nodes, and with test modules below /host in the frontend."""
    add = [*options.add, *(module(name, options.sanitizer) for name in modules)]
    return replace(options, overlay={**options.overlay, **nodes}, add=add)


def platform_of(options):
    """The model that a pair with these options serves."""
    return model.load(options.model or model.name_of(topology.load()))


def clocks(platform, *names):
    """The properties of a consumer of these clocks; it knows them by the same names."""
    return _named(CLOCK, platform.clocks, names, "clocks", "clock-names")


def resets(platform, *names):
    """The properties of a consumer of these resets; it knows them by the same names."""
    return _named(RESET, platform.resets, names, "resets", "reset-names")


def _named(protocol, resources, names, references, labels):
    cells = [cell for name in names for cell in (overlay.provider(protocol), resources[name].id)]
    return {references: cells, labels: list(names)}


def power_domain(platform, name):
    """The property of a device in this power domain."""
    return {"power-domains": [overlay.provider(POWER), platform.power_domains[name].id]}


def performance_domain(platform, name):
    """The property of a device in this performance domain."""
    return {"power-domains": [overlay.provider(PERFORMANCE), platform.performance[name].id]}


def supply(platform, label, name):
    """The property of a device that is supplied by this voltage, under `label`."""
    return {f"{label}-supply": f"&{{/firmware/scmi/protocol@17/regulators/regulator@{platform.voltages[name].id:x}}}"}


class Consumer:
    """One of these devices in Linux.

    `device`: its folder in sysfs; `handles`: its folder in debugfs.
    """

    def __init__(self, frontend, name):
        """`name`: of its node below the root."""
        self._frontend = frontend
        self.device = f"/sys/bus/platform/devices/{name}"
        self.handles = f"/sys/kernel/debug/trapless-consumer/{name}"

    def read(self, handle):
        """What a file of the device holds, without its last newline."""
        return self._frontend.check(f"cat '{self._path(handle)}'")

    def write(self, handle, value):
        """Write a file of the device, which must succeed."""
        self._frontend.check(self._command(handle, value))

    def refused(self, handle, value):
        """Write a file of the device, which must fail; returns what the shell says."""
        result = self._frontend.run(self._command(handle, value))
        assert result.status, f"{value} was accepted by {handle}"
        return result.stderr.decode()

    def _command(self, handle, value):
        return f"echo '{value}' >'{self._path(handle)}'"

    def _path(self, handle):
        """`power/control` and the like are in sysfs, the rest in debugfs."""
        return f"{self.device}/{handle.removeprefix('sysfs:')}" if "sysfs:" in handle else f"{self.handles}/{handle}"
