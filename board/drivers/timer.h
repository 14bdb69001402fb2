/* SPDX-License-Identifier: MIT */
/* The generic timer: a counter, and three one-shot deadlines on one comparator; see timer.c. */
#ifndef TRAPLESS_TIMER_H
#define TRAPLESS_TIMER_H

#include <stdint.h>

#include "aarch64/cpu.h"

#define TIMER_NEVER UINT64_MAX

enum timer_user {
    TIMER_WAIT,     /* wakes board_wait() */
    TIMER_HAL,      /* calls hal_on_timer() */
    TIMER_LOOK,     /* calls hal_on_look() */
    TIMER_USERS,
};

static inline uint64_t timer_now(void) {
    isb();
    return sysreg_read(cntvct_el0);
}

void timer_start(void);

/* Set or, with TIMER_NEVER, cancel a deadline in counter ticks. Interrupts are masked. */
void timer_set(enum timer_user user, uint64_t deadline);
void timer_interrupt(void);

/* Counter ticks in `ms` milliseconds, and ticks as microseconds. */
uint64_t timer_ticks(uint64_t ms);
uint64_t timer_us(uint64_t ticks);

#endif /* TRAPLESS_TIMER_H */
