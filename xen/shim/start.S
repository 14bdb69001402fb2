/* SPDX-License-Identifier: MIT */
/*
 * An arm64 Image (Linux, Documentation/arch/arm64/booting.rst) of one file with the kernel behind it:
 *
 *   0         this program, its stack up to GRAFT
 *   GRAFT     the tree to graft, then room for the merged one
 *   KERNEL    another Image, entered with the merged tree in x0
 *
 * The processor comes with MMU and data cache off and goes on so. Runs wherever it is loaded: nothing is relocated.
 */
#include "layout.h"

    .section .head, "ax"
    .global _start
_start:
    b start
    .long 0
    .quad 0                         /* text_offset */
    .quad KERNEL                    /* image_size: whoever composes the file adds that of the kernel */
    .quad 0xa                       /* flags: little endian, 4 KiB pages, anywhere in memory */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

start:
    adr x19, _start
    mov x1, x19
    add x2, x19, #GRAFT
    mov sp, x2
    bl shim_main                    /* x0: Xen's tree; x1: where the file is */
    mov x1, xzr
    mov x2, xzr
    mov x3, xzr
    add x4, x19, #KERNEL
    br x4

    .global halt
halt:
    wfi
    b halt
