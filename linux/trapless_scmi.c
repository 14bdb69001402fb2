// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux's virtio-scmi driver needs from the transport, so that it comes back by itself
 */
#include <linux/device.h>
#include <linux/rcupdate.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_ring.h>
#include <uapi/linux/virtio_scmi.h>

#include "trapless_virtio.h"

static struct virtqueue *tpl_find_vq(struct tpl_device *device, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < device->num_vqs; i++)
		if (device->vqs[i]->index == index)
			return device->vqs[i];
	return NULL;
}

/*
 * Take the buffers out of a queue of which each buffer has one descriptor. The core follows the
 * flags of the shared descriptors: written anew, they cannot lead it astray. Where a backend had
 * changed them before, the core may count more free descriptors than there are.
 */
static void tpl_detach_buffers(struct virtqueue *vq)
{
	unsigned int size = virtqueue_get_vring_size(vq);
	struct vring_desc *desc = virtqueue_get_vring(vq)->desc;
	unsigned int i, used = size - min(vq->num_free, size);

	for (i = 0; i < size; i++)
		WRITE_ONCE(desc[i].flags, cpu_to_virtio16(vq->vdev, VRING_DESC_F_WRITE));
	while (used--)
		virtqueue_detach_unused_buf(vq);
}

/*
 * virtio-scmi frees its event buffers and leaves them in their queue; their mappings would stay in
 * the pool for ever, 64 KiB more with each restart of the backend. So they are taken out here,
 * while they exist. The driver's operations on the queue run with interrupts off: none is under way
 * after the grace period, and a later one finds the queue broken.
 */
void tpl_scmi_detach_events(struct tpl_device *device)
{
	struct virtio_device *vdev = &device->vd->vdev;
	struct virtqueue *vq;

	if (vdev->id.device != VIRTIO_ID_SCMI)
		return;
	guard(device)(&vdev->dev);
	vq = tpl_find_vq(device, VIRTIO_SCMI_VQ_RX);
	if (!vq)
		return;
	tpl_device_break(device);
	tpl_device_reset(vdev);
	synchronize_rcu_expedited();
	tpl_detach_buffers(vq);
}
