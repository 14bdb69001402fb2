# SPDX-License-Identifier: MIT
"""An agent, one frontend as the platform sees it, and the dispatcher of its messages. Source: DEN0056F, 3.1, 3.2.2.

A request is checked in this order: header, type, protocol, message, size, reserved bits, resource, permission, room
for the reply; then its handler runs. The first check that fails decides the status, and a status other than SUCCESS
is the whole payload. Only the agent writes a status, and it turns any Python exception into GENERIC_ERROR.

The checks themselves are done by `hal.edge.Dispatcher`, with the Rows that the message tables are turned into for the
versions that this agent uses and the resources that it may use. It calls the handler if all of them hold; otherwise
`_explain` finds out which does not. Readings of sensors and rates of clocks, asked for all the time, are copied from
what the resource holds ready, without a call of a handler.
"""

from hal.compat import const
from hal.edge import Dispatcher, Row
from scmi.delayed import Delayed
from scmi.events import Events
from scmi.message import TYPE_COMMAND, key, payload_words, word_of
from scmi.model.rules import require, require_flag, require_name
from scmi.status import (
    DENIED,
    GENERIC_ERROR,
    INVALID_PARAMETERS,
    NAMES,
    NOT_FOUND,
    NOT_SUPPORTED,
    PROTOCOL_ERROR,
    SUCCESS,
    Refusal,
)

_KEY_MASK = const(0x3FFFF)
_WORD = const(0xFFFFFFFF)

# Bytes: header, and header with status.
_HEADER = const(4)
_STATUS_REPLY = const(8)


class Agent:
    """One frontend: what it may use, what it has set, what it wants to be told, and its dispatcher.

    `handle(request, length, reply, room)` answers one message. `request`, `reply`: `array('I')` of little-endian words,
    the first being the SCMI header; `length`: bytes of the request, `room`: bytes of the reply buffer, either of which
    may exceed its array. It returns the length of the reply in bytes, or a negative number if there is no header to
    answer or no room for a status.

    `hears`: its frontend takes events; `events`: those, and its subscriptions; `delayed`: its requests that are open.
    Counters: `refused` {status: replies with it}, `unanswerable` messages, `failures` (Python exceptions in a
    handler, answered with GENERIC_ERROR). `last_failure` tells the latest exception in words.
    """

    def __init__(self, name, trusted=False):
        """`name`: 1 to 63 bytes, of which BASE_DISCOVER_AGENT shows 15; `trusted`: may set permissions of agents."""
        require_name(name, f"agent {name!r}")
        self.name = name
        self.trusted = require_flag(trusted, f"agent {name!r}", "trusted")
        self.id = None
        self.platform = None
        self.versions = {}
        self.hears = False
        self.events = Events(self._wake)
        self.delayed = Delayed(self)
        self.unanswerable = 0
        self.failures = 0
        self.refused = {}
        self.last_failure = None
        self._logged = False
        self._revoked_devices = set()
        self._revoked_protocols = set()
        self._configured = []
        self._made = {}
        self._newest = None
        self._waker = None
        self.handle = Dispatcher(_KEY_MASK, self, self._explain, self._refuse, self._fail)

    def join(self, platform, number):
        """Become agent `number` of `platform`; called once by the platform."""
        require(self.platform is None, f"agent {self.name!r}", "belongs to another platform already")
        self.platform = platform
        self.id = number
        self.reset()

    def reset(self):
        """Forget one life of the frontend: negotiated versions, subscriptions, open requests, exclusive control."""
        self.hear(None)
        self.events.reset()
        self.delayed.forget()
        self.platform.statistics.hide(self)
        self._forget(False)
        if self.handle.rows is not self._newest:
            self._serve_newest()

    def _serve_newest(self):
        versions = {protocol.ID: protocol.newest for protocol in self.platform.protocols.values()}
        if self._newest is None:
            self._newest = self._all_rows(versions)
        self.versions, self.handle.rows = versions, self._newest

    def _forget(self, permissions):
        for protocol in self.platform.protocols.values():
            protocol.forget(self, permissions)

    def hear(self, wake):
        """Send events from now on, or no more if `wake` is None; `wake()` is called when one comes to wait."""
        self._waker = wake
        self.hears = wake is not None

    def _wake(self):
        if self.hears:
            self._waker()

    def serve(self, protocol, version):
        """Serve `protocol` at `version` from now on.

        A frontend may ask for that all the time, and others wait for it meanwhile: rows are made only once.
        """
        former = self.versions[protocol.ID]
        if version == former:
            return
        self.versions[protocol.ID] = version
        if self.handle.rows is self._newest:
            self.handle.rows = self._newest.copy()
        rows = self.handle.rows
        for at in self._rows(protocol, former):
            rows.pop(at, None)  # the prompt may be about to make all of them anew
        rows.update(self._rows(protocol, version))

    def offers(self, protocol, message):
        """Return whether this agent can use the message with id `message` of `protocol`."""
        row = protocol.messages(self.versions[protocol.ID]).get(message)
        return row is not None and (row[9] is None or self.hears)

    def _rebuild(self):
        self._made, self._newest = {}, None
        self.handle.rows = self._all_rows(self.versions)
        self.platform.statistics.arrange(self)

    def _all_rows(self, versions):
        rows = {}
        for protocol in self.platform.protocols.values():
            rows.update(self._rows(protocol, versions[protocol.ID]))
        return rows

    def _rows(self, protocol, version):
        """Return what the dispatcher checks messages of `protocol` at `version` with, by their header bits 17:0."""
        found = self._made.get((protocol.ID, version))
        if found is None:
            found = self._made[(protocol.ID, version)] = self._make_rows(protocol, version)
        return found

    def _make_rows(self, protocol, version):
        rows = {}
        views = {0: [item if self.may_use(protocol, item) else None for item in protocol.resources]}
        for number, message in protocol.messages(version).items():
            access = message[7]
            if access not in views:
                views[access] = [item and (None if access & item.forbidden else item) for item in views[0]]
            rows[key(protocol.ID, number)] = _row(protocol, message, views[access])
        return rows

    def may_use(self, protocol, resource):
        """Return whether any of the devices that `resource` belongs to gives this agent access through `protocol`."""
        for device in resource.devices:
            if device not in self._revoked_devices and (device, protocol.ID) not in self._revoked_protocols:
                return True
        return False

    def permit_device(self, device, allowed):
        """Give or take access to device number `device`."""
        self._permit(self._revoked_devices, device, allowed)

    def permit_protocol(self, device, protocol, allowed):
        """Give or take access to device number `device` through protocol number `protocol`."""
        self._permit(self._revoked_protocols, (device, protocol), allowed)

    def _permit(self, revoked, what, allowed):
        if (what in revoked) != allowed:
            return
        if allowed:
            revoked.remove(what)
        else:
            revoked.add(what)
        self._rebuild()

    def note(self, resource):
        """Remember that this agent has changed `resource`."""
        if resource not in self._configured:
            self._configured.append(resource)

    def restore(self, permissions):
        """Undo what this agent has set; with `permissions` also give it back the access of the description."""
        for resource in self._configured:
            resource.restore(self.id)
        self._configured = []
        self._forget(permissions)
        if permissions:
            self._revoked_devices = set()
            self._revoked_protocols = set()
            self._rebuild()

    def later(self, header, resource, finish):
        """Accept the command with `header` and answer it with a delayed response; see `Delayed.begin`."""
        return self.delayed.begin(header, resource.delay, finish)

    def wants(self, protocol, event, resource):
        """Return whether this agent has subscribed to notification `event` of `resource`, and takes events at all."""
        return self.hears and self.events.subscribed(protocol, event, resource.id) is not None

    def _explain(self, request, length, reply, room):
        """Answer a message that is not sound: with the status of the first check that fails."""
        if length < _HEADER or room < _STATUS_REPLY:
            self.unanswerable += 1
            return -1
        reply[0] = request[0]
        row = self.handle.rows.get(request[0] & _KEY_MASK)
        return self._refuse(reply, _fault(row, request, length) if row else self._unknown(request[0]))

    def _fail(self, request, reply, error):
        reply[0] = request[0]
        return self._refuse(reply, self.status_of(request[0], error))

    def _unknown(self, header):
        if header >> 8 & 3 != TYPE_COMMAND:
            return PROTOCOL_ERROR
        return NOT_FOUND if header >> 10 & 0xFF in self.platform.protocols else NOT_SUPPORTED

    def _refuse(self, reply, status):
        if type(status) is not int or status not in NAMES or status == SUCCESS:
            status = self.status_of(reply[0], TypeError(f"a handler returned {status!r}, no length and no status"))
        self.refused[status] = self.refused.get(status, 0) + 1
        reply[1] = status & _WORD
        return _STATUS_REPLY

    def status_of(self, header, error):
        """Return the status for what a handler has raised.

        What is no Refusal is a mistake: it is counted, and told on the console the first time, as a frontend can
        repeat it.
        """
        if isinstance(error, Refusal):
            return error.status
        self.failures += 1
        self.last_failure = (
            f"agent {self.name!r}, protocol {header >> 10 & 0xFF:#x}, message {header & 0xFF:#x}: {error!r}"
        )
        if not self._logged:
            self._logged = True
            print(f"scmi: {self.last_failure}; answered GENERIC_ERROR. Later ones are only counted, see status().")
        return GENERIC_ERROR

    def row(self):
        """Return the columns of a table for people."""
        refused = ", ".join(f"{NAMES[status]} {count}" for status, count in sorted(self.refused.items()))
        return (
            str(self.id),
            self.name,
            "trusted" if self.trusted else "",
            f"unanswerable {self.unanswerable}",
            f"failures {self.failures}",
            f"events {self.events.sent}, dropped {self.events.dropped}",
            refused,
        )

    def __repr__(self):
        return "agent " + "  ".join(self.row()).rstrip()


def _row(protocol, message, items):
    """Return the Row for a message of a table; `items`: what it may be for, None in the place of what it may not."""
    _, _, _, request, reply, handler, flags, _, _, _, ready = message
    flags_at, reserved = (word_of(request, flags[0]), _WORD & ~flags[1]) if flags else (0, 0)
    id_at = word_of(request, protocol.RESOURCE) if protocol.RESOURCE else 0
    size, least = _HEADER + 4 * payload_words(request), _STATUS_REPLY + 4 * payload_words(reply)
    fits = protocol.fits if request and request[-1].endswith("]") else None
    return Row(size, least, flags_at, reserved, id_at, items if id_at else protocol, handler, ready, fits)


def _fault(row, request, length):
    """Return the status of a message of which something is wrong."""
    if not (row.fits(request, length) if row.fits and length >= row.size else length == row.size):
        return PROTOCOL_ERROR
    if row.flags_at and request[row.flags_at] & row.reserved:
        return INVALID_PARAMETERS
    if row.id_at and request[row.id_at] >= len(row.items):
        return NOT_FOUND
    if row.id_at and row.items[request[row.id_at]] is None:
        return DENIED
    return PROTOCOL_ERROR  # all that is left: there is no room for the reply
