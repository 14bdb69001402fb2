/* SPDX-License-Identifier: MIT */
/*
 * Hypercall: one call of the hypervisor, kept ready, so that ringing by it costs what a Bell costs. What the calls
 * mean is not known here. Xen, public/arch-arm.h, "Hypercall calling convention": that page is about every argument
 * that points to memory, too.
 */

#include "barrier.h"
#include "hal.h"
#include "port.h"

typedef struct {
    mp_obj_base_t base;
    uint64_t number;
    uint64_t args[HAL_HYPERCALL_ARGS];
    mp_obj_t windows[HAL_HYPERCALL_ARGS]; /* keep alive what the arguments point to */
} hypercall_t;

static uint64_t checked_arg(mp_obj_t arg) {
    uint64_t value;
    if (mp_obj_is_type(arg, &hal_type_window)) {
        return (uint64_t)(uintptr_t)((hal_window_t *)MP_OBJ_TO_PTR(arg))->ptr;
    }
    if (!hal_arg_u64(arg, &value)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not 0 .. 2^64 - 1"));
    }
    return value;
}

/* args: number, then at most five: integers, or Windows for their addresses */
static mp_obj_t hypercall_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1 + HAL_HYPERCALL_ARGS, false);
    hypercall_t *self = mp_obj_malloc(hypercall_t, type);
    self->number = checked_arg(args[0]);
    for (size_t i = 0; i < HAL_HYPERCALL_ARGS; i++) {
        self->windows[i] = i + 1 < n_args ? args[i + 1] : MP_OBJ_NULL;
        self->args[i] = i + 1 < n_args ? checked_arg(args[i + 1]) : 0;
    }
    return MP_OBJ_FROM_PTR(self);
}

int64_t hal_hypercall(mp_obj_t call) {
    const hypercall_t *self = MP_OBJ_TO_PTR(call);
    hal_dsb(); /* what the call announces has completed before it is made */
    return hal_port_hypercall(self->number, self->args);
}

static mp_obj_t hypercall_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return mp_obj_new_int(hal_hypercall(self_in));
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_hypercall, MP_QSTR_Hypercall, MP_TYPE_FLAG_NONE,
    make_new, hypercall_make_new,
    call, hypercall_call
    );
