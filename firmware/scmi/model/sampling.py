# SPDX-License-Identifier: MIT
"""Looking at a sensor while somebody wants to be told of it: trip points and updates. Source: DEN0056F, 3.7.2.8,
3.7.2.9 and 3.7.2.13.

A value that is set is looked at when it is set. One that moves by itself, or that has an update interval, is looked at
again and again, every update interval; nothing runs while nobody has subscribed, or while it is disabled.
"""

from hal.compat import const

RISING = const(1)
FALLING = const(2)

# Alarms of one sensor at a time. An alarm cannot be taken back, so an interval that gets shorter leaves one behind.
_MOST_ALARMS = const(4)

# Milliseconds between two looks at a sensor that moves and has no update interval.
PERIOD = const(1000)


class TripPoint:
    """A threshold: `control` is 0 off, 1 on rising, 2 on falling, 3 on both; `value` is in the sensor's unit; `agent`:
    id of the agent that has set it."""

    def __init__(self):
        self.set(0, 0, 0)

    def set(self, control, value, agent):
        """Set what is watched for and where, for the agent with id `agent`."""
        self.control = control
        self.value = value
        self.agent = agent

    def crossed(self, before, now):
        """Return RISING or FALLING if a value that was `before` has come to the threshold in a direction that is
        watched for; 0 otherwise."""
        if self.control & RISING and before < self.value <= now:
            return RISING
        if self.control & FALLING and before > self.value >= now:
            return FALLING
        return 0


class Sampler:
    """Looks at one sensor and announces "trip", with the number of the trip point and the direction, and "update"."""

    def __init__(self, sensor):
        self._sensor = sensor
        self._last = None
        self._period = 0  # milliseconds of the alarm that counts, 0: none
        self._alarms = 0
        self._turn = None

    def begin(self):
        """Look from now on, and at the present interval, as somebody has subscribed or configured the sensor."""
        sensor = self._sensor
        if not sensor.enabled or sensor.axes:
            self._last = None
        elif self._last is None or not self._period:
            self._last = sensor.read()
        period = self._wanted()
        if self._has_to() and (not self._period or (period < self._period and self._alarms < _MOST_ALARMS)):
            self._arm(period)

    def _arm(self, period):
        """Look in `period` milliseconds; of alarms that are longer and were set before the last one counts."""
        self._period = period
        self._alarms += 1

        def ring():
            self._alarms -= 1
            if self._turn is ring:
                self._period = 0
                self._tick()

        self._turn = ring
        self._sensor.observer.platform.after(period, ring)

    def _has_to(self):
        sensor = self._sensor
        return sensor.enabled and (sensor.moving or sensor.interval)

    def look(self):
        """Announce what has happened since the last look, if the sensor can be read."""
        sensor = self._sensor
        if not sensor.enabled:
            return
        if not sensor.axes:
            self._look_at_trip_points(sensor.read())
        sensor.announce("update", 0)

    def _look_at_trip_points(self, value):
        before, self._last = self._last, value
        for number, trip_point in enumerate(self._sensor.trip_points):
            direction = 0 if before is None else trip_point.crossed(before, value)
            if direction:
                self._sensor.announce("trip", 0, number, direction)

    def _tick(self):
        sensor = self._sensor
        if sensor.observer.wanted(sensor) and self._has_to():
            self._arm(self._wanted())
            self.look()

    def _wanted(self):
        return self._sensor.interval or PERIOD
