# SPDX-License-Identifier: MIT
"""The power state of a whole system. Source: DEN0056F, 3.4.1 and the fields of 3.4.2.5 and 3.4.3.1.

What an agent asks for is carried out by the `change` function of the description; without one it is only noted, for a
person at the prompt or a script to act on. What the platform wants of its agents is told by `ask`.
"""

from hal.compat import const
from scmi.model.resource import Resource
from scmi.model.rules import is_integer, names_of, require, require_flag

# system_state (3.4.2.5); the index is the number. From 5 on they are reserved, those with bit 31 are the vendor's.
_STATES = ("shutdown", "cold-reset", "warm-reset", "power-up", "suspend")
_POWER_UP = const(3)
_VENDOR = const(1 << 31)


class SystemPower(Resource):
    """The power state of the system.

    `state` now; `agent`: id of the agent that asked for it, 0 if it was the platform, None if nobody did; `graceful`:
    whether that was to be done gracefully; `requests`: how many agents have made.
    """

    def __init__(self, states=("shutdown", "cold-reset", "warm-reset", "suspend"), change=None):
        """Describe it; DescriptionError if a rule is broken.

        `states`: what frontends may ask for, of "shutdown", "cold-reset", "warm-reset", "power-up" and "suspend".
        `change`: `change(system, state, graceful)` is called with the name of a state that an agent asks for, before
        the system counts as being in it; what it raises leaves everything as it was, and the frontend is answered
        GENERIC_ERROR.
        """
        super().__init__("system")
        self.subject = "system power"
        self.id = 0
        states = names_of(states, self.subject, "states")
        for state in states:
            self._number(state)
        require(
            change is None or callable(change),
            self.subject,
            "change must be a function of the system, its state and whether that is graceful",
        )
        self.states = states
        self._change = change
        self.number = _POWER_UP
        self.agent = None
        self.graceful = False
        self.requests = 0

    def _number(self, state):
        require(state in _STATES, self.subject, f"a state must be one of {', '.join(_STATES)}, not {state!r}")
        return _STATES.index(state)

    @property
    def state(self):
        """The name of the state. Setting it at the prompt tells what has become of the request; nothing is called."""
        return _STATES[self.number]

    @state.setter
    def state(self, state):
        self.number = self._number(state)
        self.agent = None
        self.graceful = False

    def is_known(self, number):
        """Return whether `number` is a state at all, of this system or of another, rather than reserved."""
        return number < len(_STATES) or number & _VENDOR != 0

    def supports(self, number):
        """Return whether frontends may ask for state `number`."""
        return number < len(_STATES) and _STATES[number] in self.states

    def request(self, agent, number, graceful):
        """Carry out what the agent with id `agent` asks for: state `number`, one that is supported."""
        if self._change:
            self._change(self, _STATES[number], graceful)
        self._tell(agent, number, graceful, 0)
        self.requests += 1

    def ask(self, state, graceful=True, timeout=0):
        """Ask the frontends to bring the system into `state`, of `states`; those who have subscribed are told.

        `timeout`: milliseconds until the platform does it in any case, as a graceful shutdown tells; 0: it waits. Linux
        6.12 has its user space shut down or restart when it is told, and tries to suspend; one that cannot takes no
        further request. What is not to be done gracefully it lets pass.
        """
        number = self._number(state)
        require(self.supports(number), self.subject, f"state must be one of {', '.join(self.states)}, not {state!r}")
        holds = is_integer(timeout) and 0 <= timeout < 1 << 32
        require(holds, self.subject, f"timeout must be whole milliseconds that fit 32 bits, not {timeout!r}")
        self._tell(0, number, require_flag(graceful, self.subject, "graceful"), timeout)

    def _tell(self, agent, number, graceful, timeout):
        self.number = number
        self.agent = agent
        self.graceful = graceful
        self.announce("state", agent, graceful, timeout)

    def row(self):
        """Return the columns of a table for people."""
        how = "gracefully" if self.graceful else "at once"
        who = f"agent {self.agent}" if self.agent else "the platform"
        asked = "" if self.agent is None else f"asked for by {who}, {how}"
        return (self.state, asked)

    def __repr__(self):
        return "system  " + "  ".join(self.row()).rstrip()
