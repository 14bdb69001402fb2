/* SPDX-License-Identifier: MIT */
/* The console; see uart.c. */
#ifndef TRAPLESS_UART_H
#define TRAPLESS_UART_H

#include <stdbool.h>
#include <stddef.h>

void uart_start(void);
void uart_interrupt(void);

/* The next received character, or -1. Not for interrupt context. */
int uart_read(void);
bool uart_readable(void);

/* Blocks while the transmitter is full. Usable in any context. */
void uart_write(const char *text, size_t len);

#endif /* TRAPLESS_UART_H */
