/* SPDX-License-Identifier: MIT */
/* An exception that nobody expects, in words. ESR_EL1 and its fault status codes: Arm ARM DDI 0487, D13.2.37. */
#include <string.h>

#include "cpu.h"
#include "drivers/platform.h"
#include "drivers/uart.h"
#include "fault.h"
#include "py/mpprint.h"

#define VECTOR_KINDS 4
#define CLASS(esr) ((esr) >> 26 & 63)
#define CLASS_ABORT_FIRST 0x20
#define CLASS_ABORT_LAST 0x25
#define CLASS_DATA_ABORT 0x24
#define STATUS(esr) ((esr) & 63)
#define WRITING (1 << 6)
#define NO_ADDRESS (1 << 10)

struct name {
    unsigned code;
    const char *text;
};

struct fault_registers fault_registers;

extern char _start[], stack_guard[], stack_limit[];

static const char *const vectors[VECTOR_KINDS] = {
    "synchronous exception", "interrupt", "fast interrupt", "system error",
};

static const struct name classes[] = {
    { 0x00, "undefined instruction" }, { 0x07, "SIMD or floating point is switched off" },
    { 0x0e, "illegal execution state" },
    { 0x15, "SVC" }, { 0x16, "HVC" }, { 0x17, "SMC" }, { 0x18, "trapped system register" },
    { 0x20, "instruction abort" }, { 0x21, "instruction abort" }, { 0x22, "misaligned program counter" },
    { 0x24, "data abort" }, { 0x25, "data abort" }, { 0x26, "misaligned stack pointer" },
    { 0x2f, "system error" }, { 0x3c, "breakpoint instruction" },
};

/* Fault status without its two level bits. */
static const struct name level_faults[] = {
    { 0x00, "address too large" }, { 0x04, "nothing mapped there" }, { 0x08, "access flag" }, { 0x0c, "not permitted" },
};

static const struct name other_faults[] = {
    { 0x10, "no device answers" }, { 0x21, "misaligned access" }, { 0x30, "conflicting translations" },
};

static void write_lines(void *data, const char *text, size_t len) {
    (void)data;
    for (size_t i = 0; i < len; ++i) {
        uart_write(text[i] == '\n' ? "\r\n" : &text[i], text[i] == '\n' ? 2 : 1);
    }
}

static const mp_print_t console = { NULL, write_lines };

static const char *lookup(const struct name *names, size_t count, unsigned code) {
    for (size_t i = 0; i < count; ++i) {
        if (names[i].code == code) {
            return names[i].text;
        }
    }
    return NULL;
}

#define LOOKUP(names, code) lookup(names, sizeof(names) / sizeof(names[0]), code)

static void print_abort(uint64_t esr, uint64_t far) {
    const char *status = STATUS(esr) < 0x10 ? LOOKUP(level_faults, STATUS(esr) & ~3u)
        : LOOKUP(other_faults, STATUS(esr));
    mp_printf(&console, ": %s", status == NULL ? "unknown reason" : status);
    if (!(esr & NO_ADDRESS)) {
        const char *verb = CLASS(esr) < CLASS_DATA_ABORT ? "executing" : esr & WRITING ? "writing" : "reading";
        mp_printf(&console, ", %s 0x%lx", verb, far);
    }
    if (far >= (uintptr_t)stack_guard && far < (uintptr_t)stack_limit) {
        mp_printf(&console, " (the stack is exhausted)");
    }
}

static void print_registers(const struct fault_registers *registers) {
    for (unsigned i = 0; i < 31; ++i) {
        mp_printf(&console, "%s%d %016lx", i % 4 == 0 ? "\n  x" : "  x", i, registers->x[i]);
    }
    mp_printf(&console, "  sp %016lx\n", registers->sp);
}

void fault_report(unsigned vector, const struct fault_registers *registers) {
    static bool reporting;
    if (reporting || platform.uart == 0) {
        return;     /* a fault of the report itself, or before there is a console to print it on */
    }
    reporting = true;
    uint64_t esr = sysreg_read(esr_el1), elr = sysreg_read(elr_el1);
    const char *name = vector % VECTOR_KINDS == 0 ? LOOKUP(classes, CLASS(esr)) : NULL;
    mp_printf(&console, "\n*** FAULT: %s", name == NULL ? vectors[vector % VECTOR_KINDS] : name);
    if (CLASS(esr) >= CLASS_ABORT_FIRST && CLASS(esr) <= CLASS_ABORT_LAST && name != NULL) {
        print_abort(esr, sysreg_read(far_el1));
    }
    uint64_t linked = elr - (uintptr_t)_start + LINK_ADDRESS;
    mp_printf(&console, "\n  at image + 0x%lx; find it with: addr2line -f -e trapless.elf 0x%lx\n",
        elr - (uintptr_t)_start, linked);
    mp_printf(&console, "  ELR %016lx  ESR %08lx  FAR %016lx  SPSR %08lx", elr, esr, sysreg_read(far_el1),
        sysreg_read(spsr_el1));
    print_registers(registers);
    mp_printf(&console, "*** The machine is halted: reset it.\n");
}
