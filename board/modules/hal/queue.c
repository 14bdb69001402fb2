/* SPDX-License-Identifier: MIT */
/*
 * SplitQueue and PackedQueue: what the device sides of the two layouts (virtio 1.3, 2.7 and 2.8) share, in a pool that
 * an untrusted driver writes to. Every descriptor is copied once, then checked; nothing that lies in the pool is read a
 * second time, and no state is kept there.
 */

#include <string.h>

#include "barrier.h"
#include "hal.h"

/* Overflow-safe. */
bool hal_queue_inside(const hal_queue_t *self, uint64_t addr, size_t len, size_t *off) {
    uint64_t at = addr - self->frontend;
    *off = (size_t)at;
    return addr >= self->frontend && hal_window_has(self->pool, (size_t)at, len);
}

static uint8_t *ring_area(const hal_queue_t *self, mp_obj_t address_in, const hal_area_t *area) {
    uint64_t address;
    size_t off;
    bool fits = hal_arg_u64(address_in, &address);
    if (((address | (address - self->frontend)) & (area->alignment - 1)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("ring area is misaligned"));
    }
    if (!fits || !hal_queue_inside(self, address, area->fixed + area->entry * self->size, &off)) {
        mp_raise_ValueError(MP_ERROR_TEXT("ring area is not inside the pool"));
    }
    return self->pool->ptr + off;
}

static size_t queue_size(const hal_layout_t *layout, mp_obj_t size_in) {
    size_t size = hal_arg_size(size_in);
    if (size == 0 || size > HAL_QUEUE_SIZE_MAX || (layout->power_of_two && (size & (size - 1)) != 0)) {
        mp_raise_ValueError(MP_ERROR_TEXT("a queue has 1 to 256 entries; a split one a power of two"));
    }
    return size;
}

/* args: pool, base, size, descriptor area, driver area, device area, event_idx, indirect */
static mp_obj_t queue_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 8, 8, false);
    if (!mp_obj_is_exact_type(args[0], &hal_type_window)) {
        mp_raise_TypeError(MP_ERROR_TEXT("pool is not a Window"));
    }
    const hal_layout_t *layout = type == &hal_type_split ? &hal_layout_split : &hal_layout_packed;
    size_t size = queue_size(layout, args[2]);
    hal_queue_t *self = mp_obj_malloc(hal_queue_t, type);
    memset(&self->base + 1, 0, sizeof(*self) - sizeof(self->base));
    self->layout = layout;
    self->pool = MP_OBJ_TO_PTR(args[0]);
    self->size = (uint16_t)size;
    self->last_avail = self->used_index = layout->start;
    if (!hal_arg_u64(args[1], &self->frontend) || self->frontend + (self->pool->size - 1) < self->frontend) {
        mp_raise_ValueError(MP_ERROR_TEXT("the pool does not fit a 64-bit address space"));
    }
    self->desc = ring_area(self, args[3], &layout->desc);
    self->driver = ring_area(self, args[4], &layout->driver);
    self->device = ring_area(self, args[5], &layout->device);
    self->event_idx = mp_obj_is_true(args[6]);
    self->indirect = mp_obj_is_true(args[7]);
    layout->look(self);
    return MP_OBJ_FROM_PTR(self);
}

hal_queue_t *hal_arg_queue(mp_obj_t queue) {
    if (!mp_obj_is_exact_type(queue, &hal_type_split) && !mp_obj_is_exact_type(queue, &hal_type_packed)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not a queue"));
    }
    return MP_OBJ_TO_PTR(queue);
}

int hal_queue_break(hal_queue_t *self, uint8_t reason) {
    self->broken = true;
    self->mask = 0; /* with which nothing is pending any more */
    self->match = false;
    self->reason = reason;
    return HAL_BROKEN;
}

uint8_t hal_queue_table(const hal_queue_t *self, uint64_t addr, uint32_t len, size_t *off) {
    if (!self->indirect) {
        return HAL_REASON_UNNEGOTIATED;
    }
    if (len == 0 || len % HAL_DESCRIPTOR_SIZE != 0 || !hal_queue_inside(self, addr, len, off)) {
        return HAL_REASON_TABLE;
    }
    return HAL_REASON_NONE;
}

static mp_obj_t queue_pending(mp_obj_t self_in) {
    return mp_obj_new_bool(hal_queue_pending(MP_OBJ_TO_PTR(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_pending_obj, queue_pending);

int hal_queue_pop(hal_queue_t *self, hal_chain_t *chain, mp_obj_t buf) {
    mp_buffer_info_t info = {.buf = NULL, .len = 0};
    if (buf != mp_const_none) {
        mp_get_buffer_raise(buf, &info, MP_BUFFER_WRITE);
    }
    if (chain->queue == self) {
        mp_raise_ValueError(MP_ERROR_TEXT("chain is still out"));
    }
    int found = self->broken ? HAL_BROKEN : self->layout->take(self, chain);
    if (found == HAL_TAKEN) {
        hal_chain_read(chain, 0, info.buf, info.len);
    }
    return found;
}

int hal_queue_taken(hal_queue_t *self, hal_chain_t *chain, uint16_t head, uint8_t reason) {
    self->layout->look(self);
    self->in_flight++;
    chain->queue = self;
    chain->head = head;
    if (reason == HAL_REASON_NONE) {
        return HAL_TAKEN;
    }
    self->reason = reason;
    hal_chain_clear(chain);
    return HAL_MALFORMED;
}

static mp_obj_t queue_pop(size_t n_args, const mp_obj_t *args) {
    mp_obj_t buf = n_args > 2 ? args[2] : mp_const_none;
    return MP_OBJ_NEW_SMALL_INT(hal_queue_pop(MP_OBJ_TO_PTR(args[0]), hal_arg_chain(args[1]), buf));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(queue_pop_obj, 2, 3, queue_pop);

void hal_queue_push(hal_queue_t *self, hal_chain_t *chain, mp_obj_t n_in, mp_obj_t buf) {
    if (chain->queue != self) {
        mp_raise_ValueError(MP_ERROR_TEXT("chain is not out of this queue"));
    }
    size_t n = hal_arg_size(n_in);
    if (n > chain->writable) {
        mp_raise_ValueError(MP_ERROR_TEXT("more bytes than the chain has room for"));
    }
    if (buf != mp_const_none) {
        mp_buffer_info_t info;
        mp_get_buffer_raise(buf, &info, MP_BUFFER_READ);
        hal_arg_count(n_in, info.len);
        hal_chain_write(chain, 0, info.buf, n);
    }
    self->layout->give_back(self, chain, (uint32_t)n);
    self->in_flight--;
    chain->queue = NULL;
    hal_chain_clear(chain);
}

static mp_obj_t queue_push(size_t n_args, const mp_obj_t *args) {
    mp_obj_t buf = n_args > 3 ? args[3] : mp_const_none;
    hal_queue_push(MP_OBJ_TO_PTR(args[0]), hal_arg_chain(args[1]), args[2], buf);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(queue_push_obj, 3, 4, queue_push);

bool hal_queue_signal(hal_queue_t *self) {
    uint16_t pushed = self->pushed;
    self->pushed = 0;
    hal_mb(); /* what is used before the driver's wish; pairs with the driver's before it looks at the ring again */
    return self->layout->wanted(self, pushed);
}

static mp_obj_t queue_signal(mp_obj_t self_in) {
    return mp_obj_new_bool(hal_queue_signal(MP_OBJ_TO_PTR(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_signal_obj, queue_signal);

static mp_obj_t queue_arm(mp_obj_t self_in) {
    hal_queue_rest(MP_OBJ_TO_PTR(self_in), true);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_arm_obj, queue_arm);

static mp_obj_t queue_disarm(mp_obj_t self_in) {
    hal_queue_rest(MP_OBJ_TO_PTR(self_in), false);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_disarm_obj, queue_disarm);

static void queue_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    const hal_queue_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    if (attr == MP_QSTR_reason) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->reason);
    } else if (attr == MP_QSTR_last_avail) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->last_avail);
    } else if (attr == MP_QSTR_in_flight) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->in_flight);
    } else if (attr == MP_QSTR_size) {
        dest[0] = MP_OBJ_NEW_SMALL_INT(self->size);
    } else {
        dest[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t queue_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_pop), MP_ROM_PTR(&queue_pop_obj) },
    { MP_ROM_QSTR(MP_QSTR_push), MP_ROM_PTR(&queue_push_obj) },
    { MP_ROM_QSTR(MP_QSTR_signal), MP_ROM_PTR(&queue_signal_obj) },
    { MP_ROM_QSTR(MP_QSTR_pending), MP_ROM_PTR(&queue_pending_obj) },
    { MP_ROM_QSTR(MP_QSTR_arm), MP_ROM_PTR(&queue_arm_obj) },
    { MP_ROM_QSTR(MP_QSTR_disarm), MP_ROM_PTR(&queue_disarm_obj) },
};
static MP_DEFINE_CONST_DICT(queue_locals, queue_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_split, MP_QSTR_SplitQueue, MP_TYPE_FLAG_NONE,
    make_new, queue_make_new,
    attr, queue_attr,
    locals_dict, &queue_locals
    );

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_packed, MP_QSTR_PackedQueue, MP_TYPE_FLAG_NONE,
    make_new, queue_make_new,
    attr, queue_attr,
    locals_dict, &queue_locals
    );
