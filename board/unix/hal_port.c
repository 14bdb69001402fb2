/* SPDX-License-Identifier: MIT */
/*
 * The seam of the capability module (board/modules/hal/port.h) on MicroPython's unix port: there is no hardware
 * behind it.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../modules/hal/port.h"
#include "py/runtime.h"

#define GUARD ((size_t)2 << 20)

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

/*
 * The file that TRAPLESS_MEMORY names is the memory there is, shared with whoever else maps it; without it there is
 * none. What lies beside a mapping is inaccessible, as far as 65,535 descriptors reach and further: a step outside ends
 * the process.
 */
void *hal_port_map(uint64_t phys, size_t size, enum hal_memory memory) {
    const char *name = getenv("TRAPLESS_MEMORY");
    int file = name == NULL ? -1 : open(name, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    void *found = MAP_FAILED;
    uint8_t *around = mmap(NULL, size + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (around != MAP_FAILED) {
        found = mmap(around + GUARD, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, (off_t)phys);
    }
    close(file);
    return found == MAP_FAILED ? NULL : found;
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
