# SPDX-License-Identifier: MIT
"""Protocols of one's own: served like the others, refused when they cannot be. Source: DEN0056F, 3.1.2."""

from scmi.message import ACCESS_STATE, row
from scmi.model.resource import Resource
from scmi.platform import Agent, Clock, DescriptionError, Device, Platform
from scmi.protocols.common import Protocol, common_messages
from scmi.status import DENIED, NOT_FOUND, PROTOCOL_ERROR
from scmi_client import Client
from support import raises

FAN = 0x80


class Fan(Resource):
    def __init__(self, name, forbidden=0):
        super().__init__(name)
        self.forbidden = forbidden
        self.speed = 30

    def row(self):
        return (str(self.id), self.name)


def speed_set(agent, fan, request, reply, room):
    fan.speed = request[2]
    return 8


def speed_get(agent, fan, request, reply, room):
    reply[2] = fan.speed
    return 12


class FanProtocol(Protocol):
    ID = FAN
    NAME = "fan"
    VERSIONS = (0x10000,)
    RESOURCE = "fan_id"
    MESSAGES = common_messages(("num_fans",), 0x10000) + (
        row(0x3, "FAN_SPEED_SET", 0x10000, ("fan_id", "percent"), (), speed_set, access=ACCESS_STATE),
        row(0x4, "FAN_SPEED_GET", 0x10000, ("fan_id",), ("percent",), speed_get),
    )

    def attributes(self, agent):
        return (len(self.resources),)


class Silent(Protocol):
    """A protocol without resources, which has nothing but the messages that all have."""

    ID = 0xFF
    NAME = "silent"
    VERSIONS = (0x10000,)
    MESSAGES = common_messages(("attributes",), 0x10000)

    def attributes(self, agent):
        return (7,)


def derived(base, **changed):
    return type("Changed", (base,), changed)


def refused(protocols, *words):
    message = str(raises(DescriptionError, Platform, protocols=protocols))
    for word in words:
        assert word in message, message


def fans(**options):
    return Platform(protocols={FanProtocol: [Fan("front"), Fan("sealed", ACCESS_STATE)], Silent: ()}, **options)


def test_it_is_served_beside_the_others():
    scmi = Client(fans(clocks=[Clock("osc", 1)]).agents[0])
    assert scmi.ok(0x10, 0x6, 0) == [3, 0xFF8014]
    assert scmi.ok(FAN, 0x1) == [2]
    assert scmi.ok(FAN, 0x3, 0, 80) == [] and scmi.ok(FAN, 0x4, 0) == [80]
    assert scmi.ok(0xFF, 0x1) == [7]


def test_its_requests_are_checked_like_all_others():
    scmi = Client(fans().agents[0])
    assert scmi.call(FAN, 0x3, 2, 80) == (NOT_FOUND, [])
    assert scmi.call(FAN, 0x3, 1, 80) == (DENIED, [])
    assert scmi.call(FAN, 0x3, 0) == (PROTOCOL_ERROR, [])
    assert scmi.call(FAN, 0x5) == (NOT_FOUND, [])


def test_its_resources_belong_to_devices():
    platform = fans(agents=[Agent("a", trusted=True), Agent("b")], devices=[Device("all", ("front", "sealed"))])
    trusted, guest = (Client(agent) for agent in platform.agents)
    assert guest.ok(FAN, 0x4, 0) == [30]
    assert trusted.ok(0x10, 0xA, 2, 0, FAN, 0) == []
    assert guest.call(FAN, 0x4, 0) == (DENIED, [])


def test_frontends_get_a_node_for_it():
    nodes = fans().frontend_nodes()
    assert [(node["name"], node["properties"]["reg"]) for node in nodes] == [
        ("protocol@80", 0x80),
        ("protocol@ff", 0xFF),
    ]


def test_the_prompt_shows_its_resources():
    assert "fan\n  0  front\n  1  sealed" in repr(fans())


def test_what_is_refused():
    refused({derived(FanProtocol, ID=0x7F): ()}, "protocol 'fan'", "0x80 to 0xff, not 127")
    refused({derived(FanProtocol, ID=0x100): ()}, "0x80 to 0xff")
    refused({derived(FanProtocol, ID=None): ()}, "0x80 to 0xff, not None")
    refused({FanProtocol: (), derived(Silent, ID=FAN): ()}, "another protocol has the ID 0x80")
    refused({derived(FanProtocol, VERSIONS=()): ()}, "VERSIONS")
    refused({derived(FanProtocol, MESSAGES=()): ()}, "MESSAGES")
    refused({FanProtocol: [Fan("a"), "b"]}, "protocol 'fan'", "number 1 must be a Resource")
    refused({FanProtocol: [Fan("a"), Fan("a")]}, "protocol 'fan'", "two resources", "'a'")
