// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux's SCMI core leaves to time when the backend goes: its requests, and its devices
 *
 * docs/transport.md, 4.7. Requests that are in flight would end by the core's time-out, and
 * unbinding would wait for them. They are answered here instead.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/scmi_protocol.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_scmi.h>

#include "trapless_virtio.h"

/* SCMI 3.2, 4.1.4: COMMS_ERROR, which Linux makes ECOMM of. */
#define TPL_SCMI_COMMS_ERROR (-7)

/* A request may slip in while others are answered. So many times it is looked for. */
#define TPL_SCMI_ROUNDS 8

struct tpl_scmi_answer {
	__le32 header;
	__le32 status;
};

static struct virtqueue *tpl_find_vq(struct tpl_device *device, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < device->num_vqs; i++)
		if (device->vqs[i]->index == index)
			return device->vqs[i];
	return NULL;
}

/* The header of the request has the token that the driver waits for. */
static u32 tpl_scmi_answer(const struct tpl_chain *chain)
{
	struct tpl_scmi_answer *answer = chain->answer.at;

	if (chain->request.length < sizeof(answer->header) || chain->answer.length < sizeof(*answer))
		return 0;
	answer->header = READ_ONCE(*(__le32 *)chain->request.at);
	answer->status = cpu_to_le32(TPL_SCMI_COMMS_ERROR);
	return sizeof(*answer);
}

/*
 * The backend writes no more to the chains that it has: it is in another life, or has acknowledged
 * a reset. One that is only slow goes on, and two answers would mix.
 */
static bool tpl_let_go(struct tpl_device *device)
{
	/* Pairs with the release of tpl_device_reset(). */
	return smp_load_acquire(&device->fresh) ||
	       tpl_load_acquire(device->page, TPL_DEV_BE_EPOCH) != device->epoch;
}

/* The broken command queue of an SCMI device; NULL if the device is none, or its queue is not. */
static struct virtqueue *tpl_scmi_broken(struct tpl_device *device)
{
	struct virtqueue *vq = tpl_find_vq(device, VIRTIO_SCMI_VQ_TX);

	lockdep_assert_held(&device->link->lock);
	if (!vq || vq->reset || device->vd->vdev.id.device != VIRTIO_ID_SCMI ||
	    !virtqueue_is_broken(vq))
		return NULL;
	return vq;
}

/* Returns whether there are still requests. */
static bool tpl_scmi_end_locked(struct tpl_device *device)
{
	struct virtqueue *vq = tpl_scmi_broken(device);

	if (!vq || !tpl_let_go(device) || vq->num_free >= virtqueue_get_vring_size(vq))
		return false;
	tpl_ring_return(device->link, vq, tpl_scmi_answer);
	/* The driver takes nothing out of a broken queue. */
	__virtqueue_unbreak(vq);
	vring_interrupt(0, vq);
	__virtqueue_break(vq);
	return vq->num_free < virtqueue_get_vring_size(vq);
}

static bool tpl_scmi_any_broken(struct tpl_link *link)
{
	struct tpl_device *device;
	bool any = false;

	scoped_guard(spinlock_irqsave, &link->lock)
		for (device = tpl_first(link); device; device = tpl_next(device))
			any |= !!tpl_scmi_broken(device);
	return any;
}

/* Returns whether there are still requests. */
static bool tpl_scmi_end_each(struct tpl_link *link)
{
	struct tpl_device *device;
	bool more = false;

	scoped_guard(spinlock_irqsave, &link->lock)
		for (device = tpl_first(link); device; device = tpl_next(device))
			more |= tpl_scmi_end_locked(device);
	return more;
}

/*
 * Have the requests in flight end with an error, where queues are broken. The driver adds to a
 * queue with interrupts off: after the grace period nobody does who had not seen that it is broken.
 */
static void tpl_scmi_end_requests(struct tpl_link *link)
{
	struct tpl_device *device;
	unsigned int round;
	bool more = tpl_scmi_any_broken(link);

	/* Their queue is broken, too, and what is under way ends soon: none comes after it. */
	for (device = tpl_first(link); more && device; device = tpl_next(device))
		tpl_events_stop(device);
	for (round = 0; more && round < TPL_SCMI_ROUNDS; round++) {
		synchronize_rcu_expedited();
		more = tpl_scmi_end_each(link);
	}
}

static void tpl_scmi_orphans(struct work_struct *work)
{
	tpl_scmi_end_requests(container_of(work, struct tpl_link, orphans));
}

void tpl_scmi_init(struct tpl_link *link)
{
	INIT_WORK(&link->orphans, tpl_scmi_orphans);
}

/*
 * The device is about to be unregistered. Its users are unbound first, and wait for the requests
 * that they have made.
 */
void tpl_scmi_leave(struct tpl_device *device)
{
	if (device->vd->vdev.id.device != VIRTIO_ID_SCMI)
		return;
	tpl_device_break(device);
	tpl_device_reset(&device->vd->vdev);
	tpl_scmi_end_requests(device->link);
}

static int tpl_scmi_is_protocol(struct device *dev, void *data)
{
	return dev->bus && !strcmp(dev->bus->name, "scmi_protocol");
}

/*
 * An SCMI instance is unbound. Linux 6.12 leaves the devices of its protocols on their bus: eleven
 * more with each restart of the backend, and of System power there can be only one.
 */
void tpl_scmi_forget(struct device *instance)
{
	void (*destroy)(struct device *parent, int protocol, const char *name);
	struct device *child;

	destroy = symbol_get(scmi_device_destroy);
	if (!destroy)
		return;
	while ((child = device_find_child(instance, NULL, tpl_scmi_is_protocol))) {
		struct scmi_device *protocol = to_scmi_dev(child);

		destroy(instance, protocol->protocol_id, protocol->name);
		put_device(child);
	}
	symbol_put(scmi_device_destroy);
}
