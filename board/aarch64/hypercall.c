/* SPDX-License-Identifier: MIT */
/* Xen on Arm, public/arch-arm.h: number in x16, arguments from x0 on, answer in x0, immediate 0xea1. */
#include "modules/hal/port.h"

int64_t hal_port_hypercall(uint64_t number, const uint64_t args[HAL_HYPERCALL_ARGS]) {
    register uint64_t x0 __asm("x0") = args[0];
    register uint64_t x1 __asm("x1") = args[1];
    register uint64_t x2 __asm("x2") = args[2];
    register uint64_t x3 __asm("x3") = args[3];
    register uint64_t x4 __asm("x4") = args[4];
    register uint64_t x16 __asm("x16") = number;
    __asm volatile ("hvc #0xea1" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x16) : : "memory");
    return (int64_t)x0;
}
