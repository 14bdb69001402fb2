/* SPDX-License-Identifier: MIT */
/* What MicroPython's core asks of the port, see py/mphal.h. */
#ifndef TRAPLESS_MPHALPORT_H
#define TRAPLESS_MPHALPORT_H

#include <stddef.h>

#include "aarch64/cpu.h"
#include "board.h"
#include "shared/runtime/interrupt_char.h"

#define MICROPY_BEGIN_ATOMIC_SECTION() irq_mask()
#define MICROPY_END_ATOMIC_SECTION(state) irq_restore(state)

#define MICROPY_INTERNAL_WFE(timeout_ms) board_wait((uint64_t)(timeout_ms))

#endif /* TRAPLESS_MPHALPORT_H */
