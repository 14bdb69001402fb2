// SPDX-License-Identifier: GPL-2.0-only
/*
 * One virtio device of a link: the configuration operations as batches, and the virtqueues in the
 * link's pool
 *
 * docs/transport.md, sections 6 (queues) and 7 (status and configuration); virtio 1.3, 3.1.1
 * "Driver Requirements: Device Initialization". Writes are collected and go out when the driver
 * must know the answer: with FEATURES_OK (unless the device takes every subset of its features),
 * with DRIVER_OK, with a write to the configuration space, and at once for a reset.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_ring.h>
#include <uapi/linux/virtio_scmi.h>

#include "trapless_virtio.h"

/*
 * How often the configuration space may be found in the middle of a change, and how long to wait in
 * between.
 */
#define TPL_GENERATION_TRIES 1000
#define TPL_GENERATION_WAIT_US 10

/* So many changes of the configuration space within a second are a fault. */
#define TPL_GENERATIONS_MAX 50

#define TPL_VRING_ALIGN PAGE_SIZE

static struct tpl_device *to_tpl_device(struct virtio_device *vdev)
{
	return container_of(vdev, struct tpl_vdev, vdev)->device;
}

/* Configuration space */

static bool tpl_config_range(struct tpl_device *device, unsigned int offset, unsigned int length)
{
	if (offset <= TPL_CONFIG_SIZE && length <= TPL_CONFIG_SIZE - offset)
		return true;
	dev_warn_once(&device->pdev->dev, "configuration access at %u+%u is outside of the space\n",
		      offset, length);
	return false;
}

static void tpl_get(struct virtio_device *vdev, unsigned int offset, void *buf, unsigned int length)
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

static void tpl_set(struct virtio_device *vdev, unsigned int offset, const void *buf,
		    unsigned int length)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct tpl_answer answer;

	guard(mutex)(&device->mutex);
	if (!(device->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		dev_warn_ratelimited(&vdev->dev,
				     "configuration write before FEATURES_OK is not passed on\n");
		return;
	}
	if (length > sizeof(u64) || !is_power_of_2(length)) {
		dev_warn_ratelimited(&vdev->dev,
				     "configuration write of %u bytes is not passed on\n", length);
		return;
	}
	if (!tpl_config_range(device, offset, length))
		return;
	if (!tpl_batch_add(device, TPL_REG_CONFIG + offset, length, 0,
			   tpl_config_value(buf, length)))
		tpl_batch_commit(device, &answer, "a configuration write");
}

/*
 * The core reads the space anew until the generation is twice the same, for as long as that takes.
 * A backend that has another one each time is given up: the last one stands, so that the core ends.
 * Without a lock: drivers read it where the link's is held, and a count that is a little off will do.
 */
static u32 tpl_bound_generations(struct tpl_device *device, u32 generation)
{
	u32 last = READ_ONCE(device->generation);
	u32 count = READ_ONCE(device->generations);

	if (generation == last)
		return last;
	if (time_after(jiffies, READ_ONCE(device->generations_since) + HZ)) {
		WRITE_ONCE(device->generations_since, jiffies);
		count = 0;
	}
	if (count >= TPL_GENERATIONS_MAX) {
		tpl_device_ask_reset(device, "the configuration space never stays the same");
		return last;
	}
	WRITE_ONCE(device->generations, count + 1);
	WRITE_ONCE(device->generation, generation);
	return generation;
}

/*
 * An odd generation means that the space is being changed: waited for here, since Linux would take
 * the same odd value twice for a good read. The barriers put the caller's reads of the space
 * between its two calls.
 */
static u32 tpl_generation(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	unsigned int tries;
	u32 generation;

	/*
	 * Orders the reads before the second call; the acquire below those after the first. They
	 * pair with the backend's wmb on either side of a change (7.2).
	 */
	virt_rmb();
	for (tries = 0; tries < TPL_GENERATION_TRIES; tries++) {
		generation = tpl_load_acquire(device->page, TPL_REG_CONFIG_GENERATION);
		if (!(generation & 1))
			return tpl_bound_generations(device, generation);
		udelay(TPL_GENERATION_WAIT_US);
	}
	tpl_device_ask_reset(device, "the configuration space never settles");
	return READ_ONCE(device->generation);
}

/* Status and features */

/*
 * 7.1: what both sides agreed on, with NEEDS_RESET as it is now. After a reset it stays 0 whatever
 * the page says, also when the link is broken.
 */
static u8 tpl_get_status(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	u8 status = READ_ONCE(device->status);

	if (!status)
		return 0;
	return status | (tpl_load(device->page, TPL_REG_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static bool tpl_status_waits(struct tpl_device *device, u8 status)
{
	u8 waits = VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FAILED;

	if (!(device->capabilities & TPL_CAP_ANY_SUBSET))
		waits |= VIRTIO_CONFIG_S_FEATURES_OK;
	return status & ~device->status & waits;
}

static void tpl_accept_status(struct tpl_device *device, u8 status, const struct tpl_answer *answer)
{
	WRITE_ONCE(device->status, status & answer->status);
	if (answer->result == TPL_RESULT_VETO) {
		WRITE_ONCE(device->status, device->status & ~VIRTIO_CONFIG_S_FEATURES_OK);
		/* Too late for the core to see it: it has set up the queues by now. */
		if (status & VIRTIO_CONFIG_S_DRIVER_OK)
			tpl_batch_reject(device, answer, "features that it had said it takes");
	}
	if (device->status & VIRTIO_CONFIG_S_DRIVER_OK)
		device->waited_to_driver_ok = device->waited;
}

static void tpl_set_status(struct virtio_device *vdev, u8 status)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct tpl_answer answer;

	status &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
	/* The first status comes when the core has initialised its part of the device. */
	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->known = true;
	guard(mutex)(&device->mutex);
	if (tpl_batch_add(device, TPL_REG_STATUS, sizeof(u32), 0, status))
		return;
	if (!tpl_status_waits(device, status))
		WRITE_ONCE(device->status, status);
	else if (!tpl_batch_commit(device, &answer, "a change of status"))
		tpl_accept_status(device, status, &answer);
	else
		/*
		 * Again: before DRIVER_OK, CONFIG_VIRTIO_HARDEN_NOTIFICATION makes the core mend
		 * queues that were broken already.
		 */
		tpl_device_break(device);
}

static void tpl_reset(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct tpl_answer answer;

	guard(mutex)(&device->mutex);
	tpl_batch_forget(device);
	WRITE_ONCE(device->status, 0);
	/* The reset that the attach had acknowledged still holds. */
	if (device->fresh)
		return;
	if (tpl_batch_add(device, TPL_REG_STATUS, sizeof(u32), 0, 0) ||
	    tpl_batch_flush(device, &answer))
		return;
	if (answer.result != TPL_RESULT_OK || answer.status) {
		dev_err_ratelimited(&vdev->dev, "reset not accepted: %s, status 0x%02x\n",
				    tpl_result_name(answer.result), answer.status);
		tpl_link_break(device->link, "a reset was refused");
		return;
	}
	device->fresh = true;
	WRITE_ONCE(device->rejected, false);
	device->waited = 0;
	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->link->stats.resets++;
}

static u64 tpl_get_features(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);

	return tpl_load64(device->page, TPL_DEV_FEATURES);
}

static int tpl_finalize_features(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	unsigned int bank;

	vring_transport_features(vdev);
	/* Doorbells carry no data, and the rings are split. */
	__virtio_clear_bit(vdev, VIRTIO_F_NOTIFICATION_DATA);
	__virtio_clear_bit(vdev, VIRTIO_F_RING_PACKED);

	if (!__virtio_test_bit(vdev, VIRTIO_F_VERSION_1) ||
	    !__virtio_test_bit(vdev, VIRTIO_F_ACCESS_PLATFORM)) {
		dev_err_ratelimited(&vdev->dev,
				    "the backend must offer VERSION_1 and ACCESS_PLATFORM\n");
		return -EINVAL;
	}
	guard(mutex)(&device->mutex);
	for (bank = 0; bank < 2; bank++) {
		int err = tpl_batch_add(device, TPL_REG_DRIVER_FEATURES, sizeof(u32), bank,
					(u32)(vdev->features >> (32 * bank)));
		if (err)
			return err;
	}
	return 0;
}

/* Virtqueues */

static bool tpl_notify(struct virtqueue *vq)
{
	tpl_link_kick(to_tpl_device(vq->vdev));
	return true;
}

static bool tpl_in_pool(struct tpl_link *link, u64 address, size_t size)
{
	return address >= link->pool_base && size <= link->pool_size &&
	       address - link->pool_base <= link->pool_size - size;
}

static int tpl_check_vring(struct tpl_device *device, struct virtqueue *vq)
{
	unsigned int size = virtqueue_get_vring_size(vq);
	dma_addr_t desc = virtqueue_get_desc_addr(vq);
	struct tpl_link *link = device->link;

	if (tpl_in_pool(link, desc, size * sizeof(struct vring_desc)) &&
	    tpl_in_pool(link, virtqueue_get_avail_addr(vq),
			struct_size_t(struct vring_avail, ring, size + 1)) &&
	    tpl_in_pool(link, virtqueue_get_used_addr(vq),
			struct_size_t(struct vring_used, ring, size)))
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
	if (!is_power_of_2(size)) {
		dev_err_ratelimited(&device->pdev->dev,
				    "queue %u: maximum size %u is not a power of two\n", index,
				    size);
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
static void tpl_del_vqs(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct virtqueue *vq, *next;

	if (READ_ONCE(device->status) & VIRTIO_CONFIG_S_DRIVER_OK)
		tpl_reset(vdev);
	scoped_guard(mutex, &device->mutex)
		tpl_batch_forget(device);
	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->num_vqs = 0;
	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		vring_del_virtqueue(vq);
}

static int tpl_find_vqs(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
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

/*
 * Section 2: where the backend says that a region lies, if that is inside the link's memory for
 * such regions.
 */
bool tpl_device_shm(struct tpl_device *device, struct virtio_shm_region *region, u8 id)
{
	struct tpl_link *link = device->link;
	unsigned int at = TPL_DEV_SHM + id * TPL_DEV_SHM_STRIDE;
	u64 length, offset;

	if (id >= TPL_SHM_MAX)
		return false;
	length = tpl_load64(device->page, at + TPL_DEV_SHM_LENGTH);
	offset = tpl_load64(device->page, at + TPL_DEV_SHM_BASE);
	if (!length || length > link->shm_size || offset > link->shm_size - length)
		return false;
	region->addr = link->shm_base + offset;
	region->len = length;
	return true;
}

static bool tpl_get_shm_region(struct virtio_device *vdev, struct virtio_shm_region *region, u8 id)
{
	return tpl_device_shm(to_tpl_device(vdev), region, id);
}

/* The callbacks run with the link's lock held. */
static void tpl_synchronize_cbs(struct virtio_device *vdev)
{
	scoped_guard(spinlock_irqsave, &to_tpl_device(vdev)->link->lock)
		barrier();
}

static const char *tpl_bus_name(struct virtio_device *vdev)
{
	return dev_name(&to_tpl_device(vdev)->pdev->dev);
}

static const struct virtio_config_ops tpl_config_ops = {
	.get = tpl_get,
	.set = tpl_set,
	.generation = tpl_generation,
	.get_status = tpl_get_status,
	.set_status = tpl_set_status,
	.reset = tpl_reset,
	.find_vqs = tpl_find_vqs,
	.del_vqs = tpl_del_vqs,
	.synchronize_cbs = tpl_synchronize_cbs,
	.get_features = tpl_get_features,
	.finalize_features = tpl_finalize_features,
	.bus_name = tpl_bus_name,
	.get_shm_region = tpl_get_shm_region,
};

/* Registration */

static void tpl_vdev_release(struct device *dev)
{
	kfree(container_of(dev_to_virtio(dev), struct tpl_vdev, vdev));
}

static int tpl_check_page(struct tpl_device *device)
{
	struct device *dev = &device->pdev->dev;
	u32 magic = tpl_load(device->page, TPL_REG_MAGIC_VALUE);
	u32 version = tpl_load(device->page, TPL_REG_VERSION);
	u32 queues = tpl_load(device->page, TPL_DEV_NUM_QUEUES);

	if (magic != TPL_MMIO_MAGIC || version != TPL_MMIO_VERSION) {
		dev_err_ratelimited(dev,
				    "magic 0x%08x, version %u: not a virtio device of version %u\n",
				    magic, version, TPL_MMIO_VERSION);
		return -EPROTO;
	}
	if (queues > TPL_QUEUES_MAX) {
		dev_err_ratelimited(dev, "%u queues, at most %u are possible\n", queues,
				    TPL_QUEUES_MAX);
		return -EPROTO;
	}
	return 0;
}

/* Take what the backend says of itself once, clamped; then its words may change as they like. */
static void tpl_device_take(struct tpl_device *device)
{
	u32 advised = tpl_load(device->page, TPL_DEV_ADVISED_TIMEOUT_MS);

	scoped_guard(mutex, &device->mutex) {
		device->timeout_ms = clamp_t(u32, advised ?: TPL_TIMEOUT_MS, TPL_TIMEOUT_MIN_MS,
					     TPL_TIMEOUT_MAX_MS);
		device->capabilities = tpl_load(device->page, TPL_DEV_CAPABILITIES);
		device->status = 0;
		device->fresh = true;
		WRITE_ONCE(device->rejected, false);
		device->waited = 0;
		device->waited_to_driver_ok = 0;
	}
	/* 6.3: the first copy of the counters, before the configuration is read. */
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->used_count = tpl_load_acquire(device->page, TPL_DEV_USED_COUNT);
		device->config_count = tpl_load_acquire(device->page, TPL_DEV_CONFIG_COUNT);
		device->needs_reset = false;
		device->num_vqs = 0;
	}
}

static void tpl_device_enter(struct tpl_device *device, struct tpl_vdev *vd)
{
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->vd = vd;
		device->state = vd ? TPL_UP : TPL_ABSENT;
		device->known = false;
		device->registered = false;
	}
}

/* The attach reset is acknowledged: register the virtio device, and let its driver probe. */
int tpl_device_up(struct tpl_device *device)
{
	u32 id = tpl_load(device->page, TPL_REG_DEVICE_ID);
	struct tpl_vdev *vd;
	int err;

	err = tpl_check_page(device);
	if (err)
		return err;
	/* Device id 0 is a placeholder without function (virtio 1.3, 4.2.2.2). */
	if (!id)
		return -ENODEV;
	vd = kzalloc(sizeof(*vd), GFP_KERNEL);
	if (!vd)
		return -ENOMEM;
	vd->device = device;
	vd->vdev.dev.parent = &device->pdev->dev;
	vd->vdev.dev.release = tpl_vdev_release;
	vd->vdev.config = &tpl_config_ops;
	vd->vdev.id.device = id;
	vd->vdev.id.vendor = tpl_load(device->page, TPL_REG_VENDOR_ID);

	tpl_device_take(device);
	tpl_device_enter(device, vd);
	err = register_virtio_device(&vd->vdev);
	if (err) {
		tpl_device_enter(device, NULL);
		put_device(&vd->vdev.dev);
		return err;
	}
	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->registered = true;
	return 0;
}

static struct virtqueue *tpl_find_vq(struct tpl_device *device, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < device->num_vqs; i++)
		if (device->vqs[i]->index == index)
			return device->vqs[i];
	return NULL;
}

/*
 * Take the buffers out of a queue of which each buffer has one descriptor. The core follows the
 * flags of the shared descriptors: written anew, they cannot lead it astray. Where a backend had
 * changed them before, the core may count more free descriptors than there are.
 */
static void tpl_detach_buffers(struct virtqueue *vq)
{
	unsigned int size = virtqueue_get_vring_size(vq);
	struct vring_desc *desc = virtqueue_get_vring(vq)->desc;
	unsigned int i, used = size - min(vq->num_free, size);

	for (i = 0; i < size; i++)
		WRITE_ONCE(desc[i].flags, cpu_to_virtio16(vq->vdev, VRING_DESC_F_WRITE));
	while (used--)
		virtqueue_detach_unused_buf(vq);
}

/*
 * virtio-scmi frees its event buffers and leaves them in their queue; their mappings would stay in
 * the pool for ever, 64 KiB more with each restart of the backend. So they are taken out here,
 * while they exist. The driver's operations on the queue run with interrupts off: none is under way
 * after the grace period, and a later one finds the queue broken.
 */
static void tpl_detach_scmi_events(struct tpl_device *device)
{
	struct virtio_device *vdev = &device->vd->vdev;
	struct virtqueue *vq;

	if (vdev->id.device != VIRTIO_ID_SCMI)
		return;
	guard(device)(&vdev->dev);
	vq = tpl_find_vq(device, VIRTIO_SCMI_VQ_RX);
	if (!vq)
		return;
	tpl_device_break(device);
	tpl_reset(vdev);
	synchronize_rcu_expedited();
	tpl_detach_buffers(vq);
}

/*
 * Unregister the virtio device; its driver resets it, unless the link is broken. Interrupts may
 * find the virtio device until it is taken out, so it is held that long.
 */
void tpl_device_down(struct tpl_device *device)
{
	struct device *dev = &device->vd->vdev.dev;

	tpl_detach_scmi_events(device);
	get_device(dev);
	unregister_virtio_device(&device->vd->vdev);
	tpl_device_enter(device, NULL);
	put_device(dev);
}
