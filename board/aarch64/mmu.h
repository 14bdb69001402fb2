/* SPDX-License-Identifier: MIT */
/* Identity mapping of what the device tree names; see mmu.c. */
#ifndef TRAPLESS_MMU_H
#define TRAPLESS_MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mmu_kind {
    MMU_CODE,      /* Normal write-back, executable, read-only */
    MMU_CONSTANT,  /* Normal write-back, read-only */
    MMU_NORMAL,    /* Normal write-back */
    MMU_DEVICE,    /* Device-nGnRE */
    MMU_GUARD,     /* never mapped, by nobody */
};

/*
 * Map [address, address + size), rounded outwards to 4 KiB, at its own address. What is mapped already with the same
 * memory type stays as it is. Returns false if part of it is mapped with another type, lies beyond 512 GiB, or tables
 * ran out.
 */
bool mmu_map(uint64_t address, uint64_t size, enum mmu_kind kind);

/* Called once by start.S, MMU off: map the image and the device tree and turn MMU and caches on. */
void mmu_start(const void *fdt);

#endif /* TRAPLESS_MMU_H */
