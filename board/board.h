/* SPDX-License-Identifier: MIT */
/* What the parts of the port call each other for; see start.S, irq.c and main.c. */
#ifndef TRAPLESS_BOARD_H
#define TRAPLESS_BOARD_H

#include <stdint.h>

/* Called by start.S, MMU on, with the device tree or NULL. */
void board_main(const void *dtb);

/* Called by the vectors with interrupts masked. */
void irq_dispatch(void);

/* Sleep for good. */
_Noreturn void halt(void);

void irq_start(void);

/* Switch off what hal_port_irq_enable() and hal_port_timer_ms() switched on. */
void irq_release_all(void);

/*
 * Sleep until an interrupt has been handled, or `timeout_ms` have passed (UINT64_MAX: no limit). Returns at once if
 * one was handled since the last return (callbacks of the scheduler have their own last return): whoever looks for work, then calls this in a loop, misses nothing.
 */
void board_wait(uint64_t timeout_ms);

#endif /* TRAPLESS_BOARD_H */
