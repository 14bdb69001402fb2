/* SPDX-License-Identifier: MIT */
/*
 * The machine as its device tree describes it (Devicetree Specification 0.4; Linux bindings arm,pl011, arm,gic,
 * arm,gic-v3, arm,armv8-timer, arm,psci), and its way out: PSCI (Arm DEN 0022, 5.9 and 5.11).
 */
#include <string.h>

#include "aarch64/cpu.h"
#include "aarch64/mmu.h"
#include "board.h"
#include "platform.h"

#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#define GIC_SPI_BASE 32
#define GIC_PPI_BASE 16
#define TIMER_VIRTUAL 2     /* index in "interrupts": secure, physical, virtual, hypervisor */
#define UART_SIZE 0x1000
#define FNV_PRIME 0x100000001b3ull
#define GIGABYTE (1ull << 30)

struct platform platform;

const void *platform_find_dtb(const void *x0, const void *image) {
    const void *candidates[] = { x0, (const void *)((uintptr_t)image & ~(GIGABYTE - 1)) };
    struct fdt fdt;
    for (unsigned i = 0; i < 2; ++i) {
        if (fdt_open(&fdt, candidates[i])) {
            return candidates[i];
        }
    }
    return NULL;
}

unsigned platform_intid(const struct fdt_node *node, unsigned index) {
    uint32_t type = fdt_cell(&platform.fdt, node, "interrupts", 3 * index, ~0u);
    uint32_t number = fdt_cell(&platform.fdt, node, "interrupts", 3 * index + 1, 0);
    return type == 0 ? number + GIC_SPI_BASE : type == 1 ? number + GIC_PPI_BASE : 0;
}

/* The node that a path or an alias with options ("serial0:115200n8") names. */
static bool find_console(const char *name, struct fdt_node *node) {
    size_t len = strcspn(name, ":");
    if (name[0] == '/') {
        return fdt_find_path(&platform.fdt, name, len, node);
    }
    char alias[32];
    struct fdt_node aliases;
    if (len >= sizeof(alias) || !fdt_find_path(&platform.fdt, "/aliases", 8, &aliases)) {
        return false;
    }
    memcpy(alias, name, len);
    alias[len] = '\0';
    const char *path = fdt_property(&platform.fdt, &aliases, alias, &len);
    return path != NULL && fdt_find_path(&platform.fdt, path, strlen(path), node);
}

static bool read_uart(const struct fdt_node *chosen) {
    struct fdt_node node;
    size_t len;
    uint64_t size;
    const char *name = chosen == NULL ? NULL : fdt_property(&platform.fdt, chosen, "stdout-path", &len);
    uint64_t uart;
    bool found = (name != NULL && find_console(name, &node)) || fdt_find_compatible(&platform.fdt, "arm,pl011", &node)
        || fdt_find_compatible(&platform.fdt, "arm,sbsa-uart", &node);
    if (!found || !fdt_reg(&platform.fdt, &node, 0, &uart, &size) || !mmu_map(uart, UART_SIZE, MMU_DEVICE)) {
        return false;
    }
    platform.uart = uart;
    platform.uart_is_sbsa = fdt_has_string(&platform.fdt, &node, "compatible", "arm,sbsa-uart");
    platform.uart_intid = platform_intid(&node, 0);
    return true;
}

static bool read_gic(void) {
    static const struct {
        const char *compatible;
        unsigned version;
    } known[] = { { "arm,gic-v3", 3 }, { "arm,cortex-a15-gic", 2 }, { "arm,gic-400", 2 }, { "arm,cortex-a9-gic", 2 } };
    struct fdt_node node;
    uint64_t size;
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); ++i) {
        if (fdt_find_compatible(&platform.fdt, known[i].compatible, &node)
            && fdt_reg(&platform.fdt, &node, 1, &platform.gic_cpu, &platform.gic_cpu_size)
            && fdt_reg(&platform.fdt, &node, 0, &platform.gic_distributor, &size)) {
            platform.gic_version = known[i].version;
            return mmu_map(platform.gic_distributor, size, MMU_DEVICE)
                && mmu_map(platform.gic_cpu, platform.gic_cpu_size, MMU_DEVICE);
        }
    }
    return false;
}

static void map_memory(void) {
    struct fdt_walk walk = {0};
    uint64_t address, size;
    while (fdt_next(&platform.fdt, &walk)) {
        if (fdt_has_string(&platform.fdt, &walk.node, "device_type", "memory")) {
            for (unsigned i = 0; fdt_reg(&platform.fdt, &walk.node, i, &address, &size); ++i) {
                mmu_map(address, size, MMU_NORMAL);
            }
        }
    }
}

static void read_chosen(const struct fdt_node *chosen) {
    size_t len;
    const uint8_t *seed = fdt_property(&platform.fdt, chosen, "rng-seed", &len);
    platform.initrd = fdt_number(&platform.fdt, chosen, "linux,initrd-start");
    platform.initrd_size = fdt_number(&platform.fdt, chosen, "linux,initrd-end") - platform.initrd;
    for (size_t i = 0; seed != NULL && i < len; ++i) {
        platform.seed = (platform.seed ^ seed[i]) * FNV_PRIME;
    }
}

const char *platform_start(const void *dtb) {
    struct fdt_node node;
    if (!fdt_open(&platform.fdt, dtb)) {
        return "header";
    }
    map_memory();
    bool has_chosen = fdt_find_path(&platform.fdt, "/chosen", 7, &node);
    if (has_chosen) {
        read_chosen(&node);
    }
    if (!read_uart(has_chosen ? &node : NULL)) {
        return "console (arm,pl011 or arm,sbsa-uart)";
    }
    if (!read_gic()) {
        return "interrupt controller (GICv2 or GICv3)";
    }
    if (!fdt_find_compatible(&platform.fdt, "arm,armv8-timer", &node)) {
        return "timer (arm,armv8-timer)";
    }
    platform.timer_intid = platform_intid(&node, TIMER_VIRTUAL);
    platform.psci_hvc = fdt_find_path(&platform.fdt, "/psci", 5, &node)
        && fdt_has_string(&platform.fdt, &node, "method", "hvc");
    return NULL;
}

static _Noreturn void psci(uint64_t function) {
    register uint64_t x0 __asm("x0") = function;
    if (platform.psci_hvc) {
        __asm volatile ("hvc #0" : "+r" (x0) : : "x1", "x2", "x3", "memory");
    } else {
        __asm volatile ("smc #0" : "+r" (x0) : : "x1", "x2", "x3", "memory");
    }
    halt();
}

_Noreturn void platform_reset(void) {
    psci(PSCI_SYSTEM_RESET);
}

_Noreturn void platform_off(void) {
    psci(PSCI_SYSTEM_OFF);
}
