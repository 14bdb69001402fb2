# SPDX-License-Identifier: MIT
"""The pure Python twin of the C module `_hal`: same names, same behaviour, held against it by tests/unit/hal.

It runs where the C module is missing (CPython) and is the readable form of what that module does.

What differs: a `Window` takes a buffer only, not an address; barriers do nothing; and the serving callback has nobody
to schedule it, so that `run_pending()` does.
"""

from hal.pure.barrier import dsb, mb, rmb, wmb
from hal.pure.bell import Bell, Hypercall, Notifier
from hal.pure.chain import Chain
from hal.pure.codes import (
    BROKEN,
    EMPTY,
    FAILED,
    MALFORMED,
    QUEUE_SIZE_MAX,
    REASON_ADDRESS,
    REASON_HEAD,
    REASON_INDEX,
    REASON_INDIRECT_NEXT,
    REASON_NESTED,
    REASON_NEXT,
    REASON_NONE,
    REASON_ORDER,
    REASON_TABLE,
    REASON_TOO_LONG,
    REASON_TWICE,
    REASON_UNAVAILABLE,
    REASON_UNNEGOTIATED,
    TAKEN,
    UNANSWERED,
)
from hal.pure.dispatcher import Dispatcher, Row
from hal.pure.machine import dtb, entropy, seal, stir
from hal.pure.numbers import Numbers
from hal.pure.packed import PackedQueue
from hal.pure.server import Answer, Server
from hal.pure.service import (
    ECHO_SLOTS,
    LATCHES,
    echo,
    echo_off,
    fault,
    faults,
    interrupt,
    irq_attach,
    irq_detach,
    latch,
    latch_off,
    look,
    lookout,
    notify,
    run_pending,
    serve,
    serving,
    timer,
)
from hal.pure.split import SplitQueue
from hal.pure.watch import Watch
from hal.pure.window import Window
