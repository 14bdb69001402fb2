# SPDX-License-Identifier: MIT
"""The least of SCMI that has Linux make a sensor of it: what a hostile backend says while it is still believed."""

import struct

BASE, SENSOR = 0x10, 0x15
CELSIUS = 2
MILLI = -3 & 0x1F  # Linux takes v1's scale from bits 11 to 15
NOT_SUPPORTED = struct.pack("<i", -1)
OK = bytes(4)

ANSWERS = {
    (BASE, 0): struct.pack("<I", 0x20000),
    (BASE, 1): struct.pack("<I", 1),  # one protocol
    (BASE, 3): b"hostile".ljust(16, b"\0"),
    (BASE, 4): b"hostile".ljust(16, b"\0"),
    (BASE, 5): struct.pack("<I", 1),
    (BASE, 6): struct.pack("<I4B", 1, SENSOR, 0, 0, 0),
    (SENSOR, 0): struct.pack("<I", 0x10000),
    (SENSOR, 1): struct.pack("<HBBIII", 1, 1, 0, 0, 0, 0),
    (SENSOR, 3): struct.pack("<HHIII16s", 1, 0, 0, 0, CELSIUS | MILLI << 11, b"hot"),
    (SENSOR, 6): struct.pack("<Q", 45_000),
}


def answer(command, well):
    """What follows the header in the answer to a command: a good one if `well`, else that it is not supported."""
    header = int.from_bytes(command[:4], "little")
    said = ANSWERS.get((header >> 10 & 0xFF, header & 0xFF)) if well else None
    return OK + said if said is not None else NOT_SUPPORTED
