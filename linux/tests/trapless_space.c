// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of a virtio device that only has a configuration space, whose bytes are all the same as
 * long as nobody writes to it: for tests. It takes the entropy device, once Linux's driver has let go of it.
 *
 *   heard  "CHANGES VALUE": how often the driver was told of a change, and what it read then
 *   read   write N: read the space N times; then "READS VALUES TORN CARELESS": how many since the
 *          module was inserted, how many of them found another value than the read before, how many
 *          a mixture; and how many mixtures there are if nobody looks at the generation
 *   write  write "OFFSET LENGTH VALUE": write that to the space, in one piece; then its first bytes in
 *          hexadecimal, as the driver reads them
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_ids.h>

#define SPACE 256
#define READS_MAX 100000
#define SHOWN 16

struct space {
	struct virtio_device *vdev;
	struct work_struct work;
	atomic_t changes;
	struct mutex mutex; /* everything below */
	u8 bytes[SPACE];
	u8 value;
	unsigned int reads;
	unsigned int values;
	unsigned int torn;
	unsigned int careless;
};

static bool is_mixture(const struct space *space)
{
	return memchr_inv(space->bytes, space->bytes[0], SPACE);
}

static void read_space(struct space *space)
{
	lockdep_assert_held(&space->mutex);
	space->vdev->config->get(space->vdev, 0, space->bytes, SPACE);
	space->careless += is_mixture(space);
	virtio_cread_bytes(space->vdev, 0, space->bytes, SPACE);
	space->torn += is_mixture(space);
	space->values += space->bytes[0] != space->value;
	space->value = space->bytes[0];
	space->reads++;
}

static void space_work(struct work_struct *work)
{
	struct space *space = container_of(work, struct space, work);

	guard(mutex)(&space->mutex);
	read_space(space);
}

/* Called with interrupts off. */
static void space_changed(struct virtio_device *vdev)
{
	struct space *space = vdev->priv;

	atomic_inc(&space->changes);
	schedule_work(&space->work);
}

static ssize_t heard_show(struct device *dev, struct device_attribute *attribute, char *buf)
{
	struct space *space = dev_to_virtio(dev)->priv;
	int changes = atomic_read(&space->changes);

	flush_work(&space->work);
	guard(mutex)(&space->mutex);
	return sysfs_emit(buf, "%d %u\n", changes, space->value);
}
static DEVICE_ATTR_RO(heard);

static ssize_t read_show(struct device *dev, struct device_attribute *attribute, char *buf)
{
	struct space *space = dev_to_virtio(dev)->priv;

	guard(mutex)(&space->mutex);
	return sysfs_emit(buf, "%u %u %u %u\n", space->reads, space->values, space->torn,
			  space->careless);
}

static ssize_t read_store(struct device *dev, struct device_attribute *attribute, const char *buf,
			  size_t size)
{
	struct space *space = dev_to_virtio(dev)->priv;
	unsigned int count;
	int err = kstrtouint(buf, 0, &count);

	if (err)
		return err;
	if (count > READS_MAX)
		return -EINVAL;
	guard(mutex)(&space->mutex);
	while (count--) {
		read_space(space);
		cond_resched();
	}
	return size;
}
static DEVICE_ATTR_RW(read);

static ssize_t write_show(struct device *dev, struct device_attribute *attribute, char *buf)
{
	u8 bytes[SHOWN];

	virtio_cread_bytes(dev_to_virtio(dev), 0, bytes, SHOWN);
	return sysfs_emit(buf, "%*phN\n", SHOWN, bytes);
}

/* What virtio_cwrite and its kin do, for any length and offset. */
static ssize_t write_store(struct device *dev, struct device_attribute *attribute, const char *buf,
			   size_t size)
{
	struct virtio_device *vdev = dev_to_virtio(dev);
	unsigned int offset, length;
	__le64 bytes;
	u64 value;

	if (sscanf(buf, "%u %u %llx", &offset, &length, &value) != 3)
		return -EINVAL;
	if (length > sizeof(bytes))
		return -EINVAL;
	bytes = cpu_to_le64(value);
	vdev->config->set(vdev, offset, &bytes, length);
	return size;
}
static DEVICE_ATTR_RW(write);

static struct attribute *space_attrs[] = {
	&dev_attr_heard.attr,
	&dev_attr_read.attr,
	&dev_attr_write.attr,
	NULL,
};
ATTRIBUTE_GROUPS(space);

static int space_probe(struct virtio_device *vdev)
{
	struct space *space = kzalloc(sizeof(*space), GFP_KERNEL);

	if (!space)
		return -ENOMEM;
	space->vdev = vdev;
	mutex_init(&space->mutex);
	INIT_WORK(&space->work, space_work);
	vdev->priv = space;
	virtio_device_ready(vdev);
	return 0;
}

static void space_remove(struct virtio_device *vdev)
{
	struct space *space = vdev->priv;

	virtio_reset_device(vdev);
	cancel_work_sync(&space->work);
	kfree(space);
}

static const struct virtio_device_id space_ids[] = {
	{ VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID },
	{ }
};

static struct virtio_driver space_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.dev_groups = space_groups,
	.id_table = space_ids,
	.probe = space_probe,
	.remove = space_remove,
	.config_changed = space_changed,
};
module_virtio_driver(space_driver);

MODULE_DESCRIPTION("Looks at the configuration space of a virtio device, for tests of Trapless");
MODULE_LICENSE("GPL");
