# SPDX-License-Identifier: MIT
"""Sensor management protocol 3.1. Source: DEN0056F, 3.7."""

from hal.compat import const
from scmi.message import row
from scmi.protocols.common import Protocol, common_messages, no_events
from scmi.status import INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, OUT_OF_RANGE, PROTOCOL_ERROR
from scmi.ticks import microseconds
from scmi.wire import LONG_NAME, SHORT_NAME, high, low, paginate, put, text_words

PROTOCOL_ID = const(0x15)

_WORD = const(0xFFFFFFFF)

# sensor_attributes_low and sensor_attributes_high (3.7.2.5).
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

_INTERVAL_TRIPLET = const(1 << 12 | 3)

_MICROSECONDS = const(-6)

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


def _sensor_descriptor(sensor):
    """Return a sensor's descriptor as words.

    Resolution and range belong to the axes of a sensor that has axes, so its own descriptor ends with the power: Linux
    parses it so.
    """
    attributes_low = len(sensor.trip_points)
    attributes_high = sensor.unit.code | _five_bits(sensor.unit.exponent) << _EXPONENT_SHIFT
    if sensor.timestamps:
        attributes_low |= _TIMESTAMPS | _five_bits(_MICROSECONDS) << _TIMESTAMP_EXPONENT_SHIFT
    if len(sensor.name.encode()) >= SHORT_NAME:
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


def _axis_descriptor(axis):
    attributes_low = _AXIS_EXTENDED_NAME if len(axis.name.encode()) >= SHORT_NAME else 0
    attributes_high = axis.unit.code | _five_bits(axis.unit.exponent) << _EXPONENT_SHIFT
    extra = ()
    if axis.is_extended:
        attributes_low |= _AXIS_EXTENDED_ATTRIBUTES
        extra = (_resolution(axis),) + _limits(axis)
    return (axis.id, attributes_low, attributes_high) + text_words(axis.name, SHORT_NAME) + extra


def description_get(agent, protocol, request, reply, room):
    """SENSOR_DESCRIPTION_GET (3.7.2.5)."""
    return paginate(protocol.descriptors, request[1], reply, room, INVALID_PARAMETERS, 16)


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
    sensor.trip_points[number].set(request[2] & 3, value)
    return 8


def reading_get(agent, sensor, request, reply, room):
    """SENSOR_READING_GET (3.7.2.12). A sensor with one value that is not disabled, a PROTOCOL_ERROR here, has its reply
    ready."""
    if request[2]:
        return NOT_SUPPORTED
    if not sensor.enabled:
        return PROTOCOL_ERROR
    if not sensor.axes:
        sensor.ready(request[0], reply)
        return 24
    if 8 + 16 * len(sensor.axes) > room:
        return PROTOCOL_ERROR
    at = 2
    for axis in sensor.axes:
        at = _put_reading(axis, sensor.timestamping, reply, at)
    return at << 2


def _put_reading(quantity, stamped, reply, at):
    value = quantity.read()
    stamp = microseconds() if stamped else 0
    reply[at] = value & _WORD
    reply[at + 1] = value >> 32 & _WORD
    reply[at + 2] = stamp & _WORD
    reply[at + 3] = stamp >> 32 & _WORD
    return at + 4


def axis_description_get(agent, sensor, request, reply, room):
    """SENSOR_AXIS_DESCRIPTION_GET (3.7.2.6). The clause has no status for a wrong index; it gets that of 3.7.2.5."""
    if not sensor.axes:
        return NOT_SUPPORTED
    records = [_axis_descriptor(axis) for axis in sensor.axes]
    return paginate(records, request[2], reply, room, INVALID_PARAMETERS, 26)


def list_update_intervals(agent, sensor, request, reply, room):
    """SENSOR_LIST_UPDATE_INTERVALS (3.7.2.7): a list, or lowest, highest and step in one piece."""
    if sensor.interval_range:
        written = paginate((sensor.interval_range,), request[2], reply, room, OUT_OF_RANGE, 16)
        if written > 0:
            reply[2] = _INTERVAL_TRIPLET
        return written
    if not sensor.intervals:
        return NOT_SUPPORTED
    return paginate([(interval,) for interval in sensor.intervals], request[2], reply, room, OUT_OF_RANGE, 16)


def config_get(agent, sensor, request, reply, room):
    """SENSOR_CONFIG_GET (3.7.2.10)."""
    reply[2] = sensor.interval << 11 | (2 if sensor.timestamping else 0) | (1 if sensor.enabled else 0)
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
    sensor.configure(wanted & 1 != 0, wanted & 2 != 0, interval)
    return 8


def name_get(agent, sensor, request, reply, room):
    """SENSOR_NAME_GET (3.7.2.14)."""
    reply[2] = 0
    return put(reply, 3, text_words(sensor.name, LONG_NAME)) << 2


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
    VERSIONS = (0x30001,)
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
        row(
            0x4,
            "SENSOR_TRIP_POINT_NOTIFY",
            0x10000,
            ("sensor_id", "sensor_event_control"),
            (),
            no_events,
            flags=("sensor_event_control", 1),
            notifies=0x0,
        ),
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
        row(
            0xB,
            "SENSOR_CONTINUOUS_UPDATE_NOTIFY",
            0x20000,
            ("sensor_id", "sensor_event_control"),
            (),
            no_events,
            flags=("sensor_event_control", 1),
            notifies=0x1,
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
        self.descriptors = [_sensor_descriptor(sensor) for sensor in self.resources]

    def attributes(self, agent):
        """Number of sensors; no asynchronous readings, no shared memory of readings (three words)."""
        return (len(self.resources), 0, 0, 0)
