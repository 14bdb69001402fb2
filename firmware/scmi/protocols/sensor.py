# SPDX-License-Identifier: MIT
"""Sensor management protocol 3.1, 3.0, 2.0 and 1.0. Source: DEN0056F, 3.7.

Version 1.0 has neither axes nor timestamps, and one update interval that cannot be changed; long names came with 3.0.
"""

from hal.compat import const
from scmi.delayed import MAX_OPEN
from scmi.message import event, row
from scmi.model.interval import to_wire
from scmi.model.sampling import RISING
from scmi.protocols.common import Protocol, common_messages, name_get, notify_row
from scmi.status import INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, OUT_OF_RANGE, PROTOCOL_ERROR
from scmi.ticks import microseconds
from scmi.wire import LONG_NAME, SHORT_NAME, high, low, paginate, put, put_range, text_words

PROTOCOL_ID = const(0x15)

_SECOND = const(0x20000)
_THIRD = const(0x30000)

_WORD = const(0xFFFFFFFF)

# attributes (3.7.2.3)
_MAX_OPEN_SHIFT = const(16)

# sensor_attributes_low and sensor_attributes_high (3.7.2.5).
_DELAYS = const(1 << 31)
_UPDATES = const(1 << 30)
_EXTENDED_NAME = const(1 << 29)
_TIMESTAMP_EXPONENT_SHIFT = const(10)
_TIMESTAMPS = const(1 << 9)
_EXTENDED_ATTRIBUTES = const(1 << 8)
_AXIS_COUNT_SHIFT = const(16)
_EXPONENT_SHIFT = const(11)
_AXES = const(1 << 8)

# axis_attributes_low (3.7.2.6).
_AXIS_EXTENDED_NAME = const(1 << 9)
_AXIS_EXTENDED_ATTRIBUTES = const(1 << 8)

_RESOLUTION_EXPONENT_SHIFT = const(27)


_MICROSECONDS = const(-6)

# The update interval in sensor_attributes_high of version 1.0.
_FIRST_INTERVAL_SHIFT = const(27)
_FIRST_EXPONENT_SHIFT = const(22)

# trip_point_desc (3.7.3.1)
_RISEN = const(1 << 16)

# What a sensor that does not tell its range reports: the whole of a signed 64-bit number (3.7.2.5).
_LOWEST = const(-0x8000000000000000)
_HIGHEST = const(0x7FFFFFFFFFFFFFFF)


def _five_bits(exponent):
    return exponent & 0x1F


def _resolution(quantity):
    if quantity.resolution is None:
        return 0
    value, exponent = quantity.resolution
    return _five_bits(exponent) << _RESOLUTION_EXPONENT_SHIFT | value


def _limits(quantity):
    lowest, highest = quantity.limits or (_LOWEST, _HIGHEST)
    return (low(lowest), high(lowest), low(highest), high(highest))


def _first_descriptor(sensor, hears):
    """Return a sensor's descriptor as words, as version 1.0 has it."""
    attributes_low = len(sensor.trip_points) | (_DELAYS if hears and sensor.delay is not None else 0)
    attributes_high = sensor.unit.code | _five_bits(sensor.unit.exponent) << _EXPONENT_SHIFT
    return (sensor.id, attributes_low, attributes_high | _first_interval(sensor)) + text_words(sensor.name, SHORT_NAME)


def _first_interval(sensor):
    """Return the update interval as five bits of value and five of a power of ten; 0 if it has none or does not fit."""
    interval = to_wire(sensor.interval)
    value, exponent = interval >> 5, interval & 0x1F
    while value > 0x1F and value % 10 == 0:
        value, exponent = value // 10, exponent + 1
    if value > 0x1F:
        return 0
    return value << _FIRST_INTERVAL_SHIFT | _five_bits(exponent) << _FIRST_EXPONENT_SHIFT


def _sensor_descriptor(sensor, hears, version):
    """Return a sensor's descriptor as words, as versions from 2.0 on have it.

    Resolution and range belong to the axes of a sensor that has axes, so its own descriptor ends with the power: Linux
    parses it so.
    """
    attributes_low = len(sensor.trip_points)
    attributes_high = sensor.unit.code | _five_bits(sensor.unit.exponent) << _EXPONENT_SHIFT
    if hears:
        attributes_low |= _UPDATES if sensor.delay is None else _UPDATES | _DELAYS
    if sensor.timestamps:
        attributes_low |= _TIMESTAMPS | _five_bits(_MICROSECONDS) << _TIMESTAMP_EXPONENT_SHIFT
    if len(sensor.name.encode()) >= SHORT_NAME and version >= _THIRD:
        attributes_low |= _EXTENDED_NAME
    if sensor.axes:
        attributes_high |= _AXES | len(sensor.axes) << _AXIS_COUNT_SHIFT
    extra = ()
    if sensor.is_extended:
        attributes_low |= _EXTENDED_ATTRIBUTES
        extra = (sensor.power or 0,)
        if not sensor.axes:
            extra += (_resolution(sensor),) + _limits(sensor)
    return (sensor.id, attributes_low, attributes_high) + text_words(sensor.name, SHORT_NAME) + extra


def _axis_descriptor(axis, version):
    attributes_low = _AXIS_EXTENDED_NAME if len(axis.name.encode()) >= SHORT_NAME and version >= _THIRD else 0
    attributes_high = axis.unit.code | _five_bits(axis.unit.exponent) << _EXPONENT_SHIFT
    extra = ()
    if axis.is_extended:
        attributes_low |= _AXIS_EXTENDED_ATTRIBUTES
        extra = (_resolution(axis),) + _limits(axis)
    return (axis.id, attributes_low, attributes_high) + text_words(axis.name, SHORT_NAME) + extra


def description_get(agent, protocol, request, reply, room):
    """SENSOR_DESCRIPTION_GET (3.7.2.5)."""
    return paginate(protocol.descriptors(agent), request[1], reply, room, INVALID_PARAMETERS, 16)


def trip_point_config(agent, sensor, request, reply, room):
    """SENSOR_TRIP_POINT_CONFIG (3.7.2.9)."""
    if not sensor.trip_points:
        return NOT_SUPPORTED
    number = request[2] >> 4
    if number >= len(sensor.trip_points):
        return INVALID_PARAMETERS
    value = request[4] << 32 | request[3]
    if value >> 63:
        value -= 1 << 64
    agent.note(sensor)
    sensor.trip_points[number].set(request[2] & 3, value, agent.id)
    return 8


def reading_get(agent, sensor, request, reply, room):
    """SENSOR_READING_GET (3.7.2.12). A sensor with one value that is not disabled, a PROTOCOL_ERROR here, has its reply
    ready."""
    if request[2]:
        return _read_later(agent, sensor, request)
    if not sensor.enabled:
        return PROTOCOL_ERROR
    if not sensor.axes:
        sensor.ready(request[0], reply)
        return 24
    if 8 + 16 * len(sensor.axes) > room:
        return PROTOCOL_ERROR
    return _put_readings(sensor, reply, 2) << 2


def _put_readings(sensor, words, at):
    """Put value and time of a sensor, or of each of its axes, into `words` from `at` on; return the index behind."""
    for quantity in sensor.axes or (sensor,):
        value, stamp = quantity.read(), microseconds() if sensor.timestamping else 0
        words[at] = value & _WORD
        words[at + 1] = value >> 32 & _WORD
        words[at + 2] = stamp & _WORD
        words[at + 3] = stamp >> 32 & _WORD
        at += 4
    return at


def first_reading_get(agent, sensor, request, reply, room):
    """SENSOR_READING_GET of version 1.0: a value without time; of a sensor with axes the first axis."""
    if request[2]:
        return _read_later(agent, sensor, request)
    if not sensor.enabled:
        return PROTOCOL_ERROR
    return put(reply, 2, _value(sensor)) << 2


def _read_later(agent, sensor, request):
    if sensor.delay is not None and agent.hears and not sensor.enabled:
        return PROTOCOL_ERROR
    return agent.later(request[0], sensor, lambda: _finish(agent, sensor))


def _finish(agent, sensor):
    """Return the payload of SENSOR_READING_COMPLETE (3.7.3.3), or a status if it has been disabled since."""
    if not sensor.enabled:
        return PROTOCOL_ERROR
    return (sensor.id,) + (_readings(sensor) if agent.versions[PROTOCOL_ID] >= _SECOND else _value(sensor))


def _value(sensor):
    value = (sensor.axes[0] if sensor.axes else sensor).read()
    return (low(value), high(value))


def _readings(sensor):
    words = [0] * (4 * max(len(sensor.axes), 1))
    _put_readings(sensor, words, 0)
    return tuple(words)


def tripped(sensor, agent, number, direction):
    """Return the payload of SENSOR_TRIP_POINT_EVENT (3.7.4.1)."""
    return (agent, sensor.id, number | (_RISEN if direction == RISING else 0))


def updated(sensor, agent):
    """Return the payload of SENSOR_UPDATE (3.7.4.2)."""
    return (agent, sensor.id) + _readings(sensor)


def axis_description_get(agent, sensor, request, reply, room):
    """SENSOR_AXIS_DESCRIPTION_GET (3.7.2.6). The clause has no status for a wrong index; it gets that of 3.7.2.5."""
    if not sensor.axes:
        return NOT_SUPPORTED
    records = [_axis_descriptor(axis, agent.versions[PROTOCOL_ID]) for axis in sensor.axes]
    return paginate(records, request[2], reply, room, INVALID_PARAMETERS, 26)


def list_update_intervals(agent, sensor, request, reply, room):
    """SENSOR_LIST_UPDATE_INTERVALS (3.7.2.7): a list, or lowest, highest and step in one piece."""
    if sensor.interval_range:
        triplet = tuple(to_wire(ms) for ms in sensor.interval_range)
        return put_range(triplet, request[2], reply, room, OUT_OF_RANGE)
    if not sensor.intervals:
        return NOT_SUPPORTED
    return paginate([(to_wire(ms),) for ms in sensor.intervals], request[2], reply, room, OUT_OF_RANGE, 16)


def config_get(agent, sensor, request, reply, room):
    """SENSOR_CONFIG_GET (3.7.2.10)."""
    reply[2] = to_wire(sensor.interval) << 11 | (2 if sensor.timestamping else 0) | (1 if sensor.enabled else 0)
    return 12


def config_set(agent, sensor, request, reply, room):
    """SENSOR_CONFIG_SET (3.7.2.11). Bits 31:11 are 0: the update interval stays as it is."""
    wanted = request[2]
    if wanted & 2 and not sensor.timestamps:
        return NOT_SUPPORTED
    interval = sensor.interval
    if wanted >> 11:
        if not sensor.can_change_interval:
            return NOT_SUPPORTED
        interval = sensor.rounded_interval(wanted >> 11, wanted >> 9 & 3)
        if interval is None:
            return INVALID_PARAMETERS
    agent.note(sensor)
    sensor.configure(wanted & 1 != 0, wanted & 2 != 0, interval, agent.id)
    return 8


def axis_name_get(agent, sensor, request, reply, room):
    """SENSOR_AXIS_NAME_GET (3.7.2.15): names of all axes from the given one on."""
    if not sensor.axes:
        return NOT_SUPPORTED
    records = [(axis.id,) + text_words(axis.name, LONG_NAME) for axis in sensor.axes]
    return paginate(records, request[2], reply, room, NOT_FOUND, 26)


class SensorProtocol(Protocol):
    """The sensor protocol of a platform; resources are `scmi.model.sensor.Sensor` objects."""

    ID = PROTOCOL_ID
    NAME = "sensor"
    VERSIONS = (0x30001, _THIRD, _SECOND, 0x10000)
    EVENTS = (
        event(
            0x0,
            "trip",
            "SENSOR_TRIP_POINT_EVENT",
            0x10000,
            ("agent_id", "sensor_id", "trip_point_desc"),
            tripped,
        ),
        event(0x1, "update", "SENSOR_UPDATE", _SECOND, ("agent_id", "sensor_id", "readings[4]"), updated),
    )
    RESOURCE = "sensor_id"
    MESSAGES = common_messages(("attributes", "sensor_reg_address*2", "sensor_reg_len"), 0x30001) + (
        row(
            0x3,
            "SENSOR_DESCRIPTION_GET",
            0x10000,
            ("desc_index",),
            ("num_sensor_flags", "desc[7]"),
            description_get,
        ),
        notify_row(0x4, "SENSOR_TRIP_POINT_NOTIFY", 0x10000, 0x0, "trip", ("sensor_id", "sensor_event_control")),
        row(
            0x5,
            "SENSOR_TRIP_POINT_CONFIG",
            0x10000,
            ("sensor_id", "trip_point_ev_ctrl", "value*2"),
            (),
            trip_point_config,
            flags=("trip_point_ev_ctrl", 0xFF3),
        ),
        row(
            0x6,
            "SENSOR_READING_GET",
            0x10000,
            ("sensor_id", "flags"),
            ("value*2",),
            first_reading_get,
            flags=("flags", 1),
            asynchronous=1,
        ),
        row(
            0x6,
            "SENSOR_READING_GET",
            _SECOND,
            ("sensor_id", "flags"),
            ("value*2", "timestamp*2", "further_axes[4]"),
            reading_get,
            flags=("flags", 1),
            asynchronous=1,
            ready=True,
        ),
        row(
            0x7,
            "SENSOR_AXIS_DESCRIPTION_GET",
            0x20000,
            ("sensor_id", "axis_desc_index"),
            ("num_axis_flags", "desc[7]"),
            axis_description_get,
        ),
        row(
            0x8,
            "SENSOR_LIST_UPDATE_INTERVALS",
            0x20000,
            ("sensor_id", "index"),
            ("num_intervals_flags", "intervals[1]"),
            list_update_intervals,
        ),
        row(0x9, "SENSOR_CONFIG_GET", 0x20000, ("sensor_id",), ("sensor_config",), config_get),
        row(
            0xA,
            "SENSOR_CONFIG_SET",
            0x20000,
            ("sensor_id", "sensor_config"),
            (),
            config_set,
            flags=("sensor_config", 0xFFFFFE03),
        ),
        notify_row(
            0xB, "SENSOR_CONTINUOUS_UPDATE_NOTIFY", _SECOND, 0x1, "update", ("sensor_id", "sensor_event_control")
        ),
        row(0xC, "SENSOR_NAME_GET", 0x30000, ("sensor_id",), ("flags", "name*16"), name_get),
        row(
            0xD,
            "SENSOR_AXIS_NAME_GET",
            0x30000,
            ("sensor_id", "axis_index"),
            ("num_axis_flags", "desc[17]"),
            axis_name_get,
        ),
    )

    def __init__(self, platform, resources):
        super().__init__(platform, resources)
        self._descriptors = {}

    def descriptors(self, agent):
        """Return the descriptors of all sensors as `agent` sees them."""
        seen = (agent.versions[PROTOCOL_ID], agent.hears)
        if seen not in self._descriptors:
            self._descriptors[seen] = [self._descriptor(sensor, *seen) for sensor in self.resources]
        return self._descriptors[seen]

    def _descriptor(self, sensor, version, hears):
        if version < _SECOND:
            return _first_descriptor(sensor, hears)
        return _sensor_descriptor(sensor, hears, version)

    def attributes(self, agent):
        """Number of sensors, and of asynchronous readings at a time; where readings stand in shared memory."""
        delays = agent.hears and any(sensor.delay is not None for sensor in self.resources)
        attributes = len(self.resources) | (MAX_OPEN << _MAX_OPEN_SHIFT if delays else 0)
        return (attributes,) + self.platform.statistics.words(agent, self.ID)
