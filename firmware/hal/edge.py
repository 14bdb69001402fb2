# SPDX-License-Identifier: MIT
"""The capabilities that everything else is built from: of the C module `_hal`, or of its pure twin.

`_hal` is taken where the interpreter has it; `NATIVE` tells. See `hal.pure` for what each name does.
"""

try:
    import _hal as _impl

    NATIVE = True
except ImportError:
    import hal.pure as _impl

    NATIVE = False

Window = _impl.Window
Chain = _impl.Chain
SplitQueue = _impl.SplitQueue
PackedQueue = _impl.PackedQueue
Server = _impl.Server
Answer = _impl.Answer
Numbers = _impl.Numbers
Row = _impl.Row
Dispatcher = _impl.Dispatcher
Watch = _impl.Watch
Bell = _impl.Bell
Hypercall = _impl.Hypercall
Notifier = _impl.Notifier

EMPTY = _impl.EMPTY
TAKEN = _impl.TAKEN
MALFORMED = _impl.MALFORMED
BROKEN = _impl.BROKEN
UNANSWERED = _impl.UNANSWERED
FAILED = _impl.FAILED

REASON_NONE = _impl.REASON_NONE
REASON_TOO_LONG = _impl.REASON_TOO_LONG
REASON_NEXT = _impl.REASON_NEXT
REASON_ADDRESS = _impl.REASON_ADDRESS
REASON_ORDER = _impl.REASON_ORDER
REASON_UNNEGOTIATED = _impl.REASON_UNNEGOTIATED
REASON_NESTED = _impl.REASON_NESTED
REASON_INDIRECT_NEXT = _impl.REASON_INDIRECT_NEXT
REASON_TABLE = _impl.REASON_TABLE
REASON_INDEX = _impl.REASON_INDEX
REASON_HEAD = _impl.REASON_HEAD
REASON_TWICE = _impl.REASON_TWICE
REASON_UNAVAILABLE = _impl.REASON_UNAVAILABLE

QUEUE_SIZE_MAX = _impl.QUEUE_SIZE_MAX
ECHO_SLOTS = _impl.ECHO_SLOTS
LATCHES = _impl.LATCHES

mb = _impl.mb
rmb = _impl.rmb
wmb = _impl.wmb
dsb = _impl.dsb
serve = _impl.serve
serving = _impl.serving
notify = _impl.notify
faults = _impl.faults
fault = _impl.fault
irq_attach = _impl.irq_attach
irq_detach = _impl.irq_detach
interrupt = _impl.interrupt
timer = _impl.timer
lookout = _impl.lookout
look = _impl.look
echo = _impl.echo
echo_off = _impl.echo_off
latch = _impl.latch
latch_off = _impl.latch_off
entropy = _impl.entropy
stir = _impl.stir
seal = _impl.seal
dtb = _impl.dtb
