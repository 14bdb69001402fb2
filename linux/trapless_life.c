// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life cycle of a link's virtio devices: attach, register, take down, begin again
 *
 * docs/transport.md, sections 4.2 (the FE starts) and 4.7 (what follows a break). All of it runs in
 * the link's work item, which registers the devices whenever the backend shows up, and again after
 * each of its restarts; or when there is no work item.
 */
#include <linux/moduleparam.h>

#include "trapless_virtio.h"

/*
 * A device that needs a reset is brought up again, but not sooner than this. One that needs it again
 * before it was up for so long waits twice as long each time.
 */
#define TPL_RECOVER_MS 1000U
#define TPL_RECOVER_MAX_MS 30000U
#define TPL_SOUND_MS 10000

/*
 * A link that breaks again so soon after it was mended is attached no sooner than so long after that
 * mend, twice as long each time: a backend whose epoch never rests must not keep us busy, and one
 * that crashes now and then need not wait.
 */
#define TPL_AGAIN_MS 2000
#define TPL_MEND_MS 10U

static unsigned int tpl_mend_max_ms = 1000;
module_param_named(mend_max_ms, tpl_mend_max_ms, uint, 0644);
MODULE_PARM_DESC(mend_max_ms,
		 "a link that breaks again and again is attached anew at most once in so many ms");

/* A device that is not up is looked at this often: the doorbell that announces it may be lost. */
#define TPL_LOOK_MS 1000

static void tpl_set_state(struct tpl_device *device, enum tpl_state state, u32 epoch)
{
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->state = state;
		device->epoch = epoch;
	}
}

/* For whoever looks at the region. */
static void tpl_show_recoveries(struct tpl_link *link)
{
	tpl_store(link->devices[0].driver, TPL_DRV_RECOVERY_MS, link->stats.recovery_ms);
	tpl_store(link->devices[0].driver, TPL_DRV_RECOVERIES, link->stats.recoveries);
}

/* A new life begins by leaving no batch of an old one behind (4.2). */
void tpl_life_begin(struct tpl_link *link)
{
	u32 avoid[3 * TPL_DEVICES_MAX];
	struct tpl_device *device;
	unsigned int count = 0;

	for (device = tpl_first(link); device; device = tpl_next(device)) {
		avoid[count++] = tpl_load(device->page, TPL_DEV_BE_EPOCH);
		avoid[count++] = tpl_load(device->page, TPL_DEV_ACK_FE_EPOCH);
		avoid[count++] = tpl_load(device->driver, TPL_DRV_FE_EPOCH);
	}
	link->fe_epoch = tpl_nonce(avoid, count);
	for (device = tpl_first(link); device; device = tpl_next(device)) {
		tpl_store(device->driver, TPL_DRV_REQ, 0);
		tpl_store(device->driver, TPL_DRV_TOKEN, 0);
		tpl_store(device->driver, TPL_DRV_MAGIC, TPL_SYNC_MAGIC);
		tpl_store(device->driver, TPL_DRV_VERSION, TPL_SYNC_VERSION);
		tpl_store(device->driver, TPL_DRV_FE_SLEEP, 1);
		tpl_set_state(device, TPL_ABSENT, 0);
	}
	tpl_show_recoveries(link);
	virt_mb(); /* before any batch of this life */
}

void tpl_life_end(struct tpl_link *link)
{
	struct tpl_device *device;

	for (device = tpl_first(link); device; device = tpl_next(device))
		if (device->state == TPL_UP)
			tpl_device_down(device);
}

/*
 * Begin again after a break. With a new epoch of our own, so that the first answer says
 * that every device of the link is reset: until then nothing is allocated from the pool.
 */
static void tpl_link_mend(struct tpl_link *link)
{
	bool again = time_before(jiffies, link->mended + msecs_to_jiffies(TPL_AGAIN_MS));
	struct tpl_device *device;
	unsigned long soonest;

	link->mend_ms = again ? min(max(2 * link->mend_ms, TPL_MEND_MS),
				    READ_ONCE(tpl_mend_max_ms)) : 0;
	soonest = link->mended + msecs_to_jiffies(link->mend_ms);
	tpl_life_end(link);
	tpl_life_begin(link);
	/* 10.5: ours again; nothing is allocated before the new life's reset is acknowledged. */
	tpl_balloon_forget(link);
	link->mended = time_after(soonest, jiffies) ? soonest : jiffies;
	for (device = tpl_first(link); device; device = tpl_next(device)) {
		device->not_before = link->mended;
		device->recover_ms = 0;
	}
	scoped_guard(spinlock_irqsave, &link->lock)
		WRITE_ONCE(link->broken, false);
}

/* The backend's epoch if it is there and speaks our language, else 0. */
static u32 tpl_present(struct tpl_device *device)
{
	u32 epoch = tpl_load_acquire(device->page, TPL_DEV_BE_EPOCH);
	u32 magic = tpl_load(device->page, TPL_DEV_MAGIC);
	u32 version = tpl_load(device->page, TPL_DEV_VERSION);

	if (!epoch)
		return 0;
	if (magic == TPL_SYNC_MAGIC && version == TPL_SYNC_VERSION)
		return epoch;
	/* Pairs with the backend's wmb behind DEV_BE_EPOCH = 0: nothing is known of a life that is over. */
	virt_rmb();
	if (tpl_load(device->page, TPL_DEV_BE_EPOCH) != epoch)
		return 0;
	dev_err_ratelimited(&device->pdev->dev,
			    "magic 0x%08x, version %u: not synchronisation pages of version %u\n",
			    magic, version, TPL_SYNC_VERSION);
	tpl_set_state(device, TPL_REFUSED, epoch);
	return 0;
}

static void tpl_post_reset(struct tpl_device *device)
{
	u32 epoch;

	if (time_before(jiffies, device->not_before))
		return;
	epoch = tpl_present(device);
	if (!epoch)
		return;
	guard(mutex)(&device->mutex);
	tpl_batch_forget(device);
	tpl_set_state(device, TPL_POSTED, epoch);
	/*
	 * Cannot fail: the list is empty. The answer is looked for by the interrupt and the work
	 * item.
	 */
	if (!tpl_batch_add(device, TPL_REG_STATUS, sizeof(u32), 0, 0))
		tpl_batch_publish(device);
	device->link->rering_ms = TPL_RERING_MS;
}

static void tpl_refuse(struct tpl_device *device, const struct tpl_answer *answer, int err)
{
	if (answer->result != TPL_RESULT_OK)
		dev_err_ratelimited(&device->pdev->dev, "the backend refused to be attached: %s\n",
				    tpl_result_name(answer->result));
	else if (err != -ENODEV)
		dev_err_ratelimited(&device->pdev->dev, "cannot register the virtio device: %pe\n",
				    ERR_PTR(err));
	tpl_set_state(device, TPL_REFUSED, device->epoch);
}

/* Whether nobody rings us for one of the devices that the backend has answered for. */
static bool tpl_must_poll(struct tpl_link *link)
{
	struct tpl_device *device;

	if (!link->chan || link->polls)
		return true;
	for (device = tpl_first(link); device; device = tpl_next(device))
		if ((device->state == TPL_POSTED || device->state == TPL_UP) &&
		    !(tpl_load(device->page, TPL_DEV_CAPABILITIES) & TPL_CAP_RINGS_DOORBELL))
			return true;
	return false;
}

/* The device is reset again, later each time that it does not last. 7.1. */
static void tpl_try_later(struct tpl_device *device)
{
	bool again = time_before(jiffies, device->attached + msecs_to_jiffies(TPL_SOUND_MS));

	device->recover_ms = clamp(again ? 2 * device->recover_ms : 0, TPL_RECOVER_MS,
				   TPL_RECOVER_MAX_MS);
	tpl_set_state(device, TPL_ABSENT, 0);
	device->not_before = jiffies + msecs_to_jiffies(device->recover_ms);
}

/* The device has failed at its reset, or at once after it: that is no refusal. */
static bool tpl_has_failed(const struct tpl_answer *answer)
{
	return answer->result == TPL_RESULT_NEEDS_RESET ||
	       (answer->result == TPL_RESULT_OK && answer->status);
}

static void tpl_attached(struct tpl_device *device, const struct tpl_answer *answer)
{
	int err = -EPROTO;

	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->link->stats.resets++;
	tpl_poll_set(device->link, tpl_must_poll(device->link));
	tpl_beat_start(device->link);
	if (answer->result == TPL_RESULT_OK && !answer->status)
		err = tpl_device_up(device);
	if (tpl_has_failed(answer)) {
		tpl_try_later(device);
		dev_warn_ratelimited(&device->pdev->dev, "needs another reset, in %u ms\n",
				     device->recover_ms);
	} else if (err) {
		tpl_refuse(device, answer, err);
	} else {
		dev_info(&device->pdev->dev, "virtio device %u registered, backend epoch %08x\n",
			 device->vd->vdev.id.device, device->epoch);
	}
	device->attached = jiffies;
}

static void tpl_recover(struct tpl_device *device)
{
	tpl_device_down(device);
	tpl_try_later(device);
	dev_warn_ratelimited(&device->pdev->dev, "taken down, to be registered again in %u ms\n",
			     device->recover_ms);
}

/* One device's steps through its states, as far as they go now. */
static void tpl_device_step(struct tpl_device *device)
{
	struct tpl_answer answer;

	if (device->state == TPL_UP && READ_ONCE(device->needs_reset))
		tpl_recover(device);
	if (device->state == TPL_REFUSED &&
	    tpl_load(device->page, TPL_DEV_BE_EPOCH) != device->epoch)
		tpl_set_state(device, TPL_ABSENT, 0);
	if (device->state == TPL_POSTED) {
		switch (tpl_batch_answer(device, &answer)) {
		case 0:
			tpl_attached(device, &answer);
			return;
		case -EINPROGRESS:
			tpl_link_ring(device->link);
			return;
		case -ESTALE:
			tpl_set_state(device, TPL_ABSENT, 0);
			break;
		}
	}
	if (device->state == TPL_ABSENT)
		tpl_post_reset(device);
}

/* In how many ms a device that is not up is looked at: as soon as it may be attached again. */
static unsigned int tpl_look_ms(const struct tpl_device *device)
{
	unsigned long now = jiffies;

	if (device->state != TPL_ABSENT || time_after_eq(now, device->not_before))
		return TPL_LOOK_MS;
	return min_t(unsigned long, TPL_LOOK_MS, jiffies_to_msecs(device->not_before - now) + 1);
}

/*
 * What is posted is rung again, soon at first, then less often: a backend may be stopped for as
 * long as it likes.
 */
static void tpl_schedule(struct tpl_link *link)
{
	struct tpl_device *device;
	unsigned int delay_ms = UINT_MAX;
	bool posted = false;

	for (device = tpl_first(link); device; device = tpl_next(device)) {
		posted |= device->state == TPL_POSTED;
		if (device->state != TPL_UP)
			delay_ms = min(delay_ms, tpl_look_ms(device));
	}
	if (posted) {
		delay_ms = min(delay_ms, link->rering_ms);
		link->rering_ms = min(2 * link->rering_ms, TPL_RERING_MAX_MS);
	}
	scoped_guard(spinlock_irqsave, &link->lock)
		if (delay_ms != UINT_MAX && !link->closing)
			queue_delayed_work(link->wq, &link->work, msecs_to_jiffies(delay_ms));
}

static bool tpl_is_recovered(struct tpl_link *link)
{
	struct tpl_device *device;

	lockdep_assert_held(&link->lock);
	if (!link->recovering || link->broken)
		return false;
	for (device = tpl_first(link); device; device = tpl_next(device))
		if (device->state == TPL_ABSENT || device->state == TPL_POSTED)
			return false;
	return true;
}

/* Tell that the devices are there again, as far as the backend has them. */
static void tpl_tell_recovery(struct tpl_link *link)
{
	scoped_guard(spinlock_irqsave, &link->lock) {
		if (tpl_is_recovered(link)) {
			link->recovering = false;
			link->stats.recoveries++;
			link->stats.recovery_ms = jiffies_to_msecs(jiffies - link->broke);
			dev_info(link->dev, "attached again, %u ms after the link broke\n",
				 link->stats.recovery_ms);
			tpl_show_recoveries(link);
		}
	}
}

static void tpl_link_work(struct work_struct *work)
{
	struct tpl_link *link = container_of(to_delayed_work(work), struct tpl_link, work);
	struct tpl_device *device;

	if (READ_ONCE(link->closing))
		return;
	if (READ_ONCE(link->broken))
		tpl_link_mend(link);
	for (device = tpl_first(link); device; device = tpl_next(device))
		tpl_device_step(device);
	tpl_tell_recovery(link);
	tpl_schedule(link);
}

void tpl_life_init(struct tpl_link *link)
{
	link->rering_ms = TPL_RERING_MS;
	link->mended = jiffies - msecs_to_jiffies(TPL_AGAIN_MS);
	INIT_DELAYED_WORK(&link->work, tpl_link_work);
}
