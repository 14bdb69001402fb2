/* SPDX-License-Identifier: MIT */
/* What start-up takes from the device tree. */
#ifndef TRAPLESS_PLATFORM_H
#define TRAPLESS_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "fdt.h"

struct platform {
    struct fdt fdt;
    uint64_t uart;
    unsigned uart_intid;
    bool uart_is_sbsa;          /* no line settings (Arm SBSA generic UART, Xen's vpl011) */
    unsigned gic_version;       /* 2 or 3 */
    uint64_t gic_distributor;
    uint64_t gic_cpu;           /* GICv2: CPU interface; GICv3: redistributors */
    uint64_t gic_cpu_size;
    unsigned timer_intid;
    bool psci_hvc;              /* else smc */
    uint64_t initrd;
    uint64_t initrd_size;
    uint64_t seed;              /* of the random module; 0 if the loader gave none */
};

extern struct platform platform;

/*
 * Called by start.S with the MMU off: the device tree is at x0, or, if the boot loader leaves no address there (QEMU
 * with an ELF file), at the start of RAM, taken to be the 1 GiB boundary below the image. Returns NULL if it is at
 * neither.
 */
const void *platform_find_dtb(const void *x0, const void *image);

/* Read the device tree and map memory, UART and interrupt controller. Returns NULL, or what is missing, in words. */
const char *platform_start(const void *dtb);

/* INTID of interrupt `index` of a node's "interrupts", 0 if there is none (GIC binding: type, number, flags). */
unsigned platform_intid(const struct fdt_node *node, unsigned index);

_Noreturn void platform_reset(void);
_Noreturn void platform_off(void);

#endif /* TRAPLESS_PLATFORM_H */
