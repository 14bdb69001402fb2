/* SPDX-License-Identifier: MIT */
/*
 * memcpy(), memmove() and memset() (C11 7.24.2, 7.24.6): the interpreter moves a few words at nearly every call.
 * Short blocks are two overlapping accesses, from the front and from the back; only used with the MMU on, as these
 * may be unaligned.
 */

    .section .text.memory, "ax"

    .global memmove
memmove:
    sub x3, x0, x1
    cmp x3, x2                      /* does the destination begin inside the source? */
    b.hs memcpy
    cmp x2, #32
    b.hi backward

    .global memcpy
memcpy:
    add x4, x0, x2
    add x5, x1, x2
    cmp x2, #16
    b.lo copy_below_16
    cmp x2, #32
    b.hi copy_forward
    ldr q0, [x1]
    ldr q1, [x5, #-16]
    str q0, [x0]
    str q1, [x4, #-16]
    ret
copy_below_16:
    tbz x2, #3, copy_below_8
    ldr x6, [x1]
    ldr x7, [x5, #-8]
    str x6, [x0]
    str x7, [x4, #-8]
    ret
copy_below_8:
    tbz x2, #2, copy_below_4
    ldr w6, [x1]
    ldr w7, [x5, #-4]
    str w6, [x0]
    str w7, [x4, #-4]
    ret
copy_below_4:
    cbz x2, copied
    lsr x3, x2, #1                  /* 0, 1, 1: first, middle and last byte */
    ldrb w6, [x1]
    ldrb w7, [x1, x3]
    ldrb w8, [x5, #-1]
    strb w6, [x0]
    strb w7, [x0, x3]
    strb w8, [x4, #-1]
copied:
    ret
copy_forward:                       /* the last 32 bytes are read first: a move may overwrite them */
    ldp q2, q3, [x5, #-32]
    mov x3, x0
1:  ldp q0, q1, [x1], #32
    stp q0, q1, [x3], #32
    sub x2, x2, #32
    cmp x2, #32
    b.hi 1b
    stp q2, q3, [x4, #-32]
    ret
backward:
    ldp q2, q3, [x1]
    add x4, x0, x2
    add x5, x1, x2
2:  ldp q0, q1, [x5, #-32]!
    stp q0, q1, [x4, #-32]!
    sub x2, x2, #32
    cmp x2, #32
    b.hi 2b
    stp q2, q3, [x0]
    ret

    .global memset
memset:
    dup v0.16b, w1
    add x4, x0, x2
    cmp x2, #16
    b.lo set_below_16
    str q0, [x0]
    str q0, [x4, #-16]
    add x3, x0, #16
    sub x4, x4, #16
3:  cmp x3, x4
    b.hs 4f
    str q0, [x3], #16
    b 3b
4:  ret
set_below_16:
    fmov x6, d0
    tbz x2, #3, set_below_8
    str x6, [x0]
    str x6, [x4, #-8]
    ret
set_below_8:
    tbz x2, #2, set_below_4
    str w6, [x0]
    str w6, [x4, #-4]
    ret
set_below_4:
    cbz x2, 5f
    lsr x3, x2, #1
    strb w6, [x0]
    strb w6, [x0, x3]
    strb w6, [x4, #-1]
5:  ret
