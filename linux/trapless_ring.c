// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue as its device sees it: chains that are still with a backend which has let go of them
 *
 * docs/transport.md, 4.7; virtio 1.3, 2.7 (split) and 2.8 (packed virtqueues). What stands in the
 * pool is the backend's to change at any time: no word is believed for longer than its one use, and
 * every walk is bounded.
 */
#include <linux/bitmap.h>
#include <linux/io.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ring.h>

#include "trapless_virtio.h"

/* A descriptor of either layout: the first two members are the same, the last two change places. */
struct tpl_desc {
	__le64 addr;
	__le32 len;
	__le16 word[2];
};

static_assert(sizeof(struct tpl_desc) == sizeof(struct vring_desc));
static_assert(sizeof(struct tpl_desc) == sizeof(struct vring_packed_desc));

enum { TPL_SPLIT_FLAGS, TPL_SPLIT_NEXT };
enum { TPL_PACKED_ID, TPL_PACKED_FLAGS };

#define TPL_PACKED_AVAIL BIT(VRING_PACKED_DESC_F_AVAIL)
#define TPL_PACKED_USED BIT(VRING_PACKED_DESC_F_USED)

bool tpl_in_pool(struct tpl_link *link, u64 address, size_t size)
{
	return address >= link->pool_base && size <= link->pool_size &&
	       address - link->pool_base <= link->pool_size - size;
}

/*
 * What is read as words has to be aligned as words are: a load-acquire faults otherwise. What is given
 * back of the pool (10.4) is not read: it may be unmapped.
 */
static bool tpl_readable(struct tpl_link *link, u64 address, size_t size, size_t word)
{
	return IS_ALIGNED(address, word) && tpl_in_pool(link, address, size) &&
	       !tpl_balloon_touches(link, address, size);
}

static u16 tpl_word(const struct tpl_desc *desc, unsigned int index)
{
	return le16_to_cpu(READ_ONCE(desc->word[index]));
}

/* Take up the first buffer of each direction. */
static void tpl_chain_add(struct tpl_link *link, struct tpl_chain *chain,
			  const struct tpl_desc *desc, u16 flags)
{
	struct tpl_buffer *buffer = flags & VRING_DESC_F_WRITE ? &chain->answer : &chain->request;
	u64 address = le64_to_cpu(READ_ONCE(desc->addr));
	u32 length = le32_to_cpu(READ_ONCE(desc->len));

	if (buffer->length || !tpl_readable(link, address, length, sizeof(u32)))
		return;
	buffer->at = phys_to_virt(address);
	buffer->length = length;
}

/*
 * Nobody whose chains are answered here makes longer tables. A backend that says otherwise, of every
 * chain, would have all of them gone through with interrupts off.
 */
#define TPL_TABLE_LIMIT 16

static void tpl_chain_add_table(struct tpl_link *link, struct tpl_chain *chain,
				const struct tpl_desc *desc, unsigned int flags_at)
{
	u64 address = le64_to_cpu(READ_ONCE(desc->addr));
	u32 length = le32_to_cpu(READ_ONCE(desc->len));
	unsigned int i, count = min(length / sizeof(*desc), TPL_TABLE_LIMIT);

	if (!tpl_readable(link, address, length, sizeof(desc->addr)))
		return;
	desc = phys_to_virt(address);
	for (i = 0; i < count; i++)
		tpl_chain_add(link, chain, &desc[i], tpl_word(&desc[i], flags_at));
}

/* Split virtqueues */

static void tpl_split_chain(struct tpl_link *link, struct virtqueue *vq, u16 head,
			    struct tpl_chain *chain)
{
	unsigned int left, size = virtqueue_get_vring_size(vq);
	const struct tpl_desc *table = phys_to_virt(virtqueue_get_desc_addr(vq));
	const struct tpl_desc *desc = &table[head];
	u16 flags = tpl_word(desc, TPL_SPLIT_FLAGS);

	if (flags & VRING_DESC_F_INDIRECT) {
		tpl_chain_add_table(link, chain, desc, TPL_SPLIT_FLAGS);
		return;
	}
	for (left = size; left; left--) {
		tpl_chain_add(link, chain, desc, flags);
		if (!(flags & VRING_DESC_F_NEXT))
			return;
		desc = &table[tpl_word(desc, TPL_SPLIT_NEXT) & (size - 1)];
		flags = tpl_word(desc, TPL_SPLIT_FLAGS);
	}
}

/*
 * Which heads are with the device? Each entry of the available ring gives one to it, each of the
 * used ring takes one back, in turns; both rings are followed from the same position on. A chain
 * that is away for longer than the rings remember is not found.
 */
static bool tpl_split_waiting(struct virtqueue *vq, u16 used, unsigned long *heads)
{
	const struct vring_avail *avail = phys_to_virt(virtqueue_get_avail_addr(vq));
	const struct vring_used *ring = phys_to_virt(virtqueue_get_used_addr(vq));
	unsigned int mask = virtqueue_get_vring_size(vq) - 1;
	u16 end = virtio16_to_cpu(vq->vdev, READ_ONCE(avail->idx));
	u16 from = end - mask - 1, at;

	if ((u16)(end - used) > mask + 1)
		return false;
	bitmap_zero(heads, TPL_QUEUE_SIZE_LIMIT);
	for (at = from; at != end; at++)
		__change_bit(virtio16_to_cpu(vq->vdev, READ_ONCE(avail->ring[at & mask])) & mask,
			     heads);
	for (at = from; at != used; at++)
		__change_bit(virtio32_to_cpu(vq->vdev, READ_ONCE(ring->ring[at & mask].id)) & mask,
			     heads);
	return true;
}

static void tpl_split_return(struct tpl_link *link, struct virtqueue *vq, tpl_answer_fn *answer)
{
	struct vring_used *ring = phys_to_virt(virtqueue_get_used_addr(vq));
	unsigned int head, size = virtqueue_get_vring_size(vq);
	u16 used = virtio16_to_cpu(vq->vdev, READ_ONCE(ring->idx));
	DECLARE_BITMAP(heads, TPL_QUEUE_SIZE_LIMIT);

	if (!tpl_split_waiting(vq, used, heads))
		return;
	for_each_set_bit(head, heads, size) {
		struct tpl_chain chain = {};
		u32 length;

		tpl_split_chain(link, vq, head, &chain);
		length = answer(&chain);
		if (!length)
			continue;
		ring->ring[used & (size - 1)].id = cpu_to_virtio32(vq->vdev, head);
		ring->ring[used & (size - 1)].len = cpu_to_virtio32(vq->vdev, length);
		used++;
	}
	/* As the device would: the entries and buffers before the index. */
	virt_store_release(&ring->idx, cpu_to_virtio16(vq->vdev, used));
}

/* Packed virtqueues: their size need not be a power of two */

/*
 * Where the driver puts the next descriptor: the AVAIL bits of one lap end there, those of the lap
 * before begin.
 */
static unsigned int tpl_packed_next(const struct tpl_desc *ring, unsigned int size)
{
	u16 lap = tpl_word(ring, TPL_PACKED_FLAGS) & TPL_PACKED_AVAIL;
	unsigned int at;

	for (at = 1; at < size; at++)
		if ((tpl_word(&ring[at], TPL_PACKED_FLAGS) & TPL_PACKED_AVAIL) != lap)
			return at;
	return 0;
}

/* The chain that begins at a descriptor, at most `left` long; returns its length. */
static unsigned int tpl_packed_chain(struct tpl_link *link, struct virtqueue *vq, unsigned int at,
				     unsigned int left, struct tpl_chain *chain)
{
	const struct tpl_desc *ring = phys_to_virt(virtqueue_get_desc_addr(vq));
	unsigned int size = virtqueue_get_vring_size(vq), count = 0;
	u16 id = tpl_word(&ring[at], TPL_PACKED_ID);

	do {
		const struct tpl_desc *desc = &ring[(at + count++) % size];
		u16 flags = tpl_word(desc, TPL_PACKED_FLAGS);

		if (flags & VRING_DESC_F_INDIRECT)
			tpl_chain_add_table(link, chain, desc, TPL_PACKED_FLAGS);
		else
			tpl_chain_add(link, chain, desc, flags);
	} while (count < left && tpl_word(&ring[(at + count) % size], TPL_PACKED_ID) == id);
	return count;
}

/* A used descriptor has both bits as the lap's AVAIL bit is. */
static void tpl_packed_use(struct tpl_desc *desc, u16 flags, u32 length)
{
	u16 used = flags & TPL_PACKED_AVAIL ? TPL_PACKED_AVAIL | TPL_PACKED_USED : 0;

	WRITE_ONCE(desc->len, cpu_to_le32(length));
	/* As the device would: the rest before the flags. */
	virt_store_release(&desc->word[TPL_PACKED_FLAGS], cpu_to_le16(used));
}

/*
 * Works while the device takes and returns chains in the same order, and stops at the first chain
 * that cannot be answered: the used descriptors of others stand where those of chains that wait
 * were.
 */
static void tpl_packed_return(struct tpl_link *link, struct virtqueue *vq, tpl_answer_fn *answer)
{
	struct tpl_desc *ring = phys_to_virt(virtqueue_get_desc_addr(vq));
	unsigned int size = virtqueue_get_vring_size(vq);
	unsigned int left = size - min(vq->num_free, size);
	unsigned int at = (tpl_packed_next(ring, size) + size - left) % size;

	while (left) {
		u16 flags = tpl_word(&ring[at], TPL_PACKED_FLAGS);
		struct tpl_chain chain = {};
		unsigned int count = tpl_packed_chain(link, vq, at, left, &chain);
		bool used = !(flags & TPL_PACKED_AVAIL) == !(flags & TPL_PACKED_USED);
		u32 length = used ? 0 : answer(&chain);

		if (!used && !length)
			return;
		if (!used)
			tpl_packed_use(&ring[at], flags, length);
		at = (at + count) % size;
		left -= count;
	}
}

/*
 * Return all chains that wait in a queue in the device's place: those that `answer` gives a length.
 * Only while nobody adds to the queue, and when the backend has let go of it.
 */
void tpl_ring_return(struct tpl_link *link, struct virtqueue *vq, tpl_answer_fn *answer)
{
	if (virtio_has_feature(vq->vdev, VIRTIO_F_RING_PACKED))
		tpl_packed_return(link, vq, answer);
	else
		tpl_split_return(link, vq, answer);
}
