# SPDX-License-Identifier: MIT
"""Makes the backend's initrd: a MicroPython ROMFS image, mounted at /rom and searched before the frozen modules.

Format: MicroPython's docs/reference/romfs, written by mpremote.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

USER_MODEL = "user_model"


def image(files: Mapping[str, bytes]) -> bytes:
    """Return a ROMFS image with `files` (content by name) in its root."""
    from mpremote.romfs import VfsRomWriter

    writer = VfsRomWriter()
    for name, content in files.items():
        writer.mkfile(name, content)
    return bytes(writer.finalise())


def model(path: Path) -> bytes:
    """Return the ROMFS image that holds somebody's platform description, under the name that the device tree says."""
    return image({f"{USER_MODEL}.py": path.read_bytes()})
