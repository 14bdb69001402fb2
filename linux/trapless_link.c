// SPDX-License-Identifier: GPL-2.0-only
/*
 * What any context does with a link: ring its doorbell, break it, look at what the backend changed
 *
 * docs/transport.md, sections 4.7 (what breaks a link) and 6 (doorbell, interrupts).
 */
#include <linux/mailbox_controller.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ids.h>

#include "trapless_virtio.h"

/*
 * Doorbells that may be under way in a mailbox that reports their completion: far below what the
 * mailbox core queues.
 */
#define TPL_RINGS_MAX 8

/* Doorbell */

static void tpl_ring_locked(struct tpl_link *link)
{
	lockdep_assert_held(&link->ring_lock);
	if (!link->chan || link->polled)
		return;
	link->stats.doorbells++;
	if (!link->chan->mbox->txdone_irq) {
		/*
		 * The store is the transmission. Serialised by the ring lock, so that the core's
		 * queue never holds more than this one, however many contexts ring.
		 */
		mbox_send_message(link->chan, link);
		mbox_client_txdone(link->chan, 0);
	} else if (atomic_inc_return(&link->rings) > TPL_RINGS_MAX ||
		   mbox_send_message(link->chan, link) < 0) {
		/* One that is still queued will be rung after this moment, and says the same. */
		atomic_dec(&link->rings);
	}
}

void tpl_link_rung(struct mbox_client *client, void *message, int err)
{
	struct tpl_link *link = container_of(client, struct tpl_link, client);

	if (link->chan->mbox->txdone_irq)
		atomic_dec(&link->rings);
}

/* Ring the backend. Any context. */
void tpl_link_ring(struct tpl_link *link)
{
	scoped_guard(spinlock_irqsave, &link->ring_lock)
		tpl_ring_locked(link);
}

/*
 * Tell the backend that a queue of the device holds something new, and ring it if it may sleep. Any
 * context.
 */
void tpl_link_kick(struct tpl_device *device)
{
	struct tpl_link *link = device->link;

	scoped_guard(spinlock_irqsave, &link->ring_lock) {
		link->stats.kicks++;
		device->kicks++;
		/* 0 is what a scrubbed page holds: never a count. */
		if (!device->kicks)
			device->kicks++;
		tpl_store_release(device->driver, TPL_DRV_KICK_SEQ, device->kicks);
		/* Pairs with the backend's barrier between setting BE_SLEEP and its last look. */
		virt_mb();
		if (tpl_load(device->page, TPL_DEV_BE_SLEEP))
			tpl_ring_locked(link);
		tpl_poll_hurry_locked(link);
	}
}

/* Breaking */

static void tpl_break_vqs(struct tpl_device *device)
{
	unsigned int i;

	for (i = 0; i < device->num_vqs; i++)
		__virtqueue_break(device->vqs[i]);
}

static void tpl_work_soon(struct tpl_link *link)
{
	if (!READ_ONCE(link->closing))
		mod_delayed_work(link->wq, &link->work, 0);
}

/* Not in the link's work item, which may be waiting for such a request. */
static void tpl_end_orphans(struct tpl_link *link, u32 epoch)
{
	link->orphaned = epoch;
	queue_work(system_highpri_wq, &link->orphans);
}

static void tpl_break_locked(struct tpl_link *link, const char *why)
{
	struct tpl_device *device;

	lockdep_assert_held(&link->lock);
	if (link->broken)
		return;
	dev_warn_ratelimited(link->dev, "link broken: %s\n", why);
	WRITE_ONCE(link->broken, true);
	if (!link->recovering)
		link->broke = jiffies;
	link->recovering = true;
	for (device = tpl_first(link); device; device = tpl_next(device))
		tpl_break_vqs(device);
	tpl_work_soon(link);
	tpl_end_orphans(link, tpl_first(link)->epoch);
}

/* All devices fail now; the work item takes them down and attaches again. Any context. */
void tpl_link_break(struct tpl_link *link, const char *why)
{
	scoped_guard(spinlock_irqsave, &link->lock)
		tpl_break_locked(link, why);
	wake_up_all(&link->answered);
}

/* This device's requests fail from now on; the others go on. Not inside a callback of a queue. */
void tpl_device_break(struct tpl_device *device)
{
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->live = false;
		tpl_break_vqs(device);
	}
}

/* Have the device taken down and registered again. Any context, also inside a callback. */
void tpl_device_ask_reset(struct tpl_device *device, const char *why)
{
	dev_err_ratelimited(&device->pdev->dev, "%s\n", why);
	WRITE_ONCE(device->needs_reset, true);
	tpl_work_soon(device->link);
}

/* Interrupt */

/*
 * The ring of a queue that is being reset is not to be looked at. Linux's SCMI core takes events
 * before it has made the tables to look them up in, and oopses (6.12, scmi_probe()): it is shown
 * none before its first command.
 */
static bool tpl_takes_callback(struct tpl_device *device, struct virtqueue *vq)
{
	return !vq->reset && (!tpl_is_event_queue(vq) || READ_ONCE(device->commanded));
}

/* The event queue, if its callback may run; NULL if not. */
struct virtqueue *tpl_takes_events(struct tpl_device *device)
{
	unsigned int i;

	lockdep_assert_held(&device->link->lock);
	if (!device->live)
		return NULL;
	for (i = 0; i < device->num_vqs; i++)
		if (tpl_is_event_queue(device->vqs[i]) && tpl_takes_callback(device, device->vqs[i]))
			return device->vqs[i];
	return NULL;
}

/* Returns the queue in which a callback has found what cannot be. */
static struct virtqueue *tpl_look_at_queues(struct tpl_device *device)
{
	u32 used = tpl_load_acquire(device->page, TPL_DEV_USED_COUNT);
	struct virtqueue *spoiled = NULL;
	unsigned int i;

	if (used == device->used_count || !device->live || device->events.running)
		return NULL;
	device->used_count = used;
	tpl_poll_hurry(device->link);
	for (i = 0; i < device->num_vqs; i++) {
		struct virtqueue *vq = device->vqs[i];
		bool sound = !virtqueue_is_broken(vq);

		if (!tpl_takes_callback(device, vq))
			continue;
		if (tpl_is_event_queue(vq)) {
			tpl_events_soon(device);
			continue;
		}
		vring_interrupt(0, vq);
		if (sound && virtqueue_is_broken(vq))
			spoiled = vq;
	}
	return spoiled;
}

/*
 * A queue that was found broken elsewhere: by a driver that polls. Whoever else breaks queues is not
 * live, rejected, or broken as a link; but an SCMI instance that fails to probe breaks them, too.
 */
static struct virtqueue *tpl_broken_vq(struct tpl_device *device)
{
	unsigned int i;

	if (!device->live || READ_ONCE(device->rejected))
		return NULL;
	if (device->vd->vdev.id.device == VIRTIO_ID_SCMI && !device->link->instance)
		return NULL;
	for (i = 0; i < device->num_vqs; i++)
		if (virtqueue_is_broken(device->vqs[i]))
			return device->vqs[i];
	return NULL;
}

/*
 * Linux's core breaks a queue in which the backend returns what it was not given, and leaves it like
 * that. Returns whether there is one now: only a reset of the device mends it.
 */
static bool tpl_is_spoiled(struct tpl_device *device, struct virtqueue *vq)
{
	if (!vq)
		vq = tpl_broken_vq(device);
	if (!vq || device->link->broken || READ_ONCE(device->needs_reset))
		return false;
	dev_err_ratelimited(&device->pdev->dev, "queue %u is broken\n", vq->index);
	tpl_break_vqs(device);
	device->link->stats.broken_queues++;
	WRITE_ONCE(device->needs_reset, true);
	return true;
}

/* Returns whether the device asks for a reset, which Linux's core does not act on. */
static bool tpl_look_at_config(struct tpl_device *device)
{
	u32 config = tpl_load_acquire(device->page, TPL_DEV_CONFIG_COUNT);

	if (!device->known || config == device->config_count)
		return false;
	device->config_count = config;
	if (!(tpl_load(device->page, TPL_REG_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		virtio_config_changed(&device->vd->vdev);
		return false;
	}
	tpl_break_vqs(device);
	device->link->stats.needs_reset += !READ_ONCE(device->needs_reset);
	WRITE_ONCE(device->needs_reset, true);
	return true;
}

static bool tpl_device_is_behind(struct tpl_device *device)
{
	if (device->state != TPL_UP)
		return false;
	return tpl_load(device->page, TPL_DEV_BE_EPOCH) != device->epoch ||
	       (device->live && !device->events.running &&
		tpl_load(device->page, TPL_DEV_USED_COUNT) != device->used_count) ||
	       (device->known &&
		tpl_load(device->page, TPL_DEV_CONFIG_COUNT) != device->config_count);
}

/* Whether there is something new on a device that is up, which nobody has looked at yet. */
bool tpl_link_is_behind(struct tpl_link *link)
{
	struct tpl_device *device;

	lockdep_assert_held(&link->lock);
	if (link->broken)
		return false;
	for (device = tpl_first(link); device; device = tpl_next(device))
		if (tpl_device_is_behind(device))
			return true;
	return false;
}

/* Returns whether there is something for the work item. */
static bool tpl_device_look(struct tpl_device *device)
{
	u32 epoch = tpl_load_acquire(device->page, TPL_DEV_BE_EPOCH);
	bool work;

	switch (device->state) {
	case TPL_ABSENT:
		return epoch;
	case TPL_REFUSED:
		return epoch != device->epoch;
	case TPL_POSTED:
		return epoch != device->epoch ||
		       tpl_load_acquire(device->page, TPL_DEV_ACK) == device->token;
	case TPL_UP:
		break;
	}
	if (epoch != device->epoch) {
		device->link->stats.restarts += !device->link->broken;
		tpl_break_locked(device->link, "the backend restarted");
		/* A deadline may have broken the link before the backend had let go of requests. */
		if (epoch != device->link->orphaned)
			tpl_end_orphans(device->link, epoch);
		return true;
	}
	work = tpl_is_spoiled(device, tpl_look_at_queues(device));
	return tpl_look_at_config(device) || work;
}

/*
 * Look at every word that the backend may have changed. Called from the doorbell's interrupt or a
 * timer; `interrupt`: it counts as one. Any context.
 */
void tpl_link_look(struct tpl_link *link, bool interrupt)
{
	struct tpl_device *device;
	bool work = false;

	scoped_guard(spinlock_irqsave, &link->lock) {
		link->stats.interrupts += interrupt;
		tpl_echo_heard(link);
		for (device = tpl_first(link); device; device = tpl_next(device))
			work |= tpl_device_look(device);
		tpl_balloon_look(link);
		if (work)
			tpl_work_soon(link);
	}
	if (wq_has_sleeper(&link->answered))
		wake_up_all(&link->answered);
}

void tpl_link_heard(struct mbox_client *client, void *message)
{
	struct tpl_link *link = container_of(client, struct tpl_link, client);

	if (!link->polls)
		tpl_link_look(link, true);
}
