/* SPDX-License-Identifier: MIT */
/* The virtual timer of EL1 (Arm ARM DDI 0487, D11): the one that every hypervisor lets its guest have. */
#include "modules/hal/port.h"
#include "timer.h"

#define CTL_ENABLE 1

static uint64_t deadlines[TIMER_USERS] = { TIMER_NEVER, TIMER_NEVER, TIMER_NEVER };
static uint64_t frequency;
/* Each write to the comparator is an exit of the virtual machine, or wakes its emulator: one is enough for an expiry. */
static bool expiring;

static void program(void) {
    uint64_t next = TIMER_NEVER;
    for (unsigned user = 0; user < TIMER_USERS; ++user) {
        next = deadlines[user] < next ? deadlines[user] : next;
    }
    if (next != TIMER_NEVER) {
        sysreg_write(cntv_cval_el0, next);
    }
    sysreg_write(cntv_ctl_el0, next == TIMER_NEVER ? 0 : CTL_ENABLE);
    isb();
}

void timer_start(void) {
    frequency = sysreg_read(cntfrq_el0);
    program();
}

void timer_set(enum timer_user user, uint64_t deadline) {
    if (deadlines[user] != deadline) {
        deadlines[user] = deadline;
        if (!expiring) {
            program();
        }
    }
}

void timer_interrupt(void) {
    uint64_t now = timer_now();
    bool hal_expired = deadlines[TIMER_HAL] <= now;
    bool look_due = deadlines[TIMER_LOOK] <= now;
    for (unsigned user = 0; user < TIMER_USERS; ++user) {
        if (deadlines[user] <= now) {
            deadlines[user] = TIMER_NEVER;
        }
    }
    expiring = true;
    if (hal_expired) {
        hal_on_timer();
    }
    if (look_due) {
        hal_on_look();
    }
    expiring = false;
    program();
}

/* ticks * to / from without overflow, for both factors below 2^32. */
static uint64_t scale(uint64_t ticks, uint64_t to, uint64_t from) {
    return ticks / from * to + ticks % from * to / from;
}

uint64_t timer_ticks(uint64_t ms) {
    return scale(ms, frequency, 1000);
}

uint64_t timer_us(uint64_t ticks) {
    return scale(ticks, 1000000, frequency);
}
