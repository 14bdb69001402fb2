# SPDX-License-Identifier: MIT
# What of the firmware is frozen into the image; included by board/manifest.py. hal/pure.py and hal/sim.py stay outside: on the
# bare machine the C module takes their place.

import os


def _package(name, without=()):
    found = [os.path.relpath(os.path.join(at, f), name) for at, _, names in os.walk(name) for f in names]
    package(name, files=sorted(f for f in found if f.endswith(".py") and f not in without))  # noqa: F821


_package("hal", without=("pure.py", "sim.py"))
_package("virtio")
for _name in ("scmi", "models"):
    if os.path.isdir(_name):
        _package(_name)
    else:
        print("firmware/manifest.py: no package", _name, "yet")
for _name in ("app.py", "main.py"):
    if os.path.exists(_name):
        module(_name)  # noqa: F821
    else:
        print("firmware/manifest.py: no", _name, "yet")
