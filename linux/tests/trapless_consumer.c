// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that user space plays: for tests of providers, never for a product
 *
 * Whatever resources the device's node has (linux/tests/trapless,test-consumer.yaml), a file in
 * debugfs uses as a driver would, where Linux has none of its own for that:
 *
 *   trapless-consumer/<device>/clock-<name>/rate     Hz
 *   trapless-consumer/<device>/clock-<name>/parent   name of another clock of the device
 *   trapless-consumer/<device>/clock-<name>/enabled  0 or 1
 *   trapless-consumer/<device>/clock-<name>/duty     percent
 *   trapless-consumer/<device>/reset-<name>          write "reset", "assert" or "deassert"
 *   trapless-consumer/<device>/level                 write a performance level
 *   trapless-consumer/<device>/pins                  write the name of a pin state
 *
 * Its power domain follows the device's power/control in sysfs, by runtime power management.
 */
#include <linux/clk.h>
#include <linux/clk-provider.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pinctrl/consumer.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/pm_runtime.h>
#include <linux/reset.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define WORD_MAX 64

struct consumer {
	struct device *dev;
	struct dentry *debugfs;
	struct pinctrl *pins;
	struct clk_bulk_data *clocks;
	int clock_count;
};

struct consumer_clock {
	struct consumer *consumer;
	struct clk *clk;
	bool enabled;
};

static struct dentry *consumer_root;

/* Copy what was written to a file, without white space around it; returns where it begins. */
static char *consumer_word(const char __user *from, size_t size, char (*to)[WORD_MAX])
{
	if (size >= sizeof(*to))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(*to, from, size))
		return ERR_PTR(-EFAULT);
	(*to)[size] = 0;
	return strim(*to);
}

static int clock_rate_get(void *data, u64 *rate)
{
	struct consumer_clock *clock = data;

	*rate = clk_get_rate(clock->clk);
	return 0;
}

static int clock_rate_set(void *data, u64 rate)
{
	struct consumer_clock *clock = data;

	return clk_set_rate(clock->clk, rate);
}
DEFINE_DEBUGFS_ATTRIBUTE(clock_rate_fops, clock_rate_get, clock_rate_set, "%llu\n");

static int clock_enabled_get(void *data, u64 *enabled)
{
	struct consumer_clock *clock = data;

	*enabled = clock->enabled;
	return 0;
}

static int clock_enabled_set(void *data, u64 enabled)
{
	struct consumer_clock *clock = data;
	int err = 0;

	if (!!enabled == clock->enabled)
		return 0;
	if (enabled)
		err = clk_prepare_enable(clock->clk);
	else
		clk_disable_unprepare(clock->clk);
	if (!err)
		clock->enabled = enabled;
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(clock_enabled_fops, clock_enabled_get, clock_enabled_set, "%llu\n");

static int clock_duty_get(void *data, u64 *percent)
{
	struct consumer_clock *clock = data;

	*percent = clk_get_scaled_duty_cycle(clock->clk, 100);
	return 0;
}

static int clock_duty_set(void *data, u64 percent)
{
	struct consumer_clock *clock = data;

	return clk_set_duty_cycle(clock->clk, percent, 100);
}
DEFINE_DEBUGFS_ATTRIBUTE(clock_duty_fops, clock_duty_get, clock_duty_set, "%llu\n");

static int clock_parent_show(struct seq_file *file, void *unused)
{
	struct consumer_clock *clock = file->private;
	struct clk *parent = clk_get_parent(clock->clk);

	seq_printf(file, "%s\n", parent ? __clk_get_name(parent) : "");
	return 0;
}

static ssize_t clock_parent_write(struct file *file, const char __user *from, size_t size,
				  loff_t *pos)
{
	struct consumer_clock *clock = ((struct seq_file *)file->private_data)->private;
	struct consumer *consumer = clock->consumer;
	char word[WORD_MAX];
	char *name = consumer_word(from, size, &word);
	int i, err;

	if (IS_ERR(name))
		return PTR_ERR(name);
	for (i = 0; i < consumer->clock_count; i++) {
		if (strcmp(consumer->clocks[i].id, name))
			continue;
		err = clk_set_parent(clock->clk, consumer->clocks[i].clk);
		return err ?: size;
	}
	return -ENOENT;
}
DEFINE_SHOW_STORE_ATTRIBUTE(clock_parent);

static int consumer_add_clocks(struct consumer *consumer)
{
	struct consumer_clock *clock;
	struct dentry *dir;
	char name[WORD_MAX];
	int i;

	consumer->clock_count = devm_clk_bulk_get_all(consumer->dev, &consumer->clocks);
	if (consumer->clock_count < 0)
		return consumer->clock_count;
	for (i = 0; i < consumer->clock_count; i++) {
		clock = devm_kzalloc(consumer->dev, sizeof(*clock), GFP_KERNEL);
		if (!clock)
			return -ENOMEM;
		clock->consumer = consumer;
		clock->clk = consumer->clocks[i].clk;
		snprintf(name, sizeof(name), "clock-%s", consumer->clocks[i].id);
		dir = debugfs_create_dir(name, consumer->debugfs);
		debugfs_create_file("rate", 0600, dir, clock, &clock_rate_fops);
		debugfs_create_file("enabled", 0600, dir, clock, &clock_enabled_fops);
		debugfs_create_file("duty", 0600, dir, clock, &clock_duty_fops);
		debugfs_create_file("parent", 0600, dir, clock, &clock_parent_fops);
	}
	return 0;
}

static ssize_t reset_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct reset_control *reset = file->private_data;
	char word[WORD_MAX];
	char *what = consumer_word(from, size, &word);
	int err = -EINVAL;

	if (IS_ERR(what))
		return PTR_ERR(what);
	if (!strcmp(what, "reset"))
		err = reset_control_reset(reset);
	else if (!strcmp(what, "assert"))
		err = reset_control_assert(reset);
	else if (!strcmp(what, "deassert"))
		err = reset_control_deassert(reset);
	return err ?: size;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = reset_write,
	.llseek = noop_llseek,
};

static int consumer_add_resets(struct consumer *consumer)
{
	struct device_node *node = consumer->dev->of_node;
	int count = of_property_count_strings(node, "reset-names");
	struct reset_control *reset;
	const char *name;
	char file[WORD_MAX];
	int i, err;

	for (i = 0; i < count; i++) {
		err = of_property_read_string_index(node, "reset-names", i, &name);
		if (err)
			return err;
		reset = devm_reset_control_get_exclusive(consumer->dev, name);
		if (IS_ERR(reset))
			return PTR_ERR(reset);
		snprintf(file, sizeof(file), "reset-%s", name);
		debugfs_create_file(file, 0200, consumer->debugfs, reset, &reset_fops);
	}
	return 0;
}

static int level_set(void *data, u64 level)
{
	struct consumer *consumer = data;

	return dev_pm_genpd_set_performance_state(consumer->dev, level);
}
DEFINE_DEBUGFS_ATTRIBUTE(level_fops, NULL, level_set, "%llu\n");

static ssize_t pins_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct consumer *consumer = file->private_data;
	char word[WORD_MAX];
	char *name = consumer_word(from, size, &word);
	struct pinctrl_state *state;
	int err;

	if (IS_ERR(name))
		return PTR_ERR(name);
	state = pinctrl_lookup_state(consumer->pins, name);
	if (IS_ERR(state))
		return PTR_ERR(state);
	err = pinctrl_select_state(consumer->pins, state);
	return err ?: size;
}

static const struct file_operations pins_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = pins_write,
	.llseek = noop_llseek,
};

static int consumer_add_pins(struct consumer *consumer)
{
	if (!of_property_present(consumer->dev->of_node, "pinctrl-names"))
		return 0;
	consumer->pins = devm_pinctrl_get(consumer->dev);
	if (IS_ERR(consumer->pins))
		return PTR_ERR(consumer->pins);
	debugfs_create_file("pins", 0200, consumer->debugfs, consumer, &pins_fops);
	return 0;
}

static int consumer_add(struct consumer *consumer)
{
	int err;

	err = consumer_add_clocks(consumer);
	if (err)
		return err;
	err = consumer_add_resets(consumer);
	if (err)
		return err;
	err = consumer_add_pins(consumer);
	if (err)
		return err;
	debugfs_create_file("level", 0200, consumer->debugfs, consumer, &level_fops);
	return devm_pm_runtime_enable(consumer->dev);
}

static int consumer_probe(struct platform_device *pdev)
{
	struct consumer *consumer;
	int err;

	consumer = devm_kzalloc(&pdev->dev, sizeof(*consumer), GFP_KERNEL);
	if (!consumer)
		return -ENOMEM;
	consumer->dev = &pdev->dev;
	consumer->debugfs = debugfs_create_dir(dev_name(&pdev->dev), consumer_root);
	platform_set_drvdata(pdev, consumer);
	err = consumer_add(consumer);
	if (err)
		debugfs_remove_recursive(consumer->debugfs);
	return err;
}

/* A clock that is still enabled stays so: whoever takes the device away has switched it off. */
static void consumer_remove(struct platform_device *pdev)
{
	struct consumer *consumer = platform_get_drvdata(pdev);

	debugfs_remove_recursive(consumer->debugfs);
}

static const struct of_device_id consumer_ids[] = {
	{ .compatible = "trapless,test-consumer" },
	{ }
};
MODULE_DEVICE_TABLE(of, consumer_ids);

static struct platform_driver consumer_driver = {
	.driver = {
		.name = "trapless-consumer",
		.of_match_table = consumer_ids,
	},
	.probe = consumer_probe,
	.remove = consumer_remove,
};

static int __init consumer_init(void)
{
	int err;

	consumer_root = debugfs_create_dir("trapless-consumer", NULL);
	err = platform_driver_register(&consumer_driver);
	if (err)
		debugfs_remove_recursive(consumer_root);
	return err;
}
module_init(consumer_init);

static void __exit consumer_exit(void)
{
	platform_driver_unregister(&consumer_driver);
	debugfs_remove_recursive(consumer_root);
}
module_exit(consumer_exit);

MODULE_DESCRIPTION("A device that user space plays, for tests");
MODULE_LICENSE("GPL");
