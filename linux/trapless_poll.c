// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at the pages where no doorbell calls us (docs/transport.md, 6.8): soon while something
 * is under way, seldom while the link rests
 */
#include <linux/hrtimer.h>
#include <linux/minmax.h>

#include "trapless_virtio.h"

/* The first looks after something was sent or seen: an answer may take no longer. */
#define TPL_POLL_FIRST_NS (100 * NSEC_PER_USEC)
#define TPL_POLL_FIRST 10

/* So many further looks, then each time twice as late. */
#define TPL_POLL_NS (1 * NSEC_PER_MSEC)
#define TPL_POLL_PATIENCE 30
#define TPL_POLL_DOUBLINGS 7

static u64 tpl_poll_ns(unsigned int idle)
{
	if (idle < TPL_POLL_FIRST)
		return TPL_POLL_FIRST_NS;
	if (idle < TPL_POLL_PATIENCE)
		return TPL_POLL_NS;
	return (u64)TPL_POLL_NS << min(idle - TPL_POLL_PATIENCE + 1, TPL_POLL_DOUBLINGS);
}

static void tpl_poll_arm(struct tpl_link *link)
{
	lockdep_assert_held(&link->ring_lock);
	if (link->polling)
		hrtimer_start(&link->poll, ns_to_ktime(tpl_poll_ns(link->idle_looks)),
			      HRTIMER_MODE_REL);
}

/* Something was sent or seen: more is to come. */
void tpl_poll_hurry_locked(struct tpl_link *link)
{
	bool late = link->idle_looks >= TPL_POLL_FIRST;

	lockdep_assert_held(&link->ring_lock);
	link->idle_looks = 0;
	if (late)
		tpl_poll_arm(link);
}

/* The same in any context without the ring lock. */
void tpl_poll_hurry(struct tpl_link *link)
{
	scoped_guard(spinlock_irqsave, &link->ring_lock)
		tpl_poll_hurry_locked(link);
}

static enum hrtimer_restart tpl_poll(struct hrtimer *timer)
{
	struct tpl_link *link = container_of(timer, struct tpl_link, poll);

	tpl_link_look(link, true);
	scoped_guard(spinlock_irqsave, &link->ring_lock) {
		/* Bounded: beyond this nothing changes. */
		if (link->idle_looks < TPL_POLL_PATIENCE + TPL_POLL_DOUBLINGS)
			link->idle_looks++;
		tpl_poll_arm(link);
	}
	/* Armed here, so that who hurries meanwhile is not overruled. */
	return HRTIMER_NORESTART;
}

void tpl_poll_init(struct tpl_link *link)
{
	hrtimer_init(&link->poll, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	link->poll.function = tpl_poll;
}

/* Poll, or do not poll any more. Not from the timer. */
void tpl_poll_set(struct tpl_link *link, bool on)
{
	scoped_guard(spinlock_irqsave, &link->ring_lock) {
		if (link->polling == on)
			return;
		link->polling = on;
		link->idle_looks = 0;
		tpl_poll_arm(link);
	}
	if (!on)
		hrtimer_cancel(&link->poll);
}
