# SPDX-License-Identifier: MIT
"""Where a frontend has its link's memory, by its own device tree, and what its driver has counted."""


def place(frontend, name):
    """Return (address, size) in the guest of its reserved memory `name`: "pool", "shm"."""
    reg = frontend.check(f"hexdump -v -e '1/1 \"%02x\"' /proc/device-tree/reserved-memory/{name}@*/reg")
    return int(reg[:16], 16), int(reg[16:], 16)


def counting(name):
    """Return the shell command that prints a statistic of the driver: "recoveries", "doorbells"."""
    return f"sed -n 's/^{name} //p' /sys/kernel/debug/trapless/*/stats"


def counted(frontend, name):
    """Return what the driver has counted under that name."""
    return int(frontend.check(counting(name)))
