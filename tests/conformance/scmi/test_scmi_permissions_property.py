# SPDX-License-Identifier: MIT
"""Two agents and their permissions as a state machine: what an agent may not do is DENIED and changes nothing.

Permissions are given, taken and reset by the trusted agent while the guest sends messages of every protocol about every
resource. Which messages and resources there are comes from the tables, who may what from the model here.
Source: DEN0056F, 3.2.2.11 to 3.2.2.13.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scmi.message import payload_words, word_of
from scmi.status import DENIED, PROTOCOL_ERROR
from scmi_example import BASE, EXTRA, GUEST, NEGATIVE, SENSOR, SOC, TRUSTED, client, guest_of

SET_DEVICE, SET_PROTOCOL, RESET, CONFIG_GET = 0x9, 0xA, 0xB, 0x9
DEVICES = st.sampled_from((SOC, EXTRA))
PROTOCOLS = sorted(client().platform.protocols)[1:]
MESSAGES = [
    (protocol.ID, row)
    for protocol in client().platform.protocols.values()
    for row in protocol.MESSAGES
    if protocol.RESOURCE and word_of(row[3], protocol.RESOURCE)
]
NEWEST = [
    (number, row)
    for number, row in MESSAGES
    if not any(other is not row and row[0] == other[0] and row[2] < other[2] for at, other in MESSAGES if at == number)
]
# Denied for what they ask, too: a clock's state, a voltage that is always on.
DENIED_FOR_MORE = ("CLOCK_CONFIG_SET", "VOLTAGE_CONFIG_SET")
WORDS = st.one_of(st.integers(0, 9), st.integers(0, 0xFFFFFFFF))


def plain(value):
    """Return whether `value` is data through and through: no model, protocol or function."""
    if isinstance(value, (list, tuple, set)):
        return all(plain(item) for item in value)
    if isinstance(value, dict):
        return all(plain(item) for pair in value.items() for item in pair)
    return value is None or isinstance(value, (int, str))


def state_of(platform):
    """Return what the resources hold, those parts included that no message tells."""
    found = []
    for protocol in platform.protocols.values():
        for resource in protocol.resources:
            parts = [resource] + list(getattr(resource, "trip_points", ()))
            votes = vars(resource).get("_votes")
            parts += [votes] if hasattr(votes, "wanted") else []
            found.append([{name: repr(value) for name, value in vars(part).items() if plain(value)} for part in parts])
    return found


class Permissions(RuleBasedStateMachine):
    """`revoked`: devices, and pairs of a device and a protocol, that the guest may not use."""

    @initialize()
    def begin(self):
        self.trusted = client()
        self.guest = guest_of(self.trusted)
        self.platform = self.trusted.platform
        self.revoked = set()

    def permit(self, what, allowed):
        if allowed:
            self.revoked.discard(what)
        else:
            self.revoked.add(what)

    @rule(device=DEVICES, allowed=st.booleans())
    def set_device_permissions(self, device, allowed):
        self.trusted.ok(BASE, SET_DEVICE, GUEST, device, allowed)
        self.permit(device, allowed)

    @rule(device=DEVICES, protocol=st.sampled_from(PROTOCOLS), allowed=st.booleans())
    def set_protocol_permissions(self, device, protocol, allowed):
        self.trusted.ok(BASE, SET_PROTOCOL, GUEST, device, protocol, allowed)
        self.permit((device, protocol), allowed)

    @rule(permissions=st.booleans())
    def reset_the_guest(self, permissions):
        self.trusted.ok(BASE, RESET, GUEST, permissions)
        if permissions:
            self.revoked = set()

    @rule(message=st.sampled_from((SET_DEVICE, SET_PROTOCOL, RESET)), agent=st.sampled_from((TRUSTED, GUEST)))
    def guest_reaches_for_permissions(self, message, agent):
        words = {SET_DEVICE: (SOC, 1), SET_PROTOCOL: (SOC, PROTOCOLS[0], 1), RESET: (1,)}[message]
        assert self.guest.call(BASE, message, agent, *words) == (DENIED, [])

    def may_use(self, protocol, resource):
        return any(device not in self.revoked and (device, protocol) not in self.revoked for device in resource.devices)

    @rule(data=st.data(), message=st.sampled_from(NEWEST))
    def guest_sends(self, data, message):
        """Sound in form, so that nothing but the permission can stand in its way before the handler."""
        number, row = message
        protocol = self.platform.protocols[number]
        resource = data.draw(st.sampled_from(protocol.resources))
        words = [data.draw(WORDS) for _ in range(payload_words(row[3]))]
        if row[6]:
            words[word_of(row[3], row[6][0]) - 1] &= row[6][1]
        words[word_of(row[3], protocol.RESOURCE) - 1] = protocol.resources.index(resource)
        before = state_of(self.platform)
        status, _ = self.guest.call(number, row[0], *words)
        if not self.may_use(number, resource) or row[7] & resource.forbidden:
            assert status == DENIED or (row[3][-1].endswith("]") and status == PROTOCOL_ERROR)
            assert state_of(self.platform) == before
        else:
            assert status != DENIED or row[1] in DENIED_FOR_MORE

    @invariant()
    def trusted_agent_is_not_concerned(self):
        self.trusted.ok(SENSOR, CONFIG_GET, NEGATIVE)


Permissions.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestPermissions = Permissions.TestCase
