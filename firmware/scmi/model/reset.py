# SPDX-License-Identifier: MIT
"""Reset domains of a platform description. Source: DEN0056F, 3.8.1 and the fields of 3.8.2.5 and 3.8.2.6."""

from hal.compat import const
from scmi.message import ACCESS_STATE
from scmi.model.resource import Resource
from scmi.model.rules import is_integer, items_of, require, require_flag

# Reset states (3.8.2.6): the one that the specification defines, and the bit of those that a platform defines.
COLD_RESET = const(0)
PLATFORM_STATE = const(1 << 31)

_WORD = const(0xFFFFFFFF)


class Reset(Resource):
    """A reset domain as the frontends see it: devices that are reset together.

    `count`: how often it was reset as a whole; `last_state`: the state asked for then, or None; `asserted`: whether
    its signal is held.
    """

    KIND = "reset"
    FORBIDDABLE = (("reset", ACCESS_STATE),)

    def __init__(
        self, name, reset=None, signal=None, latency=None, states=(), asserted=False, forbidden=False, delay=None
    ):
        """Describe a reset domain; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `reset`: function that resets the domain as a whole, called with the reset state.
        `signal`: function that drives the reset signal, called with True to assert it and False to release it; each
        may be left out, then the domain only remembers. What they raise is answered with GENERIC_ERROR. `latency`:
        the most microseconds that a reset takes, None: not known. `states`: reset states besides COLD_RESET, each
        with bit 31 set. `asserted`: whether the signal is held now. `forbidden`: frontends may not reset it.
        `delay`: how long an asynchronous reset takes (`scmi.model.resource`); None: there are none.
        """
        super().__init__(name)
        for what, function in (("reset", reset), ("signal", signal)):
            require(function is None or callable(function), self.subject, f"{what} must be a function of one argument")
        require(
            latency is None or (is_integer(latency) and 0 <= latency < _WORD),
            self.subject,
            "latency must be microseconds that fit 32 bits, or None",
        )
        states = items_of(states, self.subject, "states")
        for state in states:
            require(
                is_integer(state) and PLATFORM_STATE <= state <= _WORD,
                self.subject,
                f"states must be 32 bits with bit 31 set, not {state!r}",
            )
        self.latency = latency
        self.states = (COLD_RESET,) + states
        self.forbidden = ACCESS_STATE if require_flag(forbidden, self.subject, "forbidden") else 0
        self.delay = self.checked_delay(delay)
        self.count = 0
        self.last_state = None
        self._asserted = self._initially_asserted = require_flag(asserted, self.subject, "asserted")
        self._reset = reset
        self._signal = signal
        self._driven_by = None

    @property
    def asserted(self):
        """Whether the reset signal is held; at the prompt it may be set."""
        return self._asserted

    @asserted.setter
    def asserted(self, asserted):
        self.drive(require_flag(asserted, self.subject, "asserted"), 0)

    def drive(self, asserted, agent):
        """Assert or release the signal for the agent with id `agent`, 0 being the platform."""
        if self._signal is not None:
            self._signal(asserted)
        self._asserted = asserted
        self._driven_by = agent
        if asserted:
            self.announce("issued", agent, COLD_RESET)

    def reset(self, state=COLD_RESET, agent=0):
        """Reset the domain as a whole, after which its signal is released; `state`: one of `states`; `agent`: the id
        of the agent that wants it, 0: the platform."""
        require(state in self.states, self.subject, f"state {state!r} must be one of {self.states!r}")
        if self._reset is not None:
            self._reset(state)
        self.count += 1
        self.last_state = state
        self._asserted = False
        self._driven_by = agent
        self.announce("issued", agent, state)

    def restore(self, agent):
        """Go back to the signal of the description; a reset that has happened stays so."""
        if self._driven_by == agent and self._asserted != self._initially_asserted:
            self.drive(self._initially_asserted, 0)

    def row(self):
        """Return the columns of a table for people."""
        return (str(self.id), self.name, "asserted" if self._asserted else "released", f"{self.count} resets")

    def __repr__(self):
        return "reset " + "  ".join(self.row())
