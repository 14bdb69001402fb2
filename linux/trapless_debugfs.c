// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: trapless/<link>/stats, backend, pool and echo, trapless/<link>/<device>/state, waited and shm
 *
 * Writing N to echo times N doorbells that the backend's interrupt handler answers
 * (docs/transport.md, section 8): the floor under every round trip of the link. Reading it gives
 * the latencies of the last series in ns, one per line.
 */
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "trapless_virtio.h"

#define TPL_ECHO_MAX 100000
#define TPL_ECHO_TRIES 100

static struct dentry *tpl_debugfs_root;

/* Called at each interrupt, with the link's lock held. */
void tpl_echo_heard(struct tpl_link *link)
{
	if (!link->echo_value)
		return;
	if (tpl_load_acquire(link->devices[0].page, TPL_DEV_ECHO_REPLY) != link->echo_value)
		return;
	link->echo_value = 0;
	complete(&link->echoed);
}

static u32 tpl_echo_expect(struct tpl_link *link)
{
	struct tpl_device *first = &link->devices[0];
	u32 avoid[] = {
		tpl_load(first->driver, TPL_DRV_ECHO_REQUEST),
		tpl_load(first->page, TPL_DEV_ECHO_REPLY),
	};
	u32 value = tpl_nonce(avoid, ARRAY_SIZE(avoid));

	reinit_completion(&link->echoed);
	scoped_guard(spinlock_irqsave, &link->lock)
		link->echo_value = value;
	return value;
}

/* One echo, rung again while it is missing: a doorbell may be lost. */
static int tpl_echo_once(struct tpl_link *link, u64 *ns)
{
	u32 value = tpl_echo_expect(link);
	unsigned int tries;
	u64 start;

	start = ktime_get_ns();
	tpl_store_release(link->devices[0].driver, TPL_DRV_ECHO_REQUEST, value);
	for (tries = 0; tries < TPL_ECHO_TRIES; tries++) {
		tpl_link_ring(link);
		if (wait_for_completion_timeout(&link->echoed, msecs_to_jiffies(TPL_RERING_MS))) {
			*ns = ktime_get_ns() - start;
			return 0;
		}
	}
	scoped_guard(spinlock_irqsave, &link->lock)
		link->echo_value = 0;
	return -ETIMEDOUT;
}

static int tpl_echo_series(struct tpl_link *link, unsigned int count)
{
	int err = 0;

	kvfree(link->echo_ns);
	link->echo_count = 0;
	link->echo_ns = kvmalloc_array(count, sizeof(*link->echo_ns), GFP_KERNEL);
	if (!link->echo_ns)
		return -ENOMEM;
	while (link->echo_count < count && !err) {
		if (signal_pending(current))
			err = -EINTR;
		else if (READ_ONCE(link->closing))
			err = -ENODEV; /* removing the file waits for us */
		else
			err = tpl_echo_once(link, &link->echo_ns[link->echo_count]);
		link->echo_count += !err;
	}
	return err;
}

static ssize_t tpl_echo_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	struct tpl_link *link = ((struct seq_file *)file->private_data)->private;
	unsigned int count;
	int err;

	err = kstrtouint_from_user(buf, size, 0, &count);
	if (err)
		return err;
	if (!count || count > TPL_ECHO_MAX)
		return -EINVAL;
	if (!(tpl_load(link->devices[0].page, TPL_DEV_CAPABILITIES) & TPL_CAP_ECHO))
		return -EOPNOTSUPP;
	/* Whoever waits for another's series can give up: the backend makes it as long as it likes. */
	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &link->echo_mutex)
		err = tpl_echo_series(link, count);
	return err ?: size;
}

static int tpl_echo_show(struct seq_file *file, void *unused)
{
	struct tpl_link *link = file->private;
	unsigned int i;

	scoped_cond_guard(mutex_intr, return -ERESTARTSYS, &link->echo_mutex)
		for (i = 0; i < link->echo_count; i++)
			seq_printf(file, "%llu\n", link->echo_ns[i]);
	return 0;
}

static int tpl_echo_open(struct inode *inode, struct file *file)
{
	return single_open(file, tpl_echo_show, inode->i_private);
}

static const struct file_operations tpl_echo_fops = {
	.owner = THIS_MODULE,
	.open = tpl_echo_open,
	.read = seq_read,
	.write = tpl_echo_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int tpl_stats_show(struct seq_file *file, void *unused)
{
	struct tpl_link *link = file->private;
	struct tpl_stats stats;

	scoped_guard(spinlock_irqsave, &link->lock) {
		scoped_guard(spinlock, &link->ring_lock)
			stats = link->stats;
	}
	seq_printf(file, "interrupts %llu\n", stats.interrupts);
	seq_printf(file, "doorbells %llu\n", stats.doorbells);
	seq_printf(file, "kicks %llu\n", stats.kicks);
	seq_printf(file, "batches %llu\n", stats.batches);
	seq_printf(file, "waited %llu\n", stats.waited);
	seq_printf(file, "resets %llu\n", stats.resets);
	seq_printf(file, "restarts %llu\n", stats.restarts);
	seq_printf(file, "needs_reset %llu\n", stats.needs_reset);
	seq_printf(file, "broken_queues %llu\n", stats.broken_queues);
	seq_printf(file, "timeouts %llu\n", stats.timeouts);
	seq_printf(file, "silences %llu\n", stats.silences);
	seq_printf(file, "lost_doorbells %llu\n", stats.lost_doorbells);
	seq_printf(file, "recoveries %llu\n", stats.recoveries);
	seq_printf(file, "recovery_ms %u\n", stats.recovery_ms);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tpl_stats);

static int tpl_backend_show(struct seq_file *file, void *unused)
{
	struct tpl_link *link = file->private;

	scoped_guard(spinlock_irqsave, &link->lock) {
		tpl_beat_show(link, file);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tpl_backend);

static int tpl_pool_show(struct seq_file *file, void *unused)
{
	tpl_balloon_show(file->private, file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tpl_pool);

static const char *tpl_state_name(struct tpl_device *device)
{
	switch (device->state) {
	case TPL_ABSENT:
		return "absent";
	case TPL_POSTED:
		return "posted";
	case TPL_UP:
		/* In the middle of a restart that nobody has rung for yet. */
		if (tpl_load(device->page, TPL_DEV_BE_EPOCH) != device->epoch)
			return "gone";
		return device->registered ? "up" : "registering";
	case TPL_REFUSED:
		return "refused";
	}
	return "unknown";
}

static int tpl_state_show(struct seq_file *file, void *unused)
{
	struct tpl_device *device = file->private;

	scoped_guard(spinlock_irqsave, &device->link->lock) {
		seq_printf(file, "%s\n", tpl_state_name(device));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tpl_state);

static int tpl_waited_show(struct seq_file *file, void *unused)
{
	struct tpl_device *device = file->private;

	seq_printf(file, "%u\n", READ_ONCE(device->waited_to_driver_ok));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tpl_waited);

/* Shared-memory regions: id, address, length. */
static int tpl_shm_show(struct seq_file *file, void *unused)
{
	struct virtio_shm_region region;
	u8 id;

	for (id = 0; id < TPL_SHM_MAX; id++)
		if (tpl_device_shm(file->private, &region, id))
			seq_printf(file, "%u 0x%llx 0x%llx\n", id, region.addr, region.len);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tpl_shm);

void tpl_debugfs_add(struct tpl_link *link)
{
	struct tpl_device *device;

	link->debugfs = debugfs_create_dir(dev_name(link->dev), tpl_debugfs_root);
	debugfs_create_file("echo", 0600, link->debugfs, link, &tpl_echo_fops);
	debugfs_create_file("stats", 0400, link->debugfs, link, &tpl_stats_fops);
	debugfs_create_file("backend", 0400, link->debugfs, link, &tpl_backend_fops);
	debugfs_create_file("pool", 0400, link->debugfs, link, &tpl_pool_fops);
	for (device = tpl_first(link); device; device = tpl_next(device)) {
		struct dentry *dir =
			debugfs_create_dir(dev_name(&device->pdev->dev), link->debugfs);

		debugfs_create_file("state", 0400, dir, device, &tpl_state_fops);
		debugfs_create_file("shm", 0400, dir, device, &tpl_shm_fops);
		debugfs_create_file("waited", 0400, dir, device, &tpl_waited_fops);
	}
}

void tpl_debugfs_remove(struct tpl_link *link)
{
	debugfs_remove_recursive(link->debugfs);
	kvfree(link->echo_ns);
}

void tpl_debugfs_init(void)
{
	tpl_debugfs_root = debugfs_create_dir("trapless", NULL);
}

void tpl_debugfs_exit(void)
{
	debugfs_remove_recursive(tpl_debugfs_root);
}
