/* SPDX-License-Identifier: MIT */
/*
 * kexec: another life of Linux in the same machine, without its firmware.
 *
 *   kexec IMAGE INITRD ARGUMENTS    start the kernel with that initrd and those arguments, at once
 *
 * kexec_file_load(2). The device tree is that of the present life.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "kexec: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int opened(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		die(path);
	return file;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: kexec IMAGE INITRD ARGUMENTS\n");
		return 2;
	}
	if (syscall(SYS_kexec_file_load, opened(argv[1]), opened(argv[2]), strlen(argv[3]) + 1, argv[3], 0ul))
		die("the kernel cannot be loaded");
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	die("the kernel cannot be started");
}
