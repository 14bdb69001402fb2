// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtqueues of a virtio device, in the link's pool
 *
 * docs/transport.md, section 6. Packed ones where the backend offers them, since with split ones
 * the core trusts what lies in the pool. Their set-up is collected, and goes out with DRIVER_OK.
 */
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

	guard(mutex)(&device->mutex);
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
	if (!err)
		err = tpl_add_queue_entries(device, vq);
	if (err) {
		vring_del_virtqueue(vq);
		return ERR_PTR(err);
	}
	tpl_publish_vq(device, vq);
	return vq;
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
	scoped_guard(mutex, &device->mutex)
		tpl_batch_forget(device);
	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->num_vqs = 0;
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
