/* SPDX-License-Identifier: MIT */
/*
 * Watch: finds work among words and queues, and sleeps without losing a wake-up. What the work means is the
 * caller's business.
 */

#include <string.h>

#include "py/mphal.h"

#include "barrier.h"
#include "hal.h"

#define HAL_SPIN_MAX_US 100000

enum slot_kind { SLOT_FREE, SLOT_WORD, SLOT_QUEUE, SLOT_FLAG };

typedef struct {
    mp_obj_t owner; /* the Window or the queue */
    uint8_t *word;
    uint32_t expected;
    uint8_t kind; /* written last when the slot is taken, first when it is given up: lookout.c looks in between */
} slot_t;

typedef struct {
    mp_obj_base_t base;
    uint16_t capacity;
    uint16_t top;  /* slots from here on are free */
    uint16_t last; /* the slot that was returned last */
    slot_t slot[];
} watch_t;

static mp_obj_t watch_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    size_t capacity = hal_arg_size(args[0]);
    if (capacity == 0 || capacity > HAL_WATCH_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("a watch has 1 to 1024 slots"));
    }
    watch_t *self = mp_obj_malloc_var(watch_t, slot, slot_t, capacity, &hal_type_watch);
    memset(self->slot, 0, capacity * sizeof(slot_t));
    self->capacity = (uint16_t)capacity;
    self->top = 0;
    self->last = (uint16_t)(capacity - 1);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t add(mp_obj_t self_in, slot_t slot) {
    watch_t *self = MP_OBJ_TO_PTR(self_in);
    for (size_t i = 0; i < self->capacity; i++) {
        if (self->slot[i].kind == SLOT_FREE) {
            self->slot[i] = (slot_t) {slot.owner, slot.word, slot.expected, SLOT_FREE};
            hal_copied();
            self->slot[i].kind = slot.kind;
            self->top = MAX(self->top, (uint16_t)(i + 1));
            return MP_OBJ_NEW_SMALL_INT(i);
        }
    }
    mp_raise_ValueError(MP_ERROR_TEXT("the watch is full"));
}

static slot_t *find(mp_obj_t self_in, mp_obj_t slot_in) {
    watch_t *self = MP_OBJ_TO_PTR(self_in);
    size_t i = hal_arg_size(slot_in);
    if (i >= self->capacity || self->slot[i].kind == SLOT_FREE) {
        mp_raise_msg(&mp_type_IndexError, MP_ERROR_TEXT("no such slot"));
    }
    return &self->slot[i];
}

static mp_obj_t watch_word(size_t n_args, const mp_obj_t *args) {
    uint8_t *word = hal_window_word(args[1], args[2]);
    return add(args[0], (slot_t) {args[1], word, (uint32_t)hal_arg_word(args[3]), SLOT_WORD});
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(watch_word_obj, 4, 4, watch_word);

static mp_obj_t watch_expect(mp_obj_t self_in, mp_obj_t slot_in, mp_obj_t value_in) {
    slot_t *slot = find(self_in, slot_in);
    if (slot->kind != SLOT_WORD) {
        mp_raise_ValueError(MP_ERROR_TEXT("slot is not a word"));
    }
    slot->expected = (uint32_t)hal_arg_word(value_in);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(watch_expect_obj, watch_expect);

static mp_obj_t watch_queue(mp_obj_t self_in, mp_obj_t queue_in) {
    return add(self_in, (slot_t) {MP_OBJ_FROM_PTR(hal_arg_queue(queue_in)), NULL, 0, SLOT_QUEUE});
}
static MP_DEFINE_CONST_FUN_OBJ_2(watch_queue_obj, watch_queue);

static mp_obj_t watch_flag(mp_obj_t self_in, mp_obj_t window_in, mp_obj_t off_in) {
    uint8_t *word = hal_window_word(window_in, off_in);
    return add(self_in, (slot_t) {window_in, word, 0, SLOT_FLAG});
}
static MP_DEFINE_CONST_FUN_OBJ_3(watch_flag_obj, watch_flag);

static mp_obj_t watch_remove(mp_obj_t self_in, mp_obj_t slot_in) {
    watch_t *self = MP_OBJ_TO_PTR(self_in);
    slot_t *slot = find(self_in, slot_in);
    slot->kind = SLOT_FREE;
    hal_copied();
    memset(slot, 0, sizeof(*slot));
    while (self->top > 0 && self->slot[self->top - 1].kind == SLOT_FREE) {
        self->top--;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(watch_remove_obj, watch_remove);

static inline bool has_work(const slot_t *slot) {
    if (slot->kind == SLOT_QUEUE) {
        return hal_queue_pending(MP_OBJ_TO_PTR(slot->owner));
    }
    if (slot->kind == SLOT_WORD) {
        uint32_t value = hal_load_acquire32(slot->word);
        return value != slot->expected && value != 0;
    }
    return false;
}

static inline const slot_t *first_with_work(const slot_t *slot, const slot_t *end) {
    for (; slot < end; slot++) {
        if (has_work(slot)) {
            return slot;
        }
    }
    return NULL;
}

static mp_int_t scan(watch_t *self) {
    const slot_t *end = self->slot + self->top;
    const slot_t *start = self->slot + MIN(self->last + 1, self->top);
    const slot_t *found = first_with_work(start, end);
    if (found == NULL) {
        found = first_with_work(self->slot, start);
    }
    if (found == NULL) {
        return -1;
    }
    self->last = (uint16_t)(found - self->slot);
    return self->last;
}

bool hal_watch_has_work(mp_obj_t self_in) {
    const watch_t *self = MP_OBJ_TO_PTR(self_in);
    return first_with_work(self->slot, self->slot + self->top) != NULL;
}

static mp_obj_t watch_pending(mp_obj_t self_in) {
    return mp_obj_new_bool(hal_watch_has_work(self_in));
}
static MP_DEFINE_CONST_FUN_OBJ_1(watch_pending_obj, watch_pending);

static mp_obj_t watch_scan(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(scan(MP_OBJ_TO_PTR(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(watch_scan_obj, watch_scan);

static void set_rest(watch_t *self, bool resting) {
    const slot_t *end = self->slot + self->top;
    for (const slot_t *slot = self->slot; slot < end; slot++) {
        if (slot->kind == SLOT_FLAG) {
            *(volatile uint32_t *)slot->word = resting;
        } else if (slot->kind == SLOT_QUEUE) {
            hal_queue_rest(MP_OBJ_TO_PTR(slot->owner), resting);
        }
    }
}

/*
 * "Flag, barrier, look": pairs with the peer's "publish, barrier, look at the flag". One of the two sees the
 * other's store.
 */
static mp_int_t rest(watch_t *self) {
    set_rest(self, true);
    hal_mb();
    mp_int_t slot = scan(self);
    if (slot >= 0) {
        set_rest(self, false);
    }
    return slot;
}

static mp_obj_t watch_rest(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(rest(MP_OBJ_TO_PTR(self_in)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(watch_rest_obj, watch_rest);

static void wake(watch_t *self) {
    set_rest(self, false);
    hal_mb();
}

static mp_obj_t watch_wake(mp_obj_t self_in) {
    wake(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(watch_wake_obj, watch_wake);

/* A handler may change the list and the slots: both are looked at anew each time. */
static void call_handler(mp_obj_t handlers, size_t slot) {
    size_t count;
    mp_obj_t *items;
    mp_obj_get_array(handlers, &count, &items);
    if (slot >= count) {
        mp_raise_msg(&mp_type_IndexError, MP_ERROR_TEXT("no handler for the slot"));
    }
    mp_call_function_0(items[slot]);
}

/* Awake all the while: a peer that publishes has nothing to ring for. Interrupts go on. */
static mp_int_t spin(watch_t *self, mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    mp_int_t slot = -1;
    while (slot < 0 && mp_hal_ticks_us() - start < us) {
        slot = scan(self);
    }
    return slot;
}

static mp_obj_t watch_run(size_t n_args, const mp_obj_t *args) {
    watch_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_int_t budget = mp_obj_get_int(args[2]);
    size_t spin_us = n_args > 3 ? hal_arg_size(args[3]) : 0;
    bool served = false;
    if (spin_us > HAL_SPIN_MAX_US) {
        mp_raise_ValueError(MP_ERROR_TEXT("a watch spins for 0 to 100000 us"));
    }
    wake(self);
    for (; budget > 0; budget--) {
        mp_int_t slot = scan(self);
        if (slot < 0 && served && spin_us > 0) {
            slot = spin(self, spin_us);
        }
        if (slot < 0) {
            slot = rest(self);
        }
        if (slot < 0) {
            return mp_const_false;
        }
        call_handler(args[1], (size_t)slot);
        served = true;
    }
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(watch_run_obj, 3, 4, watch_run);

static const mp_rom_map_elem_t watch_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&watch_run_obj) },
    { MP_ROM_QSTR(MP_QSTR_scan), MP_ROM_PTR(&watch_scan_obj) },
    { MP_ROM_QSTR(MP_QSTR_pending), MP_ROM_PTR(&watch_pending_obj) },
    { MP_ROM_QSTR(MP_QSTR_wake), MP_ROM_PTR(&watch_wake_obj) },
    { MP_ROM_QSTR(MP_QSTR_rest), MP_ROM_PTR(&watch_rest_obj) },
    { MP_ROM_QSTR(MP_QSTR_expect), MP_ROM_PTR(&watch_expect_obj) },
    { MP_ROM_QSTR(MP_QSTR_word), MP_ROM_PTR(&watch_word_obj) },
    { MP_ROM_QSTR(MP_QSTR_queue), MP_ROM_PTR(&watch_queue_obj) },
    { MP_ROM_QSTR(MP_QSTR_flag), MP_ROM_PTR(&watch_flag_obj) },
    { MP_ROM_QSTR(MP_QSTR_remove), MP_ROM_PTR(&watch_remove_obj) },
};
static MP_DEFINE_CONST_DICT(watch_locals, watch_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    hal_type_watch, MP_QSTR_Watch, MP_TYPE_FLAG_NONE,
    make_new, watch_make_new,
    locals_dict, &watch_locals
    );
