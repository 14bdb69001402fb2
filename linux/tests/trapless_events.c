// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCMI notifications as Linux takes them apart, for user space to read: for tests
 *
 *   trapless-events/subscribe    write "PROTOCOL EVENT [SOURCE]", all sources without one
 *   trapless-events/unsubscribe  the same
 *   trapless-events/trip         write "SENSOR TRIP VALUE": arm a trip point in both directions
 *   trapless-events/threshold    write "DOMAIN LOW HIGH": power that is worth a notification
 *   trapless-events/log          "PROTOCOL EVENT AGENT ..." for each notification, the fields in
 *                                the order of its report in <linux/scmi_protocol.h>; any write
 *                                empties it
 *
 * Most of these events have no user in Linux, or none that user space sees.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/scmi_protocol.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define LINE_MAX 80
#define LOG_MAX 512
#define WORDS_MAX 16
#define ALL_SOURCES U32_MAX

struct subscription {
	struct list_head node;
	struct notifier_block notifier;
	u8 protocol;
	u8 event;
	u32 source;
};

struct entry {
	u8 protocol;
	u8 event;
	unsigned int count;
	u64 words[WORDS_MAX];
};

static DEFINE_MUTEX(subscriptions_mutex);
static LIST_HEAD(subscriptions);
static DEFINE_MUTEX(entries_mutex);
static struct entry *entries;
static unsigned int entry_count;
static const struct scmi_handle *events_handle;
static const struct scmi_sensor_proto_ops *sensor_ops;
static struct scmi_protocol_handle *sensor_handle;
static const struct scmi_powercap_proto_ops *powercap_ops;
static struct scmi_protocol_handle *powercap_handle;
static struct dentry *events_debugfs;

static void put(struct entry *entry, u64 word)
{
	if (entry->count < WORDS_MAX)
		entry->words[entry->count++] = word;
}

static void put_readings(struct entry *entry, const struct scmi_sensor_update_report *report)
{
	unsigned int i;

	put(entry, report->agent_id);
	put(entry, report->sensor_id);
	for (i = 0; i < report->readings_count; i++) {
		put(entry, report->readings[i].value);
		put(entry, report->readings[i].timestamp);
	}
}

static void put_errors(struct entry *entry, const struct scmi_base_error_report *report)
{
	unsigned int i;

	put(entry, report->agent_id);
	put(entry, report->fatal);
	for (i = 0; i < report->cmd_count; i++)
		put(entry, report->reports[i]);
}

static void put_limits(struct entry *entry, const struct scmi_perf_limits_report *report)
{
	put(entry, report->agent_id);
	put(entry, report->domain_id);
	put(entry, report->range_max);
	put(entry, report->range_min);
	put(entry, report->range_max_freq);
	put(entry, report->range_min_freq);
}

static void put_level(struct entry *entry, const struct scmi_perf_level_report *report)
{
	put(entry, report->agent_id);
	put(entry, report->domain_id);
	put(entry, report->performance_level);
	put(entry, report->performance_level_freq);
}

static void put_rate(struct entry *entry, const struct scmi_clock_rate_notif_report *report)
{
	put(entry, report->agent_id);
	put(entry, report->clock_id);
	put(entry, report->rate);
}

static void put_cap(struct entry *entry, const struct scmi_powercap_cap_changed_report *report)
{
	put(entry, report->agent_id);
	put(entry, report->domain_id);
	put(entry, report->power_cap);
	put(entry, report->pai);
}

/* Power states, trip points, resets and powers have reports of one shape. */
static void put_three(struct entry *entry, const struct scmi_power_state_changed_report *report)
{
	static_assert(sizeof(struct scmi_power_state_changed_report) ==
		      sizeof(struct scmi_sensor_trip_point_report));
	static_assert(sizeof(struct scmi_power_state_changed_report) ==
		      sizeof(struct scmi_reset_issued_report));
	static_assert(sizeof(struct scmi_power_state_changed_report) ==
		      sizeof(struct scmi_powercap_meas_changed_report));
	put(entry, report->agent_id);
	put(entry, report->domain_id);
	put(entry, report->power_state);
}

static void put_report(struct entry *entry, const void *report)
{
	switch (entry->protocol << 8 | entry->event) {
	case SCMI_PROTOCOL_BASE << 8 | SCMI_EVENT_BASE_ERROR_EVENT:
		return put_errors(entry, report);
	case SCMI_PROTOCOL_PERF << 8 | SCMI_EVENT_PERFORMANCE_LIMITS_CHANGED:
		return put_limits(entry, report);
	case SCMI_PROTOCOL_PERF << 8 | SCMI_EVENT_PERFORMANCE_LEVEL_CHANGED:
		return put_level(entry, report);
	case SCMI_PROTOCOL_CLOCK << 8 | SCMI_EVENT_CLOCK_RATE_CHANGED:
	case SCMI_PROTOCOL_CLOCK << 8 | SCMI_EVENT_CLOCK_RATE_CHANGE_REQUESTED:
		return put_rate(entry, report);
	case SCMI_PROTOCOL_SENSOR << 8 | SCMI_EVENT_SENSOR_UPDATE:
		return put_readings(entry, report);
	case SCMI_PROTOCOL_POWERCAP << 8 | SCMI_EVENT_POWERCAP_CAP_CHANGED:
		return put_cap(entry, report);
	case SCMI_PROTOCOL_POWER << 8 | SCMI_EVENT_POWER_STATE_CHANGED:
	case SCMI_PROTOCOL_SENSOR << 8 | SCMI_EVENT_SENSOR_TRIP_POINT_EVENT:
	case SCMI_PROTOCOL_RESET << 8 | SCMI_EVENT_RESET_ISSUED:
	case SCMI_PROTOCOL_POWERCAP << 8 | SCMI_EVENT_POWERCAP_MEASUREMENTS_CHANGED:
		return put_three(entry, report);
	}
}

static int events_heard(struct notifier_block *notifier, unsigned long event, void *report)
{
	struct subscription *heard = container_of(notifier, struct subscription, notifier);
	struct entry *entry;

	guard(mutex)(&entries_mutex);
	if (entry_count == LOG_MAX)
		return NOTIFY_DONE;
	entry = &entries[entry_count++];
	*entry = (struct entry){ .protocol = heard->protocol, .event = event };
	put_report(entry, report);
	return NOTIFY_OK;
}

static u32 *events_source(struct subscription *subscription)
{
	return subscription->source == ALL_SOURCES ? NULL : &subscription->source;
}

/* Called with the list's mutex; waits for callbacks that run. */
static int events_forget(struct subscription *known)
{
	const struct scmi_notify_ops *ops = events_handle->notify_ops;
	int err;

	err = ops->event_notifier_unregister(events_handle, known->protocol, known->event,
					     events_source(known), &known->notifier);
	list_del(&known->node);
	kfree(known);
	return err;
}

static int events_subscribe(u8 protocol, u8 event, u32 source)
{
	const struct scmi_notify_ops *ops = events_handle->notify_ops;
	struct subscription *wanted = kzalloc(sizeof(*wanted), GFP_KERNEL);
	int err;

	if (!wanted)
		return -ENOMEM;
	wanted->protocol = protocol;
	wanted->event = event;
	wanted->source = source;
	wanted->notifier.notifier_call = events_heard;
	err = ops->event_notifier_register(events_handle, protocol, event, events_source(wanted),
					   &wanted->notifier);
	if (err)
		kfree(wanted);
	else
		list_add(&wanted->node, &subscriptions);
	return err;
}

static int events_unsubscribe(u8 protocol, u8 event, u32 source)
{
	struct subscription *known;

	list_for_each_entry(known, &subscriptions, node)
		if (known->protocol == protocol && known->event == event && known->source == source)
			return events_forget(known);
	return -ENOENT;
}

/* Read up to three numbers of a line; returns how many there are. */
static int events_numbers(const char __user *from, size_t size, s64 *numbers)
{
	char line[LINE_MAX];
	int count;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = 0;
	count = sscanf(line, "%lli %lli %lli", &numbers[0], &numbers[1], &numbers[2]);
	return count;
}

static ssize_t subscribe_write(struct file *file, const char __user *from, size_t size,
			       loff_t *pos)
{
	int (*act)(u8 protocol, u8 event, u32 source) = file->private_data;
	s64 numbers[3] = { 0, 0, ALL_SOURCES };
	int count = events_numbers(from, size, numbers);
	int err;

	if (count < 2)
		return count < 0 ? count : -EINVAL;
	guard(mutex)(&subscriptions_mutex);
	err = events_handle ? act(numbers[0], numbers[1], numbers[2]) : -ENODEV;
	return err ?: size;
}

static const struct file_operations subscribe_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = subscribe_write,
	.llseek = noop_llseek,
};

static ssize_t trip_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	s64 numbers[3];
	int err;

	if (events_numbers(from, size, numbers) != 3)
		return -EINVAL;
	if (!sensor_ops)
		return -ENODEV;
	err = sensor_ops->trip_point_config(sensor_handle, numbers[0], numbers[1], numbers[2]);
	return err ?: size;
}

static const struct file_operations trip_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = trip_write,
	.llseek = noop_llseek,
};

static ssize_t threshold_write(struct file *file, const char __user *from, size_t size,
			       loff_t *pos)
{
	s64 numbers[3];
	int err;

	if (events_numbers(from, size, numbers) != 3)
		return -EINVAL;
	if (!powercap_ops)
		return -ENODEV;
	err = powercap_ops->measurements_threshold_set(powercap_handle, numbers[0], numbers[1],
						       numbers[2]);
	return err ?: size;
}

static const struct file_operations threshold_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = threshold_write,
	.llseek = noop_llseek,
};

static int log_show(struct seq_file *file, void *unused)
{
	unsigned int i, word;

	guard(mutex)(&entries_mutex);
	for (i = 0; i < entry_count; i++) {
		seq_printf(file, "%#x %u", entries[i].protocol, entries[i].event);
		for (word = 0; word < entries[i].count; word++)
			seq_printf(file, " %lld", entries[i].words[word]);
		seq_puts(file, "\n");
	}
	return 0;
}

static ssize_t log_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	guard(mutex)(&entries_mutex);
	entry_count = 0;
	return size;
}
DEFINE_SHOW_STORE_ATTRIBUTE(log);

static int events_probe(struct scmi_device *sdev)
{
	const void *ops;

	events_handle = sdev->handle;
	if (sdev->protocol_id == SCMI_PROTOCOL_SENSOR) {
		ops = sdev->handle->devm_protocol_get(sdev, sdev->protocol_id, &sensor_handle);
		if (IS_ERR(ops))
			return PTR_ERR(ops);
		sensor_ops = ops;
	} else if (sdev->protocol_id == SCMI_PROTOCOL_POWERCAP) {
		ops = sdev->handle->devm_protocol_get(sdev, sdev->protocol_id, &powercap_handle);
		if (IS_ERR(ops))
			return PTR_ERR(ops);
		powercap_ops = ops;
	}
	return 0;
}

/* The instance goes, with the first of its devices: it must not be asked any more. */
static void events_remove(struct scmi_device *sdev)
{
	struct subscription *known, *next;

	guard(mutex)(&subscriptions_mutex);
	if (sdev->handle != events_handle)
		return;
	list_for_each_entry_safe(known, next, &subscriptions, node)
		events_forget(known);
	sensor_ops = NULL;
	powercap_ops = NULL;
	events_handle = NULL;
}

static const struct scmi_device_id events_ids[] = {
	{ SCMI_PROTOCOL_POWER, "trapless-events" },
	{ SCMI_PROTOCOL_PERF, "trapless-events" },
	{ SCMI_PROTOCOL_CLOCK, "trapless-events" },
	{ SCMI_PROTOCOL_SENSOR, "trapless-events" },
	{ SCMI_PROTOCOL_RESET, "trapless-events" },
	{ SCMI_PROTOCOL_VOLTAGE, "trapless-events" },
	{ SCMI_PROTOCOL_POWERCAP, "trapless-events" },
	{ }
};
MODULE_DEVICE_TABLE(scmi, events_ids);

static struct scmi_driver events_driver = {
	.name = "trapless-events",
	.probe = events_probe,
	.remove = events_remove,
	.id_table = events_ids,
};

static void events_add_files(void)
{
	events_debugfs = debugfs_create_dir("trapless-events", NULL);
	debugfs_create_file("subscribe", 0200, events_debugfs, events_subscribe, &subscribe_fops);
	debugfs_create_file("unsubscribe", 0200, events_debugfs, events_unsubscribe,
			    &subscribe_fops);
	debugfs_create_file("trip", 0200, events_debugfs, NULL, &trip_fops);
	debugfs_create_file("threshold", 0200, events_debugfs, NULL, &threshold_fops);
	debugfs_create_file("log", 0600, events_debugfs, NULL, &log_fops);
}

static int __init events_init(void)
{
	int err;

	entries = kvcalloc(LOG_MAX, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	err = scmi_register(&events_driver);
	if (err)
		kvfree(entries);
	else
		events_add_files();
	return err;
}
module_init(events_init);

static void __exit events_exit(void)
{
	debugfs_remove_recursive(events_debugfs);
	scmi_unregister(&events_driver);
	kvfree(entries);
}
module_exit(events_exit);

MODULE_DESCRIPTION("SCMI notifications for user space to read, for tests");
MODULE_LICENSE("GPL");
