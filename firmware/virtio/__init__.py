# SPDX-License-Identifier: MIT
"""The backend's side of virtio-mmio with synchronisation pages (docs/transport.md).

A composition root does: `loop = Loop(machine)`; for each link of the machine `link = loop.add(Link(description,
machine))` and `link.add(device, device_page, driver_page)` for each device; `loop.start()`.
"""
