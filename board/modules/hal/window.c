/* SPDX-License-Identifier: MIT */
/*
 * Window: bounds-checked, naturally aligned access to memory. Every word is one volatile access of exactly its
 * width.
 */

#include <string.h>

#include "barrier.h"
#include "hal.h"

/* ---- Arguments ---- */

/*
 * Of what is no small integer: nothing with a method __int__, which could resize a buffer that was looked at before.
 */
static void check_integer(mp_obj_t arg) {
    if (!mp_obj_is_exact_type(arg, &mp_type_int) && !mp_obj_is_bool(arg)) {
        mp_raise_TypeError(MP_ERROR_TEXT("integer expected"));
    }
}

size_t hal_arg_size(mp_obj_t arg) {
    if (mp_obj_is_small_int(arg)) {
        return (size_t)MP_OBJ_SMALL_INT_VALUE(arg);
    }
    check_integer(arg);
    return mp_obj_is_bool(arg) ? (size_t)mp_obj_get_int(arg) : SIZE_MAX;
}

bool hal_arg_u64(mp_obj_t arg, uint64_t *value) {
    if (mp_obj_is_small_int(arg)) {
        *value = (uint64_t)MP_OBJ_SMALL_INT_VALUE(arg);
        return MP_OBJ_SMALL_INT_VALUE(arg) >= 0;
    }
    check_integer(arg);
    *value = (uint64_t)mp_obj_get_int_truncated(arg);
    return mp_obj_equal(mp_obj_new_int_from_uint(*value), arg);
}

size_t hal_arg_count(mp_obj_t arg, size_t max) {
    size_t n = hal_arg_size(arg);
    if (n > max) {
        mp_raise_ValueError(MP_ERROR_TEXT("more bytes than the buffer has"));
    }
    return n;
}

mp_int_t hal_arg_word(mp_obj_t arg) {
    if (mp_obj_is_small_int(arg)) {
        return MP_OBJ_SMALL_INT_VALUE(arg);
    }
    check_integer(arg);
    return mp_obj_get_int_truncated(arg);
}

/* ---- Construction ---- */

static __attribute__((noreturn)) void raise_index(void) {
    mp_raise_msg(&mp_type_IndexError, MP_ERROR_TEXT("outside the window"));
}

static __attribute__((noreturn)) void raise_alignment(void) {
    mp_raise_ValueError(MP_ERROR_TEXT("access is not naturally aligned"));
}

static void check_size(size_t size, size_t available) {
    if ((mp_int_t)size <= 0 || size > available) {
        mp_raise_ValueError(MP_ERROR_TEXT("window size is 0 or beyond the end of its source"));
    }
}

mp_obj_t hal_window_new(uint8_t *ptr, size_t size, mp_obj_t source) {
    if (((uintptr_t)ptr & 7) != 0) {
        raise_alignment();
    }
    hal_window_t *self = mp_obj_malloc(hal_window_t, &hal_type_window);
    self->ptr = ptr;
    self->size = size;
    self->source = source;
    self->holes = NULL;
    self->holes_source = MP_OBJ_NULL;
    self->holes_shift = 0;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t window_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    size_t size = hal_arg_size(args[1]);
    if (mp_obj_is_int(args[0])) {
        uint64_t address;
        bool fits = hal_arg_u64(args[0], &address);
        check_size(size, fits ? SIZE_MAX - (size_t)address : 0);
        return hal_window_new((uint8_t *)(uintptr_t)address, size, MP_OBJ_NULL);
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[0], &info, MP_BUFFER_WRITE);
    check_size(size, info.len);
    return hal_window_new(info.buf, size, args[0]);
}

/* ---- Holes ---- */

bool hal_window_excludes(const hal_window_t *self, size_t off, size_t n) {
    if (n == 0) {
        return false;
    }
    size_t last = (off + n - 1) >> self->holes_shift;
    size_t block = off >> self->holes_shift;
    while (block <= last) {
        uint8_t bits = self->holes[block / 8] >> (block % 8);
        if (bits & 1) {
            return true;
        }
        block = bits != 0 ? block + 1 : (block | 7) + 1;
    }
    return false;
}

static mp_obj_t window_exclude(mp_obj_t self_in, mp_obj_t map, mp_obj_t shift_in) {
    hal_window_t *self = MP_OBJ_TO_PTR(self_in);
    size_t shift = hal_arg_size(shift_in);
    if (map == mp_const_none) {
        self->holes = NULL;
        self->holes_source = MP_OBJ_NULL;
        return mp_const_none;
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(map, &info, MP_BUFFER_READ);
    if (shift >= 8 * sizeof(size_t) || info.len <= (self->size - 1) >> shift >> 3) {
        mp_raise_ValueError(MP_ERROR_TEXT("the map does not cover the window"));
    }
    self->holes_source = map;
    self->holes_shift = (uint8_t)shift;
    self->holes = info.buf;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(window_exclude_obj, window_exclude);

/* ---- Words ---- */

static inline uint8_t *at(mp_obj_t self_in, mp_obj_t off_in, size_t n) {
    const hal_window_t *self = MP_OBJ_TO_PTR(self_in);
    size_t off = hal_arg_size(off_in);
    if (!hal_window_has(self, off, n)) {
        raise_index();
    }
    return self->ptr + off;
}

static inline uint8_t *aligned(mp_obj_t self_in, mp_obj_t off_in, size_t n) {
    uint8_t *ptr = at(self_in, off_in, n);
    if (((uintptr_t)ptr & (n - 1)) != 0) { /* ptr of a window is a multiple of 8 */
        raise_alignment();
    }
    return ptr;
}

uint8_t *hal_window_word(mp_obj_t window, mp_obj_t off) {
    if (!mp_obj_is_exact_type(window, &hal_type_window)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not a Window"));
    }
    return aligned(window, off, 4);
}

uint8_t *hal_window_word64(mp_obj_t window, mp_obj_t off) {
    hal_window_word(window, off);
    return aligned(window, off, 8);
}

#define DEFINE_ACCESS(bits, to_obj) \
    static mp_obj_t window_r##bits(mp_obj_t self_in, mp_obj_t off_in) { \
        return to_obj(*(volatile uint##bits##_t *)aligned(self_in, off_in, bits / 8)); \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_2(window_r##bits##_obj, window_r##bits); \
    static mp_obj_t window_w##bits(mp_obj_t self_in, mp_obj_t off_in, mp_obj_t value_in) { \
        volatile uint##bits##_t *ptr = (volatile uint##bits##_t *)aligned(self_in, off_in, bits / 8); \
        *ptr = (uint##bits##_t)hal_arg_word(value_in); \
        return mp_const_none; \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_3(window_w##bits##_obj, window_w##bits)

DEFINE_ACCESS(8, MP_OBJ_NEW_SMALL_INT);
DEFINE_ACCESS(16, MP_OBJ_NEW_SMALL_INT);
DEFINE_ACCESS(32, MP_OBJ_NEW_SMALL_INT);
DEFINE_ACCESS(64, mp_obj_new_int_from_uint); /* a value from 2^62 on is a boxed integer */

static mp_obj_t window_load_acquire(mp_obj_t self_in, mp_obj_t off_in) {
    return MP_OBJ_NEW_SMALL_INT(hal_load_acquire32(aligned(self_in, off_in, 4)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(window_load_acquire_obj, window_load_acquire);

static mp_obj_t window_store_release(mp_obj_t self_in, mp_obj_t off_in, mp_obj_t value_in) {
    uint8_t *ptr = aligned(self_in, off_in, 4);
    hal_store_release32(ptr, (uint32_t)hal_arg_word(value_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(window_store_release_obj, window_store_release);

/* Atomic, although the peer never stores to our words: a prompt and the serving callback may both count. */
static mp_obj_t window_add_release(mp_obj_t self_in, mp_obj_t off_in, mp_obj_t n_in) {
    uint32_t *ptr = (uint32_t *)aligned(self_in, off_in, 4);
    return MP_OBJ_NEW_SMALL_INT(__atomic_add_fetch(ptr, (uint32_t)hal_arg_word(n_in), __ATOMIC_RELEASE));
}
static MP_DEFINE_CONST_FUN_OBJ_3(window_add_release_obj, window_add_release);

/* ---- Copies: Normal memory only, in no particular width or order ---- */

static mp_obj_t window_read(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_WRITE);
    size_t n = n_args > 3 && args[3] != mp_const_none ? hal_arg_count(args[3], info.len) : info.len;
    memmove(info.buf, at(args[0], args[1], n), n);
    hal_copied();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(window_read_obj, 3, 4, window_read);

static mp_obj_t window_write(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_READ);
    size_t n = n_args > 3 && args[3] != mp_const_none ? hal_arg_count(args[3], info.len) : info.len;
    memmove(at(args[0], args[1], n), info.buf, n);
    hal_copied();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(window_write_obj, 3, 4, window_write);

static mp_obj_t window_fill(size_t n_args, const mp_obj_t *args) {
    int byte = (int)(hal_arg_word(args[3]) & 0xff);
    size_t n = hal_arg_size(args[2]);
    if ((mp_int_t)n < 0 && mp_obj_is_small_int(args[2])) {
        mp_raise_ValueError(MP_ERROR_TEXT("negative length"));
    }
    memset(at(args[0], args[1], n), byte, n);
    hal_copied();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(window_fill_obj, 4, 4, window_fill);

static mp_obj_t window_window(mp_obj_t self_in, mp_obj_t off_in, mp_obj_t size_in) {
    const hal_window_t *self = MP_OBJ_TO_PTR(self_in);
    size_t size = hal_arg_size(size_in);
    check_size(size, SIZE_MAX);
    return hal_window_new(at(self_in, off_in, size), size, self->source);
}
static MP_DEFINE_CONST_FUN_OBJ_3(window_window_obj, window_window);

static void window_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    const hal_window_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return; /* attributes are read only */
    }
    if (attr == MP_QSTR_size) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->size);
    } else if (attr == MP_QSTR_address) {
        dest[0] = mp_obj_new_int_from_uint((uintptr_t)self->ptr);
    } else {
        dest[1] = MP_OBJ_SENTINEL; /* go on with the methods */
    }
}

/* A constant table is searched in order: what the steady state uses comes first. */
static const mp_rom_map_elem_t window_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_load_acquire), MP_ROM_PTR(&window_load_acquire_obj) },
    { MP_ROM_QSTR(MP_QSTR_add_release), MP_ROM_PTR(&window_add_release_obj) },
    { MP_ROM_QSTR(MP_QSTR_store_release), MP_ROM_PTR(&window_store_release_obj) },
    { MP_ROM_QSTR(MP_QSTR_r32), MP_ROM_PTR(&window_r32_obj) },
    { MP_ROM_QSTR(MP_QSTR_w32), MP_ROM_PTR(&window_w32_obj) },
    { MP_ROM_QSTR(MP_QSTR_r8), MP_ROM_PTR(&window_r8_obj) },
    { MP_ROM_QSTR(MP_QSTR_w8), MP_ROM_PTR(&window_w8_obj) },
    { MP_ROM_QSTR(MP_QSTR_r16), MP_ROM_PTR(&window_r16_obj) },
    { MP_ROM_QSTR(MP_QSTR_w16), MP_ROM_PTR(&window_w16_obj) },
    { MP_ROM_QSTR(MP_QSTR_r64), MP_ROM_PTR(&window_r64_obj) },
    { MP_ROM_QSTR(MP_QSTR_w64), MP_ROM_PTR(&window_w64_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&window_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&window_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_fill), MP_ROM_PTR(&window_fill_obj) },
    { MP_ROM_QSTR(MP_QSTR_window), MP_ROM_PTR(&window_window_obj) },
    { MP_ROM_QSTR(MP_QSTR_exclude), MP_ROM_PTR(&window_exclude_obj) },
};
static MP_DEFINE_CONST_DICT(window_locals, window_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_window, MP_QSTR_Window, MP_TYPE_FLAG_NONE,
    make_new, window_make_new,
    attr, window_attr,
    locals_dict, &window_locals
    );
