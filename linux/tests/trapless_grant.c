// SPDX-License-Identifier: GPL-2.0-only
/*
 * One page that Linux grants to another domain of Xen: what a frontend would do for a backend that
 * maps the link by itself. Everything is a module parameter: domid says to whom; ref and frame tell
 * how the page is called; text is what stands in it, readable and writable.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xen.h>

static ushort domid;
module_param(domid, ushort, 0444);
MODULE_PARM_DESC(domid, "the domain that the page is granted to");

static int ref = -1;
module_param(ref, int, 0444);
MODULE_PARM_DESC(ref, "the grant reference");

static ulong frame;
module_param(frame, ulong, 0444);
MODULE_PARM_DESC(frame, "the page's guest frame number");

static char *page;

static int trapless_grant_get_text(char *buffer, const struct kernel_param *param)
{
	return page ? sysfs_emit(buffer, "%.1024s\n", page) : -ENODEV;
}

static int trapless_grant_set_text(const char *text, const struct kernel_param *param)
{
	if (!page)
		return -ENODEV;
	strscpy(page, text, PAGE_SIZE);
	return 0;
}

static const struct kernel_param_ops trapless_grant_text_ops = {
	.get = trapless_grant_get_text,
	.set = trapless_grant_set_text,
};
module_param_cb(text, &trapless_grant_text_ops, NULL, 0644);
MODULE_PARM_DESC(text, "the page's content");

static int __init trapless_grant_init(void)
{
	if (!xen_domain())
		return -ENODEV;
	page = (char *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	frame = virt_to_gfn(page);
	ref = gnttab_grant_foreign_access(domid, frame, 0);
	if (ref < 0) {
		free_page((unsigned long)page);
		return ref;
	}
	return 0;
}
module_init(trapless_grant_init);

/* Freed as soon as the other domain has unmapped it. */
static void __exit trapless_grant_exit(void)
{
	gnttab_end_foreign_access(ref, virt_to_page(page));
}
module_exit(trapless_grant_exit);

MODULE_DESCRIPTION("A page granted to another domain of Xen, for tests");
MODULE_LICENSE("GPL");
