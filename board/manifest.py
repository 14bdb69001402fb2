# SPDX-License-Identifier: MIT
# What is frozen into the image: the port's own start-up, asyncio, and the firmware.
freeze("$(PORT_DIR)/frozen")
include("$(MPY_DIR)/extmod/asyncio")
include("../firmware/manifest.py")
