# SPDX-License-Identifier: MIT
"""The platform "xen": one QEMU that runs Xen, without a control domain, and all machines of a topology as its domains.

Source: Xen 4.20, docs/misc/arm/device-tree/booting.txt ("Creating Multiple Domains directly from Xen") and
docs/misc/arm/passthrough.txt.
"""
