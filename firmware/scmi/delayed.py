# SPDX-License-Identifier: MIT
"""Requests that are answered twice: at once that they have been accepted, later with their outcome.

Source: DEN0056F, 3.1.1 "Asynchronous commands". Such a request is open until its delayed response is sent, or until the
frontend begins a new life, which forgets it. An agent has at most `MAX_OPEN` of them, and gets BUSY for more.
"""

from hal.compat import const
from scmi.status import BUSY, NOT_SUPPORTED, SUCCESS

MAX_OPEN = const(8)

_WORD = const(0xFFFFFFFF)


class Delayed:
    """The open requests of one agent."""

    def __init__(self, agent):
        self._agent = agent
        self._open = []

    def __len__(self):
        return len(self._open)

    def forget(self):
        """Forget all of them. What hardware has begun goes on; nobody hears of it."""
        self._open = []

    def begin(self, header, delay, finish, silent=False):
        """Open the request with `header`; return the length of the reply that accepts it, or the status that does not.

        `delay` as in `scmi.model.resource`. `finish()` does then what was asked for; it returns the payload of the
        delayed response as a tuple of words, a negative status, or None if there is to be no response. `silent`: the
        agent does not want the response; what fails then is an error of the platform (`scmi.protocols.base`).
        """
        if delay is None or not self._agent.hears:
            return NOT_SUPPORTED
        if len(self._open) + self._agent.events.responses >= MAX_OPEN:
            return BUSY
        request = [header, finish, silent]
        self._open.append(request)

        def done():
            self._finish(request)

        try:
            if callable(delay):
                delay(done)
            else:
                self._agent.platform.after(delay, done)
        except Exception:
            self._drop(request)
            raise
        return 8

    def _drop(self, request):
        """Take `request` off; return whether it was still open."""
        for at, other in enumerate(self._open):
            if other is request:
                self._open.pop(at)
                return True
        return False

    def _finish(self, request):
        """Send the response; a second call for the same request, or one after its life, does nothing."""
        if not self._drop(request):
            return
        header, finish, silent = request
        try:
            outcome = finish()
        except Exception as error:
            outcome = self._agent.status_of(header, error)
            if silent:
                self._agent.platform.report_error(self._agent.id, commands=((header, outcome),))
        if silent or outcome is None:
            return
        words = (outcome & _WORD,) if isinstance(outcome, int) else (SUCCESS,) + tuple(outcome)
        self._agent.events.respond(header, words)
