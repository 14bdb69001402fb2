# SPDX-License-Identifier: MIT
"""What a frontend's own system does with the platform: its processors' performance domain, its thermal zones.

Nothing of it is on the wire; the frontend's device tree is made from it. Sources: the device-tree bindings
`arm,scmi.yaml`, `thermal-zones.yaml` and `cpus.yaml`.
"""

from hal.compat import const
from scmi.model.rules import is_integer, items_of, require, require_unique

_CELSIUS = const(0x02)
_KINDS = ("active", "passive", "hot", "critical")
_HYSTERESIS = const(2_000)
_MOST = const(0x7FFFFFFF)


def _is_number(value, least=0):
    return is_integer(value) and least <= value <= _MOST


class ThermalZone:
    """A temperature sensor that the frontend's system watches, and what it does at which temperature."""

    def __init__(self, name, sensor, trips=(), every=1000, every_passive=100):
        """Describe it; DescriptionError if a rule is broken.

        `name`: 2 to 11 small letters, digits and hyphens, a letter first. `sensor`: name of a temperature sensor.
        `trips`: (millidegrees Celsius, kind, hysteresis in millidegrees), the latter 2000 unless given; kinds are
        "active", "passive" (the processors are slowed down), "hot" (user space is told) and "critical" (the frontend
        shuts down). `every`, `every_passive`: milliseconds between two readings, at rest and while it cools passively;
        0: none. Linux 6.12 reads: it makes no use of the trip points of a sensor.
        """
        self.subject = f"thermal zone {name!r}"
        holds = isinstance(name, str) and 2 <= len(name) <= 11 and "a" <= name[0] <= "z"
        holds = holds and all("a" <= sign <= "z" or "0" <= sign <= "9" or sign == "-" for sign in name)
        require(holds, self.subject, "name must be 2 to 11 small letters, digits and hyphens, a letter first")
        holds = _is_number(every) and _is_number(every_passive)
        require(holds, self.subject, "every and every_passive must be whole milliseconds")
        self.name = name
        self.sensor = sensor
        self.trips = tuple([self._checked_trip(trip) for trip in items_of(trips, self.subject, "trips")])
        self.every = every
        self.every_passive = every_passive

    def _checked_trip(self, trip):
        form = "(millidegrees, kind, hysteresis)"
        parts = items_of(trip, self.subject, "a trip", form)
        require(len(parts) in (2, 3), self.subject, f"a trip must be {form}, not {trip!r}")
        temperature, kind, hysteresis = (parts + (_HYSTERESIS,))[:3]
        require(kind in _KINDS, self.subject, f"a trip must be one of {', '.join(_KINDS)}, not {kind!r}")
        holds = _is_number(temperature, -_MOST) and _is_number(hysteresis)
        require(holds, self.subject, "a trip must have a temperature and a hysteresis in whole millidegrees")
        return (temperature, kind, hysteresis)

    def describe(self, sensors):
        """Return it as plain data, with the id of its sensor among `sensors`."""
        require(self.sensor in sensors, self.subject, f"sensor: {self.sensor!r} is no sensor of this platform")
        sensor = sensors[self.sensor]
        require(sensor.unit.code == _CELSIUS, self.subject, f"{self.sensor!r} does not measure degrees Celsius")
        return {
            "name": self.name,
            "sensor": sensor.id,
            "trips": [list(trip) for trip in self.trips],
            "every": self.every,
            "every_passive": self.every_passive,
        }


class Frontend:
    """The frontends' own systems: the `cpus` of each run in one performance domain, and each has the same `zones`."""

    subject = "frontend"

    def __init__(self, cpus=None, zones=()):
        """Describe them; DescriptionError if a rule is broken.

        `cpus`: name of the performance domain of the processors, None: their frequency is not the platform's affair.
        `zones`: thermal zones; where they slow down the processors, `cpus` tells how.
        """
        self.cpus = cpus
        self.zones = items_of(zones, self.subject, "zones")
        for zone in self.zones:
            require(isinstance(zone, ThermalZone), self.subject, f"zones: {zone!r} is no ThermalZone")
        require_unique(self.zones, self.subject, "thermal zones")

    def describe(self, performance, sensors):
        """Return it as plain data, with ids instead of names; DescriptionError if a name is not known."""
        holds = self.cpus is None or self.cpus in performance
        require(holds, self.subject, f"cpus: {self.cpus!r} is no performance domain of this platform")
        cpus = None if self.cpus is None else performance[self.cpus].id
        return {"cpus": cpus, "zones": [zone.describe(sensors) for zone in self.zones]}
