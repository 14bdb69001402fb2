/* SPDX-License-Identifier: MIT */
/* What the vectors hand over for an exception that nobody expects; see vectors.S. */
#ifndef TRAPLESS_FAULT_H
#define TRAPLESS_FAULT_H

#include <stdint.h>

struct fault_registers {
    uint64_t x[31];
    uint64_t sp;
};

extern struct fault_registers fault_registers;

/* `vector`: 0 to 15, in the order of the vector table. Prints and returns. */
void fault_report(unsigned vector, const struct fault_registers *registers);

#endif /* TRAPLESS_FAULT_H */
