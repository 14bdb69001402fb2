#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the frontend's initial file system: build.sh BUSYBOX OUT.cpio.gz
#
# BUSYBOX is a static busybox for arm64. Kernel modules and files of the host (--add) are not in here: they come in
# further archives, which the boot loader appends. Needs no privileges.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: $0 BUSYBOX OUT.cpio.gz    (BUSYBOX: static arm64 binary)" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
if ! od -An -tx1 -N20 "$1" | tr -d ' \n' | grep -q '^7f454c460201.*b700$'; then
	echo "$0: $1 is not a 64-bit Arm program" >&2
	exit 1
fi
exec "${PYTHON:-python3}" "$here/cpio.py" "$2" "$here/root" "bin/busybox=$1" dev/ host/ lib/modules/trapless/ \
	proc/ root/ sbin/ sys/ tmp/ usr/bin/ usr/sbin/
