// SPDX-License-Identifier: GPL-2.0-only
/*
 * The link to one backend: its doorbell, its pool, and the life cycle of its virtio devices
 *
 * docs/transport.md, sections 4.2 (the FE starts), 4.7 (what breaks a link) and 6 (doorbell,
 * interrupts). The driver binds at once; its work item registers the virtio devices whenever the
 * backend shows up, and again after each of its restarts.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/mailbox_controller.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_device.h>
#include <linux/of_platform.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "trapless_virtio.h"

/* A device that asks for a reset is brought up again, but not more often than this. */
#define TPL_RECOVER_MS 1000

/*
 * A link that breaks again so soon after it was mended waits before it attaches, twice as long each
 * time: a backend whose epoch never rests must not keep us busy.
 */
#define TPL_AGAIN_MS 2000
#define TPL_MEND_MS 10
#define TPL_MEND_MAX_MS 1000

/* A device that is not up is looked at this often: the doorbell that announces it may be lost. */
#define TPL_LOOK_MS 1000

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

static void tpl_tx_done(struct mbox_client *client, void *message, int err)
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

static void tpl_break_locked(struct tpl_link *link, const char *why)
{
	struct tpl_device *device;

	lockdep_assert_held(&link->lock);
	if (link->broken)
		return;
	dev_warn_ratelimited(link->dev, "link broken: %s\n", why);
	WRITE_ONCE(link->broken, true);
	for (device = tpl_first(link); device; device = tpl_next(device))
		tpl_break_vqs(device);
	tpl_work_soon(link);
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
	scoped_guard(spinlock_irqsave, &device->link->lock)
		tpl_break_vqs(device);
}

/* Have the device taken down and registered again. Any context, also inside a callback. */
void tpl_device_ask_reset(struct tpl_device *device, const char *why)
{
	dev_err_ratelimited(&device->pdev->dev, "%s\n", why);
	WRITE_ONCE(device->needs_reset, true);
	tpl_work_soon(device->link);
}

/* Interrupt */

static void tpl_look_at_queues(struct tpl_device *device)
{
	u32 used = tpl_load_acquire(device->page, TPL_DEV_USED_COUNT);
	unsigned int i;

	if (used == device->used_count)
		return;
	device->used_count = used;
	tpl_poll_hurry(device->link);
	for (i = 0; i < device->num_vqs; i++)
		vring_interrupt(0, device->vqs[i]);
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
	device->link->stats.needs_reset += !device->needs_reset;
	WRITE_ONCE(device->needs_reset, true);
	return true;
}

/* Returns whether there is something for the work item. */
static bool tpl_device_look(struct tpl_device *device)
{
	u32 epoch = tpl_load_acquire(device->page, TPL_DEV_BE_EPOCH);

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
		return true;
	}
	tpl_look_at_queues(device);
	return tpl_look_at_config(device);
}

/*
 * Look at every word that the backend may have changed. Called from the doorbell's interrupt or the
 * polling timer.
 */
void tpl_link_look(struct tpl_link *link)
{
	struct tpl_device *device;
	bool work = false;

	scoped_guard(spinlock_irqsave, &link->lock) {
		link->stats.interrupts++;
		tpl_echo_heard(link);
		for (device = tpl_first(link); device; device = tpl_next(device))
			work |= tpl_device_look(device);
		if (work)
			tpl_work_soon(link);
	}
	if (wq_has_sleeper(&link->answered))
		wake_up_all(&link->answered);
}

static void tpl_rx(struct mbox_client *client, void *message)
{
	struct tpl_link *link = container_of(client, struct tpl_link, client);

	if (!link->polls)
		tpl_link_look(link);
}

/* Life cycle: everything below runs in the work item, or when there is none */

static void tpl_set_state(struct tpl_device *device, enum tpl_state state, u32 epoch)
{
	scoped_guard(spinlock_irqsave, &device->link->lock) {
		device->state = state;
		device->epoch = epoch;
	}
}

/* A new life begins by leaving no batch of an old one behind (4.2). */
static void tpl_new_life(struct tpl_link *link)
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
	virt_mb(); /* before any batch of this life */
}

static void tpl_link_down(struct tpl_link *link)
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

	link->mend_ms = again ? clamp(2 * link->mend_ms, TPL_MEND_MS, TPL_MEND_MAX_MS) : 0;
	tpl_link_down(link);
	tpl_new_life(link);
	link->mended = jiffies;
	for (device = tpl_first(link); device; device = tpl_next(device))
		device->not_before = link->mended + msecs_to_jiffies(link->mend_ms);
	scoped_guard(spinlock_irqsave, &link->lock)
		link->broken = false;
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

static bool tpl_must_poll(struct tpl_device *device)
{
	return !device->link->chan || device->link->polls ||
	       !(tpl_load(device->page, TPL_DEV_CAPABILITIES) & TPL_CAP_RINGS_DOORBELL);
}

static void tpl_attached(struct tpl_device *device, const struct tpl_answer *answer)
{
	int err = -EPROTO;

	scoped_guard(spinlock_irqsave, &device->link->lock)
		device->link->stats.resets++;
	tpl_poll_set(device->link, tpl_must_poll(device));
	tpl_beat_start(device->link);
	if (answer->result == TPL_RESULT_OK && !answer->status)
		err = tpl_device_up(device);
	if (err)
		tpl_refuse(device, answer, err);
	else
		dev_info(&device->pdev->dev, "virtio device %u registered, backend epoch %08x\n",
			 device->vd->vdev.id.device, device->epoch);
}

static void tpl_recover(struct tpl_device *device)
{
	dev_warn_ratelimited(&device->pdev->dev, "taken down, to be registered again\n");
	tpl_device_down(device);
	tpl_set_state(device, TPL_ABSENT, 0);
	device->not_before = jiffies + msecs_to_jiffies(TPL_RECOVER_MS);
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
	tpl_schedule(link);
}

/* Set-up */

static void *tpl_map_page(struct tpl_device *device, const char *name)
{
	struct resource *resource =
		platform_get_resource_byname(device->pdev, IORESOURCE_MEM, name);
	struct device *dev = device->link->dev;
	void *page;

	if (!resource || resource_size(resource) < TPL_PAGE_SIZE)
		return ERR_PTR(dev_err_probe(dev, -EINVAL, "%s: no %s page of %u bytes in reg\n",
					     dev_name(&device->pdev->dev), name, TPL_PAGE_SIZE));
	page = devm_memremap(dev, resource->start, resource_size(resource), MEMREMAP_WB);
	if (IS_ERR(page))
		return ERR_PTR(dev_err_probe(dev, PTR_ERR(page), "cannot map the %s page %pr\n",
					     name, resource));
	return page;
}

/*
 * The virtio device's parent is the child's platform device, not the link's: the virtio core takes
 * the parent's node for one with at most one child. So the child is given the link's pool here.
 */
static int tpl_setup_dma(struct tpl_device *device)
{
	struct device *dev = &device->pdev->dev;
	int err;

	err = of_dma_configure(dev, dev->of_node, true);
	if (!err)
		err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (!err)
		err = of_reserved_mem_device_init_by_idx(dev, device->link->dev->of_node, 0);
	if (err)
		return dev_err_probe(device->link->dev, err,
				     "memory-region must name a restricted-dma-pool, and the kernel have CONFIG_DMA_RESTRICTED_POOL\n");
	return 0;
}

static int tpl_setup_device(struct tpl_device *device)
{
	device->page = tpl_map_page(device, "device");
	if (IS_ERR(device->page))
		return PTR_ERR(device->page);
	device->driver = tpl_map_page(device, "driver");
	if (IS_ERR(device->driver))
		return PTR_ERR(device->driver);
	device->kicks = tpl_load(device->driver, TPL_DRV_KICK_SEQ);
	return tpl_setup_dma(device);
}

static void tpl_destroy_device(void *data)
{
	struct tpl_device *device = data;

	of_reserved_mem_device_release(&device->pdev->dev);
	of_platform_device_destroy(&device->pdev->dev, NULL);
}

static int tpl_create_device(struct tpl_link *link, struct tpl_device *device,
			     struct device_node *node)
{
	int err;

	device->link = link;
	device->not_before = jiffies;
	mutex_init(&device->mutex);
	device->pdev = of_platform_device_create(node, NULL, link->dev);
	if (!device->pdev)
		return dev_err_probe(link->dev, -ENODEV, "cannot create a device for %pOF\n", node);
	err = devm_add_action_or_reset(link->dev, tpl_destroy_device, device);
	if (err)
		return err;
	return tpl_setup_device(device);
}

static int tpl_create_devices(struct tpl_link *link)
{
	unsigned int i = 0;
	int err;

	for_each_available_child_of_node_scoped(link->dev->of_node, node) {
		err = tpl_create_device(link, &link->devices[i++], node);
		if (err)
			return err;
	}
	return 0;
}

static struct reserved_mem *tpl_reserved(struct tpl_link *link, int index)
{
	struct device_node *node = of_parse_phandle(link->dev->of_node, "memory-region", index);
	struct reserved_mem *found = node ? of_reserved_mem_lookup(node) : NULL;

	of_node_put(node);
	return found;
}

static int tpl_find_memory(struct tpl_link *link)
{
	struct reserved_mem *pool = tpl_reserved(link, 0);
	struct reserved_mem *shm = tpl_reserved(link, 1);

	if (!pool)
		return dev_err_probe(link->dev, -EINVAL,
				     "memory-region must name the link's pool\n");
	link->pool_base = pool->base;
	link->pool_size = pool->size;
	if (shm) {
		link->shm_base = shm->base;
		link->shm_size = shm->size;
	}
	return 0;
}

static int tpl_request_doorbell(struct tpl_link *link)
{
	struct mbox_chan *chan;

	link->polls = of_property_read_bool(link->dev->of_node, "trapless,polls");
	link->polled = of_property_read_bool(link->dev->of_node, "trapless,polled");
	link->client.dev = link->dev;
	link->client.knows_txdone = true;
	link->client.rx_callback = tpl_rx;
	link->client.tx_done = tpl_tx_done;
	if (!of_property_present(link->dev->of_node, "mboxes")) {
		dev_info(link->dev, "no doorbell: both sides poll\n");
		tpl_poll_set(link, true);
		return 0;
	}
	chan = mbox_request_channel(&link->client, 0);
	if (IS_ERR(chan))
		return dev_err_probe(link->dev, PTR_ERR(chan), "cannot get the doorbell\n");
	scoped_guard(spinlock_irqsave, &link->ring_lock)
		link->chan = chan;
	tpl_poll_set(link, link->polls);
	return 0;
}

static struct tpl_link *tpl_alloc_link(struct device *dev)
{
	unsigned int devices = of_get_available_child_count(dev->of_node);
	struct tpl_link *link;

	if (!devices || devices > TPL_DEVICES_MAX)
		return ERR_PTR(dev_err_probe(dev, -EINVAL,
					     "%u devices on the link, 1 to %u are possible\n",
					     devices, TPL_DEVICES_MAX));
	link = devm_kzalloc(dev, struct_size(link, devices, devices), GFP_KERNEL);
	if (!link)
		return ERR_PTR(-ENOMEM);
	link->dev = dev;
	link->num_devices = devices;
	link->rering_ms = TPL_RERING_MS;
	link->mended = jiffies - msecs_to_jiffies(TPL_AGAIN_MS);
	spin_lock_init(&link->lock);
	spin_lock_init(&link->ring_lock);
	mutex_init(&link->echo_mutex);
	init_completion(&link->echoed);
	init_waitqueue_head(&link->answered);
	INIT_DELAYED_WORK(&link->work, tpl_link_work);
	tpl_poll_init(link);
	return link;
}

static void tpl_close(struct tpl_link *link)
{
	scoped_guard(spinlock_irqsave, &link->lock)
		WRITE_ONCE(link->closing, true);
	cancel_delayed_work_sync(&link->work);
	tpl_beat_stop(link);
}

static int tpl_probe(struct platform_device *pdev)
{
	struct tpl_link *link = tpl_alloc_link(&pdev->dev);
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	err = tpl_find_memory(link);
	if (err)
		return err;
	err = tpl_create_devices(link);
	if (err)
		return err;
	link->wq = alloc_ordered_workqueue("trapless-%s", 0, dev_name(&pdev->dev));
	if (!link->wq)
		return -ENOMEM;
	tpl_beat_init(link);
	tpl_new_life(link);
	err = tpl_request_doorbell(link);
	if (err) {
		tpl_close(link); /* a doorbell that was heard for a moment may have queued work */
		destroy_workqueue(link->wq);
		return err;
	}
	platform_set_drvdata(pdev, link);
	tpl_debugfs_add(link);
	queue_delayed_work(link->wq, &link->work, 0);
	return 0;
}

static void tpl_remove(struct platform_device *pdev)
{
	struct tpl_link *link = platform_get_drvdata(pdev);

	tpl_close(link);
	tpl_debugfs_remove(link);
	/* The drivers' resets are answered through the doorbell: it goes last. */
	tpl_link_down(link);
	tpl_poll_set(link, false);
	if (link->chan)
		mbox_free_channel(link->chan);
	destroy_workqueue(link->wq);
}

static void tpl_shutdown(struct platform_device *pdev)
{
	tpl_close(platform_get_drvdata(pdev));
}

static const struct of_device_id tpl_of_match[] = {
	{ .compatible = "trapless,virtio-link" },
	{ }
};
MODULE_DEVICE_TABLE(of, tpl_of_match);

static struct platform_driver tpl_driver = {
	.probe = tpl_probe,
	.remove = tpl_remove,
	.shutdown = tpl_shutdown,
	.driver = {
		.name = "trapless-virtio",
		.of_match_table = tpl_of_match,
		.probe_type = PROBE_PREFER_ASYNCHRONOUS,
	},
};

static int __init tpl_init(void)
{
	int err;

	tpl_debugfs_init();
	err = platform_driver_register(&tpl_driver);
	if (err)
		tpl_debugfs_exit();
	return err;
}
module_init(tpl_init);

static void __exit tpl_exit(void)
{
	platform_driver_unregister(&tpl_driver);
	tpl_debugfs_exit();
}
module_exit(tpl_exit);

MODULE_DESCRIPTION("virtio-mmio with synchronisation pages: virtio without traps");
MODULE_LICENSE("GPL");
