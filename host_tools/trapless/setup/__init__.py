# SPDX-License-Identifier: MIT
"""Set-up: everything between a clone on a bare Debian 12 and a first `make run`.

Standard library of Python 3.11 only, and nothing else of ours: it runs before anything is installed. What it fetches
and builds is kept outside the clone (`cache.py`), so that the second clone is ready within seconds. One file per
concern:

- `packages.py`  the Debian packages, checked and installed
- `environment.py`  the Python dependencies, pinned with hashes, and the clone's `.venv`
- `apt.py`, `sources.py`  what comes from Debian's archive, of another release: MicroPython, Linux, busybox
- `kernel.py`, `products.py`  what is built: kernel; image, interpreter for tests, kernel modules, initramfs
- `diagnosis.py`  tells what is missing and how to get it
"""

from .diagnosis import doctor

__all__ = ["doctor"]
