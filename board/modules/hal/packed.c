/* SPDX-License-Identifier: MIT */
/*
 * The packed layout of a virtqueue, from the device's side (virtio 1.3, 2.8): one ring, in which the driver makes
 * descriptors available and the device marks them used, and an event suppression structure of each side.
 *
 * A place in the ring is the number of a descriptor with the wrap counter in bit 15, as in these structures.
 * `last_avail` is the place that is looked at next, `used_index` the one that is written next; what lies between them,
 * `slots` descriptors, is with the device.
 */

#include <string.h>

#include "barrier.h"
#include "hal.h"

enum { DESC_F_AVAIL = 1 << 7, DESC_F_USED = 1 << 15, WRAP = 1 << 15 };

/* virtio 1.3, 2.8.10 */
enum { EVENT_DISABLE = 1, EVENT_DESC = 2, EVENT_MASK = 3, EVENT_SHIFT = 16 };

/* virtio 1.3, 2.8.13 */
typedef struct {
    uint64_t addr;
    uint32_t len;
    uint16_t id;
    uint16_t flags;
} descriptor_t;

_Static_assert(sizeof(descriptor_t) == HAL_DESCRIPTOR_SIZE, "pvirtq_desc is 16 bytes");

static uint8_t *descriptor(const hal_queue_t *self, uint16_t place) {
    return self->desc + sizeof(descriptor_t) * (place & ~WRAP);
}

/* The flags of an available descriptor (2.8.1): AVAIL is the wrap counter, USED is not. */
static uint16_t available(uint16_t place) {
    return place & WRAP ? DESC_F_AVAIL : DESC_F_USED;
}

static uint16_t advance(const hal_queue_t *self, uint16_t place, uint16_t n) {
    uint16_t number = (uint16_t)((place & ~WRAP) + n);
    if (number < self->size) {
        return (uint16_t)(number | (place & WRAP));
    }
    return (uint16_t)((number - self->size) | (~place & WRAP));
}

static void packed_look(hal_queue_t *self) {
    self->seen = descriptor(self, self->last_avail) + offsetof(descriptor_t, flags);
    self->key = available(self->last_avail);
    self->mask = DESC_F_AVAIL | DESC_F_USED;
    self->match = true;
}

static descriptor_t fetch(const uint8_t *at) {
    descriptor_t desc;
    memcpy(&desc, at, sizeof(desc));
    hal_copied();
    return desc;
}

/* 2.8.7: WRITE is the only flag in a table, which has no list but its order. */
static uint8_t add_table(const hal_queue_t *self, hal_chain_t *chain, const descriptor_t *desc) {
    size_t off;
    uint8_t reason = hal_queue_table(self, desc->addr, desc->len, &off);
    for (size_t at = 0; reason == HAL_REASON_NONE && at < desc->len; at += sizeof(descriptor_t)) {
        descriptor_t entry = fetch(self->pool->ptr + off + at);
        reason = hal_chain_add(chain, self, entry.addr, entry.len, entry.flags & HAL_DESC_F_WRITE);
    }
    return reason;
}

static uint8_t add(const hal_queue_t *self, hal_chain_t *chain, const descriptor_t *desc, bool first) {
    if ((desc->flags & HAL_DESC_F_INDIRECT) == 0) {
        return hal_chain_add(chain, self, desc->addr, desc->len, desc->flags & HAL_DESC_F_WRITE);
    }
    return first && (desc->flags & HAL_DESC_F_NEXT) == 0 ? add_table(self, chain, desc) : HAL_REASON_INDIRECT_NEXT;
}

/*
 * A list has to be followed to its end even if something is wrong in it: only there are its id and its length, without
 * which it cannot be returned. `flags`: those of the first descriptor, which are not read again.
 */
static int take_list(hal_queue_t *self, hal_chain_t *chain, uint16_t flags) {
    uint16_t place = self->last_avail, slots = 0;
    uint8_t reason = HAL_REASON_NONE;
    descriptor_t desc;
    do {
        if (self->slots + slots == self->size) {
            return hal_queue_break(self, HAL_REASON_INDEX);
        }
        desc = fetch(descriptor(self, place));
        desc.flags = slots == 0 ? flags : desc.flags;
        if ((desc.flags & (DESC_F_AVAIL | DESC_F_USED)) != available(place)) {
            return hal_queue_break(self, HAL_REASON_UNAVAILABLE);
        }
        if (reason == HAL_REASON_NONE) {
            reason = add(self, chain, &desc, slots == 0);
        }
        slots++;
        place = advance(self, place, 1);
    } while (desc.flags & HAL_DESC_F_NEXT);
    self->last_avail = place;
    self->slots += slots;
    chain->slots = slots;
    return hal_queue_taken(self, chain, desc.id, reason);
}

static int packed_take(hal_queue_t *self, hal_chain_t *chain) {
    uint16_t flags = hal_load_acquire16(self->seen);
    if ((flags & self->mask) != self->key) {
        return HAL_EMPTY;
    }
    hal_chain_clear(chain);
    chain->queue = NULL;
    int found = take_list(self, chain, flags);
    if (found == HAL_BROKEN) {
        hal_chain_clear(chain);
    }
    return found;
}

static void packed_give_back(hal_queue_t *self, const hal_chain_t *chain, uint32_t n) {
    uint8_t *at = descriptor(self, self->used_index);
    uint16_t flags = self->used_index & WRAP ? DESC_F_AVAIL | DESC_F_USED : 0;
    *(volatile uint32_t *)(at + offsetof(descriptor_t, len)) = n;
    *(volatile uint16_t *)(at + offsetof(descriptor_t, id)) = chain->head;
    /*
     * Release: pairs with the driver's load barrier after it has seen the flags; our loads of the buffers are done, too.
     */
    hal_store_release16(at + offsetof(descriptor_t, flags), flags | (n != 0 ? HAL_DESC_F_WRITE : 0));
    self->used_index = advance(self, self->used_index, chain->slots);
    self->slots -= chain->slots;
    self->pushed += chain->slots;
}

static bool packed_wanted(const hal_queue_t *self, uint16_t pushed) {
    uint32_t event = *(const volatile uint32_t *)self->driver;
    uint32_t flags = event >> EVENT_SHIFT & EVENT_MASK;
    if (flags != EVENT_DESC || !self->event_idx) {
        return pushed != 0 && flags != EVENT_DISABLE;
    }
    uint16_t place = (uint16_t)event;
    uint16_t lap = (place ^ self->used_index) & WRAP ? self->size : 0;
    return (uint16_t)((self->used_index & ~WRAP) + lap - (place & ~WRAP) - 1) < pushed;
}

static void packed_rest(const hal_queue_t *self, bool resting) {
    uint32_t event = resting ? 0 : EVENT_DISABLE << EVENT_SHIFT;
    if (self->event_idx) {
        event = EVENT_DESC << EVENT_SHIFT | self->last_avail;
    }
    *(volatile uint32_t *)self->device = event;
}

const hal_layout_t hal_layout_packed = {
    .desc = { .entry = sizeof(descriptor_t), .fixed = 0, .alignment = 16 },
    .driver = { .entry = 0, .fixed = sizeof(uint32_t), .alignment = 4 },
    .device = { .entry = 0, .fixed = sizeof(uint32_t), .alignment = 4 },
    .start = WRAP,
    .power_of_two = false,
    .look = packed_look,
    .take = packed_take,
    .give_back = packed_give_back,
    .wanted = packed_wanted,
    .rest = packed_rest,
};
