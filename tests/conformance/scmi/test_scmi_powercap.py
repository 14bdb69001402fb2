# SPDX-License-Identifier: MIT
"""Power capping protocol 2.0 and 1.0, one test per message and status. Source: DEN0056F, 3.10."""

from scmi.status import DENIED, GENERIC_ERROR, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED, PROTOCOL_ERROR
from scmi_board import Board
from scmi_client import text
from scmi_example import (
    BASE,
    BOX,
    CAP_DELAY_MS,
    CORES,
    GUEST,
    LOAD,
    LONG_CAP,
    LONG_CAP_NAME,
    METER,
    POWERCAP,
    SLOW,
    SOC,
    TIED,
    TRUSTED,
    client,
    guest_of,
)

VERSION, ATTRIBUTES, MESSAGE_ATTRIBUTES, DOMAIN_ATTRIBUTES = 0x0, 0x1, 0x2, 0x3
CAP_GET, CAP_SET, PAI_GET, PAI_SET, NAME_GET, MEASUREMENTS_GET = 0x4, 0x5, 0x6, 0x7, 0x8, 0x9
CAP_NOTIFY, MEASUREMENTS_NOTIFY, DESCRIBE_FASTCHANNEL, NEGOTIATE = 0xA, 0xB, 0xC, 0x10

TELLS_CAP, TELLS_POWER, ASYNCHRONOUS_CAP, EXTENDED_NAME = 1 << 31, 1 << 30, 1 << 29, 1 << 28
CAP_CHANGES, MEASURED, INTERVAL_CHANGES = 1 << 27, 1 << 26, 1 << 25
MICROWATT, MILLIWATT = 1 << 23, 2 << 23
NO_PARENT = 0xFFFFFFFF

NOBODY = (7, 0x10000, 0xFFFFFFFF)
ASYNC, NO_RESPONSE = 2, 1
SECOND = 1_000_000
MOST = 15_000_000


def old():
    """Return a Client of a platform that offers Power capping 1.0."""
    return client(versions={"powercap": 0x10000})


def cap(scmi, domain):
    """Return the cap of a domain."""
    return scmi.ok(POWERCAP, CAP_GET, domain)[0]


def test_3_10_3_1_version():
    assert client().ok(POWERCAP, VERSION) == [0x20000] and old().ok(POWERCAP, VERSION) == [0x10000]


def test_3_10_3_3_attributes_count_domains():
    assert client().ok(POWERCAP, ATTRIBUTES) == [7]


def test_3_10_3_4_messages_and_no_fast_channels():
    for hears in (True, False):
        scmi = client(hears)
        for message in range(0xD):
            known = hears or message not in (CAP_NOTIFY, MEASUREMENTS_NOTIFY)
            expected = (0, [0]) if known else (NOT_FOUND, [])
            assert scmi.call(POWERCAP, MESSAGE_ATTRIBUTES, message) == expected, message
    for message in (0xD, 0xF, 0x11, 0x100):
        assert client().call(POWERCAP, MESSAGE_ATTRIBUTES, message) == (NOT_FOUND, [])


def test_3_10_3_2_version_is_negotiated():
    scmi = client()
    scmi.ok(POWERCAP, NEGOTIATE, 0x10000)
    assert scmi.ok(POWERCAP, VERSION) == [0x10000]
    for version in (0x30000, 0x20001, 0):
        assert client().call(POWERCAP, NEGOTIATE, version) == (NOT_SUPPORTED, [])


def test_3_10_3_2_1_0_cannot_negotiate():
    assert old().call(POWERCAP, NEGOTIATE, 0x10000) == (NOT_FOUND, [])
    assert old().call(POWERCAP, MESSAGE_ATTRIBUTES, NEGOTIATE) == (NOT_FOUND, [])


def test_3_10_3_5_attributes():
    scmi = client()
    told = TELLS_CAP | TELLS_POWER
    for domain, bits, name, numbers in (
        (
            BOX,
            told | CAP_CHANGES | MEASURED | INTERVAL_CHANGES | MICROWATT,
            "box",
            [1_000, 10_000, 500, 1_000_000, 15_100_000, 250_000, 9_000_000, 1_500, NO_PARENT],
        ),
        (
            CORES,
            told | CAP_CHANGES | MEASURED | MICROWATT,
            "cores",
            [SECOND, SECOND, 0, 500_000, 8_000_000, 100_000, 0, 0, BOX],
        ),
        (
            SLOW,
            TELLS_CAP | ASYNCHRONOUS_CAP | CAP_CHANGES | MILLIWATT,
            "slow",
            [SECOND, SECOND, 0, 10, 100, 10, 0, 0, CORES],
        ),
        (LOAD, told | CAP_CHANGES | MEASURED, "load", [7, 7, 0, 1, 9, 1, 0, 0, NO_PARENT]),
        (
            METER,
            told | MEASURED | INTERVAL_CHANGES | MICROWATT,
            "meter",
            [20, 40, 20, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, NO_PARENT],
        ),
        (
            LONG_CAP,
            TELLS_POWER | EXTENDED_NAME | MEASURED | MICROWATT,
            LONG_CAP_NAME[:15],
            [SECOND, SECOND, 0, 7_000, 7_000, 0, 0, 0, BOX],
        ),
    ):
        payload = scmi.ok(POWERCAP, DOMAIN_ATTRIBUTES, domain)
        assert payload[0] == bits, (name, hex(payload[0]))
        assert text(payload[1:5]) == name and payload[5:] == numbers, name


def test_3_10_3_5_who_does_not_hear_is_offered_nothing_of_it():
    scmi = client(hears=False)
    for domain in range(7):
        bits = scmi.ok(POWERCAP, DOMAIN_ATTRIBUTES, domain)[0]
        assert bits & (TELLS_CAP | TELLS_POWER | ASYNCHRONOUS_CAP) == 0


def test_3_10_3_5_attributes_are_the_same_in_1_0():
    for domain in range(7):
        assert old().ok(POWERCAP, DOMAIN_ATTRIBUTES, domain) == client().ok(POWERCAP, DOMAIN_ATTRIBUTES, domain)


def test_3_10_3_5_no_room():
    assert client().call(POWERCAP, DOMAIN_ATTRIBUTES, BOX, room=60) == (PROTOCOL_ERROR, [])


def test_unknown_domain():
    for domain in NOBODY:
        for message, words in (
            (DOMAIN_ATTRIBUTES, ()),
            (CAP_GET, ()),
            (CAP_SET, (0, 1_000_000)),
            (PAI_GET, ()),
            (PAI_SET, (0, 1_000)),
            (NAME_GET, ()),
            (MEASUREMENTS_GET, ()),
            (CAP_NOTIFY, (1,)),
            (MEASUREMENTS_NOTIFY, (1, 0, 1)),
            (DESCRIBE_FASTCHANNEL, (CAP_SET,)),
        ):
            assert client().call(POWERCAP, message, domain, *words) == (NOT_FOUND, []), (message, domain)


def test_size_of_the_request():
    for message, words in (
        (DOMAIN_ATTRIBUTES, 1),
        (CAP_GET, 1),
        (CAP_SET, 3),
        (PAI_GET, 1),
        (PAI_SET, 3),
        (NAME_GET, 1),
        (MEASUREMENTS_GET, 1),
        (CAP_NOTIFY, 2),
        (MEASUREMENTS_NOTIFY, 4),
        (DESCRIBE_FASTCHANNEL, 2),
        (NEGOTIATE, 1),
    ):
        for count in (words - 1, words + 1):
            assert client().call(POWERCAP, message, *[0] * count) == (PROTOCOL_ERROR, []), (message, count)


def test_3_10_3_7_cap():
    scmi = client()
    for domain, expected in ((BOX, MOST), (CORES, 500_000), (LOAD, 0), (METER, 0), (LONG_CAP, 7_000)):
        assert cap(scmi, domain) == expected


def test_3_10_3_8_cap_is_set():
    board = Board()
    for wanted in (100, 900, 300, 0):
        assert board.client.ok(POWERCAP, CAP_SET, 0, 0, wanted) == []
        assert cap(board.client, 0) == board.domain.cap == wanted
    assert board.done == [(100, 10), (900, 10), (300, 10), (0, 10)]


def test_3_10_3_8_cap_that_holds_already_is_not_set_again():
    board = Board()
    board.client.ok(POWERCAP, CAP_SET, 0, 0, 900)
    assert board.done == []


def test_3_10_3_8_lowest_cap_of_all_agents_is_enforced():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 5_000_000)
    guest.ok(POWERCAP, CAP_SET, BOX, 0, 7_000_000)
    assert cap(scmi, BOX) == cap(guest, BOX) == 5_000_000
    guest.ok(POWERCAP, CAP_SET, BOX, 0, 0)
    assert cap(guest, BOX) == 5_000_000
    guest.ok(POWERCAP, CAP_SET, BOX, 0, 2_000_000)
    assert cap(scmi, BOX) == 2_000_000
    guest.ok(POWERCAP, CAP_SET, BOX, 0, 0)
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 0)
    assert cap(scmi, BOX) == 0
    assert scmi.platform.power_caps["box"].wanted == {TRUSTED: 0, GUEST: 0}


def test_3_10_3_8_1_0_cannot_disable():
    scmi = old()
    assert scmi.call(POWERCAP, CAP_SET, BOX, 0, 0) == (INVALID_PARAMETERS, [])
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 1_000_000)
    assert cap(scmi, BOX) == 1_000_000


def test_3_10_3_8_cap_that_the_domain_does_not_take():
    scmi = client()
    for wanted in (1, 750_000, 1_000_001, 15_100_000, 15_250_000, 0xFFFFFFFF):
        assert scmi.call(POWERCAP, CAP_SET, BOX, 0, wanted) == (INVALID_PARAMETERS, []), wanted
    assert cap(scmi, BOX) == MOST


def test_3_10_3_8_reserved_flags():
    for flags in (4, 1 << 31, 0xFFFFFFFF):
        assert client().call(POWERCAP, CAP_SET, BOX, flags, 1_000_000) == (INVALID_PARAMETERS, [])


def test_3_10_3_8_domain_that_is_only_measured():
    for domain in (METER, LONG_CAP):
        assert client().call(POWERCAP, CAP_SET, domain, 0, 7_000) == (NOT_SUPPORTED, [])


def test_3_10_3_8_forbidden_domain():
    scmi = client()
    assert scmi.call(POWERCAP, CAP_SET, TIED, 0, 10) == (DENIED, []) and cap(scmi, TIED) == 20


def test_3_10_3_8_and_14_revoked_device():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(BASE, 0x9, GUEST, SOC, 0)
    assert guest.call(POWERCAP, CAP_SET, BOX, 0, 1_000_000) == (DENIED, []) and cap(scmi, BOX) == MOST
    assert guest.call(POWERCAP, MEASUREMENTS_GET, BOX) == (DENIED, [])


def test_3_10_3_8_domain_that_fails():
    board = Board(broken=True)
    assert board.client.call(POWERCAP, CAP_SET, 0, 0, 100) == (GENERIC_ERROR, [])
    assert cap(board.client, 0) == 900 and board.domain.wanted == {}


def test_3_10_3_8_ignored_response_of_a_request_that_is_not_asynchronous():
    scmi = client()
    assert scmi.ok(POWERCAP, CAP_SET, BOX, NO_RESPONSE, 1_000_000) == []
    assert cap(scmi, BOX) == 1_000_000 and scmi.events() == []


def test_3_10_3_8_slow_domain_also_sets_at_once():
    scmi = client()
    scmi.ok(POWERCAP, CAP_SET, SLOW, 0, 10)
    assert cap(scmi, SLOW) == 10


def test_3_10_3_9_interval():
    scmi = client()
    for domain, expected in ((BOX, 1_000), (CORES, SECOND), (METER, 40)):
        assert scmi.ok(POWERCAP, PAI_GET, domain) == [expected]


def test_3_10_3_10_interval_is_set():
    board = Board()
    for wanted in (90, 10, 20):
        assert board.client.ok(POWERCAP, PAI_SET, 0, 0, wanted) == []
        assert board.client.ok(POWERCAP, PAI_GET, 0) == [wanted]
    assert board.done == [(900, 90), (900, 10), (900, 20)]


def test_3_10_3_10_interval_that_the_domain_does_not_take():
    scmi = client()
    for wanted in (0, 999, 1_001, 10_500, 0xFFFFFFFF):
        assert scmi.call(POWERCAP, PAI_SET, BOX, 0, wanted) == (INVALID_PARAMETERS, [])
    assert scmi.ok(POWERCAP, PAI_GET, BOX) == [1_000]


def test_3_10_3_10_reserved_flags():
    for flags in (1, 2, 1 << 31):
        assert client().call(POWERCAP, PAI_SET, BOX, flags, 2_000) == (INVALID_PARAMETERS, [])


def test_3_10_3_10_interval_that_is_fixed():
    assert client().call(POWERCAP, PAI_SET, CORES, 0, SECOND) == (NOT_SUPPORTED, [])


def test_3_10_3_10_forbidden_domain():
    scmi = client()
    assert scmi.call(POWERCAP, PAI_SET, TIED, 0, 20) == (DENIED, []) and scmi.ok(POWERCAP, PAI_GET, TIED) == [10]


def test_3_10_3_10_domain_that_fails():
    board = Board(broken=True)
    assert board.client.call(POWERCAP, PAI_SET, 0, 0, 90) == (GENERIC_ERROR, [])
    assert board.client.ok(POWERCAP, PAI_GET, 0) == [10]


def test_3_10_3_13_name():
    scmi = client()
    for domain, name in ((BOX, "box"), (LONG_CAP, LONG_CAP_NAME)):
        payload = scmi.ok(POWERCAP, NAME_GET, domain)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_10_3_14_measurements():
    scmi = client()
    assert scmi.ok(POWERCAP, MEASUREMENTS_GET, BOX) == [4_000_000, 1_000]
    assert scmi.ok(POWERCAP, MEASUREMENTS_GET, METER) == [0xFFFFFFFF, 40]
    first, second = (scmi.ok(POWERCAP, MEASUREMENTS_GET, LOAD)[0] for _ in range(2))
    assert second == first + 1
    scmi.platform.power_caps["box"].power = 1
    assert scmi.ok(POWERCAP, MEASUREMENTS_GET, BOX) == [1, 1_000]


def test_3_10_3_14_domain_that_is_not_measured():
    assert client().call(POWERCAP, MEASUREMENTS_GET, SLOW) == (NOT_SUPPORTED, [])


def test_3_10_3_14_reading_that_fails_or_does_not_fit():
    for reading in (-1, 1 << 32, 1.5, None):
        board = Board(power=lambda reading=reading: reading)
        assert board.client.call(POWERCAP, MEASUREMENTS_GET, 0) == (GENERIC_ERROR, [])


def test_3_10_3_17_there_are_no_fast_channels():
    for message in (CAP_GET, CAP_SET, PAI_GET, PAI_SET, 0xFF):
        assert client().call(POWERCAP, DESCRIBE_FASTCHANNEL, BOX, message) == (NOT_SUPPORTED, [])


def test_3_2_2_13_reset_of_an_agent_takes_its_caps_back_and_nobody_elses():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 5_000_000)
    guest.ok(POWERCAP, CAP_SET, BOX, 0, 2_000_000)
    guest.ok(POWERCAP, PAI_SET, BOX, 0, 9_000)
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    assert cap(scmi, BOX) == 2_000_000 and scmi.ok(POWERCAP, PAI_GET, BOX) == [9_000]
    scmi.ok(BASE, 0xB, GUEST, 0)
    assert cap(scmi, BOX) == MOST and scmi.ok(POWERCAP, PAI_GET, BOX) == [1_000]


def test_3_2_2_13_reset_of_an_agent_before_its_request_is_done():
    scmi = client()
    scmi.ok(POWERCAP, CAP_SET, SLOW, ASYNC | NO_RESPONSE, 30)
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    scmi.time.advance(CAP_DELAY_MS)
    assert cap(scmi, SLOW) == 30
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    assert cap(scmi, SLOW) == 100


def test_cap_of_the_prompt_holds_until_an_agent_asks_again():
    scmi = client()
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 5_000_000)
    scmi.platform.power_caps["box"].cap = 6_000_000
    assert cap(scmi, BOX) == 6_000_000
    guest_of(scmi).ok(POWERCAP, CAP_SET, BOX, 0, 9_000_000)
    assert cap(scmi, BOX) == 5_000_000
