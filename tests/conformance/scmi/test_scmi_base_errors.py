# SPDX-License-Identifier: MIT
"""Errors that no reply tells: BASE_ERROR_EVENT. Source: DEN0056F, 3.2.2.10 and 3.2.3.1."""

from scmi.platform import Agent, Clock, DescriptionError, Platform
from scmi.status import GENERIC_ERROR, HARDWARE_ERROR
from scmi_client import Client, Time, header, notification
from scmi_example import BASE, CLOCK, client, guest_of
from support import raises

NOTIFY_ERRORS, RATE_SET = 0x8, 0x5
ASYNC, IGNORE_RESPONSE = 1, 2
ERROR = notification(BASE, 0)
FATAL = 1 << 31


def test_3_2_3_1_error_of_the_platform_is_told_to_those_who_asked():
    scmi = client()
    guest = guest_of(scmi)
    scmi.platform.report_error()
    scmi.ok(BASE, NOTIFY_ERRORS, 1)
    scmi.platform.report_error()
    assert scmi.events() == [(ERROR, [0, 0])] and guest.events() == []
    scmi.ok(BASE, NOTIFY_ERRORS, 0)
    scmi.platform.report_error()
    assert scmi.events() == []


def test_3_2_3_1_commands_that_have_failed():
    scmi = client()
    scmi.ok(BASE, NOTIFY_ERRORS, 1)
    heads = [header(CLOCK, RATE_SET, token) for token in range(15)]
    scmi.platform.report_error(2, commands=[(head, HARDWARE_ERROR) for head in heads])
    ((head, words),) = scmi.events()
    assert head == ERROR and words[:2] == [2, 15] and len(words) == 32
    assert words[2::2] == heads and words[3::2] == [HARDWARE_ERROR & 0xFFFFFFFF] * 15


def test_3_2_3_1_waiting_reports_are_bounded_and_no_fatal_one_is_replaced_by_another():
    scmi = client()
    scmi.ok(BASE, NOTIFY_ERRORS, 1)
    scmi.platform.report_error(fatal=True)
    for token in range(100):
        scmi.platform.report_error(commands=[(token, GENERIC_ERROR)])
        scmi.platform.report_error(2)
    assert scmi.events() == [(ERROR, [0, FATAL]), (ERROR, [0, 1, 99, GENERIC_ERROR & 0xFFFFFFFF]), (ERROR, [2, 0])]


def test_3_2_3_1_command_whose_response_is_ignored():
    def broken(clock, what, value):
        raise OSError("no lock")

    platform = Platform(
        clocks=[Clock("c", 1, rates=(1, 2), change=broken, delay=0)], agents=[Agent("one"), Agent("two")]
    )
    time = Time(platform)
    one, two = (Client(agent) for agent in platform.agents)
    for scmi in (one, two):
        scmi.hear()
        scmi.ok(BASE, NOTIFY_ERRORS, 1)
    one.ok(CLOCK, RATE_SET, ASYNC | IGNORE_RESPONSE, 0, 2, 0)
    time.advance(0)
    told = [(ERROR, [1, 1, header(CLOCK, RATE_SET, one.token), GENERIC_ERROR & 0xFFFFFFFF])]
    assert one.events() == told and two.events() == told
    assert platform.agents["one"].failures == 1


def test_3_2_3_1_function_of_the_model_that_fails():
    def broken():
        raise LookupError("out of coolant")

    scmi = client()
    scmi.ok(BASE, NOTIFY_ERRORS, 1)
    scmi.platform.after(2, broken)
    assert "coolant" in str(raises(LookupError, scmi.time.advance, 2))
    assert scmi.events() == [(ERROR, [0, 0])]


def test_what_cannot_be_reported():
    soc = client().platform
    for agent in (-1, 3, "guest"):
        assert "no agent" in str(raises(DescriptionError, soc.report_error, agent))
    assert "15 commands" in str(raises(DescriptionError, soc.report_error, 0, False, [(0, 0)] * 16))
    assert "fatal" in str(raises(DescriptionError, soc.report_error, 0, "very"))
