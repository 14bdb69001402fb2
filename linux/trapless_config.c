// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration space of a virtio device: read in place, written by batches
 *
 * docs/transport.md, sections 7.2 (reads and their generation) and 7.3 (writes).
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/unaligned.h>

#include "trapless_virtio.h"

/*
 * How often the configuration space may be found in the middle of a change, and how long to wait in
 * between.
 */
#define TPL_GENERATION_TRIES 1000
#define TPL_GENERATION_WAIT_US 10
#define TPL_GENERATION_SLEEP_US 1000

/* So many looks in a row at the configuration space that find another generation are a fault. */
#define TPL_GENERATION_CHANGES 50

static bool tpl_config_range(struct tpl_device *device, unsigned int offset, unsigned int length)
{
	if (offset <= TPL_CONFIG_SIZE && length <= TPL_CONFIG_SIZE - offset)
		return true;
	dev_warn_once(&device->pdev->dev, "configuration access at %u+%u is outside of the space\n",
		      offset, length);
	return false;
}

void tpl_config_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		    unsigned int length)
{
	struct tpl_device *device = to_tpl_device(vdev);
	const u8 *space = device->page + TPL_REG_CONFIG + offset;
	unsigned int i;

	if (!tpl_config_range(device, offset, length)) {
		memset(buf, 0, length);
		return;
	}
	if (length == 2 && IS_ALIGNED(offset, 2))
		*(u16 *)buf = READ_ONCE(*(const u16 *)space);
	else if (length == 4 && IS_ALIGNED(offset, 4))
		*(u32 *)buf = READ_ONCE(*(const u32 *)space);
	else
		for (i = 0; i < length; i++)
			((u8 *)buf)[i] = READ_ONCE(space[i]);
}

static u64 tpl_config_value(const void *buf, unsigned int length)
{
	switch (length) {
	case 1:
		return *(const u8 *)buf;
	case 2:
		return get_unaligned_le16(buf);
	case 4:
		return get_unaligned_le32(buf);
	default:
		return get_unaligned_le64(buf);
	}
}

void tpl_config_set(struct virtio_device *vdev, unsigned int offset, const void *buf,
		    unsigned int length)
{
	struct tpl_device *device = to_tpl_device(vdev);

	guard(mutex)(&device->mutex);
	if (!(device->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		dev_warn_ratelimited(&vdev->dev,
				     "configuration write before FEATURES_OK is not passed on\n");
		return;
	}
	if (length > sizeof(u64) || !is_power_of_2(length) || !IS_ALIGNED(offset, length)) {
		dev_warn_ratelimited(&vdev->dev,
				     "configuration write at %u+%u is not passed on\n", offset,
				     length);
		return;
	}
	if (!tpl_config_range(device, offset, length))
		return;
	if (!tpl_batch_add(device, TPL_REG_CONFIG + offset, length, 0,
			   tpl_config_value(buf, length)))
		tpl_batch_push(device, "a configuration write");
}

/*
 * The core reads the space anew until the generation is twice the same, for as long as that takes.
 * A backend that has another one each time is given up: the last one stands, so that the core ends.
 * Without a lock: drivers read it where the link's is held, and a count that is a little off will do.
 */
static u32 tpl_bound_generation(struct tpl_device *device, u32 generation)
{
	u32 last = READ_ONCE(device->generation);
	u32 changes = READ_ONCE(device->generation_changes);

	if (generation == last) {
		WRITE_ONCE(device->generation_changes, 0);
		return last;
	}
	if (changes >= TPL_GENERATION_CHANGES) {
		tpl_device_ask_reset(device, "the configuration space never stays the same");
		return last;
	}
	WRITE_ONCE(device->generation_changes, changes + 1);
	WRITE_ONCE(device->generation, generation);
	return generation;
}

/*
 * An odd generation means that the space is being changed: waited for here, since Linux would take
 * the same odd value twice for a good read. Soon, as a rule; but a backend may be stopped in between
 * by its hypervisor, and is given as long as for a batch.
 */
static bool tpl_generation_settles(struct tpl_device *device, u32 *generation)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(READ_ONCE(device->timeout_ms));
	unsigned int tries;

	for (tries = 0;; tries++) {
		*generation = tpl_load_acquire(device->page, TPL_REG_CONFIG_GENERATION);
		if (!(*generation & 1))
			return true;
		if (tries < TPL_GENERATION_TRIES) {
			udelay(TPL_GENERATION_WAIT_US);
			continue;
		}
		if (READ_ONCE(device->link->broken) || time_after(jiffies, deadline))
			return false;
		usleep_range(TPL_GENERATION_SLEEP_US, 2 * TPL_GENERATION_SLEEP_US);
	}
}

/*
 * The barriers put the caller's reads of the space between its two calls. Only where one may sleep,
 * whether or not it comes to that: the one caller, __virtio_cread_many(), may be called nowhere
 * else, and no driver of Linux 6.12 does. There is no telling otherwise: without
 * CONFIG_PREEMPT_COUNT nobody knows of a spinlock that is held.
 */
u32 tpl_config_generation(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	u32 generation;

	might_sleep();
	/*
	 * Orders the reads before the second call; the acquire below those after the first. They
	 * pair with the backend's wmb on either side of a change (7.2).
	 */
	virt_rmb();
	if (tpl_generation_settles(device, &generation))
		return tpl_bound_generation(device, generation);
	tpl_device_ask_reset(device, "the configuration space never settles");
	return READ_ONCE(device->generation);
}
