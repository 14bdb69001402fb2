// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of register writes: publish, wait, accept
 *
 * docs/transport.md, sections 3 (driver page), 4.3 (publish), 4.7 (accept) and 5 (results).
 */
#include <linux/crc32.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/random.h>
#include <linux/string.h>

#include "trapless_virtio.h"

static const char *const tpl_result_names[] = {
	[TPL_RESULT_NONE] = "no result",
	[TPL_RESULT_OK] = "ok",
	[TPL_RESULT_VETO] = "features vetoed",
	[TPL_RESULT_NEEDS_RESET] = "the device needs a reset",
	[TPL_RESULT_MALFORMED] = "malformed batch",
	[TPL_RESULT_BAD_OFFSET] = "no such register",
	[TPL_RESULT_BAD_LENGTH] = "wrong length for the register",
	[TPL_RESULT_BAD_SELECTOR] = "no such feature bank or queue",
	[TPL_RESULT_BAD_VALUE] = "value out of range",
	[TPL_RESULT_BAD_STATE] = "not allowed in this status",
};

const char *tpl_result_name(u32 result)
{
	return result < ARRAY_SIZE(tpl_result_names) ? tpl_result_names[result] : "unknown result";
}

static bool tpl_contains(const u32 *words, unsigned int count, u32 word)
{
	while (count--)
		if (words[count] == word)
			return true;
	return false;
}

/* A random word that is neither 0 nor any of those that the other side could confuse with it. */
u32 tpl_nonce(const u32 *avoid, unsigned int count)
{
	u32 nonce;

	do {
		nonce = get_random_u32();
	} while (!nonce || tpl_contains(avoid, count, nonce));
	return nonce;
}

static u32 tpl_fresh_token(struct tpl_device *device)
{
	u32 avoid[] = {
		tpl_load(device->driver, TPL_DRV_REQ),
		tpl_load(device->driver, TPL_DRV_TOKEN),
		tpl_load(device->page, TPL_DEV_ACK),
		device->token,
	};

	return tpl_nonce(avoid, ARRAY_SIZE(avoid));
}

/* As in zlib, over the header with its crc field 0 and then the entries. */
static u32 tpl_batch_crc(const struct tpl_header *header, const struct tpl_entry *entries,
			 unsigned int count)
{
	u32 crc = crc32_le(~0, (const u8 *)header, sizeof(*header));

	return ~crc32_le(crc, (const u8 *)entries, count * sizeof(*entries));
}

/* Drop the entries that were collected but not published. */
void tpl_batch_forget(struct tpl_device *device)
{
	lockdep_assert_held(&device->mutex);
	device->count = 0;
}

static void tpl_batch_store(struct tpl_device *device, const struct tpl_header *header,
			    const struct tpl_entry *entries)
{
	void *page = device->driver;

	/*
	 * The stores pair with the backend's loads in 4.4, in the opposite order: REQ (acquire),
	 * the copy of header and entries, rmb, TOKEN again.
	 */
	tpl_store(page, TPL_DRV_TOKEN, 0);
	virt_wmb(); /* no entry of the new batch under the old token */
	memcpy(page + TPL_DRV_ENTRIES, entries, le32_to_cpu(header->count) * sizeof(*entries));
	memcpy(page + TPL_DRV_HEADER + sizeof(header->token), &header->fe_epoch,
	       sizeof(*header) - sizeof(header->token));
	virt_wmb(); /* the token vouches for everything else */
	tpl_store(page, TPL_DRV_TOKEN, le32_to_cpu(header->token));
	virt_wmb(); /* whoever sees the request finds its header */
	tpl_store(page, TPL_DRV_REQ, le32_to_cpu(header->token));
	/* Pairs with the backend's barrier between setting BE_SLEEP and looking at REQ. */
	virt_mb();
}

static void tpl_batch_publish_entries(struct tpl_device *device, const struct tpl_entry *entries,
				      unsigned int count)
{
	struct tpl_link *link = device->link;
	u32 token = tpl_fresh_token(device);
	struct tpl_header header = {
		.token = cpu_to_le32(token),
		.fe_epoch = cpu_to_le32(link->fe_epoch),
		.be_epoch = cpu_to_le32(device->epoch),
		.count = cpu_to_le32(count),
		.layout = cpu_to_le32(TPL_BATCH_LAYOUT),
	};

	lockdep_assert_held(&device->mutex);
	header.crc = cpu_to_le32(tpl_batch_crc(&header, entries, count));
	scoped_guard(spinlock_irqsave, &link->lock) {
		device->token = token;
		link->stats.batches++;
	}
	tpl_batch_store(device, &header, entries);
	if (tpl_load(device->page, TPL_DEV_BE_SLEEP))
		tpl_link_ring(link);
	tpl_poll_hurry(link);
}

/* Publish what was collected and ring the backend if it may sleep; the answer comes later. */
void tpl_batch_publish(struct tpl_device *device)
{
	WRITE_ONCE(device->fresh, false);
	tpl_batch_publish_entries(device, device->entries, device->count);
	device->count = 0;
}

/*
 * Is the last batch answered? Returns 0 and the answer, -EINPROGRESS, or -ESTALE if the backend is
 * not in the life any more that the batch was meant for.
 */
int tpl_batch_answer(struct tpl_device *device, struct tpl_answer *answer)
{
	bool acknowledged = tpl_load_acquire(device->page, TPL_DEV_ACK) == device->token;

	answer->result = tpl_load(device->page, TPL_DEV_RESULT);
	answer->index = tpl_load(device->page, TPL_DEV_RESULT_INDEX);
	answer->status = tpl_load(device->page, TPL_REG_STATUS) & 0xff;
	/*
	 * An epoch that still holds after these loads vouches for them. Pairs with the backend's
	 * wmb between BE_EPOCH = 0 and everything else that it clears (4.1).
	 */
	virt_rmb();
	if (tpl_load(device->page, TPL_DEV_BE_EPOCH) != device->epoch)
		return -ESTALE;
	return acknowledged ? 0 : -EINPROGRESS;
}

static bool tpl_batch_settled(struct tpl_device *device, struct tpl_answer *answer, int *err)
{
	*err = READ_ONCE(device->link->broken) ? -EIO : tpl_batch_answer(device, answer);
	return *err != -EINPROGRESS;
}

static int tpl_batch_wait(struct tpl_device *device, struct tpl_answer *answer)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(device->timeout_ms);
	unsigned long rering = msecs_to_jiffies(TPL_RERING_MS);
	int err;

	for (;;) {
		if (wait_event_timeout(device->link->answered,
				       tpl_batch_settled(device, answer, &err), rering))
			return err;
		if (time_after(jiffies, deadline))
			return -ETIMEDOUT;
		tpl_link_ring(device->link);
	}
}

/* Wait for the answer. A time-out or another life of the backend breaks the whole link. */
static int tpl_batch_finish(struct tpl_device *device, struct tpl_answer *answer)
{
	struct tpl_link *link = device->link;
	int err = tpl_batch_wait(device, answer);

	scoped_guard(spinlock_irqsave, &link->lock) {
		link->stats.waited++;
		link->stats.timeouts += err == -ETIMEDOUT;
	}
	if (err == -ETIMEDOUT)
		tpl_link_break(link, "no answer to a batch in time");
	else if (err == -ESTALE)
		tpl_link_break(link, "the backend restarted during a batch");
	return err;
}

/*
 * Publish what was collected and wait for the answer: one waited round trip. What the backend says
 * to the batch is the caller's business.
 */
int tpl_batch_flush(struct tpl_device *device, struct tpl_answer *answer)
{
	lockdep_assert_held(&device->mutex);
	if (READ_ONCE(device->link->broken)) {
		tpl_batch_forget(device);
		return -EIO;
	}
	device->waited++;
	tpl_batch_publish(device);
	return tpl_batch_finish(device, answer);
}

/* The same with entries that are not the device's business; what is collected for it stays. */
int tpl_batch_exchange(struct tpl_device *device, const struct tpl_entry *entries,
		       unsigned int count, struct tpl_answer *answer)
{
	guard(mutex)(&device->mutex);
	if (READ_ONCE(device->link->broken))
		return -EIO;
	tpl_batch_publish_entries(device, entries, count);
	return tpl_batch_finish(device, answer);
}

/* The device takes no batch any more until it is reset: say why, and fail its requests. */
void tpl_batch_reject(struct tpl_device *device, const struct tpl_answer *answer, const char *what)
{
	dev_err_ratelimited(&device->pdev->dev,
			    "the backend refused %s: %s (result %u, entry %u)\n", what,
			    tpl_result_name(answer->result), answer->result, answer->index);
	WRITE_ONCE(device->rejected, true);
	tpl_device_break(device);
	if (answer->result == TPL_RESULT_NEEDS_RESET)
		tpl_device_ask_reset(device, "the device needs a reset");
}

/* Flush, and take no other result for an answer than OK and VETO. `what` is for the message. */
int tpl_batch_commit(struct tpl_device *device, struct tpl_answer *answer, const char *what)
{
	int err;

	if (device->rejected) {
		tpl_batch_forget(device);
		return -EIO;
	}
	err = tpl_batch_flush(device, answer);
	if (!err && answer->result != TPL_RESULT_OK && answer->result != TPL_RESULT_VETO) {
		tpl_batch_reject(device, answer, what);
		err = -EPROTO;
	}
	return err;
}

/* The same for what goes out before the driver asks for an answer: nobody could be told of a veto. */
int tpl_batch_push(struct tpl_device *device, const char *what)
{
	struct tpl_answer answer;
	int err = tpl_batch_commit(device, &answer, what);

	if (!err && answer.result == TPL_RESULT_VETO) {
		tpl_batch_reject(device, &answer, what);
		err = -EPROTO;
	}
	return err;
}

/* Collect one register write; a full list goes out at once, and must be accepted. */
int tpl_batch_add(struct tpl_device *device, u16 offset, u8 length, u32 selector, u64 value)
{
	int err;

	lockdep_assert_held(&device->mutex);
	if (device->count == TPL_ENTRIES_MAX) {
		err = tpl_batch_push(device, "a full batch");
		if (err)
			return err;
	}
	device->entries[device->count++] = (struct tpl_entry) {
		.offset = cpu_to_le16(offset),
		.length = length,
		.selector = cpu_to_le32(selector),
		.value = cpu_to_le64(value),
	};
	return 0;
}
