# SPDX-License-Identifier: MIT
"""Drivers for devices of the backend's own machine, for platforms whose resources they are. Each takes a Window of its
registers, which `machine.device()` (see `hal`) finds in the device tree."""
