/* SPDX-License-Identifier: MIT */
/*
 * Answer: a message kept ready. Called, it copies the message behind a head of the caller's, with what functions return
 * then in some of its words. What the words mean, it does not know.
 */

#include <string.h>

#include "hal.h"

typedef struct {
    size_t at;
    mp_obj_t function;
} source_t;

typedef struct {
    mp_obj_base_t base;
    uint8_t *message;
    size_t size;
    size_t n_sources;
    source_t sources[];
} answer_t;

static size_t checked_place(mp_obj_t at_in, size_t size) {
    size_t at = hal_arg_size(at_in);
    if (at % 8 != 0 || size < 8 || at > size - 8) {
        mp_raise_ValueError(MP_ERROR_TEXT("a number does not fit there"));
    }
    return at;
}

static source_t checked_source(mp_obj_t at, mp_obj_t function, size_t size) {
    source_t source = { checked_place(at, size), function };
    if (!mp_obj_is_callable(function)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not callable"));
    }
    return source;
}

/* args: message, then pairs of an offset and the function whose number goes there */
static mp_obj_t answer_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, false);
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[0], &info, MP_BUFFER_READ);
    if (info.len < 4 || n_args % 2 == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("no head, or an offset without its function"));
    }
    size_t n_sources = n_args / 2;
    answer_t *self = mp_obj_malloc_var(answer_t, sources, source_t, n_sources, type);
    self->message = m_new(uint8_t, info.len);
    memcpy(self->message, info.buf, info.len);
    self->size = info.len;
    self->n_sources = n_sources;
    for (size_t i = 0; i < n_sources; i++) {
        self->sources[i] = checked_source(args[1 + 2 * i], args[2 + 2 * i], info.len);
    }
    return MP_OBJ_FROM_PTR(self);
}

/* args: head, buffer */
static mp_obj_t answer_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    const answer_t *self = MP_OBJ_TO_PTR(self_in);
    uint32_t head = (uint32_t)hal_arg_word(args[0]);
    for (size_t i = 0; i < self->n_sources; i++) {
        uint64_t number = (uint64_t)hal_arg_word(mp_call_function_0(self->sources[i].function));
        memcpy(self->message + self->sources[i].at, &number, sizeof(number));
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[1], &info, MP_BUFFER_WRITE); /* not before: a function may have resized it */
    if (info.len < self->size) {
        mp_raise_ValueError(MP_ERROR_TEXT("more bytes than the buffer has"));
    }
    memcpy(info.buf, self->message, self->size);
    memcpy(info.buf, &head, sizeof(head));
    return mp_const_none;
}

static mp_obj_t answer_store(mp_obj_t self_in, mp_obj_t at_in, mp_obj_t number_in) {
    const answer_t *self = MP_OBJ_TO_PTR(self_in);
    size_t at = checked_place(at_in, self->size);
    uint64_t number = (uint64_t)hal_arg_word(number_in);
    memcpy(self->message + at, &number, sizeof(number));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(answer_store_obj, answer_store);

static mp_obj_t answer_load(mp_obj_t self_in, mp_obj_t at_in) {
    const answer_t *self = MP_OBJ_TO_PTR(self_in);
    uint64_t number;
    memcpy(&number, self->message + checked_place(at_in, self->size), sizeof(number));
    return mp_obj_new_int_from_uint(number);
}
static MP_DEFINE_CONST_FUN_OBJ_2(answer_load_obj, answer_load);

static const mp_rom_map_elem_t answer_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_load), MP_ROM_PTR(&answer_load_obj) },
    { MP_ROM_QSTR(MP_QSTR_store), MP_ROM_PTR(&answer_store_obj) },
};
static MP_DEFINE_CONST_DICT(answer_locals, answer_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_answer, MP_QSTR_Answer, MP_TYPE_FLAG_NONE,
    make_new, answer_make_new,
    call, answer_call,
    locals_dict, &answer_locals
    );
