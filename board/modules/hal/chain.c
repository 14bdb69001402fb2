/* SPDX-License-Identifier: MIT */
/*
 * Chain: the segments of one buffer list, checked, of a queue of either layout (virtio 1.3, 2.7.4 and 2.8.5), and what
 * is copied from and to them.
 */

#include <string.h>

#include "barrier.h"
#include "hal.h"

static mp_obj_t chain_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    size_t max = hal_arg_size(args[0]);
    if (max == 0 || max > HAL_QUEUE_SIZE_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("a chain has 1 to 256 segments"));
    }
    hal_chain_t *self = mp_obj_malloc_var(hal_chain_t, segment, hal_segment_t, max, &hal_type_chain);
    memset(&self->base + 1, 0, offsetof(hal_chain_t, segment) - sizeof(self->base) + max * sizeof(hal_segment_t));
    self->max = (uint16_t)max;
    return MP_OBJ_FROM_PTR(self);
}

void hal_chain_clear(hal_chain_t *self) {
    self->count = 0;
    self->readers = 0;
    self->readable = 0;
    self->writable = 0;
}

uint8_t hal_chain_add(hal_chain_t *self, const hal_queue_t *queue, uint64_t addr, uint32_t len, bool write) {
    size_t off;
    if (self->count == MIN(queue->size, self->max)) {
        return HAL_REASON_TOO_LONG;
    }
    if (!write && self->readers != self->count) {
        return HAL_REASON_ORDER;
    }
    if (!hal_queue_inside(queue, addr, len, &off) && len != 0) {
        return HAL_REASON_ADDRESS;
    }
    self->segment[self->count++] = (hal_segment_t) {off, len};
    if (write) {
        self->writable += len;
    } else {
        self->readers++;
        self->readable += len;
    }
    return HAL_REASON_NONE;
}

hal_chain_t *hal_arg_chain(mp_obj_t chain) {
    if (!mp_obj_is_exact_type(chain, &hal_type_chain)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not a Chain"));
    }
    return MP_OBJ_TO_PTR(chain);
}

/* Copy between buf and the bytes off .. off + n - 1 of segments [from, to). Returns how many there were. */
static size_t chain_copy(const hal_chain_t *self, size_t from, size_t to, size_t off,
    uint8_t *buf, size_t n, bool writing) {
    size_t done = 0;
    for (size_t i = from; i < to && n != 0; i++) {
        const hal_segment_t *segment = &self->segment[i];
        if (off >= segment->len) {
            off -= segment->len;
            continue;
        }
        size_t piece = MIN(n, segment->len - off);
        if (!hal_window_has(self->queue->pool, segment->off + off, piece)) {
            break; /* excluded since it was checked */
        }
        uint8_t *shared = self->queue->pool->ptr + segment->off + off;
        if (writing) {
            memmove(shared, buf + done, piece);
        } else {
            memmove(buf + done, shared, piece);
        }
        done += piece;
        n -= piece;
        off = 0;
    }
    hal_copied();
    return done;
}

size_t hal_chain_read(const hal_chain_t *self, size_t off, uint8_t *buf, size_t n) {
    return chain_copy(self, 0, self->readers, off, buf, n, false);
}

size_t hal_chain_write(const hal_chain_t *self, size_t off, uint8_t *buf, size_t n) {
    return chain_copy(self, self->readers, self->count, off, buf, n, true);
}

static size_t chain_offset(mp_obj_t off_in) {
    size_t off = hal_arg_size(off_in);
    if ((mp_int_t)off < 0 && mp_obj_is_small_int(off_in)) {
        mp_raise_msg(&mp_type_IndexError, MP_ERROR_TEXT("outside the chain"));
    }
    return off;
}

static mp_obj_t chain_read_method(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_WRITE);
    size_t n = hal_arg_count(args[3], info.len);
    return MP_OBJ_NEW_SMALL_INT(hal_chain_read(MP_OBJ_TO_PTR(args[0]), chain_offset(args[1]), info.buf, n));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(chain_read_obj, 4, 4, chain_read_method);

static mp_obj_t chain_write_method(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_READ);
    size_t n = hal_arg_count(args[3], info.len);
    return MP_OBJ_NEW_SMALL_INT(hal_chain_write(MP_OBJ_TO_PTR(args[0]), chain_offset(args[1]), info.buf, n));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(chain_write_obj, 4, 4, chain_write_method);

static void chain_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    const hal_chain_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    if (attr == MP_QSTR_readable) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->readable);
    } else if (attr == MP_QSTR_writable) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->writable);
    } else if (attr == MP_QSTR_head) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->head);
    } else if (attr == MP_QSTR_segments) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->count);
    } else {
        dest[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t chain_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&chain_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&chain_write_obj) },
};
static MP_DEFINE_CONST_DICT(chain_locals, chain_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_chain, MP_QSTR_Chain, MP_TYPE_FLAG_NONE,
    make_new, chain_make_new,
    attr, chain_attr,
    locals_dict, &chain_locals
    );
