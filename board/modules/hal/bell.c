/* SPDX-License-Identifier: MIT */
/*
 * Bell: rings a doorbell register. Notifier: tells a peer by a counter, and rings if the peer says that it may be
 * asleep. Both are called for every answer, so that they are callable objects: a call is their whole interface.
 */

#include "barrier.h"
#include "hal.h"

typedef struct {
    mp_obj_base_t base;
    uint8_t *reg;
    uint32_t value;
    mp_obj_t window;
} bell_t;

static mp_obj_t bell_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 3, 3, false);
    uint8_t *reg = hal_window_word(args[0], args[1]);
    uint32_t value = (uint32_t)hal_arg_word(args[2]);
    bell_t *self = mp_obj_malloc(bell_t, type);
    self->reg = reg;
    self->value = value;
    self->window = args[0];
    return MP_OBJ_FROM_PTR(self);
}

static inline void ring_bell(const bell_t *self) {
    hal_dsb(); /* what the bell announces has completed before it rings */
    *(volatile uint32_t *)self->reg = self->value;
}

static mp_obj_t bell_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    ring_bell(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_bell, MP_QSTR_Bell, MP_TYPE_FLAG_NONE,
    make_new, bell_make_new,
    call, bell_call
    );

mp_obj_t hal_arg_ring(mp_obj_t arg) {
    if (arg != mp_const_none && !mp_obj_is_type(arg, &hal_type_bell) && !mp_obj_is_type(arg, &hal_type_hypercall)) {
        mp_raise_TypeError(MP_ERROR_TEXT("neither a Bell nor a Hypercall"));
    }
    return arg;
}

void hal_ring(mp_obj_t ring) {
    if (mp_obj_is_type(ring, &hal_type_bell)) {
        ring_bell(MP_OBJ_TO_PTR(ring));
    } else if (mp_obj_is_type(ring, &hal_type_hypercall)) {
        hal_hypercall(ring);
    }
}

typedef struct {
    mp_obj_base_t base;
    uint32_t *count;
    uint8_t *sleep;
    mp_obj_t ring;
    mp_obj_t windows[2];
} notifier_t;

/* args: window and offset of the counter, window and offset of the peer's sleep flag, what rings the peer */
static mp_obj_t notifier_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 5, 5, false);
    uint8_t *count = hal_window_word(args[0], args[1]);
    uint8_t *sleep = hal_window_word(args[2], args[3]);
    if (!mp_obj_is_callable(args[4])) {
        mp_raise_TypeError(MP_ERROR_TEXT("not callable"));
    }
    notifier_t *self = mp_obj_malloc(notifier_t, type);
    self->count = (uint32_t *)count;
    self->sleep = sleep;
    self->ring = args[4];
    self->windows[0] = args[0];
    self->windows[1] = args[2];
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t notifier_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    const notifier_t *self = MP_OBJ_TO_PTR(self_in);
    __atomic_add_fetch(self->count, 1, __ATOMIC_RELEASE);
    hal_mb(); /* counter before flag; pairs with the peer's barrier between its flag and its look at the counter */
    if (*(volatile uint32_t *)self->sleep != 0) {
        mp_call_function_0(self->ring);
    }
    return mp_const_none;
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_notifier, MP_QSTR_Notifier, MP_TYPE_FLAG_NONE,
    make_new, notifier_make_new,
    call, notifier_call
    );
