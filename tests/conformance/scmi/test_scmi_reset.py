# SPDX-License-Identifier: MIT
"""Reset domain protocol 3.1, one test per message and status. Source: DEN0056F, 3.8.2."""

from scmi.platform import Platform, Reset
from scmi.status import DENIED, GENERIC_ERROR, INVALID_PARAMETERS, NOT_FOUND, NOT_SUPPORTED
from scmi_client import Client, delayed, notification, text
from scmi_example import (
    BASE,
    CORE,
    GUARDED,
    HELD,
    LONG_RESET,
    LONG_RESET_NAME,
    RESET,
    SOC,
    SPECIAL_STATE,
    TRUSTED,
    client,
    guest_of,
)

ATTRIBUTES, DOMAIN_ATTRIBUTES, RESET_DOMAIN, NOTIFY, NAME_GET = 0x1, 0x3, 0x4, 0x5, 0x6

NOBODY = (4, 0x10000, 0xFFFFFFFF)
COLD = 0
RELEASE, AUTONOMOUS, ASSERT, ASYNC = 0, 1, 2, 4
DELAYS, NOTIFIES = 1 << 31, 1 << 30
ISSUED = notification(RESET, 0x0)


class Board:
    """Reset lines of a board, which note what is done to them."""

    def __init__(self, broken=False):
        self.done = []
        self.broken = broken
        self.platform = Platform(resets=[Reset("line", reset=self.reset, signal=self.signal)])
        self.client = Client(self.platform.agents[0])

    def reset(self, state):
        self._do(("reset", state))

    def signal(self, asserted):
        self._do(("signal", asserted))

    def _do(self, what):
        if self.broken:
            raise OSError("in use")
        self.done.append(what)


def test_3_8_2_3_attributes_count_domains():
    assert client().ok(RESET, ATTRIBUTES) == [4]


def test_3_8_2_5_attributes():
    for hears, told in ((True, NOTIFIES), (False, 0)):
        scmi = client(hears)
        for domain, bits, latency, name in (
            (CORE, 0, 250, "core"),
            (LONG_RESET, 1 << 29, 0xFFFFFFFF, LONG_RESET_NAME[:15]),
            (GUARDED, 0, 0xFFFFFFFF, "guarded"),
        ):
            payload = scmi.ok(RESET, DOMAIN_ATTRIBUTES, domain)
            assert payload[:2] == [bits | told, latency] and text(payload[2:]) == name


def test_3_8_2_5_unknown_domain():
    for domain in NOBODY:
        assert client().call(RESET, DOMAIN_ATTRIBUTES, domain) == (NOT_FOUND, [])


def test_3_8_2_6_autonomous_reset():
    board = Board()
    assert board.client.ok(RESET, RESET_DOMAIN, 0, AUTONOMOUS, COLD) == []
    assert board.done == [("reset", COLD)]
    assert (board.platform.resets["line"].count, board.platform.resets["line"].last_state) == (1, COLD)


def test_3_8_2_6_signal_is_asserted_and_released():
    board = Board()
    for flags, asserted in ((ASSERT, True), (RELEASE, False)):
        assert board.client.ok(RESET, RESET_DOMAIN, 0, flags, COLD) == []
        assert board.platform.resets["line"].asserted == asserted
    assert board.done == [("signal", True), ("signal", False)]
    assert board.platform.resets["line"].count == 0


def test_3_8_2_6_autonomous_reset_ignores_the_flag_of_the_signal():
    board = Board()
    board.client.ok(RESET, RESET_DOMAIN, 0, AUTONOMOUS | ASSERT, COLD)
    assert board.done == [("reset", COLD)] and not board.platform.resets["line"].asserted


def test_3_8_2_6_autonomous_reset_releases_the_signal():
    scmi = client()
    assert scmi.platform.resets[HELD].asserted
    scmi.ok(RESET, RESET_DOMAIN, HELD, AUTONOMOUS, COLD)
    assert not scmi.platform.resets[HELD].asserted


def test_3_8_2_6_state_of_the_platform():
    scmi = client()
    scmi.ok(RESET, RESET_DOMAIN, LONG_RESET, AUTONOMOUS, SPECIAL_STATE)
    assert scmi.platform.resets[LONG_RESET].last_state == SPECIAL_STATE


def test_3_8_2_6_unsupported_state():
    scmi = client()
    for domain, state in ((CORE, 1), (CORE, SPECIAL_STATE), (LONG_RESET, SPECIAL_STATE + 1), (CORE, 0xFFFFFFFF)):
        for flags in (RELEASE, AUTONOMOUS, ASSERT):
            assert scmi.call(RESET, RESET_DOMAIN, domain, flags, state) == (INVALID_PARAMETERS, [])
    assert scmi.platform.resets[CORE].count == 0 and not scmi.platform.resets[CORE].asserted


def test_3_8_2_6_invalid_flags():
    scmi = client()
    for flags in (8, AUTONOMOUS | 0x10, 0x80000000, ASYNC, ASYNC | ASSERT):
        assert scmi.call(RESET, RESET_DOMAIN, CORE, flags, COLD) == (INVALID_PARAMETERS, [])
    assert scmi.platform.resets[CORE].count == 0


def test_3_8_2_6_asynchronous_reset_is_not_supported():
    scmi = client()
    assert scmi.call(RESET, RESET_DOMAIN, CORE, ASYNC | AUTONOMOUS, COLD) == (NOT_SUPPORTED, [])
    assert scmi.platform.resets[CORE].count == 0


def test_3_8_2_6_forbidden_domain():
    scmi = client()
    for flags in (RELEASE, AUTONOMOUS, ASSERT):
        assert scmi.call(RESET, RESET_DOMAIN, GUARDED, flags, COLD) == (DENIED, [])
    assert scmi.platform.resets[GUARDED].count == 0


def test_3_8_2_6_domain_of_a_revoked_device():
    scmi = client()
    guest = guest_of(scmi)
    scmi.ok(BASE, 0x9, guest.backend.id, SOC, 0)
    assert guest.call(RESET, RESET_DOMAIN, CORE, AUTONOMOUS, COLD) == (DENIED, [])
    assert scmi.platform.resets[CORE].count == 0


def test_3_8_2_6_reset_that_fails():
    board = Board(broken=True)
    for flags in (RELEASE, AUTONOMOUS, ASSERT):
        assert board.client.call(RESET, RESET_DOMAIN, 0, flags, COLD) == (GENERIC_ERROR, [])
    assert board.platform.resets["line"].count == 0 and not board.platform.resets["line"].asserted


def test_3_8_2_6_unknown_domain():
    for domain in NOBODY:
        assert client().call(RESET, RESET_DOMAIN, domain, AUTONOMOUS, COLD) == (NOT_FOUND, [])


def test_3_8_2_7_subscription_without_event_channel_is_not_supported():
    for enable in (0, 1):
        assert client(hears=False).call(RESET, NOTIFY, CORE, enable) == (NOT_SUPPORTED, [])


def test_3_8_4_1_reset_is_told_to_those_who_want_to_know():
    scmi = client()
    guest = guest_of(scmi)
    guest.ok(RESET, NOTIFY, LONG_RESET, 1)
    for flags, state in ((AUTONOMOUS, SPECIAL_STATE), (ASSERT, COLD)):
        scmi.ok(RESET, RESET_DOMAIN, LONG_RESET, flags, state)
        assert guest.events() == [(ISSUED, [TRUSTED, LONG_RESET, state])]
    scmi.ok(RESET, RESET_DOMAIN, LONG_RESET, RELEASE, COLD)
    scmi.ok(RESET, RESET_DOMAIN, CORE, AUTONOMOUS, COLD)
    assert guest.events() == [] and scmi.events() == []


def test_3_8_3_1_asynchronous_reset_is_answered_when_the_hardware_is_done():
    waiting = []
    soc = Platform(resets=[Reset("slow", delay=waiting.append)])
    scmi = Client(soc.agents[0])
    scmi.hear()
    assert scmi.ok(RESET, DOMAIN_ATTRIBUTES, 0)[0] & DELAYS
    assert scmi.call(RESET, RESET_DOMAIN, 0, ASYNC, COLD) == (INVALID_PARAMETERS, [])
    assert scmi.ok(RESET, RESET_DOMAIN, 0, ASYNC | AUTONOMOUS, COLD) == []
    assert scmi.events() == [] and soc.resets[0].count == 0
    (finish,) = waiting
    for _ in range(2):
        finish()
    assert scmi.events() == [(delayed(RESET, RESET_DOMAIN, scmi.token), [0, 0])] and soc.resets[0].count == 1


def test_3_8_2_7_bad_notify_enable():
    for enable in (2, 0xFFFFFFFF):
        assert client().call(RESET, NOTIFY, CORE, enable) == (INVALID_PARAMETERS, [])


def test_3_8_2_7_unknown_domain():
    for domain in NOBODY:
        assert client().call(RESET, NOTIFY, domain, 1) == (NOT_FOUND, [])


def test_3_8_2_8_name():
    scmi = client()
    for domain, name in ((CORE, "core"), (LONG_RESET, LONG_RESET_NAME)):
        payload = scmi.ok(RESET, NAME_GET, domain)
        assert payload[0] == 0 and len(payload) == 17 and text(payload[1:]) == name


def test_3_8_2_8_unknown_domain():
    for domain in NOBODY:
        assert client().call(RESET, NAME_GET, domain) == (NOT_FOUND, [])


def test_3_2_2_13_reset_of_an_agent_gives_signals_back():
    scmi = client()
    scmi.ok(RESET, RESET_DOMAIN, HELD, RELEASE, COLD)
    scmi.ok(RESET, RESET_DOMAIN, CORE, ASSERT, COLD)
    scmi.ok(BASE, 0xB, TRUSTED, 0)
    assert scmi.platform.resets[HELD].asserted and not scmi.platform.resets[CORE].asserted


def test_3_2_2_13_asynchronous_reset_of_an_agent_gives_signals_back():
    platform = Platform(resets=[Reset("held", asserted=True, delay=lambda finish: finish())])
    scmi = Client(platform.agents[0])
    scmi.hear()
    scmi.ok(RESET, RESET_DOMAIN, 0, AUTONOMOUS | ASYNC, COLD)
    assert not platform.resets[0].asserted
    scmi.ok(BASE, 0xB, platform.agents[0].id, 0)
    assert platform.resets[0].asserted
