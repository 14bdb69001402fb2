// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of a link node: memory, devices and doorbell from the device tree
 *
 * docs/transport.md, section 9. The driver binds at once, however late the backend shows up.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_device.h>
#include <linux/of_platform.h>
#include <linux/of_reserved_mem.h>
#include <linux/pm.h>
#include <linux/slab.h>

#include "trapless_virtio.h"

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
	tpl_events_init(device);
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
	link->client.rx_callback = tpl_link_heard;
	link->client.tx_done = tpl_link_rung;
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
	spin_lock_init(&link->lock);
	spin_lock_init(&link->ring_lock);
	mutex_init(&link->echo_mutex);
	init_completion(&link->echoed);
	init_waitqueue_head(&link->answered);
	tpl_life_init(link);
	tpl_scmi_init(link);
	tpl_poll_init(link);
	return link;
}

static void tpl_close(struct tpl_link *link)
{
	scoped_guard(spinlock_irqsave, &link->lock)
		WRITE_ONCE(link->closing, true);
	cancel_delayed_work_sync(&link->work);
	tpl_balloon_stop(link);
	cancel_work_sync(&link->orphans);
	tpl_beat_stop(link);
}

static int tpl_probe(struct platform_device *pdev)
{
	struct tpl_link *link = tpl_alloc_link(&pdev->dev);
	int err;

	if (IS_ERR(link))
		return PTR_ERR(link);
	link->split = of_property_read_bool(pdev->dev.of_node, "trapless,split-queues");
	err = tpl_find_memory(link);
	if (err)
		return err;
	err = tpl_create_devices(link);
	if (err)
		return err;
	err = tpl_detach_init(link);
	if (err)
		return err;
	err = tpl_balloon_init(link);
	if (err)
		return err;
	link->wq = alloc_ordered_workqueue("trapless-%s", WQ_FREEZABLE, dev_name(&pdev->dev));
	if (!link->wq)
		return -ENOMEM;
	tpl_beat_init(link);
	tpl_life_begin(link);
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
	/*
	 * The drivers' resets are answered through the doorbell: it goes last. It also tells that the
	 * backend has let go of requests which a driver waits for.
	 */
	tpl_life_end(link);
	tpl_balloon_forget(link);
	tpl_poll_set(link, false);
	if (link->chan)
		mbox_free_channel(link->chan);
	cancel_work_sync(&link->orphans);
	destroy_workqueue(link->wq);
}

static void tpl_shutdown(struct platform_device *pdev)
{
	tpl_close(platform_get_drvdata(pdev));
}

/*
 * The devices stay as they are while the system sleeps: their state is the backend's, which goes
 * on, and the rings lie in memory that is kept. Whatever registers and unregisters them is frozen.
 * What happened meanwhile, a doorbell may have failed to tell, in both directions.
 */
static int tpl_resume(struct device *dev)
{
	struct tpl_link *link = dev_get_drvdata(dev);

	tpl_link_look(link, false);
	tpl_link_ring(link);
	return 0;
}

/* The rings in an image of the memory are not those that the backend knows when it is restored. */
static int tpl_freeze(struct device *dev)
{
	dev_err(dev, "cannot hibernate: unload the module before\n");
	return -EOPNOTSUPP;
}

static const struct dev_pm_ops tpl_pm_ops = {
	.resume = tpl_resume,
	.freeze = tpl_freeze,
};

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
		.pm = pm_sleep_ptr(&tpl_pm_ops),
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
