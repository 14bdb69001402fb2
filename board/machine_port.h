/* SPDX-License-Identifier: MIT */
/* The port's part of the machine module; included by extmod/modmachine.c. */
#include "board.h"
#include "drivers/platform.h"

static void mp_machine_idle(void) {
    mp_event_wait_indefinite();
}

static void mp_machine_reset(void) {
    platform_reset();
}

static mp_int_t mp_machine_reset_cause(void) {
    return 0;
}
