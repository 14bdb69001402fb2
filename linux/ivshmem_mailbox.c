// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mailbox controller for QEMU's ivshmem doorbell (PCI 1af4:1110)
 *
 * One channel per peer: sending rings vector 0 of that peer, no data is carried. The device does
 * not say who rang, so every open channel hears each interrupt. Registers: QEMU
 * docs/specs/ivshmem-spec, "PCI device" (BAR0).
 */
#include <linux/bitmap.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mailbox_controller.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pci.h>

#define IVSHMEM_VENDOR_ID 0x1af4
#define IVSHMEM_DEVICE_ID 0x1110

#define IVSHMEM_BAR 0
#define IVSHMEM_POSITION 0x08
#define IVSHMEM_DOORBELL 0x0c
#define IVSHMEM_PEER_SHIFT 16
#define IVSHMEM_VECTOR 0
#define IVSHMEM_PEERS 64

struct ivshmem_mailbox {
	struct mbox_controller controller;
	struct mbox_chan channels[IVSHMEM_PEERS];
	/* channels with a client; the interrupt may touch no other */
	DECLARE_BITMAP(open, IVSHMEM_PEERS);
	void __iomem *registers;
	int irq;
};

static struct ivshmem_mailbox *to_ivshmem_mailbox(struct mbox_chan *chan)
{
	return container_of(chan->mbox, struct ivshmem_mailbox, controller);
}

static unsigned int ivshmem_mailbox_peer(struct mbox_chan *chan)
{
	return chan - chan->mbox->chans;
}

/* Ring the peer. Called in any context, with the channel's lock held. */
static int ivshmem_mailbox_send_data(struct mbox_chan *chan, void *data)
{
	u32 doorbell = ivshmem_mailbox_peer(chan) << IVSHMEM_PEER_SHIFT | IVSHMEM_VECTOR;

	/*
	 * What the doorbell announces is complete (dsb on Arm) before the peer can be interrupted
	 * for it.
	 */
	wmb();
	writel_relaxed(doorbell, to_ivshmem_mailbox(chan)->registers + IVSHMEM_DOORBELL);
	return 0;
}

static bool ivshmem_mailbox_last_tx_done(struct mbox_chan *chan)
{
	return true;
}

static int ivshmem_mailbox_startup(struct mbox_chan *chan)
{
	/*
	 * The client is there before the interrupt can find the bit; pairs with the address
	 * dependency from the bit to the channel in ivshmem_mailbox_interrupt().
	 */
	smp_mb__before_atomic();
	set_bit(ivshmem_mailbox_peer(chan), to_ivshmem_mailbox(chan)->open);
	return 0;
}

static void ivshmem_mailbox_shutdown(struct mbox_chan *chan)
{
	struct ivshmem_mailbox *mailbox = to_ivshmem_mailbox(chan);

	clear_bit(ivshmem_mailbox_peer(chan), mailbox->open);
	synchronize_irq(mailbox->irq);
}

static const struct mbox_chan_ops ivshmem_mailbox_ops = {
	.send_data = ivshmem_mailbox_send_data,
	.startup = ivshmem_mailbox_startup,
	.shutdown = ivshmem_mailbox_shutdown,
	.last_tx_done = ivshmem_mailbox_last_tx_done,
};

static struct mbox_chan *ivshmem_mailbox_xlate(struct mbox_controller *controller,
					       const struct of_phandle_args *args)
{
	struct ivshmem_mailbox *mailbox =
		container_of(controller, struct ivshmem_mailbox, controller);
	u32 peer, self = readl(mailbox->registers + IVSHMEM_POSITION);

	if (args->args_count != 1)
		return ERR_PTR(-EINVAL);
	peer = args->args[0];
	if (peer >= IVSHMEM_PEERS || peer == self) {
		dev_err(controller->dev,
			"mboxes asks for peer %u; this is peer %u, and there are at most %u\n",
			peer, self, IVSHMEM_PEERS);
		return ERR_PTR(-EINVAL);
	}
	return &mailbox->channels[peer];
}

static irqreturn_t ivshmem_mailbox_interrupt(int irq, void *data)
{
	struct ivshmem_mailbox *mailbox = data;
	unsigned int peer;

	for_each_set_bit(peer, mailbox->open, IVSHMEM_PEERS)
		mbox_chan_received_data(&mailbox->channels[peer], NULL);
	return IRQ_HANDLED;
}

static void ivshmem_mailbox_free_vectors(void *pdev)
{
	pci_free_irq_vectors(pdev);
}

static int ivshmem_mailbox_setup_irq(struct pci_dev *pdev, struct ivshmem_mailbox *mailbox)
{
	int err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX);

	if (err < 0)
		return dev_err_probe(&pdev->dev, err,
				     "no MSI-X vector: the doorbell cannot be heard\n");
	err = devm_add_action_or_reset(&pdev->dev, ivshmem_mailbox_free_vectors, pdev);
	if (err)
		return err;
	mailbox->irq = pci_irq_vector(pdev, IVSHMEM_VECTOR);
	return devm_request_irq(&pdev->dev, mailbox->irq, ivshmem_mailbox_interrupt, 0,
				dev_name(&pdev->dev), mailbox);
}

static int ivshmem_mailbox_setup_registers(struct pci_dev *pdev, struct ivshmem_mailbox *mailbox)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return dev_err_probe(&pdev->dev, err, "cannot enable the PCI function\n");
	mailbox->registers = pcim_iomap(pdev, IVSHMEM_BAR, 0);
	if (!mailbox->registers)
		return dev_err_probe(&pdev->dev, -ENOMEM, "cannot map BAR %d\n", IVSHMEM_BAR);
	pci_set_master(pdev);
	return 0;
}

static int ivshmem_mailbox_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ivshmem_mailbox *mailbox;
	int err;

	/*
	 * An ivshmem function without a node is somebody else's: nothing can refer to it as a
	 * mailbox.
	 */
	if (!of_property_present(pdev->dev.of_node, "#mbox-cells"))
		return -ENODEV;
	mailbox = devm_kzalloc(&pdev->dev, sizeof(*mailbox), GFP_KERNEL);
	if (!mailbox)
		return -ENOMEM;
	mailbox->controller.dev = &pdev->dev;
	mailbox->controller.ops = &ivshmem_mailbox_ops;
	mailbox->controller.chans = mailbox->channels;
	mailbox->controller.num_chans = IVSHMEM_PEERS;
	mailbox->controller.of_xlate = ivshmem_mailbox_xlate;
	/*
	 * A doorbell is rung when the store is made; a client that knows this is spared the polling
	 * timer.
	 */
	mailbox->controller.txdone_poll = true;
	mailbox->controller.txpoll_period = 1;

	err = ivshmem_mailbox_setup_registers(pdev, mailbox);
	if (err)
		return err;
	err = ivshmem_mailbox_setup_irq(pdev, mailbox);
	if (err)
		return err;
	return devm_mbox_controller_register(&pdev->dev, &mailbox->controller);
}

static const struct pci_device_id ivshmem_mailbox_ids[] = {
	{ PCI_DEVICE(IVSHMEM_VENDOR_ID, IVSHMEM_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ivshmem_mailbox_ids);

static struct pci_driver ivshmem_mailbox_driver = {
	.name = "ivshmem-mailbox",
	.id_table = ivshmem_mailbox_ids,
	.probe = ivshmem_mailbox_probe,
};
module_pci_driver(ivshmem_mailbox_driver);

MODULE_DESCRIPTION("Mailbox controller for the ivshmem doorbell");
MODULE_LICENSE("GPL");
