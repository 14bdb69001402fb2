// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtqueues of a virtio device, in the link's pool
 *
 * docs/transport.md, section 6. Packed ones where the backend offers them, since with split ones
 * the core trusts what lies in the pool. Their set-up is collected, and goes out with DRIVER_OK; one
 * that is reset and set up again alone (6.9) has batches of its own.
 */
#include <linux/bitmap.h>
#include <linux/lockdep.h>
#include <linux/overflow.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ring.h>
#include <uapi/linux/virtio_scmi.h>

#include "trapless_virtio.h"

#define TPL_VRING_ALIGN PAGE_SIZE

static bool tpl_notify(struct virtqueue *vq)
{
	struct tpl_device *device = to_tpl_device(vq->vdev);

	if (vq->index == VIRTIO_SCMI_VQ_TX)
		WRITE_ONCE(device->commanded, true);
	tpl_link_kick(device);
	return true;
}

/* The areas that the driver and the device write to; that of the descriptors is as long in both. */
static size_t tpl_driver_area(struct virtqueue *vq)
{
	if (tpl_is_packed(vq))
		return sizeof(struct vring_packed_desc_event);
	return struct_size_t(struct vring_avail, ring, virtqueue_get_vring_size(vq) + 1);
}

static size_t tpl_device_area(struct virtqueue *vq)
{
	if (tpl_is_packed(vq))
		return sizeof(struct vring_packed_desc_event);
	return struct_size_t(struct vring_used, ring, virtqueue_get_vring_size(vq));
}

static int tpl_check_vring(struct tpl_device *device, struct virtqueue *vq)
{
	dma_addr_t desc = virtqueue_get_desc_addr(vq);
	struct tpl_link *link = device->link;

	static_assert(sizeof(struct vring_desc) == sizeof(struct vring_packed_desc));
	if (tpl_in_pool(link, desc, virtqueue_get_vring_size(vq) * sizeof(struct vring_desc)) &&
	    tpl_in_pool(link, virtqueue_get_avail_addr(vq), tpl_driver_area(vq)) &&
	    tpl_in_pool(link, virtqueue_get_used_addr(vq), tpl_device_area(vq)))
		return 0;
	dev_err_ratelimited(&device->pdev->dev,
			    "queue %u lies at %pad, outside of the pool %pa+0x%zx: is the kernel without CONFIG_DMA_RESTRICTED_POOL?\n",
			    vq->index, &desc, &link->pool_base, link->pool_size);
	return -EFAULT;
}

static int tpl_add_queue_entries(struct tpl_device *device, struct virtqueue *vq)
{
	const struct {
		u16 offset;
		u8 length;
		u64 value;
	} writes[] = {
		{ TPL_REG_QUEUE_SIZE, sizeof(u32), virtqueue_get_vring_size(vq) },
		{ TPL_REG_QUEUE_DESC_LOW, sizeof(u64), virtqueue_get_desc_addr(vq) },
		{ TPL_REG_QUEUE_DRIVER_LOW, sizeof(u64), virtqueue_get_avail_addr(vq) },
		{ TPL_REG_QUEUE_DEVICE_LOW, sizeof(u64), virtqueue_get_used_addr(vq) },
		{ TPL_REG_QUEUE_READY, sizeof(u32), 1 },
	};
	unsigned int i;
	int err;

	lockdep_assert_held(&device->mutex);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		err = tpl_batch_add(device, writes[i].offset, writes[i].length, vq->index,
				    writes[i].value);
		if (err)
			return err;
	}
	return 0;
}

static int tpl_queue_size(struct tpl_device *device, unsigned int index)
{
	u32 size = 0;

	if (index < min_t(u32, tpl_load(device->page, TPL_DEV_NUM_QUEUES), TPL_QUEUES_MAX))
		size = tpl_load(device->page, TPL_DEV_QUEUES + index * TPL_DEV_QUEUE_STRIDE +
						      TPL_DEV_QUEUE_SIZE_MAX);
	if (!size)
		return -ENOENT;
	/* Of one descriptor virtio-scmi makes no message at all, of which its core warns. */
	if (size == 1 || !is_power_of_2(size)) {
		dev_err_ratelimited(&device->pdev->dev,
				    "queue %u: maximum size %u is not a power of two from 2\n",
				    index, size);
		return -EINVAL;
	}
	return min_t(u32, size, TPL_QUEUE_SIZE_LIMIT);
}

static void tpl_publish_vq(struct tpl_device *device, struct virtqueue *vq)
{
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->vqs[device->num_vqs++] = vq;
		if (device->link->broken)
			__virtqueue_break(vq);
	}
}

static struct virtqueue *tpl_setup_vq(struct tpl_device *device, unsigned int index,
				      struct virtqueue_info *info)
{
	int size = tpl_queue_size(device, index);
	struct virtqueue *vq;
	int err;

	if (size < 0)
		return ERR_PTR(size);
	vq = vring_create_virtqueue(index, size, TPL_VRING_ALIGN, &device->vd->vdev, true, true,
				    info->ctx, tpl_notify, info->callback, info->name);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	vq->num_max = size;
	err = tpl_check_vring(device, vq);
	if (!err) {
		scoped_guard(mutex, &device->mutex)
			err = tpl_add_queue_entries(device, vq);
	}
	if (err) {
		vring_del_virtqueue(vq);
		return ERR_PTR(err);
	}
	tpl_publish_vq(device, vq);
	return vq;
}

static bool tpl_writes_queue(const struct tpl_entry *entry)
{
	switch (le16_to_cpu(entry->offset)) {
	case TPL_REG_QUEUE_SIZE:
	case TPL_REG_QUEUE_DESC_LOW:
	case TPL_REG_QUEUE_DRIVER_LOW:
	case TPL_REG_QUEUE_DEVICE_LOW:
	case TPL_REG_QUEUE_READY:
		return true;
	}
	return false;
}

/*
 * Take what was collected for the queues out of the batch, and nothing else: the driver's features
 * still hold. Bit I of `ready`: queue I was to be ready, of which the backend has not heard.
 */
static void tpl_drop_queue_entries(struct tpl_device *device, unsigned long *ready)
{
	unsigned int i, kept = 0;

	lockdep_assert_held(&device->mutex);
	for (i = 0; i < device->count; i++) {
		struct tpl_entry *entry = &device->entries[i];

		if (!tpl_writes_queue(entry))
			device->entries[kept++] = *entry;
		else if (le16_to_cpu(entry->offset) == TPL_REG_QUEUE_READY)
			__set_bit(le32_to_cpu(entry->selector), ready);
	}
	device->count = kept;
}

/*
 * The driver goes without its queues before DRIVER_OK, and may ask for them again. The backend has
 * not touched them; of those that it has heard of, it hears with what goes out next.
 */
static void tpl_withdraw_vqs(struct tpl_device *device)
{
	DECLARE_BITMAP(ready, TPL_QUEUES_MAX) = {};
	unsigned int i;

	guard(mutex)(&device->mutex);
	tpl_drop_queue_entries(device, ready);
	for (i = 0; i < device->num_vqs; i++) {
		unsigned int index = device->vqs[i]->index;

		if (!test_bit(index, ready) &&
		    tpl_batch_add(device, TPL_REG_QUEUE_READY, sizeof(u32), index, 0))
			return;
	}
}

/*
 * The rings' memory is given back only when the backend has let go of it: by a reset, or because
 * its life is over.
 */
void tpl_del_vqs(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct virtqueue *vq, *next;

	if (READ_ONCE(device->status) & VIRTIO_CONFIG_S_DRIVER_OK)
		tpl_device_reset(vdev);
	else if (READ_ONCE(device->status))
		tpl_withdraw_vqs(device);
	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->num_vqs = 0;
	tpl_events_stop(device);
	list_for_each_entry_safe(vq, next, &vdev->vqs, list) {
		tpl_detach_deleted(vq);
		vring_del_virtqueue(vq);
	}
}

int tpl_find_vqs(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		 struct virtqueue_info vqs_info[], struct irq_affinity *affinity)
{
	struct tpl_device *device = to_tpl_device(vdev);
	unsigned int i, index = 0;

	/*
	 * 4.7: nothing is allocated from the pool while a backend may still write to what is freed
	 * in it.
	 */
	if (READ_ONCE(device->link->broken) || READ_ONCE(device->rejected))
		return -EIO;
	for (i = 0; i < nvqs; i++) {
		vqs[i] = vqs_info[i].name ? tpl_setup_vq(device, index++, &vqs_info[i]) : NULL;
		if (IS_ERR(vqs[i])) {
			int err = PTR_ERR(vqs[i]);

			tpl_del_vqs(vdev);
			return err;
		}
	}
	return 0;
}

/* Reset of one queue */

/* Whether the callback of a queue may run, and anybody look at its ring. */
static void tpl_mark_reset(struct tpl_device *device, struct virtqueue *vq, bool reset)
{
	scoped_guard(spinlock_irqsave, &device->link->lock)
		vq->reset = reset;
}

/* The queue is as it was: what came back in it meanwhile, nobody has been told of. */
static void tpl_resume_vq(struct tpl_device *device, struct virtqueue *vq)
{
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		vq->reset = false;
		device->used_count = ~tpl_load(device->page, TPL_DEV_USED_COUNT);
	}
	tpl_link_look(device->link, false);
}

/*
 * Refused, the device goes on with the queue as it was: its driver is told so, and believes nothing
 * else.
 */
static int tpl_check_refusal(struct tpl_device *device, struct virtqueue *vq,
			     const struct tpl_answer *answer)
{
	switch (answer->result) {
	case TPL_RESULT_OK:
		return 0;
	case TPL_RESULT_NEEDS_RESET:
		tpl_batch_reject(device, answer, "the reset of a queue");
		return -EIO;
	}
	dev_err_ratelimited(&device->pdev->dev, "the backend refused to reset queue %u: %s\n",
			    vq->index, tpl_result_name(answer->result));
	return -EPROTO;
}

/* The register has to say so, too, before the queue's memory is anybody else's. */
static int tpl_check_reset(struct tpl_device *device, struct virtqueue *vq)
{
	if (tpl_load(device->page, TPL_DEV_QUEUES + vq->index * TPL_DEV_QUEUE_STRIDE +
					   TPL_DEV_QUEUE_RESET) == 1)
		return 0;
	tpl_device_break(device);
	tpl_device_ask_reset(device, "a queue is not reset, whatever the backend says");
	return -EPROTO;
}

static int tpl_reset_queue(struct tpl_device *device, struct virtqueue *vq)
{
	struct tpl_answer answer;
	int err;

	guard(mutex)(&device->mutex);
	if (device->rejected)
		return -EIO;
	/* Before DRIVER_OK: what a refusal would take along. */
	if (device->count) {
		err = tpl_batch_push(device, "what comes before the reset of a queue");
		if (err)
			return err;
	}
	err = tpl_batch_add(device, TPL_REG_QUEUE_RESET, sizeof(u32), vq->index, 1);
	if (!err)
		err = tpl_batch_flush(device, &answer);
	if (!err)
		err = tpl_check_refusal(device, vq, &answer);
	if (!err)
		err = tpl_check_reset(device, vq);
	return err;
}

/*
 * Take one queue back from the backend. After an error it may still have it, and its memory stays
 * as it is. Whoever breaks the queue meanwhile breaks it for good: the core only changes its rings.
 */
int tpl_disable_vq(struct virtqueue *vq)
{
	struct tpl_device *device = to_tpl_device(vq->vdev);
	int err;

	if (!virtio_has_feature(vq->vdev, VIRTIO_F_RING_RESET))
		return -ENOENT;
	tpl_mark_reset(device, vq, true);
	if (tpl_is_event_queue(vq))
		tpl_events_stop(device);
	err = tpl_reset_queue(device, vq);
	if (err)
		tpl_resume_vq(device, vq);
	return err;
}

static int tpl_offer_queue(struct tpl_device *device, struct virtqueue *vq)
{
	int err;

	guard(mutex)(&device->mutex);
	err = tpl_add_queue_entries(device, vq);
	return err ?: tpl_batch_push(device, "a queue that was reset");
}

/*
 * Give it to the backend again, with the ring that it has now, in which there is nothing. Refused,
 * the device fails until it is reset: nobody serves the queue any more.
 */
int tpl_enable_vq(struct virtqueue *vq)
{
	struct tpl_device *device = to_tpl_device(vq->vdev);
	int err;

	if (!vq->reset)
		return -EBUSY;
	err = tpl_offer_queue(device, vq);
	if (!err)
		tpl_mark_reset(device, vq, false);
	return err;
}
