// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ballooning: parts of the pool are given back and taken again at the backend's request
 *
 * docs/transport.md, section 10. To give a block back means to allocate it from the restricted pool
 * and use it for nothing: swiotlb hands out what is free, so that nothing in flight is touched, and
 * keeps its records outside of the pool. A block is free for swiotlb again when the backend has
 * acknowledged that it is ours.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "trapless_virtio.h"

#define TPL_BLOCK_SIZE BIT(TPL_POOL_BLOCK_SHIFT)

/*
 * So many blocks of the pool are free after blocks were given back: for the rings of a driver that
 * comes back, and for what it sends.
 */
#define TPL_BLOCKS_KEPT 8

struct tpl_block {
	struct page *page; /* NULL: not given back */
	dma_addr_t dma;
};

static struct device *tpl_pool_device(struct tpl_link *link)
{
	return &tpl_first(link)->pdev->dev;
}

static bool tpl_block_alloc(struct tpl_link *link, struct tpl_block *block)
{
	block->page = dma_alloc_pages(tpl_pool_device(link), TPL_BLOCK_SIZE, &block->dma,
				      DMA_BIDIRECTIONAL, GFP_KERNEL | __GFP_NOWARN);
	return block->page;
}

static void tpl_block_free(struct tpl_link *link, struct tpl_block *block)
{
	dma_free_pages(tpl_pool_device(link), TPL_BLOCK_SIZE, block->page, block->dma,
		       DMA_BIDIRECTIONAL);
	WRITE_ONCE(block->page, NULL);
}

/* Whether a part of a range of the pool is given back. Any context. */
bool tpl_balloon_touches(struct tpl_link *link, u64 address, size_t size)
{
	const struct tpl_balloon *balloon = &link->balloon;
	u64 first = (address - link->pool_base) >> TPL_POOL_BLOCK_SHIFT;
	u64 last = (address - link->pool_base + size - !!size) >> TPL_POOL_BLOCK_SHIFT;
	u64 number;

	for (number = first; number <= last && number < balloon->blocks; number++)
		if (READ_ONCE(balloon->block[number].page))
			return true;
	return false;
}

static void tpl_balloon_entry(struct tpl_balloon *balloon, unsigned int index, u16 offset,
			      u8 length, u64 value)
{
	balloon->entries[index] = (struct tpl_entry) {
		.offset = cpu_to_le16(offset),
		.length = length,
		.value = cpu_to_le64(value),
	};
}

static void tpl_balloon_block(struct tpl_balloon *balloon, unsigned int index, u16 offset,
			      unsigned int number)
{
	tpl_balloon_entry(balloon, index, offset, sizeof(u64), BIT_ULL(32) | number);
}

/* The block of an entry. */
static struct tpl_block *tpl_balloon_at(struct tpl_balloon *balloon, unsigned int index)
{
	return &balloon->block[lower_32_bits(le64_to_cpu(balloon->entries[index].value))];
}

static void tpl_balloon_release(struct tpl_link *link, unsigned int count)
{
	while (count--) {
		tpl_block_free(link, tpl_balloon_at(&link->balloon, count));
		WRITE_ONCE(link->balloon.given, link->balloon.given - 1);
	}
}

/*
 * The first entries as a batch. -EPROTO: refused, and nothing has changed. After any other error
 * nobody knows what the backend did: that ends with the link's life.
 */
static int tpl_balloon_send(struct tpl_link *link, unsigned int count)
{
	struct tpl_answer answer;
	int err = tpl_batch_exchange(tpl_first(link), link->balloon.entries, count, &answer);

	if (err || answer.result == TPL_RESULT_OK)
		return err;
	if (answer.result == TPL_RESULT_NEEDS_RESET) {
		/* 10.3: in the next life the whole pool is ours. */
		tpl_link_break(link, "the backend failed at a change of the pool");
		return -EIO;
	}
	dev_warn_ratelimited(link->dev, "the backend refused a change of the pool: %s (entry %u)\n",
			     tpl_result_name(answer.result), answer.index);
	return -EPROTO;
}

/* Take a free block out of the pool, make it an entry. Fails if the pool does not begin with one. */
static bool tpl_balloon_add(struct tpl_link *link, unsigned int index)
{
	struct tpl_balloon *balloon = &link->balloon;
	struct tpl_block found, *block;
	u64 offset;

	if (!tpl_block_alloc(link, &found))
		return false;
	offset = found.dma - link->pool_base;
	if (offset % TPL_BLOCK_SIZE || offset >> TPL_POOL_BLOCK_SHIFT >= balloon->blocks) {
		tpl_block_free(link, &found);
		return false;
	}
	tpl_balloon_block(balloon, index, TPL_REG_POOL_GIVE, offset >> TPL_POOL_BLOCK_SHIFT);
	block = tpl_balloon_at(balloon, index);
	block->dma = found.dma;
	WRITE_ONCE(block->page, found.page);
	WRITE_ONCE(balloon->given, balloon->given + 1);
	return true;
}

/* Take up to `most` free blocks out of the pool, if some remain. Returns how many. */
static unsigned int tpl_balloon_collect(struct tpl_link *link, unsigned int most)
{
	struct tpl_block kept[TPL_BLOCKS_KEPT];
	unsigned int n, count = 0;

	for (n = 0; n < ARRAY_SIZE(kept) && tpl_block_alloc(link, &kept[n]);)
		n++;
	while (n == ARRAY_SIZE(kept) && count < most && tpl_balloon_add(link, count))
		count++;
	while (n--)
		tpl_block_free(link, &kept[n]);
	return count;
}

static int tpl_balloon_give(struct tpl_link *link, u32 target)
{
	struct tpl_balloon *balloon = &link->balloon;
	unsigned int count;
	int err;

	while (balloon->given < target) {
		count = tpl_balloon_collect(link, min(target - balloon->given, TPL_ENTRIES_MAX));
		if (!count)
			return 0; /* all that can be given */
		err = tpl_balloon_send(link, count);
		if (err == -EPROTO)
			tpl_balloon_release(link, count);
		if (err)
			return err;
	}
	return 0;
}

static int tpl_balloon_take(struct tpl_link *link, u32 target)
{
	struct tpl_balloon *balloon = &link->balloon;
	unsigned int number = balloon->blocks;
	unsigned int count;
	int err;

	while (balloon->given > target) {
		unsigned int most = min(balloon->given - target, TPL_ENTRIES_MAX);

		for (count = 0; number && count < most;)
			if (balloon->block[--number].page)
				tpl_balloon_block(balloon, count++, TPL_REG_POOL_TAKE, number);
		err = tpl_balloon_send(link, count);
		if (err)
			return err;
		tpl_balloon_release(link, count);
	}
	return 0;
}

static void tpl_balloon_answer(struct tpl_link *link, u32 request, u32 target)
{
	int err = tpl_balloon_give(link, target);

	if (!err)
		err = tpl_balloon_take(link, target);
	if (err)
		return;
	tpl_balloon_entry(&link->balloon, 0, TPL_REG_POOL_ANSWER, sizeof(u32), request);
	if (!tpl_balloon_send(link, 1))
		dev_info_ratelimited(link->dev, "%u of %u blocks of the pool given back, %u asked for\n",
				     link->balloon.given, link->balloon.blocks, target);
}

/* 10.1: the request, if it is a new one, else 0. */
static u32 tpl_balloon_asked(struct tpl_link *link)
{
	struct tpl_device *first = tpl_first(link);
	u32 request;

	lockdep_assert_held(&link->lock);
	if (link->closing || link->broken || first->state != TPL_UP)
		return 0;
	/* Pairs with the backend's release: the target is that of this request, or of a later one. */
	request = tpl_load_acquire(first->page, TPL_DEV_POOL_REQUEST);
	return request == link->balloon.answered ? 0 : request;
}

static void tpl_balloon_work(struct work_struct *work)
{
	struct tpl_link *link = container_of(work, struct tpl_link, balloon.work);
	const void *page = tpl_first(link)->page;
	u32 request, target;

	scoped_guard(spinlock_irqsave, &link->lock) {
		request = tpl_balloon_asked(link);
		if (request)
			link->balloon.answered = request;
	}
	target = tpl_load(page, TPL_DEV_POOL_TARGET);
	if (request && tpl_load(page, TPL_DEV_CAPABILITIES) & TPL_CAP_BALLOON)
		tpl_balloon_answer(link, request, target);
}

/* Look whether something is asked. With the link's lock held, in any context. */
void tpl_balloon_look(struct tpl_link *link)
{
	if (tpl_balloon_asked(link))
		queue_work(link->wq, &link->balloon.work);
}

/* The whole pool is ours again (10.5). Nobody allocates from it at this moment. */
void tpl_balloon_forget(struct tpl_link *link)
{
	struct tpl_balloon *balloon = &link->balloon;
	unsigned int number;

	scoped_guard(spinlock_irqsave, &link->lock)
		balloon->answered = 0;
	for (number = 0; number < balloon->blocks; number++)
		if (balloon->block[number].page)
			tpl_block_free(link, &balloon->block[number]);
	WRITE_ONCE(balloon->given, 0);
}

int tpl_balloon_init(struct tpl_link *link)
{
	struct tpl_balloon *balloon = &link->balloon;

	INIT_WORK(&balloon->work, tpl_balloon_work);
	balloon->blocks = link->pool_size >> TPL_POOL_BLOCK_SHIFT;
	balloon->block = devm_kcalloc(link->dev, balloon->blocks, sizeof(*balloon->block),
				      GFP_KERNEL);
	return balloon->block ? 0 : -ENOMEM;
}

/* The link is closing: nothing is asked any more. */
void tpl_balloon_stop(struct tpl_link *link)
{
	cancel_work_sync(&link->balloon.work);
}

void tpl_balloon_show(struct tpl_link *link, struct seq_file *file)
{
	seq_printf(file, "size %zu\n", link->pool_size);
	seq_printf(file, "given %lu\n", READ_ONCE(link->balloon.given) * TPL_BLOCK_SIZE);
}
