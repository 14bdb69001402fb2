/* SPDX-License-Identifier: MIT */
/*
 * From an interrupt to whoever wants it, and sleep without lost wake-ups. The seam to the capability module is
 * modules/hal/port.h. WFI wakes for a pending interrupt even when it is masked (Arm ARM DDI 0487, D1.16.2).
 */
#include <stddef.h>

#include "aarch64/cpu.h"
#include "aarch64/mmu.h"
#include "board.h"
#include "drivers/gic.h"
#include "drivers/platform.h"
#include "drivers/timer.h"
#include "drivers/uart.h"
#include "modules/hal/port.h"
#include "py/runtime.h"

#define INTIDS 1020

/*
 * Was there an interrupt since the last sleep? [1] is for a sleep inside a scheduled callback: the program around it
 * may have looked for work already and be about to sleep, and must not lose the news to it.
 */
static volatile bool handled[2];
static uint64_t lent[INTIDS / 64 + 1];

void irq_dispatch(void) {
    unsigned intid = gic_acknowledge();
    if (intid >= GIC_SPURIOUS) {
        return;
    }
    if (intid == platform.timer_intid) {
        timer_interrupt();
        gic_end(intid);
    } else if (intid == platform.uart_intid) {
        uart_interrupt();
        gic_end(intid);
    } else {
        gic_end(intid);
        hal_on_interrupt(intid);
    }
    handled[0] = handled[1] = true;
}

void irq_start(void) {
    gic_start();
    timer_start();
    uart_start();
    gic_enable(platform.timer_intid, false);
    gic_enable(platform.uart_intid, false);
    irq_restore(0);
}

void board_wait(uint64_t timeout_ms) {
    uint64_t deadline = timeout_ms == UINT64_MAX ? TIMER_NEVER : timer_now() + timer_ticks(timeout_ms);
    volatile bool *news = &handled[MP_STATE_VM(sched_state) == MP_SCHED_LOCKED];
    uint64_t state = irq_mask();
    if (!*news && MP_STATE_VM(sched_state) != MP_SCHED_PENDING) {
        timer_set(TIMER_WAIT, deadline);
        dsb(sy);
        wfi();
    }
    irq_restore(state);
    isb();
    *news = false;
}

bool hal_port_irq_enable(unsigned intid, bool edge) {
    if (intid >= INTIDS || intid == platform.uart_intid || intid == platform.timer_intid || !gic_enable(intid, edge)) {
        return false;
    }
    lent[intid / 64] |= 1ull << (intid % 64);
    return true;
}

void hal_port_irq_disable(unsigned intid) {
    if (intid < INTIDS && (lent[intid / 64] & 1ull << (intid % 64))) {
        gic_disable(intid);
        lent[intid / 64] &= ~(1ull << (intid % 64));
    }
}

void irq_release_all(void) {
    hal_port_timer_ms(0);
    for (unsigned intid = 0; intid < INTIDS; ++intid) {
        hal_port_irq_disable(intid);
    }
}

void hal_port_timer_ms(uint32_t ms) {
    uint64_t state = irq_mask();
    timer_set(TIMER_HAL, ms == 0 ? TIMER_NEVER : timer_now() + timer_ticks(ms));
    irq_restore(state);
}

void hal_port_look_ms(uint32_t ms) {
    uint64_t state = irq_mask();
    timer_set(TIMER_LOOK, ms == 0 ? TIMER_NEVER : timer_now() + timer_ticks(ms));
    irq_restore(state);
}

const void *hal_port_dtb(size_t *len) {
    *len = platform.fdt.size;
    return platform.fdt.blob;
}

uint64_t hal_port_counter(void) {
    return timer_now();
}

void *hal_port_map(uint64_t phys, size_t size, enum hal_memory memory) {
    enum mmu_kind kind = memory == HAL_MEMORY_DEVICE ? MMU_DEVICE : MMU_NORMAL;
    return mmu_map(phys, size, kind) ? (void *)(uintptr_t)phys : NULL;
}

void hal_port_reset(void) {
    platform_reset();
}

void hal_port_off(void) {
    platform_off();
}

void hal_port_interrupted(void) {
    mp_sched_keyboard_interrupt();
}
