#!/bin/sh
# SPDX-License-Identifier: MIT
# Build Xen for arm64 out of tree: build.sh SRC OUT
#
# SRC is an unpacked Xen source; OUT becomes the build tree: OUT/xen, an arm64 Image, and OUT/xen-syms.map, the addresses
# of its symbols. JOBS sets the parallelism.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: $0 SRC OUT    (SRC: unpacked Xen source, OUT: build tree to create)" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
fragment=$here/fragment.config
: "${CROSS_COMPILE:=aarch64-linux-gnu-}"
: "${JOBS:=$(nproc)}"

if ! command -v "${CROSS_COMPILE}gcc" >/dev/null; then
	echo "$0: ${CROSS_COMPILE}gcc is not installed (Debian: gcc-aarch64-linux-gnu), or set CROSS_COMPILE" >&2
	exit 1
fi

# A variable MAKEFLAGS of a make that calls this would reach Xen's, whose sub-makes count on their own.
xmake() {
	env -u MAKEFLAGS -u MFLAGS make -C "$source/xen" O="$out" XEN_TARGET_ARCH=arm64 CROSS_COMPILE="$CROSS_COMPILE" \
		XEN_WHOAMI=trapless XEN_DOMAIN=trapless XEN_BUILD_DATE=1970-01-01 XEN_BUILD_TIME=00:00:00 "$@"
}

xmake -s KCONFIG_ALLCONFIG="$fragment" alldefconfig
missing=$(grep '^CONFIG_' "$fragment" | grep -vxFf "$out/.config" || true)
if [ -n "$missing" ]; then
	echo "$0: these lines of $fragment have no effect; look for unmet dependencies of the symbols:" >&2
	echo "$missing" >&2
	exit 1
fi
xmake -j"$JOBS" xen
ls -l "$out/xen" "$out/xen-syms.map"
