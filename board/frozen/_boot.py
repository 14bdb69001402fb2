# SPDX-License-Identifier: MIT
"""Files and import path, before main.py: the RAM disk at /, the user's ROMFS image (from the initrd) at /rom."""

import sys

import _board
import vfs


def _mount_disk():
    try:
        vfs.mount(vfs.VfsLfs2(_board.disk), "/")
    except OSError:
        vfs.VfsLfs2.mkfs(_board.disk)
        vfs.mount(vfs.VfsLfs2(_board.disk), "/")


def _mount_rom():
    image = _board.initrd()
    if image is None:
        return
    try:
        vfs.mount(vfs.VfsRom(image), "/rom")
    except OSError:
        print("boot: the initrd is not a ROMFS image (mpremote romfs build makes one): nothing is mounted at /rom")


_mount_disk()
_mount_rom()
sys.path[:] = ["", "/rom", ".frozen", "/lib", "/"]
