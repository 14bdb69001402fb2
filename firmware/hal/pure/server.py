# SPDX-License-Identifier: MIT
"""Answering chains with a function, and replies that are kept ready."""

from struct import pack_into, unpack_from

from hal.compat import byteview
from hal.pure.arguments import WORD, integer, writable
from hal.pure.chain import Chain
from hal.pure.codes import BROKEN, EMPTY, FAILED, MALFORMED, TAKEN, UNANSWERED
from hal.pure.queue import Queue


class Server:
    """Called, answers one chain of `queue`, if one waits, with `handle(request, readable, reply, writable) -> written`.

    `request`, `reply`: buffers, used again for every chain; the rest are bytes. `interrupt()` is called if the driver
    wants one. What is no answer goes back empty, and to `report(code)`: MALFORMED, BROKEN (none goes back), UNANSWERED
    (`written` is negative), FAILED (`handle` raised, or wrote more than fits; `error` has the exception).
    `returned`: chains. `handle` may put the chain aside: it sets `chain` to another one and returns None, and
    `queue.push()` has to return the old one some time. `handle` may be set at any time.
    """

    def __init__(self, queue, chain, request, reply, handle, interrupt, report):
        if not isinstance(queue, Queue):
            raise TypeError("not a queue")
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        writable(request)
        byteview(reply)
        if not (callable(handle) and callable(interrupt) and callable(report)):
            raise TypeError("not callable")
        self.queue = queue
        self._chain = chain
        self._request = request
        self._reply = reply
        self._handle = handle
        self._interrupt = interrupt
        self._report = report
        self.returned = 0
        self.error = None

    @property
    def chain(self):
        """What a request is taken into."""
        return self._chain

    @chain.setter
    def chain(self, chain):
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        self._chain = chain

    def _set_handle(self, handle):
        if not callable(handle):
            raise AttributeError("not callable")
        self._handle = handle

    handle = property(None, _set_handle)

    def __call__(self):
        found = self.queue.pop(self._chain, self._request)
        if found == TAKEN:
            found = self._answer_protected()
        elif found == MALFORMED:
            self._return_empty()
        if found not in (EMPTY, BROKEN):
            self.returned += 1
            if self.queue.signal():
                self._interrupt()
        if found not in (EMPTY, TAKEN):
            self._report(found)

    def _answer_protected(self):
        try:
            return self._answer()
        except Exception as error:
            self._return_empty()
            self.error = error
            return FAILED
        except BaseException:
            self._return_empty()
            raise

    def _answer(self):
        chain = self._chain
        written = self._handle(self._request, chain.readable, self._reply, chain.writable)
        if written is None and self._chain is not chain:
            return EMPTY
        if isinstance(written, int) and written < 0:
            self.queue.push(chain, 0)
            return UNANSWERED
        self.queue.push(chain, written, self._reply)
        return TAKEN

    def _return_empty(self):
        if self._chain._queue is self.queue:
            self.queue.push(self._chain, 0)


class Answer:
    """A message kept ready: called with (head, buffer), it copies the message into `buffer`, `head` as its first word.

    `message`: bytes to start with, at least 4; then pairs of an offset, a multiple of 8, and a function. What the
    function returns at each call, a whole number, is stored there with 64 bits.
    """

    def __init__(self, message, *sources):
        self._message = bytearray(byteview(message))
        if len(self._message) < 4 or len(sources) % 2:
            raise ValueError("no head, or an offset without its function")
        self._sources = tuple((sources[at], sources[at + 1]) for at in range(0, len(sources), 2))
        for at, function in self._sources:
            self._check(at)
            if not callable(function):
                raise TypeError("not callable")

    def _check(self, at):
        if integer(at) % 8 or not 0 <= at <= len(self._message) - 8:
            raise ValueError("a number does not fit there")

    def store(self, at, number):
        """Have the message hold `number` with 64 bits at offset `at`, a multiple of 8, from now on."""
        self._check(at)
        pack_into("<Q", self._message, at, integer(number) & 0xFFFFFFFFFFFFFFFF)

    def load(self, at):
        """Return the number of 64 bits at offset `at`, without sign, that the message holds."""
        self._check(at)
        return unpack_from("<Q", self._message, at)[0]

    def __call__(self, head, buffer):
        head = integer(head) & WORD
        for at, function in self._sources:
            pack_into("<Q", self._message, at, integer(function()) & 0xFFFFFFFFFFFFFFFF)
        view = writable(buffer)  # not before: a function may have resized it
        if len(view) < len(self._message):
            raise ValueError("more bytes than the buffer has")
        view[: len(self._message)] = self._message
        pack_into("<I", view, 0, head)
