// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mailbox controller for static event channels of Xen
 *
 * One channel per local port: sending notifies the domain at the other end, no data is carried. The
 * ports exist when the domain starts, are known from the device tree only, and are never closed.
 * Xen, docs/misc/arm/device-tree/booting.txt, "Static Event Channel"; public/event_channel.h.
 */
#include <linux/interrupt.h>
#include <linux/mailbox_controller.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include <xen/events.h>
#include <xen/xen.h>

#define XEN_EVTCHN_MAILBOX_PORTS 128
#define XEN_EVTCHN_MAILBOX_NO_IRQ -1

struct xen_evtchn_mailbox {
	struct mbox_controller controller;
	struct mbox_chan channels[XEN_EVTCHN_MAILBOX_PORTS];
	/* of the open channels; 0 is an interrupt like any other */
	int irqs[XEN_EVTCHN_MAILBOX_PORTS];
};

static struct xen_evtchn_mailbox *to_xen_evtchn_mailbox(struct mbox_chan *chan)
{
	return container_of(chan->mbox, struct xen_evtchn_mailbox, controller);
}

static unsigned int xen_evtchn_mailbox_port(struct mbox_chan *chan)
{
	return chan - chan->mbox->chans;
}

/* Notify the other domain. Called in any context, with the channel's lock held. */
static int xen_evtchn_mailbox_send_data(struct mbox_chan *chan, void *data)
{
	/*
	 * What the doorbell announces is complete (dsb on Arm) before the other domain can be
	 * interrupted for it.
	 */
	wmb();
	notify_remote_via_evtchn(xen_evtchn_mailbox_port(chan));
	return 0;
}

static bool xen_evtchn_mailbox_last_tx_done(struct mbox_chan *chan)
{
	return true;
}

static irqreturn_t xen_evtchn_mailbox_interrupt(int irq, void *data)
{
	mbox_chan_received_data(data, NULL);
	return IRQ_HANDLED;
}

static int xen_evtchn_mailbox_startup(struct mbox_chan *chan)
{
	struct xen_evtchn_mailbox *mailbox = to_xen_evtchn_mailbox(chan);
	unsigned int port = xen_evtchn_mailbox_port(chan);
	int irq, err;

	irq = bind_evtchn_to_irqhandler(port, xen_evtchn_mailbox_interrupt, 0,
					dev_name(mailbox->controller.dev), chan);
	if (irq < 0) {
		dev_err(mailbox->controller.dev, "cannot listen to event channel %u: %d\n",
			port, irq);
		return irq;
	}
	/*
	 * A counted port stays open when its last user has gone. Xen would not give it a second
	 * time.
	 */
	err = evtchn_make_refcounted(port, true);
	if (err)
		dev_warn(mailbox->controller.dev, "event channel %u will not open again: %d\n",
			 port, err);
	mailbox->irqs[port] = irq;
	return 0;
}

static void xen_evtchn_mailbox_shutdown(struct mbox_chan *chan)
{
	struct xen_evtchn_mailbox *mailbox = to_xen_evtchn_mailbox(chan);
	unsigned int port = xen_evtchn_mailbox_port(chan);

	if (mailbox->irqs[port] == XEN_EVTCHN_MAILBOX_NO_IRQ)
		return;
	unbind_from_irqhandler(mailbox->irqs[port], chan);
	mailbox->irqs[port] = XEN_EVTCHN_MAILBOX_NO_IRQ;
}

static const struct mbox_chan_ops xen_evtchn_mailbox_ops = {
	.send_data = xen_evtchn_mailbox_send_data,
	.startup = xen_evtchn_mailbox_startup,
	.shutdown = xen_evtchn_mailbox_shutdown,
	.last_tx_done = xen_evtchn_mailbox_last_tx_done,
};

static struct mbox_chan *xen_evtchn_mailbox_xlate(struct mbox_controller *controller,
						  const struct of_phandle_args *args)
{
	struct xen_evtchn_mailbox *mailbox =
		container_of(controller, struct xen_evtchn_mailbox, controller);

	if (args->args_count != 1)
		return ERR_PTR(-EINVAL);
	if (!args->args[0] || args->args[0] >= XEN_EVTCHN_MAILBOX_PORTS) {
		dev_err(controller->dev, "mboxes asks for port %u; there are 1 to %u\n",
			args->args[0], XEN_EVTCHN_MAILBOX_PORTS - 1);
		return ERR_PTR(-EINVAL);
	}
	return &mailbox->channels[args->args[0]];
}

static int xen_evtchn_mailbox_probe(struct platform_device *pdev)
{
	struct xen_evtchn_mailbox *mailbox;
	unsigned int port;

	if (!xen_domain())
		return dev_err_probe(&pdev->dev, -ENODEV, "this is no guest of Xen\n");
	mailbox = devm_kzalloc(&pdev->dev, sizeof(*mailbox), GFP_KERNEL);
	if (!mailbox)
		return -ENOMEM;
	for (port = 0; port < XEN_EVTCHN_MAILBOX_PORTS; ++port)
		mailbox->irqs[port] = XEN_EVTCHN_MAILBOX_NO_IRQ;
	mailbox->controller.dev = &pdev->dev;
	mailbox->controller.ops = &xen_evtchn_mailbox_ops;
	mailbox->controller.chans = mailbox->channels;
	mailbox->controller.num_chans = XEN_EVTCHN_MAILBOX_PORTS;
	mailbox->controller.of_xlate = xen_evtchn_mailbox_xlate;
	/*
	 * A doorbell is rung when the call is made; a client that knows this is spared the polling
	 * timer.
	 */
	mailbox->controller.txdone_poll = true;
	mailbox->controller.txpoll_period = 1;
	return devm_mbox_controller_register(&pdev->dev, &mailbox->controller);
}

static const struct of_device_id xen_evtchn_mailbox_ids[] = {
	{ .compatible = "trapless,xen-evtchn-mailbox" },
	{ }
};
MODULE_DEVICE_TABLE(of, xen_evtchn_mailbox_ids);

static struct platform_driver xen_evtchn_mailbox_driver = {
	.probe = xen_evtchn_mailbox_probe,
	.driver = {
		.name = "xen-evtchn-mailbox",
		.of_match_table = xen_evtchn_mailbox_ids,
	},
};
module_platform_driver(xen_evtchn_mailbox_driver);

MODULE_DESCRIPTION("Mailbox controller for static event channels of Xen");
MODULE_LICENSE("GPL");
