# SPDX-License-Identifier: MIT
"""What several agents want of something that they share. Source: DEN0056F, 3.3.1 for power domains; the same for clocks
and voltages, which stay on while anyone wants them to."""


class Votes:
    """One vote an agent, of which the least is granted: `wanted` {agent id: vote}.

    Without votes it is as in the description. What the platform itself sets holds until an agent votes again; a vote
    that is taken back does not undo it.
    """

    def __init__(self, initial):
        """`initial`: what is granted as long as nobody votes."""
        self.wanted = {}
        self._initial = initial
        self._overruled = False

    def overrule(self):
        """Note that the platform itself has set what holds."""
        self._overruled = True

    def cast(self, agent, vote, enter):
        """Have the agent with id `agent` want `vote`, None: nothing any more, and call `enter(granted)`.

        What `enter` raises is raised here, and leaves the votes as they were.
        """
        before = self.wanted.get(agent), self._overruled
        self._put(agent, vote)
        if vote is not None:
            self._overruled = False
        try:
            if not self._overruled:
                enter(min(self.wanted.values()) if self.wanted else self._initial)
        except Exception:
            self._put(agent, before[0])
            self._overruled = before[1]
            raise

    def row(self, names):
        """Return a column of a table for people; `names`: of the votes, which are its indices."""
        return ", ".join(f"agent {agent} wants {names[self.wanted[agent]]}" for agent in sorted(self.wanted))

    def _put(self, agent, vote):
        if vote is None:
            self.wanted.pop(agent, None)
        else:
            self.wanted[agent] = vote
