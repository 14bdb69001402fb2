# SPDX-License-Identifier: MIT
# Any AArch64 machine that hands over a device tree. Nothing here is an address of a device.

BOARD_NAME = virt

# Where a boot loader that knows only the ELF file puts it: in QEMU's virt machine 2 MiB above the start of RAM.
# The Image runs anywhere, and so does the ELF if it is loaded elsewhere.
LINK_ADDRESS = 0x40200000

# Room for a description of more than a thousand sensors.
HEAP_SIZE = 4*1024*1024
STACK_SIZE = 131072
RAM_DISK_SIZE = 1024*1024
RELOCATION_SIZE = 2048
