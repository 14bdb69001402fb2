#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the frontend's kernel out of tree: build.sh SRC OUT
#
# SRC is an unpacked Linux source, never written to; OUT becomes the build tree: OUT/arch/arm64/boot/Image, and
# OUT/Module.symvers with everything that external modules need (KDIR=OUT). JOBS sets the parallelism.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: $0 SRC OUT    (SRC: unpacked Linux source, OUT: build tree to create)" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
fragment=${FRAGMENT:-$here/fragment.config}
: "${CROSS_COMPILE:=aarch64-linux-gnu-}"
: "${JOBS:=$(nproc)}"

if ! command -v "${CROSS_COMPILE}gcc" >/dev/null; then
	echo "$0: ${CROSS_COMPILE}gcc is not installed (Debian: gcc-aarch64-linux-gnu), or set CROSS_COMPILE" >&2
	exit 1
fi

# Without ARCH and CROSS_COMPILE in every call, syncconfig rewrites .config and everything is built again.
kmake() {
	make -C "$source" O="$out" ARCH=arm64 CROSS_COMPILE="$CROSS_COMPILE" \
		KBUILD_BUILD_USER=trapless KBUILD_BUILD_HOST=trapless KBUILD_BUILD_TIMESTAMP='1970-01-01' "$@"
}

check_fragment() {
	missing=0
	while IFS= read -r line; do
		case $line in
		CONFIG_*=*) grep -qxF "$line" "$out/.config" && continue ;;
		*) continue ;;
		esac
		name=${line%%=*}
		echo "$0: the kernel did not take $line (it has: $(grep -E "^(# )?${name}[= ]" "$out/.config" || echo nothing))" >&2
		missing=$((missing + 1))
	done <"$fragment"
	if [ "$missing" -ne 0 ]; then
		echo "$0: $missing lines of $fragment have no effect; look for unmet dependencies of these symbols" >&2
		exit 1
	fi
}

kmake -s KCONFIG_ALLCONFIG="$fragment" allnoconfig
check_fragment
kmake -j"$JOBS" Image modules
kmake -s modules_prepare
check_fragment
if [ ! -s "$out/Module.symvers" ]; then
	cp "$out/vmlinux.symvers" "$out/Module.symvers"
fi
ls -l "$out/arch/arm64/boot/Image"
