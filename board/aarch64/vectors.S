/* SPDX-License-Identifier: MIT */
/*
 * The exception vectors of EL1 (Arm ARM DDI 0487, D1.10). Everything runs at EL1 on SP_EL1; there is no EL0. An IRQ
 * saves what the procedure call standard lets C destroy, and the whole SIMD register file, because gcc vectorises
 * integer code and a callee preserves only the lower halves of v8-v15. Everything else is a fault: it is printed and
 * the machine halts.
 */

#define FRAME_GENERAL 176           /* x0-x18, x30, ELR, SPSR */
#define FRAME (FRAME_GENERAL + 512)

    .macro fault kind
    .balign 128
    msr tpidr_el1, x0
    mov x0, #\kind
    b fault_entry
    .endm

    .section .text.vectors, "ax"
    .balign 2048
    .global vectors
vectors:
    fault 0
    fault 1
    fault 2
    fault 3
    fault 4
    .balign 128
    b irq_entry
    fault 6
    fault 7
    fault 8
    fault 9
    fault 10
    fault 11
    fault 12
    fault 13
    fault 14
    fault 15

    .balign 64
irq_entry:
    sub sp, sp, #FRAME
    stp x0, x1, [sp, #0]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]
    mrs x0, elr_el1
    mrs x1, spsr_el1
    stp x0, x1, [sp, #160]
    add x2, sp, #FRAME_GENERAL
    stp q0, q1, [x2, #0]
    stp q2, q3, [x2, #32]
    stp q4, q5, [x2, #64]
    stp q6, q7, [x2, #96]
    stp q8, q9, [x2, #128]
    stp q10, q11, [x2, #160]
    stp q12, q13, [x2, #192]
    stp q14, q15, [x2, #224]
    stp q16, q17, [x2, #256]
    stp q18, q19, [x2, #288]
    stp q20, q21, [x2, #320]
    stp q22, q23, [x2, #352]
    stp q24, q25, [x2, #384]
    stp q26, q27, [x2, #416]
    stp q28, q29, [x2, #448]
    stp q30, q31, [x2, #480]
    bl irq_dispatch
    add x2, sp, #FRAME_GENERAL
    ldp q0, q1, [x2, #0]
    ldp q2, q3, [x2, #32]
    ldp q4, q5, [x2, #64]
    ldp q6, q7, [x2, #96]
    ldp q8, q9, [x2, #128]
    ldp q10, q11, [x2, #160]
    ldp q12, q13, [x2, #192]
    ldp q14, q15, [x2, #224]
    ldp q16, q17, [x2, #256]
    ldp q18, q19, [x2, #288]
    ldp q20, q21, [x2, #320]
    ldp q22, q23, [x2, #352]
    ldp q24, q25, [x2, #384]
    ldp q26, q27, [x2, #416]
    ldp q28, q29, [x2, #448]
    ldp q30, q31, [x2, #480]
    ldp x0, x1, [sp, #160]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x18, x30, [sp, #144]
    ldp x16, x17, [sp, #128]
    ldp x14, x15, [sp, #112]
    ldp x12, x13, [sp, #96]
    ldp x10, x11, [sp, #80]
    ldp x8, x9, [sp, #64]
    ldp x6, x7, [sp, #48]
    ldp x4, x5, [sp, #32]
    ldp x2, x3, [sp, #16]
    ldp x0, x1, [sp, #0]
    add sp, sp, #FRAME
    eret

    /* x0 = vector number, tpidr_el1 = the interrupted x0. The stack may be what is broken, so nothing is pushed. */
fault_entry:
    msr daifset, #0xf
    msr tpidrro_el0, x1
    adrp x1, fault_registers
    add x1, x1, #:lo12:fault_registers
    stp x2, x3, [x1, #16]
    stp x4, x5, [x1, #32]
    stp x6, x7, [x1, #48]
    stp x8, x9, [x1, #64]
    stp x10, x11, [x1, #80]
    stp x12, x13, [x1, #96]
    stp x14, x15, [x1, #112]
    stp x16, x17, [x1, #128]
    stp x18, x19, [x1, #144]
    stp x20, x21, [x1, #160]
    stp x22, x23, [x1, #176]
    stp x24, x25, [x1, #192]
    stp x26, x27, [x1, #208]
    stp x28, x29, [x1, #224]
    mov x2, sp
    stp x30, x2, [x1, #240]
    mrs x2, tpidr_el1
    mrs x3, tpidrro_el0
    stp x2, x3, [x1, #0]
    adrp x2, fault_stack_top
    add x2, x2, #:lo12:fault_stack_top
    mov sp, x2
    bl fault_report
    b halt
