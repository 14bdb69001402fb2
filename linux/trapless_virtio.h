/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio-mmio with synchronisation pages (docs/transport.md): what the parts of the frontend's
 * transport share
 *
 * trapless_probe.c     the driver of a link node: memory, devices, doorbell (section 9)
 * trapless_life.c      life cycle of a link's devices (sections 4.2 and 4.7)
 * trapless_link.c      doorbell, breaking, interrupt (sections 4.7 and 6)
 * trapless_batch.c     one device's batches: publish, wait, accept (sections 4.3 and 4.7)
 * trapless_device.c    one virtio device: status, features, registration (section 7)
 * trapless_config.c    its configuration space (sections 7.2 and 7.3)
 * trapless_queue.c     its virtqueues, and their reset one by one (section 6)
 * trapless_ring.c      a virtqueue as its device sees it (section 4.7)
 * trapless_events.c    SCMI's events, which a backend may send without an end
 * trapless_scmi.c      requests and devices of Linux's SCMI core when the backend goes (section 4.7)
 * trapless_detach.c    buffers that Linux's drivers leave in them
 * trapless_poll.c      looking at the pages where no doorbell calls (section 6.8)
 * trapless_heartbeat.c heartbeats, ours and the backend's (section 4.9)
 * trapless_balloon.c   the pool that shrinks and grows (section 10)
 * trapless_debugfs.c   counters and the doorbell's echo
 */
#ifndef TRAPLESS_VIRTIO_H
#define TRAPLESS_VIRTIO_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/mailbox_client.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/barrier.h>

#include "trapless_layout.h"

#define TPL_DEVICES_MAX 32
#define TPL_QUEUE_SIZE_LIMIT 1024

/*
 * Ring again this often while an answer is outstanding; the wait for a first answer grows to the
 * second value.
 */
#define TPL_RERING_MS 10
#define TPL_RERING_MAX_MS 1000

/* Bounds for the time-out that the backend advises, and what holds if it advises none. */
#define TPL_TIMEOUT_MIN_MS 10
#define TPL_TIMEOUT_MAX_MS 5000
#define TPL_TIMEOUT_MS 1000

/*
 * Life of a device, advanced by the link's work item only (docs/transport.md, 4.2 and 4.7):
 *
 *   ABSENT   --the backend's epoch is there; {Status = 0} posted-->     POSTED
 *   POSTED   --acknowledged; virtio device registered-->                UP
 *   POSTED   --other epoch-->                                           ABSENT
 *   POSTED   --acknowledged but refused, or the page is not valid-->    REFUSED
 *   REFUSED  --other epoch-->                                           ABSENT
 *   UP       --link broken, or the device needs a reset, be it because of a broken queue;
 *              unregistered-->                                          ABSENT
 */
enum tpl_state {
	TPL_ABSENT,
	TPL_POSTED,
	TPL_UP,
	TPL_REFUSED,
};

struct tpl_entry {
	__le16 offset;
	u8 length;
	u8 flags;
	__le32 selector;
	__le64 value;
};

static_assert(sizeof(struct tpl_entry) == TPL_ENTRY_SIZE);

struct tpl_header {
	__le32 token;
	__le32 fe_epoch;
	__le32 be_epoch;
	__le32 count;
	__le32 layout;
	__le32 crc;
};

static_assert(sizeof(struct tpl_header) == TPL_DRV_HEADER_SIZE);

/* What the backend says to a batch. */
struct tpl_answer {
	u32 result;
	u32 index;
	u32 status;
};

/* What the device would find in a chain: the first buffer of each direction; length 0: none. */
struct tpl_buffer {
	void *at;
	u32 length;
};

struct tpl_chain {
	struct tpl_buffer request; /* the device reads it */
	struct tpl_buffer answer; /* the device writes to it */
};

/* Answers a chain in the device's place; returns how many bytes, 0: it stays where it is. */
typedef u32 tpl_answer_fn(const struct tpl_chain *chain);

/* The part that lives as long as somebody holds a reference to the virtio device. */
struct tpl_vdev {
	struct virtio_device vdev;
	struct tpl_device *device;
};

/* The callback of SCMI's event queue; owned by its work item */
struct tpl_events {
	struct work_struct work;
	struct timer_list timer; /* breaks the queue */
	struct virtqueue *vq; /* whose callback runs */
	bool running; /* under the link's lock: no other callback of the device may */
};

struct tpl_device {
	struct tpl_link *link;
	struct platform_device *pdev;
	const void *page; /* device page: loads only */
	void *driver; /* driver page: stores only */
	struct tpl_vdev *vd;

	/* Under the link's lock */
	enum tpl_state state;
	u32 epoch; /* the backend's life that we talk to; 0: none */
	u32 token; /* of the batch published last */
	u32 used_count;
	u32 config_count;
	bool needs_reset; /* set in any context, once */
	bool known; /* the virtio core has begun with the device: it takes configuration changes */
	bool registered; /* UP, and the probe of the device's driver is over */
	bool live; /* its driver has set DRIVER_OK: it takes callbacks */
	bool commanded; /* SCMI's core has sent a command; without a lock */
	struct virtqueue *vqs[TPL_QUEUES_MAX];
	unsigned int num_vqs;

	struct tpl_events events;

	/* Under the ring lock */
	u32 kicks;

	/* In any context, without a lock: of the configuration space, as the core was told last */
	u32 generation;
	u32 generation_changes; /* looks in a row that found another one */

	/* Owned by the link's work item */
	unsigned long not_before; /* jiffies: do not attach again earlier */
	unsigned long attached; /* jiffies: since then it is up */
	unsigned int recover_ms; /* the last wait before it was attached again */

	/*
	 * Under the mutex: the batch that is being collected, and the status that both sides agree
	 * on
	 */
	struct mutex mutex;
	u8 status;
	bool fresh; /* nothing was published since a reset was acknowledged; read without the mutex */
	bool rejected; /* a batch was refused: only a reset helps; read without the mutex */
	u32 capabilities;
	u32 timeout_ms;
	u32 waited; /* round trips waited for since the last reset */
	u32 waited_to_driver_ok;
	unsigned int count;
	struct tpl_entry entries[TPL_ENTRIES_MAX];
};

struct tpl_stats {
	u64 interrupts;
	u64 doorbells;
	u64 kicks;
	u64 batches;
	u64 waited;
	u64 resets;
	u64 restarts;
	u64 needs_reset;
	u64 broken_queues;
	u64 timeouts;
	u64 silences;
	u64 lost_doorbells;
	u64 recoveries;
	u32 recovery_ms; /* that the last one took */
};

/* Under the link's lock, but the work item itself */
struct tpl_beat {
	struct delayed_work work;
	u32 period_ms; /* the backend's, and ours; 0: it does not beat */
	u32 count; /* ours */
	u32 seen; /* the backend's, when it last changed */
	u32 missed; /* looks since */
	bool expected; /* at the last look */
};

/* What is given back of the pool, block by block; owned by the work item but `answered` */
struct tpl_balloon {
	struct work_struct work;
	u32 answered; /* the request that was answered last in this life; under the link's lock */
	unsigned int blocks; /* that the pool has */
	unsigned int given;
	struct tpl_block *block; /* by number */
	struct tpl_entry entries[TPL_ENTRIES_MAX];
};

struct tpl_link {
	struct device *dev;
	struct mbox_client client;
	struct mbox_chan *chan; /* NULL: no doorbell, both sides poll */
	phys_addr_t pool_base;
	size_t pool_size;
	phys_addr_t shm_base; /* shared-memory regions of all devices */
	u64 shm_size; /* 0: there are none */
	u32 fe_epoch;
	struct dentry *debugfs;

	spinlock_t lock; /* states, epochs, queues; taken in interrupts */
	bool broken;
	bool closing;
	struct tpl_stats stats; /* doorbells and kicks: under the ring lock */

	spinlock_t ring_lock; /* the channel and the kick counters; inside all other locks */
	atomic_t rings; /* submitted to a mailbox that reports completion, not completed yet */

	bool split; /* the backend is trusted: no packed queues, whatever it offers */
	bool polls; /* the backend does not ring us */
	bool polled; /* the backend does not hear us */
	struct hrtimer poll;
	bool polling; /* under the ring lock */
	unsigned int idle_looks; /* in a row; under the ring lock */

	wait_queue_head_t answered;
	struct workqueue_struct *wq;
	struct delayed_work work;
	struct work_struct orphans; /* requests of a backend that is gone */
	u32 orphaned; /* its epoch, or what stood there instead, when they were ended last */
	unsigned int rering_ms;
	unsigned long mended; /* jiffies: when it was, or will be, attached anew */
	unsigned long broke; /* jiffies, under the lock: since then */
	bool recovering; /* under the lock: not all devices are attached again */
	unsigned int mend_ms; /* the last time between two of these at the least */
	struct tpl_beat beat;
	struct tpl_balloon balloon;
	struct notifier_block unbound; /* of any device of the platform bus and its driver */
	struct device *instance; /* SCMI's, on one of the devices; under the lock */

	struct mutex echo_mutex; /* one series of echoes, and its latencies */
	struct completion echoed;
	u32 echo_value; /* awaited; 0: none */
	u64 *echo_ns;
	unsigned int echo_count;

	unsigned int num_devices;
	struct tpl_device devices[] __counted_by(num_devices);
};

static inline bool tpl_is_packed(struct virtqueue *vq)
{
	return virtio_has_feature(vq->vdev, VIRTIO_F_RING_PACKED);
}

static inline struct tpl_device *tpl_first(struct tpl_link *link)
{
	return link->devices;
}

static inline struct tpl_device *tpl_next(struct tpl_device *device)
{
	struct tpl_link *link = device->link;

	return device + 1 < link->devices + link->num_devices ? device + 1 : NULL;
}

static inline struct tpl_device *to_tpl_device(struct virtio_device *vdev)
{
	return container_of(vdev, struct tpl_vdev, vdev)->device;
}

/* Words of the pages: little-endian, 32 bits, naturally aligned. */
static inline u32 tpl_load(const void *page, unsigned int offset)
{
	return le32_to_cpu(READ_ONCE(*(const __le32 *)(page + offset)));
}

/* Two words, which may come from before and after a change: of what changes only with a life. */
static inline u64 tpl_load64(const void *page, unsigned int offset)
{
	return tpl_load(page, offset) | (u64)tpl_load(page, offset + sizeof(u32)) << 32;
}

static inline u32 tpl_load_acquire(const void *page, unsigned int offset)
{
	/* Pairs with the backend's store-release: what it stored before is visible after. */
	return le32_to_cpu(virt_load_acquire((__le32 *)(page + offset)));
}

static inline void tpl_store(void *page, unsigned int offset, u32 value)
{
	WRITE_ONCE(*(__le32 *)(page + offset), cpu_to_le32(value));
}

static inline void tpl_store_release(void *page, unsigned int offset, u32 value)
{
	/* Pairs with the backend's load-acquire: what we stored before is visible to it. */
	virt_store_release((__le32 *)(page + offset), cpu_to_le32(value));
}

/* trapless_life.c */
void tpl_life_init(struct tpl_link *link);
void tpl_life_begin(struct tpl_link *link);
void tpl_life_end(struct tpl_link *link);

/* trapless_link.c */
void tpl_link_heard(struct mbox_client *client, void *message);
void tpl_link_rung(struct mbox_client *client, void *message, int err);
void tpl_link_ring(struct tpl_link *link);
void tpl_link_look(struct tpl_link *link, bool interrupt);
bool tpl_link_is_behind(struct tpl_link *link);
struct virtqueue *tpl_takes_events(struct tpl_device *device);
void tpl_link_kick(struct tpl_device *device);
void tpl_link_break(struct tpl_link *link, const char *why);
void tpl_device_break(struct tpl_device *device);
void tpl_device_ask_reset(struct tpl_device *device, const char *why);

/* trapless_batch.c */
u32 tpl_nonce(const u32 *avoid, unsigned int count);
void tpl_batch_forget(struct tpl_device *device);
int tpl_batch_add(struct tpl_device *device, u16 offset, u8 length, u32 selector, u64 value);
void tpl_batch_publish(struct tpl_device *device);
int tpl_batch_answer(struct tpl_device *device, struct tpl_answer *answer);
int tpl_batch_flush(struct tpl_device *device, struct tpl_answer *answer);
int tpl_batch_exchange(struct tpl_device *device, const struct tpl_entry *entries,
		       unsigned int count, struct tpl_answer *answer);
int tpl_batch_commit(struct tpl_device *device, struct tpl_answer *answer, const char *what);
int tpl_batch_push(struct tpl_device *device, const char *what);
void tpl_batch_reject(struct tpl_device *device, const struct tpl_answer *answer, const char *what);
const char *tpl_result_name(u32 result);

/* trapless_device.c */
int tpl_device_up(struct tpl_device *device);
void tpl_device_down(struct tpl_device *device);
void tpl_device_reset(struct virtio_device *vdev);
bool tpl_device_shm(struct tpl_device *device, struct virtio_shm_region *region, u8 id);

/* trapless_config.c */
void tpl_config_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		    unsigned int length);
void tpl_config_set(struct virtio_device *vdev, unsigned int offset, const void *buf,
		    unsigned int length);
u32 tpl_config_generation(struct virtio_device *vdev);

/* trapless_queue.c */
int tpl_find_vqs(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		 struct virtqueue_info vqs_info[], struct irq_affinity *affinity);
void tpl_del_vqs(struct virtio_device *vdev);
int tpl_disable_vq(struct virtqueue *vq);
int tpl_enable_vq(struct virtqueue *vq);

/* trapless_ring.c */
bool tpl_in_pool(struct tpl_link *link, u64 address, size_t size);
void tpl_ring_return(struct tpl_link *link, struct virtqueue *vq, tpl_answer_fn *answer);

/* trapless_events.c */
bool tpl_is_event_queue(struct virtqueue *vq);
void tpl_events_soon(struct tpl_device *device);
void tpl_events_stop(struct tpl_device *device);
void tpl_events_init(struct tpl_device *device);

/* trapless_scmi.c */
void tpl_scmi_init(struct tpl_link *link);
void tpl_scmi_leave(struct tpl_device *device);
void tpl_scmi_forget(struct device *instance);
/* Linux's SCMI bus exports it, and declares it in a header of its own. */
void scmi_device_destroy(struct device *parent, int protocol, const char *name);

/* trapless_detach.c */
int tpl_detach_init(struct tpl_link *link);
void tpl_detach_deleted(struct virtqueue *vq);

/* trapless_poll.c */
void tpl_poll_init(struct tpl_link *link);
void tpl_poll_set(struct tpl_link *link, bool on);
void tpl_poll_hurry(struct tpl_link *link);
void tpl_poll_hurry_locked(struct tpl_link *link);

/* trapless_heartbeat.c */
void tpl_beat_init(struct tpl_link *link);
void tpl_beat_start(struct tpl_link *link);
void tpl_beat_stop(struct tpl_link *link);
void tpl_beat_show(struct tpl_link *link, struct seq_file *file);

/* trapless_balloon.c */
int tpl_balloon_init(struct tpl_link *link);
void tpl_balloon_look(struct tpl_link *link);
void tpl_balloon_stop(struct tpl_link *link);
void tpl_balloon_forget(struct tpl_link *link);
bool tpl_balloon_touches(struct tpl_link *link, u64 address, size_t size);
void tpl_balloon_show(struct tpl_link *link, struct seq_file *file);

/* trapless_debugfs.c */
void tpl_debugfs_init(void);
void tpl_debugfs_exit(void);
void tpl_debugfs_add(struct tpl_link *link);
void tpl_debugfs_remove(struct tpl_link *link);
void tpl_echo_heard(struct tpl_link *link);

#endif
