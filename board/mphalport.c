/* SPDX-License-Identifier: MIT */
/* Console and time for MicroPython's core, see py/mphal.h. All waiting sleeps, and serves while it sleeps. */
#include "drivers/platform.h"
#include "drivers/timer.h"
#include "drivers/uart.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"

#define SERVE_AFTER 256     /* characters */

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = uart_read();
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    return (flags & MP_STREAM_POLL_RD && uart_readable() ? MP_STREAM_POLL_RD : 0) | (flags & MP_STREAM_POLL_WR);
}

/*
 * A long print must not hold up the serving: every so many characters, in one text or in many, what is scheduled runs.
 * A Ctrl-C ends it, so nothing is printed through here outside of every handler.
 */
mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t len) {
    static size_t written;
    for (size_t at = 0, piece; at < len; at += piece) {
        piece = MIN(len - at, SERVE_AFTER - written);
        uart_write(text + at, piece);
        written = (written + piece) % SERVE_AFTER;
        if (written == 0) {
            mp_event_handle_nowait();
        }
    }
    return len;
}

mp_uint_t mp_hal_ticks_us(void) {
    return timer_us(timer_now());
}

mp_uint_t mp_hal_ticks_ms(void) {
    return mp_hal_ticks_us() / 1000;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return timer_now();
}

/* There is no clock that knows the date: time since start. */
uint64_t mp_hal_time_ns(void) {
    return mp_hal_ticks_us() * 1000;
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_us(), elapsed = 0;
    mp_event_handle_nowait();
    while (elapsed < ms * 1000) {
        mp_event_wait_ms(ms - elapsed / 1000);
        elapsed = mp_hal_ticks_us() - start;
    }
}

/* Only what is less than a millisecond is waited for without serving. */
void mp_hal_delay_us(mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    if (us >= 1000) {
        mp_hal_delay_ms(us / 1000);
    }
    while (mp_hal_ticks_us() - start < us) {
    }
}

uint32_t board_random_seed(void) {
    uint64_t mixed = (platform.seed ^ timer_now()) * 0x9e3779b97f4a7c15ull;
    return mixed >> 32;
}
