// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that Linux's drivers leave in their queues
 *
 * Virtio 1.3, 3.3.1 "Driver Requirements: Device Cleanup" has a driver take them out. virtio-scmi
 * and virtio-rng do not, and their mappings would stay in the pool for ever, more with each restart
 * of the backend, until there is no room. Other drivers take out their own, and need to find them.
 */
#include <linux/device.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_ring.h>
#include <uapi/linux/virtio_scmi.h>

#include "trapless_virtio.h"

/* Whether each buffer of a split queue has one descriptor, be it that of an indirect table. */
static bool tpl_one_descriptor_each(struct virtqueue *vq)
{
	return vq->vdev->id.device != VIRTIO_ID_SCMI || vq->index == VIRTIO_SCMI_VQ_RX ||
	       virtio_has_feature(vq->vdev, VIRTIO_RING_F_INDIRECT_DESC);
}

/*
 * In a split queue the core follows the flags of the shared descriptors: written anew, they cannot
 * lead it astray.
 */
static void tpl_mend_split(struct virtqueue *vq)
{
	struct vring_desc *desc = virtqueue_get_vring(vq)->desc;
	unsigned int i;

	for (i = 0; i < virtqueue_get_vring_size(vq); i++)
		WRITE_ONCE(desc[i].flags, cpu_to_virtio16(vq->vdev, VRING_DESC_F_WRITE));
}

/*
 * Where a backend had changed the flags of a split queue before, the core may count more free
 * descriptors than there are.
 */
static void tpl_detach(struct virtqueue *vq)
{
	unsigned int size = virtqueue_get_vring_size(vq);
	unsigned int used = size - min(vq->num_free, size);

	if (!tpl_is_packed(vq)) {
		if (!tpl_one_descriptor_each(vq))
			return;
		tpl_mend_split(vq);
	}
	while (used--)
		virtqueue_detach_unused_buf(vq);
}

/*
 * The memory of the buffers must still be there, since what was received is copied to it from the
 * pool. virtio-rng's is, until its queue is deleted.
 */
void tpl_detach_deleted(struct virtqueue *vq)
{
	if (vq->vdev->id.device == VIRTIO_ID_RNG)
		tpl_detach(vq);
}

/*
 * The device of the link that virtio-scmi drives, if there is one. Then it is the only one that
 * virtio-scmi drives in this kernel: it refuses another before that has queues.
 */
static struct tpl_device *tpl_scmi_device(struct tpl_link *link)
{
	struct tpl_device *device;

	lockdep_assert_held(&link->lock);
	for (device = tpl_first(link); device; device = tpl_next(device))
		if (device->num_vqs && device->vd->vdev.id.device == VIRTIO_ID_SCMI)
			return device;
	return NULL;
}

/*
 * virtio-scmi's are freed when its user, the SCMI instance, is unbound. The operations of both on a
 * queue run with interrupts off: none is under way after the grace period, and a later one finds
 * the queue broken. While it has queues, nobody takes the device away from the instance.
 */
static void tpl_detach_scmi(struct tpl_device *device)
{
	unsigned int i, num_vqs = device->num_vqs;

	tpl_device_break(device);
	tpl_device_reset(&device->vd->vdev);
	synchronize_rcu_expedited();
	/* The link's other contexts look at the queues, too. */
	scoped_guard(spinlock_irqsave, &device->link->lock)
		for (i = 0; i < num_vqs; i++)
			tpl_detach(device->vqs[i]);
}

/* An SCMI instance, which virtio-scmi makes of each device tree node that asks for it. */
static bool tpl_is_instance(struct device *dev)
{
	return dev->driver && !strcmp(dev->driver->name, "arm-scmi") &&
	       of_device_is_compatible(dev->of_node, "arm,scmi-virtio");
}

/*
 * One instance has virtio-scmi's channels: that whose probe succeeds while our device has queues.
 * The others' probes fail.
 */
static void tpl_instance_bound(struct tpl_link *link, struct device *instance)
{
	scoped_guard(spinlock_irqsave, &link->lock)
		if (!link->instance && tpl_scmi_device(link))
			link->instance = instance;
}

/* Now or never: its messages, to which the buffers belong, are freed after this. */
static void tpl_instance_unbinds(struct tpl_link *link, struct device *instance)
{
	struct tpl_device *device = NULL;

	scoped_guard(spinlock_irqsave, &link->lock)
		if (link->instance == instance)
			device = tpl_scmi_device(link);
	if (device)
		tpl_detach_scmi(device);
}

static void tpl_instance_unbound(struct tpl_link *link, struct device *instance)
{
	scoped_guard(spinlock_irqsave, &link->lock) {
		if (link->instance != instance)
			return;
		link->instance = NULL;
	}
	tpl_scmi_forget(instance);
}

/* One whose probe failed when it had the channels has broken the queues; one without them has not. */
static void tpl_instance_failed(struct tpl_link *link, struct device *instance)
{
	struct tpl_device *device;

	scoped_guard(spinlock_irqsave, &link->lock) {
		device = tpl_scmi_device(link);
		if (link->instance || !device || !virtqueue_is_broken(device->vqs[0]))
			return;
	}
	tpl_detach_scmi(device);
	tpl_scmi_forget(instance);
}

/* Of any device of the platform bus. */
static int tpl_detach_notified(struct notifier_block *notifier, unsigned long event, void *data)
{
	struct tpl_link *link = container_of(notifier, struct tpl_link, unbound);
	struct device *instance = data;

	switch (event) {
	case BUS_NOTIFY_BOUND_DRIVER:
		if (tpl_is_instance(instance))
			tpl_instance_bound(link, instance);
		break;
	case BUS_NOTIFY_UNBIND_DRIVER:
		tpl_instance_unbinds(link, instance);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		tpl_instance_unbound(link, instance);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		if (tpl_is_instance(instance))
			tpl_instance_failed(link, instance);
		break;
	}
	return NOTIFY_OK;
}

static void tpl_detach_exit(void *data)
{
	struct tpl_link *link = data;

	bus_unregister_notifier(&platform_bus_type, &link->unbound);
}

int tpl_detach_init(struct tpl_link *link)
{
	int err;

	link->unbound.notifier_call = tpl_detach_notified;
	err = bus_register_notifier(&platform_bus_type, &link->unbound);
	return err ?: devm_add_action_or_reset(link->dev, tpl_detach_exit, link);
}
