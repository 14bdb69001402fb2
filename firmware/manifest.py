# SPDX-License-Identifier: MIT
# What of the firmware is frozen into the image; included by board/manifest.py. On the bare machine the C module `_hal`
# takes the place of hal/pure, and there is nothing to simulate.

import os

PACKAGES = {"hal": ("pure", "sim.py"), "drivers": (), "virtio": (), "scmi": (), "models": ()}


def _sources(folder, without):
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.relpath(os.path.join(path, name), folder)
            if name.endswith(".py") and file.split(os.sep)[0] not in without:
                yield file


for _name, _without in PACKAGES.items():
    package(_name, files=sorted(_sources(_name, _without)))  # noqa: F821
for _name in ("app.py", "main.py"):
    module(_name)  # noqa: F821
