# SPDX-License-Identifier: MIT
"""Notifications as Linux's SCMI core takes them apart; the handle is `linux/tests/trapless_events.c`."""

import shlex

FOLDER = "/sys/kernel/debug/trapless-events"


class Notifications:
    """What the frontend has been told, by (protocol, event, fields of the report...)."""

    def __init__(self, frontend):
        """The test module must be below /host in the frontend."""
        self._frontend = frontend
        frontend.check(f"[ -d {FOLDER} ] || insmod /host/trapless_events.ko")

    def subscribe(self, protocol, event, source=""):
        """Subscribe to an event of a source, or of all, from now on; what was heard before is forgotten."""
        self._frontend.check(f"echo {protocol} {event} {source} >{FOLDER}/subscribe && echo >{FOLDER}/log")

    def unsubscribe(self, protocol, event, source=""):
        """Take a subscription back."""
        self._frontend.check(f"echo {protocol} {event} {source} >{FOLDER}/unsubscribe")

    def set_trip(self, sensor, trip, value):
        """Arm a sensor's trip point in both directions."""
        self._frontend.check(f"echo {sensor} {trip} {value} >{FOLDER}/trip")

    def set_threshold(self, domain, low, high):
        """Say which power of a domain is worth a notification."""
        self._frontend.check(f"echo {domain} {low} {high} >{FOLDER}/threshold")

    def heard(self):
        """All notifications since the last subscription."""
        lines = self._frontend.check(f"cat {FOLDER}/log").splitlines()
        return [tuple(int(word, 0) for word in line.split()) for line in lines]

    def wait_for(self, protocol, event, *fields):
        """Wait until a notification has come whose report begins with `fields`."""
        wanted = " ".join([hex(protocol), str(event), *map(str, fields)])
        self._frontend.wait_for(f"grep -q {shlex.quote(f'^{wanted}')} {FOLDER}/log")
