# SPDX-License-Identifier: MIT
"""Power capping protocol 2.0 and 1.0, delayed responses and notifications. Source: DEN0056F, 3.10."""

from scmi.delayed import MAX_OPEN
from scmi.status import BUSY, GENERIC_ERROR, INVALID_PARAMETERS, NOT_SUPPORTED
from scmi_board import Board
from scmi_client import delayed, header, notification, signed
from scmi_example import (
    BASE,
    BOX,
    CAP_DELAY_MS,
    GUEST,
    LONG_CAP,
    POWERCAP,
    SLOW,
    SOC,
    TRUSTED,
    client,
    guest_of,
)
from support import raises

CAP_GET, CAP_SET, PAI_SET, CAP_NOTIFY, MEASUREMENTS_NOTIFY = 0x4, 0x5, 0x7, 0xA, 0xB
CAP_CHANGED, MEASUREMENTS_CHANGED = notification(POWERCAP, 0), notification(POWERCAP, 1)

NOTIFY_ERRORS = 0x8
ASYNC, NO_RESPONSE = 2, 1
SECOND = 1_000_000


def cap(scmi, domain):
    """Return the cap of a domain."""
    return scmi.ok(POWERCAP, CAP_GET, domain)[0]


def test_3_10_5_1_revoked_device_is_not_told():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(POWERCAP, CAP_NOTIFY, BOX, 1)
    guest.ok(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 1, 0, 5_000_000)
    scmi.ok(BASE, 0x9, GUEST, SOC, 0)
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 1_000_000)
    scmi.platform.power_caps["box"].power = 6_000_000
    assert guest.events() == []


def test_3_10_4_1_asynchronous_request_is_answered_when_it_is_done():
    scmi = client()
    assert scmi.ok(POWERCAP, CAP_SET, SLOW, ASYNC, 30) == []
    token = scmi.token
    scmi.time.advance(CAP_DELAY_MS - 1)
    assert scmi.events() == [] and cap(scmi, SLOW) == 100
    scmi.time.advance(1)
    assert scmi.events() == [(delayed(POWERCAP, CAP_SET, token), [0, SLOW, 30])] and cap(scmi, SLOW) == 30


def test_3_10_4_1_response_tells_what_is_enforced():
    scmi = client()
    guest_of(scmi).ok(POWERCAP, CAP_SET, SLOW, 0, 20)
    scmi.ok(POWERCAP, CAP_SET, SLOW, ASYNC, 30)
    token = scmi.token
    scmi.time.advance(CAP_DELAY_MS)
    assert scmi.events() == [(delayed(POWERCAP, CAP_SET, token), [0, SLOW, 20])]


def test_3_10_4_1_no_response_if_it_is_ignored():
    scmi = client()
    scmi.ok(POWERCAP, CAP_SET, SLOW, ASYNC | NO_RESPONSE, 30)
    assert cap(scmi, SLOW) == 100
    scmi.time.advance(CAP_DELAY_MS)
    assert scmi.events() == [] and cap(scmi, SLOW) == 30


def test_3_10_4_1_failure_is_the_response():
    board = Board(broken=True, delay=1)
    board.client.ok(POWERCAP, CAP_SET, 0, ASYNC, 100)
    token = board.client.token
    board.time.advance(1)
    ((head, payload),) = board.client.events()
    assert head == delayed(POWERCAP, CAP_SET, token)
    assert [signed(word) for word in payload] == [GENERIC_ERROR] and board.domain.cap == 900


def test_3_10_4_1_failure_without_response_is_an_error_of_the_platform():
    board = Board(broken=True, delay=1)
    board.client.ok(BASE, NOTIFY_ERRORS, 1)
    board.client.ok(POWERCAP, CAP_SET, 0, ASYNC | NO_RESPONSE, 100)
    failed = header(POWERCAP, CAP_SET, board.client.token)
    board.time.advance(1)
    assert board.client.events() == [(notification(BASE, 0), [1, 1, failed, GENERIC_ERROR & 0xFFFFFFFF])]


def test_3_10_4_1_hardware_that_says_itself_when_it_is_done():
    waiting = []
    board = Board(delay=waiting.append)
    board.client.ok(POWERCAP, CAP_SET, 0, ASYNC, 100)
    token = board.client.token
    assert board.client.events() == [] and board.domain.cap == 900
    waiting[0]()
    assert board.client.events() == [(delayed(POWERCAP, CAP_SET, token), [0, 0, 100])]


def test_3_10_3_8_asynchronous_request_that_cannot_be():
    assert client().call(POWERCAP, CAP_SET, BOX, ASYNC, 1_000_000) == (NOT_SUPPORTED, [])
    for flags in (ASYNC, ASYNC | NO_RESPONSE):
        assert client(hears=False).call(POWERCAP, CAP_SET, SLOW, flags, 30) == (NOT_SUPPORTED, [])


def test_3_10_3_8_asynchronous_request_is_checked_at_once():
    scmi = client()
    assert scmi.call(POWERCAP, CAP_SET, SLOW, ASYNC, 31) == (INVALID_PARAMETERS, [])
    scmi.time.advance(CAP_DELAY_MS)
    assert scmi.events() == [] and cap(scmi, SLOW) == 100


def test_3_10_3_8_more_asynchronous_requests_than_one_agent_may_have():
    scmi = client()
    for _ in range(MAX_OPEN):
        scmi.ok(POWERCAP, CAP_SET, SLOW, ASYNC, 30)
    assert scmi.call(POWERCAP, CAP_SET, SLOW, ASYNC, 40) == (BUSY, [])
    assert guest_of(scmi).ok(POWERCAP, CAP_SET, SLOW, ASYNC, 40) == []
    scmi.time.advance(CAP_DELAY_MS)
    assert len(scmi.events()) == MAX_OPEN and cap(scmi, SLOW) == 30


def test_3_10_3_15_and_16_without_event_channel():
    for enable in (0, 1):
        assert client(hears=False).call(POWERCAP, CAP_NOTIFY, BOX, enable) == (NOT_SUPPORTED, [])
        assert client(hears=False).call(POWERCAP, MEASUREMENTS_NOTIFY, BOX, enable, 1, 2) == (NOT_SUPPORTED, [])


def test_3_10_3_15_and_16_bad_notify_enable():
    for enable in (2, 3, 1 << 31):
        assert client().call(POWERCAP, CAP_NOTIFY, BOX, enable) == (INVALID_PARAMETERS, [])
        assert client().call(POWERCAP, MEASUREMENTS_NOTIFY, BOX, enable, 1, 2) == (INVALID_PARAMETERS, [])


def test_3_10_3_15_domain_of_which_nothing_changes():
    assert client().call(POWERCAP, CAP_NOTIFY, LONG_CAP, 1) == (NOT_SUPPORTED, [])


def test_3_10_3_16_domain_that_is_not_measured():
    assert client().call(POWERCAP, MEASUREMENTS_NOTIFY, SLOW, 1, 1, 2) == (NOT_SUPPORTED, [])


def test_3_10_3_16_thresholds_in_the_wrong_order():
    assert client().call(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 1, 2, 1) == (INVALID_PARAMETERS, [])


def test_3_10_5_1_change_is_told_to_those_who_want_to_know():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(POWERCAP, CAP_NOTIFY, BOX, 1)
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 2_000_000)
    assert guest.events() == [(CAP_CHANGED, [TRUSTED, BOX, 2_000_000, 1_000])] and scmi.events() == []
    guest.ok(POWERCAP, PAI_SET, BOX, 0, 5_000)
    assert guest.events() == [(CAP_CHANGED, [GUEST, BOX, 2_000_000, 5_000])]
    scmi.platform.power_caps["box"].cap = 3_000_000
    assert guest.events() == [(CAP_CHANGED, [0, BOX, 3_000_000, 5_000])]
    scmi.platform.power_caps["box"].interval = 1_000
    assert guest.events() == [(CAP_CHANGED, [0, BOX, 3_000_000, 1_000])]
    guest.ok(POWERCAP, CAP_NOTIFY, BOX, 0)
    scmi.platform.power_caps["box"].cap = 0
    assert guest.events() == []


def test_3_10_5_1_request_that_changes_nothing_is_not_told():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(POWERCAP, CAP_SET, BOX, 0, 2_000_000)
    guest.ok(POWERCAP, CAP_NOTIFY, BOX, 1)
    guest.ok(POWERCAP, CAP_SET, BOX, 0, 9_000_000)
    assert guest.events() == []


def test_3_10_5_1_asynchronous_change_is_told_when_it_is_done():
    scmi = client()
    scmi.ok(POWERCAP, CAP_NOTIFY, SLOW, 1)
    scmi.ok(POWERCAP, CAP_SET, SLOW, ASYNC | NO_RESPONSE, 30)
    assert scmi.events() == []
    scmi.time.advance(CAP_DELAY_MS)
    assert scmi.events() == [(CAP_CHANGED, [TRUSTED, SLOW, 30, SECOND])]


def test_3_10_5_2_power_that_leaves_the_thresholds_is_told():
    scmi = client()
    box = scmi.platform.power_caps["box"]
    assert scmi.ok(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 1, 3_000_000, 5_000_000) == []
    assert scmi.events() == []
    for power, told in (
        (5_000_000, False),
        (5_000_001, True),
        (9_000_000, False),
        (3_000_000, False),
        (2_999_999, True),
        (6_000_000, True),
        (0, True),
    ):
        box.power = power
        assert scmi.events() == [(MEASUREMENTS_CHANGED, [0, BOX, power])] * told, power
    scmi.ok(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 0, 0, 0)
    box.power = 9_000_000
    assert scmi.events() == []


def test_3_10_5_2_power_that_is_outside_from_the_start_is_told():
    scmi = client()
    scmi.ok(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 1, 0, 1_000_000)
    assert scmi.events() == [(MEASUREMENTS_CHANGED, [0, BOX, 4_000_000])]


def test_3_10_5_2_each_agent_has_thresholds_of_its_own():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 1, 0, 5_000_000)
    guest.ok(POWERCAP, MEASUREMENTS_NOTIFY, BOX, 1, 0, 7_000_000)
    box = scmi.platform.power_caps["box"]
    for power, mine, others in ((6_000_000, 1, 0), (8_000_000, 0, 1)):
        box.power = power
        event = (MEASUREMENTS_CHANGED, [0, BOX, power])
        assert (scmi.events(), guest.events()) == ([event] * mine, [event] * others)


def test_3_10_5_2_power_that_moves_by_itself_is_watched():
    readings = [100]
    board = Board(power=lambda: readings[0])
    board.client.ok(POWERCAP, MEASUREMENTS_NOTIFY, 0, 1, 0, 150)
    board.time.advance(50)
    assert board.client.events() == []
    readings[0] = 200
    board.time.advance(10)
    assert board.client.events() == [(MEASUREMENTS_CHANGED, [0, 0, 200])]
    board.time.advance(50)
    assert board.client.events() == []


def test_3_10_5_2_nobody_asks_for_a_power_that_nobody_watches():
    asked = []
    board = Board(power=lambda: asked.append(1) or 5)
    for enable, asks in ((1, 3), (1, 3), (0, 0), (1, 3)):
        board.client.ok(POWERCAP, MEASUREMENTS_NOTIFY, 0, enable, 0, 150)
        before = len(asked)
        board.time.advance(30)
        assert len(asked) == before + asks


def test_3_10_3_16_reading_that_fails():
    board = Board(power=lambda: None)
    assert board.client.call(POWERCAP, MEASUREMENTS_NOTIFY, 0, 1, 0, 150) == (GENERIC_ERROR, [])
    board.time.advance(30)


def test_3_10_5_2_reading_that_fails_for_a_while():
    readings = [100]
    board = Board(power=lambda: readings[0])
    board.client.ok(POWERCAP, MEASUREMENTS_NOTIFY, 0, 1, 0, 150)
    readings[0] = None
    for _ in range(3):
        assert "power must be" in str(raises(ValueError, board.time.advance, 10))
    readings[0] = 200
    board.time.advance(10)
    assert board.client.events() == [(MEASUREMENTS_CHANGED, [0, 0, 200])]
