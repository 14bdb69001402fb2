/* SPDX-License-Identifier: MIT */
/*
 * The seam of the capability module (board/modules/hal/port.h) on MicroPython's unix port: there is no hardware
 * behind it.
 */

#include <stdlib.h>
#include <time.h>

#include "../modules/hal/port.h"
#include "py/runtime.h"

/* Interrupts come from _hal.interrupt() only. */
bool hal_port_irq_enable(unsigned intid, bool edge) {
    return true;
}

void hal_port_irq_disable(unsigned intid) {
}

/* Nobody counts the time: a test that needs a timer uses hal.sim. */
void hal_port_timer_ms(uint32_t ms) {
}

void hal_port_look_ms(uint32_t ms) {
}

const void *hal_port_dtb(size_t *len) {
    *len = 0;
    return NULL;
}

uint64_t hal_port_counter(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void *hal_port_map(uint64_t phys, size_t size, enum hal_memory memory) {
    return NULL;
}

int64_t hal_port_hypercall(uint64_t number, const uint64_t args[HAL_HYPERCALL_ARGS]) {
    return -38;
}

void hal_port_reset(void) {
    exit(0);
}

void hal_port_off(void) {
    exit(0);
}

void hal_port_interrupted(void) {
    mp_sched_keyboard_interrupt();
}
