# SPDX-License-Identifier: MIT
"""Status codes of SCMI replies. Source: DEN0056F, 3.1.4 "Status codes"."""

from hal.compat import const

SUCCESS = const(0)
NOT_SUPPORTED = const(-1)
INVALID_PARAMETERS = const(-2)
DENIED = const(-3)
NOT_FOUND = const(-4)
OUT_OF_RANGE = const(-5)
BUSY = const(-6)
COMMS_ERROR = const(-7)
GENERIC_ERROR = const(-8)
HARDWARE_ERROR = const(-9)
PROTOCOL_ERROR = const(-10)
IN_USE = const(-11)

NAMES = {
    SUCCESS: "SUCCESS",
    NOT_SUPPORTED: "NOT_SUPPORTED",
    INVALID_PARAMETERS: "INVALID_PARAMETERS",
    DENIED: "DENIED",
    NOT_FOUND: "NOT_FOUND",
    OUT_OF_RANGE: "OUT_OF_RANGE",
    BUSY: "BUSY",
    COMMS_ERROR: "COMMS_ERROR",
    GENERIC_ERROR: "GENERIC_ERROR",
    HARDWARE_ERROR: "HARDWARE_ERROR",
    PROTOCOL_ERROR: "PROTOCOL_ERROR",
    IN_USE: "IN_USE",
}


class Refusal(Exception):
    """Raised by a function of a platform description: the message that it works for is answered with `status`.

    HARDWARE_ERROR is for hardware that fails (3.7.2.12), BUSY for hardware that has no time. Any other exception is
    a mistake, answered with GENERIC_ERROR and told at the prompt.
    """

    def __init__(self, status=HARDWARE_ERROR):
        """`status`: one of the negative numbers of this module."""
        super().__init__(NAMES[status])
        self.status = status
