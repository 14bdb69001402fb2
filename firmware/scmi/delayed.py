# SPDX-License-Identifier: MIT
"""Requests that are answered twice: at once that they have been accepted, later with their outcome.

Source: DEN0056F, 3.1.1 "Asynchronous commands". Such a request is open until its delayed response is sent, or until the
frontend begins a new life, which forgets it. An agent has at most `MAX_OPEN` of them, and gets BUSY for more.
"""

from hal.compat import const
from scmi.status import BUSY, NOT_SUPPORTED, SUCCESS

MAX_OPEN = const(8)

# Those counted that earlier lives of the frontend have begun and that the hardware is not done with: each takes memory.
MAX_BEGUN = const(4 * MAX_OPEN)

_WORD = const(0xFFFFFFFF)


class Delayed:
    """The open requests of one agent."""

    def __init__(self, agent):
        self._agent = agent
        self._open = []
        self._begun = []

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
        busy = len(self._open) + self._agent.events.responses >= MAX_OPEN or len(self._begun) >= MAX_BEGUN
        if busy:
            return BUSY
        request = _Request(header, finish, silent)
        self._open.append(request)
        self._begun.append(request)

        def done():
            _drop(self._begun, request)
            self._finish(request)

        try:
            if callable(delay):
                delay(done)
            else:
                self._agent.platform.after(delay, done)
        except Exception:
            _drop(self._begun, request)
            _drop(self._open, request)
            raise
        return 8

    def _finish(self, request):
        """Send the response; a second call for the same request, or one after its life, does nothing."""
        life = self._open
        if not _drop(life, request):
            return
        header = request.header
        try:
            outcome = request.finish()
        except Exception as error:
            outcome = self._agent.status_of(header, error)
            if request.silent:
                self._agent.platform.report_error(self._agent.id, commands=((header, outcome),))
        if request.silent or outcome is None or life is not self._open:
            return
        words = (outcome & _WORD,) if isinstance(outcome, int) else (SUCCESS,) + tuple(outcome)
        self._agent.events.respond(header, words)


class _Request:
    """A request that is open; as an object that is equal to no other one."""

    def __init__(self, header, finish, silent):
        self.header = header
        self.finish = finish
        self.silent = silent


def _drop(requests, request):
    """Take `request` off, in one step, as the prompt may be interrupted; return whether it was there."""
    try:
        requests.remove(request)
    except ValueError:
        return False
    return True
