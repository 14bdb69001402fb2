// SPDX-License-Identifier: GPL-2.0-only
/*
 * One virtio device of a link: its status and features as batches, its registration
 *
 * docs/transport.md, section 7 (status and configuration); virtio 1.3, 3.1.1
 * "Driver Requirements: Device Initialization". Writes are collected and go out when the driver
 * must know the answer: with FEATURES_OK (unless the device takes every subset of its features),
 * with DRIVER_OK, with a write to the configuration space, and at once for a reset.
 */
#include <linux/device.h>
#include <linux/of.h>
#include <linux/slab.h>
#include <linux/virtio_ring.h>

#include "trapless_virtio.h"

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
		WRITE_ONCE(device->waited_to_driver_ok, device->waited);
}

/*
 * The core goes on from where a probe has failed, which a device that keeps to virtio 1.3, 3.1.1
 * refuses. Returns the status that is to follow. It has ACKNOWLEDGE also if the driver that failed
 * had reset the device, so that FAILED stood alone.
 */
static u8 tpl_leave_failed(struct virtio_device *vdev, u8 status)
{
	if (!(READ_ONCE(to_tpl_device(vdev)->status) & VIRTIO_CONFIG_S_FAILED))
		return status;
	tpl_device_reset(vdev);
	return VIRTIO_CONFIG_S_ACKNOWLEDGE | (status & VIRTIO_CONFIG_S_DRIVER);
}

static void tpl_set_status(struct virtio_device *vdev, u8 status)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct tpl_answer answer;

	status = tpl_leave_failed(vdev, status) & ~VIRTIO_CONFIG_S_NEEDS_RESET;
	/* The first status comes when the core has initialised its part of the device. */
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->known = true;
		device->live = status & VIRTIO_CONFIG_S_DRIVER_OK;
	}
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

void tpl_device_reset(struct virtio_device *vdev)
{
	struct tpl_device *device = to_tpl_device(vdev);
	struct tpl_answer answer;

	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->live = false;
	WRITE_ONCE(device->commanded, false);
	tpl_events_stop(device);
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
	/* Pairs with the acquire of tpl_let_go(): what the backend stored before is visible there. */
	smp_store_release(&device->fresh, true);
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
	bool resets = __virtio_test_bit(vdev, VIRTIO_F_RING_RESET);
	struct tpl_device *device = to_tpl_device(vdev);
	unsigned int bank;

	vring_transport_features(vdev);
	/* The core takes away what is its transport's to do. */
	if (resets)
		__virtio_set_bit(vdev, VIRTIO_F_RING_RESET);
	/* Doorbells carry no data. */
	__virtio_clear_bit(vdev, VIRTIO_F_NOTIFICATION_DATA);
	if (device->link->split) {
		__virtio_clear_bit(vdev, VIRTIO_F_RING_PACKED);
	} else if (!__virtio_test_bit(vdev, VIRTIO_F_RING_PACKED)) {
		dev_err_ratelimited(&device->pdev->dev,
				    "the backend offers no packed queues; with split ones it could hang this kernel: trapless,split-queues on the link's node says that it is trusted\n");
		return -EINVAL;
	}

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

/* Shared memory, and the table of operations */

/*
 * Section 2: where the backend says that a region lies, if that is inside the link's memory for
 * such regions. What was read as the backend's life ended is of no life (4.2): no batch follows
 * whose answer would tell.
 */
bool tpl_device_shm(struct tpl_device *device, struct virtio_shm_region *region, u8 id)
{
	struct tpl_link *link = device->link;
	unsigned int at = TPL_DEV_SHM + id * TPL_DEV_SHM_STRIDE;
	u64 length, offset;
	u32 epoch;

	if (id >= TPL_SHM_MAX)
		return false;
	scoped_guard(spinlock_irqsave, &link->lock)
		epoch = device->epoch;
	length = tpl_load64(device->page, at + TPL_DEV_SHM_LENGTH);
	offset = tpl_load64(device->page, at + TPL_DEV_SHM_BASE);
	/* Pairs with the backend's wmb between BE_EPOCH = 0 and everything else that it clears (4.1). */
	virt_rmb();
	if (!epoch || tpl_load(device->page, TPL_DEV_BE_EPOCH) != epoch)
		return false;
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
	.get = tpl_config_get,
	.set = tpl_config_set,
	.generation = tpl_config_generation,
	.get_status = tpl_get_status,
	.set_status = tpl_set_status,
	.reset = tpl_device_reset,
	.find_vqs = tpl_find_vqs,
	.del_vqs = tpl_del_vqs,
	.synchronize_cbs = tpl_synchronize_cbs,
	.get_features = tpl_get_features,
	.finalize_features = tpl_finalize_features,
	.bus_name = tpl_bus_name,
	.get_shm_region = tpl_get_shm_region,
	.disable_vq_and_reset = tpl_disable_vq,
	.enable_vq_after_reset = tpl_enable_vq,
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

/* Whether the device tree leaves it open which device the backend has there, or names this one. */
static bool tpl_is_expected(struct tpl_device *device, u32 id)
{
	struct device *dev = &device->pdev->dev;
	u32 expected;

	if (!of_property_present(dev->of_node, "trapless,device-ids"))
		return true;
	of_property_for_each_u32(dev->of_node, "trapless,device-ids", expected)
		if (id == expected)
			return true;
	dev_err_ratelimited(dev, "the backend has virtio device %u, which trapless,device-ids does not name\n",
			    id);
	return false;
}

/* Take what the backend says of itself once, clamped; then its words may change as they like. */
static void tpl_device_take(struct tpl_device *device)
{
	u32 advised = tpl_load(device->page, TPL_DEV_ADVISED_TIMEOUT_MS);

	scoped_guard(mutex, &device->mutex) {
		device->timeout_ms = clamp_t(u32, advised ?: TPL_TIMEOUT_MS, TPL_TIMEOUT_MIN_MS,
					     TPL_TIMEOUT_MAX_MS);
		device->capabilities = tpl_load(device->page, TPL_DEV_CAPABILITIES);
		WRITE_ONCE(device->status, 0);
		WRITE_ONCE(device->fresh, true);
		WRITE_ONCE(device->rejected, false);
		device->waited = 0;
		WRITE_ONCE(device->waited_to_driver_ok, 0);
	}
	WRITE_ONCE(device->generation_changes, 0);
	/* 6.3: the first copy of the counters, before the configuration is read. */
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->used_count = tpl_load_acquire(device->page, TPL_DEV_USED_COUNT);
		device->config_count = tpl_load_acquire(device->page, TPL_DEV_CONFIG_COUNT);
		WRITE_ONCE(device->needs_reset, false);
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
	if (!tpl_is_expected(device, id))
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

/*
 * Unregister the virtio device; its driver resets it, unless the link is broken. Interrupts may
 * find the virtio device until it is taken out, so it is held that long.
 */
void tpl_device_down(struct tpl_device *device)
{
	struct device *dev = &device->vd->vdev.dev;

	tpl_scmi_leave(device);
	get_device(dev);
	unregister_virtio_device(&device->vd->vdev);
	tpl_device_enter(device, NULL);
	put_device(dev);
}
