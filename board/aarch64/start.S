/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to C: the arm64 Image header, the way down from EL2, self-relocation, and the first stack.
 *
 * Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image": MMU off, x0 = device tree (or not, when booted
 * as a bare ELF file: see platform_find_dtb()). Arm ARM DDI 0487, D13 for the registers. The form of the relocations is
 * explained in tools/pack_relocations.py.
 */

#define SCTLR_OFF 0x30d00800        /* RES1 bits of Armv8.0; MMU, caches and alignment checks off */
#define HCR_RW (1 << 31)            /* EL1 is AArch64 */
#define CPTR_NO_TRAP 0x33ff
#define SPSR_EL1H_MASKED 0x3c5
#define CPACR_FP (3 << 20)

    /* The rest of the 64-byte header (sizes and magic) is written by the linker script. */
    .section .head, "ax"
    .global _start
_start:
    b start
    .long 0

    .section .text.start, "ax"
start:
    mov x20, x0
    msr daifset, #0xf
    mrs x0, CurrentEL
    cmp x0, #(2 << 2)
    b.lo at_el1
    b.hi halt                       /* EL3 is firmware's business */

    mov x0, #HCR_RW
    msr hcr_el2, x0
    isb                             /* of the two layouts of what follows, that without E2H */
    mov x0, #3                      /* EL1 may use the physical counter and timer */
    msr cnthctl_el2, x0
    msr cntvoff_el2, xzr
    mov x0, #CPTR_NO_TRAP
    msr cptr_el2, x0
    msr hstr_el2, xzr
    mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0
    mrs x0, id_aa64mmfr0_el1
    ubfx x0, x0, #56, #4            /* fine-grained traps? None of EL1's registers and instructions */
    cbz x0, 0f
    msr s3_4_c1_c1_4, xzr           /* HFGRTR_EL2 */
    msr s3_4_c1_c1_5, xzr           /* HFGWTR_EL2 */
    msr s3_4_c1_c1_6, xzr           /* HFGITR_EL2 */
0:  mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #24, #4            /* GIC system registers? */
    cbz x0, 1f
    mrs x0, s3_4_c12_c9_5           /* ICC_SRE_EL2: SRE and Enable */
    mov x1, #9
    orr x0, x0, x1
    msr s3_4_c12_c9_5, x0
    isb
    msr s3_4_c12_c11_0, xzr         /* ICH_HCR_EL2 */
1:  mov x0, #SPSR_EL1H_MASKED
    msr spsr_el2, x0
    adr x0, at_el1
    msr elr_el2, x0
    eret

at_el1:
    ldr w0, =SCTLR_OFF
    msr sctlr_el1, x0
    mov x0, #CPACR_FP
    msr cpacr_el1, x0
    isb
    msr spsel, #1
    adrp x0, stack_top
    mov sp, x0

    /* Where we are minus where we were linked: add it to every absolute pointer in the image. */
    adrp x21, _start
    movz x0, #:abs_g3:LINK_ADDRESS
    movk x0, #:abs_g2_nc:LINK_ADDRESS
    movk x0, #:abs_g1_nc:LINK_ADDRESS
    movk x0, #:abs_g0_nc:LINK_ADDRESS
    sub x3, x21, x0
    adrp x0, relocations_start
    add x0, x0, #:lo12:relocations_start
    adrp x1, relocations_end
    add x1, x1, #:lo12:relocations_end
next_word:
    cmp x0, x1
    b.hs relocated
    ldr x4, [x0], #8
    cbz x4, relocated
    tbnz x4, #0, bitmap
    add x5, x4, x3                  /* an address: of one pointer, and what the bitmaps go on from */
    ldr x6, [x5]
    add x6, x6, x3
    str x6, [x5], #8
    b next_word
bitmap:
    mov x7, x5
    add x5, x5, #(63 * 8)
next_bit:
    lsr x4, x4, #1
    cbz x4, next_word
    tbz x4, #0, not_this_one
    ldr x6, [x7]
    add x6, x6, x3
    str x6, [x7]
not_this_one:
    add x7, x7, #8
    b next_bit

relocated:
    adrp x0, bss_start
    add x0, x0, #:lo12:bss_start
    adrp x1, bss_end
    add x1, x1, #:lo12:bss_end
4:  cmp x0, x1
    b.hs 5f
    stp xzr, xzr, [x0], #16
    b 4b

    /* What was written with the caches off must not be shadowed by lines that a loader left behind. */
5:  mrs x2, ctr_el0
    ubfx x2, x2, #16, #4
    mov x3, #4
    lsl x2, x3, x2                  /* smallest data cache line, bytes */
    mov x0, x21
    adrp x1, image_end
6:  dc ivac, x0
    add x0, x0, x2
    cmp x0, x1
    b.lo 6b
    dsb sy
    ic iallu
    tlbi vmalle1
    dsb sy
    isb

    adrp x0, vectors
    add x0, x0, #:lo12:vectors
    msr vbar_el1, x0
    mov x0, x20
    mov x1, x21
    bl platform_find_dtb
    mov x20, x0
    bl mmu_start
    mov x0, x20
    mov x29, xzr
    mov x30, xzr
    bl board_main

    .global halt
halt:
    wfi
    b halt
