# SPDX-License-Identifier: MIT
"""The serving callback, interrupts, latches and echoes. Nobody schedules the callback here: `run_pending()` does."""

from hal.compat import const
from hal.pure import lookout as lookouts
from hal.pure.arguments import integer
from hal.pure.bell import Bell, Hypercall
from hal.pure.window import word64_at, word_at

ECHO_SLOTS = const(8)
LATCHES = const(4)


class _Service:
    """What the C module keeps in static memory: the serving callback and the interrupts that schedule it."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.callback = None
        self.pending = False
        self.serving = False
        self.attached = set()
        self.echoes = [None] * ECHO_SLOTS
        self.latches = [None] * LATCHES
        self.faults = 0
        self.fault = None
        self.lookout = None


_service = _Service()


def serve(callback):
    """Have `callback(None)` run after `notify()` and after attached interrupts, `callback(True)` after the timer.

    None: nothing any more.

    An exception that leaves it is counted (`faults()`), kept (`fault()`) and, the first time, printed; later calls
    come.
    """
    if callback is not None and not callable(callback):
        raise TypeError("not callable")
    _service.callback = callback
    _service.faults = 0
    _service.fault = None


def notify():
    """Have the serving callback run (again) soon."""
    _service.pending = True


def serving():
    """Does the serving callback run now?"""
    return _service.serving


def faults():
    """Return how many exceptions have left the serving callback since `serve()`."""
    return _service.faults


def fault():
    """Return the last exception that has left the serving callback, or None."""
    return _service.fault


def run_pending():
    """Run the serving callback if it is due; return whether it was. (For `_hal` MicroPython's scheduler does it.)"""
    if not _service.pending or _service.serving:
        return False
    _service.pending = False
    if _service.callback is None:
        return False
    _service.serving = True
    try:
        _service.callback(None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _note_fault(error)
    finally:
        _service.serving = False
    return True


def _note_fault(error):
    _service.faults += 1
    _service.fault = error
    if _service.faults == 1:
        print("trapless: the serving callback failed:", _describe(error))


def _describe(error):
    try:
        return repr(error)
    except BaseException:
        return "(it cannot be printed)"


def _intid(intid):
    if not 16 <= integer(intid) < 1020:
        raise ValueError("interrupt id is not in 16 .. 1019")
    return intid


def irq_attach(intid, edge):
    """Enable interrupt `intid` (GIC INTID), edge or level triggered: it schedules the serving callback."""
    _service.attached.add(_intid(intid))


def irq_detach(intid):
    """Disable interrupt `intid`."""
    _service.attached.discard(_intid(intid))


def interrupt(intid):
    """Do what arrival of interrupt `intid` does: take the latches, answer the echoes, schedule the callback."""
    if _intid(intid) in _service.attached:
        for latched in _service.latches:
            if latched is not None:
                window, off = latched
                window.w64(off, 0)
        for slot in _service.echoes:
            if slot is not None:
                slot.answer()
        notify()


class _Echo:
    def __init__(self, request, request_off, reply, reply_off, ring):
        for window, off in ((request, request_off), (reply, reply_off)):
            word_at(window, off)
        if ring is not None and not isinstance(ring, (Bell, Hypercall)):
            raise TypeError("neither a Bell nor a Hypercall")
        self._request, self._request_off = request, request_off
        self._reply, self._reply_off = reply, reply_off
        self._ring = ring
        self._seen = request.load_acquire(request_off)

    def answer(self):
        word = self._request.load_acquire(self._request_off)
        if word == self._seen:
            return
        self._seen = word
        self._reply.store_release(self._reply_off, word)
        if self._ring is not None:
            self._ring()


def _echo_slot(slot):
    if not 0 <= integer(slot) < ECHO_SLOTS:
        raise IndexError("no such echo slot")
    return slot


def echo(slot, request, request_off, reply, reply_off, ring):
    """Answer at interrupt level: a new word at `request` is stored at `reply`, then the peer is rung.

    Both are Windows with offsets of 32-bit words; `ring` is a Bell, a Hypercall or None. `slot`: 0 to ECHO_SLOTS - 1.
    """
    _service.echoes[_echo_slot(slot)] = _Echo(request, request_off, reply, reply_off, ring)


def echo_off(slot):
    """Stop the echo of `slot`."""
    _service.echoes[_echo_slot(slot)] = None


def _latch_slot(slot):
    if not 0 <= integer(slot) < LATCHES:
        raise IndexError("no such latch")
    return slot


def latch(slot, window, off):
    """Have every attached interrupt exchange the 64-bit word at `off` for 0 before anything else, in order of slots.

    For what the interrupting side sets, and must find cleared before it interrupts again. `slot`: 0 to LATCHES - 1.
    """
    word64_at(window, off)
    _service.latches[_latch_slot(slot)] = (window, off)


def latch_off(slot):
    """Leave the word of `slot` alone from now on."""
    _service.latches[_latch_slot(slot)] = None


def timer(ms):
    """Schedule the serving callback once, `ms` milliseconds from now; 0: not any more. (Here nobody counts.)"""
    if integer(ms) < 0:
        raise ValueError("negative time")


def lookout(watch, shortest, longest, patience):
    """Look at interrupt level whether a Watch has work, and schedule the serving callback then; None: no more.

    The first look comes after `shortest` ms, and each one as many after one that found work, or after one while the
    callback runs. After `patience` looks that found nothing the distance doubles from look to look, up to `longest` ms.
    """
    _service.lookout = lookouts.made(watch, shortest, longest, patience, serving, notify)


def look():
    """Look once, as the timer would; return in how many ms it would look again, 0: it does not look. For tests."""
    return 0 if _service.lookout is None else _service.lookout.look()
