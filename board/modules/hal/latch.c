/* SPDX-License-Identifier: MIT */
/*
 * Latches: words that somebody sets before it interrupts, and that hold the next interrupt back until they are 0. They
 * are taken at interrupt level, before anybody looks for work: a level is not asserted any more when the handler
 * ends, and what comes in later interrupts again. Raw pointers, as in echo.c.
 */

#include "hal.h"

static uint64_t *volatile latches[HAL_LATCHES];

MP_REGISTER_ROOT_POINTER(mp_obj_t hal_latch_windows[4]); /* HAL_LATCHES */

/* Pairs with the setter's barrier between what it announces and the word: the loads that follow see what it stored. */
void hal_latch_take_all(void) {
    for (size_t i = 0; i < HAL_LATCHES; i++) {
        uint64_t *word = latches[i];
        if (word != NULL) {
            __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
        }
    }
}

static void disable(size_t slot) {
    latches[slot] = NULL;
    MP_STATE_VM(hal_latch_windows)[slot] = MP_OBJ_NULL;
}

void hal_latch_reset(void) {
    for (size_t i = 0; i < HAL_LATCHES; i++) {
        disable(i);
    }
}

static size_t arg_slot(mp_obj_t arg) {
    size_t slot = hal_arg_size(arg);
    if (slot >= HAL_LATCHES) {
        mp_raise_msg(&mp_type_IndexError, MP_ERROR_TEXT("no such latch"));
    }
    return slot;
}

static mp_obj_t hal_latch(mp_obj_t slot_in, mp_obj_t window, mp_obj_t off) {
    size_t slot = arg_slot(slot_in);
    uint8_t *word = hal_window_word64(window, off);
    disable(slot);
    MP_STATE_VM(hal_latch_windows)[slot] = window;
    latches[slot] = (uint64_t *)word;
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_3(hal_latch_obj, hal_latch);

static mp_obj_t hal_latch_off(mp_obj_t slot) {
    disable(arg_slot(slot));
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_latch_off_obj, hal_latch_off);
