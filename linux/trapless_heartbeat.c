// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heartbeats: ours, and what the backend's say of it (docs/transport.md, 4.9); and a look at what no
 * doorbell has told of (6.5)
 *
 * Looks are counted, not time: a frontend that was stopped itself gives the backend as many as ever.
 * Nothing follows from silence but that it is shown: requests end by their drivers' own time-outs.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/virtio_config.h>

#include "trapless_virtio.h"

/* A backend that announces another period is taken for one that does not beat. */
#define TPL_BEAT_MIN_MS 100
#define TPL_BEAT_MAX_MS 10000

/* How often we look at the pages of a backend that does not beat. */
#define TPL_BEAT_LOOK_MS 1000

/* A doorbell that has not come so long after what it is to tell of is lost. */
#define TPL_LATE_MS 20

/* So many looks in a row without a change mean silence. */
#define TPL_BEAT_MISSED 4

/* The backend beats while a driver uses one of the devices. */
static bool tpl_beats_expected(struct tpl_link *link)
{
	struct tpl_device *device;

	if (link->broken)
		return false;
	for (device = tpl_first(link); device; device = tpl_next(device))
		if (device->state == TPL_UP &&
		    tpl_load(device->page, TPL_DEV_BE_EPOCH) == device->epoch &&
		    READ_ONCE(device->status) & VIRTIO_CONFIG_S_DRIVER_OK)
			return true;
	return false;
}

static void tpl_beat_missed(struct tpl_link *link)
{
	struct tpl_beat *beat = &link->beat;

	/* Bounded: what is shown must not wrap to a backend that lives. */
	if (beat->missed < U32_MAX / TPL_BEAT_MAX_MS)
		beat->missed++;
	if (beat->missed != TPL_BEAT_MISSED)
		return;
	link->stats.silences++;
	dev_notice_ratelimited(link->dev, "no heartbeat of the backend for %u ms\n",
			       beat->missed * beat->period_ms);
}

static void tpl_beat_look(struct tpl_link *link)
{
	u32 word = tpl_load(link->devices[0].page, TPL_DEV_HEARTBEAT);
	struct tpl_beat *beat = &link->beat;

	lockdep_assert_held(&link->lock);
	beat->expected = tpl_beats_expected(link);
	if (beat->expected && word == beat->seen) {
		tpl_beat_missed(link);
		return;
	}
	if (beat->expected && beat->missed >= TPL_BEAT_MISSED)
		dev_notice_ratelimited(link->dev, "the backend's heart beats again\n");
	beat->seen = word;
	beat->missed = 0;
}

static void tpl_beat_queue(struct tpl_link *link)
{
	unsigned int ms = link->beat.period_ms ?: TPL_BEAT_LOOK_MS;

	queue_delayed_work(system_freezable_wq, &link->beat.work, msecs_to_jiffies(ms));
}

/*
 * 6.5: a backend that was not heard once does not ring again, where it goes by event indices. Then
 * nothing would come back any more.
 */
static void tpl_beat_catch_up(struct tpl_link *link)
{
	bool behind;
	u64 heard;

	scoped_guard(spinlock_irqsave, &link->lock) {
		behind = tpl_link_is_behind(link);
		heard = link->stats.interrupts;
	}
	if (behind) {
		msleep(TPL_LATE_MS);
		scoped_guard(spinlock_irqsave, &link->lock)
			link->stats.lost_doorbells += heard == link->stats.interrupts;
	}
	tpl_link_look(link, false);
}

static void tpl_beat_work(struct work_struct *work)
{
	struct tpl_link *link = container_of(to_delayed_work(work), struct tpl_link, beat.work);
	struct tpl_beat *beat = &link->beat;

	scoped_guard(spinlock_irqsave, &link->lock) {
		if (link->closing)
			return;
		if (beat->period_ms) {
			tpl_store_release(link->devices[0].driver, TPL_DRV_HEARTBEAT, ++beat->count);
			tpl_beat_look(link);
		}
		tpl_beat_queue(link);
	}
	tpl_beat_catch_up(link);
}

/* Beat as often as this life of the backend does, and listen to it; any number of times. */
void tpl_beat_start(struct tpl_link *link)
{
	const void *page = link->devices[0].page;
	u32 capabilities = tpl_load(page, TPL_DEV_CAPABILITIES);
	u32 period_ms = tpl_load(page, TPL_DEV_HEARTBEAT_PERIOD_MS);

	if (!(capabilities & TPL_CAP_HEARTBEAT) || period_ms < TPL_BEAT_MIN_MS ||
	    period_ms > TPL_BEAT_MAX_MS)
		period_ms = 0;
	scoped_guard(spinlock_irqsave, &link->lock) {
		link->beat.period_ms = period_ms;
		if (!link->closing)
			tpl_beat_queue(link);
	}
}

void tpl_beat_init(struct tpl_link *link)
{
	INIT_DELAYED_WORK(&link->beat.work, tpl_beat_work);
	/* Its first change says that this life is there, wherever the word stood. */
	link->beat.count = tpl_load(link->devices[0].driver, TPL_DRV_HEARTBEAT);
}

/* The link is closing: the work item does not queue itself again. */
void tpl_beat_stop(struct tpl_link *link)
{
	cancel_delayed_work_sync(&link->beat.work);
}

void tpl_beat_show(struct tpl_link *link, struct seq_file *file)
{
	const struct tpl_beat *beat = &link->beat;

	lockdep_assert_held(&link->lock);
	if (!beat->period_ms)
		seq_puts(file, "no heartbeat\n");
	else if (!beat->expected)
		seq_puts(file, "not attached\n");
	else if (beat->missed < TPL_BEAT_MISSED)
		seq_puts(file, "alive\n");
	else
		seq_printf(file, "silent for %u ms\n", beat->missed * beat->period_ms);
}
