# SPDX-License-Identifier: MIT
"""Changes of clocks: notifications, asynchronous rates, votes, hardware that fails. Source: DEN0056F, 3.6."""

from scmi.delayed import MAX_OPEN
from scmi.platform import DUTY_CYCLE, Agent, Clock, Platform
from scmi.status import BUSY, GENERIC_ERROR, INVALID_PARAMETERS, NOT_SUPPORTED
from scmi_client import Client, Time, delayed, notification
from scmi_example import BASE, CLOCK, FIXED, LIST, MUX, RATES, client, guest_of

RATE_SET, RATE_GET, CONFIG_SET, CONFIG_GET, PARENT_SET, PARENT_GET = 0x5, 0x6, 0x7, 0xB, 0xD, 0xE
RATE_NOTIFY, REQUESTED_NOTIFY, RESET_AGENT = 0x9, 0xA, 0xB
ASYNC, IGNORE_RESPONSE, ROUND_UP = 1, 2, 4
CHANGED, REQUESTED = notification(CLOCK, 0), notification(CLOCK, 1)
FAST, SLOW, STILL = range(3)


def bench(change=None, delay=3):
    """Two agents and three clocks: one is fast, one slow to change, one cannot."""
    clocks = [
        Clock("fast", rate=100, rates=(100, 200, 300), change=change, settings={DUTY_CYCLE: 50}),
        Clock("slow", rate=100, rates=(100, 200, 300), change=change, delay=delay),
        Clock("still", rate=7),
    ]
    platform = Platform(clocks=clocks, agents=[Agent("one", trusted=True), Agent("two")])
    time = Time(platform)
    made = [Client(agent) for agent in platform.agents]
    for one in made:
        one.platform, one.time = platform, time
        one.hear()
    return made


def test_3_6_4_1_changed_rate_is_told_to_everybody_who_asked():
    scmi = client()
    guest = guest_of(scmi)
    for one in (scmi, guest):
        one.ok(CLOCK, RATE_NOTIFY, LIST, 1)
    guest.ok(CLOCK, RATE_SET, 0, LIST, RATES[5], 0)
    for one in (scmi, guest):
        assert one.events() == [(CHANGED, [2, LIST, RATES[5], 0])]
    guest.ok(CLOCK, RATE_NOTIFY, LIST, 0)
    scmi.platform.clocks["list"].rate = RATES[39]
    assert scmi.events() == [(CHANGED, [0, LIST, RATES[39] & 0xFFFFFFFF, RATES[39] >> 32])]
    assert guest.events() == []


def test_3_6_4_1_same_rate_again_is_not_told():
    scmi = client()
    scmi.ok(CLOCK, RATE_NOTIFY, LIST, 1)
    scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[0], 0)
    assert scmi.events() == []


def test_3_6_4_1_clock_that_follows_is_told_too():
    scmi = client()
    for clock in (LIST, MUX):
        scmi.ok(CLOCK, RATE_NOTIFY, clock, 1)
    scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[5], 0)
    assert scmi.events() == [(CHANGED, [1, LIST, RATES[5], 0]), (CHANGED, [1, MUX, RATES[5], 0])]
    scmi.ok(CLOCK, PARENT_SET, MUX, FIXED)
    assert scmi.events() == [(CHANGED, [1, MUX, 24_000_000, 0])]
    scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[6], 0)
    assert scmi.events() == [(CHANGED, [1, LIST, RATES[6], 0])], "it follows another now"


def test_3_6_4_2_rate_that_is_not_what_was_asked_for():
    scmi = client()
    scmi.ok(CLOCK, REQUESTED_NOTIFY, LIST, 1)
    scmi.ok(CLOCK, RATE_SET, 0, LIST, RATES[5], 0)
    assert scmi.events() == []
    scmi.ok(CLOCK, RATE_SET, ROUND_UP, LIST, RATES[5] + 1, 0)
    assert scmi.events() == [(REQUESTED, [1, LIST, RATES[5] + 1, 0])]


def test_3_6_2_3_pending_changes_are_offered_if_any_clock_is_slow():
    one, _ = bench()
    assert one.ok(CLOCK, 0x1) == [MAX_OPEN << 16 | 3] and MAX_OPEN >= 2
    one.hear(False)
    assert one.ok(CLOCK, 0x1) == [3]
    assert one.call(CLOCK, RATE_SET, ASYNC, SLOW, 200, 0) == (NOT_SUPPORTED, [])
    (same, _) = bench(delay=None)
    assert same.ok(CLOCK, 0x1) == [3]
    assert same.call(CLOCK, RATE_SET, ASYNC, FAST, 200, 0) == (NOT_SUPPORTED, [])


def test_3_6_3_1_rate_is_set_later():
    one, two = bench()
    two.ok(CLOCK, RATE_NOTIFY, SLOW, 1)
    assert one.ok(CLOCK, RATE_SET, ASYNC | ROUND_UP, SLOW, 101, 0) == []
    token = one.token
    one.time.advance(2)
    assert one.ok(CLOCK, RATE_GET, SLOW) == [100, 0] and one.events() == two.events() == []
    one.time.advance(1)
    assert one.events() == [(delayed(CLOCK, RATE_SET, token), [0, SLOW, 200, 0])]
    assert two.events() == [(CHANGED, [1, SLOW, 200, 0])]
    assert one.ok(CLOCK, RATE_GET, SLOW) == [200, 0]


def test_3_6_3_1_clock_that_is_not_slow_answers_soon():
    one, _ = bench()
    one.ok(CLOCK, RATE_SET, ASYNC, FAST, 200, 0)
    one.time.advance(0)
    assert one.events() == [(delayed(CLOCK, RATE_SET, one.token), [0, FAST, 200, 0])]


def test_3_6_3_1_hardware_says_when_it_is_done():
    finish = []
    one, _ = bench(delay=finish.append)
    one.ok(CLOCK, RATE_SET, ASYNC, SLOW, 300, 0)
    assert one.events() == []
    finish[0]()
    assert one.events() == [(delayed(CLOCK, RATE_SET, one.token), [0, SLOW, 300, 0])]


def test_3_6_2_7_delayed_response_is_not_sent_if_it_is_ignored():
    one, _ = bench()
    one.ok(CLOCK, RATE_SET, ASYNC | IGNORE_RESPONSE, SLOW, 200, 0)
    one.time.advance(3)
    assert one.events() == [] and one.ok(CLOCK, RATE_GET, SLOW) == [200, 0]


def test_3_6_2_7_asynchronous_change_that_cannot_be():
    one, _ = bench()
    assert one.call(CLOCK, RATE_SET, ASYNC, SLOW, 99, 0) == (INVALID_PARAMETERS, [])
    assert one.call(CLOCK, RATE_SET, ASYNC, STILL, 7, 0) == (NOT_SUPPORTED, [])


def test_3_6_2_7_busy_beyond_the_maximum():
    one, two = bench()
    for _ in range(MAX_OPEN):
        one.ok(CLOCK, RATE_SET, ASYNC, SLOW, 200, 0)
    assert one.call(CLOCK, RATE_SET, ASYNC, SLOW, 300, 0) == (BUSY, [])
    assert one.ok(CLOCK, RATE_SET, 0, FAST, 300, 0) == [], "what is not asynchronous is served"
    assert two.ok(CLOCK, RATE_SET, ASYNC, SLOW, 200, 0) == []
    one.time.advance(3)
    assert len(one.events()) == MAX_OPEN
    assert one.ok(CLOCK, RATE_SET, ASYNC, SLOW, 300, 0) == []


def test_3_6_2_9_clock_runs_while_any_agent_wants_it():
    scmi = client()
    guest = guest_of(scmi)
    for one, state, runs in ((scmi, 1, 1), (guest, 0, 1), (guest, 1, 1), (scmi, 0, 1), (guest, 0, 0), (scmi, 1, 1)):
        one.ok(CLOCK, CONFIG_SET, LIST, state, 0)
        assert scmi.ok(CLOCK, CONFIG_GET, LIST, 0) == guest.ok(CLOCK, CONFIG_GET, LIST, 0) == [0, runs, 0]
        assert scmi.ok(CLOCK, 0x3, LIST)[0] & 1 == runs
    assert scmi.platform.clocks["list"].wanted == {1: True, 2: False}
    assert "agent 1 wants on, agent 2 wants off" in repr(scmi.platform.clocks["list"])


def test_3_6_2_9_prompt_holds_until_somebody_asks_again():
    scmi = client()
    scmi.ok(CLOCK, CONFIG_SET, LIST, 1, 0)
    scmi.platform.clocks["list"].enabled = False
    assert scmi.ok(CLOCK, CONFIG_GET, LIST, 0) == [0, 0, 0]
    scmi.ok(BASE, RESET_AGENT, 1, 0)
    assert scmi.ok(CLOCK, CONFIG_GET, LIST, 0) == [0, 0, 0], "this is not what the agent has set"
    scmi.ok(CLOCK, CONFIG_SET, LIST, 1, 0)
    assert scmi.ok(CLOCK, CONFIG_GET, LIST, 0) == [0, 1, 0]


def test_hardware_is_told_what_changes():
    said = []
    one, _ = bench(lambda clock, what, value: said.append((clock.name, what, value)))
    one.ok(CLOCK, RATE_SET, 0, FAST, 200, 0)
    one.ok(CLOCK, RATE_SET, 0, FAST, 200, 0)
    one.ok(CLOCK, CONFIG_SET, FAST, DUTY_CYCLE << 16, 30)
    one.platform.clocks["fast"].enabled = True
    assert said == [
        ("fast", "rate", 200),
        ("fast", DUTY_CYCLE, 30),
        ("fast", "enabled", False),
        ("fast", "enabled", True),
    ]


def test_hardware_is_told_of_a_parent():
    said = []
    mux = Clock("mux", parents=("a", "b"), change=lambda clock, what, value: said.append((what, value.name)))
    scmi = Client(Platform(clocks=[mux, Clock("a", 1), Clock("b", 2)]).agents[0])
    scmi.ok(CLOCK, PARENT_SET, 0, 2)
    assert said == [("parent", "b")] and scmi.ok(CLOCK, RATE_GET, 0) == [2, 0]


def test_hardware_that_fails_changes_nothing():
    def broken(clock, what, value):
        raise OSError("no lock")

    one, _ = bench(broken)
    assert one.call(CLOCK, RATE_SET, 0, FAST, 200, 0) == (GENERIC_ERROR, [])
    assert one.call(CLOCK, CONFIG_SET, FAST, 0, 0) == (GENERIC_ERROR, [])
    assert one.call(CLOCK, CONFIG_SET, FAST, DUTY_CYCLE << 16 | 3, 30) == (GENERIC_ERROR, [])
    assert one.ok(CLOCK, RATE_GET, FAST) == [100, 0] and one.ok(CLOCK, CONFIG_GET, FAST, DUTY_CYCLE) == [0, 1, 50]
    assert one.platform.clocks["fast"].wanted == {}


def test_setting_is_taken_back_when_the_state_fails():
    said = []

    def no_gate(clock, what, value):
        said.append((what, value))
        if what == "enabled":
            raise OSError("no gate")

    one, _ = bench(no_gate)
    assert one.call(CLOCK, CONFIG_SET, FAST, DUTY_CYCLE << 16, 30) == (GENERIC_ERROR, [])
    assert one.ok(CLOCK, CONFIG_GET, FAST, DUTY_CYCLE) == [0, 1, 50]
    assert said == [(DUTY_CYCLE, 30), ("enabled", False), (DUTY_CYCLE, 50)]


def test_3_6_3_1_failure_comes_with_the_delayed_response():
    def broken(clock, what, value):
        raise OSError("no lock")

    one, _ = bench(broken)
    one.ok(CLOCK, RATE_SET, ASYNC, SLOW, 200, 0)
    one.time.advance(3)
    assert one.events() == [(delayed(CLOCK, RATE_SET, one.token), [GENERIC_ERROR & 0xFFFFFFFF])]
    assert one.ok(CLOCK, RATE_GET, SLOW) == [100, 0]
