# SPDX-License-Identifier: MIT
"""What everything in a platform description has in common that agents can use and be told about."""

from scmi.model.rules import is_integer, items_of, require, require_name


class Resource:
    """Something with a name that a protocol serves.

    `id`: its number on the wire, given by the platform. `forbidden`: bits of what agents may not change
    (`scmi.message`); `FORBIDDABLE`: (name, bit) of what that can be. `devices`: ids of the devices that it belongs to.
    `delay`: how long a request for a delayed response takes: None: there are none, whole milliseconds, or a function
    that is called with a function `finish()` and has it called when the hardware is done. `observer`: the protocol that
    some agent wants notifications from.
    """

    KIND = "resource"
    FORBIDDABLE = ()
    forbidden = 0
    delay = None

    def __init__(self, name):
        """`name`: 1 to 63 bytes; DescriptionError otherwise."""
        self.subject = f"{self.KIND} {name!r}"
        require_name(name, self.subject)
        self.name = name
        self.id = None
        self.devices = ()
        self._turns = 0  # calls of the hardware begun; one more than one's own: a message came in between at the prompt
        self.observer = None  # in the object, not in its class, where every setting would look for it at length

    def can_tell(self, what):
        """Return whether the notification `what` can be subscribed to."""
        return True

    def announce(self, what, agent, *details):
        """Tell who wants to know that `what` has happened here, caused by the agent with id `agent` (0: the platform).

        `details` depend on `what`; a number as the first tells apart events of which none may replace another.
        """
        if self.observer:
            self.observer.tell(self, what, agent, details)

    def begin_telling(self):
        """Somebody has subscribed to a notification: do what it takes to notice what is to be announced."""

    def restore(self, agent):
        """Undo what the agent with id `agent` has set, as far as no other agent has set it since."""

    def checked_delay(self, delay):
        """Return `delay` if it is one; DescriptionError otherwise."""
        holds = delay is None or callable(delay) or (is_integer(delay) and 0 <= delay < 1 << 29)
        require(holds, self.subject, f"delay must be None, whole milliseconds or a function, not {delay!r}")
        return delay

    def checked_forbidden(self, forbidden):
        """Return what frontends may not change as bits; `forbidden`: names, or "all"; DescriptionError otherwise."""
        known = [name for name, _ in self.FORBIDDABLE]
        rule = f"a list of {', '.join(known)}, or 'all'"
        names = known if forbidden == "all" else items_of(forbidden, self.subject, "forbidden", rule)
        for name in names:
            require(name in known, self.subject, f"forbidden must be {rule}, not {name!r}")
        return sum(bit for name, bit in self.FORBIDDABLE if name in names)

    def forbidden_names(self):
        """Return the names of what frontends may not change."""
        return [name for name, bit in self.FORBIDDABLE if self.forbidden & bit]
