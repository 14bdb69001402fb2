# SPDX-License-Identifier: MIT
"""The dispatcher: order of the checks, errors of handlers, counters, allocation."""

from array import array

from scmi.message import payload_words, word_of
from scmi.platform import Platform, Sensor
from scmi.status import DENIED, GENERIC_ERROR, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from scmi_client import Client, header
from scmi_example import (
    BASE,
    CLOCK,
    DEEP,
    FIXED,
    GUEST,
    LIST,
    LOCKED,
    MOVING,
    MUX,
    OFF,
    PLAIN,
    POWER,
    RANGE,
    RATES,
    SENSOR,
    SOC,
    client,
    guest_of,
)
from support import raises, without_allocation

NOBODY = 1000


def test_size_comes_before_flags_flags_before_resource_resource_before_permission():
    scmi = client()
    assert scmi.call(CLOCK, 0x5, 0xFF, NOBODY, 1) == (PROTOCOL_ERROR, [])
    assert scmi.call(CLOCK, 0x5, 0xFF, NOBODY, 1, 0) == (INVALID_PARAMETERS, [])
    assert scmi.call(CLOCK, 0x5, 1, NOBODY, 1, 0) == (NOT_FOUND, [])
    assert scmi.call(CLOCK, 0x5, 1, LOCKED, 1, 0) == (DENIED, [])
    assert scmi.call(CLOCK, 0x5, 1, FIXED, 1, 0) == (NOT_SUPPORTED, [])


def test_order_of_checks_for_replies_that_are_ready():
    scmi = client()
    scmi.ok(BASE, 0x9, GUEST, SOC, 0)
    guest = guest_of(scmi)
    assert guest.call(SENSOR, 0x6, NOBODY, 2, 0, room=8) == (PROTOCOL_ERROR, [])
    assert guest.call(SENSOR, 0x6, NOBODY, 2, room=8) == (INVALID_PARAMETERS, [])
    assert guest.call(SENSOR, 0x6, NOBODY, 1, room=8) == (NOT_FOUND, [])
    assert guest.call(SENSOR, 0x6, PLAIN, 1, room=8) == (DENIED, [])
    assert scmi.call(SENSOR, 0x6, PLAIN, 1, room=8) == (PROTOCOL_ERROR, [])
    assert scmi.call(SENSOR, 0x6, PLAIN, 1) == (NOT_SUPPORTED, [])


def test_exception_of_a_backend_is_a_generic_error_that_is_counted():
    def broken():
        raise LookupError("the sensor has fallen off")

    scmi = Client(Platform([Sensor("plain", "volt", 45_000), Sensor("broken", "volt", read=broken)]).agents[0])
    for _ in range(3):
        assert scmi.call(SENSOR, 0x6, 1, 0) == (GENERIC_ERROR, [])
    assert scmi.backend.failures == 3
    assert "message 0x6" in scmi.backend.last_failure and "fallen off" in scmi.backend.last_failure
    assert scmi.ok(SENSOR, 0x6, PLAIN, 0)[0] == 45_000


def test_value_that_is_no_number_is_a_generic_error():
    for value in ("warm", 1.5, None):
        scmi = Client(Platform([Sensor("s", "volt", read=lambda value=value: value)]).agents[0])
        assert scmi.call(SENSOR, 0x6, 0, 0) == (GENERIC_ERROR, [])


def test_refusals_are_counted_by_status():
    scmi = client()
    scmi.call(0x7F, 0)
    scmi.call(0x7F, 0)
    scmi.call(BASE, 0x55)
    scmi.ok(BASE, 0x0)
    assert scmi.backend.refused == {NOT_SUPPORTED: 2, NOT_FOUND: 1}


def test_reset_of_the_device_keeps_what_was_set():
    scmi = client()
    scmi.ok(CLOCK, 0x7, FIXED, 0, 0)
    scmi.ok(POWER, 0x4, 0, DEEP, OFF)
    scmi.backend.reset()
    assert scmi.ok(CLOCK, 0xB, FIXED, 0) == [0, 0, 0]
    assert scmi.ok(POWER, 0x5, DEEP) == [OFF]
    assert scmi.ok(BASE, 0x0) == [0x20001]


def test_an_older_version_has_no_newer_messages():
    """CLOCK_CONFIG_GET came with 3.0, CLOCK_NAME_GET with 2.0."""
    scmi = client()
    protocol = scmi.platform.protocols[CLOCK]
    for version, names, configs in ((0x20000, True, False), (0x10000, False, False), (0x30000, True, True)):
        scmi.backend.serve(protocol, version)
        assert scmi.ok(CLOCK, 0x0) == [version]
        for message, there in ((0x8, names), (0xB, configs)):
            words = (FIXED,) if message == 0x8 else (FIXED, 0)
            assert scmi.call(CLOCK, message, *words)[0] == (0 if there else NOT_FOUND)
            assert scmi.call(CLOCK, 0x2, message)[0] == (0 if there else NOT_FOUND)
        assert guest_of(scmi).ok(CLOCK, 0x0) == [0x30000], "versions belong to one agent"
        assert scmi.ok(CLOCK, 0x6, FIXED) == [24_000_000, 0]


def test_reset_of_the_device_forgets_the_version():
    scmi = client()
    scmi.backend.serve(scmi.platform.protocols[CLOCK], 0x20000)
    scmi.backend.reset()
    assert scmi.ok(CLOCK, 0x0) == [0x30000] and scmi.ok(CLOCK, 0xB, FIXED, 0) == [0, 1, 0]


def test_what_messages_are_checked_with_is_made_once_for_each_version():
    """A frontend may negotiate, and begin a new life, all the time: others wait for it meanwhile."""
    scmi = client()
    protocol = scmi.platform.protocols[CLOCK]
    newest = dict(scmi.backend.handle.rows)

    def is_newest():
        rows = scmi.backend.handle.rows
        return set(rows) == set(newest) and all(rows[at] is newest[at] for at in newest)

    scmi.backend.serve(protocol, 0x20000)
    older = dict(scmi.backend.handle.rows)
    assert set(older) < set(newest)
    scmi.backend.serve(protocol, protocol.newest)
    assert is_newest()
    scmi.backend.serve(protocol, 0x20000)
    assert all(scmi.backend.handle.rows[at] is older[at] for at in older)
    scmi.backend.reset()
    assert is_newest()


def test_every_row_is_complete():
    for protocol in client().platform.protocols.values():
        numbers = set()
        for (
            number,
            name,
            since,
            request,
            reply,
            handler,
            flags,
            access,
            asynchronous,
            notifies,
            ready,
        ) in protocol.MESSAGES:
            assert (number, since) not in numbers and 0 <= number <= 0xFF
            numbers.add((number, since))
            assert since <= protocol.VERSIONS[0] and callable(handler), name
            assert payload_words(request) <= 31 and payload_words(reply) <= 32, name
            assert flags is None or word_of(request, flags[0]), name
            assert not asynchronous or asynchronous & flags[1] == asynchronous, name
            assert notifies is None or not reply, name
            assert not ready or (word_of(request, protocol.RESOURCE) == 1 and not access), name
            assert access in (0, 1 << 29, 1 << 30, 1 << 31), name


def test_an_agent_belongs_to_one_platform():
    scmi = client()
    error = raises(ValueError, scmi.backend.join, scmi.platform, 3)
    assert "another platform" in str(error)


def _long_way(*arguments):
    raise AssertionError("answered the long way round: the ready reply has failed, perhaps for want of memory")


def _repeat(scmi, protocol, message, *words):
    """Warm up, then answer the message again without allocating, from what is ready."""
    scmi.backend._answer = _long_way
    _repeat_either_way(scmi, protocol, message, *words)


def _repeat_either_way(scmi, protocol, message, *words):
    """Warm up, then answer the message again without allocating."""
    handle, request, reply = scmi.backend.handle, scmi.request, scmi.reply
    length = 4 + 4 * len(words)
    request[0] = header(protocol, message, token=5)
    for index, word in enumerate(words):
        request[1 + index] = word
    for _ in range(3):
        assert handle(request, length, reply, 136) > 8
    assert without_allocation(lambda: handle(request, length, reply, 136)) > 8


def test_reading_a_sensor_does_not_allocate():
    for sensor in (PLAIN, MOVING):
        _repeat(client(), SENSOR, 0x6, sensor, 0)


def test_reading_a_sensor_with_timestamp_does_not_allocate():
    scmi = client()
    scmi.ok(SENSOR, 0xA, 2, 3)
    _repeat(scmi, SENSOR, 0x6, 2, 0)


def test_reading_the_rate_of_a_clock_does_not_allocate():
    for clock in (FIXED, LIST, MUX):
        _repeat(client(), CLOCK, 0x6, clock)


def test_setting_the_rate_of_a_clock_does_not_allocate():
    scmi = client()
    handle, request, reply = scmi.backend.handle, scmi.request, scmi.reply
    for clock, rates in ((LIST, (RATES[3], RATES[7])), (RANGE, (5_000_000_000, 6_000_000_000))):
        request[0], request[1], request[2] = header(CLOCK, 0x5), 0, clock
        for count in range(6):
            request[3], request[4] = rates[count & 1] & 0xFFFFFFFF, rates[count & 1] >> 32
            if count < 4:
                assert handle(request, 20, reply, 136) == 8
            else:
                assert without_allocation(lambda: handle(request, 20, reply, 136)) == 8
            assert reply[1] == 0 and scmi.platform.clocks[clock].rate == rates[count & 1]


def test_reading_the_state_of_a_power_domain_does_not_allocate():
    _repeat_either_way(client(), POWER, 0x5, DEEP)


def test_reading_the_default_model_does_not_allocate():
    from models.default import platform

    scmi = Client(platform.agents[0])
    for sensor in range(8):
        _repeat(scmi, SENSOR, 0x6, sensor, 0)
    for clock in range(8):
        _repeat(scmi, CLOCK, 0x6, clock)


def test_request_longer_than_its_array_is_refused_by_its_length():
    scmi = client()
    scmi.request = array("I", [0] * 4)
    scmi.request[0] = header(SENSOR, 0x6)
    assert scmi.backend.handle(scmi.request, 4096, scmi.reply, 136) == 8
    assert scmi.reply[1] == PROTOCOL_ERROR & 0xFFFFFFFF
