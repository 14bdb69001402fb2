# SPDX-License-Identifier: MIT
"""Power domains of a platform description. Source: DEN0056F, 3.3.1 and the fields of 3.3.2.5 to 3.3.2.10.

Several agents share a domain: each has one vote, and the domain is in the state nearest to "on" that any of them wants.
"""

from hal.compat import const
from scmi.message import ACCESS_STATE
from scmi.model.resource import Resource
from scmi.model.rules import is_integer, items_of, require, require_flag, require_name
from scmi.model.usage import Usage
from scmi.model.votes import Votes

# power_state (3.3.2.6): bit 30 says that the context is lost, bits 27:0 are the id; id 0 is on, or off without context.
_ON = const(0)
_OFF = const(1 << 30)
_STATE_BITS = const(0x4FFFFFFF)


class PowerDomain(Resource):
    """A power domain as the frontends see it. `usage`: what it has counted (`scmi.model.usage`), or None."""

    KIND = "power domain"
    FORBIDDABLE = (("state", ACCESS_STATE),)

    def __init__(self, name, state="on", states=(), fixed=False, change=None, delay=None):
        """Describe a power domain; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `state`: the name of its state until an agent asks for one. `states`: what it has between
        "on" and "off", as (name, power_state word) from the one nearest to "on" to the one nearest to "off". `fixed`:
        frontends may not change its state. `change`: `change(domain, state)` is called with the name of the new state
        before the domain counts as being in it; what it raises leaves everything as it was, and the frontend is
        answered GENERIC_ERROR. `delay`: how long an asynchronous change takes (`scmi.model.resource`); None: there are
        none.
        """
        super().__init__(name)
        require(
            change is None or callable(change), self.subject, "change must be a function of the domain and its state"
        )
        self.fixed = require_flag(fixed, self.subject, "fixed")
        self.forbidden = ACCESS_STATE if self.fixed else 0
        self.states, self._words = self._checked_states(states)
        self._change = change
        self.delay = self.checked_delay(delay)
        self._depth = self._depth_named(state)
        self._votes = Votes(self._depth)
        self.usage = None

    def _checked_states(self, states):
        names, words = ["on"], [_ON]
        form = "(name, power_state word)"
        for state in items_of(states, self.subject, "states"):
            parts = items_of(state, self.subject, "a state of states", form)
            require(len(parts) == 2, self.subject, f"a state of states must be {form}, not {state!r}")
            name, word = parts
            require_name(name, self.subject)
            holds = is_integer(word) and word & ~_STATE_BITS == 0
            require(holds, self.subject, f"power_state of {name!r} may have bit 30 and bits 27 to 0, not {word!r}")
            names.append(name)
            words.append(word)
        names, words = tuple(names) + ("off",), tuple(words) + (_OFF,)
        require(len(set(names)) == len(names), self.subject, "states must have different names, and not 'on' or 'off'")
        holds = len(set(words)) == len(words)
        require(holds, self.subject, f"states must have different words, and not {_ON:#x} (on) or {_OFF:#x} (off)")
        return names, words

    def _depth_named(self, state):
        require(state in self.states, self.subject, f"state must be one of {', '.join(self.states)}, not {state!r}")
        return self.states.index(state)

    @property
    def state(self):
        """The name of its state. What it is set to at the prompt holds until an agent asks for one again."""
        return self.states[self._depth]

    @state.setter
    def state(self, state):
        self._enter(self._depth_named(state), 0)
        self._votes.overrule()

    @property
    def word(self):
        """Its state as a power_state word."""
        return self._words[self._depth]

    @property
    def wanted(self):
        """{agent id: name of the state that it wants} of the agents that have asked for one."""
        return {agent: self.states[depth] for agent, depth in self._votes.wanted.items()}

    def depth(self, word):
        """Return how far from "on" the state with power_state `word` is, 0 being "on", or None if it has no such
        state."""
        return self._words.index(word) if word in self._words else None

    def vote(self, agent, depth):
        """Have the agent with id `agent` want the state at `depth` from now on; None: no longer any.

        What `change` raises is raised here, and leaves everything as it was.
        """
        self._votes.cast(agent, depth, lambda granted: self._enter(granted, agent))
        if depth is not None and depth != self._depth:
            self.announce("requested", agent, self._words[depth])

    def restore(self, agent):
        """Take the vote of the agent with id `agent` back."""
        self.vote(agent, None)

    def _enter(self, depth, agent):
        if depth == self._depth:
            return
        turn = -1
        while self._change and turn != self._turns:  # again if a message had it enter another one meanwhile
            self._turns = turn = self._turns + 1
            self._change(self, self.states[depth])
        self._depth = depth
        if self.usage is not None:
            self.usage.enter(depth)
        self.announce("state", agent)

    @property
    def state_count(self):
        """How many states it has."""
        return len(self.states)

    def count(self, clock):
        """Count transitions and time from now on; `clock()` returns microseconds. Return its Usage."""
        if self.usage is None:
            self.usage = Usage(self.state_count, self._depth, clock)
        return self.usage

    def row(self):
        """Return the columns of a table for people."""
        votes = self._votes.row(self.states)
        return (str(self.id), self.name, self.state, "fixed" if self.fixed else "", votes)

    def __repr__(self):
        return "power domain " + "  ".join(self.row()).rstrip()
