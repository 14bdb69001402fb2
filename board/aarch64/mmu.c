/* SPDX-License-Identifier: MIT */
/*
 * Stage 1 translation of EL1, VMSAv8-64 with 4 KiB granule (Arm ARM DDI 0487, D5): 39 bits of input address, so three
 * levels from 1 GiB blocks down to 4 KiB pages, identity mapped. Only what the image, the device tree's memory nodes
 * and explicit requests name is mapped. A valid entry is never changed, so no break-before-make and no TLB
 * maintenance is needed.
 *
 * Compiled with -mstrict-align and without SIMD: mmu_start() runs while all memory is Device memory.
 */
#include "cpu.h"
#include "mmu.h"

#define PAGE 4096ull
#define ADDRESS_BITS 39
#define ADDRESS_END (1ull << ADDRESS_BITS)
#define TABLES 40
#define LEAF_LEVEL 3

#define VALID 1ull
#define TABLE 2ull          /* a table at levels 1 and 2; a page at level 3 */
#define INDEX(kind) ((kind) == MMU_DEVICE ? 1ull << 2 : 0ull)
#define INDEX_MASK (7ull << 2)
#define READ_ONLY (2ull << 6)
#define INNER_SHAREABLE (3ull << 8)
#define ACCESSED (1ull << 10)
#define NEVER_EXECUTE (3ull << 53)
#define ADDRESS_MASK 0x0000fffffffff000ull

#define MAIR 0x04ffull      /* 0: Normal, write-back, allocating; 1: Device-nGnRE */
#define TCR_WRITE_BACK ((1ull << 8) | (1ull << 10) | (3ull << 12))  /* walks: write-back, inner shareable */
#define TCR_NO_TTBR1 (1ull << 23)
#define PA_RANGE_48 5
#define SCTLR_MMU_AND_CACHES ((1ull << 0) | (1ull << 2) | (1ull << 12))

extern char _start[], text_end[], rodata_end[], stack_guard[], stack_limit[], image_end[];

static uint64_t root[512] __attribute__((section(".bss.tables"), aligned(4096)));
static uint64_t tables[TABLES][512] __attribute__((section(".noinit.tables"), aligned(4096)));
static unsigned tables_used;

static unsigned level_shift(unsigned level) {
    return 12 + 9 * (LEAF_LEVEL - level);
}

/* A guard page is an entry that is neither valid nor free: nothing is ever mapped there. */
static bool is_guard(uint64_t entry) {
    return entry != 0 && !(entry & VALID);
}

static uint64_t attributes(enum mmu_kind kind) {
    if (kind == MMU_GUARD) {
        return 0;
    }
    uint64_t bits = VALID | ACCESSED | INDEX(kind) | (kind == MMU_DEVICE ? 0 : INNER_SHAREABLE);
    bits |= kind == MMU_CODE || kind == MMU_CONSTANT ? READ_ONLY : 0;
    return bits | (kind == MMU_CODE ? 0 : NEVER_EXECUTE);
}

static uint64_t *new_table(void) {
    if (tables_used == TABLES) {
        return NULL;
    }
    uint64_t *table = tables[tables_used++];
    for (unsigned i = 0; i < 512; ++i) {
        ((volatile uint64_t *)table)[i] = 0;
    }
    return table;
}

/* The table below `entry`, made if need be; NULL if there is a block instead, or no table is left. */
static uint64_t *table_below(uint64_t *entry) {
    if (!(*entry & VALID)) {
        uint64_t *table = new_table();
        if (table == NULL) {
            return NULL;
        }
        dsb(ishst);
        *entry = (uint64_t)(uintptr_t)table | TABLE | VALID;
    }
    return *entry & TABLE ? (uint64_t *)(uintptr_t)(*entry & ADDRESS_MASK) : NULL;
}

static bool is_leaf(uint64_t entry, unsigned level) {
    return (entry & VALID) && (level == LEAF_LEVEL || !(entry & TABLE));
}

/* Map as much as one entry holds. Returns the number of bytes dealt with, or 0 if it cannot be done. */
static uint64_t map_step(uint64_t address, uint64_t size, uint64_t bits) {
    uint64_t *table = root;
    for (unsigned level = 1;; ++level) {
        uint64_t span = 1ull << level_shift(level);
        uint64_t *entry = &table[(address >> level_shift(level)) & 511];
        if (is_guard(*entry)) {
            return span;
        }
        if (is_leaf(*entry, level)) {
            return (*entry & INDEX_MASK) == (bits & INDEX_MASK) ? span - (address & (span - 1)) : 0;
        }
        if (!(*entry & VALID) && !(address & (span - 1)) && size >= span) {
            *entry = address | bits | (level == LEAF_LEVEL ? TABLE : 0);
            return span;
        }
        table = table_below(entry);
        if (table == NULL) {
            return 0;
        }
    }
}

bool mmu_map(uint64_t address, uint64_t size, enum mmu_kind kind) {
    if (size > ADDRESS_END || address > ADDRESS_END - size) {
        return false;
    }
    uint64_t end = (address + size + PAGE - 1) & ~(PAGE - 1);
    uint64_t at = address & ~(PAGE - 1);
    while (at < end) {
        uint64_t done = map_step(at, end - at, attributes(kind));
        if (done == 0) {
            return false;
        }
        at += done;
    }
    dsb(ishst);
    isb();
    return true;
}

static void map_range(const char *from, const char *to, enum mmu_kind kind) {
    mmu_map((uintptr_t)from, to - from, kind);
}

void mmu_start(const void *fdt) {
    map_range(_start, text_end, MMU_CODE);
    map_range(text_end, rodata_end, MMU_CONSTANT);
    map_range(rodata_end, stack_guard, MMU_NORMAL);
    map_range(stack_guard, stack_limit, MMU_GUARD);
    map_range(stack_limit, image_end, MMU_NORMAL);
    if (fdt != NULL) {
        const uint32_t *header = fdt;
        mmu_map((uintptr_t)fdt, __builtin_bswap32(header[1]), MMU_NORMAL);
    }

    uint64_t pa_range = sysreg_read(id_aa64mmfr0_el1) & 15;
    sysreg_write(mair_el1, MAIR);
    sysreg_write(tcr_el1, (64 - ADDRESS_BITS) | TCR_WRITE_BACK | TCR_NO_TTBR1
        | (pa_range > PA_RANGE_48 ? PA_RANGE_48 : pa_range) << 32);
    sysreg_write(ttbr0_el1, (uintptr_t)root);
    dsb(sy);
    isb();
    sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | SCTLR_MMU_AND_CACHES);
    isb();
}
