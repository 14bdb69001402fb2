/* SPDX-License-Identifier: MIT */
/*
 * Chain and SplitQueue: the device side of a split virtqueue (virtio 1.3, 2.7) in a pool that an untrusted driver
 * writes to. Every descriptor is copied once, then checked; nothing that lies in the pool is read a second time, and
 * no state is kept there.
 */

#include <string.h>

#include "barrier.h"
#include "hal.h"

enum {
    DESC_F_NEXT = 1,
    DESC_F_WRITE = 2,
    DESC_F_INDIRECT = 4,
    AVAIL_F_NO_INTERRUPT = 1,
    USED_F_NO_NOTIFY = 1,
};

/* virtio 1.3, 2.7.5 */
typedef struct {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
} descriptor_t;

_Static_assert(sizeof(descriptor_t) == 16, "virtq_desc is 16 bytes");

/* Areas of the rings (2.7.6, 2.7.8): flags, idx, ring[size], then the event index of the other side. */
enum { RING_FLAGS = 0, RING_INDEX = 2, RING_ENTRIES = 4, RING_OVERHEAD = 6 };

static uint16_t load16(const uint8_t *at) {
    return *(const volatile uint16_t *)at;
}

static void store16(uint8_t *at, uint16_t value) {
    *(volatile uint16_t *)at = value;
}

/* ---- Chain ---- */

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

static void chain_clear(hal_chain_t *self) {
    self->count = 0;
    self->readers = 0;
    self->readable = 0;
    self->writable = 0;
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

static size_t chain_read(const hal_chain_t *self, size_t off, uint8_t *buf, size_t n) {
    return chain_copy(self, 0, self->readers, off, buf, n, false);
}

static size_t chain_write(const hal_chain_t *self, size_t off, uint8_t *buf, size_t n) {
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
    return MP_OBJ_NEW_SMALL_INT(chain_read(MP_OBJ_TO_PTR(args[0]), chain_offset(args[1]), info.buf, n));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(chain_read_obj, 4, 4, chain_read_method);

static mp_obj_t chain_write_method(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[2], &info, MP_BUFFER_READ);
    size_t n = hal_arg_count(args[3], info.len);
    return MP_OBJ_NEW_SMALL_INT(chain_write(MP_OBJ_TO_PTR(args[0]), chain_offset(args[1]), info.buf, n));
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

/* ---- SplitQueue ---- */

/* Is [addr, addr + len) inside the pool? Overflow-safe; *off is then where. */
static inline bool inside(const hal_queue_t *self, uint64_t addr, size_t len, size_t *off) {
    uint64_t at = addr - self->frontend;
    *off = (size_t)at;
    return addr >= self->frontend && at <= self->pool->size && len <= self->pool->size - at;
}

static uint8_t *ring_area(const hal_queue_t *self, mp_obj_t address_in, size_t len, size_t alignment) {
    uint64_t address;
    size_t off;
    bool fits = hal_arg_u64(address_in, &address);
    if (((address | (address - self->frontend)) & (alignment - 1)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("ring area is misaligned"));
    }
    if (!fits || !inside(self, address, len, &off)) {
        mp_raise_ValueError(MP_ERROR_TEXT("ring area is not inside the pool"));
    }
    return self->pool->ptr + off;
}

/* args: pool, base, size, desc, avail, used, event_idx, indirect */
static mp_obj_t queue_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 8, 8, false);
    if (!mp_obj_is_exact_type(args[0], &hal_type_window)) {
        mp_raise_TypeError(MP_ERROR_TEXT("pool is not a Window"));
    }
    size_t size = hal_arg_size(args[2]);
    if (size == 0 || size > HAL_QUEUE_SIZE_MAX || (size & (size - 1)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("queue size is not a power of two from 1 to 256"));
    }
    hal_queue_t *self = mp_obj_malloc(hal_queue_t, &hal_type_queue);
    memset(&self->base + 1, 0, sizeof(*self) - sizeof(self->base));
    self->pool = MP_OBJ_TO_PTR(args[0]);
    self->size = (uint16_t)size;
    if (!hal_arg_u64(args[1], &self->frontend) || self->frontend + (self->pool->size - 1) < self->frontend) {
        mp_raise_ValueError(MP_ERROR_TEXT("the pool does not fit a 64-bit address space"));
    }
    self->desc = ring_area(self, args[3], sizeof(descriptor_t) * size, 16);
    self->avail = ring_area(self, args[4], RING_OVERHEAD + 2 * size, 2);
    self->used = ring_area(self, args[5], RING_OVERHEAD + 8 * size, 4);
    self->event_idx = mp_obj_is_true(args[6]);
    self->indirect = mp_obj_is_true(args[7]);
    return MP_OBJ_FROM_PTR(self);
}

bool hal_queue_pending(const hal_queue_t *self) {
    return !self->broken && hal_load_acquire16(self->avail + RING_INDEX) != self->last_avail;
}

static mp_obj_t queue_pending(mp_obj_t self_in) {
    return mp_obj_new_bool(hal_queue_pending(MP_OBJ_TO_PTR(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_pending_obj, queue_pending);

static int queue_break(hal_queue_t *self, uint8_t reason) {
    self->broken = true;
    self->reason = reason;
    return -1;
}

/* The next available head, or -1 if there is none or the ring is broken. */
static int next_head(hal_queue_t *self) {
    /* Acquire: pairs with the driver's barrier between the ring entry and the index (2.7.13.3). */
    uint16_t waiting = (uint16_t)(hal_load_acquire16(self->avail + RING_INDEX) - self->last_avail);
    if (self->broken || waiting == 0) {
        return -1;
    }
    if (waiting > self->size) {
        return queue_break(self, HAL_REASON_INDEX);
    }
    uint16_t head = load16(self->avail + RING_ENTRIES + 2 * (self->last_avail & (self->size - 1)));
    if (head >= self->size) {
        return queue_break(self, HAL_REASON_HEAD);
    }
    if (self->out[head / 32] >> (head % 32) & 1) {
        return queue_break(self, HAL_REASON_TWICE);
    }
    return head;
}

static void take(hal_queue_t *self, hal_chain_t *chain, uint16_t head) {
    self->out[head / 32] |= (uint32_t)1 << (head % 32);
    self->in_flight++;
    self->last_avail++;
    chain_clear(chain);
    chain->queue = self;
    chain->head = head;
}

/*
 * An indirect table may have any alignment, so that this is no volatile access; hal_copied() keeps it from being
 * repeated.
 */
static descriptor_t fetch(const uint8_t *at) {
    descriptor_t desc;
    memcpy(&desc, at, sizeof(desc));
    hal_copied();
    return desc;
}

static uint8_t check_table(const hal_queue_t *self, const descriptor_t *desc, bool nested, size_t *off) {
    if (!self->indirect) {
        return HAL_REASON_UNNEGOTIATED;
    }
    if (nested) {
        return HAL_REASON_NESTED;
    }
    if (desc->flags & DESC_F_NEXT) {
        return HAL_REASON_INDIRECT_NEXT;
    }
    if (desc->len == 0 || desc->len % sizeof(descriptor_t) != 0 || !inside(self, desc->addr, desc->len, off)) {
        return HAL_REASON_TABLE;
    }
    return HAL_REASON_NONE;
}

static uint8_t add_segment(const hal_queue_t *self, hal_chain_t *chain, const descriptor_t *desc) {
    size_t off;
    bool write = (desc->flags & DESC_F_WRITE) != 0;
    if (chain->count == MIN(self->size, chain->max)) {
        return HAL_REASON_TOO_LONG;
    }
    if (!write && chain->readers != chain->count) {
        return HAL_REASON_ORDER;
    }
    if (!inside(self, desc->addr, desc->len, &off) && desc->len != 0) {
        return HAL_REASON_ADDRESS;
    }
    chain->segment[chain->count++] = (hal_segment_t) {off, desc->len};
    if (write) {
        chain->writable += desc->len;
    } else {
        chain->readers++;
        chain->readable += desc->len;
    }
    return HAL_REASON_NONE;
}

/* Copy and check every descriptor of a chain (2.7.4, 2.7.5.3); the reason why it is malformed, or HAL_REASON_NONE. */
static uint8_t walk(const hal_queue_t *self, hal_chain_t *chain, size_t index) {
    const uint8_t *table = self->desc;
    size_t entries = self->size;
    bool nested = false;
    while (index < entries) { /* ends: each turn adds a segment, but for the one that enters the indirect table */
        descriptor_t desc = fetch(table + index * sizeof(descriptor_t));
        uint8_t reason;
        if (desc.flags & DESC_F_INDIRECT) {
            size_t off = 0;
            reason = check_table(self, &desc, nested, &off);
            table = self->pool->ptr + off;
            entries = desc.len / sizeof(descriptor_t);
            index = 0;
            nested = true;
        } else {
            reason = add_segment(self, chain, &desc);
            index = desc.next;
        }
        if (reason != HAL_REASON_NONE || (desc.flags & (DESC_F_NEXT | DESC_F_INDIRECT)) == 0) {
            return reason;
        }
    }
    return HAL_REASON_NEXT;
}

hal_chain_t *hal_arg_chain(mp_obj_t chain) {
    if (!mp_obj_is_exact_type(chain, &hal_type_chain)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not a Chain"));
    }
    return MP_OBJ_TO_PTR(chain);
}

int hal_queue_pop(hal_queue_t *self, hal_chain_t *chain, mp_obj_t buf) {
    mp_buffer_info_t info = {.buf = NULL, .len = 0};
    if (buf != mp_const_none) {
        mp_get_buffer_raise(buf, &info, MP_BUFFER_WRITE);
    }
    if (chain->queue == self) {
        mp_raise_ValueError(MP_ERROR_TEXT("chain is still out"));
    }
    int head = next_head(self);
    if (head < 0) {
        return self->broken ? HAL_BROKEN : HAL_EMPTY;
    }
    take(self, chain, (uint16_t)head);
    uint8_t reason = walk(self, chain, (size_t)head);
    if (reason != HAL_REASON_NONE) {
        self->reason = reason;
        chain_clear(chain);
        return HAL_MALFORMED;
    }
    chain_read(chain, 0, info.buf, info.len);
    return HAL_TAKEN;
}

static mp_obj_t queue_pop(size_t n_args, const mp_obj_t *args) {
    mp_obj_t buf = n_args > 2 ? args[2] : mp_const_none;
    return MP_OBJ_NEW_SMALL_INT(hal_queue_pop(MP_OBJ_TO_PTR(args[0]), hal_arg_chain(args[1]), buf));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(queue_pop_obj, 2, 3, queue_pop);

static void give_back(hal_queue_t *self, hal_chain_t *chain, uint32_t n) {
    uint8_t *element = self->used + RING_ENTRIES + 8 * (self->used_index & (self->size - 1));
    ((volatile uint32_t *)element)[0] = chain->head;
    ((volatile uint32_t *)element)[1] = n;
    /*
     * Release: pairs with the driver's load barrier after it has seen the index; our loads of the buffers are
     * done, too.
     */
    hal_store_release16(self->used + RING_INDEX, ++self->used_index);
    self->out[chain->head / 32] &= ~((uint32_t)1 << (chain->head % 32));
    self->in_flight--;
    chain->queue = NULL;
    chain_clear(chain);
}

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
        chain_write(chain, 0, info.buf, n);
    }
    give_back(self, chain, (uint32_t)n);
}

static mp_obj_t queue_push(size_t n_args, const mp_obj_t *args) {
    mp_obj_t buf = n_args > 3 ? args[3] : mp_const_none;
    hal_queue_push(MP_OBJ_TO_PTR(args[0]), hal_arg_chain(args[1]), args[2], buf);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(queue_push_obj, 3, 4, queue_push);

bool hal_queue_signal(hal_queue_t *self) {
    uint16_t pushed = (uint16_t)(self->used_index - self->signalled);
    self->signalled = self->used_index;
    hal_mb(); /* used index before used_event or flags; pairs with the driver's before it looks at the ring again */
    if (!self->event_idx) {
        return pushed != 0 && (load16(self->avail + RING_FLAGS) & AVAIL_F_NO_INTERRUPT) == 0;
    }
    uint16_t used_event = load16(self->avail + RING_ENTRIES + 2 * self->size);
    return (uint16_t)(self->used_index - used_event - 1) < pushed;
}

static mp_obj_t queue_signal(mp_obj_t self_in) {
    return mp_obj_new_bool(hal_queue_signal(MP_OBJ_TO_PTR(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_signal_obj, queue_signal);

void hal_queue_arm(const hal_queue_t *self) {
    if (self->event_idx) {
        store16(self->used + RING_ENTRIES + 8 * self->size, self->last_avail);
    } else {
        store16(self->used + RING_FLAGS, 0);
    }
}

static mp_obj_t queue_arm(mp_obj_t self_in) {
    hal_queue_arm(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_arm_obj, queue_arm);

void hal_queue_disarm(const hal_queue_t *self) {
    if (!self->event_idx) { /* a stale avail_event is enough: the driver kicks at most once more */
        store16(self->used + RING_FLAGS, USED_F_NO_NOTIFY);
    }
}

static mp_obj_t queue_disarm(mp_obj_t self_in) {
    hal_queue_disarm(MP_OBJ_TO_PTR(self_in));
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
    hal_type_queue, MP_QSTR_SplitQueue, MP_TYPE_FLAG_NONE,
    make_new, queue_make_new,
    attr, queue_attr,
    locals_dict, &queue_locals
    );
