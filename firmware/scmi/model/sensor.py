# SPDX-License-Identifier: MIT
"""Sensors of a platform description. Source: DEN0056F, 3.7.1 and the fields of 3.7.2.5 to 3.7.2.12."""

from hal.compat import const
from scmi.model.collection import Collection
from scmi.model.interval import Intervals
from scmi.model.resource import Resource
from scmi.model.rules import (
    DescriptionError,
    integers_of,
    is_integer,
    items_of,
    require,
    require_flag,
    require_reading,
    require_unique,
)
from scmi.model.sampling import Sampler, TripPoint
from scmi.model.units import Unit
from scmi.ticks import microseconds
from scmi.wire import ready_reply

_MAX_TRIP_POINTS = const(255)
_MAX_AXES = const(63)

# Of the power of ten of a resolution, which has five signed bits.
_LEAST_EXPONENT = const(-16)


class Quantity(Resource):
    """Something that can be read: a sensor with one value, or one axis of a sensor."""

    KIND = "sensor"

    def __init__(self, name, unit, value=0, read=None, limits=None, resolution=None):
        """See `Sensor`."""
        super().__init__(name)
        subject = self.subject
        require(read is None or callable(read), subject, "read must be a function without arguments")
        self.unit = Unit(unit, subject)
        self.limits = self._checked_limits(limits)
        self.resolution = self._checked_resolution(resolution)
        self._source = read
        self._held = None
        if read is None:
            require_reading(value, subject)
            self._held = value

    def _checked_limits(self, limits):
        if limits is None:
            return None
        limits = integers_of(limits, self.subject, "limits", "(lowest, highest)")
        for limit in limits:
            require_reading(limit, self.subject, "a limit")
        require(limits[0] <= limits[1], self.subject, f"limits {limits!r} must begin with the lowest value")
        return limits

    def _checked_resolution(self, resolution):
        if resolution is None:
            return None
        form = "(27-bit value, exponent from -16 to 15)"
        value, exponent = integers_of(resolution, self.subject, "resolution", form)
        holds = 0 <= value < 1 << 27 and _LEAST_EXPONENT <= exponent < -_LEAST_EXPONENT
        require(holds, self.subject, f"resolution must be {form}, not {resolution!r}")
        return (value, exponent)

    @property
    def moving(self):
        """True while the value comes from the `read` function."""
        return self._held is None

    @property
    def value(self):
        """The reading in the sensor's unit. Set it to hold a value; set None to go back to the `read` function."""
        return self.read()

    @value.setter
    def value(self, value):
        self.hold(value)

    def hold(self, value):
        """Hold `value` from now on, or take it from the `read` function again if it is None."""
        if value is None:
            require(
                self._source is not None, self.subject, "has no read function to go back to, so value must be a number"
            )
        else:
            require_reading(value, self.subject)
        self._held = value
        self.refresh()
        self.changed()

    def changed(self):
        """Tell those who want to know that there is another value."""

    def read(self):
        """Return the value now, an int."""
        held = self._held
        return self._source() if held is None else held

    def shown(self):
        """Return the value as text; a `read` function that fails must not take a whole table away."""
        try:
            return str(self.read())
        except Exception as error:
            return f"read failed: {error!r}"

    def refresh(self):
        """Bring what is derived from the value up to date."""

    @property
    def is_extended(self):
        """True if the descriptor needs the extended attributes."""
        return self.limits is not None or self.resolution is not None


class Axis(Quantity):
    """One axis of a sensor: arguments as for `Sensor`. `sensor`: the one that it belongs to."""

    KIND = "axis"
    sensor = None

    def changed(self):
        """Tell those who want to know of the sensor."""
        self.sensor.changed()

    def row(self):
        """Return the columns of a table for people."""
        return (str(self.id), self.name, self.shown(), self.unit.symbol)

    def __repr__(self):
        return "axis " + "  ".join(self.row())


class Sensor(Quantity):
    """A sensor as the frontends see it."""

    def __init__(
        self,
        name,
        unit,
        value=0,
        read=None,
        limits=None,
        resolution=None,
        power=None,
        trip_points=0,
        intervals=(),
        interval_range=None,
        timestamps=False,
        axes=(),
        enabled=True,
        delay=None,
        shared=False,
    ):
        """Describe a sensor; DescriptionError if a rule is broken.

        `name`: 1 to 63 bytes. `unit`: see `scmi.model.units`. `value`: what it holds, a whole number in that unit, or
        `read`: a function that returns it. `limits`: (lowest, highest) that it can measure, in that unit.
        `resolution`: (value, power-of-ten exponent). `power`: microwatts that it draws. `trip_points`: how many.
        `intervals`: update intervals in milliseconds, or `interval_range`: (lowest, highest, step). `timestamps`:
        readings can carry the time in microseconds. `axes`: `Axis` objects; such a sensor has no value of its own.
        `enabled`: whether it can be read before anybody enables it. `delay`: how long an asynchronous reading takes
        (`scmi.model.resource`); None: there are none. Linux 6.12 reads asynchronously whenever it can. `shared`: its
        readings also stand in shared memory, for frontends that use it (`scmi.statistics`).
        """
        self.timestamps = False
        self.axes = ()
        self._enabled = False
        self._timestamping = False
        super().__init__(name, unit, value, read, limits, resolution)
        self.timestamps = require_flag(timestamps, self.subject, "timestamps")
        self._enabled = require_flag(enabled, self.subject, "enabled")
        require(
            is_integer(trip_points) and 0 <= trip_points <= _MAX_TRIP_POINTS,
            self.subject,
            "trip_points must be 0 to 255",
        )
        holds = power is None or (is_integer(power) and 0 <= power < 1 << 32)
        require(holds, self.subject, "power must be whole microwatts that fit 32 bits")
        self.power = power
        self.trip_points = [TripPoint() for _ in range(trip_points)]
        self.axes = self._checked_axes(axes)
        self._intervals = Intervals(intervals, interval_range, self.subject)
        self._interval = self._intervals.first
        self.delay = self.checked_delay(delay)
        self.shared = require_flag(shared, self.subject, "shared")
        self._sampler = Sampler(self)
        self._configured_by = 0
        self._initially_enabled = enabled
        self.refresh()

    def _checked_axes(self, axes):
        axes = items_of(axes, self.subject, "axes")
        if not axes:
            return ()
        require(len(axes) <= _MAX_AXES, self.subject, "may have 63 axes at most")
        for number, axis in enumerate(axes):
            require(
                isinstance(axis, Axis), self.subject, f"axis number {number} is a {type(axis).__name__}, not an Axis"
            )
        own = self._source is not None or self._held != 0 or self.limits is not None or self.resolution is not None
        require(not own, self.subject, "has axes, so value, read, limits and resolution must stand in them")
        require_unique(axes, self.subject, "axes")
        for number, axis in enumerate(axes):
            axis.id = number
            axis.sensor = self
        return Collection(axes, "axis")

    def refresh(self):
        """Derive `ready` (see `scmi.message`): None if the sensor cannot be read or has axes.

        At the prompt a message can come in between and change the same sensor, so it looks whether that happened.
        """
        state = None
        while state != self._state():
            state = self._state()
            self.ready = self._ready(*state)

    def _state(self):
        return (self._held, self._enabled, self._timestamping)

    def _ready(self, held, enabled, timestamping):
        if not enabled or self.axes:
            return None
        return ready_reply(self._source if held is None else held, microseconds if timestamping else 0)

    @property
    def enabled(self):
        """Whether it can be read. A frontend and the prompt may set it."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled):
        self._enabled = require_flag(enabled, self.subject, "enabled")
        self._configured(0)

    @property
    def timestamping(self):
        """Whether readings carry the time. A frontend and the prompt may set it."""
        return self._timestamping

    @timestamping.setter
    def timestamping(self, stamped):
        require(self.timestamps or not stamped, self.subject, "has no timestamps")
        self._timestamping = require_flag(stamped, self.subject, "timestamping")
        self._configured(0)

    @property
    def moving(self):
        """True while the value, or that of any axis, comes from a `read` function."""
        return any(axis.moving for axis in self.axes) if self.axes else self._held is None

    def read(self):
        """Return the value now, an int, or a list with one per axis."""
        if self.axes:
            return [axis.read() for axis in self.axes]
        return super().read()

    def hold(self, value):
        """Hold `value`; a sensor with axes holds none of its own."""
        if self.axes:
            raise DescriptionError(
                f"{self.subject}: has axes; set one of them, such as .axes[{self.axes[0].name!r}].value"
            )
        super().hold(value)

    @property
    def is_extended(self):
        """True if the descriptor needs the extended attributes."""
        return self.power is not None or (not self.axes and (self.limits is not None or self.resolution is not None))

    @property
    def intervals(self):
        """The update intervals that it can have, in milliseconds, where they are a list."""
        return self._intervals.listed

    @property
    def interval_range(self):
        """(lowest, highest, step) of its update interval in milliseconds, or None."""
        return self._intervals.limits

    @property
    def interval(self):
        """The update interval in milliseconds; 0 if it has none. At the prompt it may be set to a possible one."""
        return self._interval

    @interval.setter
    def interval(self, ms):
        self._interval = self._intervals.require(ms, self.subject)
        self._configured(0)

    @property
    def can_change_interval(self):
        """True if there is more to choose from than nothing."""
        return bool(self.intervals or self.interval_range)

    def rounded_interval(self, wanted, mode):
        """Return the interval in milliseconds that `wanted`, as messages have it, rounds to, or None."""
        return self._intervals.rounded(wanted, mode)

    def configure(self, enabled, timestamping, interval, agent):
        """Apply a configuration for the agent with id `agent`; `interval` in milliseconds."""
        self._enabled = enabled
        self._timestamping = timestamping
        self._interval = interval
        self._configured(agent)

    def _configured(self, agent):
        self._configured_by = agent
        self.refresh()
        self.begin_telling()

    def begin_telling(self):
        """Look at trip points and update intervals, if somebody wants to be told."""
        if self.observer:
            self._sampler.begin()

    def changed(self):
        """Tell those who want to know that there is another value."""
        if self.observer:
            self._sampler.look()

    def restore(self, agent):
        """Go back to the configuration of the description; the value stays, it is not an agent's to set."""
        for trip_point in self.trip_points:
            if trip_point.agent == agent:
                trip_point.set(0, 0, 0)
        if self._configured_by == agent:
            self.configure(self._initially_enabled, False, self._intervals.first, 0)

    def row(self):
        """Return the columns of a table for people."""
        marks = [mark for mark, set_ in (("moving", self.moving), ("disabled", not self.enabled)) if set_]
        if self.axes:
            text = ", ".join(f"{axis.name} {axis.shown()} {axis.unit.symbol}" for axis in self.axes)
            return (str(self.id), self.name, text, "", " ".join(marks))
        return (str(self.id), self.name, self.shown(), self.unit.symbol, " ".join(marks))

    def __repr__(self):
        return "sensor " + "  ".join(self.row()).rstrip()
