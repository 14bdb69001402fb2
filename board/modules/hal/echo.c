/* SPDX-License-Identifier: MIT */
/*
 * Answers at interrupt level: a word that the peer changed is stored to another word, and the peer is rung. It
 * measures what a doorbell costs without an interpreter. Interrupt context: no allocation, only raw pointers; what they
 * belong to is kept alive by a root pointer.
 */

#include "barrier.h"
#include "hal.h"

static struct {
    uint8_t *request; /* NULL: the slot is free; written last when it is taken, first when it is given up */
    uint8_t *reply;
    mp_obj_t ring;
    uint32_t seen;
} echoes[HAL_ECHO_SLOTS];

MP_REGISTER_ROOT_POINTER(mp_obj_t hal_echo_windows[8 * 3]); /* HAL_ECHO_SLOTS times request, reply, ring */

void hal_echo_answer_all(void) {
    for (size_t i = 0; i < HAL_ECHO_SLOTS; i++) {
        if (echoes[i].request == NULL) {
            continue;
        }
        uint32_t word = hal_load_acquire32(echoes[i].request);
        if (word == echoes[i].seen) {
            continue;
        }
        echoes[i].seen = word;
        hal_store_release32(echoes[i].reply, word);
        hal_ring(echoes[i].ring);
    }
}

static void disable(size_t slot) {
    echoes[slot].request = NULL;
    hal_copied();
}

void hal_echo_reset(void) {
    for (size_t i = 0; i < HAL_ECHO_SLOTS; i++) {
        disable(i);
    }
    for (size_t i = 0; i < 3 * HAL_ECHO_SLOTS; i++) {
        MP_STATE_VM(hal_echo_windows)[i] = MP_OBJ_NULL;
    }
}

static size_t arg_slot(mp_obj_t arg) {
    size_t slot = hal_arg_size(arg);
    if (slot >= HAL_ECHO_SLOTS) {
        mp_raise_msg(&mp_type_IndexError, MP_ERROR_TEXT("no such echo slot"));
    }
    return slot;
}

/* args: slot, request, request_off, reply, reply_off, ring */
static mp_obj_t hal_echo(size_t n_args, const mp_obj_t *args) {
    size_t slot = arg_slot(args[0]);
    uint8_t *request = hal_window_word(args[1], args[2]);
    uint8_t *reply = hal_window_word(args[3], args[4]);
    mp_obj_t ring = hal_arg_ring(args[5]);
    disable(slot);
    for (size_t i = 0; i < 3; i++) {
        MP_STATE_VM(hal_echo_windows)[3 * slot + i] = args[1 + 2 * i];
    }
    echoes[slot].reply = reply;
    echoes[slot].ring = ring;
    echoes[slot].seen = hal_load_acquire32(request);
    hal_copied();
    echoes[slot].request = request;
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(hal_echo_obj, 6, 6, hal_echo);

static mp_obj_t hal_echo_off(mp_obj_t slot_in) {
    size_t slot = arg_slot(slot_in);
    disable(slot);
    for (size_t i = 0; i < 3; i++) {
        MP_STATE_VM(hal_echo_windows)[3 * slot + i] = MP_OBJ_NULL;
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(hal_echo_off_obj, hal_echo_off);
