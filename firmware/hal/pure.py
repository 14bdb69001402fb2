# SPDX-License-Identifier: MIT
"""The pure Python twin of the C module `_hal`: same names, same behaviour, held against it by tests/unit/hal.

It runs where the C module is missing (CPython) and is the readable form of what that module does. The split virtqueue
follows the virtio 1.3 specification, 2.7; clauses are named where they are checked.

What differs: a `Window` takes a buffer only, not an address; barriers do nothing, because one interpreter thread sees
its own stores in order; and the serving callback has nobody to schedule it, so that `run_pending()` does.
"""

from struct import pack_into, unpack_from

from hal.compat import byteview, const

try:
    from os import urandom as _urandom
except ImportError:
    _urandom = None

EMPTY = const(0)
TAKEN = const(1)
MALFORMED = const(2)
BROKEN = const(3)
# What a Server reports besides MALFORMED and BROKEN.
UNANSWERED = const(4)
FAILED = const(5)

# SplitQueue.reason. Up to REASON_TABLE: one chain is malformed; from REASON_INDEX on: the ring is broken.
REASON_NONE = const(0)
REASON_TOO_LONG = const(1)
REASON_NEXT = const(2)
REASON_ADDRESS = const(3)
REASON_ORDER = const(4)
REASON_UNNEGOTIATED = const(5)
REASON_NESTED = const(6)
REASON_INDIRECT_NEXT = const(7)
REASON_TABLE = const(8)
REASON_INDEX = const(9)
REASON_HEAD = const(10)
REASON_TWICE = const(11)

QUEUE_SIZE_MAX = const(256)
ECHO_SLOTS = const(8)

_NEXT = const(1)  # VIRTQ_DESC_F_NEXT
_WRITE = const(2)  # VIRTQ_DESC_F_WRITE
_INDIRECT = const(4)  # VIRTQ_DESC_F_INDIRECT
_NO_INTERRUPT = const(1)  # VIRTQ_AVAIL_F_NO_INTERRUPT
_NO_NOTIFY = const(1)  # VIRTQ_USED_F_NO_NOTIFY
_DESC_SIZE = const(16)
_WORD = 0xFFFFFFFF


def mb():
    """Full barrier: earlier loads and stores before later ones."""


def rmb():
    """Load barrier: earlier loads before later loads."""


def wmb():
    """Store barrier: earlier stores before later stores."""


def dsb():
    """Completion barrier, before a doorbell: earlier stores are visible to the peer."""


def _integer(value):
    if not isinstance(value, int):
        raise TypeError("integer expected")
    return value


def _writable(buf):
    view = byteview(buf)
    view[0:0] = b""  # raises TypeError for a read-only buffer
    return view


def _count(n, view):
    """Return how many bytes a copy moves: `n`, or all of `view`. ValueError if the buffer does not have them."""
    if n is None:
        return len(view)
    if not 0 <= _integer(n) <= len(view):
        raise ValueError("more bytes than the buffer has")
    return n


class Window:
    """Bounds-checked little-endian access to `size` bytes of a writable buffer.

    Offsets are in bytes: IndexError outside the window, ValueError where an access is not naturally aligned. Values are
    unsigned; stores keep the low bits. The source must not be resized while a window on it lives.
    """

    def __init__(self, source, size):
        if isinstance(source, int):
            raise TypeError("an address needs the C module; give a buffer")
        view = _writable(source)
        if not 0 < _integer(size) <= len(view):
            raise ValueError("window size is 0 or beyond the end of its source")
        self._source = source
        self._view = view[:size]
        self.size = size
        self.address = 0

    def _at(self, off, n):
        if not 0 <= _integer(off) <= self.size - n:
            raise IndexError("outside the window")
        return off

    def _aligned(self, off, n):
        self._at(off, n)
        if off & (n - 1):
            raise ValueError("access is not naturally aligned")
        return off

    def _load(self, code, off, n):
        return unpack_from(code, self._view, self._aligned(off, n))[0]

    def _store(self, code, off, n, value):
        pack_into(code, self._view, self._aligned(off, n), _integer(value) & ((1 << (8 * n)) - 1))

    def r8(self, off):
        """Load 8 bits."""
        return self._load("<B", off, 1)

    def r16(self, off):
        """Load 16 bits."""
        return self._load("<H", off, 2)

    def r32(self, off):
        """Load 32 bits."""
        return self._load("<I", off, 4)

    def r64(self, off):
        """Load 64 bits."""
        return self._load("<Q", off, 8)

    def w8(self, off, value):
        """Store 8 bits."""
        self._store("<B", off, 1, value)

    def w16(self, off, value):
        """Store 16 bits."""
        self._store("<H", off, 2, value)

    def w32(self, off, value):
        """Store 32 bits."""
        self._store("<I", off, 4, value)

    def w64(self, off, value):
        """Store 64 bits."""
        self._store("<Q", off, 8, value)

    def load_acquire(self, off):
        """Load 32 bits; later accesses stay behind it."""
        return self.r32(off)

    def store_release(self, off, value):
        """Store 32 bits; earlier accesses stay before it."""
        self.w32(off, value)

    def add_release(self, off, n):
        """Add `n` to 32 bits, modulo 2^32, with release; return the new value."""
        value = (self.r32(off) + _integer(n)) & _WORD
        self.w32(off, value)
        return value

    def read(self, off, buf, n=None):
        """Copy `n` bytes (default: as many as `buf` has) from the window to the start of `buf`."""
        view = _writable(buf)
        n = _count(n, view)
        self._at(off, n)
        view[:n] = self._view[off : off + n]

    def write(self, off, buf, n=None):
        """Copy the first `n` bytes of `buf` (default: all) into the window."""
        view = byteview(buf)
        n = _count(n, view)
        self._at(off, n)
        self._view[off : off + n] = view[:n]

    def fill(self, off, n, byte):
        """Set `n` bytes to the low 8 bits of `byte`."""
        byte = _integer(byte) & 0xFF
        if _integer(n) < 0:
            raise ValueError("negative length")
        self._at(off, n)
        for i in range(off, off + n):
            self._view[i] = byte

    def window(self, off, size):
        """Return a window on `size` bytes of this one, from a multiple of 8 on."""
        if _integer(size) <= 0:
            raise ValueError("window size is 0 or beyond the end of its source")
        self._at(off, size)
        if off & 7:
            raise ValueError("access is not naturally aligned")
        inner = Window(self._view[off : off + size], size)
        inner.address = self.address + off
        return inner


class Chain:
    """One descriptor chain: room for `max_segments` segments (1 to QUEUE_SIZE_MAX), used again for every `pop`.

    `head`: descriptor index; `readable`, `writable`: bytes of the two parts; `segments`: how many descriptors carry
    them.
    """

    def __init__(self, max_segments):
        if not 0 < _integer(max_segments) <= QUEUE_SIZE_MAX:
            raise ValueError("a chain has 1 to 256 segments")
        self._max = max_segments
        self._queue = None
        self.head = 0
        self._clear()

    def _clear(self):
        self._readable = []
        self._writable = []
        self.readable = 0
        self.writable = 0
        self.segments = 0

    def _add(self, writable, start, length):
        if writable:
            self._writable.append((start, length))
            self.writable += length
        else:
            self._readable.append((start, length))
            self.readable += length
        self.segments += 1

    def _overlap(self, segments, off, n):
        """Yield (pool offset, length) of the pieces of bytes off .. off + n - 1 of a part."""
        for start, length in segments:
            skip = min(off, length)
            off -= skip
            piece = min(n, length - skip)
            n -= piece
            if piece:
                yield start + skip, piece

    def read(self, off, buf, n):
        """Copy up to `n` bytes of the readable part, from its byte `off` on, into `buf`; return how many."""
        view = _writable(buf)
        return self._read(off, view, _count(n, view))

    def write(self, off, buf, n):
        """Copy up to `n` bytes of `buf` into the writable part, from its byte `off` on; return how many."""
        view = byteview(buf)
        return self._write(off, view, _count(n, view))

    def _read(self, off, view, n):
        if _integer(off) < 0:
            raise IndexError("outside the chain")
        done = 0
        for start, length in self._overlap(self._readable, off, n):
            view[done : done + length] = self._queue._bytes[start : start + length]
            done += length
        return done

    def _write(self, off, view, n):
        if _integer(off) < 0:
            raise IndexError("outside the chain")
        done = 0
        for start, length in self._overlap(self._writable, off, n):
            self._queue._bytes[start : start + length] = view[done : done + length]
            done += length
        return done


class SplitQueue:
    """The device side of a split virtqueue (virtio 1.3, 2.7) whose rings and buffers lie in `pool`.

    `base` is the driver's address of the pool's first byte; `desc`, `avail`, `used` are the driver's addresses of the
    three areas; `size` is a power of two, at most QUEUE_SIZE_MAX. ValueError if an area is misaligned or not inside
    the pool. `event_idx` and `indirect` say whether VIRTIO_F_EVENT_IDX and VIRTIO_F_INDIRECT_DESC were negotiated.
    """

    def __init__(self, pool, base, size, desc, avail, used, event_idx, indirect):
        if not isinstance(pool, Window):
            raise TypeError("pool is not a Window")
        if not 0 < _integer(size) <= QUEUE_SIZE_MAX or size & (size - 1):
            raise ValueError("queue size is not a power of two from 1 to 256")
        self._pool = pool
        self._bytes = pool._view
        self._base = _integer(base)
        if not 0 <= base <= (1 << 64) - pool.size:
            raise ValueError("the pool does not fit a 64-bit address space")
        self.size = size
        self._desc = self._area(desc, _DESC_SIZE * size, 16)
        self._avail = self._area(avail, 6 + 2 * size, 2)
        self._used = self._area(used, 6 + 8 * size, 4)
        self._event_idx = bool(event_idx)
        self._indirect = bool(indirect)
        self._used_index = 0
        self._signalled = 0
        self._out = [False] * size
        self._broken = False
        self.last_avail = 0
        self.in_flight = 0
        self.reason = REASON_NONE

    def _area(self, address, length, alignment):
        off = _integer(address) - self._base
        if address & (alignment - 1) or off & (alignment - 1):
            raise ValueError("ring area is misaligned")
        if not self._inside(address, length):
            raise ValueError("ring area is not inside the pool")
        return off

    def _inside(self, address, length):
        return self._base <= address and address - self._base + length <= self._pool.size

    def _u16(self, off):
        return unpack_from("<H", self._bytes, off)[0]

    def _avail_index(self):
        return self._u16(self._avail + 2)

    def pending(self):
        """Is a chain waiting? A broken ring has none."""
        return not self._broken and self._avail_index() != self.last_avail

    def pop(self, chain, buf=None):
        """Take the next chain into `chain`; gather its readable bytes into `buf`, up to its size.

        EMPTY; TAKEN; MALFORMED: `chain` has its head and no segment, push it with 0; BROKEN: the ring is violated, and
        stays so. ValueError if `chain` is one of this queue's that was not pushed yet.
        """
        view = None if buf is None else _writable(buf)
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        if chain._queue is self:
            raise ValueError("chain is still out")
        head = self._next_head()
        if head < 0:
            return BROKEN if self._broken else EMPTY
        self._take(chain, head)
        reason = self._walk(chain, head)
        if reason:
            self.reason = reason
            chain._clear()
            return MALFORMED
        if view is not None:
            chain._read(0, view, len(view))
        return TAKEN

    def _next_head(self):
        """Return the next available head, or -1 if there is none or the ring is broken."""
        waiting = (self._avail_index() - self.last_avail) & 0xFFFF
        if self._broken or not waiting:
            return -1
        if waiting > self.size:
            return self._break(REASON_INDEX)
        head = self._u16(self._avail + 4 + 2 * (self.last_avail & (self.size - 1)))
        if head >= self.size:
            return self._break(REASON_HEAD)
        if self._out[head]:
            return self._break(REASON_TWICE)
        return head

    def _break(self, reason):
        self._broken = True
        self.reason = reason
        return -1

    def _take(self, chain, head):
        self._out[head] = True
        self.in_flight += 1
        self.last_avail = (self.last_avail + 1) & 0xFFFF
        chain._clear()
        chain._queue = self
        chain.head = head

    def _walk(self, chain, index):
        """Copy and check each descriptor once (2.7.4, 2.7.5.3); return the reason why the chain is malformed, or 0.

        A chain has at most as many descriptors as the queue, and as `chain` has room for; the one that points to an
        indirect table does not count. An empty descriptor may have any address.
        """
        table, entries, nested = self._desc, self.size, False
        while index < entries:
            address, length, flags, follower = unpack_from("<QIHH", self._bytes, table + _DESC_SIZE * index)
            if flags & _INDIRECT:
                reason = self._check_table(nested, address, length, flags)
                table, entries, index, nested = address - self._base, length // _DESC_SIZE, 0, True
            else:
                reason = self._check_segment(chain, address, length, flags)
                chain._add(flags & _WRITE, address - self._base, length)
                index = follower
            if reason or not flags & (_NEXT | _INDIRECT):
                return reason
        return REASON_NEXT

    def _check_table(self, nested, address, length, flags):
        if not self._indirect:
            return REASON_UNNEGOTIATED
        if nested:
            return REASON_NESTED
        if flags & _NEXT:
            return REASON_INDIRECT_NEXT
        if not length or length % _DESC_SIZE or not self._inside(address, length):
            return REASON_TABLE
        return REASON_NONE

    def _check_segment(self, chain, address, length, flags):
        if chain.segments == min(self.size, chain._max):
            return REASON_TOO_LONG
        if chain._writable and not flags & _WRITE:
            return REASON_ORDER
        if length and not self._inside(address, length):
            return REASON_ADDRESS
        return REASON_NONE

    def push(self, chain, n, buf=None):
        """Return `chain` to the driver with `n` bytes written, after scattering the first `n` bytes of `buf`, if given.

        ValueError if `chain` is not out of this queue, or `n` is more than it has room for, or than `buf` has.
        """
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        if chain._queue is not self:
            raise ValueError("chain is not out of this queue")
        if not 0 <= _integer(n) <= chain.writable:
            raise ValueError("more bytes than the chain has room for")
        if buf is not None:
            view = byteview(buf)
            chain._write(0, view, _count(n, view))
        self._return(chain, n)

    def _return(self, chain, n):
        element = self._used + 4 + 8 * (self._used_index & (self.size - 1))
        pack_into("<II", self._bytes, element, chain.head, n)
        self._used_index = (self._used_index + 1) & 0xFFFF
        pack_into("<H", self._bytes, self._used + 2, self._used_index)
        self._out[chain.head] = False
        self.in_flight -= 1
        chain._queue = None
        chain._clear()

    def signal(self):
        """Does the driver want an interrupt for what was pushed since the last `signal()`? (2.7.7, 2.7.10)"""
        pushed = (self._used_index - self._signalled) & 0xFFFF
        self._signalled = self._used_index
        if not self._event_idx:
            return bool(pushed) and not self._u16(self._avail) & _NO_INTERRUPT
        used_event = self._u16(self._avail + 4 + 2 * self.size)
        return (self._used_index - used_event - 1) & 0xFFFF < pushed

    def arm(self):
        """Ask the driver to kick for its next chain. Follow it with mb() and pending()."""
        if self._event_idx:
            pack_into("<H", self._bytes, self._used + 4 + 8 * self.size, self.last_avail)
        else:
            pack_into("<H", self._bytes, self._used, 0)

    def disarm(self):
        """Tell the driver that kicks are not needed; with the event index a stale event does that by itself."""
        if not self._event_idx:
            pack_into("<H", self._bytes, self._used, _NO_NOTIFY)


class Server:
    """Called, answers one chain of `queue`, if one waits, with `handle(request, readable, reply, writable) -> written`.

    `request`, `reply`: buffers, used again for every chain; the rest are bytes. `interrupt()` is called if the driver
    wants one. What is no answer goes back empty, and to `report(code)`: MALFORMED, BROKEN (none goes back), UNANSWERED
    (`written` is negative), FAILED (`handle` raised, or wrote more than fits; `error` has the exception).
    `returned`: chains. `handle` may put the chain aside: it sets `chain` to another one and returns None, and
    `queue.push()` has to return the old one some time. `handle` may be set at any time.
    """

    def __init__(self, queue, chain, request, reply, handle, interrupt, report):
        if not isinstance(queue, SplitQueue):
            raise TypeError("not a SplitQueue")
        if not isinstance(chain, Chain):
            raise TypeError("not a Chain")
        _writable(request)
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
        if _integer(at) % 8 or not 0 <= at <= len(self._message) - 8:
            raise ValueError("a number does not fit there")

    def store(self, at, number):
        """Have the message hold `number` with 64 bits at offset `at`, a multiple of 8, from now on."""
        self._check(at)
        pack_into("<Q", self._message, at, _integer(number) & 0xFFFFFFFFFFFFFFFF)

    def load(self, at):
        """Return the number of 64 bits at offset `at`, without sign, that the message holds."""
        self._check(at)
        return unpack_from("<Q", self._message, at)[0]

    def __call__(self, head, buffer):
        head = _integer(head) & _WORD
        for at, function in self._sources:
            pack_into("<Q", self._message, at, _integer(function()) & 0xFFFFFFFFFFFFFFFF)
        view = _writable(buffer)  # not before: a function may have resized it
        if len(view) < len(self._message):
            raise ValueError("more bytes than the buffer has")
        view[: len(self._message)] = self._message
        pack_into("<I", view, 0, head)


class Row:
    """What a `Dispatcher` knows of one kind of message. Words are counted from its first one, 0.

    `size`: bytes of the request; `least`: bytes of the shortest reply; `flags_at`: word of the flags (0: none), of
    which the bits `reserved` may not be set; `id_at`: word of the number of the item that the message is for, in the
    list `items`, in which None stands for one that cannot be used; 0: `items` is the item. `handler(subject, item,
    request, reply, room)` writes the reply from word 2 on and returns its whole length in bytes, 8 or more as far as
    there is room; anything else is a refusal. With `ready`, and no flag set, the item's attribute `ready` is called
    with the first word and the reply instead, unless it is None: it writes `least` bytes. `fits(request, length)`, if
    it is not None, says whether a request of `length` bytes, `size` or more, has the right length.
    """

    def __init__(self, size, least, flags_at, reserved, id_at, items, handler, ready, fits):
        if not (4 <= _integer(size) <= 0xFFFF and size % 4 == 0 and 8 <= _integer(least) <= 0xFFFF):
            raise ValueError("a request has whole words from 4 bytes on, a reply 8 bytes or more")
        for at in (flags_at, id_at):
            if not 0 <= _integer(at) < size // 4:
                raise ValueError("the message has no such word")
        if id_at and not isinstance(items, list):
            raise TypeError("items with numbers must be a list")
        if not (callable(handler) and (fits is None or callable(fits))):
            raise TypeError("not callable")
        self.size, self.least = size, least
        self.flags_at, self.reserved = flags_at, _integer(reserved) & _WORD
        self.id_at, self.items = id_at, items
        self._handler, self._ready, self.fits = handler, bool(ready), fits

    def item(self, request):
        """Return the item of a request, None if it has none that can be used."""
        if not self.id_at:
            return self.items
        number = request[self.id_at]
        return self.items[number] if number < len(self.items) else None

    def is_sound(self, request, length, reply, room):
        """Return whether nothing is wrong with the form of a message."""
        if not self.size <= length <= len(byteview(request)) or not self.least <= min(room, len(_writable(reply))):
            return False
        if self.flags_at and request[self.flags_at] & self.reserved:
            return False
        return self.fits(request, length) if self.fits else length == self.size

    def run(self, subject, item, request, reply, room):
        """Have a sound message answered; return what its handler returns."""
        if self._ready and not (self.flags_at and request[self.flags_at]):
            ready = item.ready
            if ready is not None:
                ready(request[0], reply)
                return self.least
        reply[0] = request[0]
        reply[1] = 0
        return self._handler(subject, item, request, reply, room)


class Dispatcher:
    """Called with (request, length, reply, room), answers a message with what the `Row` of its kind says.

    `request`, `reply`: `array("I")`; `length`, `room`: bytes, which may be more than the arrays have. `rows`: a dict of
    Rows by the bits `mask` of the first word. `subject`: passed to the handlers. A message that is not sound in every
    respect goes to `otherwise(request, length, reply, room)`, a refusal to `refuse(reply, status)`, an Exception to
    `fail(request, reply, error)`; each returns what the call returns.
    """

    def __init__(self, mask, subject, otherwise, refuse, fail):
        for function in (otherwise, refuse, fail):
            if not callable(function):
                raise TypeError("not callable")
        self.rows = {}
        self._mask = _integer(mask) & _WORD
        self._subject = subject
        self._otherwise = otherwise
        self._refuse = refuse
        self._fail = fail

    def __call__(self, request, length, reply, room):
        row = self.rows.get(request[0] & self._mask) if len(byteview(request)) >= 4 else None
        if row is not None and row.is_sound(request, length, reply, room):
            item = row.item(request)
            if item is not None:
                return self._run(row, item, request, reply, room)
        return self._otherwise(request, length, reply, room)

    def _run(self, row, item, request, reply, room):
        try:
            written = row.run(self._subject, item, request, reply, room)
        except Exception as error:
            return self._fail(request, reply, error)
        if type(written) is int and 8 <= written <= min(room, len(byteview(reply))):
            return written
        return self._refuse(reply, written)


class _WordSlot:
    def __init__(self, window, off, expected):
        self._window = window
        self._off = off
        self.expected = expected

    def work(self):
        value = self._window.load_acquire(self._off)
        return value != self.expected and value != 0

    def rest(self, resting):
        pass


class _QueueSlot:
    def __init__(self, queue):
        self._queue = queue
        self.work = queue.pending

    def rest(self, resting):
        if resting:
            self._queue.arm()
        else:
            self._queue.disarm()


class _FlagSlot:
    def __init__(self, window, off):
        self._window = window
        self._off = off

    def work(self):
        return False

    def rest(self, resting):
        self._window.w32(self._off, 1 if resting else 0)


def _word_at(window, off):
    if not isinstance(window, Window):
        raise TypeError("not a Window")
    window.r32(off)  # raises what an access there would raise


class Watch:
    """Finds work, and goes to sleep without losing a wake-up, among at most `capacity` (1 to 1024) slots.

    A slot is a word, a queue or a sleep flag; its number is what the methods that add one return. ValueError if all
    are taken.
    """

    def __init__(self, capacity):
        if not 0 < _integer(capacity) <= 1024:
            raise ValueError("a watch has 1 to 1024 slots")
        self._slots = [None] * capacity
        self._last = capacity - 1

    def _add(self, slot):
        for i in range(len(self._slots)):
            if self._slots[i] is None:
                self._slots[i] = slot
                return i
        raise ValueError("the watch is full")

    def _find(self, slot):
        if not 0 <= _integer(slot) < len(self._slots) or self._slots[slot] is None:
            raise IndexError("no such slot")
        return self._slots[slot]

    def word(self, window, off, expected):
        """Watch 32 bits: work is a value that is neither 0 nor `expected`."""
        _word_at(window, off)
        return self._add(_WordSlot(window, off, _integer(expected) & _WORD))

    def expect(self, slot, value):
        """Set what the word of `slot` is compared with. ValueError if it is no word's slot."""
        found = self._find(slot)
        if not isinstance(found, _WordSlot):
            raise ValueError("slot is not a word")
        found.expected = _integer(value) & _WORD

    def queue(self, queue):
        """Watch a SplitQueue: work is a waiting chain."""
        if not isinstance(queue, SplitQueue):
            raise TypeError("not a SplitQueue")
        return self._add(_QueueSlot(queue))

    def flag(self, window, off):
        """Keep a sleep flag: 32 bits, 1 while at rest, else 0."""
        _word_at(window, off)
        return self._add(_FlagSlot(window, off))

    def remove(self, slot):
        """Forget `slot`; its number may be given again."""
        self._find(slot)
        self._slots[slot] = None

    def scan(self):
        """Return a slot with work, looking from the one after the last returned on; -1 if there is none."""
        count = len(self._slots)
        for i in range(count):
            number = (self._last + 1 + i) % count
            slot = self._slots[number]
            if slot is not None and slot.work():
                self._last = number
                return number
        return -1

    def _rest(self, resting):
        for slot in self._slots:
            if slot is not None:
                slot.rest(resting)

    def rest(self):
        """Set the flags, arm the queues, look once more: -1 means sleep, else as `scan()` and awake again."""
        self._rest(True)
        mb()  # pairs with the peer's barrier between its publishing store and its load of the flag or event
        slot = self.scan()
        if slot >= 0:
            self._rest(False)
        return slot

    def wake(self):
        """Clear the flags and disarm the queues, before looking for work."""
        self._rest(False)
        mb()

    def run(self, handlers, budget):
        """Wake, call `handlers[slot]()` for each slot with work, rest; return False then.

        True after `budget` calls, still awake. What a handler raises is raised here, still awake.
        """
        self.wake()
        for _ in range(_integer(budget)):
            slot = self.scan()
            if slot < 0:
                slot = self.rest()
            if slot < 0:
                return False
            handlers[slot]()
        return True


class Bell:
    """Called, stores the 32-bit `value` to the doorbell register at `off` of `window`, after all earlier stores."""

    def __init__(self, window, off, value):
        _word_at(window, off)
        self._window = window
        self._off = off
        self._value = _integer(value)

    def __call__(self):
        dsb()
        self._window.w32(self._off, self._value)


class Notifier:
    """Called, adds 1 (with release) at `off` of `count`; calls `ring()` if the peer's word at `sleep_off` is not 0."""

    def __init__(self, count, off, sleep, sleep_off, ring):
        _word_at(count, off)
        _word_at(sleep, sleep_off)
        if not callable(ring):
            raise TypeError("not callable")
        self._count, self._off = count, off
        self._sleep, self._sleep_off = sleep, sleep_off
        self._ring = ring

    def __call__(self):
        self._count.add_release(self._off, 1)
        mb()  # pairs with the peer's barrier between its flag and its look at the counter
        if self._sleep.r32(self._sleep_off):
            self._ring()


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
        self.faults = 0
        self.fault = None


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
    if not 16 <= _integer(intid) < 1020:
        raise ValueError("interrupt id is not in 16 .. 1019")
    return intid


def irq_attach(intid, edge):
    """Enable interrupt `intid` (GIC INTID), edge or level triggered: it schedules the serving callback."""
    _service.attached.add(_intid(intid))


def irq_detach(intid):
    """Disable interrupt `intid`."""
    _service.attached.discard(_intid(intid))


def interrupt(intid):
    """Do what arrival of interrupt `intid` does: the echoes, then schedule the callback. For simulation and tests."""
    if _intid(intid) in _service.attached:
        for slot in _service.echoes:
            if slot is not None:
                slot.answer()
        notify()


class _Echo:
    def __init__(self, request, request_off, reply, reply_off, doorbell, doorbell_off, value):
        for window, off in ((request, request_off), (reply, reply_off)):
            _word_at(window, off)
        if doorbell is not None:
            _word_at(doorbell, doorbell_off)
        self._request, self._request_off = request, request_off
        self._reply, self._reply_off = reply, reply_off
        self._doorbell, self._doorbell_off, self._value = doorbell, doorbell_off, _integer(value)
        self._seen = request.load_acquire(request_off)

    def answer(self):
        word = self._request.load_acquire(self._request_off)
        if word == self._seen:
            return
        self._seen = word
        self._reply.store_release(self._reply_off, word)
        if self._doorbell is not None:
            self._doorbell.w32(self._doorbell_off, self._value)


def _echo_slot(slot):
    if not 0 <= _integer(slot) < ECHO_SLOTS:
        raise IndexError("no such echo slot")
    return slot


def echo(slot, request, request_off, reply, reply_off, doorbell, doorbell_off, value):
    """Answer at interrupt level: a new word at `request` is stored at `reply`, then `value` to the doorbell register.

    The three are Windows with offsets of 32-bit words; the doorbell may be None. `slot`: 0 to ECHO_SLOTS - 1.
    """
    _service.echoes[_echo_slot(slot)] = _Echo(request, request_off, reply, reply_off, doorbell, doorbell_off, value)


def echo_off(slot):
    """Stop the echo of `slot`."""
    _service.echoes[_echo_slot(slot)] = None


def timer(ms):
    """Schedule the serving callback once, `ms` milliseconds from now; 0: not any more. (Here nobody counts.)"""
    if _integer(ms) < 0:
        raise ValueError("negative time")


def entropy(buf):
    """Fill `buf` with random bytes."""
    view = _writable(buf)
    if _urandom is None:
        raise NotImplementedError("this interpreter has no os.urandom")
    view[:] = _urandom(len(view))


def stir(buf):
    """Mix the bytes of `buf` into the entropy pool. (Here the operating system keeps the pool.)"""
    byteview(buf)


def _guarded_setattr(instance, name, value):
    accept = instance.__dict__.get("__accept__")
    held = name in instance.__dict__ or isinstance(getattr(type(instance), name, None), property)
    if accept is None or held or accept(instance, name):
        object.__setattr__(instance, name, value)


def seal(instance, accept):
    """Let `instance`, an object of a Python class, take no further attributes but those that are accepted.

    What would give it one calls `accept(instance, name)` first, and is in vain if that raises or returns False.
    Properties, and what it has, work as before. (MicroPython asks no class for `__setattr__`: there only `_hal` can do
    this.)
    """
    if not hasattr(instance, "__dict__") or not callable(accept):
        raise TypeError("not an object of a Python class, or not callable")
    instance.__dict__["__accept__"] = accept
    type(instance).__setattr__ = _guarded_setattr


def dtb():
    """Return the flattened device tree the machine was booted with. Here there is none."""
    return b""
