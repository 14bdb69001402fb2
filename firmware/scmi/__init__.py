# SPDX-License-Identifier: MIT
"""The SCMI server: Arm DEN0056F, "System Control and Management Interface", behind a virtio-scmi device.

- `platform`: the description of a system on chip as plain Python objects, checked when it is loaded
- `model`: the objects of a description (sensors, clocks, power domains, system power) and their rules
- `message`: what a row of a message table says; `protocols`: one file per protocol with its table and handlers
- `agent`: one frontend as the platform sees it, with the dispatcher
- `wire`: writing replies, the paginator
- `device`: the virtio device that carries the messages

Clause numbers in this package are those of DEN0056F (SCMI 4.0); clauses 3.2, 3.3, 3.4, 3.6 and 3.7 are the base,
power domain, system power, clock and sensor protocols. Where that document and Linux 6.12 differ, a note beside the
code says so.
"""
