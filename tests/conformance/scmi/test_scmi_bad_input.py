# SPDX-License-Identifier: MIT
"""What no message may get past, for every message of every protocol at every version that is served.

The messages come from the tables; what they must be answered with does not. Source: DEN0056F, 3.1.2 and 3.1.4.
"""

from scmi.delayed import MAX_OPEN
from scmi.message import payload_words, word_of
from scmi.status import (
    BUSY,
    DENIED,
    INVALID_PARAMETERS,
    NOT_FOUND,
    NOT_SUPPORTED,
    OUT_OF_RANGE,
    PROTOCOL_ERROR,
)
from scmi_client import delayed, header
from scmi_example import (
    AXES,
    BASE,
    CLOCK,
    CPU,
    EXTRA,
    FULL,
    GUEST,
    LIST,
    MUX,
    PERFORMANCE,
    PINCTRL,
    RATES,
    SENSOR,
    SOC,
    STEPS,
    SYSTEM,
    VOLTAGE,
    client,
    guest_of,
)

# Fields, besides zeros, of requests for a delayed response that are sound.
SOUND = {
    "RESET": {"flags": 5},
    "CLOCK_RATE_SET": {"clock_id": LIST, "rate*2": RATES[1]},
    "VOLTAGE_LEVEL_SET": {"voltage_level": 850_000},
    "POWERCAP_CAP_SET": {"power_cap": 1_000_000},
}

MESSAGE_ATTRIBUTES, NEGOTIATE, SET_DEVICE_PERMISSIONS = 0x2, 0x10, 0x9
FIRST_OF_ITS_OWN = 0x3


class Table:
    """A protocol at one version: `scmi`, a client; `protocol`; `rows`, its messages."""

    def __init__(self, number, version, hears=True):
        name = client().platform.protocols[number].NAME
        self.scmi = client(hears, {name: version})
        self.protocol = self.scmi.platform.protocols[number]
        self.rows = [row for _, row in sorted(self.protocol.messages(version).items())]

    def call(self, row, *words, **options):
        """Send the message of `row`."""
        return options.pop("by", self.scmi).call(self.protocol.ID, row[0], *words, **options)


def tables(**options):
    """Yield a Table for each version of each protocol."""
    for protocol in sorted(client().platform.protocols.values(), key=lambda protocol: protocol.ID):
        for version in protocol.VERSIONS:
            yield Table(protocol.ID, version, **options)


def words_of(row, field=None, value=0):
    """Return the words of a request: zeros but for `value` in `field`."""
    words = [0] * payload_words(row[3])
    if field:
        words[word_of(row[3], field) - 1] = value
    return words


def grows(row):
    """Return whether the request of `row` ends with an array."""
    return len(row[3]) > 0 and row[3][-1].endswith("]")


def names_resource(table, row):
    """Return whether the message of `row` is about one resource."""
    return table.protocol.RESOURCE is not None and word_of(row[3], table.protocol.RESOURCE) > 0


def test_unknown_protocol():
    scmi = client()
    for protocol in range(0x100):
        if protocol not in scmi.platform.protocols:
            for message in (0, MESSAGE_ATTRIBUTES, 0xFF):
                assert scmi.call(protocol, message, 0) == (NOT_SUPPORTED, [])


def test_unknown_message():
    for table in tables():
        known = [row[0] for row in table.rows]
        for message in range(0x100):
            if message not in known:
                assert table.scmi.call(table.protocol.ID, message) == (NOT_FOUND, [])


def test_attributes_of_an_unknown_message():
    for table in tables():
        known = [row[0] for row in table.rows]
        for message in list(range(0x100)) + [0x100, 0x10003, 0xFFFFFFFF]:
            status, _ = table.scmi.call(table.protocol.ID, MESSAGE_ATTRIBUTES, message)
            assert status == (0 if message in known else NOT_FOUND), (table.protocol.NAME, message)


def test_message_of_a_newer_version():
    for table in tables():
        version = table.scmi.backend.versions[table.protocol.ID]
        known = [row[0] for row in table.rows]
        for row in table.protocol.MESSAGES:
            if row[2] > version and row[0] not in known:
                assert table.call(row, *words_of(row)) == (NOT_FOUND, [])


def test_version_that_is_not_served():
    for table in tables():
        known = [row[0] for row in table.rows]
        for version in (0, 1, 0x10001, 0x50000, 0xFFFFFFFF):
            if NEGOTIATE in known:
                assert table.scmi.call(table.protocol.ID, NEGOTIATE, version) == (NOT_SUPPORTED, [])


def test_too_short_and_too_long():
    for table in tables():
        for row in table.rows:
            size = 4 + 4 * payload_words(row[3])
            lengths = [length for length in (4, size - 4, size - 1) if 4 <= length < size]
            lengths += [size + 1, size + 2, size + 3] + ([] if grows(row) else [size + 4, size + 8, 128, 1 << 20])
            for length in lengths:
                answer = table.call(row, *words_of(row), length=length)
                assert answer == (PROTOCOL_ERROR, []), (table.protocol.NAME, row[1], length)


def test_types_other_than_command():
    for table in tables():
        for row in table.rows:
            for kind in (1, 2, 3):
                assert table.call(row, *words_of(row), kind=kind) == (PROTOCOL_ERROR, [])


def test_unknown_resource():
    for table in tables():
        for row in table.rows:
            if names_resource(table, row):
                for number in (len(table.protocol.resources), 0x10000, 0x80000000, 0xFFFFFFFF):
                    answer = table.call(row, *words_of(row, table.protocol.RESOURCE, number))
                    assert answer == (NOT_FOUND, []), (table.protocol.NAME, row[1], number)


def test_reserved_bits():
    for table in tables():
        for row in table.rows:
            for bit in range(32):
                if row[6] and not row[6][1] >> bit & 1:
                    answer = table.call(row, *words_of(row, row[6][0], 1 << bit))
                    assert answer == (INVALID_PARAMETERS, []), (table.protocol.NAME, row[1], bit)


def test_resource_of_a_revoked_device():
    for table in tables():
        guest = guest_of(table.scmi)
        for device in (SOC, EXTRA):
            table.scmi.ok(BASE, SET_DEVICE_PERMISSIONS, guest.backend.id, device, 0)
        before = table.scmi.platform.describe()
        for row in table.rows:
            own = row[0] != NEGOTIATE and row[0] >= FIRST_OF_ITS_OWN
            if names_resource(table, row) or (table.protocol.ID == SYSTEM and own):
                answer = table.call(row, *words_of(row), by=guest)
                assert answer == (DENIED, []), (table.protocol.NAME, row[1])
        assert table.scmi.platform.describe() == before


def test_reply_larger_than_the_buffer():
    for table in tables():
        for row in table.rows:
            least = 8 + 4 * payload_words(row[4])
            for room in (8, least - 4, least - 1):
                if 8 <= room < least:
                    answer = table.call(row, *words_of(row), room=room)
                    assert answer == (PROTOCOL_ERROR, []), (table.protocol.NAME, row[1], room)


def test_buffers_that_are_too_small_for_any_answer():
    for table in tables():
        for row in table.rows:
            before = table.scmi.backend.unanswerable
            head = header(table.protocol.ID, row[0])
            assert table.scmi.raw(head, words_of(row), length=3) < 0
            assert table.scmi.raw(head, words_of(row), room=7) < 0
            assert table.scmi.backend.unanswerable == before + 2


def test_notifications_without_an_event_channel():
    for table in tables(hears=False):
        for row in table.rows:
            if row[9] is not None:
                answer = table.call(row, *words_of(row, row[3][-1], 1))
                assert answer == (NOT_SUPPORTED, []), (table.protocol.NAME, row[1])
                status = NOT_SUPPORTED if table.protocol.ID == SYSTEM else NOT_FOUND
                assert table.scmi.call(table.protocol.ID, MESSAGE_ATTRIBUTES, row[0]) == (status, [])


def asynchronous(**options):
    """Yield (Table, row, words of a sound request) for each message that may be asked for a delayed response.

    Its resources take a millisecond for it.
    """
    for table in tables(**options):
        for resource in table.protocol.resources:
            resource.delay = 1
        for row in table.rows:
            if row[8]:
                words = words_of(row, row[6][0], row[8])
                for field, value in SOUND.get(row[1], {}).items():
                    words[word_of(row[3], field) - 1] = value
                yield table, row, words


def test_delayed_response_without_an_event_channel():
    for table, row, words in asynchronous(hears=False):
        assert table.call(row, *words) == (NOT_SUPPORTED, []), (table.protocol.NAME, row[1])


def test_delayed_response_of_a_resource_that_has_none():
    for table, row, words in asynchronous():
        for resource in table.protocol.resources:
            resource.delay = None
        assert table.call(row, *words) == (NOT_SUPPORTED, []), (table.protocol.NAME, row[1])


def test_more_delayed_responses_than_may_be_open():
    for table, row, words in asynchronous():
        tokens = []
        for _ in range(MAX_OPEN):
            assert table.call(row, *words) == (0, []), (table.protocol.NAME, row[1])
            tokens.append(table.scmi.token)
        assert table.call(row, *words) == (BUSY, []), (table.protocol.NAME, row[1])
        table.scmi.time.advance(1)
        heads = [head for head, _ in table.scmi.events()]
        assert heads == [delayed(table.protocol.ID, row[0], token) for token in tokens]
        assert table.call(row, *words) == (0, [])


def test_index_past_the_end():
    scmi = client()
    for protocol, message, words, status in (
        (BASE, 0x6, (), INVALID_PARAMETERS),
        (PERFORMANCE, 0x4, (CPU,), INVALID_PARAMETERS),
        (SENSOR, 0x3, (), INVALID_PARAMETERS),
        (SENSOR, 0x7, (AXES,), INVALID_PARAMETERS),
        (PINCTRL, 0x4, (0, 1), INVALID_PARAMETERS),
        (CLOCK, 0x4, (LIST,), OUT_OF_RANGE),
        (CLOCK, 0xC, (MUX,), OUT_OF_RANGE),
        (SENSOR, 0x8, (FULL,), OUT_OF_RANGE),
        (VOLTAGE, 0x4, (STEPS,), OUT_OF_RANGE),
        (SENSOR, 0xD, (AXES,), NOT_FOUND),
    ):
        assert scmi.call(protocol, message, *words, 0)[0] == 0
        for index in (1000, 0x10000, 0xFFFFFFFF):
            assert scmi.call(protocol, message, *words, index) == (status, [])


def test_access_to_base_cannot_be_removed():
    scmi = client()
    assert scmi.call(BASE, 0xA, GUEST, SOC, BASE, 0) == (NOT_FOUND, [])
    assert len(guest_of(scmi).ok(BASE, 0x1)) == 1


def test_same_token_twice():
    for table in tables():
        for row in table.rows:
            if row[0] not in (NEGOTIATE,):
                head = header(table.protocol.ID, row[0], token=7)
                first = table.scmi.raw(head, words_of(row))
                again = table.scmi.raw(head, words_of(row))
                assert first >= 8 and again >= 8
