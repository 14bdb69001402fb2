/* SPDX-License-Identifier: MIT */
/* What C cannot say: system registers, barriers, interrupt masking (Arm ARM DDI 0487). */
#ifndef TRAPLESS_CPU_H
#define TRAPLESS_CPU_H

#include <stdint.h>

#define sysreg_read(name) ({ uint64_t value_; __asm volatile ("mrs %0, " #name : "=r" (value_)); value_; })
#define sysreg_write(name, value) __asm volatile ("msr " #name ", %0" : : "r" ((uint64_t)(value)) : "memory")

#define isb() __asm volatile ("isb" : : : "memory")
#define dsb(domain) __asm volatile ("dsb " #domain : : : "memory")
#define wfi() __asm volatile ("wfi" : : : "memory")

/* Mask interrupts; returns what irq_restore() needs. Nests. */
static inline uint64_t irq_mask(void) {
    uint64_t daif = sysreg_read(daif);
    __asm volatile ("msr daifset, #2" : : : "memory");
    return daif;
}

static inline void irq_restore(uint64_t daif) {
    sysreg_write(daif, daif);
}

static inline uint32_t io_read32(uintptr_t address) {
    uint32_t value;
    __asm volatile ("ldr %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
    return value;
}

static inline void io_write32(uintptr_t address, uint32_t value) {
    __asm volatile ("str %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline uint64_t io_read64(uintptr_t address) {
    uint64_t value;
    __asm volatile ("ldr %0, [%1]" : "=r" (value) : "r" (address) : "memory");
    return value;
}

static inline void io_write64(uintptr_t address, uint64_t value) {
    __asm volatile ("str %0, [%1]" : : "r" (value), "r" (address) : "memory");
}

#endif /* TRAPLESS_CPU_H */
