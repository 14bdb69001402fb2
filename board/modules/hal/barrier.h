/* SPDX-License-Identifier: MIT */
/*
 * Barriers and ordered accesses, each named once, with what it pairs with on the other side of the shared memory.
 * Source: Arm Architecture Reference Manual (DDI 0487), B2.3; virtio 1.3, 2.7.13; C11, 7.17.
 *
 * Both virtual machines map the region Normal, write-back, inner-shareable and run on one coherent system, so that
 * the inner-shareable domain (`ish`) holds everybody who looks. Doorbell registers are Device memory and may be
 * forwarded to a peer by something outside that domain, hence the full system for hal_dsb().
 */
#ifndef TRAPLESS_HAL_BARRIER_H
#define TRAPLESS_HAL_BARRIER_H

#include <stdint.h>

/*
 * Full barrier. Earlier stores are visible before later loads are done: "set the sleep flag, then look once more".
 * Pairs with the peer's full barrier between publishing (index, token) and its load of the flag or event index.
 */
static inline void hal_mb(void) {
    #if defined(__aarch64__)
    __asm__ volatile ("dmb ish" ::: "memory");
    #else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    #endif
}

/* Load barrier. Pairs with the peer's store barrier: a token read again after the copy it guards. */
static inline void hal_rmb(void) {
    #if defined(__aarch64__)
    __asm__ volatile ("dmb ishld" ::: "memory");
    #else
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    #endif
}

/* Store barrier. Pairs with the peer's load barrier: an epoch of 0 before the words that it invalidates. */
static inline void hal_wmb(void) {
    #if defined(__aarch64__)
    __asm__ volatile ("dmb ishst" ::: "memory");
    #else
    __atomic_thread_fence(__ATOMIC_RELEASE);
    #endif
}

/*
 * Completion barrier, before a doorbell. Pairs with nothing but the peer's taking of the interrupt: the stores that the
 * doorbell announces have completed, not only been ordered, when the register is written.
 */
static inline void hal_dsb(void) {
    #if defined(__aarch64__)
    __asm__ volatile ("dsb sy" ::: "memory");
    #else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    #endif
}

/* Compiler only: what was copied out of shared memory is not fetched from there again. */
static inline void hal_copied(void) {
    __asm__ volatile ("" ::: "memory");
}

/* ldar / ldarh. Pairs with the peer's release store of the same word: what it wrote before is visible after. */
static inline uint32_t hal_load_acquire32(const void *at) {
    return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}

static inline uint16_t hal_load_acquire16(const void *at) {
    return __atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE);
}

/* stlr / stlrh. Pairs with the peer's acquire load; it also keeps earlier loads (of payload) in front. */
static inline void hal_store_release32(void *at, uint32_t value) {
    __atomic_store_n((uint32_t *)at, value, __ATOMIC_RELEASE);
}

static inline void hal_store_release16(void *at, uint16_t value) {
    __atomic_store_n((uint16_t *)at, value, __ATOMIC_RELEASE);
}

#endif /* TRAPLESS_HAL_BARRIER_H */
