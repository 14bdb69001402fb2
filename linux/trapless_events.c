// SPDX-License-Identifier: GPL-2.0-only
/*
 * The callback of a queue whose driver gives each buffer back at once: not in the interrupt
 *
 * virtio-scmi takes its events as long as there is one. A backend that returns each buffer as soon
 * as it has it would keep the processor for ever, and the transport has no place in that loop. So it
 * runs where interrupts are on, and whoever does not come to an end has the queue broken by a timer.
 *
 * Meanwhile no other callback of the device runs: SCMI's core waits, in an interrupt too, for whoever
 * works on the same transfer (scmi_xfer_command_acquire()), and that might be who was interrupted.
 */
#include <linux/jiffies.h>
#include <linux/timer.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_scmi.h>

#include "trapless_virtio.h"

/* Longer than it takes to go through a full queue on a machine that is emulated. */
#define TPL_EVENTS_MS 500

bool tpl_is_event_queue(struct virtqueue *vq)
{
	return vq->vdev->id.device == VIRTIO_ID_SCMI && vq->index == VIRTIO_SCMI_VQ_RX;
}

static void tpl_events_endless(struct timer_list *timer)
{
	struct tpl_events *events = from_timer(events, timer, timer);

	__virtqueue_break(events->vq);
}

static void tpl_events_work(struct work_struct *work)
{
	struct tpl_events *events = container_of(work, struct tpl_events, work);
	struct tpl_device *device = container_of(events, struct tpl_device, events);

	scoped_guard(spinlock_irqsave, &device->link->lock) {
		events->vq = tpl_takes_events(device);
		events->running = events->vq;
	}
	if (!events->vq)
		return;
	mod_timer(&events->timer, jiffies + msecs_to_jiffies(TPL_EVENTS_MS));
	vring_interrupt(0, events->vq);
	timer_delete_sync(&events->timer);
	scoped_guard(spinlock_irqsave, &device->link->lock)
		events->running = false;
	/* What was put off meanwhile, and whether the timer has broken the queue. */
	tpl_link_look(device->link, false);
}

/* Have the callback of the event queue run soon, if it takes any. Any context. */
void tpl_events_soon(struct tpl_device *device)
{
	queue_work(system_unbound_wq, &device->events.work);
}

/*
 * None runs any more, once the device is not live or has no queues, and none is under way. Bounded:
 * the timer ends it.
 */
void tpl_events_stop(struct tpl_device *device)
{
	cancel_work_sync(&device->events.work);
}

void tpl_events_init(struct tpl_device *device)
{
	INIT_WORK(&device->events.work, tpl_events_work);
	timer_setup(&device->events.timer, tpl_events_endless, 0);
}
