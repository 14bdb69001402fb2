/* SPDX-License-Identifier: MIT */
/*
 * What the files of the capability module `_hal` share. The module has no policy: it knows memory, barriers, virtqueues
 * (virtio 1.3, 2.7 and 2.8), interrupts and objects of Python classes, and nothing of what they are used for. Its
 * readable twin, which the tests hold it against, is firmware/hal/pure/; docstrings are there.
 *
 * Objects are collected by MicroPython's GC, which follows pointers to the first byte of a block only: each object
 * therefore keeps, beside the raw pointer it works with, a reference to the object that owns that memory.
 */
#ifndef TRAPLESS_HAL_HAL_H
#define TRAPLESS_HAL_HAL_H

#include "py/obj.h"
#include "py/runtime.h"

#include "barrier.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "_hal needs a little-endian machine: shared memory is little-endian and accessed in place"
#endif

_Static_assert(sizeof(mp_int_t) == 8, "_hal needs 64-bit small integers: a 32-bit word must not allocate");

#define HAL_QUEUE_SIZE_MAX (256)
#define HAL_WATCH_MAX (1024)
#define HAL_ECHO_SLOTS (8)
#define HAL_LATCHES (4)
#define HAL_INTID_MIN (16)
#define HAL_INTID_END (1020)

/* What pop() of a queue returns; UNANSWERED and FAILED are only what a Server reports. */
enum { HAL_EMPTY, HAL_TAKEN, HAL_MALFORMED, HAL_BROKEN, HAL_UNANSWERED, HAL_FAILED };

/* `reason` of a queue. Up to TABLE: one chain is malformed; from INDEX on: the ring is broken. */
enum {
    HAL_REASON_NONE,
    HAL_REASON_TOO_LONG,
    HAL_REASON_NEXT,
    HAL_REASON_ADDRESS,
    HAL_REASON_ORDER,
    HAL_REASON_UNNEGOTIATED,
    HAL_REASON_NESTED,
    HAL_REASON_INDIRECT_NEXT,
    HAL_REASON_TABLE,
    HAL_REASON_INDEX,
    HAL_REASON_HEAD,
    HAL_REASON_TWICE,
    HAL_REASON_UNAVAILABLE,
};

/* Flags of descriptors of both layouts (virtio 1.3, 2.7.5, 2.8.4 to 2.8.7), and how long one is. */
enum { HAL_DESC_F_NEXT = 1, HAL_DESC_F_WRITE = 2, HAL_DESC_F_INDIRECT = 4, HAL_DESCRIPTOR_SIZE = 16 };

typedef struct {
    mp_obj_base_t base;
    uint8_t *ptr;
    size_t size;
    mp_obj_t source; /* owns the memory, or MP_OBJ_NULL for an address */
    const uint8_t *holes; /* a bit per block that is excluded, or NULL */
    mp_obj_t holes_source; /* owns these bits */
    uint8_t holes_shift; /* a block has 1 << holes_shift bytes */
} hal_window_t;

/* Where in the pool a piece of a chain lies. */
typedef struct {
    size_t off;
    uint32_t len;
} hal_segment_t;

struct hal_queue;

typedef struct {
    mp_obj_base_t base;
    struct hal_queue *queue; /* the queue it is out of, or NULL */
    uint16_t head; /* packed: the buffer's id */
    uint16_t slots; /* packed: how many descriptors of the ring it takes */
    uint16_t max;
    uint16_t count;    /* segments */
    uint16_t readers;  /* how many of them, the first ones, are readable */
    size_t readable;
    size_t writable;
    hal_segment_t segment[];
} hal_chain_t;

/* One of the three areas of a queue: `fixed` bytes and `entry` bytes for each of its entries. */
typedef struct {
    uint8_t entry;
    uint8_t fixed;
    uint8_t alignment;
} hal_area_t;

/* What is different in a split and in a packed queue. */
typedef struct {
    hal_area_t desc;
    hal_area_t driver;
    hal_area_t device;
    uint16_t start; /* last_avail and used_index at the beginning */
    bool power_of_two;
    void (*look)(struct hal_queue *queue); /* set what hal_queue_pending() looks at */
    int (*take)(struct hal_queue *queue, hal_chain_t *chain); /* as pop() */
    void (*give_back)(struct hal_queue *queue, const hal_chain_t *chain, uint32_t n);
    bool (*wanted)(const struct hal_queue *queue, uint16_t pushed); /* an interrupt for what was pushed */
    void (*rest)(const struct hal_queue *queue, bool resting); /* not resting: without the event index only */
} hal_layout_t;

typedef struct hal_queue {
    mp_obj_base_t base;
    const hal_layout_t *layout;
    hal_window_t *pool;
    uint64_t frontend; /* the driver's address of the pool's first byte */
    uint8_t *desc;
    uint8_t *driver; /* split: the available ring; packed: the driver's event suppression structure */
    uint8_t *device; /* split: the used ring; packed: the device's */
    const uint8_t *seen; /* 16 bits by which the driver shows that a chain waits: see hal_queue_pending() */
    uint16_t key;
    uint16_t mask;
    bool match;
    uint16_t size;
    uint16_t last_avail;
    uint16_t used_index;
    uint16_t pushed; /* since signal() was asked: chains if split, descriptors if packed */
    uint16_t in_flight;
    uint16_t slots; /* packed: descriptors with the device */
    uint8_t reason;
    bool event_idx;
    bool indirect;
    bool broken;
    uint32_t out[HAL_QUEUE_SIZE_MAX / 32]; /* split: heads that were popped and not pushed */
} hal_queue_t;

extern const mp_obj_type_t hal_type_window;
extern const mp_obj_type_t hal_type_chain;
extern const mp_obj_type_t hal_type_split;
extern const mp_obj_type_t hal_type_packed;
extern const mp_obj_type_t hal_type_watch;
extern const mp_obj_type_t hal_type_bell;
extern const mp_obj_type_t hal_type_hypercall;
extern const mp_obj_type_t hal_type_notifier;
extern const mp_obj_type_t hal_type_server;
extern const mp_obj_type_t hal_type_answer;
extern const mp_obj_type_t hal_type_numbers;
extern const mp_obj_type_t hal_type_row;
extern const mp_obj_type_t hal_type_dispatcher;

/* window.c */
mp_obj_t hal_window_new(uint8_t *ptr, size_t size, mp_obj_t source);
uint8_t *hal_window_word(mp_obj_t window, mp_obj_t off); /* of 32 bits; raises as an access there would */
uint8_t *hal_window_word64(mp_obj_t window, mp_obj_t off);
bool hal_window_excludes(const hal_window_t *window, size_t off, size_t n); /* of what lies inside and has holes */

/* Are these bytes the window's? Where nothing is excluded this costs one comparison more than the bounds. */
static inline bool hal_window_has(const hal_window_t *window, size_t off, size_t n) {
    return n <= window->size && off <= window->size - n
           && (window->holes == NULL || !hal_window_excludes(window, off, n));
}

/*
 * Arguments. An integer that a machine word cannot hold is SIZE_MAX: out of every range. TypeError if it is no
 * integer.
 */
size_t hal_arg_size(mp_obj_t arg);
bool hal_arg_u64(mp_obj_t arg, uint64_t *value);
size_t hal_arg_count(mp_obj_t arg, size_t max);
mp_int_t hal_arg_word(mp_obj_t arg);

/* chain.c */
hal_chain_t *hal_arg_chain(mp_obj_t chain);
void hal_chain_clear(hal_chain_t *chain);
uint8_t hal_chain_add(hal_chain_t *chain, const hal_queue_t *queue, uint64_t addr, uint32_t len, bool write);
size_t hal_chain_read(const hal_chain_t *chain, size_t off, uint8_t *buf, size_t n);
size_t hal_chain_write(const hal_chain_t *chain, size_t off, uint8_t *buf, size_t n);

/* queue.c */
hal_queue_t *hal_arg_queue(mp_obj_t queue);
int hal_queue_pop(hal_queue_t *queue, hal_chain_t *chain, mp_obj_t buf);
void hal_queue_push(hal_queue_t *queue, hal_chain_t *chain, mp_obj_t n, mp_obj_t buf);
bool hal_queue_signal(hal_queue_t *queue);

/*
 * Does a chain wait? If the word equals the key, as far as the mask goes, (packed) or does not (split). Both layouts
 * without a call: every turn of the loop asks it several times of every queue. Acquire: pairs with the driver's barrier
 * before an index (2.7.13.3) or flags (2.8.21.1).
 */
static inline bool hal_queue_pending(const hal_queue_t *self) {
    return (((hal_load_acquire16(self->seen) ^ self->key) & self->mask) == 0) == self->match;
}

/* Ask for kicks, or say that they are not needed. With the event index one that is past says so by itself. */
static inline void hal_queue_rest(const hal_queue_t *self, bool resting) {
    if (resting || !self->event_idx) {
        self->layout->rest(self, resting);
    }
}

/* queue.c, for the layouts */
bool hal_queue_inside(const hal_queue_t *queue, uint64_t addr, size_t len, size_t *off); /* of the pool; where */
uint8_t hal_queue_table(const hal_queue_t *queue, uint64_t addr, uint32_t len, size_t *off); /* a reason */
int hal_queue_break(hal_queue_t *queue, uint8_t reason);
int hal_queue_taken(hal_queue_t *queue, hal_chain_t *chain, uint16_t head, uint8_t reason);

/* split.c, packed.c */
extern const hal_layout_t hal_layout_split;
extern const hal_layout_t hal_layout_packed;

/* bell.c: rings by a Bell or a Hypercall, in any context; None rings nobody. TypeError if it is none of them. */
mp_obj_t hal_arg_ring(mp_obj_t arg);
void hal_ring(mp_obj_t ring);

/* hypercall.c */
int64_t hal_hypercall(mp_obj_t call);

/* watch.c: in any context, if the callback does not run */
bool hal_watch_has_work(mp_obj_t watch);

/* service.c: have the callback run soon; in any context */
void hal_schedule(void);

/* lookout.c, echo.c, latch.c */
void hal_lookout_reset(void);
void hal_echo_answer_all(void);
void hal_echo_reset(void);
void hal_latch_take_all(void);
void hal_latch_reset(void);

MP_DECLARE_CONST_FUN_OBJ_1(hal_serve_obj);
MP_DECLARE_CONST_FUN_OBJ_0(hal_serving_obj);
MP_DECLARE_CONST_FUN_OBJ_0(hal_notify_obj);
MP_DECLARE_CONST_FUN_OBJ_0(hal_faults_obj);
MP_DECLARE_CONST_FUN_OBJ_0(hal_fault_obj);
MP_DECLARE_CONST_FUN_OBJ_2(hal_irq_attach_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_irq_detach_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_interrupt_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_timer_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(hal_lookout_obj);
MP_DECLARE_CONST_FUN_OBJ_0(hal_look_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(hal_echo_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_echo_off_obj);
MP_DECLARE_CONST_FUN_OBJ_3(hal_latch_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_latch_off_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_entropy_obj);
MP_DECLARE_CONST_FUN_OBJ_1(hal_stir_obj);

/* seal.c */
MP_DECLARE_CONST_FUN_OBJ_2(hal_seal_obj);

#endif /* TRAPLESS_HAL_HAL_H */
