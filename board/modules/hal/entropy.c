/* SPDX-License-Identifier: MIT */
/*
 * Random bytes for nonces on machines without a random source (a Cortex-A57 has none): whatever differs from boot to
 * boot is absorbed (the firmware gives the device tree's rng-seed and old page content), and the counter at every
 * use.
 *
 * Sponge-like use of the SipHash permutation (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), 256
 * bits of state, 64 bits in or out for each 2 rounds or more. Meant for values that must differ, not for keys.
 */

#include "hal.h"
#include "port.h"

static uint64_t state[4] = {
    0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573,
};

static inline uint64_t rotate(uint64_t x, unsigned n) {
    return x << n | x >> (64 - n);
}

static void rounds(unsigned n) {
    for (; n > 0; n--) {
        state[0] += state[1];
        state[2] += state[3];
        state[1] = rotate(state[1], 13) ^ state[0];
        state[3] = rotate(state[3], 16) ^ state[2];
        state[0] = rotate(state[0], 32);
        state[2] += state[1];
        state[0] += state[3];
        state[1] = rotate(state[1], 17) ^ state[2];
        state[3] = rotate(state[3], 21) ^ state[0];
        state[2] = rotate(state[2], 32);
    }
}

static void absorb(uint64_t word) {
    state[3] ^= word;
    rounds(2);
    state[0] ^= word;
}

static uint64_t squeeze(void) {
    absorb(hal_port_counter());
    state[2] ^= 0xff;
    rounds(4);
    uint64_t word = state[0] ^ state[1] ^ state[2] ^ state[3];
    rounds(1); /* what is left in the state is not what was given away */
    return word;
}

static mp_obj_t hal_entropy(mp_obj_t buf_in) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf_in, &info, MP_BUFFER_WRITE);
    uint64_t word = 0;
    for (size_t i = 0; i < info.len; i++) {
        word = i % 8 == 0 ? squeeze() : word >> 8;
        ((uint8_t *)info.buf)[i] = (uint8_t)word;
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_entropy_obj, hal_entropy);

static mp_obj_t hal_stir(mp_obj_t buf_in) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf_in, &info, MP_BUFFER_READ);
    uint64_t word = info.len;
    for (size_t i = 0; i < info.len; i++) {
        word = rotate(word, 8) ^ ((const volatile uint8_t *)info.buf)[i];
        if (i % 8 == 7) {
            absorb(word);
        }
    }
    absorb(word);
    absorb(hal_port_counter());
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_stir_obj, hal_stir);
