#!/bin/sh
# SPDX-License-Identifier: MIT
# Print the Python that set-up runs with: the first of the arguments that is 3.11 or newer. Install Debian's if there is
# none, but not after --look-only.
set -eu

suits() {
	command -v "$1" >/dev/null && "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

choose() {
	for python in "$@" /usr/bin/python3; do
		if suits "$python"; then
			command -v "$python"
			return
		fi
	done
	return 1
}

install() {
	if [ "$(id -u)" -eq 0 ]; then
		become=
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		become='sudo -n'
	else
		echo "setup: Python 3.11 or newer is missing. As root: apt-get update && apt-get install python3-venv" >&2
		exit 1
	fi
	echo "setup: installing Debian's Python" >&2
	$become apt-get update -qq >&2
	$become env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-venv >&2
}

look_only=
if [ "${1-}" = --look-only ]; then
	look_only=yes
	shift
fi
choose "$@" || {
	if [ "$look_only" ]; then
		echo "MISSING  Python 3.11 or newer: apt-get install python3-venv, or make setup" >&2
		exit 1
	fi
	install
	choose || {
		echo "setup: Debian's python3 is older than 3.11: use Debian 12 or newer, or PYTHON=/path/to/python3.11 make setup" >&2
		exit 1
	}
}
