/* SPDX-License-Identifier: MIT */
/* The last words of a shim that cannot go on, on a PL011 or an SBSA UART (Arm DDI 0183) as the loader left it. */
#include <libfdt.h>

#include "shim.h"

#define DR 0x00
#define FR 0x18
#define FR_TX_FULL (1 << 5)

static uintptr_t find_uart(const void *fdt) {
    int node = fdt_node_offset_by_compatible(fdt, -1, "arm,sbsa-uart"), len;
    if (node < 0) {
        node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
    }
    const fdt32_t *reg = node < 0 ? NULL : fdt_getprop(fdt, node, "reg", &len);
    return reg == NULL || len < 8 ? 0 : (uintptr_t)fdt32_to_cpu(reg[0]) << 32 | fdt32_to_cpu(reg[1]);
}

static void put(uintptr_t uart, const char *text) {
    for (; *text != '\0'; ++text) {
        while (*(volatile uint32_t *)(uart + FR) & FR_TX_FULL) {
        }
        *(volatile uint32_t *)(uart + DR) = (unsigned char)*text;
    }
}

_Noreturn void give_up(const void *fdt, int error) {
    uintptr_t uart = find_uart(fdt);
    char number[] = { '0' + -error / 10, '0' + -error % 10, '\r', '\n', '\0' };
    if (uart != 0) {
        put(uart, "\r\n*** shim: the device tree in front of the kernel cannot be grafted: libfdt error ");
        put(uart, number);
    }
    halt();
}
