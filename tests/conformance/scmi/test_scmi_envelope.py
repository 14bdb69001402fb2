# SPDX-License-Identifier: MIT
"""Header, type, protocol, message and size: what precedes every protocol. Source: DEN0056F, 3.1; virtio 1.3, 5.17."""

from scmi.status import NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from scmi_client import header
from scmi_example import (
    BASE,
    CLOCK,
    PERFORMANCE,
    PINCTRL,
    PLAIN,
    POWER,
    POWERCAP,
    RESET,
    SENSOR,
    SYSTEM,
    VOLTAGE,
    client,
)

PROTOCOLS = (BASE, POWER, SYSTEM, PERFORMANCE, CLOCK, SENSOR, RESET, VOLTAGE, POWERCAP, PINCTRL)


def test_reply_repeats_the_whole_header_with_its_token():
    scmi = client()
    head = header(BASE, 0, token=0x3FF)
    assert scmi.raw(head) == 12
    assert scmi.reply[0] == head


def test_same_token_twice_is_answered_twice():
    scmi = client()
    head = header(BASE, 0, token=7)
    assert scmi.raw(head) == 12
    assert scmi.raw(head) == 12


def test_unknown_protocol_is_not_supported():
    for protocol in (0x00, 0x1A, 0x7F, 0x80, 0xFF):
        assert client().call(protocol, 0) == (NOT_SUPPORTED, [])


def test_unknown_message_is_not_found():
    for protocol, first in (
        (BASE, 0xC),
        (POWER, 0x9),
        (SYSTEM, 0x6),
        (PERFORMANCE, 0xD),
        (CLOCK, 0x11),
        (SENSOR, 0xE),
        (RESET, 0x7),
        (VOLTAGE, 0xA),
        (POWERCAP, 0xD),
        (PINCTRL, 0xB),
    ):
        for message in (first, 0x11, 0x20, 0xFF):
            assert client().call(protocol, message, 1, 2, 3) == (NOT_FOUND, [])


def test_types_other_than_command_are_protocol_errors():
    for kind in (1, 2, 3):
        for protocol in PROTOCOLS + (0x7F,):
            assert client().call(protocol, 0, kind=kind) == (PROTOCOL_ERROR, [])


def test_request_that_is_too_short_or_too_long_is_a_protocol_error():
    scmi = client()
    for protocol in PROTOCOLS:
        for length in (5, 7, 8, 12, 128, 256, 300, 100_000):
            assert scmi.call(protocol, 0x0, length=length) == (PROTOCOL_ERROR, [])
        for length in (4, 6, 7, 9, 12, 1 << 20):
            assert scmi.call(protocol, 0x2, 0, length=length) == (PROTOCOL_ERROR, [])


def test_server_answers_after_a_message_that_is_four_bytes_too_long():
    scmi = client()
    assert scmi.call(SENSOR, 0x6, PLAIN, 0, 0) == (PROTOCOL_ERROR, [])
    assert scmi.ok(SENSOR, 0x6, PLAIN, 0) == [45_000, 0, 0, 0]


def test_request_without_a_whole_header_is_unanswerable():
    scmi = client()
    for length in (0, 1, 3):
        assert scmi.raw(header(BASE, 0), length=length) < 0
    assert scmi.backend.unanswerable == 3


def test_reply_buffer_without_room_for_a_status_is_unanswerable():
    scmi = client()
    for room in (0, 4, 7):
        assert scmi.raw(header(BASE, 0), room=room) < 0
    assert scmi.backend.unanswerable == 3


def test_reply_that_does_not_fit_and_cannot_be_split_is_a_protocol_error():
    scmi = client()
    for protocol, message, words, size in (
        (BASE, 0x0, (), 12),
        (BASE, 0x3, (), 24),
        (POWER, 0x1, (), 24),
        (POWER, 0x3, (0,), 28),
        (POWER, 0x8, (0,), 76),
        (SYSTEM, 0x4, (), 12),
        (CLOCK, 0x3, (0,), 32),
        (CLOCK, 0x8, (0,), 76),
        (SENSOR, 0x1, (), 24),
        (SENSOR, 0x6, (PLAIN, 0), 24),
        (RESET, 0x3, (0,), 32),
        (RESET, 0x6, (0,), 76),
        (VOLTAGE, 0x3, (0,), 28),
        (VOLTAGE, 0x9, (0,), 76),
        (PINCTRL, 0x1, (), 16),
        (PINCTRL, 0x3, (0, 0), 28),
        (PINCTRL, 0x9, (0, 0), 76),
    ):
        for room in (8, size - 4, size - 1):
            assert scmi.call(protocol, message, *words, room=room) == (PROTOCOL_ERROR, [])
        assert len(scmi.ok(protocol, message, *words, room=size)) == (size - 8) // 4


def test_room_beyond_the_reply_array_is_not_used():
    scmi = client()
    status, payload = scmi.call(CLOCK, 0x4, 1, 0, room=1 << 20)
    assert status == 0
    assert payload[0] & 0xFFF == (len(scmi.reply) - 3) // 2


def test_protocol_version():
    scmi = client()
    assert scmi.ok(BASE, 0x0) == [0x20001]
    assert scmi.ok(POWER, 0x0) == [0x30001]
    assert scmi.ok(SYSTEM, 0x0) == [0x20001]
    assert scmi.ok(CLOCK, 0x0) == [0x30000]
    assert scmi.ok(SENSOR, 0x0) == [0x30001]
    assert scmi.ok(RESET, 0x0) == [0x30001]
    assert scmi.ok(VOLTAGE, 0x0) == [0x20001]
    assert scmi.ok(PINCTRL, 0x0) == [0x10000]


def test_message_attributes_of_every_message_that_is_served():
    scmi = client()
    for protocol, messages in (
        (BASE, (0, 1, 2, 3, 4, 5, 6, 7, 9, 0xA, 0xB, 0x10)),
        (POWER, (0, 1, 2, 3, 4, 5, 8, 0x10)),
        (SYSTEM, (0, 1, 2, 4, 0x10)),
        (CLOCK, (0, 1, 2, 3, 4, 5, 6, 7, 8, 0xB, 0xC, 0xD, 0xE, 0xF, 0x10)),
        (SENSOR, (0, 1, 2, 3, 5, 6, 7, 8, 9, 0xA, 0xC, 0xD, 0x10)),
        (RESET, (0, 1, 2, 3, 4, 6, 0x10)),
        (VOLTAGE, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x10)),
        (PINCTRL, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xA, 0x10)),
    ):
        for message in messages:
            assert scmi.ok(protocol, 0x2, message) == [0]


def test_message_attributes_of_an_unknown_message_is_not_found():
    scmi = client()
    for protocol in PROTOCOLS:
        for message in (0x11, 0x7F, 0xFF, 0x100, 0x10000, 0xFFFFFFFF):
            assert scmi.call(protocol, 0x2, message) == (NOT_FOUND, [])


def test_subscriptions_are_not_advertised_without_events():
    scmi = client(hears=False)
    for protocol, message in (
        (BASE, 0x8),
        (POWER, 0x6),
        (POWER, 0x7),
        (CLOCK, 0x9),
        (CLOCK, 0xA),
        (SENSOR, 0x4),
        (SENSOR, 0xB),
        (RESET, 0x5),
    ):
        assert scmi.call(protocol, 0x2, message) == (NOT_FOUND, [])


def test_negotiating_the_served_version():
    scmi = client()
    for protocol, version in (
        (BASE, 0x20001),
        (POWER, 0x30001),
        (SYSTEM, 0x20001),
        (CLOCK, 0x30000),
        (SENSOR, 0x30001),
        (RESET, 0x30001),
        (VOLTAGE, 0x20001),
        (POWERCAP, 0x20000),
        (PINCTRL, 0x10000),
    ):
        assert scmi.ok(protocol, 0x10, version) == []
        assert scmi.ok(protocol, 0x0) == [version]


def test_negotiating_another_version_is_not_supported():
    scmi = client()
    for protocol in PROTOCOLS:
        for version in (0, 1, 0x50000, 0xFFFFFFFF):
            assert scmi.call(protocol, 0x10, version) == (NOT_SUPPORTED, [])
    assert scmi.ok(SENSOR, 0x0) == [0x30001]
