/* SPDX-License-Identifier: MIT */
/*
 * Dispatcher and Row: finds the row of a message by bits of its first word and, if the message is sound in every
 * respect, calls the row's handler. It decides nothing: what is not sound, or goes wrong, is handed to functions.
 */

#include "hal.h"

typedef struct {
    mp_obj_base_t base;
    uint32_t size;
    uint32_t least;
    uint32_t reserved; /* bits of the flags that may not be set */
    uint16_t flags_at; /* word of the flags, 0: none */
    uint16_t id_at;    /* word of the item's number, 0: `items` is the item */
    bool ready;
    mp_obj_t items;
    mp_obj_t handler;
    mp_obj_t fits; /* says whether a length is right; None: it is `size` */
} row_t;

typedef struct {
    mp_obj_base_t base;
    uint32_t mask;
    mp_obj_t rows;
    mp_obj_t subject;
    mp_obj_t otherwise;
    mp_obj_t refuse;
    mp_obj_t fail;
} dispatcher_t;

static uint32_t word_index(mp_obj_t arg, size_t size) {
    size_t at = hal_arg_size(arg);
    if (at >= size / 4) {
        mp_raise_ValueError(MP_ERROR_TEXT("the message has no such word"));
    }
    return (uint32_t)at;
}

/* args: size, least, flags_at, reserved, id_at, items, handler, ready, fits */
static mp_obj_t row_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 9, 9, false);
    size_t size = hal_arg_size(args[0]), least = hal_arg_size(args[1]);
    if (size < 4 || size % 4 != 0 || size > UINT16_MAX || least < 8 || least > UINT16_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("a request has whole words from 4 bytes on, a reply 8 bytes or more"));
    }
    row_t *self = mp_obj_malloc(row_t, type);
    self->size = (uint32_t)size;
    self->least = (uint32_t)least;
    self->flags_at = (uint16_t)word_index(args[2], size);
    self->reserved = (uint32_t)hal_arg_word(args[3]);
    self->id_at = (uint16_t)word_index(args[4], size);
    self->items = args[5];
    if (self->id_at && !mp_obj_is_type(self->items, &mp_type_list)) {
        mp_raise_TypeError(MP_ERROR_TEXT("items with numbers must be a list"));
    }
    self->handler = args[6];
    self->ready = mp_obj_is_true(args[7]);
    self->fits = args[8];
    if (!mp_obj_is_callable(self->handler) || !(self->fits == mp_const_none || mp_obj_is_callable(self->fits))) {
        mp_raise_TypeError(MP_ERROR_TEXT("not callable"));
    }
    return MP_OBJ_FROM_PTR(self);
}

static void row_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    const row_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    switch (attr) {
        case MP_QSTR_size:
            dest[0] = MP_OBJ_NEW_SMALL_INT(self->size);
            break;
        case MP_QSTR_least:
            dest[0] = MP_OBJ_NEW_SMALL_INT(self->least);
            break;
        case MP_QSTR_flags_at:
            dest[0] = MP_OBJ_NEW_SMALL_INT(self->flags_at);
            break;
        case MP_QSTR_reserved:
            dest[0] = MP_OBJ_NEW_SMALL_INT(self->reserved);
            break;
        case MP_QSTR_id_at:
            dest[0] = MP_OBJ_NEW_SMALL_INT(self->id_at);
            break;
        case MP_QSTR_items:
            dest[0] = self->items;
            break;
        case MP_QSTR_fits:
            dest[0] = self->fits;
            break;
    }
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_row, MP_QSTR_Row, MP_TYPE_FLAG_NONE,
    make_new, row_make_new,
    attr, row_attr
    );

/* args: mask, subject, otherwise, refuse, fail */
static mp_obj_t dispatcher_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 5, 5, false);
    for (size_t i = 2; i < 5; i++) {
        if (!mp_obj_is_callable(args[i])) {
            mp_raise_TypeError(MP_ERROR_TEXT("not callable"));
        }
    }
    dispatcher_t *self = mp_obj_malloc(dispatcher_t, type);
    self->mask = (uint32_t)hal_arg_word(args[0]);
    self->rows = mp_obj_new_dict(0);
    self->subject = args[1];
    self->otherwise = args[2];
    self->refuse = args[3];
    self->fail = args[4];
    return MP_OBJ_FROM_PTR(self);
}

static const row_t *find_row(const dispatcher_t *self, uint32_t head) {
    mp_map_t *map = mp_obj_dict_get_map(self->rows);
    mp_map_elem_t *found = mp_map_lookup(map, MP_OBJ_NEW_SMALL_INT(head & self->mask), MP_MAP_LOOKUP);
    return found != NULL && mp_obj_is_exact_type(found->value, &hal_type_row) ? MP_OBJ_TO_PTR(found->value) : NULL;
}

static bool has_right_length(const row_t *row, mp_obj_t request, size_t length) {
    if (row->fits == mp_const_none) {
        return length == row->size;
    }
    return mp_obj_is_true(mp_call_function_2(row->fits, request, MP_OBJ_NEW_SMALL_INT(length)));
}

/* args: request, length, reply, room */
static bool is_sound(const row_t *row, const mp_obj_t *args, const mp_buffer_info_t *request,
    const mp_buffer_info_t *reply) {
    size_t length = hal_arg_size(args[1]), room = hal_arg_size(args[3]);
    if (length < row->size || length > request->len || room < row->least || reply->len < row->least) {
        return false;
    }
    const uint32_t *words = request->buf;
    return !(row->flags_at && (words[row->flags_at] & row->reserved)) && has_right_length(row, args[0], length);
}

/* The item that the request is for, or MP_OBJ_NULL: there is none, or None stands in its place. */
static mp_obj_t find_item(const row_t *row, const uint32_t *request) {
    if (!row->id_at) {
        return row->items;
    }
    size_t len;
    mp_obj_t *items;
    mp_obj_list_get(row->items, &len, &items);
    uint32_t number = request[row->id_at];
    return number < len && items[number] != mp_const_none ? items[number] : MP_OBJ_NULL;
}

static mp_obj_t call_handler(const dispatcher_t *self, const row_t *row, mp_obj_t item, const mp_obj_t *args,
    const uint32_t *request, uint32_t *reply) {
    uint32_t head = request[0];
    if (row->ready && !(row->flags_at && request[row->flags_at])) {
        mp_obj_t ready = mp_load_attr(item, MP_QSTR_ready);
        if (ready != mp_const_none) {
            mp_call_function_2(ready, MP_OBJ_NEW_SMALL_INT(head), args[2]);
            return MP_OBJ_NEW_SMALL_INT(row->least);
        }
    }
    reply[0] = head;
    reply[1] = 0;
    const mp_obj_t handler_args[5] = { self->subject, item, args[0], args[2], args[3] };
    return mp_call_function_n_kw(row->handler, 5, 0, handler_args);
}

/* Whether it is the length of a reply, of two words or more. */
static bool is_length(mp_obj_t written, size_t room, size_t size) {
    if (!mp_obj_is_small_int(written) || MP_OBJ_SMALL_INT_VALUE(written) < 0) {
        return false;
    }
    size_t length = (size_t)MP_OBJ_SMALL_INT_VALUE(written);
    return length >= 8 && length <= room && length <= size;
}

/* What is raised, by the handler or on the way to it, is the message's outcome, unless it is no Exception. */
static mp_obj_t call_protected(const dispatcher_t *self, const row_t *row, mp_obj_t item, const mp_obj_t *args,
    const mp_buffer_info_t *request, const mp_buffer_info_t *reply) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t written = call_handler(self, row, item, args, request->buf, reply->buf);
        nlr_pop();
        if (is_length(written, hal_arg_size(args[3]), reply->len)) {
            return written;
        }
        return mp_call_function_2(self->refuse, args[2], written);
    }
    mp_obj_t error = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(error)), MP_OBJ_FROM_PTR(&mp_type_Exception))) {
        nlr_raise(error);
    }
    const mp_obj_t fail_args[3] = { args[0], args[2], error };
    return mp_call_function_n_kw(self->fail, 3, 0, fail_args);
}

/* args: request, length, reply, room */
static mp_obj_t dispatcher_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 4, 4, false);
    const dispatcher_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t request, reply;
    mp_get_buffer_raise(args[0], &request, MP_BUFFER_READ);
    mp_get_buffer_raise(args[2], &reply, MP_BUFFER_WRITE);
    const row_t *row = request.len < 4 ? NULL : find_row(self, *(const uint32_t *)request.buf);
    if (row != NULL && is_sound(row, args, &request, &reply)) {
        mp_obj_t item = find_item(row, request.buf);
        if (item != MP_OBJ_NULL) {
            return call_protected(self, row, item, args, &request, &reply);
        }
    }
    return mp_call_function_n_kw(self->otherwise, 4, 0, args);
}

static void dispatcher_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    dispatcher_t *self = MP_OBJ_TO_PTR(self_in);
    if (attr != MP_QSTR_rows) {
        return;
    }
    if (dest[0] == MP_OBJ_NULL) {
        dest[0] = self->rows;
    } else if (dest[1] != MP_OBJ_NULL && mp_obj_is_exact_type(dest[1], &mp_type_dict)) {
        self->rows = dest[1];
        dest[0] = MP_OBJ_NULL;
    }
}

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_dispatcher, MP_QSTR_Dispatcher, MP_TYPE_FLAG_NONE,
    make_new, dispatcher_make_new,
    attr, dispatcher_attr,
    call, dispatcher_call
    );
