/* SPDX-License-Identifier: MIT */
/* The generic interrupt controller, version 2 or 3, for one CPU; see gic.c. */
#ifndef TRAPLESS_GIC_H
#define TRAPLESS_GIC_H

#include <stdbool.h>

#define GIC_SPURIOUS 1020

void gic_start(void);

/* Route `intid` to this CPU and enable it. False if the controller has no such interrupt. */
bool gic_enable(unsigned intid, bool edge);
void gic_disable(unsigned intid);

/* The most urgent pending interrupt, active from now on; GIC_SPURIOUS or above if there is none. */
unsigned gic_acknowledge(void);
void gic_end(unsigned intid);

#endif /* TRAPLESS_GIC_H */
