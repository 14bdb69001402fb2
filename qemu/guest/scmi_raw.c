/* SPDX-License-Identifier: MIT */
/*
 * scmi-raw: sends raw SCMI messages from the frontend's user space and measures them.
 *
 *   scmi-raw send HEX...                          send each message (little-endian bytes), print each reply
 *   scmi-raw repeat ROUNDS HEX...                 send the messages in turn, ROUNDS in all, each must succeed
 *   scmi-raw read SENSOR ROUNDS [EXPECTED]        read a sensor again and again, check every reply, print a summary
 *   scmi-raw latency SENSOR ROUNDS BLOCK [ECHO]   print "request NS" per round; with ECHO, a trapless echo file,
 *                                                 "echo NS" too, in blocks that take turns
 *   scmi-raw throughput SENSOR ROUNDS DEPTH       keep DEPTH requests in flight, print ROUNDS and the ns they took
 *   scmi-raw flood SENSOR DEPTH                   the same until SIGTERM
 *   scmi-raw burn PERCENT                         use that much processor time and send nothing until SIGTERM, print
 *                                                 the ns used and the ns that passed
 *
 * Linux's raw mode: Documentation/ABI/testing/debugfs-scmi-raw. One write is one message; a read gives one reply, the
 * next read its end. Message header: Arm DEN0056, 4.1: id 0-7, type 8-9, protocol 10-17, token 18-27.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RAW_MESSAGE		"/sys/kernel/debug/scmi/0/raw/message"
#define SENSOR_PROTOCOL		0x15
#define SENSOR_READING_GET	6
#define TOKENS			1024
#define MESSAGE_MAX		256
#define MESSAGES_MAX		8
#define REPLY_TIMEOUT_S		10
#define BURN_PERIOD_NS		2000000u

struct sensor_request {
	uint32_t header;
	uint32_t sensor;
	uint32_t flags;
};

struct sensor_reply {
	uint32_t header;
	int32_t status;
	int64_t value;
	uint64_t timestamp;
} __attribute__((packed));

#define SENSOR_REPLY_MIN	offsetof(struct sensor_reply, timestamp)

static void die(const char *what)
{
	fprintf(stderr, "scmi-raw: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec;
}

/* Two files, because they have a position each: Linux takes the one that reading moves for a place inside the request. */
struct raw {
	int requests;
	int replies;
};

static struct raw open_raw(void)
{
	struct raw raw = {
		.requests = open(RAW_MESSAGE, O_WRONLY | O_CLOEXEC),
		.replies = open(RAW_MESSAGE, O_RDONLY | O_CLOEXEC),
	};

	if (raw.requests < 0 || raw.replies < 0)
		die(RAW_MESSAGE " (is the backend there, and raw mode in the kernel?)");
	return raw;
}

static void too_late(int signal)
{
	static const char text[] = "scmi-raw: no reply in time\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(2);
}

/* Bound the wait for the replies that follow: by a signal, so that the wait itself is the one system call. */
static void expect_replies(void)
{
	alarm(REPLY_TIMEOUT_S);
}

static size_t take(const struct raw *raw, void *reply, size_t room)
{
	ssize_t size = read(raw->replies, reply, room);

	if (size < 0)
		die("read");
	return size;
}

/* Every reply is followed by an end of file, which must be read before the next one comes. */
static void finish(const struct raw *raw)
{
	uint8_t end;

	if (read(raw->replies, &end, 1) != 0) {
		errno = EMSGSIZE;
		die("reply is longer than the room for it");
	}
}

static size_t receive(const struct raw *raw, void *reply, size_t room)
{
	size_t size;

	expect_replies();
	size = take(raw, reply, room);
	finish(raw);
	return size;
}

static struct sensor_request sensor_request(uint32_t sensor, unsigned int round)
{
	uint32_t header = SENSOR_READING_GET | SENSOR_PROTOCOL << 10 | (round % TOKENS) << 18;

	return (struct sensor_request){ .header = header, .sensor = sensor };
}

/* The kernel frees a raw transfer a little after its reply was read; until then it may have none for the next one. */
static void post(const struct raw *raw, const void *message, size_t size)
{
	ssize_t written;

	while ((written = write(raw->requests, message, size)) < 0 && errno == ENOMEM)
		sched_yield();
	if (written != (ssize_t)size)
		die("write");
}

/* Read the sensor once; return the ns from the request's write to the reply's read. */
static uint64_t exchange(const struct raw *raw, uint32_t sensor, unsigned int round, struct sensor_reply *reply)
{
	struct sensor_request request = sensor_request(sensor, round);
	uint64_t begin, end;
	size_t size;

	expect_replies();
	begin = now_ns();
	post(raw, &request, sizeof(request));
	size = take(raw, reply, sizeof(*reply));
	end = now_ns();
	finish(raw);
	if (size < SENSOR_REPLY_MIN || reply->header != request.header || reply->status) {
		fprintf(stderr, "scmi-raw: round %u: header %#" PRIx32 " size %zu status %" PRId32 "\n",
			round, reply->header, size, reply->status);
		exit(1);
	}
	return end - begin;
}

static int do_read(char **argv)
{
	unsigned int rounds = strtoul(argv[1], NULL, 0), wrong = 0;
	uint32_t sensor = strtoul(argv[0], NULL, 0);
	struct sensor_reply reply;
	struct raw raw = open_raw();

	for (unsigned int round = 0; round < rounds; round++) {
		exchange(&raw, sensor, round, &reply);
		wrong += argv[2] && reply.value != strtoll(argv[2], NULL, 0);
	}
	printf("rounds %u wrong %u last %" PRId64 "\n", rounds, wrong, (int64_t)reply.value);
	return wrong != 0;
}

static void echo_block(const char *path, unsigned int count)
{
	char line[32];
	FILE *file = fopen(path, "r+");

	if (!file || fprintf(file, "%u", count) < 0 || fflush(file))
		die(path);
	rewind(file);
	while (fgets(line, sizeof(line), file))
		printf("echo %s", line);
	fclose(file);
}

static int do_latency(char **argv)
{
	unsigned int rounds = strtoul(argv[1], NULL, 0), block = strtoul(argv[2], NULL, 0);
	uint32_t sensor = strtoul(argv[0], NULL, 0);
	uint64_t *taken = calloc(rounds, sizeof(*taken));
	struct sensor_reply reply;
	struct raw raw = open_raw();

	if (!taken || !block)
		die("arguments");
	for (unsigned int round = 0; round < rounds; round++) {
		taken[round] = exchange(&raw, sensor, round, &reply);
		if (argv[3] && (round + 1) % block == 0)
			echo_block(argv[3], block);
	}
	for (unsigned int round = 0; round < rounds; round++)
		printf("request %" PRIu64 "\n", taken[round]);
	return 0;
}

/* Many at once, which the kernel may refuse for a moment with other errors, too. */
static void post_when_possible(const struct raw *raw, uint32_t sensor, unsigned int round)
{
	struct sensor_request request = sensor_request(sensor, round);

	while (write(raw->requests, &request, sizeof(request)) < 0) {
		if (errno != EAGAIN && errno != EBUSY && errno != ENOMEM)
			die("write");
		sched_yield();
	}
}

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* Keep `depth` requests in flight until `rounds` are sent or a signal ends it; print how many were answered. */
static int keep_in_flight(uint32_t sensor, unsigned int rounds, unsigned int depth)
{
	struct sensor_reply reply;
	struct raw raw = open_raw();
	uint64_t begin = now_ns();
	unsigned int sent = 0, got;

	for (got = 0; got < rounds; got++) {
		while (!ended && sent < rounds && sent - got < depth)
			post_when_possible(&raw, sensor, sent++);
		if (sent == got)
			break;
		if (receive(&raw, &reply, sizeof(reply)) < SENSOR_REPLY_MIN || reply.status) {
			fprintf(stderr, "scmi-raw: reply %u: status %" PRId32 "\n", got, reply.status);
			return 1;
		}
	}
	printf("%u %" PRIu64 "\n", got, now_ns() - begin);
	return 0;
}

static int do_throughput(char **argv)
{
	return keep_in_flight(strtoul(argv[0], NULL, 0), strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0));
}

static int do_flood(char **argv)
{
	signal(SIGTERM, end);
	return keep_in_flight(strtoul(argv[0], NULL, 0), UINT_MAX, strtoul(argv[1], NULL, 0));
}

static uint64_t used_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + used.tv_nsec;
}

static int do_burn(char **argv)
{
	unsigned int percent = strtoul(argv[0], NULL, 0);
	uint64_t begin = now_ns();

	signal(SIGTERM, end);
	while (!ended) {
		uint64_t period = now_ns();

		while (now_ns() - period < BURN_PERIOD_NS / 100 * percent)
			;
		if (percent < 100)
			usleep(BURN_PERIOD_NS / 100 * (100 - percent) / 1000);
	}
	printf("%" PRIu64 " %" PRIu64 "\n", used_ns(), now_ns() - begin);
	return 0;
}

static size_t parse_hex(const char *text, uint8_t *bytes)
{
	size_t size = 0;

	for (; text[0] && text[1] && size < MESSAGE_MAX; text += 2, size++)
		if (sscanf(text, "%2hhx", &bytes[size]) != 1)
			break;
	if (*text) {
		errno = EINVAL;
		die(text);
	}
	return size;
}

static int do_send(char **argv)
{
	uint8_t message[MESSAGE_MAX], reply[MESSAGE_MAX];
	struct raw raw = open_raw();

	for (; *argv; argv++) {
		size_t size = parse_hex(*argv, message);

		expect_replies();
		post(&raw, message, size);
		size = receive(&raw, reply, sizeof(reply));
		for (size_t i = 0; i < size; i++)
			printf("%02x", reply[i]);
		printf("\n");
	}
	return 0;
}

static int do_repeat(char **argv)
{
	unsigned int rounds = strtoul(argv[0], NULL, 0), kinds = 0;
	uint8_t messages[MESSAGES_MAX][MESSAGE_MAX], reply[MESSAGE_MAX];
	size_t sizes[MESSAGES_MAX];
	struct raw raw = open_raw();

	for (argv++; argv[kinds] && kinds < MESSAGES_MAX; kinds++)
		sizes[kinds] = parse_hex(argv[kinds], messages[kinds]);
	for (unsigned int round = 0; round < rounds; round++) {
		unsigned int kind = round % kinds;
		int32_t status;
		size_t size;

		expect_replies();
		post(&raw, messages[kind], sizes[kind]);
		size = receive(&raw, reply, sizeof(reply));
		memcpy(&status, reply + 4, sizeof(status));
		if (size < 8 || status) {
			fprintf(stderr, "scmi-raw: round %u, %s: size %zu status %" PRId32 "\n",
				round, argv[kind], size, status);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **argv);
	} verbs[] = {
		{ "send", 1, do_send },
		{ "repeat", 2, do_repeat },
		{ "read", 2, do_read },
		{ "latency", 3, do_latency },
		{ "throughput", 3, do_throughput },
		{ "flood", 2, do_flood },
		{ "burn", 1, do_burn },
	};

	signal(SIGALRM, too_late);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (argc >= 2 + verbs[i].arguments && !strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argv + 2);
	fprintf(stderr, "usage: scmi-raw send HEX... | repeat ROUNDS HEX... | read SENSOR ROUNDS [EXPECTED] |\n"
		"       latency SENSOR ROUNDS BLOCK [ECHO] | throughput SENSOR ROUNDS DEPTH |\n"
		"       flood SENSOR DEPTH | burn PERCENT\n");
	return 2;
}
