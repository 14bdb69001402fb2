# SPDX-License-Identifier: MIT
"""Reads statistics from shared memory as a frontend does. Source: docs/reference/statistics.md, and nothing of ours.

Whoever reads takes a block between two looks at what tells that it was not being changed, and tries again otherwise.
"""

from struct import pack, unpack, unpack_from

from scmi_client import header

POWER, PERFORMANCE, SENSOR = 0x11, 0x13, 0x15

TRIES = 10


class Domain:
    """A consistent copy: `state`, `changed` (microseconds), `states`, a list of (id, times entered, microseconds)."""

    def __init__(self, state, changed, states):
        self.state = state
        self.changed = changed
        self.states = states

    @property
    def entered(self):
        """By state, how often it was entered."""
        return [entered for _, entered, _ in self.states]

    @property
    def residency(self):
        """By state, microseconds."""
        return [residency for _, _, residency in self.states]


class Reader:
    """Reads the region of one protocol: `load(offset, size)` returns its bytes, `size` is its length."""

    def __init__(self, load, size):
        self._load = load
        self.size = size

    def words(self, code, offset):
        """Return the tuple of `struct` format `code` at `offset`."""
        room = {"<I": 4, "<Q": 8, "<q": 8, "<IHHHHHH": 16, "<HHIQ": 16, "<IIQQ": 24, "<qQ": 16}[code]
        assert offset + room <= self.size, "beyond the length that PROTOCOL_ATTRIBUTES tells"
        return unpack(code, self._load(offset, room))

    def header(self):
        """Return (signature, revision, attributes, number of resources, three reserved words)."""
        return self.words("<IHHHHHH", 0)

    def offset(self, number):
        """Return the offset of the block of resource `number`, 0 without one."""
        return self.words("<I", 16 + 4 * number)[0]

    def domain(self, number):
        """Return a Domain, or None if there is none or it never holds still."""
        at = self.offset(number)
        for _ in range(TRIES if at else 0):
            sequence_at = self.words("<HHIQ", at)[2]
            before = self.words("<I", sequence_at)[0]
            count, state, _, changed = self.words("<HHIQ", at)
            states = []
            for place in range(count):
                name, reserved, entered, residency = self.words("<IIQQ", at + 16 + 24 * place)
                assert reserved == 0
                states.append((name, entered, residency))
            if self.words("<I", sequence_at)[0] == before and not before & 1:
                return Domain(state, changed, states)
        return None

    def readings(self, number, axes=1):
        """Return ([value of each axis], microseconds), or None if there are none or they never hold still."""
        at = self.offset(number)
        for _ in range(TRIES if at else 0):
            before = [self.words("<qQ", at + 16 * axis)[1] for axis in range(axes)]
            values = [self.words("<qQ", at + 16 * axis)[0] for axis in range(axes)]
            after = [self.words("<qQ", at + 16 * axis)[1] for axis in range(axes)]
            if before == after == [before[0]] * axes and before[0]:
                return values, before[0]
        return None


def attributes(driver, protocol):
    """Return (attributes, address, length) that PROTOCOL_ATTRIBUTES tells through the command queue."""
    reply = driver.request(pack("<I", header(protocol, 0x1)), 24)
    status, bits, address, length = unpack_from("<iIQI", reply, 4)
    assert status == 0 and len(reply) == 24
    return bits, address, length


def reader(rig, driver, protocol):
    """Return the Reader of what PROTOCOL_ATTRIBUTES tells, which lies in the region that virtio tells."""
    _, address, length = attributes(driver, protocol)
    assert length
    offset, size = driver.shared({POWER: 1, PERFORMANCE: 2, SENSOR: 3}[protocol])
    assert address == rig.shared_base + offset and length <= size
    return Reader(lambda at, room: rig.shared_bytes(address + at, room), length)
