# SPDX-License-Identifier: MIT
"""Regions of statistics against C structures, read by dissect.cstruct. Source: docs/reference/statistics.md."""

from dissect.cstruct import cstruct

from driver import Rig
from scmi.device import ScmiDevice
from scmi.platform import Axis, Performance, Platform, PowerDomain, Sensor
from statistics_reader import PERFORMANCE, POWER, SENSOR, attributes

SOURCE = """
struct header {
    uint32 signature;
    uint16 revision;
    uint16 attributes;
    uint16 count;
    uint16 reserved[3];
    uint32 offsets[count];
};

struct state {
    uint32 number;
    uint32 reserved;
    uint64 entered;
    uint64 residency_us;
};

struct domain {
    uint16 count;
    uint16 present;
    uint32 extended_offset;
    uint64 changed_us;
    struct state states[count];
};

struct extended {
    uint32 sequence;
    uint32 reserved;
};

struct reading {
    int64 value;
    uint64 time_us;
};
"""
C = cstruct(endian="<")
C.load(SOURCE)

NOW = 0x123456789AB


def regions():
    """Return {protocol: the bytes of its region that are used} after some changes."""
    cpu = Performance("cpu", (100, 200, 300))
    domain = PowerDomain("cluster", states=(("retention", 1),))
    box = Sensor("box", "celsius", axes=[Axis("x", "celsius", -5), Axis("y", "celsius", 1 << 40)], shared=True)
    plain = Sensor("plain", "celsius", 3)
    platform = Platform(sensors=[plain, box], performance=[cpu], power_domains=[domain])
    time = [0]
    platform.statistics.clock = lambda: time[0]
    rig = Rig(ScmiDevice(platform.agents[0]), shared=0x3000)
    platform.connect(rig.loop.after)
    driver = rig.drivers[0].begin()
    time[0] = NOW
    cpu.level, domain.state = 100, "off"
    rig.machine.advance(100)
    rig.run()
    found = {}
    for protocol in (POWER, PERFORMANCE, SENSOR):
        _, address, length = attributes(driver, protocol)
        found[protocol] = rig.shared_bytes(address, length)
    return found


def test_regions_of_domains():
    found = regions()
    for protocol, name, left, present in ((POWER, b"RWOP", 0, 2), (PERFORMANCE, b"FREP", 2, 0)):
        data = found[protocol]
        header = C.header(data)
        assert (header.signature.to_bytes(4, "little"), header.revision, header.attributes) == (name, 0, 0)
        assert header.count == 1 and list(header.reserved) == [0, 0, 0]
        at = header.offsets[0]
        domain = C.domain(data[at:])
        assert (domain.count, domain.present, domain.changed_us) == (3, present, NOW)
        assert [(state.number, state.reserved) for state in domain.states] == [(0, 0), (1, 0), (2, 0)]
        assert [state.entered for state in domain.states] == [place == present for place in range(3)]
        assert [state.residency_us for state in domain.states] == [NOW * (place == left) for place in range(3)]
        extended = C.extended(data[domain.extended_offset :])
        assert extended.sequence and not extended.sequence & 1 and not extended.reserved
        assert domain.extended_offset == at + len(domain.dumps())
        assert len(data) == domain.extended_offset + len(C.extended)


def test_region_of_sensors():
    data = regions()[SENSOR]
    header = C.header(data)
    assert header.signature.to_bytes(4, "little") == b"SNES" and header.count == 2 and header.offsets[0] == 0
    at, size = header.offsets[1], len(C.reading)
    readings = [C.reading(data[at + size * axis :]) for axis in range(2)]
    assert [(reading.value, reading.time_us) for reading in readings] == [(-5, NOW), (1 << 40, NOW)]
    assert len(data) == at + 2 * size
