// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of the entropy device that resets and resizes its queue, which no driver in Linux's tree
 * does on this transport: for tests. It takes the device once Linux's own driver has let go of it.
 *
 *   fill    write N: give the device N buffers, each of which it fills once
 *   resize  write N: give the queue N descriptors; fails as virtqueue_resize() does
 *   reset   write anything: virtqueue_reset()
 *   counts  "SIZE OUT RETURNED RECYCLED RESETS WAITING WRONG": descriptors of the queue; buffers that
 *           are with the device; those that came back filled and those that a reset gave back, so
 *           far; resets so far that succeeded; whether one waits; and what must not be: buffers that
 *           came back though they were not out, or not filled, and callbacks in the middle of a reset
 *
 * The parameter `early` resizes the queue before DRIVER_OK, and goes on with it as it is if that
 * fails; with `twice` the queue is then deleted, and there once more before DRIVER_OK. While `paused`
 * is set, a reset waits with the first buffer that it takes back. While `unwilling` is not 0, it takes
 * no device: its probe fails, with 2 after a reset of the device.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>

#define BUFFERS 64
#define BUFFER_SIZE 32

/* No reset waits for longer, whatever a test does. */
#define PAUSE_MAX_MS 60000
#define PAUSE_LOOK_US 1000

static unsigned int early;
module_param(early, uint, 0);
MODULE_PARM_DESC(early, "descriptors that the queue is given before DRIVER_OK; 0: all");

static bool twice;
module_param(twice, bool, 0);
MODULE_PARM_DESC(twice, "the queue is deleted before DRIVER_OK, and asked for again");

static bool paused;
module_param(paused, bool, 0644);
MODULE_PARM_DESC(paused, "resets wait");

static int unwilling;
module_param(unwilling, int, 0644);
MODULE_PARM_DESC(unwilling, "probing fails, when the queue is there: 1 as it is, 2 after a reset");

struct buffer {
	u8 bytes[BUFFER_SIZE];
	bool out;
};

struct resizer {
	struct virtqueue *vq;
	struct mutex mutex; /* what puts into the queue, or resets it */
	spinlock_t lock; /* the queue, but while it is being reset; everything below */
	struct buffer *buffers; /* BUFFERS of them */
	bool resetting;
	bool waiting;
	unsigned int out;
	unsigned int returned;
	unsigned int recycled;
	unsigned int resets;
	unsigned int wrong;
};

/* A buffer is the driver's again; returns whether it was away. */
static bool take_back(struct resizer *resizer, struct buffer *buffer)
{
	lockdep_assert_held(&resizer->lock);
	if (!buffer->out) {
		resizer->wrong++;
		return false;
	}
	buffer->out = false;
	resizer->out--;
	return true;
}

static void take_returned(struct resizer *resizer, struct virtqueue *vq)
{
	struct buffer *buffer;
	unsigned int length;

	resizer->wrong += resizer->resetting;
	while ((buffer = virtqueue_get_buf(vq, &length))) {
		if (!take_back(resizer, buffer))
			continue;
		resizer->returned++;
		resizer->wrong += length != BUFFER_SIZE || !memchr_inv(buffer->bytes, 0, length);
	}
}

/* Called with interrupts off. */
static void resizer_callback(struct virtqueue *vq)
{
	struct resizer *resizer = vq->vdev->priv;

	scoped_guard(spinlock_irqsave, &resizer->lock)
		take_returned(resizer, vq);
}

static void set_waiting(struct resizer *resizer, bool waiting)
{
	scoped_guard(spinlock_irqsave, &resizer->lock)
		resizer->waiting = waiting;
}

static void resizer_recycle(struct virtqueue *vq, void *data)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(PAUSE_MAX_MS);
	struct resizer *resizer = vq->vdev->priv;

	scoped_guard(spinlock_irqsave, &resizer->lock) {
		resizer->resetting = true;
		resizer->recycled += take_back(resizer, data);
	}
	set_waiting(resizer, true);
	while (READ_ONCE(paused) && time_before(jiffies, deadline))
		fsleep(PAUSE_LOOK_US);
	set_waiting(resizer, false);
}

static void resizer_recycled(struct virtqueue *vq)
{
	struct resizer *resizer = vq->vdev->priv;

	scoped_guard(spinlock_irqsave, &resizer->lock)
		resizer->resetting = true;
}

/* size 0: the same size */
static int reset_queue(struct resizer *resizer, u32 size)
{
	int err;

	lockdep_assert_held(&resizer->mutex);
	if (size)
		err = virtqueue_resize(resizer->vq, size, resizer_recycle, resizer_recycled);
	else
		err = virtqueue_reset(resizer->vq, resizer_recycle, resizer_recycled);
	scoped_guard(spinlock_irqsave, &resizer->lock) {
		resizer->resetting = false;
		resizer->resets += !err;
	}
	return err;
}

static int give_one(struct resizer *resizer)
{
	struct buffer *buffer = resizer->buffers;
	struct scatterlist sg;
	int err;

	lockdep_assert_held(&resizer->lock);
	while (buffer < resizer->buffers + BUFFERS && buffer->out)
		buffer++;
	if (buffer == resizer->buffers + BUFFERS)
		return -ENOSPC;
	memset(buffer->bytes, 0, BUFFER_SIZE);
	sg_init_one(&sg, buffer->bytes, BUFFER_SIZE);
	err = virtqueue_add_inbuf(resizer->vq, &sg, 1, buffer, GFP_ATOMIC);
	if (err)
		return err;
	buffer->out = true;
	resizer->out++;
	return 0;
}

static int fill(struct resizer *resizer, unsigned int count)
{
	int err = 0;

	guard(mutex)(&resizer->mutex);
	scoped_guard(spinlock_irqsave, &resizer->lock) {
		while (count-- && !err)
			err = give_one(resizer);
		virtqueue_kick(resizer->vq);
	}
	return err;
}

static ssize_t fill_store(struct device *dev, struct device_attribute *attribute, const char *buf,
			  size_t size)
{
	unsigned int count;
	int err = kstrtouint(buf, 0, &count);

	if (!err)
		err = fill(dev_to_virtio(dev)->priv, count);
	return err ?: size;
}
static DEVICE_ATTR_WO(fill);

static ssize_t resize_store(struct device *dev, struct device_attribute *attribute, const char *buf,
			    size_t size)
{
	struct resizer *resizer = dev_to_virtio(dev)->priv;
	unsigned int count;
	int err = kstrtouint(buf, 0, &count);

	if (err)
		return err;
	if (!count)
		return -EINVAL;
	guard(mutex)(&resizer->mutex);
	return reset_queue(resizer, count) ?: size;
}
static DEVICE_ATTR_WO(resize);

static ssize_t reset_store(struct device *dev, struct device_attribute *attribute, const char *buf,
			   size_t size)
{
	struct resizer *resizer = dev_to_virtio(dev)->priv;

	guard(mutex)(&resizer->mutex);
	return reset_queue(resizer, 0) ?: size;
}
static DEVICE_ATTR_WO(reset);

static ssize_t counts_show(struct device *dev, struct device_attribute *attribute, char *buf)
{
	struct resizer *resizer = dev_to_virtio(dev)->priv;

	int length;

	scoped_guard(spinlock_irqsave, &resizer->lock)
		length = sysfs_emit(buf, "%u %u %u %u %u %u %u\n",
				    virtqueue_get_vring_size(resizer->vq), resizer->out,
				    resizer->returned, resizer->recycled, resizer->resets,
				    resizer->waiting, resizer->wrong);
	return length;
}
static DEVICE_ATTR_RO(counts);

static struct attribute *resizer_attrs[] = {
	&dev_attr_counts.attr,
	&dev_attr_fill.attr,
	&dev_attr_reset.attr,
	&dev_attr_resize.attr,
	NULL,
};
ATTRIBUTE_GROUPS(resizer);

/* The device has been reset, or is broken: what it still has comes back. */
static void resizer_free(struct virtio_device *vdev)
{
	struct resizer *resizer = vdev->priv;

	while (virtqueue_detach_unused_buf(resizer->vq))
		;
	vdev->config->del_vqs(vdev);
	kfree(resizer->buffers);
	kfree(resizer);
}

static void resizer_begin(struct resizer *resizer)
{
	guard(mutex)(&resizer->mutex);
	if (early)
		reset_queue(resizer, early);
}

static int resizer_find(struct virtio_device *vdev, struct resizer *resizer)
{
	resizer->vq = virtio_find_single_vq(vdev, resizer_callback, "resized");
	if (IS_ERR(resizer->vq))
		return PTR_ERR(resizer->vq);
	resizer_begin(resizer);
	return 0;
}

static int resizer_probe(struct virtio_device *vdev)
{
	struct resizer *resizer = kzalloc(sizeof(*resizer), GFP_KERNEL);
	int err = -ENOMEM;

	if (!resizer)
		return err;
	mutex_init(&resizer->mutex);
	spin_lock_init(&resizer->lock);
	vdev->priv = resizer;
	resizer->buffers = kcalloc(BUFFERS, sizeof(*resizer->buffers), GFP_KERNEL);
	if (!resizer->buffers)
		goto free;
	err = resizer_find(vdev, resizer);
	if (!err && twice) {
		vdev->config->del_vqs(vdev);
		err = resizer_find(vdev, resizer);
	}
	if (err)
		goto free;
	if (unwilling) {
		if (unwilling == 2)
			virtio_reset_device(vdev);
		resizer_free(vdev);
		return -EBUSY;
	}
	virtio_device_ready(vdev);
	return 0;

free:
	kfree(resizer->buffers);
	kfree(resizer);
	return err;
}

static void resizer_remove(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	resizer_free(vdev);
}

static const struct virtio_device_id resizer_ids[] = {
	{ VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID },
	{ }
};

static struct virtio_driver resizer_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.dev_groups = resizer_groups,
	.id_table = resizer_ids,
	.probe = resizer_probe,
	.remove = resizer_remove,
};
module_virtio_driver(resizer_driver);

MODULE_DESCRIPTION("Resets and resizes the queue of a virtio device, for tests of Trapless");
MODULE_LICENSE("GPL");
