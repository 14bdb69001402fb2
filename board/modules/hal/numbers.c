/* SPDX-License-Identifier: MIT */
/*
 * Numbers: whole numbers of 64 bits that `in` finds without a call of Python, however round they are. (A dict's place
 * for a number is the number modulo a size, so that round ones share one.)
 */

#include "hal.h"

typedef struct {
    mp_obj_base_t base;
    uint64_t lowest; /* these three only with a step */
    uint64_t highest;
    uint64_t step; /* 0: they are a list */
    size_t count;
    uint64_t list[];
} numbers_t;

static uint64_t number_of(mp_obj_t arg) {
    uint64_t number;
    if (!hal_arg_u64(arg, &number)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not 0 .. 2^64 - 1"));
    }
    return number;
}

/* args: lowest, highest, step */
static mp_obj_t range_new(const mp_obj_type_t *type, const mp_obj_t *args) {
    uint64_t lowest = number_of(args[0]), highest = number_of(args[1]), step = number_of(args[2]);
    if (lowest > highest || step == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("numbers must rise"));
    }
    numbers_t *self = mp_obj_malloc_var(numbers_t, list, uint64_t, 0, type);
    self->lowest = lowest;
    self->highest = highest;
    self->step = step;
    self->count = 0;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t list_new(const mp_obj_type_t *type, mp_obj_t numbers) {
    size_t count;
    mp_obj_t *items;
    mp_obj_get_array(numbers, &count, &items);
    numbers_t *self = mp_obj_malloc_var(numbers_t, list, uint64_t, count, type);
    self->step = 0;
    self->count = count;
    for (size_t i = 0; i < count; i++) {
        self->list[i] = number_of(items[i]);
        if (i != 0 && self->list[i] <= self->list[i - 1]) {
            mp_raise_ValueError(MP_ERROR_TEXT("numbers must rise"));
        }
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t numbers_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 3, false);
    if (n_args == 2) {
        mp_raise_TypeError(MP_ERROR_TEXT("give a list, or lowest, highest and step"));
    }
    return n_args == 1 ? list_new(type, args[0]) : range_new(type, args);
}

static bool has(const numbers_t *self, uint64_t number) {
    if (self->step != 0) {
        return number >= self->lowest && number <= self->highest && (number - self->lowest) % self->step == 0;
    }
    size_t from = 0, to = self->count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (self->list[middle] == number) {
            return true;
        }
        if (self->list[middle] < number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return false;
}

static mp_obj_t numbers_binary_op(mp_binary_op_t op, mp_obj_t self_in, mp_obj_t number_in) {
    uint64_t number;
    if (op != MP_BINARY_OP_CONTAINS) {
        return MP_OBJ_NULL;
    }
    return mp_obj_new_bool(hal_arg_u64(number_in, &number) && has(MP_OBJ_TO_PTR(self_in), number));
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_numbers, MP_QSTR_Numbers, MP_TYPE_FLAG_NONE,
    make_new, numbers_make_new,
    binary_op, numbers_binary_op
    );
