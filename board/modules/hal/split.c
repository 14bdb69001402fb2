/* SPDX-License-Identifier: MIT */
/* The split layout of a virtqueue, from the device's side (virtio 1.3, 2.7): a table and two rings. */

#include <string.h>

#include "barrier.h"
#include "hal.h"

enum { AVAIL_F_NO_INTERRUPT = 1, USED_F_NO_NOTIFY = 1 };

/* virtio 1.3, 2.7.5 */
typedef struct {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
} descriptor_t;

_Static_assert(sizeof(descriptor_t) == HAL_DESCRIPTOR_SIZE, "virtq_desc is 16 bytes");

/* Areas of the rings (2.7.6, 2.7.8): flags, idx, ring[size], then the event index of the other side. */
enum { RING_FLAGS = 0, RING_INDEX = 2, RING_ENTRIES = 4, RING_OVERHEAD = 6, AVAIL_SIZE = 2, USED_SIZE = 8 };

static uint16_t load16(const uint8_t *at) {
    return *(const volatile uint16_t *)at;
}

static void store16(uint8_t *at, uint16_t value) {
    *(volatile uint16_t *)at = value;
}

static void split_look(hal_queue_t *self) {
    self->seen = self->driver + RING_INDEX;
    self->key = self->last_avail;
    self->mask = UINT16_MAX;
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
    if (nested) {
        return HAL_REASON_NESTED;
    }
    if (desc->flags & HAL_DESC_F_NEXT) {
        return HAL_REASON_INDIRECT_NEXT;
    }
    return hal_queue_table(self, desc->addr, desc->len, off);
}

/* Copy and check every descriptor of a chain (2.7.4, 2.7.5.3); the reason why it is malformed, or HAL_REASON_NONE. */
static uint8_t walk(const hal_queue_t *self, hal_chain_t *chain, size_t index) {
    const uint8_t *table = self->desc;
    size_t entries = self->size;
    bool nested = false;
    while (index < entries) { /* ends: each turn adds a segment, but for the one that enters the indirect table */
        descriptor_t desc = fetch(table + index * sizeof(descriptor_t));
        uint8_t reason;
        if (desc.flags & HAL_DESC_F_INDIRECT) {
            size_t off = 0;
            reason = check_table(self, &desc, nested, &off);
            if (reason != HAL_REASON_NONE) {
                return reason; /* `off` is none of the pool's */
            }
            table = self->pool->ptr + off;
            entries = desc.len / sizeof(descriptor_t);
            index = 0;
            nested = true;
        } else {
            reason = hal_chain_add(chain, self, desc.addr, desc.len, desc.flags & HAL_DESC_F_WRITE);
            index = desc.next;
        }
        if (reason != HAL_REASON_NONE || (desc.flags & (HAL_DESC_F_NEXT | HAL_DESC_F_INDIRECT)) == 0) {
            return reason;
        }
    }
    return HAL_REASON_NEXT;
}

static int split_take(hal_queue_t *self, hal_chain_t *chain) {
    /* Acquire: pairs with the driver's barrier between the ring entry and the index (2.7.13.3). */
    uint16_t waiting = (uint16_t)(hal_load_acquire16(self->driver + RING_INDEX) - self->last_avail);
    if (waiting == 0) {
        return HAL_EMPTY;
    }
    if (waiting > self->size) {
        return hal_queue_break(self, HAL_REASON_INDEX);
    }
    uint16_t head = load16(self->driver + RING_ENTRIES + AVAIL_SIZE * (self->last_avail & (self->size - 1)));
    if (head >= self->size) {
        return hal_queue_break(self, HAL_REASON_HEAD);
    }
    if (self->out[head / 32] >> (head % 32) & 1) {
        return hal_queue_break(self, HAL_REASON_TWICE);
    }
    self->out[head / 32] |= (uint32_t)1 << (head % 32);
    self->last_avail++;
    hal_chain_clear(chain);
    return hal_queue_taken(self, chain, head, walk(self, chain, head));
}

static void split_give_back(hal_queue_t *self, const hal_chain_t *chain, uint32_t n) {
    uint8_t *element = self->device + RING_ENTRIES + USED_SIZE * (self->used_index & (self->size - 1));
    ((volatile uint32_t *)element)[0] = chain->head;
    ((volatile uint32_t *)element)[1] = n;
    /*
     * Release: pairs with the driver's load barrier after it has seen the index; our loads of the buffers are
     * done, too.
     */
    hal_store_release16(self->device + RING_INDEX, ++self->used_index);
    self->out[chain->head / 32] &= ~((uint32_t)1 << (chain->head % 32));
    self->pushed++;
}

static bool split_wanted(const hal_queue_t *self, uint16_t pushed) {
    if (!self->event_idx) {
        return pushed != 0 && (load16(self->driver + RING_FLAGS) & AVAIL_F_NO_INTERRUPT) == 0;
    }
    uint16_t used_event = load16(self->driver + RING_ENTRIES + AVAIL_SIZE * self->size);
    return (uint16_t)(self->used_index - used_event - 1) < pushed;
}

static void split_rest(const hal_queue_t *self, bool resting) {
    if (self->event_idx) {
        store16(self->device + RING_ENTRIES + USED_SIZE * self->size, self->last_avail);
    } else {
        store16(self->device + RING_FLAGS, resting ? 0 : USED_F_NO_NOTIFY);
    }
}

const hal_layout_t hal_layout_split = {
    .desc = { .entry = sizeof(descriptor_t), .fixed = 0, .alignment = 16 },
    .driver = { .entry = AVAIL_SIZE, .fixed = RING_OVERHEAD, .alignment = 2 },
    .device = { .entry = USED_SIZE, .fixed = RING_OVERHEAD, .alignment = 4 },
    .start = 0,
    .power_of_two = true,
    .look = split_look,
    .take = split_take,
    .give_back = split_give_back,
    .wanted = split_wanted,
    .rest = split_rest,
};
