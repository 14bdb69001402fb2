/* SPDX-License-Identifier: MIT */
/*
 * TCG plugin: counts executed guest instructions into a file that another process can read at any time.
 *
 *   -plugin count.so,counter=PATH     PATH holds one 64-bit counter in host byte order
 *
 * Follows QEMU's include/qemu/qemu-plugin.h of version 7.2 (plugin API 1). Debian ships QEMU with plugins but not that
 * header, so the few prototypes are declared here; the API's version word makes another QEMU refuse us instead of
 * crashing. The counter grows by a whole translation block when that block is entered: a block that is left in its
 * middle by a fault counts too much, which does not happen in code that runs without faults.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct plugin_info;
struct plugin_tb;

enum { INLINE_ADD_U64 = 0 };

typedef void (*tb_translated)(plugin_id id, struct plugin_tb *tb);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_translated callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct plugin_tb *tb, int op, void *counter, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct plugin_tb *tb);

EXPORT int qemu_plugin_version = 1;

static uint64_t *counter;

static void count_block(plugin_id id, struct plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, counter, qemu_plugin_tb_n_insns(tb));
}

static uint64_t *map_counter(const char *path)
{
	void *page = MAP_FAILED;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && ftruncate(fd, sizeof(*counter)) == 0)
		page = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return page == MAP_FAILED ? NULL : page;
}

EXPORT int qemu_plugin_install(plugin_id id, const struct plugin_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "counter=", 8) == 0)
			counter = map_counter(argv[i] + 8);
	if (!counter) {
		fprintf(stderr, "count: give a file that can be written: -plugin count.so,counter=PATH\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
	return 0;
}
